/* sequence: the frames of a whole key, out of its chunks (schemas/embeddings.md, --pool frame). */
#ifndef SJ_SEQUENCE_H
#define SJ_SEQUENCE_H

#include <stdint.h>

#include "embeddings.h"

struct sj_sequence {
    char *key;     /* owned; NULL: there is none */
    int class;     /* index into the head's class_name, or SJ_CLASS_NONE */
    enum sj_role role;
    int64_t rows, d;
    float *value;  /* (rows, d) owned */
    int64_t room;  /* values that there is room for */
};

/* SJ_INPUT, saying what to do, unless the records are frames. *step_s: from one to the next; *chunk: frames of a chunk
 * but the last; of the parameters of the spectrogram. */
int sj_sequence_check(const struct sj_embeddings *e, double *step_s, int64_t *chunk);

/* The next key, its chunks one after the other as their positions say; s->key NULL at the end. s is empty, {0}, or what
 * an earlier call left. SJ_INPUT: a chunk is missing or not in its place, a value is not finite. */
int sj_sequence_next(struct sj_embeddings *e, struct sj_sequence *s);
void sj_sequence_free(struct sj_sequence *s);

/* Makes room for rows (rows, d), keeping those that are there. */
int sj_sequence_reserve(struct sj_sequence *s, int64_t rows);

#endif
