/* What happens to a mix on its way to the listener: compression, a narrower band, noise, a lossy codec. */
#include <math.h>

#include "audio_codec.h"
#include "augment_own.h"

/* Mean square. */
static double power_of(int64_t n, const float *x)
{
    double sum = 0;
    enum { PIECE = 256 };
    for (int64_t at = 0; at < n; at += PIECE) {
        float part[8] = {0}; /* side by side: sums that the compiler may keep in vectors */
        const int64_t end = n - at < PIECE ? n : at + PIECE;
        int64_t i = at;
        for (; i + 8 <= end; i += 8)
            for (int j = 0; j < 8; j++)
                part[j] += x[i + j] * x[i + j];
        for (; i < end; i++)
            part[0] += x[i] * x[i];
        for (int j = 0; j < 8; j++)
            sum += part[j];
    }
    return sum / (double)n;
}

static void scale(int64_t n, float *x, float by)
{
    for (int64_t i = 0; i < n; i++)
        x[i] *= by;
}

void sj_augment_compress(struct sj_rng *r, int64_t n, float *x)
{
    enum { STEP = 32 }; /* 2 ms: the level is looked at so often */
    const double before = power_of(n, x);
    const float threshold = sj_rng_range(r, -15, 0) + (float)(10 * log10(before + 1e-20)); /* dB */
    const float slope = 1 - 1 / sj_rng_range(r, 2, 8);
    const float step_ms = 1000.f * STEP / SJ_DATASET_RATE_HZ;
    const float rise = 1 - expf(-step_ms / sj_rng_range(r, 2, 30));
    const float fall = 1 - expf(-step_ms / sj_rng_range(r, 50, 300));
    float down = 0, gain = 1; /* the present reduction in dB, and as a factor */
    for (int64_t at = 0; at < n; at += STEP) {
        const int count = n - at < STEP ? (int)(n - at) : STEP;
        const float over = 10 * log10f((float)power_of(count, x + at) + 1e-20f) - threshold;
        const float want = over > 0 ? slope * over : 0;
        down += (want > down ? rise : fall) * (want - down);
        const float next = powf(10, -down / 20), grow = (next - gain) / (float)count;
        for (int i = 0; i < count; i++)
            x[at + i] *= gain + grow * (float)i;
        gain = next;
    }
    const double after = power_of(n, x);
    if (after > 0)
        scale(n, x, (float)sqrt(before / after));
}

/* A Butterworth filter of two poles (Bristow-Johnson's cookbook). */
void sj_augment_band(struct sj_rng *r, int64_t n, float *x)
{
    const int low = sj_rng_u32(r) & 1;
    const double u = sj_rng_double(r), hz = low ? 2000 * pow(3.5, u) : 40 * pow(10, u);
    const double angle = 2 * 3.14159265358979323846 * hz / SJ_DATASET_RATE_HZ;
    const double c = cos(angle), alpha = sin(angle) / M_SQRT2;
    const double edge = (low ? 1 - c : 1 + c) / (1 + alpha);
    const float b0 = (float)(edge / 2), b1 = (float)(low ? edge : -edge);
    const float a1 = (float)(-2 * c / (1 + alpha)), a2 = (float)((1 - alpha) / (1 + alpha));
    float s = 0, t = 0;
    for (int64_t i = 0; i < n; i++) {
        const float in = x[i] + 1e-18f, y = b0 * in + s; /* silence would become denormal numbers, which are slow */
        s = b1 * in - a1 * y + t;
        t = b0 * in - a2 * y;
        x[i] = y;
    }
}

void sj_augment_noise(struct sj_rng *r, double most_db, int64_t n, float *x)
{
    const double level_db = most_db - 20 * sj_rng_double(r);
    /* four bits are as white as a normal number and cost a sixteenth; 4.61: the standard deviation of 0 .. 15 */
    const float by = (float)(sqrt(power_of(n, x)) * pow(10, level_db / 20) / 4.6098);
    for (int64_t at = 0; at < n; at += 8) {
        const uint32_t word = sj_rng_u32(r);
        for (int j = 0; j < 8 && at + j < n; j++)
            x[at + j] += by * ((float)(word >> 4 * j & 15) - 7.5f);
    }
}

int sj_augment_codec(struct sj_rng *r, int64_t n, float *x)
{
    const enum sj_codec codec = (enum sj_codec)sj_rng_below(r, SJ_CODECS);
    const double strength = sj_rng_double(r);
    float peak = 0;
    for (int64_t i = 0; i < n; i++)
        peak = fabsf(x[i]) > peak ? fabsf(x[i]) : peak;
    if (peak < 1e-6f)
        return SJ_OK;
    scale(n, x, 0.9f / peak); /* as loud as music comes, and nothing is clipped */
    int status = sj_codec_pass(codec, strength, SJ_DATASET_RATE_HZ, n, x);
    scale(n, x, peak / 0.9f);
    return status;
}
