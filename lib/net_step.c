/* Training: one pass, one update, and the state between steps. */
#include "net_train_own.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- one pass ----------------------------------------------------------------------------------------------------- */

/* mel -> patches -> residual stream `res`, which starts as the positions. */
static int embed_patches(struct sj_learner *l, const struct net_params *p, int64_t M, const float *mel, void *patches,
                         float *res)
{
    struct sjk *k = l->k;
    const struct sj_config *c = &l->config;
    int64_t B = M / l->K, T = l->options.frames, W = l->pieces;
    int e;
    (void)((e = k->ops->patches(k, B / W, W, c->frequencies, T, mel, patches, l->type)) ||
           (e = c->rotary ? 0 : k->ops->repeat(k, B, l->K, c->dim, l->positions, res)) ||
           (e = net_linear(p, NET_PATCH, M, patches, res, SJK_F32, c->rotary ? SJK_STORE : SJK_ADD)));
    return e;
}

static int forward_target(struct sj_learner *l)
{
    const struct net_params *p = &l->target_params;
    const struct net_stack *s = &l->encoder;
    struct net_back *b = &l->back;
    int norm = s->first + (int)s->depth * NET_BLOCK, e = embed_patches(l, p, l->M, l->target_mel, b->wide, b->res);
    for (int64_t i = 0; !e && i < s->depth; i++)
        e = net_block(p, s, i, l->options.micro, l->K, l->type, b->res, b->norm, b->wide);
    return e ? e
             : l->k->ops->layernorm(l->k, l->M, s->D, b->res, p->at[norm], p->at[norm + 1], l->targets, SJK_F32, NULL);
}

/* The trained encoder, up to its final norm: of the contexts, and two-sided of the targets behind them. */
static int forward_encoder(struct sj_learner *l, int two)
{
    const struct net_params *p = &l->params;
    const int64_t C = l->C, pixels = l->config.patch * l->config.patch;
    char *behind = (char *)l->patches + (size_t)(C * pixels) * sjk_type_size(l->type);
    int e = embed_patches(l, p, C, l->mel, l->patches, l->saved[0].res1);
    if (!e && two)
        e = embed_patches(l, p, l->M, l->target_mel, behind, l->saved[0].res1 + C * l->config.dim);
    return e ? e : net_stack_forward(l, &l->encoder, (C + two * l->M) / l->K, l->K, l->saved, l->last);
}

/* The final norm of rows first .. first + M-1, to type yt. */
static int end_encoder(struct sj_learner *l, int64_t first, int64_t M, void *y, enum sjk_type yt)
{
    const struct net_stack *s = &l->encoder;
    int norm = s->first + (int)s->depth * NET_BLOCK;
    return l->k->ops->layernorm(l->k, M, s->D, l->last + first * s->D, l->params.at[norm], l->params.at[norm + 1], y,
                                yt, l->last_stat + 2 * first);
}

/* That of the contexts, once for each of their targets. */
static int end_contexts(struct sj_learner *l, void *y, enum sjk_type yt)
{
    const size_t bytes = (size_t)(l->C * l->config.dim) * sjk_type_size(yt);
    int e = end_encoder(l, 0, l->C, y, yt);
    for (int64_t k = 1; !e && k < l->M / l->C; k++)
        e = l->k->ops->copy(l->k, (char *)y + (size_t)k * bytes, y, bytes);
    return e;
}

/* What the objective compares: predictions (of the encoder alone: embeddings of contexts) and targets. */
static int forward(struct sj_learner *l, const struct sj_objective *j)
{
    int two = j->two_sided || j->alone, average = !two || j->cosine != 0, e = average ? forward_target(l) : 0;
    l->measured = average ? l->targets : l->own;
    (void)(e || (e = forward_encoder(l, two)) || (e = two ? end_encoder(l, l->C, l->M, l->own, SJK_F32) : 0) ||
           (e = j->alone ? end_contexts(l, l->prediction, SJK_F32) : end_contexts(l, l->z, l->type)) ||
           (e = j->alone ? 0 : net_predictor_forward(l)));
    return e;
}

