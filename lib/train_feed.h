/* train_feed: batches of training pairs, from data sets (drawn and read by background threads, and analysed where the
 * back end does not) or from a stream of pairs. Pair n is the same whichever way it comes, for any number of threads.
 *
 *   sj_feed_start, other work, sj_feed_wait: one batch after the other
 *
 * Dims: B contexts of a batch, Q targets of each (1, or more from data sets), 80 mel bands, T frames, N samples. */
#ifndef SJ_TRAIN_FEED_H
#define SJ_TRAIN_FEED_H

#include <stdint.h>

#include "mel.h"
#include "sampler.h"
#include "stream.h"

struct sj_feed;

/* The labels of a batch, borrowed until the next one is waited for. */
struct sj_batch {
    const int32_t *class, *group; /* (Q, B): of the target; group: number of the first context of the batch that is of
                                     the same track, its own where tracks have several crops on purpose */
};

enum { SJ_FEED_TARGETS = 16 }; /* the most */

/* From data sets: the pairs first, first + 1, ... in batches of B, with Q targets each, prepared by
 * `threads` threads beside the caller's. mel NULL: as waveforms, else as spectrograms. The sampler is borrowed. */
int sj_feed_sets(const struct sj_sampler *s, const struct sj_mel_settings *mel, int threads, int64_t B, int Q,
                 int64_t first, struct sj_feed **f);
/* From a stream "mel/1" of pairs (dims pair, mel, frame), borrowed; its records must be the pairs first, first + 1, ...
 * last-1 (SJ_INPUT, naming what to skip, when it starts elsewhere). frames: T of every record. */
int sj_feed_stream(struct sj_reader *r, int64_t frames, int64_t B, int64_t first, int64_t last, struct sj_feed **f);
void sj_feed_free(struct sj_feed *f); /* waits for what is being prepared; NULL is allowed */

/* Samples of a waveform as sj_sampler_width; 0 when the pairs are spectrograms. */
int64_t sj_feed_samples(const struct sj_feed *f);
/* Values f32 of one side of a pair: N, or 80 T. */
int64_t sj_feed_values(const struct sj_feed *f);
int sj_feed_targets(const struct sj_feed *f); /* Q */
/* Bytes of a batch: context f32 (B, values), then target f32 (Q, B, values). */
size_t sj_feed_bytes(const struct sj_feed *f);

/* Begins to fill `memory` with the next batch. It must not have begun another one that was not waited for. */
void sj_feed_start(struct sj_feed *f, void *memory);
/* Leaves off, if it has begun a batch: its memory is not touched any more, and nothing else can be started. */
void sj_feed_stop(struct sj_feed *f);
/* Waits until it is full. SJ_INPUT when the stream ends before. */
int sj_feed_wait(struct sj_feed *f, struct sj_batch *batch);

#endif
