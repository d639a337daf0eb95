/* Training: the predictors, forward and backward. */
#include "net_train_own.h"

/* -- how the class is told ----------------------------------------------------------------------------------------- */

static const float *class_table(const struct sj_learner *l)
{
    return l->places.map < 0 ? l->params.at[l->places.source] : l->table;
}

static float *gradient_of_table(const struct sj_learner *l)
{
    return l->places.map < 0 ? net_gradient(l, l->places.source) : l->gradient_table;
}

/* The table from the classes' vectors. */
static int forward_map(struct sj_learner *l)
{
    struct sjk *k = l->k;
    const struct sj_config *c = &l->config;
    int e;
    (void)((e = k->ops->cast(k, (size_t)(c->classes * c->condition), l->params.at[l->places.vector], SJK_F32,
                             l->vector_copy, l->type)) ||
           (e = net_linear(&l->params, l->places.map, c->classes, l->vector_copy, l->table, SJK_F32, SJK_STORE)) ||
           (e = k->ops->zero(k, l->gradient_table,
                             (size_t)(c->classes * net_source_width(c)) * sizeof *l->gradient_table)));
    return e;
}

static int backward_map(struct sj_learner *l)
{
    struct sjk *k = l->k;
    int64_t n = l->config.classes, W = net_source_width(&l->config);
    int map = l->places.map, e;
    (void)((e = k->ops->column_sum(k, n, W, SJK_F32, l->gradient_table, net_gradient(l, map + 1))) ||
           (e = k->ops->cast(k, (size_t)(n * W), l->gradient_table, SJK_F32, l->table_copy, l->type)) ||
           (e = net_weight_gradient(l, map, n, l->table_copy, l->vector_copy)));
    return e;
}

/* -- feature-wise modulation --------------------------------------------------------------------------------------- */

static float *of_layer(const struct sj_learner *l, float *film, int64_t i)
{
    return film + 2 * (i - 1) * l->config.hidden;
}

/* The scales and shifts of the samples' classes. */
static int forward_film(struct sj_learner *l)
{
    struct sjk *k = l->k;
    const struct net_params *p = &l->params;
    int64_t B = l->options.micro, D = l->config.dim;
    int e;
    (void)((e = k->ops->prepend(k, B, 0, D, l->out, class_table(l), l->class, l->condition)) ||
           (e = k->ops->cast(k, (size_t)(B * D), l->condition, SJK_F32, l->condition_copy, l->type)) ||
           (e = net_linear(p, l->places.film, B, l->condition_copy, l->film, SJK_F32, SJK_STORE)));
    return e;
}

/* From gradient_film. The condition's own values are spent. */
static int backward_film(struct sj_learner *l)
{
    struct sjk *k = l->k;
    const struct sjk_ops *o = k->ops;
    int64_t B = l->options.micro, D = l->config.dim, width = net_film_width(&l->config);
    int film = l->places.film, e;
    (void)((e = o->column_sum(k, B, width, SJK_F32, l->gradient_film, net_gradient(l, film + 1))) ||
           (e = o->cast(k, (size_t)(B * width), l->gradient_film, SJK_F32, l->film_copy, l->type)) ||
           (e = net_weight_gradient(l, film, B, l->film_copy, l->condition_copy)) ||
           (e = o->linear_backward_x(k, l->params.linear[film], B, l->film_copy, l->condition, SJK_F32)) ||
           (e = o->prepend_backward(k, B, 0, D, l->condition, l->class, l->out, l->type, NULL,
                                    gradient_of_table(l), NULL)));
    return e;
}

/* -- the MLP predictors -------------------------------------------------------------------------------------------- */

/* hidden[i] from hidden[i - 1], i from 1. */
static int forward_hidden(struct sj_learner *l, int64_t i)
{
    int linear = l->places.first + 2 * (int)(i - 1), e;
    if (l->places.film < 0)
        return net_linear(&l->params, linear, l->M, l->hidden[i - 1], l->hidden[i], l->type, SJK_RELU);
    e = net_linear(&l->params, linear, l->M, l->hidden[i - 1], l->before[i], l->type, SJK_STORE);
    return e ? e
             : l->k->ops->film(l->k, l->options.micro, l->K, l->config.hidden, l->type, l->before[i],
                               of_layer(l, l->film, i), net_film_width(&l->config), l->hidden[i]);
}

