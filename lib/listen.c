#include "listen.h"

#include <stdlib.h>
#include <string.h>

#include "audio.h"
#include "chunk.h"
#include "pool.h"
#include "sound.h"

enum { BATCH = 8 };

/* What is being listened to, chunk by chunk, batches of chunks of one length. */
struct job {
    struct sj_net *net;
    int64_t classes; /* 0: the encoder's own frames */
    const int32_t *class;
    int64_t rows;
    float *out;
    int64_t count, T, row; /* of the batch: chunks, frames of each, first row of the first */
};

struct sj_listener {
    struct sj_config config;
    struct sj_net *context, *target;
    struct sj_mel *mel;
    float *in;      /* (BATCH, bands, T) */
    float *z, *y;   /* (BATCH, F, P, D) */
    float *frames;  /* (P, F D) */
    struct job job;
};

int sj_listen_decode(const char *path, float **wave, int64_t *n)
{
    return sj_sound_read(path, wave, n);
}

int sj_listener_new(struct sjk *k, const struct sj_model *m, enum sj_precision precision, struct sj_listener **out)
{
    const struct sj_config *c = &m->config;
    const struct sj_net_options context = {.encoder = 1, .predictor = 1, .precision = precision, .batch = BATCH};
    struct sj_net_options target = context;
    struct sj_listener *l = calloc(1, sizeof *l);
    if (!l)
        return sj_fail(SJ_SYSTEM, "no memory");
    const size_t chunk = (size_t)(c->frequencies * c->times * c->dim);
    l->config = *c;
    l->in = malloc(BATCH * (size_t)(c->mel.bands * c->times * c->patch) * sizeof *l->in);
    l->z = malloc(BATCH * chunk * sizeof *l->z);
    l->y = malloc(BATCH * chunk * sizeof *l->y);
    l->frames = malloc(chunk * sizeof *l->frames);
    int status = l->in && l->z && l->y && l->frames ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    target.network = SJ_NETWORK_TARGET;
    target.predictor = 0;
    if (!status)
        status = sj_net_new(k, m, &context, &l->context);
    if (!status)
        status = sj_net_new(k, m, &target, &l->target);
    if (!status)
        status = sj_mel_new(k, &c->mel, &l->mel);
    if (status)
        sj_listener_free(l);
    else
        *out = l;
    return status;
}

void sj_listener_free(struct sj_listener *l)
{
    if (!l)
        return;
    sj_mel_free(l->mel);
    sj_net_free(l->context);
    sj_net_free(l->target);
    free(l->in);
    free(l->z);
    free(l->y);
    free(l->frames);
    free(l);
}

const struct sj_config *sj_listener_config(const struct sj_listener *l)
{
    return &l->config;
}

int64_t sj_listener_rows(const struct sj_listener *l, int64_t n)
{
    const int64_t rows = (1 + n / l->config.mel.hop_samples) / l->config.patch;
    return rows > 1 ? rows : 1;
}

/* The frames of z (count, F, P, D) to their rows of out (rows, F D). */
static void put_frames(const struct sj_listener *l, const float *z, float *out)
{
    const struct sj_config *c = &l->config;
    const struct job *j = &l->job;
    const int64_t P = j->T / c->patch, d = c->frequencies * c->dim;
    for (int64_t b = 0; b < j->count; b++) {
        const int64_t row = j->row + b * P, left = j->rows - row;
        sj_pool_frames(c->frequencies, P, c->dim, z + b * P * d, l->frames);
        if (left > 0)
            memcpy(out + row * d, l->frames, (size_t)((left < P ? left : P) * d) * sizeof *out);
    }
}

static int flush(struct sj_listener *l)
{
    const struct sj_config *c = &l->config;
    struct job *j = &l->job;
    const int64_t P = j->T / c->patch;
    int status = j->count ? sj_net_encode(j->net, j->count, j->T, l->in, 0, l->z) : SJ_OK;
    if (!status && !j->classes)
        put_frames(l, l->z, j->out);
    for (int64_t k = 0; k < j->classes && j->count && !status; k++) {
        int32_t class[BATCH];
        for (int64_t b = 0; b < j->count; b++)
            class[b] = j->class[k];
        status = sj_net_predict(j->net, j->count, P, l->z, class, l->y);
        if (!status)
            put_frames(l, l->y, j->out + k * j->rows * c->frequencies * c->dim);
    }
    j->row += j->count * P;
    j->count = 0;
    return status;
}

static int hear(const struct sj_chunk *chunk, void *arg)
{
    struct sj_listener *l = arg;
    const struct sj_config *c = &l->config;
    struct job *j = &l->job;
    const int64_t frames = sj_mel_chunk_frames(l->mel, chunk->samples);
    const int64_t T = (frames + c->patch - 1) / c->patch * c->patch;
    int status = j->count == BATCH || T != j->T ? flush(l) : SJ_OK;
    j->T = T;
    if (!status)
        status = sj_mel_chunk(l->mel, chunk->samples, chunk->sample, l->in + j->count * c->mel.bands * T, T);
    j->count += !status;
    return status;
}

static int listen(struct sj_listener *l, int64_t n, const float *wave)
{
    struct sj_chunker *c;
    int status = sj_chunker_open(l->config.times * l->config.patch, hear, l, &c);
    if (status)
        return status;
    l->job.rows = sj_listener_rows(l, n);
    status = sj_chunker_push(c, wave, n);
    if (!status)
        status = sj_chunker_end(c);
    sj_chunker_close(c);
    return status ? status : flush(l);
}

int sj_listen_stem(struct sj_listener *l, int64_t n, const float *wave, float *out)
{
    l->job = (struct job){.net = l->target, .out = out};
    return listen(l, n, wave);
}

int sj_listen_mix(struct sj_listener *l, int64_t n, const float *wave, int64_t classes, const int32_t *class,
                  float *out)
{
    l->job = (struct job){.net = l->context, .classes = classes, .class = class, .out = out};
    return listen(l, n, wave);
}
