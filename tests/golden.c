/* golden FILE.h5 [--backend NAME] [--type f32|bf16] [--only SECTION]: compares everything that the model library
 * computes with a file of reference/golden.py: one line per group with the largest error and its bound. Exits 1 when a
 * bound is exceeded, a value is not a number, or something expected is missing or has another shape. */
#include "golden.h"
#include "golden_retrieval.h"

#include <stdlib.h>

/* -- mel -------------------------------------------------------------------------------------------------------------
 */

static int mel_case(struct golden *g, struct sj_mel *mel, const char *name)
{
    char path[64];
    int64_t dims[3];
    float *wave = golden_read(g, golden_path(path, "/mel/%s/wave", name), 2, dims);
    if (!wave)
        return SJ_INPUT;
    int64_t n = dims[0], samples = dims[1], frames = sj_mel_whole_frames(mel, samples);
    float *out = golden_floats(n * 80 * frames);
    int status = SJ_OK;
    for (int64_t i = 0; !status && i < n; i++)
        status = sj_mel_whole(mel, samples, wave + i * samples, out + i * 80 * frames, frames);
    if (!status)
        golden_compare(g, golden_path(path, "/mel/%s/expected", name), 3, (int64_t[]){n, 80, frames}, out, 0);
    free(wave);
    free(out);
    return status;
}

static void mel_cases(struct golden *g)
{
    static const char *const names[] = {"noise", "tone_after_silence", "quiet", "odd_length", "crop_8s"};
    struct sj_mel_settings s = sj_mel_defaults();
    struct sj_mel *mel;
    int status = sj_mel_new(g->k, &s, &mel);
    golden_start(g, "mel", 1e-4, 1e-4);
    for (int i = 0; !status && i < 5; i++)
        status = mel_case(g, mel, names[i]);
    golden_end(g, status);
    sj_mel_free(mel);
}

/* -- forward ---------------------------------------------------------------------------------------------------------
 */

static int encode(struct golden *g, const char *mel_path, const char *z_path, float **z)
{
    int64_t dims[3], D = g->config.dim;
    float *mel = golden_read(g, mel_path, 3, dims);
    if (!mel)
        return SJ_INPUT;
    int64_t B = dims[0], T = dims[2], P = T / 16;
    struct sj_model *m;
    struct sj_net *net = NULL;
    int status = golden_model(g, SJ_PREDICTOR_MLP, &m);
    struct sj_net_options o = {.network = SJ_NETWORK_TARGET, .encoder = 1, .precision = g->precision, .batch = B};
    if (!status)
        status = sj_net_new(g->k, m, &o, &net);
    *z = golden_floats(B * 5 * P * D);
    if (!status)
        status = sj_net_encode(net, B, T, mel, 0, *z);
    if (!status)
        golden_compare(g, z_path, 4, (int64_t[]){B, 5, P, D}, *z, 1);
    sj_net_free(net);
    sj_model_free(m);
    free(mel);
    return status;
}

/* Predictions from the expected z, so that each group stands for itself. */
static int predict(struct golden *g, enum sj_predictor p)
{
    char path[64];
    int64_t dims[4];
    float *z = golden_read(g, "/forward/z", 4, dims);
    int32_t class[64];
    if (!z || dims[0] > 64)
        return SJ_INPUT;
    struct sj_model *m = NULL;
    struct sj_net *net = NULL;
    int64_t n = dims[0] * dims[1] * dims[2] * dims[3];
    struct sj_net_options o = {.predictor = 1, .precision = g->precision, .batch = dims[0]};
    float *out = golden_floats(n);
    int status = sj_h5_read(g->h, "/forward/source", SJ_H5_I32, dims[0], class);
    if (!status)
        status = golden_model(g, p, &m);
    if (!status)
        status = sj_net_new(g->k, m, &o, &net);
    if (!status)
        status = sj_net_predict(net, dims[0], dims[2], z, class, out);
    if (!status)
        golden_compare(g, golden_path(path, "/forward/pred_%s", sj_predictor_names[p]), 4, dims, out, 1);
    sj_net_free(net);
    sj_model_free(m);
    free(out);
    free(z);
    return status;
}

