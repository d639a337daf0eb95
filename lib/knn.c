#include "knn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scores.h"

struct sj_knn {
    int64_t queries, k;
    int64_t *count;            /* (queries) */
    struct sj_neighbour *list; /* (queries, k), each sorted */
};

int sj_knn_new(int64_t queries, int64_t k, struct sj_knn **out)
{
    struct sj_knn *n = calloc(1, sizeof *n);
    if (n) {
        *n = (struct sj_knn){.queries = queries, .k = k};
        n->count = calloc((size_t)queries + 1, sizeof *n->count);
        n->list = queries > INT64_MAX / (int64_t)sizeof *n->list / k - 1
                      ? NULL
                      : malloc((size_t)(queries * k) * sizeof *n->list + 1);
    }
    if (!n || !n->count || !n->list) {
        sj_knn_free(n);
        return sj_fail(SJ_SYSTEM, "no memory for %lld lists of %lld neighbours", (long long)queries, (long long)k);
    }
    *out = n;
    return SJ_OK;
}

void sj_knn_free(struct sj_knn *n)
{
    if (!n)
        return;
    free(n->count);
    free(n->list);
    free(n);
}

static int before(const struct sj_neighbour *a, const struct sj_neighbour *b)
{
    return a->distance < b->distance || (a->distance <= b->distance && a->index < b->index);
}

static void insert(struct sj_neighbour *list, int64_t *count, int64_t k, struct sj_neighbour new)
{
    int64_t at = *count;
    if (at == k && !before(&new, &list[k - 1]))
        return;
    while (at > 0 && before(&new, &list[at - 1]))
        at--;
    *count += *count < k;
    memmove(list + at + 1, list + at, (size_t)(*count - at - 1) * sizeof *list);
    list[at] = new;
}

void sj_knn_add(struct sj_knn *n, const struct sj_scores *s, const int64_t *index, sj_admit *admit, void *arg)
{
    const int64_t rows = sj_scores_row_count(s), queries = sj_scores_query_count(s);
#pragma omp parallel for num_threads(sj_scores_threads(s)) schedule(dynamic, 4)
    for (int64_t q = 0; q < queries; q++) {
        struct sj_neighbour *list = n->list + q * n->k;
        int64_t *count = &n->count[q], j = -1;
        for (;;) {
            double limit = *count < n->k ? INFINITY : list[n->k - 1].distance;
            if ((j = sj_scores_next(s, q, j + 1, limit)) >= rows)
                break;
            if (!admit || admit(arg, q, j))
                insert(list, count, n->k, (struct sj_neighbour){index[j], sj_scores_distance(s, q, j)});
        }
    }
}

int64_t sj_knn_list(const struct sj_knn *n, int64_t q, const struct sj_neighbour **list)
{
    *list = n->list + q * n->k;
    return n->count[q];
}
