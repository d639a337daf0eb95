#include "paired.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void sj_sort_reals(int64_t n, double *x)
{
    qsort(x, (size_t)n, sizeof *x, by_value);
}

double sj_quantile(int64_t n, const double *x, double q)
{
    if (n < 1)
        return NAN;
    const double at = q * (double)(n - 1);
    const int64_t i = (int64_t)floor(at);
    return i + 1 < n ? x[i] + (at - (double)i) * (x[i + 1] - x[i]) : x[n - 1];
}

/* -- Wilcoxon ------------------------------------------------------------------------------------------------------ */

static int by_magnitude(const void *a, const void *b)
{
    const double x = fabs(*(const double *)a), y = fabs(*(const double *)b);
    return (x > y) - (x < y);
}

/* Twice the ranks of d (n), ascending by magnitude: whole numbers. Returns the sum of t^3 - t over the groups of t
 * equal ones. */
static double rank_twice(int64_t n, const double *d, int64_t *rank)
{
    double ties = 0;
    for (int64_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && fabs(d[end]) <= fabs(d[i]);)
            end++;
        for (int64_t k = i; k < end; k++)
            rank[k] = i + 1 + end;
        const double t = (double)(end - i);
        ties += t * t * t - t;
    }
    return ties;
}

/* The chance of a sum of twice the ranks up to w, and from w on, when every sign is a coin's. Adds one rank after the
 * other to the distribution of the sum. */
static int count_out(int64_t n, const int64_t *rank, int64_t w, double *below, double *above)
{
    const int64_t most = n * (n + 1);
    double *p = calloc((size_t)most + 1, sizeof *p);
    if (!p)
        return sj_fail(SJ_SYSTEM, "no memory");
    p[0] = 1;
    for (int64_t i = 0; i < n; i++)
        for (int64_t s = most; s >= 0; s--)
            p[s] = 0.5 * (p[s] + (s >= rank[i] ? p[s - rank[i]] : 0));
    *below = *above = 0;
    for (int64_t s = 0; s <= most; s++) {
        *below += s <= w ? p[s] : 0;
        *above += s >= w ? p[s] : 0;
    }
    free(p);
    return SJ_OK;
}

static double normal_p(double n, double w, double ties)
{
    const double mean = n * (n + 1) / 4, variance = n * (n + 1) * (2 * n + 1) / 24 - ties / 48;
    const double z = fmax(0, fabs(w - mean) - 0.5) / sqrt(variance);
    return erfc(z / sqrt(2));
}

int sj_wilcoxon(int64_t n, const double *difference, struct sj_wilcoxon *out)
{
    double *d = malloc((size_t)(n + 1) * sizeof *d), below = 0, above = 0;
    int64_t *rank = malloc((size_t)(n + 1) * sizeof *rank), w = 0, m = 0;
    int status = d && rank ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for %lld differences", (long long)n);
    for (int64_t i = 0; i < n && !status; i++)
        if (fabs(difference[i]) > 0)
            d[m++] = difference[i];
    *out = (struct sj_wilcoxon){.n = m, .p = 1};
    if (!status && m) {
        qsort(d, (size_t)m, sizeof *d, by_magnitude);
        const double ties = rank_twice(m, d, rank);
        for (int64_t i = 0; i < m; i++)
            w += d[i] > 0 ? rank[i] : 0;
        out->w = (double)w / 2;
        if (m > SJ_WILCOXON_EXACT)
            out->p = normal_p((double)m, out->w, ties);
        else if (!(status = count_out(m, rank, w, &below, &above)))
            out->p = fmin(1, 2 * fmin(below, above));
    }
    free(rank);
    free(d);
    return status;
}

/* -- others -------------------------------------------------------------------------------------------------------- */

double sj_sign_test(int64_t positive, int64_t negative)
{
    const double n = (double)(positive + negative);
    const int64_t few = positive < negative ? positive : negative;
    double p = 0;
    for (int64_t k = 0; k <= few; k++)
        p += exp(lgamma(n + 1) - lgamma((double)k + 1) - lgamma(n - (double)k + 1) - n * log(2));
    return fmin(1, 2 * p);
}

void sj_holm(int n, double *p)
{
    int order[64];
    double most = 0;
    for (int i = 0; i < n; i++) {
        int at = i;
        for (; at > 0 && p[order[at - 1]] > p[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    for (int i = 0; i < n; i++)
        p[order[i]] = most = fmax(most, fmin(1, (n - i) * p[order[i]]));
}
