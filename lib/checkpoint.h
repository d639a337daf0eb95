/* checkpoint: the whole state of a training, in one HDF5 file that appears whole or not at all.
 *
 * /weights, /target, /first, /second (f32, arenas in the layout of the model); each with its crc32c as attribute;
 * attributes of /: kind, step, config and settings (JSON text), data (text). A training resumed from it continues bit for bit. */
#ifndef SJ_CHECKPOINT_H
#define SJ_CHECKPOINT_H

#include "net_train.h"

/* What a checkpoint says beside the arenas. Texts are owned by the struct. */
struct sj_checkpoint {
    int64_t step;   /* finished steps */
    char *settings; /* JSON: everything that a resumed training must share, the seed among it */
    char *data;     /* what the training pairs are drawn from: must be the same */
};

void sj_checkpoint_free(struct sj_checkpoint *c);

/* Writes the state of l as PATH. buffer: sj_learner_size(l, SJ_LEARNER_WEIGHTS) floats of the caller. */
int sj_checkpoint_write(const char *path, const struct sj_checkpoint *c, const struct sj_config *config,
                        struct sj_learner *l, float *buffer);

/* Reads what PATH says, without its arenas. SJ_INPUT when it is no checkpoint or damaged. c is to be freed. */
int sj_checkpoint_read(const char *path, struct sj_checkpoint *c, struct sj_config *config);

/* Puts the arenas of PATH into l. SJ_INPUT when one is missing, misshapen or not as it was written. */
int sj_checkpoint_load(const char *path, struct sj_learner *l, float *buffer);

#endif
