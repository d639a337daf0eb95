#include "train_valid.h"

#include <stdlib.h>
#include <string.h>

#include "dataset.h"

struct sj_validation {
    struct sjk *k;
    struct sj_config config;
    struct sj_dataset *set;
    struct sj_mel *mel;
    struct sj_validation_settings set_to;
    int64_t samples; /* the most of a track */
    int64_t queries, width;
    float *query, *reference; /* (queries, width) */
    /* of the signal at hand */
    int16_t *pcm;
    float *wave, *spectrum, *chunk, *z, *frames; /* frames: after a free row, (patches, F D) */
};

/* The two networks of one run. */
struct nets {
    struct sj_net *context, *target;
};

static int64_t used_samples(const struct sj_validation *v, const struct sj_dataset_track *t)
{
    return t->samples < v->samples ? t->samples : v->samples;
}

/* Whether a track has queries: a stem and something else, longer than the reflection at its ends. */
static int is_usable(const struct sj_validation *v, const struct sj_dataset_track *t)
{
    return t->stems > 1 && used_samples(v, t) > v->config.mel.fft_samples;
}

/* Tracks compare as to when things sound only as far as all of them go. */
static void cut_alike(struct sj_validation *v)
{
    for (int64_t i = 0; i < sj_dataset_tracks(v->set); i++)
        if (is_usable(v, sj_dataset_track(v->set, i)))
            v->samples = used_samples(v, sj_dataset_track(v->set, i));
}

static int allocate(struct sj_validation *v)
{
    const struct sj_config *c = &v->config;
    int64_t patch = c->patch, frames = 0, longest = 0, d = c->frequencies * c->dim;
    for (int64_t i = 0; i < sj_dataset_tracks(v->set); i++) {
        const struct sj_dataset_track *t = sj_dataset_track(v->set, i);
        if (!is_usable(v, t))
            continue;
        int64_t T = sj_mel_whole_frames(v->mel, used_samples(v, t));
        frames = T > frames ? T : frames;
        longest = used_samples(v, t) > longest ? used_samples(v, t) : longest;
        v->queries += t->stems;
    }
    if (!v->queries)
        return sj_fail(SJ_INPUT, "'%s' has no track of two stems", sj_dataset_path(v->set));
    frames = (frames + patch - 1) / patch * patch;
    v->width = v->set_to.pool == SJ_POOL_ALIGNED ? (1 + frames / patch) * d : d;
    v->query = calloc((size_t)(v->queries * v->width), sizeof *v->query);
    v->reference = calloc((size_t)(v->queries * v->width), sizeof *v->reference);
    v->pcm = calloc((size_t)longest, sizeof *v->pcm);
    v->wave = calloc((size_t)longest, sizeof *v->wave);
    v->spectrum = calloc((size_t)(c->mel.bands * frames), sizeof *v->spectrum);
    v->chunk = calloc((size_t)(c->mel.bands * v->set_to.frames), sizeof *v->chunk);
    v->z = calloc((size_t)(v->set_to.frames / patch * d), sizeof *v->z);
    v->frames = calloc((size_t)((1 + frames / patch) * d), sizeof *v->frames);
    if (!v->query || !v->reference || !v->pcm || !v->wave || !v->spectrum || !v->chunk || !v->z || !v->frames)
        return sj_fail(SJ_SYSTEM, "no memory for the validation");
    return SJ_OK;
}

int sj_validation_new(struct sjk *k, const struct sj_config *c, const char *dataset,
                      const struct sj_validation_settings *settings, struct sj_validation **out)
{
    if (settings->frames % c->patch || settings->frames > c->times * c->patch)
        return sj_fail(SJ_USAGE, "--validate-frames is %lld, must be a multiple of %lld and at most %lld",
                       (long long)settings->frames, (long long)c->patch, (long long)(c->times * c->patch));
    struct sj_validation *v = calloc(1, sizeof *v);
    if (!v)
        return sj_fail(SJ_SYSTEM, "no memory for the validation");
    v->k = k;
    v->config = *c;
    v->set_to = *settings;
    int n = 0, status = sj_dataset_open(dataset, &v->set);
    if (!status) {
        const char *const *names = sj_dataset_classes(v->set, &n);
        v->samples = (int64_t)(settings->seconds * SJ_DATASET_RATE_HZ);
        if (settings->pool == SJ_POOL_ALIGNED)
            cut_alike(v);
        status = sj_model_want_classes(c, "(in training)", n, names, dataset);
    }
    if (!status)
        status = sj_mel_new(k, &c->mel, &v->mel);
    if (!status)
        status = allocate(v);
    if (status)
        sj_validation_free(v);
    else
        *out = v;
    return status;
}

