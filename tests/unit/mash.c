/* Harmony, balance and features by their definitions, with plain loops in double precision. */
#include "mash.h"

#include <stdlib.h>
#include <string.h>

#include "fft.h"
#include "rng.h"
#include "tests/tap.h"

enum { P = SJ_MASH_PITCHES, E = SJ_MASH_BANDS, MOST = 300 };

static void make(uint64_t seed, int64_t beats, double length_s, struct sj_mash_track *t)
{
    struct sj_rng r = sj_rng(7, seed);
    *t = (struct sj_mash_track){.beats = beats, .length_s = length_s};
    t->chroma = malloc((size_t)(P * beats) * sizeof *t->chroma);
    t->energy = malloc((size_t)(E * beats) * sizeof *t->energy);
    sj_rng_normal(&r, t->chroma, (uint64_t)(P * beats));
    sj_rng_normal(&r, t->energy, (uint64_t)(E * beats));
    for (int64_t i = 0; i < P * beats; i++)
        t->chroma[i] = fabsf(t->chroma[i]) * (i % 5 == 3 ? 0 : 40);
    for (int64_t i = 0; i < E * beats; i++)
        t->energy[i] = i % beats % 7 == 2 ? 0 : expf(4 * t->energy[i]); /* beats of silence among them */
}

static double norm(const struct sj_mash_track *t)
{
    double sum = 0;
    for (int64_t i = 0; i < P * t->beats; i++)
        sum += (double)t->chroma[i] * (double)t->chroma[i];
    return sqrt(sum);
}

/* The definition of h. */
static double harmony(const struct sj_mash_track *x, const struct sj_mash_track *y, int64_t r, int64_t k)
{
    const int64_t length = x->beats > y->beats ? x->beats : y->beats;
    double sum = 0;
    for (int64_t p = 0; p < P; p++)
        for (int64_t b = 0; b < x->beats; b++) {
            const int64_t there = (b + k) % length;
            if (there < y->beats)
                sum += (double)x->chroma[p * x->beats + b] * (double)y->chroma[(p + r) % P * y->beats + there];
        }
    const double both = norm(x) * norm(y);
    return both > 0 ? sum / both : 0;
}

/* The definition of l. */
static double balance(const struct sj_mash_track *x, const struct sj_mash_track *y, int64_t k)
{
    const int64_t length = x->beats > y->beats ? x->beats : y->beats;
    double mean[E] = {0}, average = 0, variance = 0, heard = 0;
    for (int64_t b = 0; b < x->beats; b++) {
        const int64_t there = (b + k) % length;
        double e[E], sum = 0;
        for (int i = 0; i < E; i++) {
            e[i] = (double)x->energy[i * x->beats + b];
            e[i] += there < y->beats ? (double)y->energy[i * y->beats + there] : 0;
            sum += e[i];
        }
        for (int i = 0; i < E && sum > 0; i++)
            mean[i] += e[i] / sum;
        heard += sum > 0;
    }
    if (heard <= 0)
        return 0;
    for (int i = 0; i < E; i++)
        average += mean[i] / heard / E;
    for (int i = 0; i < E; i++)
        variance += (mean[i] / heard - average) * (mean[i] / heard - average) / E;
    return 1 - sqrt(variance);
}

static double score(const struct sj_mash_track *x, const struct sj_mash_track *y, int shifts)
{
    const int64_t length = x->beats > y->beats ? x->beats : y->beats;
    double best = 0;
    for (int64_t k = 0; k < length; k++)
        for (int64_t r = 0; r < P; r++)
            if (r <= shifts || r >= P - shifts)
                best = fmax(best, harmony(x, y, r, k) + SJ_MASH_BALANCE * balance(x, y, k));
    return best;
}

static float *transform(struct sj_mash *m, const struct sj_mash_track *t)
{
    float *f = malloc((size_t)sj_mash_transform_size(m) * sizeof *f);
    sj_mash_transform(m, t, f);
    return f;
}

