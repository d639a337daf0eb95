/* Training: one pass, one update, and the state between steps. */
#include "net_train_own.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- one pass ----------------------------------------------------------------------------------------------------- */

/* mel -> patches -> residual stream `res`, which starts as the positions. */
static int embed_patches(struct sj_learner *l, const struct net_params *p, const float *mel, void *patches, float *res)
{
    struct sjk *k = l->k;
    const struct sj_config *c = &l->config;
    int64_t B = l->options.micro, T = l->options.frames;
    int e;
    (void)((e = k->ops->patches(k, B, c->frequencies, T, mel, patches, l->type)) ||
           (e = k->ops->repeat(k, B, l->K, c->dim, l->positions, res)) ||
           (e = net_linear(p, NET_PATCH, l->M, patches, res, SJK_F32, SJK_ADD)));
    return e;
}

static int forward_target(struct sj_learner *l)
{
    const struct net_params *p = &l->target_params;
    const struct net_stack *s = &l->encoder;
    struct net_back *b = &l->back;
    int norm = s->first + (int)s->depth * NET_BLOCK, e = embed_patches(l, p, l->target_mel, b->wide, b->res);
    for (int64_t i = 0; !e && i < s->depth; i++)
        e = net_block(p, s, i, l->options.micro, l->K, l->type, b->res, b->norm, b->wide);
    return e ? e
             : l->k->ops->layernorm(l->k, l->M, s->D, b->res, p->at[norm], p->at[norm + 1], l->targets, SJK_F32, NULL);
}

static int forward_context(struct sj_learner *l)
{
    const struct net_params *p = &l->params;
    const struct net_stack *s = &l->encoder;
    int norm = s->first + (int)s->depth * NET_BLOCK, e;
    (void)((e = embed_patches(l, p, l->mel, l->patches, l->saved[0].res1)) ||
           (e = net_stack_forward(l, s, l->options.micro, l->K, l->saved, l->last)) ||
           (e = l->k->ops->layernorm(l->k, l->M, s->D, l->last, p->at[norm], p->at[norm + 1], l->z, l->type,
                                     l->last_stat)));
    return e;
}

/* From back.norm, the gradient of z. */
static int backward_context(struct sj_learner *l)
{
    struct sjk *k = l->k;
    const struct net_stack *s = &l->encoder;
    struct net_back *b = &l->back;
    int norm = s->first + (int)s->depth * NET_BLOCK, last_bias = norm - NET_BLOCK + NET_FC2 + 1, e;
    (void)((e = k->ops->layernorm_backward(k, l->M, s->D, l->last, l->params.at[norm], l->last_stat, b->norm, l->type,
                                           b->res, 0, l->type, b->copy, net_gradient(l, norm),
                                           net_gradient(l, norm + 1), net_gradient(l, last_bias))) ||
           (e = net_stack_backward(l, s, l->options.micro, l->K, l->saved, NET_PATCH + 1)) ||
           (e = net_weight_gradient(l, NET_PATCH, l->M, b->copy, l->patches)));
    return e;
}

/* The loss of the pass and gradient_out. Its share of the step's mean: a pass has micro of batch samples. */
static int objective(struct sj_learner *l, const struct sj_objective *j)
{
    struct sjk *k = l->k;
    const struct sjk_ops *o = k->ops;
    int64_t B = l->options.micro, F = l->config.frequencies, D = l->config.dim;
    float scale = (float)(j->cosine / (double)(l->options.batch * l->K));
    int e = o->cosine_loss(k, l->M, D, l->prediction, l->targets, scale, &l->sums[0], l->gradient_out);
    if (e || j->contrastive == 0)
        return e;
    float share = (float)(j->contrastive / (double)l->options.batch);
    (void)((e = o->pool(k, B, F, l->P, D, l->prediction, l->pooled)) ||
           (e = o->pool(k, B, F, l->P, D, l->targets, l->pooled_targets)) ||
           (e = o->infonce(k, B, F * D, l->pooled, l->pooled_targets, l->group, (float)j->temperature, share,
                           &l->sums[1], l->gradient_pooled)) ||
           (e = o->pool_backward(k, B, F, l->P, D, l->gradient_pooled, l->gradient_out)));
    return e;
}

