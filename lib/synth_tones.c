/* Bass and accompaniment: notes played by table oscillators that fade from a bright period to a dark one. */
#include "synth_parts.h"

#include "err.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK = 32 };

/* What an instrument does to every note. Times in seconds; decay to -60 dB, 0: holds. */
struct envelope {
    double attack_s, decay_s, release_s, bright_s;
    float noise, vibrato;
};

static const struct envelope envelopes[] = {
    [TONE_KEYS] = {0.004, 3.5, 0.15, 1.2, 0.25f, 0},   [TONE_ORGAN] = {0.008, 0, 0.04, 0, 0.1f, 0.0025f},
    [TONE_PLUCK] = {0.002, 1.6, 0.10, 0.5, 0.5f, 0},   [TONE_PAD] = {0.12, 0, 0.30, 0, 0, 0.003f},
    [TONE_BRASS] = {0.035, 0, 0.08, 2.5, 0.1f, 0.004f}};

struct instrument {
    struct sj_synth_wave bright, dark;
    struct envelope e;
    double detune; /* frequency ratio of the second oscillator; 1: there is none */
};

/* log2 of 1..SJ_SYNTH_HARMONICS by Newton's method from the one before. */
static void harmonic_logs(double log2_k[SJ_SYNTH_HARMONICS])
{
    double y = 0;
    for (int k = 1; k <= SJ_SYNTH_HARMONICS; k++) {
        for (int i = 0; i < 5; i++) {
            double power = sj_synth_exp2(y);
            y -= (power - k) / (power * 0.6931471805599453);
        }
        log2_k[k - 1] = y;
    }
}

static int is_drawbar(int k)
{
    return k == 1 || k == 2 || k == 3 || k == 4 || k == 6 || k == 8 || k == 12;
}

static void make_instrument(const struct sj_synth_traits *t, int kind, int low, struct instrument *in)
{
    struct sj_rng r = sj_synth_rng(t, FOR_SOUND + (low ? SJ_SYNTH_BASS : SJ_SYNTH_OTHER));
    float bright[SJ_SYNTH_HARMONICS], dark[SJ_SYNTH_HARMONICS];
    double log2_k[SJ_SYNTH_HARMONICS], peak = 2 + 6 * sj_rng_double(&r);
    harmonic_logs(log2_k);
    for (int k = 1; k <= SJ_SYNTH_HARMONICS; k++) {
        double a = sj_synth_exp2(-t->slope * log2_k[k - 1]);
        if (k % 2 == 0)
            a *= 1 - t->odd;
        if (kind == TONE_PLUCK || kind == TONE_KEYS)
            a *= 0.15 + 0.85 * fabs(sj_synth_sin(k * t->pluck / 2));
        if (kind == TONE_ORGAN)
            a *= is_drawbar(k) ? 0.3 + 0.7 * sj_rng_double(&r) : 0.02;
        if (kind == TONE_BRASS)
            a *= 0.3 + 1 / (0.5 + (k - peak) * (k - peak) * 0.3);
        bright[k - 1] = (float)a;
        dark[k - 1] = (float)(a * sj_synth_exp2(-1.6 * log2_k[k - 1]));
    }
    sj_synth_make_wave(bright, &in->bright);
    sj_synth_make_wave(dark, &in->dark);
    in->e = envelopes[kind];
    in->e.attack_s *= t->attack;
    in->e.decay_s *= (low ? 1.5 : 0.6) + t->sustain;
    in->e.noise *= t->noise;
    in->detune = t->detune < 1 ? 1 : sj_synth_exp2(t->detune / 1200);
}

/* out[0..n-1] += amplitude (dark + mix (bright - dark)), all linear within the block. */
static void oscillate(const float *bright, const float *dark, uint32_t *phase, uint32_t step, const float amplitude[2],
                      const float mix[2], float *out, int n)
{
    float a = amplitude[0], da = (amplitude[1] - a) / (float)n, m = mix[0], dm = (mix[1] - m) / (float)n;
    uint32_t p = *phase;
    for (int i = 0; i < n; i++) {
        uint32_t at = p >> 22;
        float f = (float)(int32_t)(p & 0x3FFFFF) * 0x1p-22f;
        float d = dark[at] + f * (dark[at + 1] - dark[at]), b = bright[at] + f * (bright[at + 1] - bright[at]);
        out[i] += a * (d + m * (b - d));
        a += da;
        m += dm;
        p += step;
    }
    *phase = p;
}