/* Both at all offsets and shifts, and the score, for tracks of these lengths in beats. */
static void compare(struct sj_mash *m, int64_t bx, int64_t by)
{
    struct sj_mash_track x, y;
    make(1, bx, 10, &x);
    make(2, by, 10, &y);
    const int64_t length = bx > by ? bx : by;
    float *fx = transform(m, &x), *fy = transform(m, &y), *h = malloc((size_t)(P * length) * sizeof *h);
    double off_h = 0, off_l = 0, off_score = 0;
    sj_mash_harmony(m, &x, fx, &y, fy, h);
    for (int64_t k = 0; k < length; k++) {
        for (int64_t r = 0; r < P; r++)
            off_h = fmax(off_h, fabs((double)h[r * length + k] - harmony(&x, &y, r, k)));
        off_l = fmax(off_l, fabs((double)sj_mash_balance(m, &x, &y, k) - balance(&x, &y, k)));
    }
    for (int shifts = 0; shifts <= SJ_MASH_SHIFTS && length < 60; shifts++)
        off_score = fmax(off_score, fabs(sj_mash_score(m, &x, fx, &y, fy, shifts) - score(&x, &y, shifts)));
    ok(off_h < 1e-5 && off_l < 1e-5 && off_score < 1e-5, "%d beats against %d: off by %.1g, %.1g and %.1g", (int)bx,
       (int)by, off_h, off_l, off_score);
    sj_mash_track_free(&x);
    sj_mash_track_free(&y);
    free(fx);
    free(fy);
    free(h);
}

static void test_scores(void)
{
    static const int64_t beats[][2] = {{1, 1}, {1, 2}, {2, 1}, {13, 13}, {13, 14}, {14, 13}, {7, 31}, {31, 7},
                                       {37, 53}, {MOST, MOST - 1}, {101, MOST}, {MOST, 1}};
    struct sj_mash *m = NULL;
    ok(!sj_mash_new(MOST, &m), "room for %d beats", MOST);
    for (size_t i = 0; i < sizeof beats / sizeof *beats; i++)
        compare(m, beats[i][0], beats[i][1]);
    sj_mash_free(m);
    ok(!sj_mash_new(1, &m), "room for one beat");
    compare(m, 1, 1);
    sj_mash_free(m);
}

static void test_limits(void)
{
    struct sj_mash *m = NULL;
    struct sj_mash_track x, y;
    ok(!sj_mash_new(20, &m), "room for 20 beats");
    make(1, 8, 4, &x);
    make(1, 8, 4, &y);
    float *fx = transform(m, &x), *fy = transform(m, &y);
    is_near(sj_mash_score(m, &x, fx, &y, fy, 0), 1 + SJ_MASH_BALANCE * balance(&x, &y, 0), 1e-5, "a track and itself");
    y.length_s = 3.99;
    is_near(sj_mash_score(m, &x, fx, &y, fy, 6), -1, 0, "a candidate shorter than the query");
    y.length_s = x.length_s = 2.99;
    is_near(sj_mash_score(m, &x, fx, &y, fy, 6), -1, 0, "one shorter than 3 s");
    y.length_s = x.length_s = 3;
    ok(sj_mash_score(m, &x, fx, &y, fy, 6) > 1, "one of 3 s");
    memset(y.chroma, 0, (size_t)(P * y.beats) * sizeof *y.chroma);
    memset(y.energy, 0, (size_t)(E * y.beats) * sizeof *y.energy);
    sj_mash_transform(m, &y, fy);
    is_near(sj_mash_score(m, &x, fx, &y, fy, 6), SJ_MASH_BALANCE * balance(&x, &y, 0), 1e-5, "silence: balance alone");
    is_near(sj_mash_score(m, &y, fy, &y, fy, 6), 0, 0, "silence with itself");
    sj_mash_track_free(&x);
    sj_mash_track_free(&y);
    free(fx);
    free(fy);
    sj_mash_free(m);
}

