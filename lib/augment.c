#include "augment.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "audio_codec.h"
#include "augment_own.h"
#include "cli.h"
#include "rng.h"

enum { PURPOSE = 0x61756700 }; /* "aug" and the kind: keeps the random numbers apart from others of the seed */

static const struct {
    const char *name;
    double all, min, max; /* the strength in `all`; the range */
} kinds[SJ_AUGMENT_KINDS] = {
    [SJ_AUGMENT_GAIN] = {"gain", 6, 0, 60},
    [SJ_AUGMENT_POLARITY] = {"polarity", 0.5, 0, 1},
    [SJ_AUGMENT_TILT] = {"tilt", 3, 0, 6},
    [SJ_AUGMENT_SPEED] = {"speed", 2, 0, 12},
    [SJ_AUGMENT_ROOM] = {"room", 0.3, 0, 1},
    [SJ_AUGMENT_COMPRESS] = {"compress", 0.3, 0, 1},
    [SJ_AUGMENT_BAND] = {"band", 0.3, 0, 1},
    [SJ_AUGMENT_NOISE] = {"noise", -50, -120, 0},
    [SJ_AUGMENT_CODEC] = {"codec", 0.03, 0, 1}, /* 20 ms each time: as dear as all others together */
    [SJ_AUGMENT_FLOOR] = {"floor", -60, -120, 0},
    [SJ_AUGMENT_DRIVE] = {"drive", 0.3, 0, 1},
    [SJ_AUGMENT_EQ] = {"eq", 9, 0, 24},
};

/* -- what is wanted ------------------------------------------------------------------------------------------------ */

static int find_kind(const char *name)
{
    int k = 0;
    while (k < SJ_AUGMENT_KINDS && strcmp(kinds[k].name, name))
        k++;
    return k;
}

static int unknown(const char *name)
{
    char list[160] = "all";
    for (int k = 0; k < SJ_AUGMENT_KINDS; k++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, ", %s", kinds[k].name);
    }
    return sj_fail(SJ_USAGE, "--augment: '%s' is none of %s", name, list);
}

/* One name of the list, perhaps with =strength. *named: bits of those that were. */
static int parse_one(char *text, unsigned *named, struct sj_augment *a)
{
    char *value = strchr(text, '='), what[64];
    if (value)
        *value++ = 0;
    const int k = find_kind(text);
    if (!strcmp(text, "all")) {
        if (value)
            return sj_fail(SJ_USAGE, "--augment: 'all' has no strength");
        for (int i = 0; i < SJ_AUGMENT_KINDS; i++)
            a->strength[i] = *named >> i & 1 ? a->strength[i] : kinds[i].all;
        return SJ_OK;
    }
    if (k == SJ_AUGMENT_KINDS)
        return unknown(text);
    if (*named >> k & 1)
        return sj_fail(SJ_USAGE, "--augment: '%s' is named twice", text);
    *named |= 1u << k;
    a->strength[k] = kinds[k].all;
    snprintf(what, sizeof what, "--augment: %s", text);
    return value ? sj_cli_real(what, value, kinds[k].min, kinds[k].max, &a->strength[k]) : SJ_OK;
}

int sj_augment_parse(const char *spec, struct sj_augment *a)
{
    unsigned named = 0;
    *a = (struct sj_augment){0};
    for (const char *p = spec;; p++) {
        char one[64];
        const size_t n = strcspn(p, ",");
        snprintf(one, sizeof one, "%.*s", (int)n, p);
        int status = parse_one(one, &named, a);
        if (status)
            return status;
        p += n;
        if (!*p)
            break;
    }
    for (int k = 0; k < SJ_AUGMENT_KINDS; k++)
        if (a->strength[k] != 0)
            return SJ_OK;
    return sj_fail(SJ_USAGE, "--augment: '%s' leaves nothing to do", spec);
}

void sj_augment_text(const struct sj_augment *a, char text[SJ_AUGMENT_TEXT])
{
    text[0] = 0;
    for (int k = 0; k < SJ_AUGMENT_KINDS; k++) {
        const size_t used = strlen(text);
        if (a->strength[k] != 0)
            snprintf(text + used, SJ_AUGMENT_TEXT - used, "%s%s=%.9g", used ? "," : "", kinds[k].name, a->strength[k]);
    }
}

