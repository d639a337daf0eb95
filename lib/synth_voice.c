/* The voice: one gliding, trembling buzz through the resonances of a vocal tract that moves from vowel to vowel. */
#include "synth_parts.h"

#include "err.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK = 64, FORMANTS = 4, VOWELS = 6 };

/* Hz; after the averages of Peterson & Barney, "Control methods used in a study of the vowels", JASA 1952. */
static const float vowels[VOWELS][FORMANTS] = {
    {730, 1090, 2440, 3400}, {530, 1840, 2480, 3500}, {270, 2290, 3010, 3700},
    {570, 840, 2410, 3300},  {300, 870, 2240, 3200},  {640, 1190, 2390, 3400}};
static const float bandwidth_hz[FORMANTS] = {80, 100, 140, 200};
static const float strength[FORMANTS] = {1, 0.7f, 0.4f, 0.25f};

struct resonator {
    float a1, a2, gain, y1, y2;
};

struct singer {
    struct sj_synth_wave buzz;
    struct resonator tract[FORMANTS];
    float formant_hz[FORMANTS]; /* where the tract is; it moves towards the vowel */
    float size, breath, vibrato, glide_s, amplitude;
    double pitch;
    uint32_t phase, noise;
};

static void make_singer(const struct sj_synth_traits *t, struct sj_rng *r, struct singer *s)
{
    float harmonic[SJ_SYNTH_HARMONICS];
    for (int k = 1; k <= SJ_SYNTH_HARMONICS; k++)
        harmonic[k - 1] = 1 / ((float)k * (1 + 0.04f * t->slope * (float)k));
    sj_synth_make_wave(harmonic, &s->buzz);
    s->size = 0.92f + 0.014f * (float)(t->voice_center - 52) + sj_rng_range(r, -0.05f, 0.05f);
    s->breath = 0.02f + 0.12f * t->noise;
    s->vibrato = sj_rng_range(r, 0.1f, 0.55f);
    s->glide_s = sj_rng_range(r, 0.015f, 0.06f);
    s->noise = sj_rng_u32(r) | 1;
    for (int f = 0; f < FORMANTS; f++)
        s->formant_hz[f] = vowels[0][f] * s->size;
}

/* Two poles at the formant, gain 1 at its peak. */
static void tune(struct resonator *p, double hz, double width_hz)
{
    double radius = sj_synth_exp2(-width_hz / SJ_SYNTH_RATE * 4.532360141827194); /* exp(-pi width / rate) */
    double cosine = sj_synth_sin(hz / SJ_SYNTH_RATE + 0.25), cosine2 = 2 * cosine * cosine - 1;
    p->a1 = (float)(2 * radius * cosine);
    p->a2 = (float)(-radius * radius);
    p->gain = (float)((1 - radius) * sqrt(1 - 2 * radius * cosine2 + radius * radius));
}

/* One block: source from `buzz` and breath, amplitude gliding to `goal`, through the four resonators side by side. */
static void sing(struct singer *s, double hz, float goal, float hiss, float *out, int n)
{
    const float *wave = sj_synth_wave_for(&s->buzz, hz);
    uint32_t step = (uint32_t)(hz / SJ_SYNTH_RATE * 4294967296.0);
    float a = s->amplitude, da = (goal - a) / BLOCK;
    struct resonator *p = s->tract;
    for (int i = 0; i < n; i++) {
        uint32_t at = s->phase >> 22;
        float f = (float)(int32_t)(s->phase & 0x3FFFFF) * 0x1p-22f;
        float noise = sj_synth_noise(&s->noise);
        float x = a * (wave[at] + f * (wave[at + 1] - wave[at]) + s->breath * noise), sum = 0;
        for (int k = 0; k < FORMANTS; k++) {
            float y = p[k].gain * (x + (k >= 2 ? hiss * noise : 0)) + p[k].a1 * p[k].y1 + p[k].a2 * p[k].y2;
            p[k].y2 = p[k].y1;
            p[k].y1 = y;
            sum += strength[k] * y;
        }
        out[i] += sum;
        s->phase += step;
        a += da;
    }
    s->amplitude = a;
}

/* Pitch and amplitude of a note at `at_s` since its start. */
static double contour(struct singer *s, const struct sj_synth_traits *t, const struct sj_synth_note *note, double at_s)
{
    double settle = 1 - sj_synth_exp2(-(double)BLOCK / SJ_SYNTH_RATE / s->glide_s);
    s->pitch += (note->pitch - s->pitch) * settle;
    double depth = s->vibrato * fmin(1, fmax(0, (at_s - 0.12) / 0.25));
    return sj_synth_hz(s->pitch + t->tuning + depth * sj_synth_sin(t->vibrato_hz * at_s));
}

static void sing_note(struct singer *s, const struct sj_synth_traits *t, const struct sj_synth_note *note,
                      struct sj_rng *r, int64_t *done, int64_t end, float *out)
{
    int vowel = (int)sj_rng_below(r, VOWELS), consonant = sj_synth_chance(r, 0.5f);
    double burst_s = 0.03 + 0.04 * sj_rng_double(r);
    if (note->kind)
        s->pitch = note->pitch - 1.5 * sj_rng_double(r);
    int64_t first = (int64_t)(note->start_s * SJ_SYNTH_RATE), last = first + (int64_t)(note->length_s * SJ_SYNTH_RATE);
    for (int64_t i = *done > first ? *done : first; i < end; i += BLOCK) {
        double at_s = (double)(i - first) / SJ_SYNTH_RATE;
        int sounding = i < last, burst = consonant && at_s < burst_s;
        if (!sounding && s->amplitude < 1e-3f)
            break;
        for (int f = 0; f < FORMANTS; f++) {
            s->formant_hz[f] += 0.08f * (vowels[vowel][f] * s->size - s->formant_hz[f]);
            tune(&s->tract[f], fmin(s->formant_hz[f], 7000), bandwidth_hz[f]);
        }
        float loud = note->velocity * (burst ? 0.3f : 1), now = s->amplitude;
        float goal = sounding ? now + 0.2f * (loud - now) : 0.75f * now;
        int length = end - i < BLOCK ? (int)(end - i) : BLOCK;
        sing(s, contour(s, t, note, at_s), goal, burst ? 0.25f + 0.5f * t->noise : 0, out + i, length);
        *done = i + BLOCK;
    }
}

int sj_synth_render_voice(const struct sj_synth_traits *t, const struct sj_synth_part *part, float *out, int64_t n)
{
    struct singer *s = calloc(1, sizeof *s);
    if (!s)
        return sj_fail(SJ_SYSTEM, "no memory for a voice");
    struct sj_rng r = sj_synth_rng(t, FOR_SOUND + SJ_SYNTH_VOCALS);
    make_singer(t, &r, s);
    int64_t finished = 0;
    for (size_t i = 0; i < part->count; i++) {
        int64_t next = i + 1 < part->count ? (int64_t)(part->notes[i + 1].start_s * SJ_SYNTH_RATE) : n;
        sing_note(s, t, &part->notes[i], &r, &finished, next < n ? next : n, out);
    }
    free(s);
    return SJ_OK;
}
