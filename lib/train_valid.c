#include "train_valid.h"

#include <stdlib.h>
#include <string.h>

#include "dataset.h"

struct sj_validation {
    struct sjk *k;
    struct sj_config config;
    struct sj_dataset *set;
    struct sj_mel *mel;
    enum sj_precision precision;
    int64_t samples; /* the most of a track */
    int64_t queries, width;
    float *query, *reference; /* (queries, F D) */
    /* of the signal at hand */
    int16_t *pcm;
    float *wave, *spectrum, *chunk, *z;
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

static int allocate(struct sj_validation *v)
{
    const struct sj_config *c = &v->config;
    int64_t patch = c->patch, frames = 0, longest = 0;
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
    int64_t tokens = c->frequencies * c->times;
    v->width = c->frequencies * c->dim;
    v->query = calloc((size_t)(v->queries * v->width), sizeof *v->query);
    v->reference = calloc((size_t)(v->queries * v->width), sizeof *v->reference);
    v->pcm = calloc((size_t)longest, sizeof *v->pcm);
    v->wave = calloc((size_t)longest, sizeof *v->wave);
    v->spectrum = calloc((size_t)(c->mel.bands * frames), sizeof *v->spectrum);
    v->chunk = calloc((size_t)(c->mel.bands * c->times * patch), sizeof *v->chunk);
    v->z = calloc((size_t)(tokens * c->dim), sizeof *v->z);
    if (!v->query || !v->reference || !v->pcm || !v->wave || !v->spectrum || !v->chunk || !v->z)
        return sj_fail(SJ_SYSTEM, "no memory for the validation");
    return SJ_OK;
}

int sj_validation_new(struct sjk *k, const struct sj_config *c, const char *dataset, double seconds,
                      enum sj_precision precision, struct sj_validation **out)
{
    struct sj_validation *v = calloc(1, sizeof *v);
    if (!v)
        return sj_fail(SJ_SYSTEM, "no memory for the validation");
    v->k = k;
    v->config = *c;
    v->precision = precision;
    int n = 0, status = sj_dataset_open(dataset, &v->set);
    if (!status) {
        const char *const *names = sj_dataset_classes(v->set, &n);
        v->samples = (int64_t)(seconds * SJ_DATASET_RATE_HZ);
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

/* out (F D): the embedding of wave (n), averaged over time (SPEC 7); with class >= 0 the prediction for it. */
static int embed(struct sj_validation *v, struct sj_net *net, int64_t n, int32_t class, float *out)
{
    const struct sj_config *c = &v->config;
    int64_t bands = c->mel.bands, D = c->dim, F = c->frequencies, most = c->times * c->patch;
    int64_t frames = (sj_mel_whole_frames(v->mel, n) + c->patch - 1) / c->patch * c->patch;
    int status = sj_mel_whole(v->mel, n, v->wave, v->spectrum, frames);
    memset(out, 0, (size_t)v->width * sizeof *out);
    for (int64_t at = 0; !status && at < frames; at += most) {
        int64_t T = frames - at < most ? frames - at : most, P = T / c->patch;
        for (int64_t m = 0; m < bands; m++)
            memcpy(v->chunk + m * T, v->spectrum + m * frames + at, (size_t)T * sizeof *v->chunk);
        status = sj_net_encode(net, 1, T, v->chunk, 0, v->z);
        if (!status && class >= 0)
            status = sj_net_predict(net, 1, P, v->z, &class, v->z);
        for (int64_t i = 0; !status && i < F * P * D; i++)
            out[i / (P * D) * D + i % D] += v->z[i] / (float)(frames / c->patch);
    }
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
        .network = SJ_NETWORK_CONTEXT, .encoder = 1, .predictor = 1, .precision = v->precision, .batch = 1};
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