/* -- what a thread works with -------------------------------------------------------------------------------------- */
struct scratch {
    struct scratch *next;
    float *in[2];  /* (longest) context and target before the change of speed */
    float *filter; /* (512, SJ_SPEED_TAPS) */
    struct sj_echo *echo; /* or NULL: no rooms */
};

struct sj_augmenter {
    struct sj_augment want;
    uint64_t seed;
    int64_t crop, longest; /* samples of a pair; read for one at most, with the filter's reach */
    float *table;          /* (SJ_SPEED_TABLE) */
    pthread_mutex_t lock;  /* of `idle` */
    struct scratch *idle;
};

static void drop_scratch(struct scratch *s)
{
    free(s->in[0]);
    free(s->in[1]);
    free(s->filter);
    sj_echo_free(s->echo);
    free(s);
}

static int new_scratch(const struct sj_augmenter *g, struct scratch **out)
{
    struct scratch *s = calloc(1, sizeof *s);
    if (!s)
        return sj_fail(SJ_SYSTEM, "no memory for training pairs");
    s->in[0] = malloc((size_t)g->longest * sizeof(float));
    s->in[1] = malloc((size_t)g->longest * sizeof(float));
    s->filter = malloc((size_t)SJ_SPEED_ONE * SJ_SPEED_TAPS * sizeof(float));
    int status = s->in[0] && s->in[1] && s->filter ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for training pairs");
    if (!status && g->want.strength[SJ_AUGMENT_ROOM] > 0)
        status = sj_echo_new(&s->echo);
    if (status)
        drop_scratch(s);
    else
        *out = s;
    return status;
}

/* One that no other thread has. */
static int borrow(struct sj_augmenter *g, struct scratch **s)
{
    pthread_mutex_lock(&g->lock);
    *s = g->idle;
    if (*s)
        g->idle = (*s)->next;
    pthread_mutex_unlock(&g->lock);
    return *s ? SJ_OK : new_scratch(g, s);
}

static void give_back(struct sj_augmenter *g, struct scratch *s)
{
    pthread_mutex_lock(&g->lock);
    s->next = g->idle;
    g->idle = s;
    pthread_mutex_unlock(&g->lock);
}

int sj_augmenter_new(const struct sj_augment *a, uint64_t seed, int64_t crop, struct sj_augmenter **out)
{
    int status = a->strength[SJ_AUGMENT_CODEC] > 0 ? sj_codec_check() : SJ_OK;
    if (status)
        return status;
    struct sj_augmenter *g = calloc(1, sizeof *g);
    if (!g || !(g->table = malloc(SJ_SPEED_TABLE * sizeof *g->table))) {
        free(g);
        return sj_fail(SJ_SYSTEM, "no memory for training pairs");
    }
    pthread_mutex_init(&g->lock, NULL);
    g->want = *a;
    g->seed = seed;
    g->crop = crop;
    g->longest = sj_augmenter_span(g, SJ_SPEED_MOST) + SJ_SPEED_TAPS;
    sj_speed_table(g->table);
    *out = g;
    return SJ_OK;
}

void sj_augmenter_free(struct sj_augmenter *g)
{
    if (!g)
        return;
    while (g->idle) {
        struct scratch *s = g->idle;
        g->idle = s->next;
        drop_scratch(s);
    }
    pthread_mutex_destroy(&g->lock);
    free(g->table);
    free(g);
}

/* -- a pair -------------------------------------------------------------------------------------------------------- */

/* The random numbers of an ingredient in pair n. */
static struct sj_rng random_of(const struct sj_augmenter *g, enum sj_augment_kind kind, uint64_t n)
{
    return sj_rng(g->seed, sj_rng_stream((uint64_t)PURPOSE + kind, n));
}

/* Uniform within +-strength. */
static double spread(struct sj_rng *r, double strength)
{
    return strength * (2 * sj_rng_double(r) - 1);
}

int sj_augmenter_speed(const struct sj_augmenter *g, uint64_t n)
{
    struct sj_rng r = random_of(g, SJ_AUGMENT_SPEED, n);
    return (int)lround(SJ_SPEED_ONE * exp2(spread(&r, g->want.strength[SJ_AUGMENT_SPEED]) / 12));
}

int64_t sj_augmenter_span(const struct sj_augmenter *g, int speed)
{
    return (g->crop - 1) * speed / SJ_SPEED_ONE + 1;
}