/* In place: dy, the gradient of hidden[i], becomes that of what its linear layer makes. */
static int backward_hidden(struct sj_learner *l, int64_t i, void *dy)
{
    const struct sjk_ops *o = l->k->ops;
    float *dbias = net_gradient(l, l->places.first + 2 * (int)(i - 1) + 1);
    if (l->places.film < 0)
        return o->relu_backward(l->k, l->M, l->config.hidden, l->type, l->hidden[i], dy, dbias);
    return o->film_backward(l->k, l->options.micro, l->K, l->config.hidden, l->type, l->before[i], l->hidden[i],
                            of_layer(l, l->film, i), net_film_width(&l->config), dy, of_layer(l, l->gradient_film, i),
                            dbias);
}

static int forward_mlp(struct sj_learner *l)
{
    struct sjk *k = l->k;
    const struct net_params *p = &l->params;
    int64_t D = l->config.dim, last = l->config.layers - 1;
    int linear = l->places.first + 2 * (int)last, e = 0;
    if (l->config.predictor == SJ_PREDICTOR_MLP)
        e = k->ops->concat(k, l->options.micro, l->K, D, l->type, l->z, class_table(l), l->class,
                           l->hidden[0]);
    else if (l->places.film >= 0)
        e = forward_film(l);
    for (int64_t i = 1; !e && i <= last; i++)
        e = forward_hidden(l, i);
    (void)(e || (e = net_linear(p, linear, l->M, l->hidden[last], l->out, SJK_F32, SJK_STORE)) ||
           (e = k->ops->layernorm(k, l->M, D, l->out, p->at[linear + 2], p->at[linear + 3], l->prediction, SJK_F32,
                                  l->out_stat)));
    return e;
}

static int backward_mlp(struct sj_learner *l)
{
    struct sjk *k = l->k;
    const struct sjk_ops *o = k->ops;
    struct net_back *b = &l->back;
    int concat = l->config.predictor == SJ_PREDICTOR_MLP, first = l->places.first;
    int64_t D = l->config.dim, M = l->M, hidden = l->config.layers - 1;
    int linear = first + 2 * (int)hidden, norm = linear + 2;
    int e = o->layernorm_backward(k, M, D, l->out, l->params.at[norm], l->out_stat, l->gradient_out, SJK_F32, b->res, 0,
                                  l->type, b->copy, net_gradient(l, norm), net_gradient(l, norm + 1),
                                  net_gradient(l, linear + 1));
    /* two buffers in turn, so that the last of them leaves back.norm free for the result, or is back.norm */
    int in_norm = hidden % 2 == concat;
    void *dy = b->copy, *dx = in_norm ? b->norm : b->wide, *next = in_norm ? b->wide : b->norm;
    for (int64_t i = hidden; !e && i > 0; i--, linear -= 2) {
        if ((e = net_weight_gradient(l, linear, M, dy, l->hidden[i])) ||
            (e = o->linear_backward_x(k, l->params.linear[linear], M, dy, dx, l->type)) ||
            (e = backward_hidden(l, i, dx)))
            break;
        dy = dx;
        dx = next;
        next = dy;
    }
    if (e || (e = net_weight_gradient(l, first, M, dy, l->hidden[0])) ||
        (e = o->linear_backward_x(k, l->params.linear[first], M, dy, concat ? b->wide : b->norm, l->type)))
        return e;
    if (l->places.film >= 0)
        return backward_film(l);
    return concat ? o->concat_backward(k, l->options.micro, l->K, D, l->type, b->wide, l->class, b->norm,
                                       gradient_of_table(l))
                  : 0;
}

/* -- the transformer ----------------------------------------------------------------------------------------------- */