static void forward(struct golden *g)
{
    float *z = NULL;
    golden_start(g, "forward z", 1e-5, 6e-3);
    golden_end(g, encode(g, "/forward/mel", "/forward/z", &z));
    free(z);
    golden_start(g, "forward short_z", 1e-5, 6e-3);
    golden_end(g, encode(g, "/forward/short_mel", "/forward/short_z", &z));
    free(z);
    for (int p = 0; p < 3; p++) {
        char name[40];
        golden_start(g, golden_path(name, "forward pred_%s", sj_predictor_names[p]), 1e-5, 2e-2);
        golden_end(g, predict(g, (enum sj_predictor)p));
    }
}

/* -- backward --------------------------------------------------------------------------------------------------------
 */

static const struct sj_objective objective = {.cosine = 1};

/* One pass with gradients, in passes of `micro` samples. */
static int gradients(struct golden *g, struct sj_model *m, int64_t micro, double *loss, float **gradient)
{
    int64_t dims[3];
    int32_t class[64];
    float *mel = golden_read(g, "/forward/mel", 3, dims), *target = golden_read(g, "/forward/target_mel", 3, dims);
    struct sj_learner *l = NULL;
    struct sj_learner_options o = {g->precision, dims[0], micro, dims[2], SJ_RECOMPUTE_AUTO, 0, 1, 0};
    int64_t pixels = micro * 80 * dims[2];
    int status = mel && target && dims[0] <= 64 ? sj_learner_new(g->k, m, &o, &l) : SJ_INPUT;
    if (!status)
        status = sj_h5_read(g->h, "/forward/source", SJ_H5_I32, dims[0], class);
    for (int64_t i = 0; !status && i < dims[0] / micro; i++)
        status = sj_learner_pass(l, &objective, mel + i * pixels, target + i * pixels, class + i * micro, NULL);
    *gradient = golden_floats(m->layout.total);
    if (!status)
        status = sj_learner_get(l, SJ_LEARNER_GRADIENT, *gradient);
    struct sj_update u = {.clip = INFINITY};
    struct sj_learned r = {0};
    if (!status)
        status = sj_learner_update(l, &u, &r);
    *loss = r.loss;
    sj_learner_free(l);
    free(mel);
    free(target);
    return status;
}

static void backward(struct golden *g, enum sj_predictor p, int64_t micro)
{
    char name[64];
    struct sj_model *m = NULL;
    float *gradient = NULL;
    double loss = NAN;
    int status = golden_model(g, p, &m);
    if (!status)
        status = gradients(g, m, micro, &loss, &gradient);
    const char *of = sj_predictor_names[p], *how = micro == 1 ? " one by one" : "";
    golden_start(g, golden_path(name, "loss %s%s", of, how), 1e-5, 1e-3);
    if (!status)
        golden_compare_scalar(g, golden_path(name, "/backward/%s/loss", of), 0, loss);
    golden_end(g, status);
    golden_start(g, golden_path(name, "gradients %s%s", of, how), 1e-5, p == SJ_PREDICTOR_TRANSFORMER ? 4e-2 : 2.5e-1);
    if (!status)
        golden_compare_tensors(g, golden_path(name, "/backward/%s", of), &m->layout, 0, m->layout.tensors, gradient,
                               NULL);
    golden_end(g, status);
    free(gradient);
    sj_model_free(m);
}

/* -- training --------------------------------------------------------------------------------------------------------
 */

