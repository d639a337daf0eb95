/* Exact search and ranks against a plain double-precision computation, on easy and on hard vectors. */
#include "knn.h"

#include <stdlib.h>

#include "metrics.h"
#include "rng.h"
#include "scores.h"
#include "sjk.h"
#include "tests/tap.h"

enum { QUERIES = 13, REFERENCES = 151, MOST = 333 };

enum kind { PLAIN, TIES, OFFSET, SMALL, LARGE, ALIKE, CONSTANT, KINDS };
static const char *const kind_name[] = {"random", "repeated and scaled", "far from 0", "tiny", "huge",
                                        "all alike", "some constant"};

static void make(enum kind kind, int64_t d, float *query, float *reference)
{
    struct sj_rng r = sj_rng(3, kind);
    sj_rng_normal(&r, query, (uint64_t)(QUERIES * d));
    sj_rng_normal(&r, reference, (uint64_t)(REFERENCES * d));
    float *all[] = {query, reference};
    const int64_t rows[] = {QUERIES, REFERENCES};
    for (int s = 0; s < 2; s++)
        for (int64_t i = 0; i < rows[s]; i++)
            for (int64_t j = 0; j < d; j++) {
                float *x = &all[s][i * d + j];
                if (kind == TIES && s == 1 && i >= REFERENCES / 3)
                    *x = 0.3f * (float)(i % 5 + 1) * reference[i % 7 * d + j];
                if (kind == TIES && s == 0 && i % 3 == 0)
                    *x = reference[i % 7 * d + j];
                if (kind == OFFSET)
                    *x += 1000;
                if (kind == SMALL || kind == LARGE)
                    *x *= kind == SMALL ? 1e-17f : 1e18f;
                if (kind == ALIKE)
                    *x = 1e-4f * *x + (float)sin((double)j);
                if (kind == CONSTANT && i % 5 == 2)
                    *x = (float)(i % 3);
            }
}

/* The definition (SPEC 8.1) of what is compared. */
static void normalise(int64_t d, const float *x, double *y)
{
    double mean = 0, variance = 0, length = 0;
    for (int64_t i = 0; i < d; i++)
        mean += x[i];
    mean /= (double)d;
    for (int64_t i = 0; i < d; i++)
        variance += (x[i] - mean) * (x[i] - mean) / (double)d;
    for (int64_t i = 0; i < d; i++) {
        y[i] = (x[i] - mean) / sqrt(variance + 1e-5);
        length += y[i] * y[i];
    }
    for (int64_t i = 0; i < d; i++)
        y[i] /= fmax(sqrt(length), 1e-12);
}

static double slow_distance(int64_t d, const float *a, const float *b)
{
    static double y[2][MOST];
    double sum = 0;
    normalise(d, a, y[0]);
    normalise(d, b, y[1]);
    for (int64_t i = 0; i < d; i++)
        sum += (y[0][i] - y[1][i]) * (y[0][i] - y[1][i]);
    return sqrt(sum);
}

static int even(void *arg, int64_t q, int64_t j)
{
    const int64_t *base = arg;
    return (*base + j + q) % 2 == 0;
}

struct found {
    struct sj_knn *knn;
    struct sj_ranks *ranks;
};

/* Searches in blocks of `block` references, some queries at a time being all of them. */
static int search(struct sjk *k, int64_t d, int64_t count, int64_t block, const float *query, const float *reference,
                  int filter, const double *truth, struct found *f)
{
    struct sj_scores *s = NULL;
    int64_t bad, index[REFERENCES];
    int status = sj_scores_new(k, QUERIES, block, d, &s);
    status = status ? status : sj_scores_queries(s, QUERIES, query, &bad);
    status = status ? status : sj_knn_new(QUERIES, count, &f->knn);
    status = status ? status : sj_ranks_new(QUERIES, truth, &f->ranks);
    for (int64_t j = 0; j < REFERENCES && !status; j += block) {
        int64_t n = REFERENCES - j < block ? REFERENCES - j : block;
        for (int64_t i = 0; i < n; i++)
            index[i] = j + i;
        status = sj_scores_rows(s, n, reference + j * d, &bad);
        if (status)
            break;
        sj_knn_add(f->knn, s, index, filter ? even : NULL, &j);
        sj_ranks_add(f->ranks, s, filter ? even : NULL, &j);
    }
    sj_scores_free(s);
    return status;
}

