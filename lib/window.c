#include "window.h"

#include <stdlib.h>
#include <string.h>

struct sj_window {
    int64_t room, n;
    size_t bytes; /* of one record's data */
    char *data, *keys;
    struct sj_record *record;
};

int sj_window_new(int64_t room, int64_t floats, struct sj_window **out)
{
    struct sj_window *w = calloc(1, sizeof *w);
    if (w) {
        w->room = room;
        w->bytes = (size_t)floats * sizeof(float);
        w->data = aligned_alloc(64, ((size_t)room * w->bytes + 63) / 64 * 64);
        w->keys = malloc((size_t)room * (SJ_KEY_BYTES + 1));
        w->record = malloc((size_t)room * sizeof *w->record);
    }
    if (!w || !w->data || !w->keys || !w->record) {
        sj_window_free(w);
        return sj_fail(SJ_SYSTEM, "no memory for %lld records", (long long)room);
    }
    *out = w;
    return SJ_OK;
}

void sj_window_free(struct sj_window *w)
{
    if (!w)
        return;
    free(w->data);
    free(w->keys);
    free(w->record);
    free(w);
}

int sj_window_add(struct sj_window *w, const struct sj_record *r)
{
    if (r->bytes > w->bytes)
        return sj_fail(SJ_INPUT, "a record of '%s' is larger than the model's input", r->key);
    struct sj_record *to = &w->record[w->n];
    char *key = w->keys + (size_t)w->n * (SJ_KEY_BYTES + 1), *data = w->data + (size_t)w->n * w->bytes;
    *to = *r;
    memcpy(key, r->key, strlen(r->key) + 1);
    memcpy(data, r->data, r->bytes);
    to->key = key;
    to->data = data;
    w->n++;
    return SJ_OK;
}

int64_t sj_window_count(const struct sj_window *w)
{
    return w->n;
}

int sj_window_full(const struct sj_window *w)
{
    return w->n == w->room;
}

const struct sj_record *sj_window_at(const struct sj_window *w, int64_t i)
{
    return &w->record[i];
}

void sj_window_clear(struct sj_window *w)
{
    w->n = 0;
}

int64_t sj_window_alike(const struct sj_window *w, int axis, int64_t most, unsigned char *taken, int64_t *index)
{
    int64_t n = 0, dim = 0;
    for (int64_t i = 0; i < w->n && n < most; i++) {
        if (taken[i] || (n && w->record[i].dims[axis] != dim))
            continue;
        dim = w->record[i].dims[axis];
        taken[i] = 1;
        index[n++] = i;
    }
    return n;
}
