/* probe_metrics: how well scores and estimates agree with the truth (SPEC 8.6). Where a measure has no value, the value
 * is NaN.
 *
 * Dims: N examples, C outputs (classes, tags or columns). */
#ifndef SJ_PROBE_METRICS_H
#define SJ_PROBE_METRICS_H

#include <stdint.h>

#include "err.h"

/* The class of the greatest of C scores; of equal ones the first. */
int sj_best_class(int64_t C, const float *score);

/* Scores of one tag: score of example i at score[i * stride], truth (1 or 0) at truth[i * stride]; scores are finite.
 *
 * auc: the area under the receiver operating characteristic, which is the share of all pairs of a positive and a
 * negative example in which the positive one scores higher, ties counting half. NaN without positives or negatives.
 * ap: average precision, sum over the distinct scores, descending, of (R_n - R_{n-1}) P_n, where P_n and R_n are
 * precision and recall of all examples that score so high. NaN without positives.
 * Both are scikit-learn's, but that it gives an average precision of 0 without positives. SJ_SYSTEM: no memory. */
int sj_tag_measures(int64_t N, const float *score, const float *truth, int64_t stride, double *auc, double *ap);

/* 1 - sum (y - f)^2 / sum (y - mean y)^2 of value y against estimate f, with strides as above. All y equal: 1 where
 * every estimate is right, else 0, as scikit-learn. NaN for N = 0. */
double sj_r2(int64_t N, const float *estimate, const float *truth, int64_t stride);
/* sqrt(mean (y - f)^2). NaN for N = 0. */
double sj_rms_error(int64_t N, const float *estimate, const float *truth, int64_t stride);

/* The mean of the values that are not NaN, and how many those are; NaN when there are none. */
double sj_mean_defined(int64_t n, const double *value, int64_t *defined);

#endif