/* Through the final norm, from dy, type t, `count` gradients for each of the rows first .. first + M-1. */
static int backward_end(struct sj_learner *l, int64_t first, int64_t M, int64_t count, const void *dy, enum sjk_type t)
{
    const struct net_stack *s = &l->encoder;
    struct net_back *b = &l->back;
    int norm = s->first + (int)s->depth * NET_BLOCK, last_bias = norm - NET_BLOCK + NET_FC2 + 1, e = 0;
    const int64_t at = first * s->D;
    char *copy = (char *)b->copy + (size_t)at * sjk_type_size(l->type);
    for (int64_t k = 0; !e && k < count; k++) {
        const char *part = (const char *)dy + (size_t)(k * M * s->D) * sjk_type_size(t);
        int last = k + 1 == count;
        e = l->k->ops->layernorm_backward(l->k, M, s->D, l->last + at, l->params.at[norm], l->last_stat + 2 * first,
                                          part, t, b->res + at, k > 0, l->type, last ? copy : NULL,
                                          net_gradient(l, norm), net_gradient(l, norm + 1),
                                          last ? net_gradient(l, last_bias) : NULL);
    }
    return e;
}

static int backward(struct sj_learner *l, const struct sj_objective *j)
{
    const int64_t targets = l->M / l->C;
    const int two = j->two_sided || j->alone;
    const int64_t rows = l->C + two * l->M;
    int e = j->alone ? 0 : net_predictor_backward(l);
    (void)(e || (e = j->alone ? backward_end(l, 0, l->C, targets, l->gradient_out, SJK_F32)
                              : backward_end(l, 0, l->C, targets, l->back.norm, l->type)) ||
           (e = two ? backward_end(l, l->C, l->M, 1, l->gradient_own, SJK_F32) : 0) ||
           (e = net_stack_backward(l, &l->encoder, rows / l->K, l->K, l->saved, NET_PATCH + 1)) ||
           (e = net_weight_gradient(l, NET_PATCH, rows, l->back.copy, l->patches)));
    return e;
}

/* pooled (windows, pairs, F D) = means of z (M, D) over the time of each window, or of all pieces, and onto dz the
 * gradient of it. */
static int pool_pairs(struct sj_learner *l, const float *z, float *pooled)
{
    const struct sjk_ops *o = l->k->ops;
    int64_t B = l->options.micro, W = l->pieces, F = l->config.frequencies, D = l->config.dim;
    int e = o->pool(l->k, B * F, l->windows, l->P / l->windows, D, z, W > 1 ? l->pooled_pieces : pooled);
    return e || W == 1 ? e : o->pool(l->k, l->pairs, 1, W, F * D, l->pooled_pieces, pooled);
}

static int pool_pairs_backward(struct sj_learner *l, const float *gradient, float *dz)
{
    struct sjk *k = l->k;
    int64_t B = l->options.micro, W = l->pieces, F = l->config.frequencies, D = l->config.dim;
    int e = 0;
    if (W > 1) {
        (void)((e = k->ops->zero(k, l->pooled_pieces, (size_t)(B * F * D) * sizeof *gradient)) ||
               (e = k->ops->pool_backward(k, l->pairs, 1, W, F * D, gradient, l->pooled_pieces)));
        gradient = l->pooled_pieces;
    }
    return e ? e : k->ops->pool_backward(k, B * F, l->windows, l->P / l->windows, D, gradient, dz);
}

/* What the contrastive term is the mean over. */
static double compared(const struct sj_learner *l)
{
    return (double)(l->options.batch / l->pieces * l->windows);
}

/* The term and its gradients, for each window by itself. */
static int contrast_windows(struct sj_learner *l, const struct sjk_contrast *c)
{
    const int64_t width = l->config.frequencies * l->config.dim, values = l->pairs * width;
    int e = 0;
    for (int64_t at = 0; !e && at < l->windows * values; at += values)
        e = l->k->ops->infonce(l->k, l->pairs, width, l->pooled + at, l->pooled_targets + at, c, &l->sums[1],
                               l->gradient_pooled + at, c->both ? l->gradient_pooled_targets + at : NULL);
    return e;
}

/* The contrastive term, onto gradient_out and, two-sided, to gradient_own. */
static int contrast(struct sj_learner *l, const struct sj_objective *j)
{
    struct sjk *k = l->k;
    const struct sjk_ops *o = k->ops;
    int two = j->two_sided || j->alone, e;
    const struct sjk_contrast c = {
        .group = l->group,
        .class_of = j->other < 1 ? l->pair_class : NULL,
        .other = (float)j->other,
        .temperature = (float)j->temperature,
        .scale = (float)(j->contrastive / compared(l)),
        .both = two,
    };
    (void)((e = pool_pairs(l, l->prediction, l->pooled)) ||
           (e = pool_pairs(l, two ? l->own : l->targets, l->pooled_targets)) ||
           (e = contrast_windows(l, &c)) || (e = pool_pairs_backward(l, l->gradient_pooled, l->gradient_out)));
    if (e || !two)
        return e;
    e = o->zero(k, l->gradient_own, (size_t)(l->M * l->config.dim) * sizeof *l->gradient_own);
    return e ? e : pool_pairs_backward(l, l->gradient_pooled_targets, l->gradient_own);
}

