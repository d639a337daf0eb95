#include "retrieval.h"

#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "retrieval_own.h"

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

/* Two passes: one finds the true references, one counts what is nearer. */
static int rank_queries(struct sj_search *s, int64_t n, int64_t *of_class, struct sj_gathered *g)
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
    for (int64_t q = 0; q < n && !status; q++)
        status = sj_gathered_add(g, sj_ranks_rank(r.ranks)[q], sj_ranks_total(r.ranks)[q], sj_search_query(s, q).class);
    sj_ranks_free(r.ranks);
    free(t.sorted);
    free(t.distance);
    return status;
}

int sj_retrieval_print(struct sj_search *s, int per_class, int baselines, FILE *f, int json)
{
    struct sj_gathered g = {0};
    int64_t of_class[SJ_CLASSES + 1], n = 0;
    const struct sj_head *head = sj_search_head(s);
    int status = SJ_OK;
    while (!status && !(status = sj_search_queries(s, &n)) && n)
        status = rank_queries(s, n, of_class, &g);
    if (!status)
        status = sj_gathered_print(&g, head->classes, head->class_name, of_class, per_class, baselines, f, json);
    sj_gathered_free(&g);
    return status;
}
