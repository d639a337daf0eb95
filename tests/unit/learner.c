/* Training passes: what is computed again on the way back gives the same bits as what is kept, and fits the memory that
 * it is for. */
#include "net_train.h"
#include "rng.h"
#include "tests/tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { batch = 3, frames = 96 };

static struct sjk *k;

/* The gradient and loss of one step of a small model. */
static float *gradient(const struct sj_model *m, enum sj_precision precision, enum sj_recompute recompute, double *loss)
{
    struct sj_learner_options o = {precision, batch, batch, frames, recompute, 0, 1, 0};
    const struct sj_objective j = {.cosine = 1};
    const struct sj_update u = {.rate = 1e-3, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .clip = 3, .ema = 0.99};
    static float mel[2][batch * 80 * frames];
    const int32_t class[batch] = {0, 3, 1};
    struct sj_rng r = sj_rng(5, 0);
    struct sj_learner *l;
    struct sj_learned learned;
    sj_rng_normal(&r, mel[0], sizeof mel / sizeof(float));
    float *g = calloc(m->layout.total, sizeof *g);
    if (!g || sj_learner_new(k, m, &o, &l))
        abort();
    int status = sj_learner_pass(l, &j, mel[0], mel[1], class, NULL);
    if (!status)
        status = sj_learner_get(l, SJ_LEARNER_GRADIENT, g);
    if (!status)
        status = sj_learner_update(l, &u, &learned);
    *loss = status ? -1 : learned.loss;
    sj_learner_free(l);
    return g;
}

/* The same two-sided, and what a warm-up of the encoder leaves alone. */
static void two_sides(const struct sj_model *m, enum sj_precision precision)
{
    struct sj_learner_options o = {precision, batch, batch, frames, SJ_RECOMPUTE_NEVER, 1, 1, 0};
    const struct sj_objective j = {.contrastive = 1, .temperature = 0.1, .other = 1, .alone = 1, .two_sided = 1};
    const struct sj_objective half = {.cosine = 1, .two_sided = 1};
    const struct sj_update u = {
        .rate = 1e-3, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .decay = 0.1, .clip = 3, .alone = 1};
    static float mel[2][batch * 80 * frames];
    const int32_t class[batch] = {0, 3, 1};
    size_t all = m->layout.total, encoder = m->layout.encoder;
    struct sj_rng r = sj_rng(6, 0);
    struct sj_learned learned;
    struct sj_learner *l[2];
    float *g[2] = {calloc(all, sizeof(float)), calloc(all, sizeof(float))};
    sj_rng_normal(&r, mel[0], sizeof mel / sizeof(float));
    for (int i = 0; i < 2; i++) {
        o.recompute = i ? SJ_RECOMPUTE_ALWAYS : SJ_RECOMPUTE_NEVER;
        if (!g[i] || sj_learner_new(k, m, &o, &l[i]) || sj_learner_pass(l[i], &j, mel[0], mel[1], class, NULL) ||
            sj_learner_get(l[i], SJ_LEARNER_GRADIENT, g[i]))
            abort();
    }
    ok(!memcmp(g[0], g[1], all * sizeof *g[0]), "two-sided, %s: the same gradient", sj_precision_names[precision]);
    ok(!sj_learner_update(l[0], &u, &learned) && learned.loss == 0 && learned.contrastive > 0, "a step of the encoder");
    sj_learner_get(l[0], SJ_LEARNER_WEIGHTS, g[0]);
    sj_learner_get(l[0], SJ_LEARNER_TARGET, g[1]);
    ok(!memcmp(g[0] + encoder, m->weights + encoder, (all - encoder) * sizeof *g[0]), "leaves the predictor alone");
    ok(memcmp(g[0], m->weights, encoder * sizeof *g[0]) && !memcmp(g[0], g[1], encoder * sizeof *g[0]),
       "and with a rate of 0 the average is the encoder");
    ok(sj_learner_pass(l[0], &half, mel[0], mel[1], class, NULL) == SJ_OK, "a distance without the term, two-sided");
    sj_learner_free(l[0]);
    o.two_sided = 0;
    if (sj_learner_new(k, m, &o, &l[0]))
        abort();
    ok(sj_learner_pass(l[0], &j, mel[0], mel[1], class, NULL) == SJ_USAGE, "%s", sj_reason());
    sj_learner_free(l[0]);
    sj_learner_free(l[1]);
    free(g[0]);
    free(g[1]);
}

