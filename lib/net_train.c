/* Training: memory, one pass, one step. */
#include "net_train_own.h"

#include <stdlib.h>

/* -- memory ------------------------------------------------------------------------------------------------------- */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void plan_saved(struct sj_learner *l, struct net_arena *a, const struct net_stack *s, size_t rows,
                       struct net_saved *saved)
{
    size_t f32 = rows * (size_t)s->D * sizeof(float), t = rows * (size_t)s->D * sjk_type_size(l->type);
    for (int64_t i = 0; i < s->depth; i++) {
        struct net_saved *v = &saved[i];
        v->res1 = net_take(a, f32);
        v->stat1 = net_take(a, 2 * rows * sizeof(float));
        v->res2 = net_take(a, f32);
        v->stat2 = net_take(a, 2 * rows * sizeof(float));
        v->attention_stat = net_take(a, rows * (size_t)s->heads * sizeof(float));
        v->norm1 = l->recompute ? NULL : net_take(a, t);
        v->qkv = net_take(a, 3 * t);
        v->attention = net_take(a, t);
        v->norm2 = l->recompute ? NULL : net_take(a, t);
        v->before = net_take(a, (size_t)s->ratio * t);
        v->after = l->recompute ? NULL : net_take(a, (size_t)s->ratio * t);
    }
}

static void plan_film(struct sj_learner *l, struct net_arena *a)
{
    const struct sj_config *c = &l->config;
    size_t value = sjk_type_size(l->type), condition = (size_t)(l->options.micro * c->dim);
    size_t film = (size_t)(l->options.micro * net_film_width(c));
    for (int64_t i = 1; i < c->layers; i++)
        l->before[i] = net_take(a, (size_t)(l->M * c->hidden) * value);
    l->condition = net_take(a, condition * sizeof(float));
    l->condition_copy = net_take(a, condition * value);
    l->film = net_take(a, film * sizeof(float));
    l->gradient_film = net_take(a, film * sizeof(float));
    l->film_copy = net_take(a, film * value);
}

static void plan_map(struct sj_learner *l, struct net_arena *a)
{
    const struct sj_config *c = &l->config;
    size_t value = sjk_type_size(l->type), table = (size_t)(c->classes * net_source_width(c));
    l->vector_copy = net_take(a, (size_t)(c->classes * c->condition) * value);
    l->table = net_take(a, table * sizeof(float));
    l->gradient_table = net_take(a, table * sizeof(float));
    l->table_copy = net_take(a, table * value);
}

static void plan_predictor(struct sj_learner *l, struct net_arena *a)
{
    const struct sj_config *c = &l->config;
    size_t M = (size_t)l->M, value = sjk_type_size(l->type), D = (size_t)c->dim;
    size_t widest = (size_t)larger(c->dim, c->predictor == SJ_PREDICTOR_TRANSFORMER ? c->trf_dim : 0);
    if (c->predictor == SJ_PREDICTOR_TRANSFORMER) {
        l->trf_positions = net_take(a, (size_t)((l->K + 1) * c->trf_dim) * sizeof(float));
        l->out_norm = net_take(a, M * (size_t)c->trf_dim * value);
        plan_saved(l, a, &l->transformer, (size_t)(l->options.micro * (l->K + 1)), l->trf_saved);
    } else {
        l->hidden[0] = c->predictor == SJ_PREDICTOR_MLP ? net_take(a, 2 * M * D * value) : l->z;
        for (int64_t i = 1; i < c->layers; i++)
            l->hidden[i] = net_take(a, M * (size_t)c->hidden * value);
        if (c->predictor == SJ_PREDICTOR_MLP_FILM)
            plan_film(l, a);
    }
    if (c->condition)
        plan_map(l, a);
    l->out = net_take(a, M * widest * sizeof(float));
    l->out_stat = net_take(a, 2 * M * sizeof(float));
    l->prediction = net_take(a, M * widest * sizeof(float));
}

/* Rows that go through the trained encoder. */
static int64_t encoder_rows(const struct sj_learner *l)
{
    return l->C + (l->sides - 1) * l->M;
}

static void plan_back(struct sj_learner *l, struct net_arena *a)
{
    const struct sj_config *c = &l->config;
    int trf = c->predictor == SJ_PREDICTOR_TRANSFORMER;
    size_t rows = (size_t)larger(l->options.micro * (l->K + trf), encoder_rows(l)), value = sjk_type_size(l->type);
    int64_t D = larger(c->dim, trf ? c->trf_dim : 0), norm = larger(D, trf ? 0 : c->hidden);
    int64_t wide =
        larger(larger(larger(3, c->mlp_ratio) * c->dim, c->patch * c->patch), trf ? 4 * c->trf_dim : c->hidden);
    l->back.res = net_take(a, rows * (size_t)D * sizeof(float));
    l->back.copy = net_take(a, rows * (size_t)D * value);
    l->back.norm = net_take(a, rows * (size_t)norm * value);
    l->back.wide = net_take(a, rows * (size_t)wide * value);
    l->back.again = l->recompute ? net_take(a, rows * (size_t)wide * value) : NULL;
}

