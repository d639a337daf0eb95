/* level: how similar predictions and stems are that have nothing to do with each other: the mean cosine of random
 * frames of a prediction and of a stem of different tracks, whatever their classes (SPEC 8.4: 0.17 in the paper). */
#ifndef SJ_LEVEL_H
#define SJ_LEVEL_H

#include <stdint.h>

#include "sequence.h"

struct sj_level;

/* pairs: how many are drawn at the end. Until then as many frames of either side are kept, each of all that came with
 * the same probability. */
int sj_level_new(int64_t pairs, uint64_t seed, struct sj_level **l);
void sj_level_free(struct sj_level *l); /* NULL is allowed */

/* Takes note of the frames of a pair, of equal width always. */
int sj_level_add(struct sj_level *l, const struct sj_sequence *query, const struct sj_sequence *stem);

/* The mean; *pairs: of how many cosines. 0 pairs, and NaN, where there are not two tracks. */
double sj_level_mean(struct sj_level *l, int64_t *pairs);

#endif