static void compare(struct sjk *k, enum kind kind, int64_t d, int64_t count, int64_t block, int filter)
{
    float *query = malloc((size_t)(QUERIES * d) * sizeof *query),
          *reference = malloc((size_t)(REFERENCES * d) * sizeof *reference);
    double (*want)[REFERENCES] = malloc(sizeof *want * QUERIES), truth[QUERIES], worst = 0;
    struct found f = {0};
    int64_t ranks = 0, lists = 0, totals = 0;
    make(kind, d, query, reference);
    for (int q = 0; q < QUERIES; q++) {
        for (int j = 0; j < REFERENCES; j++) /* the distance resolved as promised */
            want[q][j] =
                rint(slow_distance(d, query + q * d, reference + j * d) * SJ_DISTANCE_STEPS) / SJ_DISTANCE_STEPS;
        truth[q] = want[q][7 * q % REFERENCES];
    }
    int status = search(k, d, count, block, query, reference, filter, truth, &f);
    for (int q = 0; q < QUERIES && !status; q++) {
        const struct sj_neighbour *list;
        int64_t n = sj_knn_list(f.knn, q, &list), nearer = 0, total = 0, wrong = 0;
        for (int j = 0; j < REFERENCES; j++)
            if (!filter || (j + q) % 2 == 0) {
                total++;
                nearer += want[q][j] < truth[q];
            }
        wrong = n != (total < count ? total : count);
        for (int64_t i = 0; i < n && !wrong; i++) {
            int64_t before = 0, at = list[i].index;
            worst = fmax(worst, fabs(list[i].distance - want[q][at]));
            for (int j = 0; j < REFERENCES; j++)
                if (!filter || (j + q) % 2 == 0)
                    before += want[q][j] < want[q][at] || (want[q][j] <= want[q][at] && j < at);
            wrong = before != i;
        }
        lists += wrong;
        ranks += sj_ranks_rank(f.ranks)[q] != nearer + 1;
        totals += sj_ranks_total(f.ranks)[q] != total;
    }
    ok(!status && !lists && !ranks && !totals && worst < 2e-9,
       "%s, d %d, k %d, blocks of %d%s: %d lists, %d ranks, %d totals off, distance within %.1g%s", kind_name[kind],
       (int)d, (int)count, (int)block, filter ? ", filtered" : "", (int)lists, (int)ranks, (int)totals, worst,
       status ? sj_reason() : "");
    sj_knn_free(f.knn);
    sj_ranks_free(f.ranks);
    free(want);
    free(query);
    free(reference);
}

static void refusals(struct sjk *k)
{
    struct sj_scores *s = NULL;
    float query[2 * 40], reference[3 * 40];
    int64_t bad = 0;
    for (int i = 0; i < 120; i++) {
        reference[i] = (float)(i * i % 17);
        query[i % 80] = (float)(i * i % 13);
    }
    if (!ok(!sj_scores_new(k, 2, 3, 40, &s), "scores are made"))
        return;
    query[79] = NAN;
    ok(sj_scores_queries(s, 2, query, &bad) == SJ_INPUT && bad == 1, "a query with NaN is refused and named");
    query[79] = 0;
    ok(!sj_scores_queries(s, 2, query, &bad), "a finite one is taken");
    reference[119] = INFINITY;
    ok(sj_scores_rows(s, 3, reference, &bad) == SJ_INPUT && bad == 2, "a reference with infinity is refused and named");
    reference[119] = 3.4e38f;
    ok(!sj_scores_rows(s, 3, reference, &bad), "the largest float is taken");
    is_near(sj_scores_distance(s, 0, 2), slow_distance(40, query, reference + 80), 1e-9, "and compared exactly");
    sj_scores_free(s);
}

/* knn [BACKEND] */
int main(int argc, char **argv)
{
    const char *const back_ends[] = {argc > 1 ? argv[1] : "cpu:reference", "cpu"};
    for (int b = 0; b < 2; b++) {
        struct sjk *k = NULL;
        char why[256];
        if (!ok(!sjk_open(back_ends[b], 2, &k, why, sizeof why), "back end %s", back_ends[b]))
            continue;
        for (int kind = 0; kind < KINDS; kind++) {
            compare(k, (enum kind)kind, 40, 10, 64, 0);
            compare(k, (enum kind)kind, MOST, 3, REFERENCES, kind % 2);
        }
        compare(k, PLAIN, 1, 5, 100, 0);
        compare(k, PLAIN, 7, 400, 17, 0);
        compare(k, TIES, 65, 200, 1, 1);
        refusals(k);
        sjk_close(k);
    }
    return done();
}