/* The objective is all that differs between passes of one learner. */
static uint64_t pass_key(const struct sj_learner *l, const struct sj_objective *j)
{
    const double number[3] = {j->cosine, j->contrastive, j->temperature};
    uint64_t key = (uint64_t)(uintptr_t)l + 1;
    for (int i = 0; i < 3; i++) {
        uint64_t bits;
        memcpy(&bits, &number[i], sizeof bits);
        key = (key ^ bits) * 0x9e3779b97f4a7c15u;
        key ^= key >> 29;
    }
    return key;
}

static int put_labels(struct sj_learner *l, const int32_t *class, const int32_t *group)
{
    struct sjk *k = l->k;
    size_t bytes = (size_t)l->options.micro * sizeof(int32_t);
    for (int64_t b = 0; class && b < l->options.micro; b++)
        if (class[b] < 0 || class[b] >= l->config.classes)
            return sj_fail(SJ_USAGE, "class %d of a model of %lld classes", (int)class[b],
                           (long long)l->config.classes);
    if (!class && l->config.predictor != SJ_PREDICTOR_MLP_NONE)
        return sj_fail(SJ_USAGE, "no classes for a predictor that needs them");
    int e = class ? k->ops->put(k, l->class, class, bytes) : 0;
    for (int32_t b = 0, own[256]; !e && !group && b < l->options.micro; b += 256) {
        int32_t n = l->options.micro - b < 256 ? (int32_t)(l->options.micro - b) : 256;
        for (int32_t i = 0; i < n; i++)
            own[i] = b + i;
        e = k->ops->put(k, l->group + b, own, (size_t)n * sizeof *own);
    }
    if (!e && group)
        e = k->ops->put(k, l->group, group, bytes);
    return net_status(k, e);
}

void sj_learner_input(struct sj_learner *l, float **mel, float **target_mel)
{
    *mel = l->mel;
    *target_mel = l->target_mel;
}

int sj_learner_pass(struct sj_learner *l, const struct sj_objective *j, const float *mel, const float *target_mel,
                    const int32_t *class, const int32_t *group)
{
    int e, status = put_labels(l, class, group);
    if (!status && j->contrastive != 0 && (l->options.micro != l->options.batch || !(j->temperature > 0)))
        status = sj_fail(SJ_USAGE, "the contrastive term needs the whole batch in one pass and a temperature above 0");
    if (status)
        return status;
    size_t bytes = (size_t)(l->options.micro * l->config.mel.bands * l->options.frames) * sizeof *mel;
    e = mel ? l->k->ops->put(l->k, l->mel, mel, bytes) : 0;
    if (!e && target_mel)
        e = l->k->ops->put(l->k, l->target_mel, target_mel, bytes);
    (void)(e || (e = l->k->ops->begin(l->k, pass_key(l, j))) || (e = forward_target(l)) ||
           (e = forward_context(l)) || (e = net_predictor_forward(l)) || (e = objective(l, j)) ||
           (e = net_predictor_backward(l)) || (e = backward_context(l)) || (e = l->k->ops->end(l->k)));
    return net_status(l->k, e);
}

/* -- one update --------------------------------------------------------------------------------------------------- */

/* The three sums on the host, then zero again. */
static int take_sums(struct sj_learner *l, double sums[3])
{
    struct sjk *k = l->k;
    int e;
    (void)((e = k->ops->sum_squares(k, l->layout.total, l->gradient, &l->sums[2])) ||
           (e = k->ops->get(k, sums, l->sums, 3 * sizeof *sums)) || (e = k->ops->zero(k, l->sums, 3 * sizeof *sums)));
    return e;
}

