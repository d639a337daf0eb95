/* harmony: which key and chord sound when, by annotations in a folder (labfile.h, harte.h).
 *
 * Of a track FOLDER holds TRACK/key.lab, keys/TRACK.lab, keys/TRACK.keys or keylab/TRACK.lab, and TRACK/chords.lab,
 * chords/TRACK.lab, chords/TRACK.chords or chordlab/TRACK.lab. TRACK is the key of the embedding as a whole or, where
 * that has no annotation, up to its last slash. */
#ifndef SJ_HARMONY_H
#define SJ_HARMONY_H

#include <stdint.h>

#include "harte.h"

struct sj_harmony;

/* Nothing that is read may be replaced by writing `output` (borrowed; NULL: none): SJ_USAGE, when it is come to.
 * SJ_SYSTEM: there is no such folder. */
int sj_harmony_new(const char *folder, const char *output, enum sj_keys keys, enum sj_chords chords,
                   struct sj_harmony **h);
void sj_harmony_free(struct sj_harmony *h); /* NULL is allowed */

/* *combination = number of the key and chord that sound in `track` at a time, counted from 0 in the order of their
 * first use; -1: no key or no chord of the vocabulary. SJ_INPUT names the track without annotations, or the line that
 * is off. */
int sj_harmony_at(struct sj_harmony *h, const char *track, double time_s, int32_t *combination);

int32_t sj_harmony_count(const struct sj_harmony *h); /* combinations so far */
/* Borrowed until sj_harmony_free. */
void sj_harmony_names(const struct sj_harmony *h, int32_t combination, const char **key, const char **chord);

#endif
