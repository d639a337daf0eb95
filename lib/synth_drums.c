/* Drums: every drum of the piece's kit is made once, in two takes, and struck where the part says. */
#include "synth_parts.h"

#include "err.h"

#include <math.h>
#include <stdlib.h>

enum { TAKES = 2, LONGEST = 16000 };

/* A drum: a tone that glides down, and noise between two corner frequencies. Decays to -60 dB. */
struct recipe {
    double from_hz, to_hz, glide_s, tone_s, noise_s, high_hz, low_hz; /* noise: above high_hz, below low_hz */
    float tone, noise;
};

static const struct recipe recipes[DRUM_COUNT] = {
    [DRUM_KICK] = {170, 52, 0.03, 0.35, 0.02, 800, 3000, 1, 0.25f},
    [DRUM_SNARE] = {260, 185, 0.02, 0.16, 0.22, 900, 6000, 0.5f, 0.55f},
    [DRUM_HAT] = {0, 0, 1, 0.1, 0.07, 5000, 7900, 0, 0.5f},
    [DRUM_OPEN_HAT] = {0, 0, 1, 0.1, 0.45, 4500, 7900, 0, 0.5f},
    [DRUM_TOM] = {190, 110, 0.06, 0.4, 0.05, 500, 3000, 0.9f, 0.2f},
    [DRUM_CRASH] = {0, 0, 1, 0.1, 0.95, 2500, 7900, 0, 0.55f}};

/* One stroke of length LONGEST. */
static void strike(const struct recipe *d, uint32_t seed, float *out)
{
    float ring = 1, ring_fall = (float)sj_synth_decay(d->tone_s);
    float hiss = 1, hiss_fall = (float)sj_synth_decay(d->noise_s);
    float below = (float)sj_synth_pole(d->high_hz), above = (float)sj_synth_pole(d->low_hz), bottom = 0, top = 0;
    double turn = 0, glide = 1, glide_fall = sj_synth_decay(d->glide_s * 6.9);
    uint32_t state = seed | 1;
    for (int i = 0; i < LONGEST && (ring > 1e-3f || hiss > 1e-3f); i++) {
        float x = 0;
        if (d->tone > 0 && ring > 1e-3f) {
            x = d->tone * ring * (float)sj_synth_sin(turn);
            turn += (d->to_hz + (d->from_hz - d->to_hz) * glide) / SJ_SYNTH_RATE;
            glide *= glide_fall;
        }
        if (hiss > 1e-3f) {
            float white = sj_synth_noise(&state);
            top += above * (white - top);
            bottom += below * (top - bottom);
            x += d->noise * hiss * (top - bottom);
        }
        ring *= ring_fall;
        hiss *= hiss_fall;
        out[i] = x;
    }
}

static void make_kit(const struct sj_synth_traits *t, float *kit)
{
    struct sj_rng r = sj_synth_rng(t, FOR_SOUND + SJ_SYNTH_DRUMS);
    double size = sj_synth_exp2(0.9 * sj_rng_double(&r) - 0.45), tight = sj_synth_exp2(1.2 * t->sustain - 0.7);
    double bright = sj_synth_exp2(0.5 - 0.6 * t->slope); /* the timbre family: dull tones go with dull drums */
    for (int d = 0; d < DRUM_COUNT; d++) {
        struct recipe mine = recipes[d];
        double own = sj_synth_exp2(0.3 * sj_rng_double(&r) - 0.15);
        mine.from_hz *= size * own;
        mine.to_hz *= size * own;
        mine.tone_s *= tight;
        mine.noise_s *= d == DRUM_CRASH ? 1 : tight;
        mine.high_hz *= bright < 1 ? bright : 1;
        mine.low_hz = fmin(7900, mine.low_hz * bright);
        mine.noise *= 0.6f + 0.8f * t->noise;
        for (int take = 0; take < TAKES; take++)
            strike(&mine, sj_rng_u32(&r), kit + ((size_t)d * TAKES + (size_t)take) * LONGEST);
    }
}

int sj_synth_render_drums(const struct sj_synth_traits *t, const struct sj_synth_part *part, float *out, int64_t n)
{
    float *kit = calloc((size_t)DRUM_COUNT * TAKES * LONGEST, sizeof *kit);
    if (!kit)
        return sj_fail(SJ_SYSTEM, "no memory for a drum kit");
    make_kit(t, kit);
    struct sj_rng r = sj_synth_rng(t, FOR_NOTES + SJ_SYNTH_DRUMS);
    for (size_t i = 0; i < part->count; i++) {
        const struct sj_synth_note *note = &part->notes[i];
        const float *hit = kit + ((size_t)note->kind * TAKES + (size_t)sj_rng_below(&r, TAKES)) * LONGEST;
        int64_t first = (int64_t)(note->start_s * SJ_SYNTH_RATE), length = n - first < LONGEST ? n - first : LONGEST;
        for (int64_t k = 0; k < length; k++)
            out[first + k] += note->velocity * hit[k];
    }
    free(kit);
    return SJ_OK;
}
