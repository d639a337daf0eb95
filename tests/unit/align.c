/* Curves against their definition in double precision, for lengths that suit no transform; peaks of known curves; the
 * random level of frames that say whose they are. */
#include "align.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fft.h"
#include "level.h"
#include "rng.h"
#include "tests/tap.h"

static float *make(int64_t n, int64_t d, uint64_t stream)
{
    struct sj_rng r = sj_rng(11, stream);
    float *x = malloc((size_t)(n * d) * sizeof *x);
    sj_rng_normal(&r, x, (uint64_t)(n * d));
    for (int64_t i = 0; i < n * d; i++)
        x[i] += 0.7f; /* what all frames have in common: the curve keeps it */
    return x;
}

/* s(j) of SPEC 8.4, as it is written; NaN where no frame has a partner. */
static double direct(int64_t n, const float *z, int64_t m, const float *p, int64_t d, int64_t j)
{
    double sum = 0, count = 0;
    for (int64_t i = 0; i < m; i++) {
        double dot = 0, a = 0, b = 0;
        if (i + j < 0 || i + j >= n)
            continue;
        for (int64_t k = 0; k < d; k++) {
            const double x = z[(i + j) * d + k], y = p[i * d + k];
            dot += x * y;
            a += x * x;
            b += y * y;
        }
        sum += a > 0 && b > 0 ? dot / sqrt(a * b) : 0;
        count++;
    }
    return count > 0 ? sum / count : NAN;
}

static const struct {
    int64_t n, m, d, lags;
} sizes[] = {{1, 1, 1, 0},      {1, 1, 3, 5},       {2, 1, 7, 3},     {1, 37, 5, 40},   {50, 50, 16, 50},
             {97, 101, 33, 20}, {101, 97, 480, 200}, {257, 31, 17, 64}, {31, 257, 96, 300}, {1501, 1499, 40, 200}};

static double worst_of(size_t i, int threads)
{
    const int64_t n = sizes[i].n, m = sizes[i].m, d = sizes[i].d, lags = sizes[i].lags;
    float *z = make(n, d, 2 * i), *p = make(m, d, 2 * i + 1), *y = malloc((size_t)(n * d) * sizeof *y);
    struct sj_curve c;
    double worst = 0;
    memcpy(y, z, (size_t)(n * d) * sizeof *y);
    if (n > 20) {
        memset(z + 13 * d, 0, (size_t)d * sizeof *z); /* a frame without a direction */
        memcpy(y, z, (size_t)(n * d) * sizeof *y);
    }
    float *q = malloc((size_t)(m * d) * sizeof *q);
    memcpy(q, p, (size_t)(m * d) * sizeof *q);
    sj_align_unit(n, d, y);
    sj_align_unit(m, d, q);
    if (sj_curve_new(lags, &c) || sj_align_curve(n, y, m, q, d, threads, &c))
        worst = INFINITY;
    for (int64_t j = -lags; j <= lags && worst < INFINITY; j++) {
        const double want = direct(n, z, m, p, d, j), got = sj_curve_at(&c, j);
        if (isnan(want) != isnan(got))
            worst = INFINITY;
        else if (!isnan(want) && fabs(want - got) > worst)
            worst = fabs(want - got);
    }
    sj_curve_free(&c);
    free(z);
    free(p);
    free(q);
    free(y);
    return worst;
}

static void test_definition(void)
{
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const double worst = worst_of(i, 1 + (int)(i % 3));
        ok(worst < 1e-6, "%lld and %lld frames of %lld values, %lld lags: %.1e from the definition",
           (long long)sizes[i].n, (long long)sizes[i].m, (long long)sizes[i].d, (long long)sizes[i].lags, worst);
    }
}

static void test_threads(void)
{
    enum { N = 83, M = 61, D = 130, LAGS = 90 };
    float *z = make(N, D, 1), *p = make(M, D, 2);
    double one[2 * LAGS + 1], three[2 * LAGS + 1];
    ok(!sj_fft_correlate(N, z, M, p, D, LAGS, 1, one) && !sj_fft_correlate(N, z, M, p, D, LAGS, 3, three)
           && !memcmp(one, three, sizeof one),
       "the same for any number of threads");
    free(z);
    free(p);
}

/* A pattern that comes again with every chunk is gone; what is added to one frame only is almost whole. */
static void test_remove(void)
{
    enum { N = 53, D = 3, PERIOD = 7 };
    float x[N * D], y[N * D];
    int right = 1;
    for (int64_t period = 1; period <= PERIOD; period += PERIOD - 1) {
        for (int i = 0; i < N * D; i++)
            x[i] = y[i] = (float)(i / D % period * 5 + i % D * 11);
        y[30 * D] += 1;
        right = right && !sj_align_remove(N, D, period, x) && !sj_align_remove(N, D, period, y);
        for (int i = 0; i < N * D; i++)
            right = right && fabsf(x[i]) < 1e-5f;
        const float rows = period == 1 ? N : 8; /* 2, 9 ... 51 */
        right = right && fabsf(y[30 * D] - (1 - 1 / rows)) < 1e-5f && fabsf(y[30 * D + 1]) < 1e-5f;
        right = right && fabsf(y[(30 - PERIOD) * D] + 1 / rows) < 1e-5f;
    }
    ok(right, "what frames have in common, at all places or at the same, can be taken away");
}

