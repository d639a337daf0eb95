#include "align.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fft.h"

int sj_curve_new(int64_t lags, struct sj_curve *c)
{
    *c = (struct sj_curve){.lags = lags};
    c->sum = calloc((size_t)(2 * lags + 1), sizeof *c->sum);
    c->frames = calloc((size_t)(2 * lags + 1), sizeof *c->frames);
    if (c->sum && c->frames)
        return SJ_OK;
    sj_curve_free(c);
    return sj_fail(SJ_SYSTEM, "no memory for %lld lags", (long long)lags);
}

void sj_curve_free(struct sj_curve *c)
{
    free(c->sum);
    free(c->frames);
    *c = (struct sj_curve){0};
}

int sj_align_remove(int64_t n, int64_t d, int64_t period, float *x)
{
    double *mean = malloc((size_t)d * sizeof *mean + 1);
    if (!mean)
        return sj_fail(SJ_SYSTEM, "no memory");
    for (int64_t first = 0; first < period && first < n; first++) {
        const double rows = (double)((n - first - 1) / period + 1);
        memset(mean, 0, (size_t)d * sizeof *mean);
        for (int64_t i = first; i < n; i += period)
            for (int64_t k = 0; k < d; k++)
                mean[k] += x[i * d + k] / rows;
        for (int64_t i = first; i < n; i += period)
            for (int64_t k = 0; k < d; k++)
                x[i * d + k] = (float)(x[i * d + k] - mean[k]);
    }
    free(mean);
    return SJ_OK;
}

void sj_align_unit(int64_t n, int64_t d, float *x)
{
    for (int64_t i = 0; i < n; i++) {
        float *row = x + i * d;
        double square = 0;
#pragma omp simd reduction(+ : square)
        for (int64_t k = 0; k < d; k++)
            square += (double)row[k] * row[k];
        const double scale = square > 0 ? 1 / sqrt(square) : 0;
        for (int64_t k = 0; k < d; k++)
            row[k] = (float)(scale * row[k]);
    }
}

/* How many i there are with 0 <= i < m and 0 <= i + j < n. */
static int64_t overlap(int64_t n, int64_t m, int64_t j)
{
    const int64_t first = j < 0 ? -j : 0, end = n - j < m ? n - j : m;
    return end > first ? end - first : 0;
}

int sj_align_curve(int64_t n, const float *z, int64_t m, const float *p, int64_t d, int threads, struct sj_curve *c)
{
    int status = sj_fft_correlate(n, z, m, p, d, c->lags, threads, c->sum);
    for (int64_t j = -c->lags; j <= c->lags; j++)
        c->frames[c->lags + j] = overlap(n, m, j);
    return status;
}

void sj_curve_add(struct sj_curve *all, const struct sj_curve *c)
{
    for (int64_t at = 0; at <= 2 * c->lags; at++) {
        all->sum[at] += c->sum[at];
        all->frames[at] += c->frames[at];
    }
}

double sj_curve_at(const struct sj_curve *c, int64_t lag)
{
    const int64_t at = c->lags + lag;
    return c->frames[at] ? c->sum[at] / (double)c->frames[at] : NAN;
}

/* Whether the value at a lag counts. */
static int counts(const struct sj_curve *c, int64_t lag, int64_t most)
{
    return lag >= -c->lags && lag <= c->lags && 2 * c->frames[c->lags + lag] >= most;
}

/* From the peak as far to one side as the curve does not rise again: the lag behind that, where it may not count. */
static int64_t foot(const struct sj_curve *c, int64_t lag, int step, int64_t most)
{
    while (counts(c, lag + step, most) && sj_curve_at(c, lag + step) <= sj_curve_at(c, lag))
        lag += step;
    return lag + step;
}

struct sj_peak sj_curve_peak(const struct sj_curve *c)
{
    struct sj_peak p = {.similarity = -INFINITY, .next_similarity = -INFINITY};
    int64_t most = 1;
    for (int64_t j = -c->lags; j <= c->lags; j++)
        most = c->frames[c->lags + j] > most ? c->frames[c->lags + j] : most;
    for (int64_t far = 0; far <= c->lags; far++)
        for (int side = 1; side >= -1; side -= 2)
            if (counts(c, side * far, most) && sj_curve_at(c, side * far) > p.similarity) {
                p.lag = side * far;
                p.similarity = sj_curve_at(c, p.lag);
            }
    const int64_t below = foot(c, p.lag, -1, most), above = foot(c, p.lag, 1, most);
    for (int64_t j = -c->lags; j <= c->lags; j++)
        if ((j <= below || j >= above) && counts(c, j, most) && sj_curve_at(c, j) > p.next_similarity) {
            p.has_next = 1;
            p.next_lag = j;
            p.next_similarity = sj_curve_at(c, j);
        }
    return p;
}
