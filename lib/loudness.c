#include "loudness.h"

#include <math.h>
#include <stdlib.h>

#define PI 3.14159265358979323846

/* A filter of second order: y = b0 x + b1 x' + b2 x'' - a1 y' - a2 y''. */
struct biquad {
    double b0, b1, b2, a1, a2;
};

/* The recommendation states coefficients at 48 kHz; these analogue parameters give them to 1e-12 there. */
static void k_weighting(double rate_hz, struct biquad f[2])
{
    double k = tan(PI * 1681.974450955533 / rate_hz), q = 0.7071752369554196;
    double high = pow(10, 3.999843853973347 / 20), band = pow(high, 0.4996667741545416), a0 = 1 + k / q + k * k;
    f[0] = (struct biquad){(high + band * k / q + k * k) / a0, 2 * (k * k - high) / a0,
                           (high - band * k / q + k * k) / a0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0};
    k = tan(PI * 38.13547087602444 / rate_hz), q = 0.5003270373238773, a0 = 1 + k / q + k * k;
    f[1] = (struct biquad){1, -2, 1, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0};
}

/* energy[s] += the sum of squares of the weighted channel in step s. */
static void add_channel(const float *x, int64_t frames, int channels, int rate_hz, int64_t step, double *energy)
{
    struct biquad f[2];
    double z[2][2] = {{0}};
    k_weighting(rate_hz, f);
    for (int64_t i = 0; i < frames; i++) {
        double v = x[i * channels];
        for (int s = 0; s < 2; s++) { /* transposed direct form II */
            const double y = f[s].b0 * v + z[s][0];
            z[s][0] = f[s].b1 * v - f[s].a1 * y + z[s][1];
            z[s][1] = f[s].b2 * v - f[s].a2 * y;
            v = y;
        }
        energy[i / step] += v * v;
    }
}

static double level(double mean_square)
{
    return -0.691 + 10 * log10(mean_square);
}

/* The mean of the blocks (of `per` steps) louder than the gate; 0 when there is none. */
static double gated_mean(const double *energy, int64_t blocks, int per, double frames, double gate)
{
    double sum = 0;
    int64_t n = 0;
    for (int64_t b = 0; b < blocks; b++) {
        double e = 0;
        for (int s = 0; s < per; s++)
            e += energy[b + s];
        e /= frames;
        if (e > 0 && level(e) > gate)
            sum += e, n++;
    }
    return n ? sum / (double)n : 0;
}

double sj_loudness(const float *x, int64_t frames, int channels, int rate_hz)
{
    enum { PER = 4 };
    int64_t step = (rate_hz + 5) / 10, steps = frames / step, whole = frames;
    int per = PER;
    if (steps < PER) /* shorter than a block */
        steps = per = 1, step = frames;
    else
        whole = steps * step;
    double *energy = frames ? calloc((size_t)steps, sizeof *energy) : NULL;
    if (!energy)
        return -INFINITY;
    for (int c = 0; c < channels; c++)
        add_channel(x + c, whole, channels, rate_hz, step, energy);
    const double size = (double)step * per;
    double mean = gated_mean(energy, steps - per + 1, per, size, -70);
    if (mean > 0)
        mean = gated_mean(energy, steps - per + 1, per, size, level(mean) - 10);
    free(energy);
    return mean > 0 ? level(mean) : -INFINITY;
}
