/* render: a piece of symbolic music to one signal per class. */
#ifndef SJ_RENDER_H
#define SJ_RENDER_H

#include <stdint.h>

#include "casting.h"
#include "fluid.h"
#include "midi.h"
#include "playing.h"

enum {
    SJ_RENDER_RATE_HZ = 16000,
    SJ_RENDER_TAIL_S = 2 /* what sounds after the last note's end */
};
#define SJ_RENDER_AUDIBLE 1e-3f /* peak of a stem that counts as sounding */

/* What comes out. */
struct sj_rendered {
    int64_t samples;
    int classes;
    float *signal[SJ_FLUID_CLASSES]; /* (classes)(samples) at SJ_RENDER_RATE_HZ */
};

/* From the first note on, at most `seconds`, and SJ_RENDER_TAIL_S beyond the last. f has as many classes as the
 * casting; or 1, then all of them sound in signal[0], which is the full render. Needs no file and starts no thread. */
int sj_render_midi(const struct sj_midi *m, const struct sj_casting *casting, struct sj_fluid *f,
                   const struct sj_playing *p, double seconds, struct sj_rendered *out);

/* n samples at from_hz, owned by the caller, to `samples` at SJ_RENDER_RATE_HZ; what is missing at the end is 0. */
int sj_render_convert(const float *in, int64_t n, int from_hz, float *out, int64_t samples);

/* Applies p's gains, then one factor to all signals and to `full` (samples; or NULL), so that the largest peak of any
 * signal, of their sum and of full is p->peak. SJ_INPUT: fewer than two classes sound. */
int sj_render_level(struct sj_rendered *r, const struct sj_playing *p, float *full);

void sj_rendered_free(struct sj_rendered *r);

#endif
