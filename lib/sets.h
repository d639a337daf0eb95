/* sets: the tracks of one or more training sets, one after the other. */
#ifndef SJ_SETS_H
#define SJ_SETS_H

#include <stdint.h>

#include "dataset.h"
#include "stream.h"
#include "track.h"

struct sj_sets;

/* Opens n sets; of each, the `take` tracks (-1: all) from track `skip` on. SJ_INPUT: as sj_dataset_open; other classes;
 * no track is left. SJ_USAGE: two sets of one name, which their tracks' keys would not tell apart. */
int sj_sets_open(int n, const char *const *paths, int64_t skip, int64_t take, struct sj_sets **s);
void sj_sets_close(struct sj_sets *s); /* NULL is allowed */
int64_t sj_sets_tracks(const struct sj_sets *s); /* of all sets */
const char *const *sj_sets_classes(const struct sj_sets *s, int *n); /* borrowed */

/* The stems of a track, i16 / 32768, to be freed with sj_wave_free. key: the track's; where there are several sets, the
 * name of its own without ".h5" and '/' stand before it. where: set and track, for messages. Thread-safe. */
int sj_sets_load(const struct sj_sets *s, int64_t track, char key[SJ_KEY_BYTES + 1], char where[SJ_KEY_BYTES + 1],
                 struct sj_wave *w);

#endif
