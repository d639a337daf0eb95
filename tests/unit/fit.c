/* fit against the definition, over stems of many lengths, several products long. */
#include "fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "rng.h"
#include "sjk.h"

enum { D = 96, MIX = 1200, STEMS = 7, LONG = 5000 };

static float *noise(uint64_t seed, int64_t n, int64_t d)
{
    struct sj_rng r = sj_rng(seed, 1);
    float *x = malloc((size_t)(n * d) * sizeof *x);
    for (int64_t i = 0; i < n * d; i++)
        x[i] = (float)(2 * sj_rng_double(&r) - 0.7); /* with a mean to take away */
    return x;
}

/* In double: mean away, length 1. */
static double *unit(int64_t n, int64_t d, const float *x)
{
    double *u = malloc((size_t)(n * d) * sizeof *u);
    for (int64_t k = 0; k < d; k++) {
        double mean = 0;
        for (int64_t i = 0; i < n; i++)
            mean += x[i * d + k] / (double)n;
        for (int64_t i = 0; i < n; i++)
            u[i * d + k] = x[i * d + k] - mean;
    }
    for (int64_t i = 0; i < n; i++) {
        double square = 0;
        for (int64_t k = 0; k < d; k++)
            square += u[i * d + k] * u[i * d + k];
        for (int64_t k = 0; k < d; k++)
            u[i * d + k] = square > 1e-20 ? u[i * d + k] / sqrt(square) : 0;
    }
    return u;
}

static double similarity(int64_t n, const double *z, int64_t m, const double *p, int64_t d, int64_t lag)
{
    double sum = 0;
    for (int64_t i = 0; i < m; i++)
        for (int64_t k = 0; i + lag >= 0 && i + lag < n && k < d; k++)
            sum += z[(i + lag) * d + k] * p[i * d + k];
    return sum / (double)(n < m ? n : m);
}

/* One mix of m frames against stems of all lengths at once. */
static void compare(struct sjk *k, int64_t m, int64_t lags, int threads)
{
    static const int64_t length[STEMS] = {1, 2, 40, 187, LONG, 311, 3};
    float *p = noise(5, m, D);
    double *up = unit(m, D, p), worst = 0;
    struct sj_fit_stem stem[STEMS];
    float *copy[STEMS];
    struct sj_fit *f;
    int found = 1;
    for (int s = 0; s < STEMS; s++) {
        stem[s] = (struct sj_fit_stem){length[s], noise(100 + (uint64_t)s, length[s], D), 0, 0};
        const int64_t at = 7 * s, count = length[s] - at < m ? length[s] - at : m; /* the mix begins here in the stem */
        for (int64_t i = 0; i < count * D && s % 2; i++)
            stem[s].frames[at * D + i] += p[i];
        copy[s] = malloc((size_t)(length[s] * D) * sizeof **copy);
        memcpy(copy[s], stem[s].frames, (size_t)(length[s] * D) * sizeof **copy);
    }
    ok(!sj_fit_new(k, m, D, p, lags, &f), "%d frames, lags to %d", (int)m, (int)lags);
    ok(!sj_fit_run(f, STEMS, stem, threads), "compared by %d threads", threads);
    for (int s = 0; s < STEMS; s++) {
        double *u = unit(length[s], D, copy[s]), best = -INFINITY;
        for (int64_t lag = -lags; lag <= lags && (lags < 100 || lag % 50 == 0); lag++)
            best = fmax(best, similarity(length[s], u, m, up, D, lag));
        worst = fmax(worst, fabs(similarity(length[s], u, m, up, D, stem[s].lag) - stem[s].similarity));
        found &= stem[s].similarity > best - 1e-5 && stem[s].lag >= -lags && stem[s].lag <= lags;
        if (s % 2 && length[s] > 100 && 7 * s <= lags)
            found &= stem[s].lag == 7 * s;
        free(u);
        free(copy[s]);
        free(stem[s].frames);
    }
    ok(worst < 1e-5, "similarities as defined, to %.1e", worst);
    ok(found, "and none is larger, nor elsewhere where it is known");
    sj_fit_free(f);
    free(p);
    free(up);
}

int main(void)
{
    char why[256];
    struct sjk *k;
    struct sj_fit *f;
    if (sjk_open("cpu", 2, &k, why, sizeof why))
        return 1;
    compare(k, MIX, 200, 2);
    compare(k, MIX, 3, 1);
    compare(k, 1, 0, 1);
    compare(k, 61, 30, 2);

    float p[2 * D] = {0}, z[2 * D] = {0}; /* nothing is like nothing: the least shift */
    struct sj_fit_stem silent = {2, z, 9, 9};
    is_int(sj_fit_new(k, 2, D, p, 1, &f), 0, "silence");
    is_int(sj_fit_run(f, 1, &silent, 1), 0, "in silence");
    ok(silent.lag == 0 && silent.similarity == 0, "fits anywhere, and not at all");
    is_int(sj_fit_run(f, 0, NULL, 1), 0, "no stems");
    sj_fit_free(f);
    sj_fit_free(NULL);
    sjk_close(k);
    return done();
}
