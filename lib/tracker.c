#include "tracker.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xmp.h>

#include "room.h"

enum {
    RATE_HZ = 32000,
    LOW_HZ = 8000, /* to learn how long it is */
    QUIET = 40,        /* of the player's 100: so that many channels together do not clip */
    BEFORE = 64,       /* bytes of silence before a silent sample: interpolation looks there */
    AFTER = 1024,
    ALL = -1,
    LARGEST = 64 << 20 /* bytes of a sample */
};

struct playing {
    xmp_context x;
    struct xmp_module *mod;
    unsigned char **sound; /* (samples of the module) its own data */
    int *owner;            /* (samples of the module) class, or -1 */
    unsigned char *silence;
    float *signal;
    int64_t n, room;
};

int sj_tracker_is(const void *data, size_t size)
{
    struct xmp_test_info info;
    return size <= LONG_MAX && !xmp_test_module_from_memory(data, (long)size, &info);
}

static int load(const void *data, size_t size, struct playing *p)
{
    struct xmp_module_info info;
    if (!(p->x = xmp_create_context()))
        return sj_fail(SJ_SYSTEM, "no memory for a module");
    int failed = xmp_load_module_from_memory(p->x, data, (long)size);
    if (failed)
        return sj_fail(SJ_INPUT, "%s", failed == -XMP_ERROR_FORMAT ? "not a module of a known format"
                                                                   : "a module that cannot be loaded");
    xmp_get_module_info(p->x, &info);
    p->mod = info.mod;
    return SJ_OK;
}

static void unload(struct playing *p)
{
    for (int i = 0; p->mod && p->sound && i < p->mod->smp; i++)
        p->mod->xxs[i].data = p->sound[i];
    if (p->mod)
        xmp_release_module(p->x);
    if (p->x)
        xmp_free_context(p->x);
    free(p->sound);
    free(p->owner);
    free(p->silence);
    free(p->signal);
}

static int measure(struct playing *p, double *seconds)
{
    struct xmp_frame_info frame;
    if (xmp_start_player(p->x, LOW_HZ, XMP_FORMAT_MONO))
        return sj_fail(SJ_INPUT, "a module that cannot be played");
    xmp_get_frame_info(p->x, &frame);
    *seconds = frame.total_time / 1000.0;
    xmp_end_player(p->x);
    return SJ_OK;
}

/* Which class every sample belongs to, and what stands for those that are not heard. */
static int sort_out(struct playing *p, const struct sj_tracker_groups *g)
{
    const struct xmp_module *m = p->mod;
    size_t most = 0, n = m->smp > 0 ? (size_t)m->smp : 1;
    p->sound = calloc(n, sizeof *p->sound);
    p->owner = malloc(n * sizeof *p->owner);
    if (!p->sound || !p->owner)
        return sj_fail(SJ_SYSTEM, "no memory for %zu samples", n);
    for (int i = 0; i < m->smp; i++) {
        size_t bytes = (size_t)(m->xxs[i].len > 0 ? m->xxs[i].len : 0) * (m->xxs[i].flg & XMP_SAMPLE_16BIT ? 2 : 1);
        most = bytes > most ? bytes : most;
        p->sound[i] = m->xxs[i].data;
        p->owner[i] = -1;
    }
    for (int i = m->ins - 1; i >= 0; i--) /* downwards: the first instrument to use a sample has the last word */
        for (int k = 0; k < m->xxi[i].nsm; k++) {
            int s = m->xxi[i].sub[k].sid;
            if (s >= 0 && s < m->smp && i < SJ_TRACKER_INSTRUMENTS)
                p->owner[s] = g->class[i];
        }
    if (most > LARGEST || !(p->silence = calloc(1, BEFORE + 2 * most + AFTER)))
        return sj_fail(SJ_INPUT, "a sample of %zu bytes", most);
    return SJ_OK;
}

/* Whether any sample is of the class. */
static int has_any(const struct playing *p, int class)
{
    for (int i = 0; i < p->mod->smp; i++)
        if (p->owner[i] == class)
            return 1;
    return 0;
}