static void plan_pass(struct sj_learner *l, struct net_arena *a)
{
    const struct sj_config *c = &l->config;
    size_t B = (size_t)l->options.micro, M = (size_t)l->M, D = (size_t)c->dim, value = sjk_type_size(l->type);
    size_t wide = (size_t)c->frequencies * D * sizeof(float), pooled = (size_t)(l->pairs * l->windows) * wide, rows = (size_t)encoder_rows(l);
    size_t spectrum = (size_t)(c->mel.bands * l->options.frames) * sizeof(float);
    l->mel = net_take(a, (size_t)(l->C / l->K) * spectrum);
    l->target_mel = net_take(a, B * spectrum);
    l->positions = net_take(a, (size_t)(l->K + 1) * D * sizeof(float));
    l->class = net_take(a, B * sizeof(int32_t));
    l->pair_class = l->pieces > 1 ? net_take(a, (size_t)l->pairs * sizeof(int32_t)) : l->class;
    l->group = net_take(a, (size_t)l->pairs * sizeof(int32_t));
    l->patches = net_take(a, rows * (size_t)(c->patch * c->patch) * value);
    plan_saved(l, a, &l->encoder, rows, l->saved);
    l->last = net_take(a, rows * D * sizeof(float));
    l->last_stat = net_take(a, 2 * rows * sizeof(float));
    l->z = net_take(a, M * D * value);
    plan_predictor(l, a);
    l->targets = net_take(a, M * D * sizeof(float));
    l->gradient_out = net_take(a, M * D * sizeof(float));
    l->pooled = net_take(a, pooled);
    l->pooled_targets = net_take(a, pooled);
    l->gradient_pooled = net_take(a, pooled);
    l->pooled_pieces = l->pieces > 1 ? net_take(a, B * wide) : NULL;
    if (l->sides > 1) {
        l->own = net_take(a, M * D * sizeof(float));
        l->gradient_own = net_take(a, M * D * sizeof(float));
        l->gradient_pooled_targets = net_take(a, pooled);
    }
    plan_back(l, a);
}

static void plan_state(struct sj_learner *l, struct net_arena *a)
{
    size_t all = l->layout.total * sizeof(float);
    l->weights = net_take(a, all);
    l->gradient = net_take(a, all);
    l->first = net_take(a, all);
    l->second = net_take(a, all);
    l->target = net_take(a, l->layout.encoder * sizeof(float));
    l->sums = net_take(a, 4 * sizeof(double));
}

static int put_positions(struct sj_learner *l)
{
    const struct sj_config *c = &l->config;
    float *host = malloc((size_t)((l->K + 1) * larger(c->dim, c->trf_dim)) * sizeof *host);
    if (!host)
        return sj_fail(SJ_SYSTEM, "no memory for positions");
    int e = l->k->ops->put(l->k, l->positions, host, net_where(c, &l->encoder, l->P, 0, host) * sizeof *host);
    if (!e && c->predictor == SJ_PREDICTOR_TRANSFORMER)
        e = l->k->ops->put(l->k, l->trf_positions, host, net_where(c, &l->transformer, l->P, 1, host) * sizeof *host);
    if (c->rotary) {
        l->encoder.turns = l->positions;
        l->transformer.turns = l->trf_positions;
    }
    free(host);
    return net_status(l->k, e);
}

/* Whether to compute again, and the bytes of both arenas. */
static void measure(struct sj_learner *l, struct net_arena *state, struct net_arena *pass)
{
    const size_t much = (size_t)8 << 30;
    plan_state(l, state);
    l->recompute = l->options.recompute == SJ_RECOMPUTE_ALWAYS;
    plan_pass(l, pass);
    if (l->options.recompute == SJ_RECOMPUTE_AUTO && pass->used > much) {
        l->recompute = 1;
        *pass = (struct net_arena){0};
        plan_pass(l, pass);
    }
}

/* The trained linear layers, counted from where their network's weights begin. */
static int list_layers(struct sj_learner *l)
{
    const struct sj_layout *layout = &l->layout;
    l->layer = calloc((size_t)layout->tensors, sizeof *l->layer);
    for (int i = 0; l->layer && i < layout->tensors; i++) {
        int encoder = i < layout->encoder_tensors;
        if (l->params.linear[i])
            l->layer[l->layers++] = (struct sjk_layer){.at = layout->tensor[i].offset - (encoder ? 0 : layout->encoder),
                                                       .linear = l->params.linear[i],
                                                       .average = encoder ? l->target_params.linear[i] : NULL};
        if (encoder)
            l->encoder_layers = l->layers;
    }
    return l->layer ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for a network");
}

