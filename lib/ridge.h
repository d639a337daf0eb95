/* ridge: the linear map with the least squared error under a penalty on its weights (Hoerl & Kennard 1970).
 *
 * Of n pairs x (p), y (q): z = (x - mean) / scale, each input by its own mean and standard deviation over the pairs (one
 * that does not vary: scale 1, weights 0); W (p,q) minimises  sum |y - offset - z W|^2 + ridge n |W|^2,  offset being the
 * mean of y. All in double.
 *
 * Leave-one-out error: each y predicted from the n - 1 other pairs, with the same scale and penalty ridge n:
 * residual / (1 - h), h = 1/n + z' (Z'Z + ridge n I)^-1 z (Allen 1974); squared, the mean over all values of all y. */
#ifndef SJ_RIDGE_H
#define SJ_RIDGE_H

#include <stdint.h>

#include "err.h"

enum { SJ_RIDGE_PAIRS = 2 }; /* the fewest that can be left out one by one */

/* The map, in memory of the caller, and how good it is. */
struct sj_ridge {
    double *mean, *scale; /* (p) */
    double *offset;       /* (q) */
    double *weight;       /* (p,q) */
    double ridge;         /* the penalty used */
    double error;         /* leave-one-out */
    double variance;      /* of y about its mean: the error of the offset alone, over all pairs */
};

/* Fits x (n,p) -> y (n,q), all finite, n at least SJ_RIDGE_PAIRS. ridge above 0, or 0: of 10^-6, 10^-5.5 ... 10^3 that
 * with the least leave-one-out error, the largest of equal ones. SJ_SYSTEM: no memory; SJ_INPUT: values too large to
 * be squared, or so nearly dependent that the penalty is too small for them. */
int sj_ridge_fit(int64_t n, int64_t p, int64_t q, const float *x, const float *y, double ridge, struct sj_ridge *r);

#endif
