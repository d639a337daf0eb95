#include "pool.h"
#include "together.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const sj_pool_names[] = {"token", "frame", "track", "aligned", NULL};

struct sj_pooler {
    enum sj_pool mode;
    int64_t F, D;
    float *frames;          /* (room, F*D): frame mode: of one chunk; aligned: after room for the mean, those of a key */
    int64_t room;
    double *sum;            /* of a key: (F*D) */
    float *mean;
    int64_t patches;        /* of a key so far */
    struct sj_together together;
};

const char *sj_pool_dims(enum sj_pool mode)
{
    static const char *const dims[] = {"frequency,time,dim", "time,vector", "vector", "vector"};
    return dims[mode];
}

int sj_pooler_new(enum sj_pool mode, int64_t F, int64_t D, struct sj_pooler **out)
{
    struct sj_pooler *p = calloc(1, sizeof *p);
    if (p) {
        p->mode = mode;
        p->F = F;
        p->D = D;
        p->sum = calloc((size_t)(F * D), sizeof *p->sum);
        p->mean = malloc((size_t)(F * D) * sizeof *p->mean);
    }
    if (!p || !p->sum || !p->mean) {
        sj_pooler_free(p);
        return sj_fail(SJ_SYSTEM, "no memory");
    }
    *out = p;
    return SJ_OK;
}

void sj_pooler_free(struct sj_pooler *p)
{
    if (!p)
        return;
    free(p->frames);
    free(p->sum);
    free(p->mean);
    free(p);
}

static int put(const struct sj_record *like, int rank, const int64_t *dims, const float *data, struct sj_output *out)
{
    struct sj_record r = *like;
    r.rank = rank;
    r.data = data;
    r.bytes = sizeof *data;
    for (int i = 0; i < rank; i++) {
        r.dims[i] = dims[i];
        r.bytes *= (size_t)dims[i];
    }
    return sj_output_put(out, &r);
}

void sj_pool_frames(int64_t F, int64_t P, int64_t D, const float *z, float *out)
{
    for (int64_t t = 0; t < P; t++)
        for (int64_t f = 0; f < F; f++)
            memcpy(out + (t * F + f) * D, z + (f * P + t) * D, (size_t)D * sizeof *z);
}

/* Room for so many frames, those that are there kept. */
static int reserve(struct sj_pooler *p, int64_t frames)
{
    if (frames <= p->room)
        return SJ_OK;
    frames += frames / 2;
    float *more = realloc(p->frames, (size_t)(frames * p->F * p->D) * sizeof *more);
    if (!more)
        return sj_fail(SJ_SYSTEM, "no memory");
    p->frames = more;
    p->room = frames;
    return SJ_OK;
}

static int put_frames(struct sj_pooler *p, const struct sj_record *like, int64_t P, const float *z,
                      struct sj_output *out)
{
    int status = reserve(p, P);
    if (status)
        return status;
    sj_pool_frames(p->F, P, p->D, z, p->frames);
    return put(like, 2, (int64_t[]){P, p->F * p->D}, p->frames, out);
}

static void scale_to_one(int64_t n, float *x)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    const float scale = sum > 0 ? (float)(1 / sqrt(sum)) : 0;
    for (int64_t i = 0; i < n; i++)
        x[i] *= scale;
}

void sj_pool_align(int64_t P, int64_t d, float *x)
{
    double whole = 0;
    for (int64_t i = 0; i < d; i++) {
        double mean = 0;
        for (int64_t t = 1; t <= P; t++)
            mean += (double)x[t * d + i];
        mean /= (double)P;
        for (int64_t t = 1; t <= P; t++)
            x[t * d + i] = (float)((double)x[t * d + i] - mean);
        x[i] = (float)mean;
        whole += mean / (double)d;
    }
    for (int64_t i = 0; i < d; i++)
        x[i] = (float)((double)x[i] - whole);
    scale_to_one(d, x);
    scale_to_one(P * d, x + d);
}

static int add_to_track(struct sj_pooler *p, const struct sj_record *like, int64_t P, const float *z,
                        struct sj_output *out)
{
    int first, status = sj_together_next(&p->together, like, &first);
    if (status)
        return status;
    if (first) {
        memset(p->sum, 0, (size_t)(p->F * p->D) * sizeof *p->sum);
        p->patches = 0;
    }
    if (p->mode == SJ_POOL_ALIGNED) {
        if ((status = reserve(p, 1 + p->patches + P)))
            return status;
        sj_pool_frames(p->F, P, p->D, z, p->frames + (1 + p->patches) * p->F * p->D);
    }
    p->patches += P;
    for (int64_t f = 0; f < p->F; f++)
        for (int64_t t = 0; t < P; t++)
            for (int64_t d = 0; d < p->D; d++)
                p->sum[f * p->D + d] += (double)z[(f * P + t) * p->D + d];
    if (!like->last)
        return SJ_OK;
    for (int64_t i = 0; i < p->F * p->D; i++)
        p->mean[i] = (float)(p->sum[i] / (double)p->patches);
    struct sj_record whole = *like;
    whole.position = 0;
    whole.part = 0;
    if (p->mode == SJ_POOL_TRACK)
        return put(&whole, 1, (int64_t[]){p->F * p->D}, p->mean, out);
    sj_pool_align(p->patches, p->F * p->D, p->frames);
    return put(&whole, 1, (int64_t[]){(1 + p->patches) * p->F * p->D}, p->frames, out);
}

int sj_pooler_put(struct sj_pooler *p, const struct sj_record *like, int64_t P, const float *z, struct sj_output *out)
{
    switch (p->mode) {
    case SJ_POOL_TOKEN:
        return put(like, 3, (int64_t[]){p->F, P, p->D}, z, out);
    case SJ_POOL_FRAME:
        return put_frames(p, like, P, z, out);
    case SJ_POOL_TRACK:
    case SJ_POOL_ALIGNED:
        return add_to_track(p, like, P, z, out);
    }
    return sj_fail(SJ_USAGE, "no such pooling");
}

int sj_pooler_end(const struct sj_pooler *p)
{
    return sj_together_end(&p->together);
}