/* -- features ------------------------------------------------------------------------------------------------------ */
static void test_loudness(void)
{
    /* The table of the standard, to a tenth of a decibel. */
    static const double table[][2] = {{31.623, -39.4}, {100, -19.1}, {501.19, -3.2}, {1000, 0}, {2511.9, 1.3},
                                      {7943.3, -1.1}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        is_near(10 * log10(sj_mash_loudness(table[i][0])), table[i][1], 0.06, "A-weighting");
}

static int most(const float *row, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        best = row[i] > row[best] ? i : best;
    return best;
}

/* Tones, one to a track, of one beat. */
static void test_features(void)
{
    enum { RATE = 16000, N = 48000, TONES = 8 };
    static const double hz[TONES] = {440, 110, 261.626, 1975.53, 69.296, 3000, 200, 1864.66};
    static const int pitch[TONES] = {9, 9, 0, 11, 1, -1, 7, 10}, band[TONES] = {1, 0, 1, 2, 0, 2, 0, 2};
    static float wave[N];
    const struct sj_beat_grid grid = {1, 0, 3, 1};
    struct sj_mash_track t = {0};
    double chroma = 0, energy = 0;
    for (int tone = 0; tone < TONES; tone++) {
        for (int i = 0; i < N; i++)
            wave[i] = (float)(0.1 * sin(2 * M_PI * hz[tone] * i / RATE));
        sj_mash_track_free(&t);
        ok(!sj_mash_features(N, wave, RATE, &grid, &t), "%g Hz", hz[tone]);
        if (pitch[tone] >= 0)
            is_int(most(t.chroma, P), pitch[tone], "its pitch");
        is_int(most(t.energy, E), band[tone], "its band");
        chroma = (double)t.chroma[most(t.chroma, P)];
        energy = (double)t.energy[band[tone]];
    }
    is_int(t.beats, 1, "beats");
    is_near(t.length_s, 3, 1e-9, "length");
    sj_mash_track_free(&t);
    for (int i = 0; i < N; i++)
        wave[i] *= 3;
    ok(!sj_mash_features(N, wave, RATE, &grid, &t), "three times as loud");
    is_near((double)t.energy[most(t.energy, E)] / energy, 9, 1e-4, "nine times the energy");
    is_near((double)t.chroma[most(t.chroma, P)] / chroma, 3, 1e-4, "three times the magnitude");
    sj_mash_track_free(&t);
}

/* The energies of a beat by a plain transform of its windows. */
static void test_energy(void)
{
    enum { RATE = 16000, N = 3000, WINDOW = 4096, HOP = 512 };
    static float wave[N];
    struct sj_rng r = sj_rng(1, 2);
    const struct sj_beat_grid grid = {2, 0.02, 0.075, 1}; /* centres at 0 .. 80 ms, and 96 .. 160 ms behind 95 */
    struct sj_mash_track t;
    double energy[2][E] = {{0}}, chroma[2][P] = {{0}};
    int windows[2] = {0};
    sj_rng_normal(&r, wave, N);
    for (int c = 0; c < N; c += HOP) {
        const int beat = c / (double)RATE >= 0.095;
        windows[beat]++;
        for (int k = 0; k <= WINDOW / 2; k++) {
            double re = 0, im = 0, hz = (double)RATE * k / WINDOW;
            for (int i = 0; i < WINDOW; i++) {
                const int at = c - WINDOW / 2 + i;
                const double x = at >= 0 && at < N ? (double)wave[at] * (0.5 - 0.5 * cos(2 * M_PI * i / WINDOW)) : 0;
                re += x * cos(2 * M_PI * (double)((int64_t)k * i % WINDOW) / WINDOW);
                im += x * sin(2 * M_PI * (double)((int64_t)k * i % WINDOW) / WINDOW);
            }
            energy[beat][hz < 220 ? 0 : hz < 1760 ? 1 : 2] += sj_mash_loudness(hz) * (re * re + im * im);
            if (hz >= 65.406 && hz <= 2093.005)
                chroma[beat][((int)lround(12 * log2(hz / 440)) + 9 + 12 * 10) % 12] += hypot(re, im);
        }
    }
    ok(!sj_mash_features(N, wave, RATE, &grid, &t), "features of noise");
    double off = 0;
    for (int b = 0; b < 2; b++) {
        for (int e = 0; e < E; e++)
            off = fmax(off, fabs((double)t.energy[e * 2 + b] / (energy[b][e] / windows[b]) - 1));
        for (int p = 0; p < P; p++)
            off = fmax(off, fabs((double)t.chroma[p * 2 + b] / (chroma[b][p] / windows[b]) - 1));
    }
    ok(off < 1e-4, "are those of plain transforms: off by %.1g", off);
    sj_mash_track_free(&t);
}

static void test_lengths(void)
{
    static const int64_t want[][2] = {{0, 2}, {1, 2}, {2, 2}, {3, 4}, {7, 8}, {11, 12}, {13, 16},
                                      {601, 640}, {1001, 1024}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        is_int(sj_fft_length(want[i][0]), want[i][1], "a length that transforms well");
}

int main(void)
{
    test_scores();
    test_limits();
    test_loudness();
    test_features();
    test_energy();
    test_lengths();
    return done();
}
