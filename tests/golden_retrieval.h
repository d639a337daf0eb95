/* golden_retrieval: from audio to ranks: mel of whole tracks, chunks, encoder, predictor, pooling, retrieval (SPEC
 * 7, 8.1). */
#ifndef TESTS_GOLDEN_RETRIEVAL_H
#define TESTS_GOLDEN_RETRIEVAL_H

#include "golden.h"
#include "metrics.h"

/* What one file's retrieval needs at hand. */
struct retrieval {
    struct golden *g;
    struct sj_mel *mel;
    struct sj_net *net;
    int64_t D, samples, frames; /* frames: padded to whole patches */
    float *spectrum;            /* (80, frames) of one signal */
};

/* Adds the sums over time of the embedding of a signal (or, class >= 0, of the prediction from it) to out (5 D). */
static int embed_signal(struct retrieval *r, const float *wave, int32_t class, float *out)
{
    int64_t patches = r->frames / 16, D = r->D;
    float *mel = golden_floats(80 * 800), *z = golden_floats(250 * D), *y = golden_floats(250 * D);
    double *sum = calloc((size_t)(5 * D), sizeof *sum);
    int status = sum ? sj_mel_whole(r->mel, r->samples, wave, r->spectrum, r->frames) : SJ_SYSTEM;
    for (int64_t at = 0; !status && at < r->frames; at += 800) {
        int64_t T = r->frames - at < 800 ? r->frames - at : 800, P = T / 16;
        for (int64_t m = 0; m < 80; m++)
            memcpy(mel + m * T, r->spectrum + m * r->frames + at, (size_t)T * sizeof *mel);
        status = sj_net_encode(r->net, 1, T, mel, 0, z);
        if (!status && class >= 0)
            status = sj_net_predict(r->net, 1, P, z, &class, y);
        for (int64_t i = 0; !status && i < 5 * P * D; i++)
            sum[i / (P * D) * D + i % D] += (class >= 0 ? y : z)[i];
    }
    for (int64_t i = 0; sum && i < 5 * D; i++)
        out[i] = (float)(sum[i] / (double)patches);
    free(sum);
    free(mel);
    free(z);
    free(y);
    return status;
}

/* One song: target and prediction (4, 5 D). */
static int embed_song(struct retrieval *r, const float *stems, float *target, float *prediction)
{
    float *mix = golden_floats(r->samples);
    int status = SJ_OK;
    for (int32_t k = 0; !status && k < 4; k++) {
        memset(mix, 0, (size_t)r->samples * sizeof *mix);
        for (int64_t i = 0; i < 4 * r->samples; i++)
            if (i / r->samples != k)
                mix[i % r->samples] += stems[i];
        status = embed_signal(r, stems + k * r->samples, -1, target + k * 5 * r->D);
        if (!status)
            status = embed_signal(r, mix, k, prediction + k * 5 * r->D);
    }
    free(mix);
    return status;
}

static int compare_ranks(struct golden *g, int64_t n, int64_t d, const float *prediction, const float *target)
{
    static const char *const names[] = {"recall@1", "recall@5", "recall@10", "mean_rank", "median_rank"};
    int64_t rank[256], expected[256];
    struct sj_retrieval m;
    int status = sj_retrieval_metrics(g->k, n, d, prediction, target, rank, &m);
    if (status)
        return status;
    const double got[] = {m.recall_1, m.recall_5, m.recall_10, m.mean_rank, m.median_rank};
    status = sj_h5_read(g->h, "/retrieval/rank", SJ_H5_I64, n, expected);
    for (int64_t i = 0; i < n; i++)
        golden_worst(g, "/retrieval/rank", status ? INFINITY : (double)llabs(expected[i] - rank[i]));
    for (int i = 0; i < 5; i++) {
        char path[64];
        double want;
        status = sj_h5_get_real(g->h, "/retrieval", names[i], &want);
        golden_worst(g, golden_path(path, "/retrieval %s", names[i]), status ? INFINITY : fabs(got[i] - want));
    }
    return SJ_OK;
}

static int embed_all(struct golden *g, int64_t songs, int64_t samples, const float *stems, float *target,
                     float *prediction)
{
    struct retrieval r = {.g = g, .D = g->config.dim, .samples = samples};
    struct sj_mel_settings s = sj_mel_defaults();
    struct sj_net_options o = {.encoder = 1, .predictor = 1, .precision = g->precision, .batch = 1};
    struct sj_model *m = NULL;
    r.frames = (1 + samples / 160 + 15) / 16 * 16;
    r.spectrum = golden_floats(80 * r.frames);
    int status = sj_mel_new(g->k, &s, &r.mel);
    if (!status)
        status = golden_model(g, SJ_PREDICTOR_MLP, &m);
    if (!status)
        status = sj_net_new(g->k, m, &o, &r.net);
    for (int64_t i = 0; !status && i < songs; i++)
        status = embed_song(&r, stems + i * 4 * samples, target + i * 4 * 5 * r.D, prediction + i * 4 * 5 * r.D);
    sj_net_free(r.net);
    sj_model_free(m);
    sj_mel_free(r.mel);
    free(r.spectrum);
    return status;
}

static void golden_retrieval(struct golden *g)
{
    int64_t dims[3] = {0}, E = 5 * g->config.dim;
    float *stems = golden_read(g, "/retrieval/stems", 3, dims);
    int64_t n = 4 * dims[0];
    float *target = golden_floats(n * E), *prediction = golden_floats(n * E);
    int status =
        stems && dims[1] == 4 && n <= 256 ? SJ_OK : sj_fail(SJ_INPUT, "no '/retrieval/stems' of a usable shape");
    if (!status)
        status = embed_all(g, dims[0], dims[2], stems, target, prediction);
    golden_start(g, "retrieval embeddings", 1e-4, 2e-2);
    if (!status) {
        golden_compare(g, "/retrieval/target", 2, (int64_t[]){n, E}, target, 1);
        golden_compare(g, "/retrieval/prediction", 2, (int64_t[]){n, E}, prediction, 1);
    }
    golden_end(g, status);
    golden_start(g, "retrieval ranks and metrics", 1e-6, 1e-6);
    if (!status)
        status = compare_ranks(g, n, E, prediction, target);
    golden_end(g, status);
    free(stems);
    free(target);
    free(prediction);
}

#endif
