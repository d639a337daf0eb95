#include "train_feed.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lanes.h"
#include "sjk.h"

/* What is known of a pair beside its values. */
struct place {
    int status;
    int32_t class[SJ_FEED_TARGETS];
    char key[SJ_KEY_BYTES + 1];
    char reason[512];
};

/* A front end that one thread has in use. */
struct front {
    struct sjk *k;
    struct sj_mel *mel;
    float *wave; /* (1 + Q, width) */
};

struct sj_feed {
    const struct sj_sampler *sampler;
    struct sj_reader *reader;
    int64_t B, bands, frames, samples, values;
    int targets;  /* Q */
    int64_t next; /* number of the first pair of the batch at hand */
    int64_t last; /* stream: one past the last pair that is wanted */
    float *context, *target; /* where the batch at hand goes */
    struct place *place;     /* (B) */
    int32_t *label;          /* (2, Q, B): class, group */
    struct sj_lanes *lanes;
    int fronts;
    struct front *front; /* one for each thread; none where pairs come as they are wanted */
    pthread_mutex_t lock; /* stream: of the reader and `read` */
    int64_t read;         /* stream: pairs of the batch at hand that were read */
    int failed;           /* stream: nothing more can be read */
};

static void note_failure(struct place *p, int status)
{
    p->status = status;
    if (status)
        snprintf(p->reason, sizeof p->reason, "%s", sj_reason()); /* reasons are per thread */
}

/* -- from data sets ------------------------------------------------------------------------------------------------ */

static void draw_pair(void *arg, int slot, int lane)
{
    struct sj_feed *f = arg;
    struct place *p = &f->place[slot];
    struct sj_pair drawn[SJ_FEED_TARGETS];
    struct front *a = f->fronts ? &f->front[lane] : NULL;
    const int64_t width = sj_sampler_width(f->sampler);
    float *context = f->context + slot * f->values, *target = f->target + slot * f->values;
    int status = sj_sampler_targets(f->sampler, (uint64_t)(f->next + slot), f->targets, a ? a->wave : context,
                                    a ? a->wave + width : target, a ? width : f->B * f->values, drawn);
    for (int k = 0; !status && a && k <= f->targets; k++)
        status = sj_mel_chunk(a->mel, width, a->wave + k * width, k ? target + (k - 1) * f->B * f->values : context,
                              f->frames);
    for (int k = 0; !status && k < f->targets; k++)
        p->class[k] = drawn[k].class;
    if (!status)
        snprintf(p->key, sizeof p->key, "%s", drawn[0].key);
    else
        sj_fail_at(status, "training pair %lld", (long long)(f->next + slot));
    note_failure(p, status);
}

static int make_fronts(struct sj_feed *f, const struct sj_mel_settings *mel, int threads)
{
    char why[256];
    f->front = calloc((size_t)threads, sizeof *f->front);
    if (!f->front)
        return sj_fail(SJ_SYSTEM, "no memory for training pairs");
    for (f->fronts = 0; f->fronts < threads; f->fronts++) {
        struct front *a = &f->front[f->fronts];
        int status = sjk_open("cpu", 1, &a->k, why, sizeof why);
        if (status)
            return sj_fail(status, "%s", why);
        a->wave = malloc((size_t)((1 + f->targets) * sj_sampler_width(f->sampler)) * sizeof *a->wave);
        status = a->wave ? sj_mel_new(a->k, mel, &a->mel) : sj_fail(SJ_SYSTEM, "no memory for training pairs");
        if (status) {
            f->fronts++;
            return status;
        }
    }
    return SJ_OK;
}

/* -- from a stream ------------------------------------------------------------------------------------------------- */

static int read_record(struct sj_feed *f, int64_t at)
{
    const struct sj_record *r;
    int64_t n = f->next + at;
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
    const enum sj_dtype type = sj_reader_head(f->reader)->dtype;
    const char *data = r->data;
    sj_dtype_to_f32(type, (size_t)f->values, data, f->context + at * f->values);
    sj_dtype_to_f32(type, (size_t)f->values, data + r->bytes / 2, f->target + at * f->values);
    f->place[at].class[0] = r->class;
    snprintf(f->place[at].key, sizeof f->place[at].key, "%s", r->key);
    return n + 1 == f->last ? sj_reader_next(f->reader, &r) : SJ_OK; /* what follows must be a pair or a proper end */
}

/* The next record, whatever the slot: as many are read as slots are handed in. */
static void read_pair(void *arg, int slot, int lane)
{
    struct sj_feed *f = arg;
    (void)slot, (void)lane;
    pthread_mutex_lock(&f->lock);
    int64_t at = f->read++;
    int status = f->failed ? SJ_INPUT : read_record(f, at);
    note_failure(&f->place[at], status);
    f->failed = status;
    pthread_mutex_unlock(&f->lock);
}