/* The gradient and what is reported of a pass of n pairs, compared by windows. */
static float *pass(const struct sj_model *m, const struct sj_objective *j, int64_t n, int64_t T, int64_t window,
                   const float *mel, const float *target, const int32_t *class, struct sj_learned *learned)
{
    const struct sj_learner_options o = {SJ_PRECISION_F32, n, n, T, SJ_RECOMPUTE_AUTO, j->two_sided, 1, window};
    struct sj_learner *l;
    float *g = calloc(m->layout.total, sizeof *g);
    if (!g || sj_learner_new(k, m, &o, &l) || sj_learner_pass(l, j, mel, target, class, NULL) ||
        sj_learner_get(l, SJ_LEARNER_GRADIENT, g) ||
        sj_learner_update(l, &(struct sj_update){.beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .clip = 3}, learned))
        abort();
    sj_learner_free(l);
    return g;
}

/* Row `from` of a spectrogram of the first T frames, at frame `at` of a row as long as `length`. */
static void place(const float *from, int64_t T, int64_t at, int64_t length, float *to)
{
    for (int64_t r = 0; r < 80; r++)
        memcpy(to + r * length + at, from + r * T, (size_t)T * sizeof *to);
}

/* Crops longer than the model's span: pieces are samples of their own to the distance; to the contrastive term a crop of
 * three equal pieces is one of them. */
static void pieces(enum sj_predictor predictor)
{
    enum { T = 32, W = 3, values = 80 * T };
    static float mel[2][batch * W * values], longer[2][batch * W * values];
    const int32_t class[batch] = {2, 0, 1}, each[batch * W] = {2, 2, 2, 0, 0, 0, 1, 1, 1};
    const struct sj_objective distance = {.cosine = 1}, contrast = {.contrastive = 1, .temperature = 0.2, .other = 0.5, .two_sided = 1};
    struct sj_config c = sj_config_defaults();
    struct sj_model *m;
    struct sj_learned a, b;
    struct sj_rng r = sj_rng(9, 0);
    c.dim = 32;
    c.depth = 1;
    c.heads = 2;
    c.hidden = 32;
    c.trf_dim = 16;
    c.trf_depth = 1;
    c.trf_heads = 2;
    c.times = T / c.patch;
    c.predictor = predictor;
    if (sj_model_new(&c, 1, &m))
        abort();
    sj_rng_normal(&r, mel[0], sizeof mel / sizeof(float));
    for (int side = 0; side < 2; side++)
        for (int n = 0; n < batch * W; n++)
            place(mel[side] + n * values, T, n % W * T, W * T, longer[side] + n / W * W * values);
    float *g = pass(m, &distance, batch * W, T, 0, mel[0], mel[1], each, &a);
    float *h = pass(m, &distance, batch, W * T, 0, longer[0], longer[1], class, &b);
    ok(a.loss == b.loss && !memcmp(g, h, m->layout.total * sizeof *g), "%s, pieces: samples of their own",
       sj_predictor_names[predictor]);
    free(g);
    free(h);
    for (int side = 0; side < 2; side++)
        for (int n = 0; n < batch * W; n++)
            place(mel[side] + n / W * values, T, n % W * T, W * T, longer[side] + n / W * W * values);
    g = pass(m, &contrast, batch, T, 0, mel[0], mel[1], class, &a);
    h = pass(m, &contrast, batch, W * T, 0, longer[0], longer[1], class, &b);
    double most = 0, off = 0;
    for (size_t i = 0; i < m->layout.trained; i++) {
        most = fmax(most, fabs(g[i]));
        off = fmax(off, fabs(g[i] - h[i]));
    }
    ok(fabs(a.contrastive - b.contrastive) < 1e-6 * a.contrastive && a.first == b.first && most > 0 && off < 1e-5 * most,
       "equal ones count as one: %g, %g; off by %.1e of %.1e", a.contrastive, b.contrastive, off, most);
    free(h);
    h = pass(m, &contrast, batch, T, T, mel[0], mel[1], class, &b);
    ok(a.contrastive == b.contrastive && !memcmp(g, h, m->layout.total * sizeof *g), "one window is the whole");
    free(g);
    free(h);
    const struct sj_learner_options odd[] = {{SJ_PRECISION_F32, 2, 2, T, SJ_RECOMPUTE_AUTO, 0, 1, T / 2 + 8},
                                             {SJ_PRECISION_F32, 2, 2, T, SJ_RECOMPUTE_AUTO, 0, 1, 2 * T},
                                             {SJ_PRECISION_F32, 2, 2, 2 * T, SJ_RECOMPUTE_AUTO, 0, 1, T}};
    struct sj_learner *l;
    for (int i = 0; i < 3; i++)
        ok(sj_learner_new(k, m, &odd[i], &l) == SJ_USAGE, "%s", sj_reason());
    sj_model_free(m);
}

