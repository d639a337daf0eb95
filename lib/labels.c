#include "labels.h"

#include <stdlib.h>
#include <string.h>

struct label {
    size_t key; /* where it begins in the text */
    int16_t class;
    uint8_t role;
};

struct sj_labels {
    struct label *label;
    int64_t n, room;
    char *text;
    size_t used, text_room;
};

int sj_labels_new(struct sj_labels **l)
{
    *l = calloc(1, sizeof **l);
    return *l ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
}

void sj_labels_free(struct sj_labels *l)
{
    if (!l)
        return;
    free(l->label);
    free(l->text);
    free(l);
}

void sj_labels_clear(struct sj_labels *l)
{
    l->n = 0;
    l->used = 0;
}

int sj_labels_add(struct sj_labels *l, const struct sj_embedding *e)
{
    size_t size = strlen(e->key) + 1;
    if (l->n == l->room) {
        int64_t room = 2 * l->room + 64;
        struct label *p = realloc(l->label, (size_t)room * sizeof *p);
        if (!p)
            return sj_fail(SJ_SYSTEM, "no memory for %lld keys", (long long)room);
        l->label = p;
        l->room = room;
    }
    if (l->used + size > l->text_room) {
        size_t room = 2 * (l->used + size);
        char *p = realloc(l->text, room);
        if (!p)
            return sj_fail(SJ_SYSTEM, "no memory for %lld keys", (long long)l->room);
        l->text = p;
        l->text_room = room;
    }
    l->label[l->n++] = (struct label){l->used, (int16_t)e->class, (uint8_t)e->role};
    memcpy(l->text + l->used, e->key, size);
    l->used += size;
    return SJ_OK;
}

int64_t sj_labels_count(const struct sj_labels *l)
{
    return l->n;
}

struct sj_embedding sj_labels_at(const struct sj_labels *l, int64_t i)
{
    const struct label *a = &l->label[i];
    return (struct sj_embedding){l->text + a->key, (enum sj_role)a->role, a->class};
}
