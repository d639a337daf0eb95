#include "train_feed.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ordered.h"
#include "sjk.h"

/* One pair on its way. */
struct pair {
    int class;
    char *key;
    float mel[]; /* (2, bands, T): context, target */
};

/* A front end that one thread has in use at a time. */
struct lane {
    struct sjk *k;
    struct sj_mel *mel;
    float *wave; /* (2, width) */
    int busy;
};

struct sj_feed {
    const struct sj_sampler *sampler;
    struct sj_reader *reader;
    int64_t frames, bands, width;
    int64_t next; /* number of the next pair to hand out */
    int64_t last; /* stream: one past the last pair that is wanted */
    int lanes;
    struct lane *lane;
    pthread_mutex_t lock;
    struct sj_ordered *order;
    char **key; /* of the batch being filled */
    int64_t keys;
};

static struct pair *new_pair(const struct sj_feed *f, const char *key, int class)
{
    struct pair *p = malloc(sizeof *p + (size_t)(2 * f->bands * f->frames) * sizeof *p->mel);
    if (p && !(p->key = strdup(key))) {
        free(p);
        p = NULL;
    }
    if (p)
        p->class = class;
    else
        sj_fail(SJ_SYSTEM, "no memory for a training pair");
    return p;
}

static void free_pair(void *what)
{
    struct pair *p = what;
    free(p->key);
    free(p);
}

/* -- from data sets ------------------------------------------------------------------------------------------------ */

static struct lane *take_lane(struct sj_feed *f)
{
    pthread_mutex_lock(&f->lock);
    int i = 0;
    while (i < f->lanes && f->lane[i].busy)
        i++;
    f->lane[i].busy = 1; /* there are as many lanes as threads */
    pthread_mutex_unlock(&f->lock);
    return &f->lane[i];
}

static void give_lane(struct sj_feed *f, struct lane *l)
{
    pthread_mutex_lock(&f->lock);
    l->busy = 0;
    pthread_mutex_unlock(&f->lock);
}

static int make_pair(void *arg, int64_t n, struct sj_ordered_job *to)
{
    struct sj_feed *f = arg;
    struct lane *l = take_lane(f);
    struct sj_pair drawn;
    struct pair *p = NULL;
    int status = sj_sampler_pair(f->sampler, (uint64_t)n, l->wave, l->wave + f->width, &drawn);
    if (!status && !(p = new_pair(f, drawn.key, drawn.class)))
        status = SJ_SYSTEM;
    for (int i = 0; !status && i < 2; i++)
        status = sj_mel_chunk(l->mel, f->width, l->wave + i * f->width, p->mel + i * f->bands * f->frames, f->frames);
    give_lane(f, l);
    if (status) {
        if (p)
            free_pair(p);
        return sj_fail_at(status, "training pair %lld", (long long)n);
    }
    return sj_ordered_give(to, p);
}

static int make_lanes(struct sj_feed *f, const struct sj_mel_settings *mel, int threads)
{
    char why[256];
    f->lane = calloc((size_t)threads, sizeof *f->lane);
    if (!f->lane)
        return sj_fail(SJ_SYSTEM, "no memory for training pairs");
    for (f->lanes = 0; f->lanes < threads; f->lanes++) {
        struct lane *l = &f->lane[f->lanes];
        int status = sjk_open("cpu", 1, &l->k, why, sizeof why);
        if (status)
            return sj_fail(status, "%s", why);
        l->wave = malloc((size_t)(2 * f->width) * sizeof *l->wave);
        status = l->wave ? sj_mel_new(l->k, mel, &l->mel) : sj_fail(SJ_SYSTEM, "no memory for training pairs");
        if (status) {
            f->lanes++;
            return status;
        }
    }
    return SJ_OK;
}

static struct sj_feed *new_feed(int64_t first)
{
    struct sj_feed *f = calloc(1, sizeof *f);
    if (f) {
        pthread_mutex_init(&f->lock, NULL);
        f->next = first;
    } else
        sj_fail(SJ_SYSTEM, "no memory for training pairs");
    return f;
}

int sj_feed_sets(const struct sj_sampler *s, const struct sj_mel_settings *mel, int threads, int64_t ahead,
                 int64_t first, int64_t last, struct sj_feed **out)
{
    struct sj_feed *f = new_feed(first);
    if (!f)
        return SJ_SYSTEM;
    f->sampler = s;
    f->bands = mel->bands;
    f->width = sj_sampler_width(s);
    int status = make_lanes(f, mel, threads);
    if (!status)
        f->frames = sj_mel_chunk_frames(f->lane[0].mel, f->width);
    struct sj_ordered_work work = {.threads = threads,
                                   .ahead = (int)ahead,
                                   .depth = 1,
                                   .first = first,
                                   .jobs = last - first,
                                   .run = make_pair,
                                   .drop = free_pair,
                                   .arg = f};
    if (!status)
        status = sj_ordered_open(&work, &f->order);
    if (status)
        sj_feed_free(f);
    else
        *out = f;
    return status;
}

