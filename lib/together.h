/* together: chunks of a track come complete, in order and one after the other, so that one accumulator is enough for any
 * number of tracks. */
#ifndef SJ_TOGETHER_H
#define SJ_TOGETHER_H

#include "stream.h"

/* All 0 at the start. */
struct sj_together {
    int open;      /* a track has begun and not ended */
    uint32_t part; /* its next chunk */
    enum sj_role role;
    int class;
    char key[SJ_KEY_BYTES + 1];
};

/* Takes the next chunk; *first: it begins a track. SJ_INPUT, naming the key, when another chunk should have come. */
int sj_together_next(struct sj_together *t, const struct sj_record *chunk, int *first);

/* SJ_INPUT when a track still lacks its last chunk. */
int sj_together_end(const struct sj_together *t);

#endif
