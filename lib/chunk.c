#include "chunk.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* samples that the last frame sees beyond the chunk's own */
    AFTER = SJ_CHUNK_WINDOW - SJ_CHUNK_HALO - SJ_CHUNK_HOP,
    /* samples beyond a chunk's own at which it is complete, certainly not the last, and no later reflection reaches
     * before the halo of the next */
    READY = SJ_CHUNK_HALO
};

struct sj_chunker {
    int64_t frames;
    int (*emit)(const struct sj_chunk *, void *);
    void *arg;
    float *buffer, *out;
    int64_t room;        /* of the buffer */
    int64_t base, total; /* the buffer holds samples base .. total-1 of the track */
    int64_t part;
};

int sj_wave_head(const char *dims, int classes, const char *const *names, int64_t chunk_frames, struct sj_head **out)
{
    int status = sj_head_new("wave/1", dims, SJ_F32, out);
    if (status)
        return status;
    if ((status = sj_head_set_classes(*out, classes, names))) {
        sj_head_free(*out);
        return status;
    }
    sj_json_set((*out)->params, "sample_rate_hz", sj_json_int(16000));
    sj_json_set((*out)->params, "hop_samples", sj_json_int(SJ_CHUNK_HOP));
    sj_json_set((*out)->params, "window_samples", sj_json_int(SJ_CHUNK_WINDOW));
    sj_json_set((*out)->params, "halo_samples", sj_json_int(SJ_CHUNK_HALO));
    sj_json_set((*out)->params, "chunk_frames", sj_json_int(chunk_frames));
    return SJ_OK;
}

int sj_chunker_open(int64_t chunk_frames, int (*emit)(const struct sj_chunk *, void *), void *arg,
                    struct sj_chunker **out)
{
    struct sj_chunker *c = calloc(1, sizeof *c);
    if (c) {
        *c = (struct sj_chunker){.frames = chunk_frames, .emit = emit, .arg = arg};
        c->room = SJ_CHUNK_HALO + chunk_frames * SJ_CHUNK_HOP + READY + AFTER;
        c->buffer = malloc((size_t)c->room * sizeof *c->buffer);
        c->out = malloc((size_t)c->room * sizeof *c->out);
    }
    if (!c || !c->buffer || !c->out) {
        sj_chunker_close(c);
        return sj_fail(SJ_SYSTEM, "no memory for chunks of %lld frames", (long long)chunk_frames);
    }
    *out = c;
    return SJ_OK;
}

/* Emits the next chunk with `frames` frames; beyond the ends of what is there samples are reflected. */
static int emit(struct sj_chunker *c, int64_t frames, int last)
{
    int64_t first = c->part * c->frames, from = first * SJ_CHUNK_HOP - SJ_CHUNK_HALO;
    int64_t n = (frames - 1) * SJ_CHUNK_HOP + SJ_CHUNK_WINDOW;
    int64_t head = from < 0 ? -from : 0, tail = from + n > c->total ? from + n - c->total : 0;
    for (int64_t i = 0; i < head; i++)
        c->out[i] = c->buffer[-(from + i) - c->base];
    memcpy(c->out + head, c->buffer + (from + head - c->base), (size_t)(n - head - tail) * sizeof *c->out);
    for (int64_t i = n - tail; i < n; i++)
        c->out[i] = c->buffer[2 * (c->total - 1) - (from + i) - c->base];
    struct sj_chunk chunk = {c->out, n, first, (uint32_t)c->part, last};
    c->part++;
    return c->emit(&chunk, c->arg);
}

/* Forgets what no later chunk can need. */
static void forget(struct sj_chunker *c)
{
    int64_t keep = c->part * c->frames * SJ_CHUNK_HOP - SJ_CHUNK_HALO;
    if (keep <= c->base)
        return;
    memmove(c->buffer, c->buffer + (keep - c->base), (size_t)(c->total - keep) * sizeof *c->buffer);
    c->base = keep;
}

int sj_chunker_push(struct sj_chunker *c, const float *sample, int64_t n)
{
    while (n > 0) {
        int64_t space = c->room - (c->total - c->base), k = n < space ? n : space;
        memcpy(c->buffer + (c->total - c->base), sample, (size_t)k * sizeof *sample);
        sample += k;
        n -= k;
        c->total += k;
        if (c->total >= (c->part + 1) * c->frames * SJ_CHUNK_HOP + READY) {
            int status =
                c->part < UINT32_MAX ? emit(c, c->frames, 0) : sj_fail(SJ_INPUT, "more chunks than can be counted");
            if (status)
                return status;
            forget(c);
        }
    }
    return SJ_OK;
}

int sj_chunker_end(struct sj_chunker *c)
{
    int status = SJ_OK;
    if (c->total < SJ_CHUNK_SHORTEST)
        status = sj_fail(SJ_INPUT, "%lld samples at 16 kHz are too few, %d are needed", (long long)c->total,
                         SJ_CHUNK_SHORTEST);
    int64_t all = 1 + c->total / SJ_CHUNK_HOP;
    for (int64_t left; !status && (left = all - c->part * c->frames) > 0;)
        status = emit(c, left < c->frames ? left : c->frames, left <= c->frames);
    c->base = c->total = c->part = 0;
    return status;
}

void sj_chunker_close(struct sj_chunker *c)
{
    if (!c)
        return;
    free(c->out);
    free(c->buffer);
    free(c);
}