static void strike(const struct envelope *e, const struct sj_synth_note *note, uint32_t seed, float *out, int64_t n)
{
    float amplitude = e->noise * note->velocity, decay = (float)sj_synth_decay(0.05), smooth = 0;
    uint32_t state = seed | 1;
    for (int64_t i = 0; i < n && amplitude > 1e-3f; i++) {
        smooth += 0.5f * (sj_synth_noise(&state) - smooth);
        out[i] += amplitude * smooth;
        amplitude *= decay;
    }
}

/* Envelope and brightness at `at_s` seconds of the note. */
static void shape(const struct envelope *e, const struct sj_synth_note *note, double at_s, float *amplitude, float *mix)
{
    double a = at_s < e->attack_s ? at_s / e->attack_s : 1;
    if (e->decay_s > 0)
        a *= sj_synth_exp2(-at_s / e->decay_s * 9.965784284662087); /* 60 dB */
    double over_s = at_s - note->length_s;
    if (over_s > 0)
        a *= over_s < e->release_s ? (1 - over_s / e->release_s) * (1 - over_s / e->release_s) : 0;
    *amplitude = (float)a * note->velocity;
    *mix = note->velocity * (e->bright_s > 0 ? (float)sj_synth_exp2(-at_s / e->bright_s * 4) : 0.8f);
}

static void play(const struct sj_synth_traits *t, const struct instrument *in, const struct sj_synth_note *note,
                 uint32_t seed, float *out, int64_t n)
{
    const struct envelope *e = &in->e;
    int64_t first = (int64_t)(note->start_s * SJ_SYNTH_RATE);
    int64_t last = (int64_t)((note->length_s + e->release_s) * SJ_SYNTH_RATE);
    if (last > n - first)
        last = n - first;
    double hz = sj_synth_hz(note->pitch + t->tuning);
    const float *bright = sj_synth_wave_for(&in->bright, hz), *dark = sj_synth_wave_for(&in->dark, hz);
    uint32_t phase[2] = {seed, seed * 2654435761u};
    strike(e, note, seed, out + first, last);
    float amplitude[2], mix[2];
    shape(e, note, 0, &amplitude[1], &mix[1]);
    for (int64_t i = 0; i < last; i += BLOCK) {
        int length = last - i < BLOCK ? (int)(last - i) : BLOCK;
        double at_s = (double)i / SJ_SYNTH_RATE;
        double ratio = e->vibrato > 0 ? 1 + e->vibrato * sj_synth_sin(t->vibrato_hz * at_s) : 1;
        uint32_t step = (uint32_t)(hz * ratio / SJ_SYNTH_RATE * 4294967296.0);
        amplitude[0] = amplitude[1];
        mix[0] = mix[1];
        shape(e, note, at_s + (double)length / SJ_SYNTH_RATE, &amplitude[1], &mix[1]);
        if (amplitude[0] < 1e-4f && amplitude[1] < 1e-4f && i > 0)
            break;
        oscillate(bright, dark, &phase[0], step, amplitude, mix, out + first + i, length);
        if (in->detune > 1)
            oscillate(bright, dark, &phase[1], (uint32_t)(step * in->detune), amplitude, mix, out + first + i, length);
    }
}

int sj_synth_render_tones(const struct sj_synth_traits *t, int stem, const struct sj_synth_part *part, float *out,
                          int64_t n)
{
    struct instrument *in = malloc(sizeof *in);
    if (!in)
        return sj_fail(SJ_SYSTEM, "no memory for an instrument");
    int low = stem == SJ_SYNTH_BASS;
    make_instrument(t, low && t->bass_manner != BASS_LONG ? TONE_PLUCK : low ? TONE_KEYS : t->instrument, low, in);
    struct sj_rng r = sj_synth_rng(t, FOR_NOTES + stem);
    for (size_t i = 0; i < part->count; i++)
        play(t, in, &part->notes[i], sj_rng_u32(&r), out, n);
    free(in);
    return SJ_OK;
}
