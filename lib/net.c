/* Inference. */
#include "net_own.h"

#include <stdlib.h>
#include <string.h>

const char *const sj_network_names[] = {"context", "target", NULL};
const char *const sj_precision_names[] = {"auto", "f32", "bf16", NULL};

/* Scratch memory on the back end; each part serves several purposes, one after the other. */
struct scratch {
    float *mel;                       /* (B, bands, T) */
    float *first;                     /* f32 (B, K + 1, widest of the f32 streams) */
    float *second;                    /* the same */
    void *wide, *norm;                /* type t, rows as above */
    float *positions, *trf_positions; /* (F, P, D) of `columns` */
    int32_t *class;
    float *condition, *film; /* (B, D) of the classes; (B, net_film_width) */
};

struct sj_net {
    struct sjk *k;
    struct sj_config config;
    struct sj_layout layout;
    struct sj_net_options options;
    enum sjk_type type;
    struct net_params encoder, predictor;
    struct net_places places;
    struct net_stack stack, transformer;
    const float *table; /* of the classes, for the predictor; NULL: it is not told */
    void *memory, *table_memory;
    struct scratch s;
    int64_t columns; /* P of the positions in scratch, 0 at first */
    const float *result; /* of the last sj_net_encode */
};

enum sjk_type sj_precision_type(const struct sjk *k, enum sj_precision p)
{
    if (p == SJ_PRECISION_AUTO)
        return sjk_has_bf16(k) ? SJK_BF16 : SJK_F32;
    return p == SJ_PRECISION_BF16 ? SJK_BF16 : SJK_F32;
}

/* -- opening ------------------------------------------------------------------------------------------------------ */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The widest row of each kind that the wanted parts need. */
static void widths(const struct sj_net *n, int64_t *f32, int64_t *wide, int64_t *norm)
{
    const struct sj_config *c = &n->config;
    *f32 = *norm = c->dim;
    *wide = 1;
    if (n->options.encoder)
        *wide = larger(larger(3, c->mlp_ratio) * c->dim, c->patch * c->patch);
    if (!n->options.predictor)
        return;
    if (c->predictor == SJ_PREDICTOR_TRANSFORMER) {
        *f32 = larger(*f32, c->trf_dim);
        *norm = larger(*norm, c->trf_dim);
        *wide = larger(*wide, 4 * c->trf_dim);
    } else {
        *norm = larger(*norm, c->hidden);
        *wide = larger(*wide, larger(2 * c->dim, c->hidden));
    }
}

static void plan(struct sj_net *n, struct net_arena *a)
{
    const struct sj_config *c = &n->config;
    size_t B = (size_t)n->options.batch, K = (size_t)(c->frequencies * c->times), rows = B * (K + 1);
    size_t value = sjk_type_size(n->type), frames = (size_t)((c->times + 1) * c->patch);
    int64_t f32, wide, norm;
    widths(n, &f32, &wide, &norm);
    n->s.mel = net_take(a, n->options.encoder ? B * (size_t)c->mel.bands * frames * sizeof(float) : 0);
    n->s.first = net_take(a, rows * (size_t)f32 * sizeof(float));
    n->s.second = net_take(a, rows * (size_t)f32 * sizeof(float));
    n->s.wide = net_take(a, rows * (size_t)wide * value);
    n->s.norm = net_take(a, rows * (size_t)norm * value);
    n->s.positions = net_take(a, (K + 1) * (size_t)c->dim * sizeof(float));
    n->s.trf_positions = net_take(a, (K + 1) * (size_t)c->trf_dim * sizeof(float));
    n->s.class = net_take(a, B * sizeof(int32_t));
    n->s.condition = net_take(a, net_film_width(c) ? B * (size_t)c->dim * sizeof(float) : 0);
    n->s.film = net_take(a, B * (size_t)net_film_width(c) * sizeof(float));
}

static int load(struct sj_net *n, const struct sj_model *m)
{
    const struct sj_layout *l = &n->layout;
    int status = SJ_OK;
    if (n->options.encoder) {
        status = net_params_new(n->k, l, 0, l->encoder_tensors, n->type, &n->encoder);
        if (!status)
            status = net_params_load(&n->encoder, n->options.network == SJ_NETWORK_TARGET ? m->target : m->weights);
    }
    if (!status && n->options.predictor) {
        status = net_params_new(n->k, l, l->encoder_tensors, l->tensors, n->type, &n->predictor);
        if (!status)
            status = net_params_load(&n->predictor, m->weights);
    }
    return status;
}