static int forward_transformer(struct sj_learner *l)
{
    struct sjk *k = l->k;
    const struct sjk_ops *o = k->ops;
    const struct net_params *p = &l->params;
    const struct net_stack *s = &l->transformer;
    int norm = s->first + (int)s->depth * NET_BLOCK, e;
    int64_t B = l->options.micro, K = l->K, D = s->D;
    float *flat = l->out, *res = l->back.res; /* before the blocks, and after them */
    int added = !s->turns;
    if ((e = added ? o->repeat(k, B, K, D, l->trf_positions, flat) : 0) ||
        (e = net_linear(p, l->places.first, l->M, l->z, flat, SJK_F32, added ? SJK_ADD : SJK_STORE)) ||
        (e = o->prepend(k, B, K, D, flat, class_table(l), l->class, l->trf_saved[0].res1)) ||
        (e = net_stack_forward(l, s, B, K + 1, l->trf_saved, res)))
        return e;
    for (int64_t b = 0; !e && b < B; b++) /* without the class token */
        e = o->copy(k, flat + b * K * D, res + (b * (K + 1) + 1) * D, (size_t)(K * D) * sizeof *res);
    (void)(e || (e = o->layernorm(k, l->M, D, flat, p->at[norm], p->at[norm + 1], l->out_norm, l->type, l->out_stat)) ||
           (e = net_linear(p, norm + 2, l->M, l->out_norm, l->prediction, SJK_F32, SJK_STORE)));
    return e;
}

static int backward_transformer(struct sj_learner *l)
{
    struct sjk *k = l->k;
    const struct sjk_ops *o = k->ops;
    const struct net_stack *s = &l->transformer;
    struct net_back *b = &l->back;
    int embed = l->places.first, norm = s->first + (int)s->depth * NET_BLOCK;
    int last_bias = norm - NET_BLOCK + NET_FC2 + 1, e;
    int64_t B = l->options.micro, K = l->K, D = s->D, M = l->M, rows = B * (K + 1);
    float *flat = l->prediction; /* its values are spent */
    if ((e = o->cast(k, (size_t)(M * l->config.dim), l->gradient_out, SJK_F32, b->copy, l->type)) ||
        (e = o->column_sum(k, M, l->config.dim, SJK_F32, l->gradient_out, net_gradient(l, norm + 3))) ||
        (e = net_weight_gradient(l, norm + 2, M, b->copy, l->out_norm)) ||
        (e = o->linear_backward_x(k, l->params.linear[norm + 2], M, b->copy, b->norm, l->type)) ||
        (e = o->layernorm_backward(k, M, D, l->out, l->params.at[norm], l->out_stat, b->norm, l->type, flat, 0, l->type,
                                   NULL, net_gradient(l, norm), net_gradient(l, norm + 1), NULL)) ||
        (e = o->zero(k, b->res, (size_t)(rows * D) * sizeof *b->res)))
        return e;
    for (int64_t i = 0; !e && i < B; i++)
        e = o->copy(k, b->res + (i * (K + 1) + 1) * D, flat + i * K * D, (size_t)(K * D) * sizeof *flat);
    (void)(e || (e = o->cast(k, (size_t)(rows * D), b->res, SJK_F32, b->copy, l->type)) ||
           (e = o->column_sum(k, rows, D, SJK_F32, b->res, net_gradient(l, last_bias))) ||
           (e = net_stack_backward(l, s, B, K + 1, l->trf_saved, -1)) ||
           (e = o->prepend_backward(k, B, K, D, b->res, l->class, flat, l->type, b->copy,
                                    gradient_of_table(l), net_gradient(l, embed + 1))) ||
           (e = net_weight_gradient(l, embed, M, b->copy, l->z)) ||
           (e = o->linear_backward_x(k, l->params.linear[embed], M, b->copy, b->norm, l->type)));
    return e;
}

int net_predictor_forward(struct sj_learner *l)
{
    int e = l->places.map < 0 ? 0 : forward_map(l);
    return e ? e : l->config.predictor == SJ_PREDICTOR_TRANSFORMER ? forward_transformer(l) : forward_mlp(l);
}

int net_predictor_backward(struct sj_learner *l)
{
    int e = l->config.predictor == SJ_PREDICTOR_TRANSFORMER ? backward_transformer(l) : backward_mlp(l);
    return e || l->places.map < 0 ? e : backward_map(l);
}