/* The loss of the pass and gradient_out. Its share of the step's mean: a pass has micro of batch samples. */
static int objective(struct sj_learner *l, const struct sj_objective *j)
{
    const struct sjk_ops *o = l->k->ops;
    float scale = (float)(j->cosine / (double)(l->options.batch * l->K));
    int64_t D = l->config.dim;
    int e = l->measured == l->targets
                ? o->cosine_loss(l->k, l->M, D, l->prediction, l->targets, scale, &l->sums[0], l->gradient_out)
                : o->zero(l->k, l->gradient_out, (size_t)(l->M * D) * sizeof *l->gradient_out);
    return e || j->contrastive == 0 ? e : contrast(l, j);
}

/* The objective is all that differs between passes of one learner, but for a step's first. */
static uint64_t pass_key(const struct sj_learner *l, const struct sj_objective *j)
{
    const double number[] = {j->cosine, j->contrastive, j->temperature, j->other, j->two_sided, j->alone, l->first_pass};
    uint64_t key = (uint64_t)(uintptr_t)l + 1;
    for (size_t i = 0; i < sizeof number / sizeof *number; i++) {
        uint64_t bits;
        memcpy(&bits, &number[i], sizeof bits);
        key = (key ^ bits) * 0x9e3779b97f4a7c15u;
        key ^= key >> 29;
    }
    return key;
}

/* The groups of the contrastive term: those given, divided by class where predictions are of a class. */
static int put_groups(struct sj_learner *l, const struct sj_objective *j, const int32_t *class, const int32_t *group)
{
    struct sjk *k = l->k;
    int divided = class && !j->alone && l->config.predictor != SJ_PREDICTOR_MLP_NONE, e = 0;
    for (int64_t b = 0; !e && b < l->pairs; b += 256) {
        int32_t own[256];
        int64_t n = l->pairs - b < 256 ? l->pairs - b : 256;
        for (int64_t i = b; i < b + n; i++) {
            int32_t g = group ? group[i] : (int32_t)i;
            own[i - b] = divided ? g * (int32_t)l->config.classes + class[i] : g;
        }
        e = k->ops->put(k, l->group + b, own, (size_t)n * sizeof *own);
    }
    return e;
}

/* The classes of pairs, and of their pieces. */
static int put_classes(struct sj_learner *l, const int32_t *class)
{
    struct sjk *k = l->k;
    int e = k->ops->put(k, l->pair_class, class, (size_t)l->pairs * sizeof *class);
    for (int64_t b = 0; l->pieces > 1 && !e && b < l->options.micro; b += 256) {
        int32_t own[256];
        int64_t n = l->options.micro - b < 256 ? l->options.micro - b : 256;
        for (int64_t i = b; i < b + n; i++)
            own[i - b] = class[i / l->pieces];
        e = k->ops->put(k, l->class + b, own, (size_t)n * sizeof *own);
    }
    return e;
}

static int put_labels(struct sj_learner *l, const struct sj_objective *j, const int32_t *class, const int32_t *group)
{
    struct sjk *k = l->k;
    for (int64_t b = 0; class && b < l->pairs; b++)
        if (class[b] < 0 || class[b] >= l->config.classes)
            return sj_fail(SJ_USAGE, "class %d of a model of %lld classes", (int)class[b],
                           (long long)l->config.classes);
    if (!class && (l->config.predictor != SJ_PREDICTOR_MLP_NONE || (j->contrastive != 0 && j->other < 1)))
        return sj_fail(SJ_USAGE, "no classes where they are needed");
    int e = class ? put_classes(l, class) : 0;
    return net_status(k, e ? e : put_groups(l, j, class, group));
}

static int check_objective(const struct sj_learner *l, const struct sj_objective *j)
{
    if ((j->contrastive != 0 || j->alone) && (l->options.micro != l->options.batch || !(j->temperature > 0)))
        return sj_fail(SJ_USAGE, "the contrastive term needs the whole batch in one pass and a temperature above 0");
    if ((j->two_sided || j->alone) && l->sides < 2)
        return sj_fail(SJ_USAGE, "a learner without room for both sides");
    if (j->alone && j->cosine != 0)
        return sj_fail(SJ_USAGE, "the encoder alone makes no predictions");
    return SJ_OK;
}

void sj_learner_input(struct sj_learner *l, float **mel, float **target_mel)
{
    *mel = l->mel;
    *target_mel = l->target_mel;
}