int sj_tracker_look(const void *data, size_t size, const struct sj_tracker_groups *groups, double *seconds,
                    int32_t class[SJ_FLUID_CLASSES], int *stems)
{
    struct playing p = {.x = NULL};
    int status = load(data, size, &p);
    if (!status)
        status = sort_out(&p, groups);
    if (!status)
        status = measure(&p, seconds);
    *stems = 0;
    for (int c = 0; c < groups->classes && !status; c++)
        if (has_any(&p, c))
            class[(*stems)++] = c;
    unload(&p);
    return status;
}

/* Appends one frame of the player. */
static int take(struct playing *p, const struct xmp_frame_info *f, int64_t most)
{
    const int16_t *in = f->buffer;
    for (int i = 0; i < f->buffer_size / (int)sizeof *in && p->n < most; i++) {
        int status = sj_room(&p->signal, sizeof *p->signal, p->n, &p->room);
        if (status)
            return status;
        p->signal[p->n++] = in[i] / 32768.0f;
    }
    return SJ_OK;
}

/* p->signal (n) = the instruments of one class, or ALL, at rate_hz; most: of n. */
static int play(struct playing *p, int class, int rate_hz, double tempo, int64_t most)
{
    int status = SJ_OK;
    p->n = 0;
    for (int i = 0; i < p->mod->smp; i++)
        p->mod->xxs[i].data = p->sound[i] && class != ALL && p->owner[i] != class ? p->silence + BEFORE : p->sound[i];
    srand(1); /* of some vibratos */
    if (xmp_start_player(p->x, rate_hz, XMP_FORMAT_MONO))
        return sj_fail(SJ_INPUT, "a module that cannot be played");
    xmp_set_player(p->x, XMP_PLAYER_VOLUME, QUIET);
    xmp_set_player(p->x, XMP_PLAYER_AMP, 0);
    (void)xmp_set_tempo_factor(p->x, 1 / tempo); /* refused where a tick would not fit the buffer: plays at its tempo */
    struct xmp_frame_info frame;
    while (!status && p->n < most && !xmp_play_frame(p->x)) {
        xmp_get_frame_info(p->x, &frame);
        if (frame.loop_count > 0)
            break;
        status = take(p, &frame, most);
    }
    xmp_end_player(p->x);
    return status;
}

/* One pass as a new signal of out->samples, which the first pass sets. */
static int pass(struct playing *p, int class, const struct sj_playing *how, double seconds, struct sj_rendered *out,
                float **signal)
{
    /* played at a lower rate than it is taken for, it is higher and faster; the tempo makes up for the latter */
    double ratio = pow(2, (how->shift + how->cents / 100) / 12);
    int rate_hz = (int)lrint(RATE_HZ / ratio);
    int status = play(p, class, rate_hz, how->tempo / ratio, (int64_t)(seconds * RATE_HZ));
    if (!status && !out->samples && !(out->samples = p->n * SJ_RENDER_RATE_HZ / RATE_HZ))
        status = sj_fail(SJ_INPUT, "it ends at once");
    if (!status && !(*signal = malloc((size_t)out->samples * sizeof **signal)))
        status = sj_fail(SJ_SYSTEM, "no memory for %lld samples", (long long)out->samples);
    return status ? status : sj_render_convert(p->signal, p->n, RATE_HZ, *signal, out->samples);
}

int sj_tracker_render(const void *data, size_t size, const struct sj_tracker_groups *groups,
                      const struct sj_playing *how, double seconds, struct sj_rendered *out, float **full)
{
    struct playing p = {.x = NULL};
    *out = (struct sj_rendered){.classes = groups->classes};
    int status = load(data, size, &p);
    if (!status)
        status = sort_out(&p, groups);
    for (int c = 0; c < groups->classes && !status; c++)
        if (has_any(&p, c))
            status = pass(&p, c, how, seconds, out, &out->signal[c]);
    if (!status && !out->samples)
        status = sj_fail(SJ_INPUT, "none of its instruments is of a class");
    for (int c = 0; c < groups->classes && !status; c++)
        if (!out->signal[c] && !(out->signal[c] = calloc((size_t)out->samples, sizeof(float))))
            status = sj_fail(SJ_SYSTEM, "no memory for %lld samples", (long long)out->samples);
    if (!status && full)
        status = pass(&p, ALL, how, seconds, out, full);
    unload(&p);
    if (status)
        sj_rendered_free(out);
    return status;
}
