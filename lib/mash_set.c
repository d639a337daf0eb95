#include "mash_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lanes.h"
#include "progress.h"
#include "room.h"
#include "unchunk.h"

enum { RATE_HZ = 16000 };

/* One track on its way: its signal in, its features out. */
struct slot {
    char key[SJ_KEY_BYTES + 1];
    enum sj_role role;
    int class;
    float *signal;
    int64_t n;
    size_t room;
    struct sj_mash_track track;
    int own_beats, status;
    char reason[256];
};

struct reading {
    struct sj_mash_set *set;
    struct sj_reader *reader;
    struct sj_unchunk chunks;
    struct slot *slot; /* (slots) */
    int slots;
    struct sj_lanes *lanes;
    struct slot *filling; /* NULL: none */
    float *chunk;         /* of the record, with its halo */
    size_t chunk_room;
    struct sj_progress *progress;
};

static void work(void *arg, int i, int lane)
{
    struct reading *r = arg;
    struct slot *s = &r->slot[i];
    struct sj_beat_grid grid;
    (void)lane;
    s->status = sj_beats(s->n, s->signal, RATE_HZ, &grid);
    if (!s->status)
        s->status = sj_mash_features(s->n, s->signal, RATE_HZ, &grid, &s->track);
    if (s->status)
        snprintf(s->reason, sizeof s->reason, "%s", sj_reason()); /* reasons are per thread */
    else
        s->own_beats = grid.own;
}

/* Moves the oldest track at work to the set. */
static int take(struct reading *r)
{
    struct slot *slot = &r->slot[sj_lanes_take(r->lanes)];
    struct sj_mash_set *s = r->set;
    const struct sj_embedding label = {.key = slot->key, .role = slot->role, .class = slot->class};
    if (slot->status)
        return sj_fail(slot->status, "'%s': %s", slot->key, slot->reason);
    int status = sj_room(&s->track, sizeof *s->track, s->n, &s->room);
    if (status)
        return status;
    s->track[s->n++] = slot->track;
    slot->track = (struct sj_mash_track){0};
    s->most_beats = s->track[s->n - 1].beats > s->most_beats ? s->track[s->n - 1].beats : s->most_beats;
    s->beatless += !slot->own_beats;
    sj_progress_show(r->progress, s->n, NULL);
    return sj_labels_add(s->label, &label);
}

static void finish_track(struct reading *r)
{
    if (r->filling)
        sj_lanes_start(r->lanes);
    r->filling = NULL;
}

static int begin_track(struct reading *r, const struct sj_record *record)
{
    int status = SJ_OK;
    finish_track(r);
    while (!status && sj_lanes_full(r->lanes))
        status = take(r);
    if (status)
        return status;
    r->filling = &r->slot[sj_lanes_free_slot(r->lanes)];
    snprintf(r->filling->key, sizeof r->filling->key, "%s", record->key);
    r->filling->role = record->role;
    r->filling->class = record->class;
    r->filling->n = 0;
    return SJ_OK;
}

/* Room for `count` values in *p, which keeps its content. */
static int grow(float **p, size_t *room, size_t count)
{
    if (count <= *room)
        return SJ_OK;
    const size_t larger = *room + *room / 2 + count;
    float *q = realloc(*p, larger * sizeof *q);
    if (!q)
        return sj_fail(SJ_SYSTEM, "no memory for %zu samples", larger);
    *p = q;
    *room = larger;
    return SJ_OK;
}

static int add_chunk(struct reading *r, const struct sj_record *record)
{
    const enum sj_dtype dtype = sj_reader_head(r->reader)->dtype;
    const size_t count = record->bytes / sj_dtype_size(dtype);
    int begins = 0;
    int64_t n = 0;
    int status = sj_unchunk_put(&r->chunks, record, &begins, &n);
    if (status)
        return sj_fail_at(status, "'%s'", sj_reader_name(r->reader));
    if (begins)
        status = begin_track(r, record);
    struct slot *slot = r->filling;
    if (!status)
        status = grow(&r->chunk, &r->chunk_room, count);
    if (!status)
        status = grow(&slot->signal, &slot->room, (size_t)(slot->n + n));
    if (status)
        return status;
    sj_dtype_to_f32(dtype, count, record->data, r->chunk);
    memcpy(slot->signal + slot->n, r->chunk + r->chunks.halo, (size_t)n * sizeof *slot->signal);
    slot->n += n;
    if (!r->chunks.open)
        finish_track(r);
    return SJ_OK;
}

static int open_reading(struct reading *r, int n, const char *const *paths, int threads)
{
    int status = sj_reader_open(n, paths, &r->reader);
    if (status)
        return status;
    const struct sj_head *head = sj_reader_head(r->reader);
    const char *name = sj_reader_name(r->reader);
    status = sj_head_want(head, name, "wave/1");
    if (!status && (head->rank != 1 || strcmp(head->dim[0], "sample")))
        status = sj_fail(SJ_INPUT, "'%s' holds training pairs where the chunks of tracks are wanted", name);
    if (!status && (status = sj_unchunk_open(head, &r->chunks)))
        status = sj_fail_at(status, "'%s'", name);
    if (!status && r->chunks.rate_hz != RATE_HZ)
        status = sj_fail(SJ_INPUT, "'%s' has %lld Hz where %d Hz are wanted", name, (long long)r->chunks.rate_hz,
                         RATE_HZ);
    if (!status)
        status = sj_head_copy(head, &r->set->head);
    if (!status)
        status = sj_labels_new(&r->set->label);
    r->slots = threads > 1 ? 2 * threads : 1;
    if (!status && !(r->slot = calloc((size_t)r->slots, sizeof *r->slot)))
        status = sj_fail(SJ_SYSTEM, "no memory");
    return status ? status : sj_lanes_new(threads, r->slots, work, r, &r->lanes);
}

int sj_mash_set_read(int n, const char *const *paths, int threads, int progress, const char *label,
                     struct sj_mash_set *s)
{
    struct reading r = {.set = s};
    const struct sj_record *record = NULL;
    *s = (struct sj_mash_set){0};
    int status = open_reading(&r, n, paths, threads);
    r.progress = status ? NULL : sj_progress_new(progress, label, "tracks", 0, 0);
    while (!status && !(status = sj_reader_next(r.reader, &record)) && record)
        status = add_chunk(&r, record);
    if (!status)
        finish_track(&r);
    while (!status && sj_lanes_running(r.lanes))
        status = take(&r);
    sj_progress_end(r.progress);
    sj_lanes_free(r.lanes);
    for (int i = 0; r.slot && i < r.slots; i++) {
        sj_mash_track_free(&r.slot[i].track);
        free(r.slot[i].signal);
    }
    free(r.slot);
    free(r.chunk);
    sj_reader_close(r.reader);
    return status;
}

void sj_mash_set_free(struct sj_mash_set *s)
{
    for (int64_t i = 0; i < s->n; i++)
        sj_mash_track_free(&s->track[i]);
    free(s->track);
    sj_labels_free(s->label);
    sj_head_free(s->head);
    *s = (struct sj_mash_set){0};
}

const char *sj_mash_set_class(const struct sj_mash_set *s, int64_t i)
{
    const int class = sj_labels_at(s->label, i).class;
    return class == SJ_CLASS_NONE ? NULL : s->head->class_name[class];
}
