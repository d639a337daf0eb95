/* nearest: which of K centroids is nearest to each of many vectors, by Euclidean distance, exactly.
 *
 * Inner products of a whole block come from one matrix product on the back end in f32. They decide, within a bound on
 * their error, what cannot be nearest; the rest is computed from the values in double precision, in one order. So the
 * result depends neither on the back end, nor on threads or blocks. Dims: N rows of a block, K centroids, D values. */
#ifndef SJ_NEAREST_H
#define SJ_NEAREST_H

#include <stdint.h>

#include "err.h"

struct sjk;
struct sj_nearest;

/* Room for blocks of `rows` vectors and for `centroids` centroids. k is borrowed. SJ_SYSTEM, SJ_DEVICE. */
int sj_nearest_new(struct sjk *k, int64_t rows, int64_t centroids, int64_t d, struct sj_nearest **s);
void sj_nearest_free(struct sj_nearest *s); /* NULL is allowed */

/* Takes n >= 1 centroids f32 (n, D), borrowed until the next call. */
int sj_nearest_centroids(struct sj_nearest *s, int64_t n, const float *centroid);

/* For each of n rows x f32 (n, D), all finite: cluster (n) = the nearest centroid, of equally near ones the first;
 * square (n) = its squared distance. */
int sj_nearest_find(struct sj_nearest *s, int64_t n, const float *x, int32_t *cluster, double *square);

/* For each centroid j and row i: out[j * stride + i] = the smaller of limit[i] and their squared distance. */
int sj_nearest_closer(struct sj_nearest *s, int64_t n, const float *x, const double *limit, double *out,
                      int64_t stride);

/* The squared Euclidean distance of a and b (d). */
double sj_square_distance(int64_t d, const float *a, const float *b);

#endif
