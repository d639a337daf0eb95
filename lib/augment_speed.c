/* Another speed: values between samples, through a filter with a row for each of 512 places between two of them. A
 * speed is a multiple of 1/512, 3 cents apart, so no place lies between two rows. libsoxr takes four times as long. */
#include <math.h>

#include "augment_own.h"

typedef float quad __attribute__((vector_size(16)));
typedef float loose __attribute__((vector_size(16), aligned(4), may_alias)); /* the same anywhere in memory */

/* The modified Bessel function I0, by its series. */
static double bessel(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; term > 1e-12 * sum; k++)
        sum += term *= x * x / (4.0 * k * k);
    return sum;
}

void sj_speed_table(float *table)
{
    const double beta = 4.55, pi = 3.14159265358979323846; /* 50 dB in the stop band */
    for (int i = 0; i < SJ_SPEED_TABLE; i++) {
        double u = (double)i / SJ_SPEED_FINE, v = u / SJ_SPEED_HALF;
        double window = v < 1 ? bessel(beta * sqrt(1 - v * v)) / bessel(beta) : 0;
        table[i] = (float)(i ? window * sin(pi * u) / (pi * u) : 1);
    }
}

int sj_speed_taps(int speed)
{
    int taps = speed > SJ_SPEED_ONE ? (2 * SJ_SPEED_HALF * speed + SJ_SPEED_ONE - 1) / SJ_SPEED_ONE : 2 * SJ_SPEED_HALF;
    return (taps + 7) / 8 * 8;
}

void sj_speed_filter(const float *table, int speed, float *filter)
{
    const int taps = sj_speed_taps(speed);
    const float cut = speed > SJ_SPEED_ONE ? (float)SJ_SPEED_ONE / (float)speed : 1; /* of the input's band */
    for (int row = 0; row < SJ_SPEED_ONE; row++)
        for (int k = 0; k < taps; k++) {
            float u = fabsf((float)(k - taps / 2 + 1) - (float)row / SJ_SPEED_ONE) * cut * SJ_SPEED_FINE;
            int i = (int)u;
            float part = u - (float)i;
            filter[row * taps + k] =
                i < SJ_SPEED_TABLE - 1 ? cut * (table[i] + part * (table[i + 1] - table[i])) : 0;
        }
}

/* What a vector's values add up to. */
static float total(quad x)
{
    return (x[0] + x[2]) + (x[1] + x[3]);
}

void sj_speed_change(int speed, const float *filter, int64_t n, const float *const in[2], float *const out[2])
{
    const int taps = sj_speed_taps(speed);
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = i * speed;
        const float *h = filter + at % SJ_SPEED_ONE * taps;
        const float *x = in[0] + at / SJ_SPEED_ONE, *y = in[1] + at / SJ_SPEED_ONE;
        quad a = {0}, b = {0}, c = {0}, d = {0}; /* by hand: compilers do not reorder sums */
        for (int k = 0; k < taps; k += 8) {
            const quad first = *(const loose *)(h + k), second = *(const loose *)(h + k + 4);
            a += first * *(const loose *)(x + k);
            b += second * *(const loose *)(x + k + 4);
            c += first * *(const loose *)(y + k);
            d += second * *(const loose *)(y + k + 4);
        }
        out[0][i] = total(a + b);
        out[1][i] = total(c + d);
    }
}