/* What the predictor is told of each class: its parameters, or made of the classes' vectors. */
static int make_table(struct sj_net *n)
{
    const struct sj_config *c = &n->config;
    const struct sjk_ops *o = n->k->ops;
    size_t vectors = (size_t)(c->classes * c->condition), table = (size_t)(c->classes * net_source_width(c));
    void *copy = NULL;
    if (n->places.source >= 0)
        n->table = n->predictor.at[n->places.source];
    if (n->places.map < 0)
        return SJ_OK;
    int e = o->alloc(n->k, table * sizeof(float), &n->table_memory);
    n->table = n->table_memory;
    (void)(e || (e = o->alloc(n->k, vectors * sizeof(float), &copy)) ||
           (e = o->cast(n->k, vectors, n->predictor.at[n->places.vector], SJK_F32, copy, n->type)) ||
           (e = net_linear(&n->predictor, n->places.map, c->classes, copy, n->table_memory, SJK_F32, SJK_STORE)));
    if (copy)
        o->free(n->k, copy);
    return net_status(n->k, e);
}

int sj_net_new(struct sjk *k, const struct sj_model *m, const struct sj_net_options *o, struct sj_net **out)
{
    if (o->batch < 1 || o->batch > 1 << 20)
        return sj_fail(SJ_USAGE, "a batch of %lld chunks", (long long)o->batch);
    struct sj_net *n = calloc(1, sizeof *n);
    if (!n)
        return sj_fail(SJ_SYSTEM, "no memory for a network");
    n->k = k;
    n->config = m->config;
    n->options = *o;
    n->type = sj_precision_type(k, o->precision);
    struct net_arena a = {0};
    plan(n, &a);
    int status = sj_layout_new(&n->config, &n->layout);
    if (!status) {
        n->places = net_places(&n->config, &n->layout);
        n->stack = net_encoder_stack(&n->config);
        n->transformer = net_predictor_stack(&n->config, &n->layout);
        status = load(n, m);
    }
    if (!status && n->options.predictor)
        status = make_table(n);
    if (!status)
        status = net_status(k, k->ops->alloc(k, a.used, &n->memory));
    if (status) {
        sj_net_free(n);
        return status;
    }
    plan(n, &(struct net_arena){.base = n->memory});
    if (n->config.rotary) {
        n->stack.turns = n->s.positions;
        n->transformer.turns = n->s.trf_positions;
    }
    *out = n;
    return SJ_OK;
}

void sj_net_free(struct sj_net *n)
{
    if (!n)
        return;
    net_params_free(&n->encoder);
    net_params_free(&n->predictor);
    if (n->memory)
        n->k->ops->free(n->k, n->memory);
    if (n->table_memory)
        n->k->ops->free(n->k, n->table_memory);
    sj_layout_free(&n->layout);
    free(n);
}

/* -- computing ---------------------------------------------------------------------------------------------------- */

static int put_positions(struct sj_net *n, int64_t P)
{
    const struct sj_config *c = &n->config;
    int64_t most = (c->frequencies * P + 1) * larger(c->dim, c->trf_dim);
    if (P == n->columns)
        return SJ_OK;
    float *host = malloc((size_t)most * sizeof *host);
    if (!host)
        return sj_fail(SJ_SYSTEM, "no memory for positions");
    int e = n->k->ops->put(n->k, n->s.positions, host, net_where(c, &n->stack, P, 0, host) * sizeof *host);
    if (!e && c->predictor == SJ_PREDICTOR_TRANSFORMER)
        e = n->k->ops->put(n->k, n->s.trf_positions, host, net_where(c, &n->transformer, P, 1, host) * sizeof *host);
    free(host);
    n->columns = e ? 0 : P;
    return net_status(n->k, e);
}

static int check_batch(const struct sj_net *n, int part, int64_t B, int64_t P)
{
    if (!part)
        return sj_fail(SJ_USAGE, "this part of the network was not asked for");
    if (B < 0 || B > n->options.batch || P < 1 || P > n->config.times)
        return sj_fail(SJ_USAGE, "a batch of %lld chunks of %lld patches where %lld of %lld are the most", (long long)B,
                       (long long)P, (long long)n->options.batch, (long long)n->config.times);
    return SJ_OK;
}

