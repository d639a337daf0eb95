/* annotation: what is known about a made-up piece, as files. */
#ifndef SJ_ANNOTATION_H
#define SJ_ANNOTATION_H

#include "synth.h"

/* Writes into the existing folder PATH, each whole or not at all:
 *   key.lab          start end "Key" label      (tab-separated, seconds, as the Isophonics annotations; key "C:minor")
 *   chords.lab       start end label            (Harte syntax)
 *   beats.lab        time number-in-bar
 *   annotation.json  all of it, with style, tempo, swing and tuning; written last
 * SJ_SYSTEM names the file. */
int sj_annotation_write(const struct sj_synth_piece *piece, const char *path);
/* Removes the annotation.json of the folder PATH, if there is one: what follows makes the folder incomplete. */
int sj_annotation_withdraw(const char *path);

#endif
