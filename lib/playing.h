/* playing: how a piece is played when it is to sound different: drawn from a generator, the same for all stems. */
#ifndef SJ_PLAYING_H
#define SJ_PLAYING_H

#include "casting.h"
#include "fluid.h"
#include "rng.h"

struct sj_playing {
    double tempo;  /* factor of the speed: 2^-0.25 .. 2^0.25 */
    int shift;     /* semitones up, of all but drums: -6 .. 5; of a module, with its drums: -3 .. 3 */
    double cents;  /* of tuning: -30 .. 30 */
    double reverb_size, reverb_damp, reverb_level; /* 0..1 each; level 0, in three of ten pieces: no room */
    int reverb_send; /* 0..127, of every channel */
    float gain[SJ_FLUID_CLASSES]; /* of each class: -5 .. 5 dB */
    float peak;    /* of the whole: 0.5 .. 0.98 */
    int program[SJ_FLUID_CLASSES][SJ_MIDI_CHANNELS]; /* sj_playing_program */
};

/* As it is written: tempo 1, peak 0.9, no room. */
void sj_playing_plain(struct sj_playing *p);
/* Draws all of it. casting: what programs the classes have, or NULL: none are drawn (modules). */
void sj_playing_draw(struct sj_rng *r, const struct sj_casting *casting, struct sj_playing *p);
/* What is played on a channel in a class where the file says program 0..127. */
int sj_playing_program(const struct sj_playing *p, int class, int channel, int program);

#endif
