/* fluid: notes to sound through a sound font, one signal per class from one pass. The only user of fluidsynth.h. */
#ifndef SJ_FLUID_H
#define SJ_FLUID_H

#include <stdint.h>

#include "err.h"
#include "midi.h"

enum {
    SJ_FLUID_RATE_HZ = 28000, /* what lies below 20 kHz folds back to above 8 kHz, and is filtered out afterwards */
    SJ_FLUID_CLASSES = 16     /* most */
};

struct sj_fluid;

/* Loads a sound font (.sf2, .sf3), all of it, so that a process forked from this one has it. classes: how many signals,
 * 1 .. SJ_FLUID_CLASSES. SJ_INPUT: no sound
 * font; SJ_SYSTEM. */
int sj_fluid_open(const char *font, int classes, struct sj_fluid **f);
void sj_fluid_close(struct sj_fluid *f); /* NULL is allowed */
int sj_fluid_classes(const struct sj_fluid *f);

/* A channel of a piece: everything sent to (channel, class) sounds in the signal of that class. All are silent and as
 * after power-up once sj_fluid_reset was called; channel 9 is drums. */
void sj_fluid_reset(struct sj_fluid *f);
void sj_fluid_send(struct sj_fluid *f, int class, const struct sj_midi_event *e);
void sj_fluid_detune(struct sj_fluid *f, double cents); /* all channels, notes from now on */
/* One room for all classes, which each has for itself: size 0..1, damp 0..1, level 0..1; level 0: no room. */
void sj_fluid_reverb(struct sj_fluid *f, double size, double damp, double level);

/* Renders n samples (a multiple of SJ_FLUID_BLOCK) of each class: signal[c] (n) += the mean of left and right. */
enum { SJ_FLUID_BLOCK = 64, SJ_FLUID_MOST = 4096 /* of n */ };
int sj_fluid_render(struct sj_fluid *f, int n, float *const *signal);

#endif