/* -- both ---------------------------------------------------------------------------------------------------------- */

static struct sj_feed *new_feed(int64_t B, int Q, int64_t first)
{
    struct sj_feed *f = calloc(1, sizeof *f);
    if (f) {
        pthread_mutex_init(&f->lock, NULL);
        f->B = B;
        f->targets = Q;
        f->next = first;
        f->place = calloc((size_t)B, sizeof *f->place);
        f->label = calloc(2 * (size_t)(Q * B), sizeof *f->label);
    }
    if (f && f->place && f->label)
        return f;
    sj_feed_free(f);
    sj_fail(SJ_SYSTEM, "no memory for a batch of %lld", (long long)B);
    return NULL;
}

/* At least two threads: with one, lanes work on the caller's. */
static int start_lanes(struct sj_feed *f, int threads, void (*work)(void *, int, int))
{
    return sj_lanes_new(threads < 2 ? 2 : threads, (int)f->B, work, f, &f->lanes);
}

int sj_feed_sets(const struct sj_sampler *s, const struct sj_mel_settings *mel, int threads, int64_t B, int Q,
                 int64_t first, struct sj_feed **out)
{
    struct sj_feed *f = new_feed(B, Q, first);
    int status = SJ_OK;
    if (!f)
        return SJ_SYSTEM;
    f->sampler = s;
    threads = threads < 2 ? 2 : threads;
    if (mel) {
        if (!(status = make_fronts(f, mel, threads)))
            f->frames = sj_mel_chunk_frames(f->front[0].mel, sj_sampler_width(s));
        f->values = mel->bands * f->frames;
    } else {
        f->values = f->samples = sj_sampler_width(s);
    }
    if (!status)
        status = start_lanes(f, threads, draw_pair);
    if (status)
        sj_feed_free(f);
    else
        *out = f;
    return status;
}

int sj_feed_stream(struct sj_reader *r, int64_t frames, int64_t B, int64_t first, int64_t last, struct sj_feed **out)
{
    struct sj_feed *f = new_feed(B, 1, first);
    if (!f)
        return SJ_SYSTEM;
    f->reader = r;
    f->bands = sj_mel_defaults().bands;
    f->frames = frames;
    f->values = f->bands * frames;
    f->last = last;
    int status = start_lanes(f, 2, read_pair);
    if (status)
        sj_feed_free(f);
    else
        *out = f;
    return status;
}

void sj_feed_stop(struct sj_feed *f)
{
    sj_lanes_free(f->lanes);
    f->lanes = NULL;
}

void sj_feed_free(struct sj_feed *f)
{
    if (!f)
        return;
    sj_feed_stop(f);
    for (int i = 0; i < f->fronts; i++) {
        sj_mel_free(f->front[i].mel);
        sjk_close(f->front[i].k);
        free(f->front[i].wave);
    }
    free(f->front);
    free(f->place);
    free(f->label);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

int64_t sj_feed_samples(const struct sj_feed *f)
{
    return f->samples;
}

int64_t sj_feed_values(const struct sj_feed *f)
{
    return f->values;
}

int sj_feed_targets(const struct sj_feed *f)
{
    return f->targets;
}

size_t sj_feed_bytes(const struct sj_feed *f)
{
    return (1 + (size_t)f->targets) * (size_t)(f->B * f->values) * sizeof(float);
}

void sj_feed_start(struct sj_feed *f, void *memory)
{
    f->context = memory;
    f->target = f->context + f->B * f->values;
    f->read = 0;
    for (int64_t i = 0; i < f->B; i++)
        sj_lanes_start(f->lanes);
}

int sj_feed_wait(struct sj_feed *f, struct sj_batch *batch)
{
    int32_t *class = f->label, *group = class + f->targets * f->B;
    const struct place *bad = NULL;
    const int apart = f->sampler && sj_sampler_crops(f->sampler) > 1;
    for (int64_t i = 0; i < f->B; i++)
        sj_lanes_take(f->lanes);
    for (int64_t i = 0; i < f->B && !bad; i++) {
        const struct place *p = &f->place[i];
        bad = p->status ? p : NULL;
        group[i] = (int32_t)i;
        for (int64_t j = i - 1; j >= 0 && !apart; j--)
            if (!strcmp(f->place[j].key, p->key))
                group[i] = group[j];
        for (int64_t k = 0; k < f->targets; k++) {
            class[k * f->B + i] = p->class[k];
            group[k * f->B + i] = group[i];
        }
    }
    f->next += f->B;
    *batch = (struct sj_batch){class, group};
    return bad ? sj_fail(bad->status, "%s", bad->reason) : SJ_OK;
}
