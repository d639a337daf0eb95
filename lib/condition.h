/* condition: vectors from outside that say what a class is, such as embeddings of its name or of its sound, so that a
 * predictor that was trained with them can be asked for a class that it never saw (schemas/model.md).
 *
 * File: HDF5 with /vector (n, d) of real numbers and /class (n) text, every name once. A vector counts by its direction
 * alone: reading scales it to the length sqrt(d), so that its values are of size 1. */
#ifndef SJ_CONDITION_H
#define SJ_CONDITION_H

#include <stdint.h>

#include "model.h"

struct sj_condition {
    const char *path; /* borrowed */
    int64_t n, width;
    char **class;     /* (n), one allocation */
    float *vector;    /* (n, width) */
};

/* SJ_INPUT naming the file when it is none of these: something is missing or misshapen, not finite, zero, or a name is
 * twice there. */
int sj_condition_read(const char *path, struct sj_condition *c);
void sj_condition_free(struct sj_condition *c);

/* Gives a model of condition c->width the vectors of its classes; *crc: CRC-32C of them. SJ_INPUT when one has none. */
int sj_condition_train(const struct sj_condition *c, struct sj_model *m, uint32_t *crc);

/* *class = the index in the model of the class `name` of the file, which is added behind the model's own when it is
 * none of them; the id stays. SJ_USAGE when the model takes no vectors or vectors of another width, or there is no such
 * name; SJ_INPUT when the file's vector of one of the model's classes is another than the model's. */
int sj_condition_ask(const struct sj_condition *c, struct sj_model *m, const char *name, int *class);

#endif
