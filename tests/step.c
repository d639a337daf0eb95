/* step DIR: losses and gradients of one step of small models for every objective, for tests/objective.py to compare
 * with PyTorch. Writes DIR/mel.f32 (2, B, 80, T), DIR/NAME.h5 and DIR/NAME-N.h5 (the gradients of objective N as a
 * model), and on standard output one JSON object per objective and model NAME. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "net_train.h"
#include "rng.h"

enum { B = 6, T = 96 };

static const int32_t class[B] = {0, 3, 1, 0, 0, 2}, group[B] = {0, 1, 0, 2, 0, 3};

/* cosine, contrastive, temperature, other, two-sided, alone */
static const struct sj_objective objectives[] = {
    {1, 0, 0, 0, 0, 0},     {1, 0.7, 0.3, 1, 0, 0},   {0, 1, 0.2, 0.4, 0, 0}, {0, 1, 0.2, 1, 1, 0},
    {0.5, 2, 0.3, 0, 1, 0}, {1.5, 1, 0.2, 0.3, 1, 0}, {0, 1, 0.2, 1, 1, 1},   {0, 0.5, 0.3, 0.6, 1, 1},
};

/* Every predictor, and what places and classes may be told by. */
static const struct kind {
    const char *name;
    enum sj_predictor predictor;
    int rotary, condition;
} kinds[] = {
    {"mlp", SJ_PREDICTOR_MLP, 0, 0},
    {"mlp_none", SJ_PREDICTOR_MLP_NONE, 0, 0},
    {"transformer", SJ_PREDICTOR_TRANSFORMER, 0, 0},
    {"mlp_film", SJ_PREDICTOR_MLP_FILM, 0, 0},
    {"rotary", SJ_PREDICTOR_MLP, 1, 0},
    {"rotary_transformer", SJ_PREDICTOR_TRANSFORMER, 1, 0},
    {"vectors", SJ_PREDICTOR_MLP, 0, 7},
    {"vectors_film", SJ_PREDICTOR_MLP_FILM, 1, 5},
    {"vectors_transformer", SJ_PREDICTOR_TRANSFORMER, 1, 6},
};

static int die(int status)
{
    if (status)
        fprintf(stderr, "step: %s\n", sj_reason());
    return status;
}

enum { count = sizeof objectives / sizeof *objectives };

/* With one target of a context or two; the contrastive term over all of a pair, or over windows. */
static const struct {
    int targets, window;
} variants[] = {{1, 0}, {2, 0}, {1, 32}, {2, 16}};

/* Run n: of objective n % count. */
static int run(struct sjk *k, const char *folder, const char *name, struct sj_model *m, int n, const float *mel)
{
    const int targets = variants[n / count].targets, window = variants[n / count].window;
    struct sj_learner_options o = {SJ_PRECISION_F32, B, B, T, n % 2 ? SJ_RECOMPUTE_ALWAYS : SJ_RECOMPUTE_NEVER, 1,
                                   targets, window};
    const struct sj_objective *j = &objectives[n % count];
    int32_t of[B];
    const struct sj_update u = {.clip = INFINITY};
    struct sj_learner *l;
    struct sj_learned r;
    struct sj_model *g;
    char path[4096];
    for (int i = 0; i < B; i++)
        of[i] = group[i % (B / targets)];
    int status = sj_learner_new(k, m, &o, &l);
    if (!status)
        status = sj_learner_pass(l, j, mel, mel + B * 80 * T, class, of);
    if (!status)
        status = sj_model_blank(&m->config, &g);
    if (!status)
        status = sj_learner_get(l, SJ_LEARNER_GRADIENT, g->weights);
    if (!status)
        status = sj_learner_update(l, &u, &r);
    snprintf(path, sizeof path, "%s/%s-%d.h5", folder, name, n);
    if (!status)
        status = sj_model_write(path, g);
    if (status)
        return status;
    printf("{\"name\": \"%s\", \"predictor\": \"%s\", \"number\": %d, \"targets\": %d, \"window\": %d, \"cosine\": %g, "
           "\"contrastive\": %g, \"temperature\": %g, \"other\": %g, \"two_sided\": %d, \"alone\": %d, "
           "\"loss\": %.17g, \"term\": %.17g, \"first\": %.17g}\n",
           name, sj_predictor_names[m->config.predictor], n, targets, window, j->cosine, j->contrastive, j->temperature,
           j->other, j->two_sided, j->alone, r.loss, r.contrastive, r.first);
    sj_model_free(g);
    sj_learner_free(l);
    return SJ_OK;
}

static int run_all(struct sjk *k, const char *folder, const struct kind *kind, const float *mel)
{
    struct sj_config c = sj_config_defaults();
    struct sj_rng r = sj_rng(3, (uint64_t)(kind - kinds));
    struct sj_model *m = NULL;
    char path[4096];
    c.dim = c.trf_dim = 32;
    c.depth = c.trf_depth = c.heads = c.trf_heads = 2;
    c.hidden = 48;
    c.layers = 3;
    c.predictor = kind->predictor;
    c.rotary = kind->rotary;
    c.condition = kind->condition;
    int status = sj_model_new(&c, 1, &m);
    snprintf(path, sizeof path, "%s/%s.h5", folder, kind->name);
    for (size_t i = 0; !status && i < m->layout.encoder; i++)
        m->target[i] += 0.1f * (float)sj_rng_double(&r); /* an average that is not the encoder */
    for (size_t i = m ? m->layout.encoder : 0; !status && i < m->layout.total; i++)
        m->weights[i] += 0.1f * ((float)sj_rng_double(&r) - 0.5f); /* nothing that starts at 0 stays there */
    if (!status)
        status = sj_model_write(path, m);
    for (int n = 0; !status && n < count * (int)(sizeof variants / sizeof *variants); n++)
        if (kind < &kinds[3] || n % count == 1) /* objectives are the same whatever is told how */
            status = run(k, folder, kind->name, m, n, mel);
    if (!status)
        sj_model_free(m);
    return status;
}

int main(int argc, char **argv)
{
    static float mel[2 * B * 80 * T];
    char why[256], path[4096];
    struct sjk *k;
    struct sj_rng r = sj_rng(7, 0);
    if (argc != 2 || sjk_open("cpu", 1, &k, why, sizeof why))
        return SJ_USAGE;
    sj_rng_normal(&r, mel, sizeof mel / sizeof *mel);
    snprintf(path, sizeof path, "%s/mel.f32", argv[1]);
    FILE *f = fopen(path, "wb");
    int status = f && fwrite(mel, sizeof mel, 1, f) == 1 && !fclose(f) ? SJ_OK : sj_fail_errno("'%s'", path);
    for (size_t i = 0; !status && i < sizeof kinds / sizeof *kinds; i++)
        status = run_all(k, argv[1], &kinds[i], mel);
    sjk_close(k);
    return die(status);
}
