/* labels: the keys, roles and classes of many records, kept when the records are gone. */
#ifndef SJ_LABELS_H
#define SJ_LABELS_H

#include <stdint.h>

#include "embeddings.h"

struct sj_labels;

int sj_labels_new(struct sj_labels **l);
void sj_labels_free(struct sj_labels *l); /* NULL is allowed */
void sj_labels_clear(struct sj_labels *l);
int sj_labels_add(struct sj_labels *l, const struct sj_embedding *e); /* copies the key */
int64_t sj_labels_count(const struct sj_labels *l);
/* Label i; its key is borrowed until the next sj_labels_add. */
struct sj_embedding sj_labels_at(const struct sj_labels *l, int64_t i);

#endif
