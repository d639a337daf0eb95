#include "retrieval.h"

#include <stdlib.h>
#include <string.h>

#include "metrics.h"

/* What is known of the queries of all blocks so far. */
struct gathered {
    int64_t n, room;
    int64_t *rank, *total;
    int *class;
};

/* One block of queries: where to look for each, and what was found. */
struct truths {
    const struct sj_search *search;
    int64_t n;
    int64_t *sorted;   /* queries by key and class */
    double *distance;  /* of the true reference; negative: not found */
    int64_t *of_class; /* references of each class + 1 */
};

static int compare_labels(const struct sj_embedding *a, const struct sj_embedding *b)
{
    int order = strcmp(a->key, b->key);
    return order ? order : (a->class > b->class) - (a->class < b->class);
}

static int compare_queries(const void *a, const void *b, void *arg)
{
    int64_t i, j;
    memcpy(&i, a, sizeof i);
    memcpy(&j, b, sizeof j);
    const struct sj_embedding x = sj_search_query(arg, i), y = sj_search_query(arg, j);
    return compare_labels(&x, &y);
}

/* The first place in t->sorted whose query does not come before e. */
static int64_t find_query(const struct truths *t, const struct sj_embedding *e)
{
    int64_t low = 0, high = t->n;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        const struct sj_embedding q = sj_search_query(t->search, t->sorted[middle]);
        if (compare_labels(&q, e) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const char *class_of(const struct sj_search *s, int class)
{
    return class == SJ_CLASS_NONE ? "-" : sj_search_head(s)->class_name[class];
}

static int find_truths(void *arg, const struct sj_search_block *b)
{
    struct truths *t = arg;
    const int64_t d = sj_search_width(t->search);
    for (int64_t j = 0; j < b->n; j++) {
        const struct sj_embedding e = sj_search_reference(t->search, b->index[j]);
        t->of_class[e.class + 1]++;
        for (int64_t i = find_query(t, &e); i < t->n; i++) {
            const int64_t q = t->sorted[i];
            const struct sj_embedding query = sj_search_query(t->search, q);
            if (compare_labels(&query, &e))
                break;
            if (t->distance[q] >= 0)
                return sj_fail(SJ_INPUT, "two references have the key '%s' and the class '%s'", e.key,
                               class_of(t->search, e.class));
            t->distance[q] = sj_vector_distance(d, sj_search_query_vector(t->search, q), b->vector + j * d);
        }
    }
    return SJ_OK;
}

struct ranking {
    struct sj_search *search;
    struct sj_ranks *ranks;
};

static int rank_block(void *arg, const struct sj_search_block *b)
{
    struct ranking *r = arg;
    struct sj_search_admission admission = {r->search, b};
    sj_ranks_add(r->ranks, b->scores, sj_search_admit(r->search), &admission);
    return SJ_OK;
}

static int grow(void *column, size_t count, size_t size)
{
    void *old, *new;
    memcpy(&old, column, sizeof old);
    if (!(new = realloc(old, count * size)))
        return sj_fail(SJ_SYSTEM, "no memory for %zu ranks", count);
    memcpy(column, &new, sizeof new);
    return SJ_OK;
}

static int gather(struct gathered *g, const struct sj_search *s, const struct sj_ranks *r, int64_t n)
{
    const size_t room = (size_t)(2 * g->room + n);
    if (g->n + n > g->room) {
        if (grow(&g->rank, room, sizeof *g->rank) || grow(&g->total, room, sizeof *g->total)
            || grow(&g->class, room, sizeof *g->class))
            return SJ_SYSTEM;
        g->room = (int64_t)room;
    }
    for (int64_t q = 0; q < n; q++, g->n++) {
        g->rank[g->n] = sj_ranks_rank(r)[q];
        g->total[g->n] = sj_ranks_total(r)[q];
        g->class[g->n] = sj_search_query(s, q).class;
    }
    return SJ_OK;
}

/* Two passes: one finds the true references, one counts what is nearer. */
static int rank_queries(struct sj_search *s, int64_t n, int64_t *of_class, struct gathered *g)
{
    struct truths t = {s, n, malloc((size_t)n * sizeof *t.sorted), malloc((size_t)n * sizeof *t.distance), of_class};
    struct ranking r = {s, NULL};
    int status = t.sorted && t.distance ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for %lld ranks", (long long)n);
    for (int64_t q = 0; q < n && !status; q++) {
        t.sorted[q] = q;
        t.distance[q] = -1;
    }
    if (!status) {
        qsort_r(t.sorted, (size_t)n, sizeof *t.sorted, compare_queries, s);
        memset(of_class, 0, (SJ_CLASSES + 1) * sizeof *of_class);
        status = sj_search_pass(s, 0, find_truths, &t);
    }
    for (int64_t q = 0; q < n && !status; q++)
        if (t.distance[q] < 0) {
            const struct sj_embedding e = sj_search_query(s, q);
            status = sj_fail(SJ_INPUT, "no reference has the key '%s' and the class '%s' of a query", e.key,
                             class_of(s, e.class));
        }
    if (!status)
        status = sj_ranks_new(n, t.distance, &r.ranks);
    if (!status)
        status = sj_search_pass(s, 1, rank_block, &r);
    if (!status)
        status = gather(g, s, r.ranks, n);
    sj_ranks_free(r.ranks);
    free(t.sorted);
    free(t.distance);
    return status;
}

/* -- table 1 ------------------------------------------------------------------------------------------------------- */
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
static int print_ranks(const struct gathered *g, int class, const char *row, FILE *f, int json)
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

static int print_baselines(const struct gathered *g, const int64_t *of_class, FILE *f, int json)
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

int sj_retrieval_print(struct sj_search *s, int per_class, int baselines, FILE *f, int json)
{
    struct gathered g = {0};
    int64_t of_class[SJ_CLASSES + 1], n = 0;
    const struct sj_head *head = sj_search_head(s);
    int status = SJ_OK;
    while (!status && !(status = sj_search_queries(s, &n)) && n)
        status = rank_queries(s, n, of_class, &g);
    if (!status && !g.n)
        status = sj_fail(SJ_INPUT, "there are no queries to measure");
    if (!status && !json)
        print_names(f);
    if (!status)
        status = print_ranks(&g, -2, "all", f, json);
    for (int c = 0; c < head->classes && per_class && !status; c++)
        status = print_ranks(&g, c, head->class_name[c], f, json);
    if (!status && baselines)
        status = print_baselines(&g, of_class, f, json);
    free(g.rank);
    free(g.total);
    free(g.class);
    return status;
}
