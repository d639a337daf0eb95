/* Reference: log-mel spectra of whole crops, by a plain discrete Fourier transform. */
#include "ref.h"

/* wave[i], mirrored about its first and last sample. */
static double sample(int64_t n, const void *wave, int i16, int64_t row, int64_t i)
{
    i = i < 0 ? -i : i;
    i = row * n + (i < n ? i : 2 * (n - 1) - i);
    return i16 ? ((const int16_t *)wave)[i] / 32768.0 : (double)((const float *)wave)[i];
}

/* power (bins) of the windowed frame (size); turn (size, 2): cos and sin of 2 pi i / size. */
static void transform(int size, int bins, const double *frame, const double *turn, double *power)
{
    for (int b = 0; b < bins; b++) {
        double re = 0, im = 0;
        for (int i = 0, at = 0; i < size; i++) { /* at = i b mod size */
            re += frame[i] * turn[2 * at];
            im += frame[i] * turn[2 * at + 1];
            at = at + b < size ? at + b : at + b - size;
        }
        power[b] = re * re + im * im;
    }
}

int ref_mel(struct sjk *k, int64_t B, int64_t n, const void *wave, int i16, const struct sjk_spectra *s, int64_t T,
            float *out)
{
    const struct sjk_filterbank *f = &s->bank;
    const size_t size = (size_t)s->size;
    if (!B || !T)
        return 0;
    if (s->start <= -n || s->start + (T - 1) * s->hop + s->size > 2 * n - 1)
        return sjk_fail(k, SJK_BAD, "%lld mel frames of %lld samples", (long long)T, (long long)n);
    double *turn = sjk_scratch(k, 4 * size * sizeof *turn);
    if (!turn)
        return SJK_MEMORY;
    double *frame = turn + 2 * size, *power = frame + size;
    for (size_t i = 0; i < size; i++) {
        turn[2 * i] = cos(6.283185307179586 * (double)i / (double)size);
        turn[2 * i + 1] = sin(6.283185307179586 * (double)i / (double)size);
    }
    for (int64_t r = 0; r < B * T; r++) {
        int64_t b = r / T, t = r % T;
        for (int64_t i = 0; i < s->size; i++)
            frame[i] = sample(n, wave, i16, b, s->start + t * s->hop + i) * s->window[i];
        transform(s->size, f->bins, frame, turn, power);
        for (int m = 0; m < f->bands; m++) {
            double sum = 0;
            for (int i = 0; i < f->count[m]; i++)
                sum += f->weight[f->offset[m] + i] * power[f->first[m] + i];
            out[(b * f->bands + m) * T + t] = (float)((log(sum + s->eps) - s->mean) / s->std);
        }
    }
    return 0;
}
