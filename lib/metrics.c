#include "metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scores.h"
#include "sjk.h"

enum { BLOCK = 1024 }; /* references at a time */

struct sj_ranks {
    int64_t queries;
    double *distance;
    int64_t *rank, *total;
};

int sj_ranks_new(int64_t queries, const double *distance, struct sj_ranks **out)
{
    struct sj_ranks *r = calloc(1, sizeof *r);
    const size_t n = (size_t)queries + 1;
    if (r) {
        r->queries = queries;
        r->distance = malloc(n * sizeof *r->distance);
        r->rank = malloc(n * sizeof *r->rank);
        r->total = calloc(n, sizeof *r->total);
    }
    if (!r || !r->distance || !r->rank || !r->total) {
        sj_ranks_free(r);
        return sj_fail(SJ_SYSTEM, "no memory for %lld ranks", (long long)queries);
    }
    for (int64_t q = 0; q < queries; q++) {
        r->distance[q] = distance[q];
        r->rank[q] = 1;
    }
    *out = r;
    return SJ_OK;
}

void sj_ranks_free(struct sj_ranks *r)
{
    if (!r)
        return;
    free(r->distance);
    free(r->rank);
    free(r->total);
    free(r);
}

void sj_ranks_add(struct sj_ranks *r, const struct sj_scores *s, sj_admit *admit, void *arg)
{
    const int64_t rows = sj_scores_row_count(s), queries = sj_scores_query_count(s);
#pragma omp parallel for num_threads(sj_scores_threads(s)) schedule(dynamic, 4)
    for (int64_t q = 0; q < queries; q++) {
        const double limit = r->distance[q];
        int64_t nearer = 0, total = admit ? 0 : rows;
        for (int64_t j = 0; admit && j < rows; j++)
            total += admit(arg, q, j);
        for (int64_t j = -1; (j = sj_scores_next(s, q, j + 1, limit)) < rows;)
            if (!admit || admit(arg, q, j))
                nearer += sj_scores_nearer(s, q, j, limit) || sj_scores_distance(s, q, j) < limit;
        r->rank[q] += nearer;
        r->total[q] += total;
    }
}

const int64_t *sj_ranks_rank(const struct sj_ranks *r)
{
    return r->rank;
}

const int64_t *sj_ranks_total(const struct sj_ranks *r)
{
    return r->total;
}

/* -- summaries ----------------------------------------------------------------------------------------------------- */
static int compare(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Mean and lower median of n values, which are sorted. */
static void centre(int64_t n, double *value, struct sj_retrieval *m)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += value[i];
    qsort(value, (size_t)n, sizeof *value, compare);
    m->mean_rank = sum / (double)n;
    m->median_rank = value[(n - 1) / 2];
}

static int start(int64_t n, struct sj_retrieval *m, double **normalised)
{
    *m = (struct sj_retrieval){.queries = n};
    *normalised = malloc((size_t)n * sizeof **normalised + 1);
    return *normalised ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for %lld ranks", (long long)n);
}

int sj_retrieval_of(int64_t n, const int64_t *rank, const int64_t *total, struct sj_retrieval *m)
{
    double *normalised;
    int64_t hit[3] = {0};
    int status = start(n, m, &normalised);
    for (int64_t i = 0; i < n && !status; i++) {
        normalised[i] = (double)rank[i] / (double)total[i];
        hit[0] += rank[i] <= 1;
        hit[1] += rank[i] <= 5;
        hit[2] += rank[i] <= 10;
    }
    if (n && !status) {
        m->recall_1 = (double)hit[0] / (double)n;
        m->recall_5 = (double)hit[1] / (double)n;
        m->recall_10 = (double)hit[2] / (double)n;
        centre(n, normalised, m);
    }
    free(normalised);
    return status;
}

int sj_retrieval_expected(int64_t n, const int64_t *among, const int64_t *total, struct sj_retrieval *m)
{
    double *normalised;
    int status = start(n, m, &normalised);
    for (int64_t i = 0; i < n && !status; i++) {
        const double one = 1 / (double)among[i];
        normalised[i] = ((double)among[i] + 1) / 2 / (double)total[i];
        m->recall_1 += fmin(1, one) / (double)n;
        m->recall_5 += fmin(1, 5 * one) / (double)n;
        m->recall_10 += fmin(1, 10 * one) / (double)n;
    }
    if (n && !status)
        centre(n, normalised, m);
    free(normalised);
    return status;
}

/* -- all at once --------------------------------------------------------------------------------------------------- */
static int count_blocks(struct sj_scores *s, struct sj_ranks *r, int64_t n, int64_t d, int64_t block,
                        const float *reference)
{
    int64_t bad;
    for (int64_t j = 0; j < n; j += block) {
        int status = sj_scores_rows(s, n - j < block ? n - j : block, reference + j * d, &bad);
        if (status)
            return bad < 0 ? status : sj_fail(status, "reference %lld is not finite", (long long)(j + bad));
        sj_ranks_add(r, s, NULL, NULL);
    }
    return SJ_OK;
}

int sj_retrieval_metrics(struct sjk *k, int64_t n, int64_t d, const float *query, const float *reference, int64_t *rank,
                         struct sj_retrieval *m)
{
    const int64_t block = n < BLOCK ? n : BLOCK;
    struct sj_scores *s = NULL;
    struct sj_ranks *r = NULL;
    double *truth = malloc((size_t)n * sizeof *truth + 1);
    int64_t bad;
    int status = truth ? sj_scores_new(k, n, block, d, &s) : sj_fail(SJ_SYSTEM, "no memory");
    if (!status)
        status = sj_scores_queries(s, n, query, &bad);
    for (int64_t q = 0; q < n && !status; q++)
        truth[q] = sj_vector_distance(d, query + q * d, reference + q * d);
    if (!status)
        status = sj_ranks_new(n, truth, &r);
    if (!status)
        status = count_blocks(s, r, n, d, block, reference);
    if (!status)
        status = sj_retrieval_of(n, r->rank, r->total, m);
    if (!status && rank && n)
        memcpy(rank, r->rank, (size_t)n * sizeof *rank);
    sj_ranks_free(r);
    sj_scores_free(s);
    free(truth);
    return status;
}

enum sj_outcome sj_outcome_of(int same_class, int same_track)
{
    return same_class ? same_track ? SJ_BOTH_RIGHT : SJ_INSTRUMENT_RIGHT : same_track ? SJ_SONG_RIGHT : SJ_BOTH_WRONG;
}
