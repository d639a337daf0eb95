/* The tables of the front end: filters and window. */
#include "mel_own.h"

#include <math.h>
#include <stdlib.h>

/* -- filters (Slaney, Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above ------------------------------- */
static const double hz_per_mel = 200.0 / 3, break_hz = 1000;

static double hz_to_mel(double hz)
{
    return hz < break_hz ? hz / hz_per_mel : break_hz / hz_per_mel + log(hz / break_hz) / (log(6.4) / 27);
}

static double mel_to_hz(double mel)
{
    double break_mel = break_hz / hz_per_mel;
    return mel < break_mel ? hz_per_mel * mel : break_hz * exp(log(6.4) / 27 * (mel - break_mel));
}

void sj_mel_filters(const struct sj_mel_settings *s, double *weights)
{
    int64_t bins = s->fft_samples / 2 + 1;
    double low = hz_to_mel(s->low_hz), step = (hz_to_mel(s->high_hz) - low) / (double)(s->bands + 1);
    for (int64_t m = 0; m < s->bands; m++) {
        double from = mel_to_hz(low + step * (double)m), top = mel_to_hz(low + step * (double)(m + 1));
        double to = mel_to_hz(low + step * (double)(m + 2));
        for (int64_t i = 0; i < bins; i++) {
            double hz = s->sample_rate_hz * (double)i / (double)s->fft_samples;
            double w = fmin((hz - from) / (top - from), (to - hz) / (to - top));
            weights[m * bins + i] = fmax(w, 0) * 2 / (to - from);
        }
    }
}

/* Keeps of each filter the bins from its first to its last non-zero weight. */
static int make_bank(const struct sj_mel_settings *s, struct sj_mel_tables *m)
{
    int bands = (int)s->bands, bins = (int)(s->fft_samples / 2 + 1), used = 0;
    size_t cells = (size_t)bands * (size_t)bins;
    double *dense = malloc(cells * sizeof *dense);
    m->weight = malloc(cells * sizeof *m->weight);
    m->range = calloc(3 * (size_t)bands, sizeof *m->range);
    if (!dense || !m->weight || !m->range) {
        free(dense);
        return SJ_SYSTEM;
    }
    int32_t *first = m->range, *count = first + bands, *offset = count + bands;
    sj_mel_filters(s, dense);
    for (int b = 0; b < bands; b++) {
        const double *row = dense + (size_t)b * (size_t)bins;
        int from = 0, to = bins;
        while (from < to && row[from] <= 0)
            from++;
        while (to > from && row[to - 1] <= 0)
            to--;
        first[b] = from < to ? from : 0;
        count[b] = to - from;
        offset[b] = used;
        for (int i = from; i < to; i++)
            m->weight[used++] = (float)row[i];
    }
    m->weights = used;
    m->bank = (struct sjk_filterbank){.bands = bands, .bins = bins, .first = first, .count = count, .offset = offset,
                                      .weight = m->weight};
    free(dense);
    return SJ_OK;
}

int sj_mel_tables_new(const struct sj_mel_settings *s, struct sj_mel_tables *t)
{
    const double turn = 6.283185307179586;
    *t = (struct sj_mel_tables){.window = malloc((size_t)s->fft_samples * sizeof *t->window)};
    if (!t->window || make_bank(s, t))
        return sj_fail(SJ_SYSTEM, "no memory");
    for (int64_t i = 0; i < s->fft_samples; i++)
        t->window[i] = (float)(0.5 - 0.5 * cos(turn * (double)i / (double)s->fft_samples));
    return SJ_OK;
}

void sj_mel_tables_free(struct sj_mel_tables *t)
{
    free(t->window);
    free(t->weight);
    free(t->range);
}
