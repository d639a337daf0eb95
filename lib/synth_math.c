/* Elementary functions made of +, -, * and exact scalings only, so that their results are the same bits everywhere. */
#include "synth_parts.h"

#include <math.h>

double sj_synth_sin(double turns)
{
    double x = turns - floor(turns + 0.5); /* -1/2 .. 1/2 */
    if (x > 0.25)
        x = 0.5 - x;
    else if (x < -0.25)
        x = -0.5 - x;
    double a = x * 6.283185307179586, s = a * a; /* |a| <= pi/2: the Taylor series to a^13 */
    double p = 1.0 / 6227020800;
    p = p * s - 1.0 / 39916800;
    p = p * s + 1.0 / 362880;
    p = p * s - 1.0 / 5040;
    p = p * s + 1.0 / 120;
    p = p * s - 1.0 / 6;
    return a + a * s * p;
}

double sj_synth_exp2(double x)
{
    double whole = floor(x + 0.5), a = (x - whole) * 0.6931471805599453; /* |a| < 0.35 */
    double p = 1;
    for (int k = 10; k > 0; k--)
        p = 1 + p * a / k;
    return ldexp(p, (int)whole);
}

double sj_synth_hz(double pitch)
{
    return 440 * sj_synth_exp2((pitch - 69) / 12);
}

double sj_synth_gain(double db)
{
    return sj_synth_exp2(db * 0.16609640474436813);
}

double sj_synth_decay(double seconds)
{
    return sj_synth_gain(-60 / (seconds * SJ_SYNTH_RATE));
}

double sj_synth_pole(double hz)
{
    return 1 - sj_synth_exp2(-hz / SJ_SYNTH_RATE * 9.064720283654388); /* 2 pi / ln 2 */
}

int sj_synth_chance(struct sj_rng *r, float p)
{
    return sj_rng_float(r) < p;
}

void sj_synth_make_wave(const float strength[SJ_SYNTH_HARMONICS], struct sj_synth_wave *w)
{
    float sine[SJ_SYNTH_TABLE];
    for (int i = 0; i < SJ_SYNTH_TABLE; i++)
        sine[i] = (float)sj_synth_sin((double)i / SJ_SYNTH_TABLE);
    float power = 0;
    for (int k = 0; k < SJ_SYNTH_HARMONICS; k++)
        power += strength[k] * strength[k];
    float scale = 1 / sqrtf(power + 1e-12f);
    double highest_hz = 64; /* the table serves tones below this */
    for (int o = 0; o < SJ_SYNTH_TABLES; o++, highest_hz *= 1.4142135623730951) {
        float *x = w->table[o];
        for (int i = 0; i <= SJ_SYNTH_TABLE; i++)
            x[i] = 0;
        for (unsigned k = 1; k <= SJ_SYNTH_HARMONICS && k * highest_hz < 7600; k++) {
            float a = strength[k - 1] * scale;
            unsigned phase = k * k * (SJ_SYNTH_TABLE / 3); /* spreads the energy over the period: a lower peak */
            for (unsigned i = 0; i < SJ_SYNTH_TABLE; i++)
                x[i] += a * sine[(k * i + phase) % SJ_SYNTH_TABLE];
        }
        x[SJ_SYNTH_TABLE] = x[0];
    }
}

const float *sj_synth_wave_for(const struct sj_synth_wave *w, double hz)
{
    double highest_hz = 64;
    int o = 0;
    for (; o + 1 < SJ_SYNTH_TABLES && hz >= highest_hz; o++)
        highest_hz *= 1.4142135623730951;
    return w->table[o];
}
