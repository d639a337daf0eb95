/* Paired tests against their definitions: every pattern of signs counted, binomial coefficients added up. */
#include "paired.h"

#include <stdlib.h>

#include "rng.h"
#include "tests/tap.h"

enum { MOST = 12 };

static double magnitude_rank(int n, const double *d, int i)
{
    double below = 0, equal = 0;
    for (int k = 0; k < n; k++) {
        below += fabs(d[k]) < fabs(d[i]);
        equal += fabs(d[k]) == fabs(d[i]);
    }
    return below + (equal + 1) / 2;
}

/* p over all 2^n patterns of signs of the ranks of d (n), none of which is 0. */
static double counted_p(int n, const double *d, double *w)
{
    double rank[MOST], at_most = 0, at_least = 0;
    *w = 0;
    for (int i = 0; i < n; i++) {
        rank[i] = magnitude_rank(n, d, i);
        *w += d[i] > 0 ? rank[i] : 0;
    }
    for (unsigned signs = 0; signs < 1u << n; signs++) {
        double sum = 0;
        for (int i = 0; i < n; i++)
            sum += signs >> i & 1 ? rank[i] : 0;
        at_most += sum <= *w + 1e-9;
        at_least += sum >= *w - 1e-9;
    }
    return fmin(1, 2 * fmin(at_most, at_least) / (double)(1u << n));
}

static void test_wilcoxon_counted(void)
{
    struct sj_rng r = sj_rng(5, 1);
    int bad = 0, tied = 0;
    for (int round = 0; round < 300; round++) {
        double d[MOST + 3] = {0}, kept[MOST];
        const int n = 1 + (int)sj_rng_below(&r, MOST), range = round % 2 ? 4 : 1000;
        int m = 0;
        for (int i = 0; i < n; i++) {
            d[i] = (double)sj_rng_below(&r, (uint64_t)(2 * range + 1)) - range;
            if (fabs(d[i]) > 0)
                kept[m++] = d[i];
        }
        struct sj_wilcoxon got;
        double w = 0;
        const double want = m ? counted_p(m, kept, &w) : 1;
        bad += sj_wilcoxon(n + 3, d, &got) || got.n != m || fabs(got.p - want) > 1e-12 || fabs(got.w - w) > 1e-9;
        for (int i = 1; i < m; i++)
            tied += fabs(kept[i]) == fabs(kept[0]);
    }
    is_int(bad, 0, "Wilcoxon's p is that of all patterns of signs, equal differences and zeros among them");
    ok(tied > 50, "there were equal ones");
}

/* 1 .. n, the first `negative` of them negative: a textbook's table. */
static void test_wilcoxon_known(void)
{
    double d[60];
    struct sj_wilcoxon got;
    for (int i = 0; i < 60; i++)
        d[i] = i < 2 ? -1.0 - i : 1.0 + i;
    sj_wilcoxon(10, d, &got);
    is_near(got.w, 52, 0, "the sum of the positive ranks");
    is_near(got.p, 10 / 1024.0, 1e-12, "five sums of 1024 are at most 3, on either side"); /* {} {1} {2} {3} {1,2} */
    sj_wilcoxon(60, d, &got);
    const double z = (60.0 * 61 / 2 - 3 - 60.0 * 61 / 4 - 0.5) / sqrt(60.0 * 61 * 121 / 24);
    is_near(got.p / erfc(z / sqrt(2)), 1, 1e-12, "beyond 50 the normal approximation");
    for (int i = 0; i < 60; i++)
        d[i] = i < 20 ? -3 : 3;
    sj_wilcoxon(60, d, &got);
    const double tied = (40 * 30.5 - 60.0 * 61 / 4 - 0.5) / sqrt(60.0 * 61 * 121 / 24 - (216000.0 - 60) / 48);
    is_near(got.p / erfc(tied / sqrt(2)), 1, 1e-12, "with the correction for ties");
    for (int i = 0; i < 60; i++)
        d[i] = 0;
    ok(!sj_wilcoxon(60, d, &got) && got.n == 0 && got.p == 1, "nothing but zeros says nothing");
    ok(!sj_wilcoxon(0, d, &got) && got.p == 1, "nor does nothing");
}

static void test_sign(void)
{
    is_near(sj_sign_test(9, 1), 22 / 1024.0, 1e-12, "nine of ten signs");
    is_near(sj_sign_test(1, 9), 22 / 1024.0, 1e-12, "either way");
    is_near(sj_sign_test(5, 5), 1, 0, "as many of both");
    is_near(sj_sign_test(0, 0), 1, 0, "none");
    is_near(sj_sign_test(700, 300) / 1.766567800795e-37, 1, 1e-9, "many");
}

static void test_holm(void)
{
    double p[] = {0.01, 0.04, 0.03, 0.005}, one[] = {0.6, 0.9};
    sj_holm(4, p);
    is_near(p[3], 0.02, 1e-15, "the smallest by four");
    is_near(p[0], 0.03, 1e-15, "the next by three");
    is_near(p[2], 0.06, 1e-15, "the third by two");
    is_near(p[1], 0.06, 1e-15, "none below one that was smaller");
    sj_holm(2, one);
    is_near(one[0], 1, 0, "none above 1");
}

static void test_quantile(void)
{
    const double x[] = {1, 2, 4, 8};
    is_near(sj_quantile(4, x, 0.25), 1.75, 1e-15, "a quarter lies at place 0.75");
    is_near(sj_quantile(4, x, 0.5), 3, 1e-15, "the median between the middle ones");
    is_near(sj_quantile(4, x, 1), 8, 0, "the last");
    is_near(sj_quantile(1, x, 0.3), 1, 0, "the only one");
    ok(isnan(sj_quantile(0, x, 0.5)), "none of nothing");
}

int main(void)
{
    test_wilcoxon_counted();
    test_wilcoxon_known();
    test_sign();
    test_holm();
    test_quantile();
    return done();
}