int sj_net_encode(struct sj_net *n, int64_t B, int64_t T, const float *mel, int layer, float *z)
{
    const struct sj_config *c = &n->config;
    const struct sjk_ops *o = n->k->ops;
    struct sjk *k = n->k;
    int64_t P = T / c->patch, K = c->frequencies * P, D = c->dim, M = B * K, depth = layer ? layer : c->depth;
    int status = check_batch(n, n->options.encoder, B, P), norm = NET_BLOCKS + (int)c->depth * NET_BLOCK, e;
    if (status)
        return status;
    if (depth < 1 || depth > c->depth)
        return sj_fail(SJ_USAGE, "layer %d of a network of %lld", layer, (long long)c->depth);
    if ((status = put_positions(n, P)))
        return status;
    float *res = n->s.first, *result = res;
    if ((e = mel ? o->put(k, n->s.mel, mel, (size_t)(B * c->mel.bands * T) * sizeof *mel) : 0) ||
        (e = o->patches(k, B, 1, c->frequencies, T, n->s.mel, n->s.wide, n->type)) ||
        (e = c->rotary ? 0 : o->repeat(k, B, K, D, n->s.positions, res)) ||
        (e = net_linear(&n->encoder, NET_PATCH, M, n->s.wide, res, SJK_F32, c->rotary ? SJK_STORE : SJK_ADD)))
        return net_status(k, e);
    for (int64_t i = 0; !e && i < depth; i++)
        e = net_block(&n->encoder, &n->stack, i, B, K, n->type, res, n->s.norm, n->s.wide);
    if (!e && depth == c->depth) {
        result = n->s.second;
        e = o->layernorm(k, M, D, res, n->encoder.at[norm], n->encoder.at[norm + 1], result, SJK_F32, NULL);
    }
    n->result = result;
    if (!e && z)
        e = o->get(k, z, result, (size_t)(M * D) * sizeof *z);
    return net_status(k, e);
}

float *sj_net_input(struct sj_net *n)
{
    return n->s.mel;
}

int sj_net_pooled(struct sj_net *n, int64_t B, int64_t T, float *pooled)
{
    const struct sj_config *c = &n->config;
    int64_t P = T / c->patch, F = c->frequencies, D = c->dim;
    int status = check_batch(n, n->options.encoder, B, P);
    if (status)
        return status;
    int e = n->k->ops->pool(n->k, B * F, 1, P, D, n->result, n->s.norm);
    if (!e)
        e = n->k->ops->get(n->k, pooled, n->s.norm, (size_t)(B * F * D) * sizeof *pooled);
    return net_status(n->k, e);
}

/* The scales and shifts of the classes. norm is free for their condition. */
static int make_film(struct sj_net *n, int64_t B)
{
    const struct sjk_ops *o = n->k->ops;
    const struct net_params *p = &n->predictor;
    int64_t D = n->config.dim;
    int e;
    (void)((e = o->prepend(n->k, B, 0, D, n->s.first, n->table, n->s.class, n->s.condition)) ||
           (e = o->cast(n->k, (size_t)(B * D), n->s.condition, SJK_F32, n->s.norm, n->type)) ||
           (e = net_linear(p, n->places.film, B, n->s.norm, n->s.film, SJK_F32, SJK_STORE)));
    return e;
}

/* Hidden layer i: from *x to *y, which change places. */
static int hidden_layer(struct sj_net *n, int64_t B, int64_t K, int64_t i, void **x, void **y)
{
    const struct sj_config *c = &n->config;
    int film = n->places.film >= 0, e;
    int64_t width = c->hidden;
    e = net_linear(&n->predictor, n->places.first + 2 * (int)i, B * K, *x, *y, n->type, film ? SJK_STORE : SJK_RELU);
    void *made = *y;
    *y = *x;
    *x = made;
    if (e || !film)
        return e;
    e = n->k->ops->film(n->k, B, K, width, n->type, *x, n->s.film + 2 * i * width, net_film_width(c), *y);
    *x = *y;
    *y = made;
    return e;
}