static void again_is_the_same(enum sj_predictor predictor, enum sj_precision precision, int rotary)
{
    struct sj_config c = sj_config_defaults();
    struct sj_model *m;
    double kept_loss, again_loss;
    c.dim = 48;
    c.depth = 2;
    c.heads = 3;
    c.hidden = 32;
    c.trf_dim = 32;
    c.trf_depth = 2;
    c.trf_heads = 2;
    c.predictor = predictor;
    c.rotary = rotary;
    c.condition = rotary && predictor != SJ_PREDICTOR_MLP_NONE ? 7 : 0;
    if (sj_model_new(&c, 1, &m))
        abort();
    float *kept = gradient(m, precision, SJ_RECOMPUTE_NEVER, &kept_loss);
    float *again = gradient(m, precision, SJ_RECOMPUTE_ALWAYS, &again_loss);
    ok(kept_loss > 0 && kept_loss == again_loss && !memcmp(kept, again, m->layout.total * sizeof *kept),
       "%s%s, %s: the same gradient", sj_predictor_names[predictor], rotary ? ", rotary, vectors" : "",
       sj_precision_names[precision]);
    free(kept);
    free(again);
    two_sides(m, precision);
    sj_model_free(m);
}

int main(void)
{
    char why[256];
    if (sjk_open("cpu", 2, &k, why, sizeof why))
        return 1;
    for (int p = 0; sj_predictor_names[p]; p++)
        for (enum sj_precision precision = SJ_PRECISION_F32; precision <= SJ_PRECISION_BF16; precision++)
            for (int rotary = 0; rotary < 2; rotary++)
                again_is_the_same((enum sj_predictor)p, precision, rotary);

    for (int predictor = 0; sj_predictor_names[predictor]; predictor++)
        pieces(predictor);

    struct sj_config base = sj_config_defaults();
    struct sj_learner_options o = {SJ_PRECISION_BF16, 256, 256, 800, SJ_RECOMPUTE_AUTO, 0, 1, 0};
    size_t state, pass, kept;
    sj_config_size(&base, 2);
    ok(!strcmp(sj_size_names[2], "base") && !sj_learner_memory(k, &base, &o, &state, &pass), "memory of a base pass");
    o.recompute = SJ_RECOMPUTE_NEVER;
    ok(!sj_learner_memory(k, &base, &o, &state, &kept) && kept > pass, "what is computed again is not kept");
    printf("# base, 256 pairs, bf16: state %.2f GiB, pass %.2f GiB, %.2f GiB when all is kept\n",
           (double)state / (1 << 30), (double)pass / (1 << 30), (double)kept / (1 << 30));
    ok((double)(pass + state) < 20.0 * (1 << 30), "state and a pass of 256 pairs of the base size fit 20 GiB");
    sjk_close(k);
    return done();
}