/* change (stems): of the target first, then of the context's stems. */
static void draw_changes(const struct sj_augmenter *g, uint64_t n, int stems, struct sj_stem_change *change)
{
    const double *strength = g->want.strength;
    struct sj_rng gain = random_of(g, SJ_AUGMENT_GAIN, n), tilt = random_of(g, SJ_AUGMENT_TILT, n);
    struct sj_rng sign = random_of(g, SJ_AUGMENT_POLARITY, n);
    struct sj_rng eq = random_of(g, SJ_AUGMENT_EQ, n), drive = random_of(g, SJ_AUGMENT_DRIVE, n);
    struct sj_rng floor = random_of(g, SJ_AUGMENT_FLOOR, n);
    for (int k = 0; k < stems; k++) {
        const double factor = exp10(spread(&gain, strength[SJ_AUGMENT_GAIN]) / 20);
        const int turned = sj_rng_double(&sign) < strength[SJ_AUGMENT_POLARITY];
        struct sj_stem_change *c = &change[k];
        *c = (struct sj_stem_change){.gain = (float)(turned ? -factor : factor),
                                     .tilt = (float)spread(&tilt, strength[SJ_AUGMENT_TILT])};
        for (int b = 0; b < SJ_STEM_BELLS; b++) {
            c->bell[b].hz = 80 * exp2f(sj_rng_range(&eq, 0, 6));
            c->bell[b].db = (float)spread(&eq, strength[SJ_AUGMENT_EQ]);
            c->bell[b].octaves = sj_rng_range(&eq, 1, 3);
        }
        if (sj_rng_double(&drive) < strength[SJ_AUGMENT_DRIVE])
            c->drive = exp2f(sj_rng_range(&drive, 0, 5));
        if (strength[SJ_AUGMENT_FLOOR] < 0) {
            c->floor = exp10f((float)strength[SJ_AUGMENT_FLOOR] / 20 - sj_rng_range(&floor, 0, 2));
            c->noise = (uint32_t)(4294967296.0 * sj_rng_double(&floor));
        }
    }
}

/* Whether an ingredient with a chance comes into pair n; *r: what else it draws from. */
static int comes(const struct sj_augmenter *g, enum sj_augment_kind kind, uint64_t n, struct sj_rng *r)
{
    *r = random_of(g, kind, n);
    return sj_rng_double(r) < g->want.strength[kind];
}

static int change_context(const struct sj_augmenter *g, uint64_t n, struct scratch *s, float *x)
{
    struct sj_rng r;
    if (comes(g, SJ_AUGMENT_ROOM, n, &r))
        sj_augment_room(s->echo, &r, g->crop, x);
    if (comes(g, SJ_AUGMENT_COMPRESS, n, &r))
        sj_augment_compress(&r, g->crop, x);
    if (comes(g, SJ_AUGMENT_BAND, n, &r))
        sj_augment_band(&r, g->crop, x);
    r = random_of(g, SJ_AUGMENT_NOISE, n);
    if (g->want.strength[SJ_AUGMENT_NOISE] < 0)
        sj_augment_noise(&r, g->want.strength[SJ_AUGMENT_NOISE], g->crop, x);
    return comes(g, SJ_AUGMENT_CODEC, n, &r) ? sj_augment_codec(&r, g->crop, x) : SJ_OK;
}

int sj_augmenter_pair(struct sj_augmenter *g, uint64_t n, const struct sj_dataset *data, const struct sj_draw *draw,
                      int speed, float *context, float *target)
{
    const int stems = 1 + draw->contexts, taps = speed == SJ_SPEED_ONE ? 0 : sj_speed_taps(speed);
    int stem[SJ_SAMPLER_STEMS] = {draw->target};
    struct sj_stem_change change[SJ_SAMPLER_STEMS];
    struct scratch *s;
    int status = borrow(g, &s);
    if (status)
        return status;
    memcpy(stem + 1, draw->context, (size_t)draw->contexts * sizeof *stem);
    draw_changes(g, n, stems, change);
    const struct sj_stretch from = {data, draw->track, draw->start - (taps ? taps / 2 - 1 : 0),
                                    sj_augmenter_span(g, speed) + taps};
    status = sj_augment_stems(&from, stems, stem, change, taps ? s->in[0] : context, taps ? s->in[1] : target);
    if (!status && taps) {
        sj_speed_filter(g->table, speed, s->filter);
        sj_speed_change(speed, s->filter, g->crop, (const float *const[]){s->in[0], s->in[1]},
                        (float *const[]){context, target});
    }
    if (!status && draw->contexts)
        status = change_context(g, n, s, context);
    give_back(g, s);
    return status;
}
