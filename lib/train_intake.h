/* train_intake: the way of training pairs into a back end: batch i + 1 is read and brought there while batch i is
 * computed. Spectrograms come as they are; of waveforms the back end makes them.
 *
 *   read, send;  for each batch: take, read the next, mel and its passes, send the next */
#ifndef SJ_TRAIN_INTAKE_H
#define SJ_TRAIN_INTAKE_H

#include "train_feed.h"

struct sjk;
struct sj_intake;

/* Batches of B contexts of T frames from the feed; both are borrowed. */
int sj_intake_new(struct sjk *k, struct sj_feed *f, const struct sj_mel_settings *mel, int64_t B, int64_t T,
                  struct sj_intake **in);
void sj_intake_free(struct sj_intake *in); /* NULL is allowed */

/* Begins to read the next batch. */
int sj_intake_read(struct sj_intake *in);
/* Waits until it has been read and sends it to the back end. */
int sj_intake_send(struct sj_intake *in, struct sj_batch *batch);
/* The oldest batch sent becomes the one at hand. */
int sj_intake_take(struct sj_intake *in);
/* context f32 (count, bands, T) and target f32 (Q, count, bands, T), in the back end's memory: spectrograms of its
 * contexts first .. first + count - 1 and of their Q targets. */
int sj_intake_mel(struct sj_intake *in, int64_t first, int64_t count, float *context, float *target);

#endif
