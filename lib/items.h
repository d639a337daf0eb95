/* items: what the jobs of sj-chunk give: the chunks of a track, all stems of a track, a training pair. */
#ifndef SJ_ITEMS_H
#define SJ_ITEMS_H

#include <stdint.h>

#include "dataset.h"
#include "jobs.h"
#include "sampler.h"
#include "sets.h"
#include "track.h"

/* Gives a record for every chunk of everything that is wanted of the track, as sj_cut_track. */
int sj_items_chunks(const struct sj_track *t, const struct sj_track_how *how, const char *const *names,
                    int64_t chunk_frames, struct sj_ordered_job *to);

/* The same of a track of training sets. */
int sj_items_set_chunks(const struct sj_sets *s, int64_t track, const struct sj_track_how *how, int64_t chunk_frames,
                        struct sj_ordered_job *to);

/* Gives all stems of the track as 16 bit integers, rounded and clipped, and what they were made from. SJ_INPUT as
 * sj_track_load. */
int sj_items_stems(const struct sj_track *t, const struct sj_track_how *how, struct sj_ordered_job *to);

/* *found: whether the set has the track, from the same audio. SJ_INPUT: it has the key from other audio. */
int sj_items_known(const struct sj_track *t, const struct sj_dataset_writer *set, int *found);

/* Gives pair n as a record (2,width): context and target, with the class of the target. */
int sj_items_pair(const struct sj_sampler *s, int64_t n, struct sj_ordered_job *to);

#endif
