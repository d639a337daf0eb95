/* The scores of pairs: the second half of mash.h. */
#include "mash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fft.h"

struct sj_mash {
    int64_t beats, columns;     /* the most beats; of the transforms: room for all lags of two such tracks */
    struct sj_fft_plane *plane; /* (SJ_MASH_PITCHES, columns) */
    float *h;                   /* (SJ_MASH_PITCHES, beats) */
    float *round;               /* (SJ_MASH_BANDS, 2 beats): energies of a candidate, L beats twice */
};

int sj_mash_new(int64_t beats, struct sj_mash **out)
{
    struct sj_mash *m = calloc(1, sizeof *m);
    if (m) {
        m->beats = beats;
        m->columns = sj_fft_length(2 * beats);
        m->h = malloc((size_t)(SJ_MASH_PITCHES * beats) * sizeof *m->h + 1);
        m->round = malloc((size_t)(SJ_MASH_BANDS * 2 * beats) * sizeof *m->round + 1);
    }
    int status = m && m->h && m->round ? sj_fft_plane_new(SJ_MASH_PITCHES, m->columns, &m->plane)
                                       : sj_fail(SJ_SYSTEM, "no memory for %lld beats", (long long)beats);
    if (status) {
        sj_mash_free(m);
        return status;
    }
    *out = m;
    return SJ_OK;
}

void sj_mash_free(struct sj_mash *m)
{
    if (!m)
        return;
    sj_fft_plane_free(m->plane);
    free(m->h);
    free(m->round);
    free(m);
}

/* -- harmony ------------------------------------------------------------------------------------------------------- */
int64_t sj_mash_transform_size(const struct sj_mash *m)
{
    return SJ_MASH_PITCHES * 2 * (m->columns / 2 + 1);
}

/* Scaled to norm 1 and filled up with zeros, so that a product of two transforms is one of h. */
void sj_mash_transform(struct sj_mash *m, const struct sj_mash_track *t, float *transform)
{
    float *real = sj_fft_plane_real(m->plane);
    double square = 0;
    for (int64_t i = 0; i < SJ_MASH_PITCHES * t->beats; i++)
        square += (double)t->chroma[i] * (double)t->chroma[i];
    const double scale = square > 0 ? 1 / sqrt(square) : 0;
    memset(real, 0, (size_t)(SJ_MASH_PITCHES * m->columns) * sizeof *real);
    for (int64_t p = 0; p < SJ_MASH_PITCHES; p++)
        for (int64_t b = 0; b < t->beats; b++)
            real[p * m->columns + b] = (float)(scale * (double)t->chroma[p * t->beats + b]);
    sj_fft_plane_forward(m->plane);
    memcpy(transform, sj_fft_plane_spectrum(m->plane), (size_t)sj_mash_transform_size(m) * sizeof *transform);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void sj_mash_harmony(struct sj_mash *m, const struct sj_mash_track *x, const float *x_transform,
                     const struct sj_mash_track *y, const float *y_transform, float *h)
{
    const int64_t length = larger(x->beats, y->beats), size = sj_mash_transform_size(m);
    const float scale = 1 / (float)(SJ_MASH_PITCHES * m->columns);
    float *product = sj_fft_plane_spectrum(m->plane);
    for (int64_t i = 0; i < size; i += 2) { /* of the conjugate of X with Y */
        product[i] = x_transform[i] * y_transform[i] + x_transform[i + 1] * y_transform[i + 1];
        product[i + 1] = x_transform[i] * y_transform[i + 1] - x_transform[i + 1] * y_transform[i];
    }
    sj_fft_plane_inverse(m->plane);
    for (int64_t r = 0; r < SJ_MASH_PITCHES; r++) {
        /* lag k of the plane, and lag k - L, which is the same offset */
        const float *row = sj_fft_plane_real(m->plane) + r * m->columns, *back = row + m->columns - length;
        for (int64_t k = 0; k < length; k++)
            h[r * length + k] = scale * (row[k] + back[k]);
    }
}

/* -- spectral balance ---------------------------------------------------------------------------------------------- */
static void wind(struct sj_mash *m, const struct sj_mash_track *y, int64_t length)
{
    memset(m->round, 0, (size_t)(SJ_MASH_BANDS * 2 * length) * sizeof *m->round);
    for (int64_t e = 0; e < SJ_MASH_BANDS; e++)
        for (int64_t turn = 0; turn < 2; turn++)
            memcpy(m->round + (2 * e + turn) * length, y->energy + e * y->beats,
                   (size_t)y->beats * sizeof *m->round);
}

/* Offset k of a candidate that is wound up. */
static float balance_at(const struct sj_mash *m, const struct sj_mash_track *x, int64_t length, int64_t k)
{
    const int64_t n = x->beats;
    const float *restrict x0 = x->energy, *restrict x1 = x0 + n, *restrict x2 = x1 + n;
    const float *restrict y0 = m->round + k, *restrict y1 = y0 + 2 * length, *restrict y2 = y1 + 2 * length;
    float low = 0, middle = 0, high = 0, heard = 0;
#pragma omp simd reduction(+ : low, middle, high, heard)
    for (int64_t b = 0; b < n; b++) {
        const float e0 = x0[b] + y0[b], e1 = x1[b] + y1[b], e2 = x2[b] + y2[b], sum = e0 + e1 + e2;
        const float sound = sum > 0 ? 1.0f : 0.0f, share = sound / (sum + (1 - sound));
        low += share * e0;
        middle += share * e1;
        high += share * e2;
        heard += sound;
    }
    if (heard <= 0)
        return 0;
    const float third = 1 / 3.0f, a = low / heard - third, b = middle / heard - third, c = high / heard - third;
    return 1 - sqrtf((a * a + b * b + c * c) / SJ_MASH_BANDS); /* the mean of the three shares is a third */
}

float sj_mash_balance(struct sj_mash *m, const struct sj_mash_track *x, const struct sj_mash_track *y, int64_t k)
{
    const int64_t length = larger(x->beats, y->beats);
    wind(m, y, length);
    return balance_at(m, x, length, k);
}

/* -- both ---------------------------------------------------------------------------------------------------------- */
double sj_mash_score(struct sj_mash *m, const struct sj_mash_track *x, const float *x_transform,
                     const struct sj_mash_track *y, const float *y_transform, int shifts)
{
    const int64_t length = larger(x->beats, y->beats);
    double best = 0;
    if (y->length_s < x->length_s || y->length_s < SJ_MASH_LEAST_S)
        return -1;
    sj_mash_harmony(m, x, x_transform, y, y_transform, m->h);
    wind(m, y, length);
    for (int64_t k = 0; k < length; k++) {
        float harmony = 0;
        for (int r = -shifts; r <= shifts; r++) {
            const float h = m->h[(r + SJ_MASH_PITCHES) % SJ_MASH_PITCHES * length + k];
            harmony = h > harmony ? h : harmony;
        }
        if ((double)harmony + SJ_MASH_BALANCE > best) { /* else the best balance would not do */
            const double both = (double)harmony + SJ_MASH_BALANCE * (double)balance_at(m, x, length, k);
            best = both > best ? both : best;
        }
    }
    return best < SJ_MASH_MOST ? best : SJ_MASH_MOST;
}
