/* keyset: which keys have been seen; memory grows with the distinct ones only. */
#ifndef SJ_KEYSET_H
#define SJ_KEYSET_H

#include <stdint.h>

#include "err.h"

struct sj_keyset;

int sj_keyset_new(struct sj_keyset **s);
void sj_keyset_free(struct sj_keyset *s);                 /* NULL is allowed */
int sj_keyset_add(struct sj_keyset *s, const char *key);  /* copies it unless it is there; SJ_SYSTEM: no memory */
int64_t sj_keyset_count(const struct sj_keyset *s);       /* of distinct keys */

#endif
