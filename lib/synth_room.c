/* From a dry part to a stem: saturation, reverberation, equaliser and level, the same for all stems of a piece. */
#include "synth_parts.h"

#include "err.h"

#include <math.h>
#include <stdlib.h>

enum { LINES = 4 };

static float peak_of(const float *x, int64_t n)
{
    float peak = 0;
    for (int64_t i = 0; i < n; i++)
        peak = fabsf(x[i]) > peak ? fabsf(x[i]) : peak;
    return peak;
}

static void scale(float *x, int64_t n, float gain)
{
    for (int64_t i = 0; i < n; i++)
        x[i] *= gain;
}

/* x (1 + d) / (1 + d |x|): keeps 0 and 1, bends what is between. */
static void saturate(float *x, int64_t n, float drive)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = x[i] * (1 + drive) / (1 + drive * fabsf(x[i]));
}

/* No rumble below 25 Hz, a tilt around 900 Hz, a low-pass of two poles. */
static void equalise(const struct sj_synth_traits *t, float *x, int64_t n)
{
    float rumble = (float)sj_synth_pole(25), turn = (float)sj_synth_pole(900);
    float close = (float)sj_synth_pole(t->lowpass_hz);
    float high = (float)sj_synth_gain(t->tilt_db / 2), low = 1 / high, bottom = 0, split = 0, once = 0, twice = 0;
    for (int64_t i = 0; i < n; i++) {
        bottom += rumble * (x[i] - bottom);
        float v = x[i] - bottom;
        split += turn * (v - split);
        once += close * (low * split + high * (v - split) - once);
        twice += close * (once - twice);
        x[i] = twice;
    }
}

struct biquad {
    float b0, b1, b2, a1, a2, x1, x2, y1, y2;
};

/* A peak or dip of `db` at `hz`, about an octave wide (the peaking filter of Bristow-Johnson's cookbook, Q 1.2). */
static struct biquad bell(double hz, double db)
{
    double turns = hz / SJ_SYNTH_RATE, cosine = sj_synth_sin(turns + 0.25), alpha = sj_synth_sin(turns) / 2.4;
    double a = sj_synth_gain(db / 2), scale_by = 1 / (1 + alpha / a);
    return (struct biquad){.b0 = (float)((1 + alpha * a) * scale_by), .b1 = (float)(-2 * cosine * scale_by),
                           .b2 = (float)((1 - alpha * a) * scale_by), .a1 = (float)(-2 * cosine * scale_by),
                           .a2 = (float)((1 - alpha / a) * scale_by)};
}

static void colour(const struct sj_synth_traits *t, float *x, int64_t n)
{
    struct biquad q[SJ_SYNTH_BELLS];
    for (int k = 0; k < SJ_SYNTH_BELLS; k++)
        q[k] = bell(t->bell_hz[k], t->bell_db[k]);
    for (int64_t i = 0; i < n; i++) {
        float v = x[i];
        for (int k = 0; k < SJ_SYNTH_BELLS; k++) {
            float y = q[k].b0 * v + q[k].b1 * q[k].x1 + q[k].b2 * q[k].x2 - q[k].a1 * q[k].y1 - q[k].a2 * q[k].y2;
            q[k].x2 = q[k].x1;
            q[k].x1 = v;
            q[k].y2 = q[k].y1;
            q[k].y1 = v = y;
        }
        x[i] = v;
    }
}

/* Four delay lines fed back through an orthogonal matrix (Jot & Chaigne 1991), each with a damping low-pass. */
static int reverberate(const struct sj_synth_traits *t, float wet, float *x, int64_t n)
{
    static const double length_s[LINES] = {0.0297, 0.0371, 0.0411, 0.0437};
    size_t size = 1;
    double stretch = 0.6 + 0.35 * sqrt(t->reverb_s);
    while (size < (size_t)((0.0437 * stretch + t->predelay_s) * SJ_SYNTH_RATE) + 2)
        size *= 2;
    float *line = calloc((LINES + 1) * size, sizeof *line), damped[LINES] = {0}, feedback[LINES];
    if (!line)
        return sj_fail(SJ_SYSTEM, "no memory for a room");
    size_t delay[LINES], mask = size - 1, before = (size_t)(t->predelay_s * SJ_SYNTH_RATE);
    for (int k = 0; k < LINES; k++) {
        delay[k] = (size_t)(length_s[k] * stretch * SJ_SYNTH_RATE);
        feedback[k] = (float)sj_synth_gain(-60 * length_s[k] * stretch / t->reverb_s) * 0.5f; /* 0.5: of the matrix */
    }
    float *input = line + LINES * size, keep = 1 - t->damping;
    for (int64_t i = 0; i < n; i++) {
        size_t now = (size_t)i & mask;
        float out[LINES];
        input[now] = x[i];
        for (int k = 0; k < LINES; k++) {
            damped[k] += keep * (line[(size_t)k * size + (((size_t)i - delay[k]) & mask)] - damped[k]);
            out[k] = damped[k];
        }
        float s0 = out[0] + out[1], d0 = out[0] - out[1], s1 = out[2] + out[3], d1 = out[2] - out[3];
        float in = input[((size_t)i - before) & mask], mixed[LINES] = {s0 + s1, d0 + d1, s0 - s1, d0 - d1};
        for (int k = 0; k < LINES; k++)
            line[(size_t)k * size + now] = in + feedback[k] * mixed[k];
        x[i] += wet * (out[0] - out[1] + out[2] - out[3]);
    }
    free(line);
    return SJ_OK;
}

int sj_synth_master(const struct sj_synth_traits *t, int stem, float *x, int64_t n)
{
    static const float share[SJ_SYNTH_STEMS] = {0.35f, 0.8f, 1, 1}; /* of the room's wetness */
    static const float loudness[SJ_SYNTH_STEMS] = {0.8f, 1, 0.8f, 0.9f};
    float peak = peak_of(x, n);
    if (peak <= 0)
        return SJ_OK;
    scale(x, n, 1 / peak);
    saturate(x, n, t->drive);
    int status = reverberate(t, t->wet * share[stem], x, n);
    if (status)
        return status;
    equalise(t, x, n);
    colour(t, x, n);
    struct sj_rng r = sj_synth_rng(t, FOR_LEVEL + stem);
    scale(x, n, t->level * loudness[stem] * sj_rng_range(&r, 0.9f, 1) / peak_of(x, n));
    return SJ_OK;
}
