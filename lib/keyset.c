#include "keyset.h"

#include <stdlib.h>
#include <string.h>

#include "crc32c.h"

/* Open addressing: key 0 .. n-1 lie in `text` one after the other, `slot` says where, by hash. */
struct sj_keyset {
    int64_t n;
    size_t *slot; /* 1 + the place in text; 0: free */
    size_t slots; /* a power of two, more than n */
    char *text;
    size_t used, room;
};

int sj_keyset_new(struct sj_keyset **s)
{
    *s = calloc(1, sizeof **s);
    return *s ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
}

void sj_keyset_free(struct sj_keyset *s)
{
    if (!s)
        return;
    free(s->slot);
    free(s->text);
    free(s);
}

/* The slot of a key: the one that holds it, or the free one where it belongs. */
static size_t find(const struct sj_keyset *s, const char *key)
{
    size_t i = sj_crc32c(0, key, strlen(key)) & (s->slots - 1);
    while (s->slot[i] && strcmp(s->text + s->slot[i] - 1, key))
        i = (i + 1) & (s->slots - 1);
    return i;
}

/* Twice the slots, every key put into its new one. */
static int grow_slots(struct sj_keyset *s)
{
    size_t slots = s->slots ? 2 * s->slots : 1024;
    size_t *slot = calloc(slots, sizeof *slot);
    if (!slot)
        return sj_fail(SJ_SYSTEM, "no memory for %lld keys", (long long)s->n);
    free(s->slot);
    s->slot = slot;
    s->slots = slots;
    for (size_t at = 0; at < s->used; at += strlen(s->text + at) + 1)
        s->slot[find(s, s->text + at)] = at + 1;
    return SJ_OK;
}

static int grow_text(struct sj_keyset *s, size_t size)
{
    if (s->used + size <= s->room)
        return SJ_OK;
    size_t room = 2 * (s->used + size);
    char *text = realloc(s->text, room);
    if (!text)
        return sj_fail(SJ_SYSTEM, "no memory for %lld keys", (long long)s->n);
    s->text = text;
    s->room = room;
    return SJ_OK;
}

int sj_keyset_add(struct sj_keyset *s, const char *key)
{
    size_t size = strlen(key) + 1;
    int status = 2 * (size_t)s->n < s->slots ? SJ_OK : grow_slots(s);
    if (status)
        return status;
    size_t i = find(s, key);
    if (s->slot[i])
        return SJ_OK;
    if ((status = grow_text(s, size)))
        return status;
    memcpy(s->text + s->used, key, size);
    s->slot[i] = s->used + 1;
    s->used += size;
    s->n++;
    return SJ_OK;
}

int64_t sj_keyset_count(const struct sj_keyset *s)
{
    return s->n;
}
