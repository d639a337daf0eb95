/* train_source: what the pairs of a training are drawn from: data sets, or a stream of pairs. */
#ifndef SJ_TRAIN_SOURCE_H
#define SJ_TRAIN_SOURCE_H

#include "augment.h"
#include "train.h"

/* What is named on the command line. */
struct sj_train_inputs {
    int n; /* 0: standard input */
    const char *const *path;
    const char *weights; /* of data sets: numbers with commas between; NULL: all tracks alike */
    const struct sj_augment *augment; /* of data sets; NULL: pairs as they are */
    double mean, std;    /* of the mel normalisation, for data sets; NaN: as the configuration says */
    uint64_t seed;
};

struct sj_train_source;

/* Opens data sets when every input is an HDF5 file, else streams. Fills in what follows from them: classes and mel
 * settings of c, frames of s. in is borrowed. SJ_USAGE: weights that are not n numbers, or settings of data sets for a
 * stream; SJ_INPUT: a stream that holds no pairs, or pairs of other frames than s wants. */
int sj_train_source_open(const struct sj_train_inputs *in, struct sj_config *c, struct sj_train_settings *s,
                         struct sj_train_source **source);
void sj_train_source_close(struct sj_train_source *source); /* NULL is allowed */

/* A text that tells these data from others, wherever the files lie; borrowed. */
const char *sj_train_source_text(const struct sj_train_source *source);

/* The pairs of steps start .. s->steps - 1, with `threads` processors at hand: as waveforms where the back end k makes
 * spectrograms of them itself. The source is borrowed. */
int sj_train_source_feed(struct sj_train_source *source, const struct sjk *k, const struct sj_config *c,
                         const struct sj_train_settings *s, int threads, int64_t start, struct sj_feed **feed);

#endif
