/* train_feed: batches of training pairs as spectrograms, from data sets (drawn, read and analysed by background
 * threads) or from a stream of pairs. Pair n is the same whichever way it comes, for any number of threads.
 *
 * Dims: B pairs of a batch, 80 mel bands, T frames. */
#ifndef SJ_TRAIN_FEED_H
#define SJ_TRAIN_FEED_H

#include <stdint.h>

#include "mel.h"
#include "sampler.h"
#include "stream.h"

struct sj_feed;

/* One batch, in memory of the caller. */
struct sj_batch {
    float *mel, *target_mel; /* (B, 80, T) */
    int32_t *class, *group;  /* (B): of the target; group: number of the first pair of the batch that is of the same
                                track */
};

/* From data sets: `threads` background threads prepare pairs first .. last-1, at most `ahead` of them waiting. The
 * sampler is borrowed. */
int sj_feed_sets(const struct sj_sampler *s, const struct sj_mel_settings *mel, int threads, int64_t ahead,
                 int64_t first, int64_t last, struct sj_feed **f);
/* From a stream "mel/1" of pairs (dims pair, mel, frame), borrowed; its records must be the pairs first, first + 1, ...
 * (SJ_INPUT, naming what to skip, when it starts elsewhere). frames: T of every record. */
int sj_feed_stream(struct sj_reader *r, int64_t frames, int64_t first, int64_t last, struct sj_feed **f);
void sj_feed_free(struct sj_feed *f); /* NULL is allowed */

/* The next B pairs. SJ_INPUT when the stream ends before. */
int sj_feed_next(struct sj_feed *f, int64_t B, struct sj_batch *batch);

#endif
