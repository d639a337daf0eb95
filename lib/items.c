#include "items.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cut.h"

static int give_record(const struct sj_record *r, void *to)
{
    struct sj_item *i = sj_item_new(r->key);
    if (!i || !(i->data = malloc(r->bytes))) {
        sj_item_drop(i);
        return sj_fail(SJ_SYSTEM, "no memory for a chunk");
    }
    memcpy(i->data, r->data, r->bytes);
    i->record = *r;
    i->record.key = i->key;
    i->record.data = i->data;
    return sj_ordered_give(to, i);
}

int sj_items_chunks(const struct sj_track *t, const struct sj_track_how *how, const char *const *names,
                    int64_t chunk_frames, struct sj_ordered_job *to)
{
    return sj_cut_track(t, how, names, chunk_frames, give_record, to);
}

int sj_items_set_chunks(const struct sj_sets *s, int64_t track, const struct sj_track_how *how, int64_t chunk_frames,
                        struct sj_ordered_job *to)
{
    struct sj_wave wave;
    char key[SJ_KEY_BYTES + 1], where[SJ_KEY_BYTES + 1];
    int classes;
    const char *const *names = sj_sets_classes(s, &classes);
    int status = sj_sets_load(s, track, key, where, &wave);
    if (status)
        return status;
    status = sj_cut_wave(&wave, key, where, how, names, chunk_frames, give_record, to);
    sj_wave_free(&wave);
    return status;
}

/* f32 stems -> i->audio. */
static int quantise(const struct sj_wave *w, struct sj_item *i)
{
    size_t n = (size_t)w->samples;
    if (!(i->audio = malloc((size_t)w->stems * n * sizeof *i->audio)))
        return sj_fail(SJ_SYSTEM, "no memory for '%s'", i->key);
    for (int s = 0; s < w->stems; s++)
        for (size_t k = 0; k < n; k++) {
            float x = nearbyintf(w->stem[s][k] * 32768);
            i->clipped += x > 32767 || x < -32768;
            i->audio[(size_t)s * n + k] = (int16_t)(x > 32767 ? 32767 : x < -32768 ? -32768 : x);
        }
    i->stems = w->stems;
    i->samples = w->samples;
    memcpy(i->class, w->class, sizeof i->class);
    return SJ_OK;
}

int sj_items_stems(const struct sj_track *t, const struct sj_track_how *how, struct sj_ordered_job *to)
{
    struct sj_wave wave;
    int status = sj_track_load(t, how, &wave);
    if (status)
        return status;
    struct sj_item *i = sj_item_new(t->key);
    status = i ? quantise(&wave, i) : SJ_SYSTEM;
    sj_wave_free(&wave);
    if (!status)
        status = sj_track_source(t, SJ_SOURCE_VERSION, i->source);
    if (!status)
        return sj_ordered_give(to, i);
    sj_item_drop(i);
    return status;
}

int sj_items_known(const struct sj_track *t, const struct sj_dataset_writer *set, int *found)
{
    char source[SJ_SOURCE] = "";
    int status = sj_dataset_writer_has(set, t->key, source, found);
    /* when the key is not there the audio need not be read */
    for (int version = SJ_SOURCE_VERSION; status == SJ_INPUT && version; version--)
        if (!(status = sj_track_source(t, version, source)))
            status = sj_dataset_writer_has(set, t->key, source, found);
        else
            break;
    return status;
}

int sj_items_pair(const struct sj_sampler *s, int64_t n, struct sj_ordered_job *to)
{
    int64_t width = sj_sampler_width(s);
    size_t bytes = 2 * (size_t)width * sizeof(float);
    float *data = malloc(bytes);
    struct sj_pair pair;
    int status = data ? sj_sampler_pair(s, (uint64_t)n, data, data + width, &pair) : sj_fail(SJ_SYSTEM, "no memory");
    struct sj_item *i = status ? NULL : sj_item_new(pair.key);
    if (!i) {
        free(data);
        return status ? status : SJ_SYSTEM;
    }
    i->data = data;
    i->record = (struct sj_record){.key = i->key, .role = SJ_ROLE_REST, .class = pair.class, .position = n, .last = 1,
                                   .rank = 2, .dims = {2, width}, .data = data, .bytes = bytes};
    return sj_ordered_give(to, i);
}
