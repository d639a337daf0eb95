#include "together.h"

#include <stdio.h>
#include <string.h>

static int in_order(const struct sj_together *t, const struct sj_record *chunk)
{
    if (!t->open)
        return chunk->part == 0;
    return chunk->part == t->part && chunk->role == t->role && chunk->class == t->class && !strcmp(chunk->key, t->key);
}

int sj_together_next(struct sj_together *t, const struct sj_record *chunk, int *first)
{
    if (!in_order(t, chunk))
        return sj_fail(SJ_INPUT, "chunk %u of '%s' comes out of order: chunks of a track must be complete and together",
                       chunk->part, chunk->key);
    *first = !t->open;
    if (*first) {
        t->role = chunk->role;
        t->class = chunk->class;
        snprintf(t->key, sizeof t->key, "%s", chunk->key);
    }
    t->part = chunk->part + 1;
    t->open = !chunk->last;
    return SJ_OK;
}

int sj_together_end(const struct sj_together *t)
{
    return t->open ? sj_fail(SJ_INPUT, "'%s' ends without its last chunk", t->key) : SJ_OK;
}
