/* The features of tracks: the first half of mash.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fft.h"
#include "mash.h"

enum { WINDOW = 4096, HOP = 512, BINS = WINDOW / 2 + 1, BATCH = 16 };
static const double low_hz = 65.406, high_hz = 2093.005, band_hz[SJ_MASH_BANDS - 1] = {220, 1760};

/* What a bin adds to. */
struct bin {
    int pitch, band; /* pitch -1: none */
    float loudness;
};

struct analysis {
    struct sj_fft *fft;
    float window[WINDOW];
    struct bin bin[BINS];
};

double sj_mash_loudness(double hz)
{
    const double f = hz * hz, a = 20.598997 * 20.598997, b = 107.65265 * 107.65265, c = 737.86223 * 737.86223,
                 d = 12194.217 * 12194.217;
    const double at_1khz = 0.79434639580229505; /* of the amplitude: -2.0 dB */
    const double amplitude = d * f * f / ((f + a) * sqrt((f + b) * (f + c)) * (f + d)) / at_1khz;
    return amplitude * amplitude;
}

static int open_analysis(double rate_hz, struct analysis *a)
{
    for (int i = 0; i < WINDOW; i++)
        a->window[i] = (float)(0.5 - 0.5 * cos(2 * M_PI * i / WINDOW));
    for (int i = 0; i < BINS; i++) {
        const double hz = rate_hz * i / WINDOW;
        const int in = hz >= low_hz && hz <= high_hz;
        a->bin[i].pitch = in ? ((int)lround(12 * log2(hz / 440)) + 69) % SJ_MASH_PITCHES : -1; /* 69: A4 above C-1 */
        a->bin[i].band = (hz >= band_hz[0]) + (hz >= band_hz[1]);
        a->bin[i].loudness = (float)sj_mash_loudness(hz);
    }
    return sj_fft_new(WINDOW, BATCH, &a->fft);
}

/* Windows `first` .. first + BATCH - 1, centred on their HOP's multiple, into the transform. */
static void fill(const struct analysis *a, int64_t n, const float *signal, int64_t first)
{
    float *in = sj_fft_in(a->fft);
    for (int64_t j = 0; j < BATCH; j++)
        for (int64_t i = 0, at = (first + j) * HOP - WINDOW / 2; i < WINDOW; i++, at++)
            in[j * WINDOW + i] = at >= 0 && at < n ? a->window[i] * signal[at] : 0;
}

static int64_t beat_of(const struct sj_beat_grid *g, double second)
{
    const int64_t b = (int64_t)floor((second - g->first_s) / g->period_s);
    return b < 0 ? 0 : b < g->n ? b : g->n - 1;
}

/* Adds transform j of the batch to its beat. */
static void add(const struct analysis *a, int64_t j, struct sj_mash_track *t, int64_t beat)
{
    const float *out = sj_fft_out(a->fft);
    float chroma[SJ_MASH_PITCHES + 1] = {0}, energy[SJ_MASH_BANDS] = {0}; /* of no pitch: the last */
    for (int64_t i = 0; i < BINS; i++) {
        const float re = out[2 * (i * BATCH + j)], im = out[2 * (i * BATCH + j) + 1], power = re * re + im * im;
        const struct bin *b = &a->bin[i];
        if (b->pitch >= 0)
            chroma[b->pitch] += sqrtf(power);
        energy[b->band] += b->loudness * power;
    }
    for (int64_t p = 0; p < SJ_MASH_PITCHES; p++)
        t->chroma[p * t->beats + beat] += chroma[p];
    for (int64_t e = 0; e < SJ_MASH_BANDS; e++)
        t->energy[e * t->beats + beat] += energy[e];
}

static void divide(struct sj_mash_track *t, const int64_t *windows)
{
    for (int64_t b = 0; b < t->beats; b++) {
        const float share = windows[b] ? 1 / (float)windows[b] : 0;
        for (int64_t p = 0; p < SJ_MASH_PITCHES; p++)
            t->chroma[p * t->beats + b] *= share;
        for (int64_t e = 0; e < SJ_MASH_BANDS; e++)
            t->energy[e * t->beats + b] *= share;
    }
}

int sj_mash_features(int64_t n, const float *signal, double rate_hz, const struct sj_beat_grid *grid,
                     struct sj_mash_track *t)
{
    const int64_t count = n > 0 ? 1 + (n - 1) / HOP : 0; /* windows */
    struct analysis *a = calloc(1, sizeof *a);
    int64_t *windows = calloc((size_t)grid->n, sizeof *windows);
    *t = (struct sj_mash_track){.beats = grid->n, .length_s = (double)n / rate_hz};
    t->chroma = calloc((size_t)(SJ_MASH_PITCHES * grid->n), sizeof *t->chroma);
    t->energy = calloc((size_t)(SJ_MASH_BANDS * grid->n), sizeof *t->energy);
    int status = a && windows && t->chroma && t->energy ? open_analysis(rate_hz, a) : sj_fail(SJ_SYSTEM, "no memory");
    for (int64_t first = 0; first < count && !status; first += BATCH) {
        fill(a, n, signal, first);
        sj_fft_run(a->fft);
        for (int64_t j = 0; j < BATCH && first + j < count; j++) {
            const int64_t beat = beat_of(grid, (double)((first + j) * HOP) / rate_hz);
            add(a, j, t, beat);
            windows[beat]++;
        }
    }
    if (status)
        sj_mash_track_free(t);
    else
        divide(t, windows);
    if (a)
        sj_fft_free(a->fft);
    free(a);
    free(windows);
    return status;
}

void sj_mash_track_free(struct sj_mash_track *t)
{
    free(t->chroma);
    free(t->energy);
    *t = (struct sj_mash_track){0};
}