/* -- from a stream ------------------------------------------------------------------------------------------------- */

/* Record n of the stream, on the one thread that reads. */
static int read_pair(void *arg, int64_t n, struct sj_ordered_job *to)
{
    struct sj_feed *f = arg;
    const struct sj_record *r;
    int status = sj_reader_next(f->reader, &r);
    const char *name = sj_reader_name(f->reader);
    if (status)
        return status;
    if (!r)
        return sj_fail(SJ_INPUT, "'%s' ends before pair %lld", name, (long long)n);
    if (r->position != n)
        return sj_fail(SJ_INPUT, "'%s' has pair %lld where pair %lld is wanted: see --skip of sj-chunk", name,
                       (long long)r->position, (long long)n);
    if (r->rank != 3 || r->dims[0] != 2 || r->dims[1] != f->bands || r->dims[2] != f->frames)
        return sj_fail(SJ_INPUT, "'%s': pair %lld is not 2 x %lld bands x %lld frames", name, (long long)n,
                       (long long)f->bands, (long long)f->frames);
    if (r->class < 0)
        return sj_fail(SJ_INPUT, "'%s': pair %lld has no class", name, (long long)n);
    struct pair *p = new_pair(f, r->key, r->class);
    if (!p)
        return SJ_SYSTEM;
    sj_dtype_to_f32(sj_reader_head(f->reader)->dtype, (size_t)(2 * f->bands * f->frames), r->data, p->mel);
    if (n + 1 == f->last && (status = sj_reader_next(f->reader, &r))) { /* what follows must be a pair or a proper end
                                                                         */
        free_pair(p);
        return status;
    }
    return sj_ordered_give(to, p);
}

int sj_feed_stream(struct sj_reader *r, int64_t frames, int64_t first, int64_t last, struct sj_feed **out)
{
    struct sj_feed *f = new_feed(first);
    if (!f)
        return SJ_SYSTEM;
    f->reader = r;
    f->bands = sj_mel_defaults().bands;
    f->frames = frames;
    f->last = last;
    struct sj_ordered_work work = {.threads = 1,
                                   .ahead = 16,
                                   .depth = 1,
                                   .first = first,
                                   .jobs = last - first,
                                   .run = read_pair,
                                   .drop = free_pair,
                                   .arg = f};
    int status = sj_ordered_open(&work, &f->order);
    if (status)
        sj_feed_free(f);
    else
        *out = f;
    return status;
}

/* -- taking -------------------------------------------------------------------------------------------------------- */

static void forget_keys(struct sj_feed *f)
{
    for (int64_t i = 0; i < f->keys; i++)
        free(f->key[i]);
    f->keys = 0;
}

void sj_feed_free(struct sj_feed *f)
{
    if (!f)
        return;
    sj_ordered_close(f->order);
    for (int i = 0; i < f->lanes; i++) {
        sj_mel_free(f->lane[i].mel);
        sjk_close(f->lane[i].k);
        free(f->lane[i].wave);
    }
    free(f->lane);
    forget_keys(f);
    free(f->key);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

/* The next pair, past the ends of jobs; NULL with *status set on failure. */
static struct pair *next_pair(struct sj_feed *f, int *status)
{
    void *item = NULL;
    do
        *status = sj_ordered_take(f->order, &item);
    while (!*status && !item); /* the end of the job before */
    return *status ? NULL : item;
}

int sj_feed_next(struct sj_feed *f, int64_t B, struct sj_batch *batch)
{
    size_t floats = (size_t)(f->bands * f->frames);
    forget_keys(f);
    char **key = realloc(f->key, (size_t)B * sizeof *key);
    if (!key)
        return sj_fail(SJ_SYSTEM, "no memory for a batch of %lld", (long long)B);
    f->key = key;
    for (int64_t i = 0; i < B; i++) {
        int status;
        struct pair *p = next_pair(f, &status);
        if (!p)
            return status;
        memcpy(batch->mel + (size_t)i * floats, p->mel, floats * sizeof *p->mel);
        memcpy(batch->target_mel + (size_t)i * floats, p->mel + floats, floats * sizeof *p->mel);
        batch->class[i] = p->class;
        batch->group[i] = (int32_t)i;
        for (int64_t j = i - 1; j >= 0; j--)
            if (!strcmp(f->key[j], p->key))
                batch->group[i] = batch->group[j];
        f->key[f->keys++] = p->key;
        free(p);
        f->next++;
    }
    return SJ_OK;
}
