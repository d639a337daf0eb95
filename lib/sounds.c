#include "sounds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "unchunk.h"

/* A signal that is being put together. */
struct signal {
    int16_t *sample;
    int64_t samples, room; /* in `sample` */
    int complete;
};

/* All of them: two to a sound, the rest, then the stem. */
struct gathering {
    int64_t count;
    struct sj_sound *sound;
    struct signal *signal; /* (count, 2) */
    struct sj_unchunk unchunk;
    float *buffer;         /* a record's samples */
    size_t room;
};

/* The signal that a record belongs to; NULL when nobody wants it, or it is here already. */
static struct signal *find(const struct gathering *g, const struct sj_head *head, const struct sj_record *r)
{
    if (r->class == SJ_CLASS_NONE || (r->role != SJ_ROLE_REST && r->role != SJ_ROLE_STEM))
        return NULL;
    for (int64_t i = 0; i < g->count; i++)
        if (!strcmp(g->sound[i].key, r->key) && !strcmp(g->sound[i].class, head->class_name[r->class])) {
            struct signal *s = &g->signal[2 * i + (r->role == SJ_ROLE_STEM)];
            return s->complete ? NULL : s;
        }
    return NULL;
}

static int make_room(struct gathering *g, struct signal *s, size_t count, int64_t more)
{
    if (count > g->room) {
        free(g->buffer);
        g->buffer = malloc(count * sizeof *g->buffer);
        g->room = g->buffer ? count : 0;
    }
    if (s->samples + more > s->room) {
        const int64_t room = 2 * s->room + more;
        int16_t *all = realloc(s->sample, (size_t)room * sizeof *all);
        if (!all)
            return sj_fail(SJ_SYSTEM, "no memory for a sound");
        s->sample = all;
        s->room = room;
    }
    return g->buffer ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for a sound");
}

/* Appends the n samples that are the record's own. */
static int append(struct gathering *g, enum sj_dtype dtype, struct signal *s, const struct sj_record *r, int64_t n)
{
    int status = make_room(g, s, (size_t)r->dims[0], n);
    if (status)
        return status;
    sj_dtype_to_f32(dtype, (size_t)r->dims[0], r->data, g->buffer);
    sj_dtype_from_f32(SJ_I16, (size_t)n, g->buffer + g->unchunk.halo, s->sample + s->samples);
    s->samples += n;
    s->complete = r->last;
    return SJ_OK;
}

static int gather(struct gathering *g, struct sj_reader *in)
{
    const struct sj_head *head = sj_reader_head(in);
    const struct sj_record *r;
    struct signal *s = NULL;
    int begins;
    int64_t n;
    int status = sj_head_want(head, sj_reader_name(in), "wave/1");
    if (!status)
        status = sj_unchunk_open(head, &g->unchunk);
    if (!status && (g->unchunk.pairs || g->unchunk.rate_hz < 3000 || g->unchunk.rate_hz > 768000))
        status = sj_fail(SJ_INPUT, "'%s' carries %s", sj_reader_name(in), g->unchunk.pairs
                         ? "training pairs where whole signals are wanted" : "a rate that no browser plays");
    while (!status && !(status = sj_reader_next(in, &r)) && r) {
        status = sj_unchunk_put(&g->unchunk, r, &begins, &n);
        if (!status && begins && (s = find(g, head, r)))
            s->samples = 0;
        if (!status && s)
            status = append(g, head->dtype, s, r, n);
    }
    return status;
}

/* -- excerpts ------------------------------------------------------------------------------------------------------ */
/* Where the `length` samples with the most energy begin, in steps of a tenth of a second. */
static int64_t loudest(const int16_t *x, int64_t samples, int64_t length, int64_t step)
{
    double energy = 0, most = -1;
    int64_t best = 0;
    for (int64_t i = 0; i < length; i++)
        energy += (double)x[i] * x[i];
    for (int64_t at = 0;; at += step) {
        if (energy > most) {
            most = energy;
            best = at;
        }
        if (at + step + length > samples)
            return best;
        for (int64_t i = at; i < at + step; i++)
            energy += (double)x[i + length] * x[i + length] - (double)x[i] * x[i];
    }
}

static int take_excerpt(const struct gathering *g, int64_t i, double seconds)
{
    const int64_t rate_hz = g->unchunk.rate_hz;
    struct sj_sound *s = &g->sound[i];
    struct signal *part = &g->signal[2 * i];
    static const char *const role[] = {"rest", "stem"};
    for (int r = 0; r < 2; r++)
        if (!part[r].complete)
            return sj_fail(SJ_INPUT, "no sound of '%s' (%s) with the role %s", s->key, s->class, role[r]);
    if (part[0].samples != part[1].samples)
        return sj_fail(SJ_INPUT, "'%s' (%s): the stem has %lld samples and the rest %lld", s->key, s->class,
                       (long long)part[1].samples, (long long)part[0].samples);
    const double wanted = floor(seconds * (double)rate_hz);
    s->rate_hz = rate_hz;
    s->samples = wanted < (double)part[1].samples ? (int64_t)wanted : part[1].samples;
    s->start = loudest(part[1].sample, part[1].samples, s->samples, rate_hz / 10);
    for (int r = 0; r < 2; r++) {
        int16_t *to = malloc((size_t)s->samples * sizeof *to + 1);
        if (!to)
            return sj_fail(SJ_SYSTEM, "no memory for a sound");
        memcpy(to, part[r].sample + s->start, (size_t)s->samples * sizeof *to);
        *(r ? &s->stem : &s->rest) = to;
        free(part[r].sample);
        part[r].sample = NULL;
    }
    return SJ_OK;
}

int sj_sounds_read(int n, const char *const *paths, double seconds, int64_t count, struct sj_sound *sound)
{
    struct gathering g = {.count = count, .sound = sound};
    struct sj_reader *in = NULL;
    int status = sj_reader_open(n, paths, &in);
    if (!status && !(g.signal = calloc(2 * (size_t)count + 1, sizeof *g.signal)))
        status = sj_fail(SJ_SYSTEM, "no memory");
    if (!status)
        status = gather(&g, in);
    for (int64_t i = 0; i < count && !status; i++)
        status = take_excerpt(&g, i, seconds);
    for (int64_t i = 0; g.signal && i < 2 * count; i++)
        free(g.signal[i].sample);
    free(g.signal);
    free(g.buffer);
    sj_reader_close(in);
    if (status)
        sj_sounds_free(count, sound);
    return status;
}

void sj_sounds_free(int64_t count, struct sj_sound *sound)
{
    for (int64_t i = 0; i < count; i++) {
        free(sound[i].rest);
        free(sound[i].stem);
        sound[i].rest = sound[i].stem = NULL;
    }
}
