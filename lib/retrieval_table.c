/* Table 1 of retrieval.h. */
#include "retrieval_own.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "metrics.h"

static int grow(void *column, size_t count, size_t size)
{
    void *old, *new;
    memcpy(&old, column, sizeof old);
    if (!(new = realloc(old, count * size)))
        return sj_fail(SJ_SYSTEM, "no memory for %zu ranks", count);
    memcpy(column, &new, sizeof new);
    return SJ_OK;
}

int sj_gathered_add(struct sj_gathered *g, int64_t rank, int64_t total, int class)
{
    const size_t room = (size_t)(2 * g->room + 64);
    if (g->n == g->room) {
        if (grow(&g->rank, room, sizeof *g->rank) || grow(&g->total, room, sizeof *g->total)
            || grow(&g->class, room, sizeof *g->class))
            return SJ_SYSTEM;
        g->room = (int64_t)room;
    }
    g->rank[g->n] = rank;
    g->total[g->n] = total;
    g->class[g->n++] = class;
    return SJ_OK;
}

void sj_gathered_free(struct sj_gathered *g)
{
    free(g->rank);
    free(g->total);
    free(g->class);
    *g = (struct sj_gathered){0};
}

enum { COLUMNS = 5 };
static const char *const name[COLUMNS] = {"recall@1_percent", "recall@5_percent", "recall@10_percent",
                                          "mean_rank_percent", "median_rank_percent"};

static void print_names(FILE *f)
{
    fprintf(f, "row\tqueries\treferences");
    for (int i = 0; i < COLUMNS; i++)
        fprintf(f, "\t%s", name[i]);
    fputc('\n', f);
}

static int print_row(FILE *f, int json, const char *row, int64_t references, const struct sj_retrieval *m)
{
    const double value[COLUMNS] = {m->recall_1, m->recall_5, m->recall_10, m->mean_rank, m->median_rank};
    if (json) {
        sj_json *o = sj_json_object();
        sj_json_set(o, "row", sj_json_string(row));
        sj_json_set(o, "queries", sj_json_int(m->queries));
        sj_json_set(o, "references", sj_json_int(references));
        for (int i = 0; i < COLUMNS; i++)
            sj_json_set(o, name[i], sj_json_real(100 * value[i]));
        int status = sj_json_line(f, o);
        sj_json_free(o);
        return status;
    }
    fprintf(f, "%s\t%lld\t%lld", row, (long long)m->queries, (long long)references);
    for (int i = 0; i < COLUMNS; i++)
        fprintf(f, "\t%.2f", 100 * value[i]);
    fputc('\n', f);
    return SJ_OK;
}

/* The row of the queries of one class, or of all (class -2). */
static int print_ranks(const struct sj_gathered *g, int class, const char *row, FILE *f, int json)
{
    int64_t *rank = malloc((size_t)g->n * sizeof *rank + 1), *total = malloc((size_t)g->n * sizeof *total + 1);
    int64_t n = 0, most = 0;
    struct sj_retrieval m;
    int status = rank && total ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for %lld ranks", (long long)g->n);
    for (int64_t i = 0; i < g->n && !status; i++)
        if (class == -2 || g->class[i] == class) {
            rank[n] = g->rank[i];
            total[n++] = g->total[i];
            most = g->total[i] > most ? g->total[i] : most;
        }
    if (!status)
        status = sj_retrieval_of(n, rank, total, &m);
    if (!status)
        status = print_row(f, json, row, most, &m);
    free(rank);
    free(total);
    return status;
}

static int print_baselines(const struct sj_gathered *g, const int64_t *of_class, FILE *f, int json)
{
    int64_t *among = malloc((size_t)g->n * sizeof *among + 1), most = 0;
    struct sj_retrieval m;
    int status = among ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for %lld ranks", (long long)g->n);
    for (int64_t i = 0; i < g->n && !status; i++) {
        among[i] = of_class[g->class[i] + 1];
        most = g->total[i] > most ? g->total[i] : most;
    }
    if (!status)
        status = sj_retrieval_expected(g->n, g->total, g->total, &m);
    if (!status)
        status = print_row(f, json, "chance", most, &m);
    if (!status)
        status = sj_retrieval_expected(g->n, among, g->total, &m);
    if (!status)
        status = print_row(f, json, "class-oracle", most, &m);
    free(among);
    return status;
}

int sj_gathered_print(const struct sj_gathered *g, int classes, const char *const *class_name,
                      const int64_t *of_class, int per_class, int baselines, FILE *f, int json)
{
    int status = g->n ? SJ_OK : sj_fail(SJ_INPUT, "there are no queries to measure");
    if (!status && !json)
        print_names(f);
    if (!status)
        status = print_ranks(g, -2, "all", f, json);
    for (int c = 0; c < classes && per_class && !status; c++)
        status = print_ranks(g, c, class_name[c], f, json);
    return status || !baselines ? status : print_baselines(g, of_class, f, json);
}