/* A stem that follows its prediction with a delay. */
static void test_delay(void)
{
    enum { N = 120, D = 24, LAGS = 60 };
    float *all = make(2 * N, D, 3), *p = malloc(N * D * sizeof *p);
    struct sj_curve c;
    int right = 1;
    sj_align_unit(2 * N, D, all);
    memcpy(p, all + 50 * D, N * D * sizeof *p);
    sj_curve_new(LAGS, &c);
    for (int64_t delay = -50; delay <= 50; delay += 25) {
        right = right && !sj_align_curve(N, all + (50 - delay) * D, N, p, D, 1, &c);
        right = right && sj_curve_peak(&c).lag == delay && fabs(sj_curve_peak(&c).similarity - 1) < 1e-6;
    }
    ok(right, "a late stem has a positive offset, an early one a negative");
    sj_curve_free(&c);
    free(all);
    free(p);
}

static void set(struct sj_curve *c, const double *value, const int64_t *frames)
{
    for (int64_t i = 0; i <= 2 * c->lags; i++) {
        c->frames[i] = frames ? frames[i] : 10;
        c->sum[i] = value[i] * (double)c->frames[i];
    }
}

static int peak_is(const struct sj_curve *c, int64_t lag, int has_next, int64_t next)
{
    const struct sj_peak p = sj_curve_peak(c);
    return p.lag == lag && p.has_next == has_next && (!next || p.next_lag == next);
}

static void test_peaks(void)
{
    struct sj_curve c;
    sj_curve_new(4, &c);
    set(&c, (double[]){.1, .2, .5, .4, .3, .35, .3, .2, .45}, NULL);
    ok(peak_is(&c, -2, 1, 4), "the next maximum is beyond the foot of the peak, not on its slope; ends count");
    set(&c, (double[]){.1, .2, .5, .6, .7, .6, .5, .4, .3}, NULL);
    ok(peak_is(&c, 0, 0, 0), "a curve may have one maximum only");
    set(&c, (double[]){.1, .7, .1, .7, .1, .1, .7, .1, .7}, NULL);
    ok(peak_is(&c, -1, 1, -3), "of equal ones the least shift");
    set(&c, (double[]){.9, .2, .3, .1, .1, .1, .2, .1, .8}, (const int64_t[]){4, 6, 8, 9, 9, 9, 8, 5, 4});
    ok(peak_is(&c, -2, 1, 2), "few frames do not count");
    struct sj_curve other;
    sj_curve_new(4, &other);
    set(&other, (double[]){0, 0, 0, 0, 0, 0, 1, 0, 0}, (const int64_t[]){30, 30, 30, 30, 30, 30, 30, 30, 30});
    sj_curve_add(&other, &c);
    ok(fabs(sj_curve_at(&other, 2) - (30 + .2 * 8) / 38) < 1e-12 && other.frames[0] == 34, "curves add up by frames");
    sj_curve_free(&c);
    sj_curve_free(&other);
}

/* Frames of track t are the unit vector t: the cosine of frames of different tracks is 0, of the same 1. */
static void test_level(void)
{
    enum { TRACKS = 5, D = 8, ROWS = 40 };
    float value[ROWS * D];
    struct sj_level *l = NULL, *again = NULL, *one = NULL;
    int64_t pairs = 0, same = 0;
    int status = sj_level_new(300, 1, &l) || sj_level_new(300, 1, &again) || sj_level_new(300, 1, &one);
    for (int t = 0; t < TRACKS && !status; t++) {
        char key[2][32];
        struct sj_sequence s[2];
        memset(value, 0, sizeof value);
        for (int i = 0; i < ROWS; i++) {
            value[i * D + t] = 0.6f;
            value[i * D + D - 1] = 0.8f; /* 0.64 in common */
        }
        for (int k = 0; k < 2; k++) {
            snprintf(key[k], sizeof key[k], "song %d/%s", t, k ? "bass" : "drums");
            s[k] = (struct sj_sequence){.key = key[k], .rows = ROWS, .d = D, .value = value};
        }
        status = sj_level_add(l, &s[0], &s[1]) || sj_level_add(again, &s[0], &s[1]);
        if (!t && !status)
            status = sj_level_add(one, &s[0], &s[1]);
    }
    const double level = sj_level_mean(l, &pairs);
    ok(!status && pairs == 300 && fabs(level - 0.64) < 1e-6, "random frames are of different tracks");
    ok(sj_level_mean(again, &same) == level && same == pairs, "the same for the same seed");
    ok(isnan(sj_level_mean(one, &pairs)) && !pairs, "one track has no level");
    sj_level_free(l);
    sj_level_free(again);
    sj_level_free(one);
}

int main(void)
{
    test_definition();
    test_threads();
    test_remove();
    test_delay();
    test_peaks();
    test_level();
    return done();
}