int sj_learner_pass(struct sj_learner *l, const struct sj_objective *j, const float *mel, const float *target_mel,
                    const int32_t *class, const int32_t *group)
{
    int e, status = check_objective(l, j);
    if (!status)
        status = put_labels(l, j, class, group);
    if (status)
        return status;
    size_t spectrum = (size_t)(l->config.mel.bands * l->options.frames) * sizeof *mel;
    e = mel ? l->k->ops->put(l->k, l->mel, mel, (size_t)(l->C / l->K) * spectrum) : 0;
    if (!e && target_mel)
        e = l->k->ops->put(l->k, l->target_mel, target_mel, (size_t)l->options.micro * spectrum);
    (void)(e || (e = l->k->ops->begin(l->k, pass_key(l, j))) || (e = forward(l, j)) || (e = objective(l, j)) ||
           (e = backward(l, j)) || (e = l->k->ops->end(l->k)));
    l->first_pass = 0;
    return net_status(l->k, e);
}

/* -- one update --------------------------------------------------------------------------------------------------- */

/* The sums on the host, then zero again; with alone the predictor has no gradient. */
static int take_sums(struct sj_learner *l, int alone, double sums[4])
{
    struct sjk *k = l->k;
    int e;
    (void)((e = k->ops->sum_squares(k, alone ? l->layout.encoder : l->layout.total, l->gradient, &l->sums[3])) ||
           (e = k->ops->get(k, sums, l->sums, 4 * sizeof *sums)) || (e = k->ops->zero(k, l->sums, 4 * sizeof *sums)));
    return e;
}

/* The numbers of AdamW's t-th step, 1 the first. */
static struct sjk_adamw adamw_of(const struct sj_update *u, double t, double gradient_scale)
{
    return (struct sjk_adamw){
        .rate = (float)u->rate,
        .beta1 = (float)u->beta1,
        .beta2 = (float)u->beta2,
        .eps = (float)u->eps,
        .decay = (float)u->decay,
        .correction1 = (float)(1 - pow(u->beta1, t)),
        .correction2 = (float)(1 - pow(u->beta2, t)),
        .gradient_scale = (float)gradient_scale,
        .ema_rate = (float)u->ema,
    };
}

/* Those of the encoder, whose moving average the targets come from; or of the predictor. */
static struct sjk_parameters parameters(const struct sj_learner *l, int predictor)
{
    size_t encoder = l->layout.encoder, at = predictor ? encoder : 0;
    int first = predictor ? l->encoder_layers : 0;
    return (struct sjk_parameters){
        .n = predictor ? l->layout.trained - encoder : encoder,
        .p = l->weights + at,
        .g = l->gradient + at,
        .m = l->first + at,
        .v = l->second + at,
        .ema = predictor ? NULL : l->target,
        .layer = l->layer + first,
        .layers = (predictor ? l->layers : l->encoder_layers) - first,
    };
}

int sj_learner_update(struct sj_learner *l, const struct sj_update *u, struct sj_learned *r)
{
    struct sjk *k = l->k;
    double sums[4] = {0}, t = (double)u->step + 1;
    int alone = u->step < u->alone, e = take_sums(l, alone, sums);
    if (e)
        return net_status(k, e);
    r->loss = sums[0] / (double)(l->options.batch * l->K);
    r->contrastive = sums[1] / compared(l);
    r->first = sums[2] / compared(l);
    r->gradient_norm = sqrt(sums[3]);
    if (!isfinite(r->loss) || !isfinite(r->contrastive) || !isfinite(r->gradient_norm))
        return sj_fail(SJ_INPUT, "step %lld: the loss or its gradient is not finite", (long long)u->step);
    double clip = u->clip / (r->gradient_norm + 1e-6); /* as torch.nn.utils.clip_grad_norm_ */
    const struct sjk_adamw a = adamw_of(u, t, clip < 1 ? clip : 1);
    const struct sjk_adamw b = adamw_of(u, alone ? 1 : t - (double)u->alone, clip < 1 ? clip : 1);
    const struct sjk_parameters encoder = parameters(l, 0), predictor = parameters(l, 1);
    (void)((e = k->ops->begin(k, (uint64_t)(uintptr_t)l + (alone ? 2 : 0))) ||
           (e = k->ops->adamw(k, &encoder, &a)) || (e = alone ? 0 : k->ops->adamw(k, &predictor, &b)) ||
           (e = k->ops->end(k)));
    l->first_pass = 1;
    return net_status(k, e);
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
    int64_t B = l->pairs * l->windows, E = l->config.frequencies * l->config.dim;
    float *v = malloc((size_t)(B * E) * sizeof *v);
    if (!v)
        return sj_fail(SJ_SYSTEM, "no memory for targets");
    int e = pool_pairs(l, l->measured, l->pooled_targets);
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