int sj_learner_update(struct sj_learner *l, const struct sj_update *u, struct sj_learned *r)
{
    struct sjk *k = l->k;
    double sums[3] = {0}, t = (double)u->step + 1;
    size_t encoder = l->layout.encoder, rest = l->layout.total - encoder;
    int e = take_sums(l, sums);
    if (e)
        return net_status(k, e);
    r->loss = sums[0] / (double)(l->options.batch * l->K);
    r->contrastive = sums[1] / (double)l->options.batch;
    r->gradient_norm = sqrt(sums[2]);
    if (!isfinite(r->loss) || !isfinite(r->contrastive) || !isfinite(r->gradient_norm))
        return sj_fail(SJ_INPUT, "step %lld: the loss or its gradient is not finite", (long long)u->step);
    double clip = u->clip / (r->gradient_norm + 1e-6); /* as torch.nn.utils.clip_grad_norm_ */
    struct sjk_adamw a = {
        .rate = (float)u->rate,
        .beta1 = (float)u->beta1,
        .beta2 = (float)u->beta2,
        .eps = (float)u->eps,
        .decay = (float)u->decay,
        .correction1 = (float)(1 - pow(u->beta1, t)),
        .correction2 = (float)(1 - pow(u->beta2, t)),
        .gradient_scale = clip < 1 ? (float)clip : 1,
        .ema_rate = (float)u->ema,
    };
    (void)((e = k->ops->begin(k, (uint64_t)(uintptr_t)l)) ||
           (e = k->ops->adamw(k, encoder, l->weights, l->gradient, l->first, l->second, l->target, &a)) ||
           (e = k->ops->adamw(k, rest, l->weights + encoder, l->gradient + encoder, l->first + encoder,
                              l->second + encoder, NULL, &a)));
    int status = net_status(k, e);
    if (!status)
        status = net_params_pack(&l->params, SJK_PACK_FORWARD | SJK_PACK_BACKWARD);
    if (!status)
        status = net_params_pack(&l->target_params, SJK_PACK_FORWARD);
    return status ? status : net_status(k, k->ops->end(k));
}

/* -- the collapse alarm ------------------------------------------------------------------------------------------- */

/* v (n) standardised and scaled to length 1. */
static void unit(int64_t n, float *v)
{
    double mean = 0, square = 0;
    for (int64_t i = 0; i < n; i++)
        mean += v[i] / (double)n;
    for (int64_t i = 0; i < n; i++)
        square += (v[i] - mean) * (v[i] - mean);
    for (int64_t i = 0; i < n; i++)
        v[i] = (float)((v[i] - mean) / (square > 0 ? sqrt(square) : 1));
}

int sj_learner_spread(struct sj_learner *l, double *spread)
{
    struct sjk *k = l->k;
    int64_t B = l->options.micro, F = l->config.frequencies, D = l->config.dim, E = F * D;
    float *v = malloc((size_t)(B * E) * sizeof *v);
    if (!v)
        return sj_fail(SJ_SYSTEM, "no memory for targets");
    int e = k->ops->pool(k, B, F, l->P, D, l->targets, l->pooled_targets);
    if (!e)
        e = k->ops->get(k, v, l->pooled_targets, (size_t)(B * E) * sizeof *v);
    double length = 0; /* of the mean of the unit vectors: their mean squared distance from it is 1 - length^2 */
    for (int64_t b = 0; b < B; b++)
        unit(E, v + b * E);
    for (int64_t i = 0; i < E; i++) {
        double mean = 0;
        for (int64_t b = 0; b < B; b++)
            mean += v[b * E + i] / (double)B;
        length += mean * mean;
    }
    free(v);
    *spread = sqrt(length < 1 ? 1 - length : 0);
    return net_status(k, e);
}

/* -- state -------------------------------------------------------------------------------------------------------- */

static float *part_of(const struct sj_learner *l, enum sj_learner_part part)
{
    switch (part) {
    case SJ_LEARNER_TARGET: return l->target;
    case SJ_LEARNER_FIRST: return l->first;
    case SJ_LEARNER_SECOND: return l->second;
    case SJ_LEARNER_GRADIENT: return l->gradient;
    default: return l->weights;
    }
}

size_t sj_learner_size(const struct sj_learner *l, enum sj_learner_part part)
{
    return part == SJ_LEARNER_TARGET ? l->layout.encoder : l->layout.total;
}

int sj_learner_get(struct sj_learner *l, enum sj_learner_part part, float *host)
{
    return net_status(l->k, l->k->ops->get(l->k, host, part_of(l, part), sj_learner_size(l, part) * sizeof *host));
}

int sj_learner_put(struct sj_learner *l, enum sj_learner_part part, const float *host)
{
    int e = l->k->ops->put(l->k, part_of(l, part), host, sj_learner_size(l, part) * sizeof *host);
    int status = net_status(l->k, e);
    if (!status && part == SJ_LEARNER_WEIGHTS)
        status = net_params_pack(&l->params, SJK_PACK_FORWARD | SJK_PACK_BACKWARD);
    if (!status && part == SJ_LEARNER_TARGET)
        status = net_params_pack(&l->target_params, SJK_PACK_FORWARD);
    return status;
}
