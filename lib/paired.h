/* paired: tests of paired differences, and quantiles. */
#ifndef SJ_PAIRED_H
#define SJ_PAIRED_H

#include <stdint.h>

#include "err.h"

enum { SJ_WILCOXON_EXACT = 50 }; /* differences up to which the distribution is counted out */

/* Wilcoxon's signed-rank test, two-sided. */
struct sj_wilcoxon {
    int64_t n; /* differences other than 0: those that are 0 do not count */
    double w;  /* sum of the ranks of the positive ones by magnitude; equal ones share the mean of their ranks */
    double p;  /* up to SJ_WILCOXON_EXACT: exact, given the ranks; beyond: normal, corrected for ties and continuity */
};
int sj_wilcoxon(int64_t n, const double *difference, struct sj_wilcoxon *out);

/* The sign test, two-sided: p of so many positive and negative signs when both are equally likely. */
double sj_sign_test(int64_t positive, int64_t negative);

/* p (n) -> adjusted for n tests by Holm's method (1979). n at most 64. */
void sj_holm(int n, double *p);

/* The q-quantile (0 to 1) of n ascending values: linear between the two next to place q (n - 1). NaN for n = 0. */
double sj_quantile(int64_t n, const double *ascending, double q);

void sj_sort_reals(int64_t n, double *x);

#endif
