/* sounds: excerpts of the signals that a page plays. */
#ifndef SJ_SOUNDS_H
#define SJ_SOUNDS_H

#include <stdint.h>

#include "stream.h"

/* A mix without one stem, and that stem: the records of one key and class with the roles rest and stem. */
struct sj_sound {
    const char *key, *class;   /* wanted; borrowed */
    int16_t *rest, *stem;      /* (samples) each, full scale 32768; owned */
    int64_t samples, rate_hz;
    int64_t start;             /* of the excerpt in the track, in samples */
};

/* Reads the wave/1 streams of n paths ("-", or n = 0: standard input) to their end and fills in the `count` sounds: of
 * each the `seconds` (or all, where it is shorter) in which the stem has the most energy. A signal that comes again is
 * passed over. SJ_INPUT: a signal is missing, its chunks do not follow each other, or rest and stem differ in length.
 * On failure what was filled in is freed. */
int sj_sounds_read(int n, const char *const *paths, double seconds, int64_t count, struct sj_sound *sound);
void sj_sounds_free(int64_t count, struct sj_sound *sound);

#endif