static int train_steps(struct golden *g, struct sj_learner *l, int64_t steps, int64_t B, int64_t T, double *loss,
                       double *norm)
{
    int64_t dims[4], pixels = B * 80 * T;
    float *mel = golden_read(g, "/train/mel", 4, dims), *target = golden_read(g, "/train/target_mel", 4, dims);
    double rate[64], ema[64];
    int32_t class[64];
    int status = mel && target ? SJ_OK : SJ_INPUT;
    if (!status)
        status = sj_h5_read(g->h, "/train/source", SJ_H5_I32, steps * B, class);
    if (!status)
        status = sj_h5_read(g->h, "/train/lr", SJ_H5_F64, steps, rate);
    if (!status)
        status = sj_h5_read(g->h, "/train/ema", SJ_H5_F64, steps, ema);
    for (int64_t i = 0; !status && i < steps; i++) {
        struct sj_update u = {rate[i], 0.9, 0.95, 1e-8, 0.05, 1.4, ema[i], i, 0};
        struct sj_learned r;
        status = sj_learner_pass(l, &objective, mel + i * pixels, target + i * pixels, class + i * B, NULL);
        if (!status)
            status = sj_learner_update(l, &u, &r);
        loss[i] = status ? NAN : r.loss;
        norm[i] = status ? NAN : r.gradient_norm;
    }
    free(mel);
    free(target);
    return status;
}

static void train(struct golden *g)
{
    int64_t dims[SJ_H5_RANK];
    enum sj_h5_type type;
    int rank;
    double loss[64], norm[64];
    struct sj_model *m = NULL;
    struct sj_learner *l = NULL;
    int status = sj_h5_shape(g->h, "/train/mel", &type, &rank, dims);
    if (!status && (rank != 4 || dims[0] * dims[1] > 64))
        status = sj_fail(SJ_INPUT, "'/train/mel' has not the shape that is wanted");
    if (!status)
        status = golden_model(g, SJ_PREDICTOR_MLP, &m);
    struct sj_learner_options o = {g->precision, dims[1], dims[1], dims[3], SJ_RECOMPUTE_AUTO, 0, 1, 0};
    if (!status)
        status = sj_learner_new(g->k, m, &o, &l);
    if (!status)
        status = train_steps(g, l, dims[0], dims[1], dims[3], loss, norm);
    golden_start(g, "train loss", 1e-5, 8e-3);
    for (int64_t i = 0; !status && i < dims[0]; i++)
        golden_compare_scalar(g, "/train/loss", i, loss[i]);
    golden_end(g, status);
    golden_start(g, "train grad_norm", 1e-5, 3e-2);
    for (int64_t i = 0; !status && i < dims[0]; i++)
        golden_compare_scalar(g, "/train/grad_norm", i, norm[i]);
    golden_end(g, status);
    if (!status)
        status = sj_learner_get(l, SJ_LEARNER_WEIGHTS, m->weights);
    if (!status)
        status = sj_learner_get(l, SJ_LEARNER_TARGET, m->target);
    /* Absolute, as Adam's steps are: where a gradient is nearly 0 its rounding decides the direction of a step. The
     * true gradient of the keys' bias is 0. */
    for (int bias = 0; bias < 2; bias++) {
        golden_start(g, bias ? "train weights, qkv.bias" : "train weights", bias ? 2e-3 : 1e-4, 4e-2);
        if (!status) {
            const char *skip = bias ? "+attn.qkv.bias" : "-attn.qkv.bias";
            golden_compare_tensors(g, "/train", &m->layout, 0, m->layout.tensors, m->weights, skip);
            golden_compare_tensors(g, "/train/target", &m->layout, 1, m->layout.encoder_tensors, m->target, skip);
        }
        golden_end(g, status);
    }
    sj_learner_free(l);
    sj_model_free(m);
}

int main(int argc, char **argv)
{
    struct golden g;
    int status = golden_open(&g, argc, argv);
    if (status)
        return status;
    if (golden_wants(&g, "mel"))
        mel_cases(&g);
    if (golden_wants(&g, "forward"))
        forward(&g);
    for (int p = 0; p < 3 && golden_wants(&g, "backward"); p++)
        backward(&g, (enum sj_predictor)p, g.batch);
    if (golden_wants(&g, "backward"))
        backward(&g, SJ_PREDICTOR_TRANSFORMER, 1);
    if (golden_wants(&g, "train"))
        train(&g);
    if (golden_wants(&g, "retrieval"))
        golden_retrieval(&g);
    return golden_close(&g);
}
