#include "listen.h"

#include <stdlib.h>
#include <string.h>

#include "pool.h"
#include "sound.h"

enum {
    BATCH = 8,
    MARGIN = 4 /* patches: 0.64 s */
};

/* Frames that one window gives. */
struct share {
    int64_t place, row, rows; /* the first in the window, and in the recording; how many */
};

/* What is being listened to, in batches of windows of one length. */
struct job {
    struct sj_net *net;
    int64_t classes; /* 0: the encoder's own frames */
    const int32_t *class;
    int64_t rows;
    float *out;
    const float *mel;         /* (bands, stride) of the recording */
    int64_t stride, T, count; /* frames of a window; windows of the batch */
    struct share share[BATCH];
};

struct sj_listener {
    struct sjk *k;
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
    l->k = k;
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

struct sjk *sj_listener_back_end(const struct sj_listener *l)
{
    return l->k;
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

/* Of the frames of z (count, F, P, D) those that its windows give, to their rows of out (rows, F D). */
static void put_frames(const struct sj_listener *l, const float *z, float *out)
{
    const struct sj_config *c = &l->config;
    const struct job *j = &l->job;
    const int64_t P = j->T / c->patch, d = c->frequencies * c->dim;
    for (int64_t b = 0; b < j->count; b++) {
        const struct share *s = &j->share[b];
        sj_pool_frames(c->frequencies, P, c->dim, z + b * P * d, l->frames);
        memcpy(out + s->row * d, l->frames + s->place * d, (size_t)(s->rows * d) * sizeof *out);
    }
}

static int flush(struct sj_listener *l)
{
    const struct sj_config *c = &l->config;
    struct job *j = &l->job;
    int status = j->count ? sj_net_encode(j->net, j->count, j->T, l->in, 0, l->z) : SJ_OK;
    if (!status && !j->classes)
        put_frames(l, l->z, j->out);
    for (int64_t k = 0; k < j->classes && j->count && !status; k++) {
        int32_t class[BATCH];
        for (int64_t b = 0; b < j->count; b++)
            class[b] = j->class[k];
        status = sj_net_predict(j->net, j->count, j->T / c->patch, l->z, class, l->y);
        if (!status)
            put_frames(l, l->y, j->out + k * j->rows * c->frequencies * c->dim);
    }
    j->count = 0;
    return status;
}

/* The window whose first frame is row `from` of the recording, which gives the rows first .. end-1. */
static int hear(struct sj_listener *l, int64_t from, int64_t first, int64_t end)
{
    struct job *j = &l->job;
    const int64_t bands = l->config.mel.bands;
    float *in = l->in + j->count * bands * j->T;
    for (int64_t b = 0; b < bands; b++)
        memcpy(in + b * j->T, j->mel + b * j->stride + from * l->config.patch, (size_t)j->T * sizeof *in);
    j->share[j->count++] = (struct share){first - from, first, end - first};
    return j->count == BATCH ? flush(l) : SJ_OK;
}

/* Windows of the model's span, so close that every frame but those at the ends is MARGIN from the edges of its own. */
static int hear_all(struct sj_listener *l)
{
    const int64_t P = l->config.times, rows = l->job.rows, margin = P > 2 * MARGIN ? MARGIN : (P - 1) / 2;
    const int64_t step = P - 2 * margin, last = rows - P;
    int status = SJ_OK;
    for (int64_t from = 0, first = 0; first < rows && !status; from += step) {
        const int ends = from >= last;
        const int64_t begin = !ends ? from : last > 0 ? last : 0, end = ends ? rows : begin + margin + step;
        status = hear(l, begin, first, end);
        first = end;
    }
    return status ? status : flush(l);
}

static int listen(struct sj_listener *l, int64_t n, const float *wave)
{
    const struct sj_config *c = &l->config;
    struct job *j = &l->job;
    const int64_t frames = sj_mel_whole_frames(l->mel, n), stride = (frames + c->patch - 1) / c->patch * c->patch;
    const int64_t span = c->times * c->patch;
    float *mel = malloc((size_t)(c->mel.bands * stride) * sizeof *mel);
    if (!mel)
        return sj_fail(SJ_SYSTEM, "no memory for %lld frames", (long long)frames);
    j->mel = mel;
    j->stride = stride;
    j->T = stride < span ? stride : span;
    j->rows = sj_listener_rows(l, n);
    int status = sj_mel_whole(l->mel, n, wave, mel, stride);
    if (!status)
        status = hear_all(l);
    free(mel);
    return status;
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
