/* augment: training pairs changed at random, for models that are learned from rendered stems and used on recordings.
 *
 * A pair keeps the track, the crop, the target and the context that are drawn for its number: stems are active or not
 * as they were recorded, before any change of level. What is changed how much is a function of (seed, number of the
 * pair) too, each ingredient with random numbers of its own, so that one more does not disturb the others.
 *
 * Every stem, target and context alike, then both as a whole, then the context alone, in this order:
 *   gain      dB        level, uniform within +-
 *   polarity  chance    sign
 *   floor     dB        white noise of this level, or up to 40 dB less, relative to full scale, for what is never silent
 *   drive     chance    distortion: x / (1 + d |x|), d 1 to 32, the level at -20 dB kept
 *   eq        dB        two bells at 80 Hz to 5 kHz, 1 to 3 octaves wide, heights uniform within +-
 *   tilt      dB/octave slope of the spectrum, uniform within +-, 0 dB at 1 kHz
 *   speed     semitones pitch and tempo together, uniform within +-; the crop is read longer or shorter, from the same
 *                       start (earlier where the track ends), so that the pair has its length. A shorter one without
 *                       the target or the context being active is not taken: that pair keeps its speed.
 *   room      chance    a small room (lib/augment_own.h says what is drawn for this and the following)
 *   compress  chance    dynamic range compression
 *   band      chance    a low-pass or a high-pass
 *   noise     dB        white noise of this level, or up to 20 dB less, relative to that of the context
 *   codec     chance    MP3 or Vorbis and back */
#ifndef SJ_AUGMENT_H
#define SJ_AUGMENT_H

#include <stdint.h>

#include "sampler.h"

enum sj_augment_kind {
    SJ_AUGMENT_GAIN,
    SJ_AUGMENT_POLARITY,
    SJ_AUGMENT_TILT,
    SJ_AUGMENT_SPEED,
    SJ_AUGMENT_ROOM,
    SJ_AUGMENT_COMPRESS,
    SJ_AUGMENT_BAND,
    SJ_AUGMENT_NOISE,
    SJ_AUGMENT_CODEC,
    SJ_AUGMENT_FLOOR,
    SJ_AUGMENT_DRIVE,
    SJ_AUGMENT_EQ,
    SJ_AUGMENT_KINDS
};

struct sj_augment {
    double strength[SJ_AUGMENT_KINDS]; /* in the units above; 0: off */
};

/* spec: names with commas between, each perhaps with =strength, else that of `all`, which names all of them; a strength
 * of 0 leaves one out of `all`. SJ_USAGE names what is wrong with it. */
int sj_augment_parse(const char *spec, struct sj_augment *a);
/* The same in full, for those that are on: equal texts, equal changes. */
enum { SJ_AUGMENT_TEXT = 256 };
void sj_augment_text(const struct sj_augment *a, char text[SJ_AUGMENT_TEXT]);

/* -- for the sampler ----------------------------------------------------------------------------------------------- */
struct sj_augmenter;

/* For crops of so many samples. SJ_SYSTEM: no memory, or no encoder for a codec. */
int sj_augmenter_new(const struct sj_augment *a, uint64_t seed, int64_t crop, struct sj_augmenter **g);
void sj_augmenter_free(struct sj_augmenter *g); /* NULL is allowed */

/* The speed of pair n in 1/512, and the samples of a track that become a crop at a speed. */
enum { SJ_SPEED_ONE = 512 };
int sj_augmenter_speed(const struct sj_augmenter *g, uint64_t n);
int64_t sj_augmenter_span(const struct sj_augmenter *g, int speed);

/* Pair n: context (crop), target (crop) f32 from what was drawn, whose start is where the span is to begin. Without
 * stems in the context the target alone is made, the same, and `context` is spent. Any number of threads may call it at
 * once. */
int sj_augmenter_pair(struct sj_augmenter *g, uint64_t n, const struct sj_dataset *data, const struct sj_draw *draw,
                      int speed, float *context, float *target);

#endif