static int allocate(struct sj_learner *l)
{
    const struct sjk_ops *o = l->k->ops;
    struct net_arena a = {0}, b = {0};
    measure(l, &a, &b);
    int e = o->alloc(l->k, a.used, &l->state_memory);
    if (!e)
        e = o->alloc(l->k, b.used, &l->pass_memory);
    if (e)
        return net_status(l->k, e);
    plan_state(l, &(struct net_arena){.base = l->state_memory});
    plan_pass(l, &(struct net_arena){.base = l->pass_memory});
    int status = net_params_new(l->k, &l->layout, 0, l->layout.tensors, l->type, &l->params);
    if (!status)
        status = net_params_new(l->k, &l->layout, 0, l->layout.encoder_tensors, l->type, &l->target_params);
    if (!status)
        status = list_layers(l);
    if (status)
        return status;
    net_params_point(&l->params, l->weights);
    net_params_point(&l->target_params, l->target);
    return SJ_OK;
}

/* A learner without memory on the back end. */
static int describe(struct sjk *k, const struct sj_config *c, const struct sj_learner_options *o,
                    struct sj_learner **out)
{
    if (o->micro < 1 || o->batch < o->micro || o->batch % o->micro)
        return sj_fail(SJ_USAGE, "a batch of %lld in passes of %lld", (long long)o->batch, (long long)o->micro);
    if (o->targets > 1 && o->micro % o->targets)
        return sj_fail(SJ_USAGE, "passes of %lld pairs of contexts with %lld targets", (long long)o->micro,
                       (long long)o->targets);
    const int64_t span = c->patch * c->times, pieces = o->frames < span + c->patch ? 1 : o->frames / span;
    if (o->frames < c->patch || (pieces > 1 && o->frames % span))
        return sj_fail(SJ_USAGE, "%lld frames where %lld to %lld, or a multiple of %lld, can be", (long long)o->frames,
                       (long long)c->patch, (long long)(span + c->patch - 1), (long long)span);
    const int64_t time = o->frames / pieces / c->patch, window = o->window / c->patch;
    if (o->window && (o->window % c->patch || window < 1 || time % window || pieces > 1))
        return sj_fail(SJ_USAGE, "windows of %lld frames in %lld of a span of %lld", (long long)o->window,
                       (long long)o->frames, (long long)span);
    struct sj_learner *l = calloc(1, sizeof *l);
    if (!l)
        return sj_fail(SJ_SYSTEM, "no memory for a network");
    l->k = k;
    l->first_pass = 1;
    l->config = *c;
    l->options = *o;
    l->options.batch *= pieces;
    l->options.micro *= pieces;
    l->options.frames /= pieces;
    l->pieces = pieces;
    l->pairs = o->micro;
    l->type = sj_precision_type(k, o->precision);
    l->windows = window ? time / window : 1;
    l->P = time;
    l->K = l->P * c->frequencies;
    l->M = l->K * l->options.micro;
    l->C = l->M / (o->targets > 1 ? o->targets : 1);
    l->sides = o->two_sided ? 2 : 1;
    l->saved = calloc((size_t)c->depth, sizeof *l->saved);
    l->trf_saved = calloc((size_t)c->trf_depth, sizeof *l->trf_saved);
    l->hidden = calloc((size_t)c->layers, sizeof *l->hidden);
    l->before = calloc((size_t)c->layers, sizeof *l->before);
    int status = sj_layout_new(c, &l->layout);
    if (!status && (!l->saved || !l->trf_saved || !l->hidden || !l->before))
        status = sj_fail(SJ_SYSTEM, "no memory for a network");
    if (status) {
        sj_learner_free(l);
        return status;
    }
    l->encoder = net_encoder_stack(c);
    l->transformer = net_predictor_stack(c, &l->layout);
    l->places = net_places(c, &l->layout);
    *out = l;
    return SJ_OK;
}

int sj_learner_memory(const struct sjk *k, const struct sj_config *c, const struct sj_learner_options *o,
                      size_t *state_bytes, size_t *pass_bytes)
{
    struct sj_learner *l;
    struct net_arena a = {0}, b = {0};
    int status = describe((struct sjk *)(uintptr_t)k, c, o, &l);
    if (status)
        return status;
    measure(l, &a, &b);
    *state_bytes = a.used;
    *pass_bytes = b.used;
    sj_learner_free(l);
    return SJ_OK;
}

int sj_learner_new(struct sjk *k, const struct sj_model *m, const struct sj_learner_options *o, struct sj_learner **out)
{
    struct sj_learner *l;
    int status = describe(k, &m->config, o, &l);
    if (status)
        return status;
    status = allocate(l);
    if (!status)
        status = put_positions(l);
    if (!status)
        status = sj_learner_put(l, SJ_LEARNER_WEIGHTS, m->weights);
    if (!status)
        status = sj_learner_put(l, SJ_LEARNER_TARGET, m->target);
    if (status)
        sj_learner_free(l);
    else
        *out = l;
    return status;
}

void sj_learner_free(struct sj_learner *l)
{
    if (!l)
        return;
    net_params_free(&l->params);
    net_params_free(&l->target_params);
    if (l->state_memory)
        l->k->ops->free(l->k, l->state_memory);
    if (l->pass_memory)
        l->k->ops->free(l->k, l->pass_memory);
    sj_layout_free(&l->layout);
    free(l->layer);
    free(l->saved);
    free(l->trf_saved);
    free(l->hidden);
    free(l->before);
    free(l);
}