void sj_validation_free(struct sj_validation *v)
{
    if (!v)
        return;
    sj_dataset_close(v->set);
    sj_mel_free(v->mel);
    free(v->query);
    free(v->reference);
    free(v->pcm);
    free(v->wave);
    free(v->spectrum);
    free(v->chunk);
    free(v->z);
    free(v->frames);
    free(v);
}

/* wave (n) = stem `stem` of a track, or (rest) the sum of all the others. */
static int read_signal(struct sj_validation *v, int64_t track, int stem, int rest, int64_t n)
{
    const struct sj_dataset_track *t = sj_dataset_track(v->set, track);
    int status = SJ_OK;
    memset(v->wave, 0, (size_t)n * sizeof *v->wave);
    for (int s = 0; !status && s < t->stems; s++) {
        if ((s == stem) == rest)
            continue;
        status = sj_dataset_read(v->set, track, s, 0, n, v->pcm);
        for (int64_t i = 0; !status && i < n; i++)
            v->wave[i] += (float)v->pcm[i] / 32768;
    }
    return status;
}

/* out (width) = what is compared of the P frames in v->frames. */
static void pool(struct sj_validation *v, int64_t P, float *out)
{
    const int64_t d = v->config.frequencies * v->config.dim;
    if (v->set_to.pool == SJ_POOL_ALIGNED) {
        sj_pool_align(P, d, v->frames);
        memcpy(out, v->frames, (size_t)v->width * sizeof *out);
        return;
    }
    memset(out, 0, (size_t)d * sizeof *out);
    for (int64_t i = d; i < (1 + P) * d; i++)
        out[i % d] += v->frames[i] / (float)P;
}

/* out (width): the embedding of wave (n) (SPEC 7); with class >= 0 the prediction for it. */
static int embed(struct sj_validation *v, struct sj_net *net, int64_t n, int32_t class, float *out)
{
    const struct sj_config *c = &v->config;
    int64_t bands = c->mel.bands, D = c->dim, F = c->frequencies, most = v->set_to.frames;
    int64_t frames = (sj_mel_whole_frames(v->mel, n) + c->patch - 1) / c->patch * c->patch;
    int status = sj_mel_whole(v->mel, n, v->wave, v->spectrum, frames);
    for (int64_t at = 0; !status && at < frames; at += most) {
        int64_t T = frames - at < most ? frames - at : most, P = T / c->patch;
        for (int64_t m = 0; m < bands; m++)
            memcpy(v->chunk + m * T, v->spectrum + m * frames + at, (size_t)T * sizeof *v->chunk);
        status = sj_net_encode(net, 1, T, v->chunk, 0, v->z);
        if (!status && class >= 0)
            status = sj_net_predict(net, 1, P, v->z, &class, v->z);
        if (!status)
            sj_pool_frames(F, P, D, v->z, v->frames + (1 + at / c->patch) * F * D);
    }
    if (!status)
        pool(v, frames / c->patch, out);
    return status;
}

static int embed_all(struct sj_validation *v, const struct nets *nets, int predict)
{
    int64_t row = 0;
    int status = SJ_OK;
    for (int64_t i = 0; !status && i < sj_dataset_tracks(v->set); i++) {
        const struct sj_dataset_track *t = sj_dataset_track(v->set, i);
        int64_t n = used_samples(v, t);
        for (int s = 0; !status && s < t->stems && is_usable(v, t); s++, row++) {
            status = read_signal(v, i, s, 0, n);
            if (!status)
                status = embed(v, nets->target, n, -1, v->reference + row * v->width);
            if (!status)
                status = read_signal(v, i, s, 1, n);
            if (!status)
                status = embed(v, nets->context, n, predict ? t->class[s] : -1, v->query + row * v->width);
        }
    }
    return status;
}

int sj_validation_run(struct sj_validation *v, const struct sj_model *m, int predict, struct sj_retrieval *r)
{
    struct nets nets = {0};
    struct sj_net_options o = {
        .network = SJ_NETWORK_CONTEXT, .encoder = 1, .predictor = 1, .precision = v->set_to.precision, .batch = 1};
    int status = sj_net_new(v->k, m, &o, &nets.context);
    o.network = SJ_NETWORK_TARGET;
    o.predictor = 0;
    if (!status)
        status = sj_net_new(v->k, m, &o, &nets.target);
    if (!status)
        status = embed_all(v, &nets, predict);
    if (!status)
        status = sj_retrieval_metrics(v->k, v->queries, v->width, v->query, v->reference, NULL, r);
    sj_net_free(nets.context);
    sj_net_free(nets.target);
    return status;
}
