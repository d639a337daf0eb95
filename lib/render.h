/* render: a piece of symbolic music to one signal per class. */
#ifndef SJ_RENDER_H
#define SJ_RENDER_H

#include <stdint.h>

#include "fluid.h"
#include "midi.h"
#include "rng.h"

enum { SJ_RENDER_RATE_HZ = 16000, SJ_RENDER_CLASSES = SJ_FLUID_CLASSES };

struct sj_render_how {
    double seconds;  /* most of a piece */
    int augment;     /* draws from rng how the piece is played */
    int classes;
    struct sj_rng rng;
};

/* What comes out: signal[c] (samples) of each class, NULL where it is silent. */
struct sj_rendered {
    int64_t samples;
    int classes;
    float *signal[SJ_RENDER_CLASSES];
};

/* Renders through f, peak of the whole and of every stem at most 0.9. SJ_INPUT: fewer than two classes sound. */
int sj_render_midi(const struct sj_midi *m, struct sj_fluid *f, struct sj_render_how *how, struct sj_rendered *out);
void sj_rendered_free(struct sj_rendered *r);

#endif
