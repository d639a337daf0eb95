/* scores: how near queries and references are, in blocks, with a bound on the error of every approximate score.
 *
 * Vectors x (d) are compared as in SPEC 8.1: layer-normalised without affine (eps 1e-5), then scaled to length 1; the
 * distance of two is Euclidean. For all but constant vectors that is
 *   x^ = (x - mean x) / |x - mean x|     distance^2 = 2 - 2 cosine
 * and a constant vector becomes 0, at distance 1 from the others.
 * Cosines of a whole block come from one matrix product in the fastest type of the back end (bf16 where it is native).
 * They decide what is certain; the rest is computed again in double precision from the f32 values, so that results are
 * exact: distances are whole numbers of 1 / SJ_DISTANCE_STEPS, and closer ones are equal. */
#ifndef SJ_SCORES_H
#define SJ_SCORES_H

#include <stdint.h>

#include "err.h"

#define SJ_DISTANCE_STEPS 1e9

struct sjk;
struct sj_scores;

/* Whether query q may find row j; NULL: always. Called by many threads. */
typedef int sj_admit(void *arg, int64_t q, int64_t j);

/* Room for `queries` times `rows` vectors of d values. `k` is borrowed and must outlive the result. SJ_SYSTEM,
 * SJ_DEVICE. */
int sj_scores_new(struct sjk *k, int64_t queries, int64_t rows, int64_t d, struct sj_scores **s);
void sj_scores_free(struct sj_scores *s); /* NULL is allowed */
/* Bytes that sj_scores_new allocates, for choosing `queries` and `rows`. */
double sj_scores_bytes(int64_t queries, int64_t rows, int64_t d);

/* Takes n queries f32 (n, d), borrowed until the next call; the rows are forgotten. SJ_INPUT with *bad = its index when
 * one holds a value that is not finite, *bad = -1 for other failures. */
int sj_scores_queries(struct sj_scores *s, int64_t n, const float *query, int64_t *bad);
/* Takes n references f32 (n, d), borrowed until the next call, and computes all scores with the queries. Errors as
 * above. */
int sj_scores_rows(struct sj_scores *s, int64_t n, const float *row, int64_t *bad);
int64_t sj_scores_query_count(const struct sj_scores *s);
int64_t sj_scores_row_count(const struct sj_scores *s);
int sj_scores_threads(const struct sj_scores *s);

/* The rest only reads: many threads may call it. */
/* The first row >= from that may be at `distance` or nearer to query q; the number of rows when there is none. */
int64_t sj_scores_next(const struct sj_scores *s, int64_t q, int64_t from, double distance);
/* Whether row j is certainly nearer to query q than `distance`. When 0: ask sj_scores_distance. */
int sj_scores_nearer(const struct sj_scores *s, int64_t q, int64_t j, double distance);
/* The distance of query q and row j. */
double sj_scores_distance(const struct sj_scores *s, int64_t q, int64_t j);

/* The same distance of any two vectors. */
double sj_vector_distance(int64_t d, const float *a, const float *b);

#endif