/* The MLP predictors, from z in s.first to the result in s.first. */
static int predict_mlp(struct sj_net *n, int64_t B, int64_t K)
{
    const struct sj_config *c = &n->config;
    const struct sjk_ops *o = n->k->ops;
    const struct net_params *p = &n->predictor;
    int last = n->places.first + 2 * ((int)c->layers - 1), norm = last + 2, e = 0;
    int64_t M = B * K, D = c->dim;
    void *x = n->s.norm, *y = n->s.wide;
    if ((e = n->places.film >= 0 ? make_film(n, B) : 0) ||
        (e = o->cast(n->k, (size_t)(M * D), n->s.first, SJK_F32, x, n->type)))
        return e;
    if (c->predictor == SJ_PREDICTOR_MLP) {
        if ((e = o->concat(n->k, B, K, D, n->type, x, n->table, n->s.class, y)))
            return e;
        x = n->s.wide;
        y = n->s.norm;
    }
    for (int64_t i = 0; i + 1 < c->layers; i++)
        if ((e = hidden_layer(n, B, K, i, &x, &y)))
            return e;
    (void)((e = net_linear(p, last, M, x, n->s.second, SJK_F32, SJK_STORE)) ||
           (e = o->layernorm(n->k, M, D, n->s.second, p->at[norm], p->at[norm + 1], n->s.first, SJK_F32, NULL)));
    return e;
}

/* The same for the transformer. */
static int predict_transformer(struct sj_net *n, int64_t B, int64_t K)
{
    const struct sj_config *c = &n->config;
    const struct sjk_ops *o = n->k->ops;
    const struct net_params *p = &n->predictor;
    const struct net_stack *stack = &n->transformer;
    int norm = stack->first + (int)stack->depth * NET_BLOCK, pred = norm + 2, e;
    int64_t M = B * K, D = stack->D;
    float *res = n->s.first, *flat = n->s.second;
    if ((e = o->cast(n->k, (size_t)(M * c->dim), res, SJK_F32, n->s.norm, n->type)) ||
        (e = c->rotary ? 0 : o->repeat(n->k, B, K, D, n->s.trf_positions, flat)) ||
        (e = net_linear(p, n->places.first, M, n->s.norm, flat, SJK_F32, c->rotary ? SJK_STORE : SJK_ADD)) ||
        (e = o->prepend(n->k, B, K, D, flat, n->table, n->s.class, res)))
        return e;
    for (int64_t i = 0; !e && i < stack->depth; i++)
        e = net_block(p, stack, i, B, K + 1, n->type, res, n->s.norm, n->s.wide);
    for (int64_t b = 0; !e && b < B; b++) /* without the class token */
        e = o->copy(n->k, flat + b * K * D, res + (b * (K + 1) + 1) * D, (size_t)(K * D) * sizeof *res);
    (void)(e || (e = o->layernorm(n->k, M, D, flat, p->at[norm], p->at[norm + 1], n->s.norm, n->type, NULL)) ||
           (e = net_linear(p, pred, M, n->s.norm, res, SJK_F32, SJK_STORE)));
    return e;
}

int sj_net_predict(struct sj_net *n, int64_t B, int64_t P, const float *z, const int32_t *class, float *out)
{
    const struct sj_config *c = &n->config;
    int64_t K = c->frequencies * P;
    size_t bytes = (size_t)(B * K * c->dim) * sizeof *z;
    int status = check_batch(n, n->options.predictor, B, P), needs = c->predictor != SJ_PREDICTOR_MLP_NONE, e;
    if (status)
        return status;
    for (int64_t b = 0; needs && b < B; b++)
        if (class[b] < 0 || class[b] >= c->classes)
            return sj_fail(SJ_USAGE, "class %d of a model of %lld classes", (int)class[b], (long long)c->classes);
    if ((status = put_positions(n, P)))
        return status;
    if ((e = n->k->ops->put(n->k, n->s.first, z, bytes)) ||
        (e = needs ? n->k->ops->put(n->k, n->s.class, class, (size_t)B * sizeof *class) : 0) ||
        (e = c->predictor == SJ_PREDICTOR_TRANSFORMER ? predict_transformer(n, B, K) : predict_mlp(n, B, K)))
        return net_status(n->k, e);
    return net_status(n->k, n->k->ops->get(n->k, out, n->s.first, bytes));
}
