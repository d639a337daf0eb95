#include "cut.h"

#include <stdio.h>

#include "chunk.h"

struct cutting {
    const char *track, *path; /* its key and where it is */
    const char *const *names;
    int (*put)(const struct sj_record *r, void *arg);
    void *arg;
    struct sj_chunker *chunker;
    char key[SJ_KEY_BYTES + 1];
    struct sj_record record; /* role and class of the signal that is being cut */
};

static int begin_signal(void *arg, enum sj_role role, int class, int single)
{
    struct cutting *c = arg;
    int n = single || class < 0 ? snprintf(c->key, sizeof c->key, "%s", c->track)
                                : snprintf(c->key, sizeof c->key, "%s/%s", c->track, c->names[class]);
    c->record = (struct sj_record){.key = c->key, .role = role, .class = class, .rank = 1};
    return n <= SJ_KEY_BYTES ? SJ_OK : sj_fail(SJ_INPUT, "'%s': the name is too long", c->path);
}

static int push_signal(void *arg, const float *sample, int64_t n)
{
    struct cutting *c = arg;
    return sj_chunker_push(c->chunker, sample, n);
}

static int end_signal(void *arg)
{
    struct cutting *c = arg;
    int status = sj_chunker_end(c->chunker);
    return status == SJ_INPUT ? sj_fail_at(status, "'%s'", c->path) : status;
}

static int put_chunk(const struct sj_chunk *chunk, void *arg)
{
    struct cutting *c = arg;
    c->record.position = chunk->position;
    c->record.part = chunk->part;
    c->record.last = chunk->last;
    c->record.dims[0] = chunk->samples;
    c->record.data = chunk->sample;
    c->record.bytes = (size_t)chunk->samples * sizeof *chunk->sample;
    return c->put(&c->record, c->arg);
}

/* Of t, or where it is NULL of w. */
static int cut(struct cutting *c, const struct sj_track *t, const struct sj_wave *w, const struct sj_track_how *how,
               int64_t chunk_frames)
{
    const struct sj_signal_sink sink = {begin_signal, push_signal, end_signal, c};
    int status = sj_chunker_open(chunk_frames, put_chunk, c, &c->chunker);
    if (!status)
        status = t ? sj_track_signals(t, how, &sink) : sj_wave_signals(w, c->path, how, &sink);
    sj_chunker_close(c->chunker);
    return status;
}

int sj_cut_track(const struct sj_track *t, const struct sj_track_how *how, const char *const *names,
                 int64_t chunk_frames, int (*put)(const struct sj_record *r, void *arg), void *arg)
{
    struct cutting c = {.track = t->key, .path = sj_track_name(t), .names = names, .put = put, .arg = arg};
    return cut(&c, t, NULL, how, chunk_frames);
}

int sj_cut_wave(const struct sj_wave *w, const char *key, const char *path, const struct sj_track_how *how,
                const char *const *names, int64_t chunk_frames, int (*put)(const struct sj_record *r, void *arg),
                void *arg)
{
    struct cutting c = {.track = key, .path = path, .names = names, .put = put, .arg = arg};
    return cut(&c, NULL, w, how, chunk_frames);
}
