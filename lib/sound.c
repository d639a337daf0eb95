#include "sound.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audio.h"
#include "decode.h"
#include "track.h"

enum { BLOCK = 1 << 16 };

static int decode_file(const char *path, float **wave, int64_t *n)
{
    struct sj_decode *d = NULL;
    int64_t got = BLOCK, room = 0;
    int status = sj_decode_open(path, SJ_AUDIO_AUTO, 0, &d);
    *wave = NULL;
    *n = 0;
    while (!status && got == BLOCK) {
        if (*n + BLOCK > room) {
            room = 2 * room + BLOCK;
            float *more = realloc(*wave, (size_t)room * sizeof *more);
            if (!more) {
                status = sj_fail(SJ_SYSTEM, "no memory for '%s'", path);
                break;
            }
            *wave = more;
        }
        status = sj_decode_read(d, BLOCK, (float *[]){*wave + *n}, &got);
        *n += status ? 0 : got;
    }
    sj_decode_close(d);
    if (status) {
        free(*wave);
        *wave = NULL;
    }
    return status;
}

/* The stem of one class among the signals of a track. */
struct picking {
    int class, on, found;
    float *wave;
    int64_t n, room;
};

static int pick_begin(void *arg, enum sj_role role, int class, int single)
{
    struct picking *p = arg;
    (void)role;
    (void)single;
    p->on = class == p->class;
    p->found |= p->on;
    return SJ_OK;
}

static int pick_push(void *arg, const float *sample, int64_t n)
{
    struct picking *p = arg;
    if (!p->on)
        return SJ_OK;
    if (p->n + n > p->room) {
        p->room = 2 * p->room + n;
        float *more = realloc(p->wave, (size_t)p->room * sizeof *more);
        if (!more)
            return sj_fail(SJ_SYSTEM, "no memory for %lld samples", (long long)p->room);
        p->wave = more;
    }
    memcpy(p->wave + p->n, sample, (size_t)n * sizeof *sample);
    p->n += n;
    return SJ_OK;
}

static int pick_end(void *arg)
{
    (void)arg;
    return SJ_OK;
}

static int pick_stem(const struct sj_classmap *map, const char *path, const char *class, struct picking *p)
{
    struct sj_tracks tracks = {.n = 0};
    struct sj_track_how how = {.stems = 1};
    const struct sj_signal_sink sink = {pick_begin, pick_push, pick_end, p};
    sj_classmap_names(map, &how.classes);
    p->class = sj_classmap_exact(map, class);
    int status = sj_layout_find(1, &path, SJ_LAYOUT_AUTO, map, &tracks);
    if (status)
        return status;
    if (p->class >= 0 && tracks.n == 1)
        status = sj_track_signals(&tracks.track[0], &how, &sink);
    if (!status && !p->found)
        status = sj_fail(SJ_INPUT, "'%s' has no stem '%s'", path, class);
    sj_tracks_free(&tracks);
    return status;
}

int sj_sound_read(const char *path, float **wave, int64_t *n)
{
    const char *colon = strrchr(path, ':');
    *wave = NULL;
    *n = 0;
    if (!colon || colon == path || !access(path, F_OK))
        return decode_file(path, wave, n);
    struct sj_classmap *map = NULL;
    struct picking p = {.class = SJ_CLASS_NONE};
    char *file = strndup(path, (size_t)(colon - path));
    int status = !file                ? sj_fail(SJ_SYSTEM, "no memory")
                 : access(file, F_OK) ? sj_fail_errno("cannot open '%s'", path)
                                      : sj_classmap_open(NULL, NULL, &map);
    if (!status)
        status = pick_stem(map, file, colon + 1, &p);
    if (status)
        free(p.wave);
    else
        *wave = p.wave, *n = p.n;
    sj_classmap_close(map);
    free(file);
    return status;
}
