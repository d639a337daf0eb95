/* Training: a stack of transformer blocks, forward and backward. */
#include "net_train_own.h"

static int forward_block(struct sj_learner *l, const struct net_stack *s, int at, int64_t B, int64_t K,
                         struct net_saved *v, float *out)
{
    struct sjk *k = l->k;
    const struct sjk_ops *o = k->ops;
    const struct net_params *p = &l->params;
    int64_t M = B * K, D = s->D;
    enum sjk_type t = l->type;
    struct sjk_linear **w = p->linear;
    void *norm1 = v->norm1 ? v->norm1 : l->back.norm, *norm2 = v->norm2 ? v->norm2 : l->back.norm;
    void *after = v->after ? v->after : l->back.again;
    int n1 = at + NET_NORM1, n2 = at + NET_NORM2, e;
    (void)((e = o->layernorm(k, M, D, v->res1, p->at[n1], p->at[n1 + 1], norm1, t, v->stat1)) ||
           (e = net_linear(p, at + NET_QKV, M, norm1, v->qkv, t, SJK_STORE)) ||
           (e = net_rotate(k, s, B, K, t, 0, v->qkv)) ||
           (e = o->attention(k, B, K, s->heads, D / s->heads, t, v->qkv, v->attention, v->attention_stat)) ||
           (e = o->linear_forward(k, w[at + NET_PROJ], M, v->attention, p->at[at + NET_PROJ + 1], v->res1, v->res2,
                                  SJK_F32, SJK_ADD)) ||
           (e = o->layernorm(k, M, D, v->res2, p->at[n2], p->at[n2 + 1], norm2, t, v->stat2)) ||
           (e = o->linear_forward_gelu(k, w[at + NET_FC1], M, norm2, p->at[at + NET_FC1 + 1], v->before,
                                       after)) ||
           (e = o->linear_forward(k, w[at + NET_FC2], M, after, p->at[at + NET_FC2 + 1], v->res2, out, SJK_F32,
                                  SJK_ADD)));
    return e;
}

int net_stack_forward(struct sj_learner *l, const struct net_stack *s, int64_t B, int64_t K, struct net_saved *saved,
                      float *out)
{
    int e = 0;
    for (int64_t i = 0; !e && i < s->depth; i++)
        e = forward_block(l, s, s->first + (int)i * NET_BLOCK, B, K, &saved[i],
                          i + 1 < s->depth ? saved[i + 1].res1 : out);
    return e;
}

/* What was kept of a normalised input, or the same computed again in back.norm. */
static int normalised(struct sj_learner *l, const struct net_stack *s, int norm, int64_t M, const float *res,
                      void *kept, const void **x)
{
    *x = kept ? kept : l->back.norm;
    return kept ? 0
                : l->k->ops->layernorm(l->k, M, s->D, res, l->params.at[norm], l->params.at[norm + 1], l->back.norm,
                                       l->type, NULL);
}

/* What was kept behind GELU, or the same computed again in back.again. */
static int activated(struct sj_learner *l, const struct net_stack *s, int64_t M, const struct net_saved *v,
                     const void **x)
{
    *x = v->after ? v->after : l->back.again;
    return v->after ? 0 : l->k->ops->gelu(l->k, M, s->ratio * s->D, l->type, v->before, l->back.again);
}

/* The MLP half: back.copy is the gradient of fc2's output; back.res passes by it. */
static int backward_mlp(struct sj_learner *l, const struct net_stack *s, int at, int64_t M, const struct net_saved *v)
{
    struct sjk *k = l->k;
    const struct sjk_ops *o = k->ops;
    struct sjk_linear **linear = l->params.linear;
    struct net_back *b = &l->back;
    const void *x;
    int norm = at + NET_NORM2, e;
    (void)((e = activated(l, s, M, v, &x)) || (e = net_weight_gradient(l, at + NET_FC2, M, b->copy, x)) ||
           (e = o->linear_backward_gelu(k, linear[at + NET_FC2], M, b->copy, v->before, b->wide,
                                        net_gradient(l, at + NET_FC1 + 1))) ||
           (e = normalised(l, s, norm, M, v->res2, v->norm2, &x)) ||
           (e = net_weight_gradient(l, at + NET_FC1, M, b->wide, x)) ||
           (e = o->linear_backward_x(k, linear[at + NET_FC1], M, b->wide, b->norm, l->type)) ||
           (e = o->layernorm_backward(k, M, s->D, v->res2, l->params.at[norm], v->stat2, b->norm, l->type, b->res, 1,
                                      l->type, b->copy, net_gradient(l, norm), net_gradient(l, norm + 1),
                                      net_gradient(l, at + NET_PROJ + 1))));
    return e;
}

/* The attention half, the same way. */
static int backward_attention(struct sj_learner *l, const struct net_stack *s, int at, int64_t B, int64_t K,
                              const struct net_saved *v, int bias_below)
{
    struct sjk *k = l->k;
    const struct sjk_ops *o = k->ops;
    struct sjk_linear **linear = l->params.linear;
    struct net_back *b = &l->back;
    int64_t M = B * K, D = s->D;
    const void *x;
    int norm = at + NET_NORM1, below = bias_below >= 0, e;
    (void)((e = net_weight_gradient(l, at + NET_PROJ, M, b->copy, v->attention)) ||
           (e = o->linear_backward_x(k, linear[at + NET_PROJ], M, b->copy, b->norm, l->type)) ||
           (e = o->attention_backward(k, B, K, s->heads, D / s->heads, l->type, v->qkv, v->attention,
                                      v->attention_stat, b->norm, b->wide)) ||
           (e = net_rotate(k, s, B, K, l->type, 1, b->wide)) ||
           (e = o->column_sum(k, M, 3 * D, l->type, b->wide, net_gradient(l, at + NET_QKV + 1))) ||
           (e = normalised(l, s, norm, M, v->res1, v->norm1, &x)) ||
           (e = net_weight_gradient(l, at + NET_QKV, M, b->wide, x)) ||
           (e = o->linear_backward_x(k, linear[at + NET_QKV], M, b->wide, b->norm, l->type)) ||
           (e = o->layernorm_backward(k, M, D, v->res1, l->params.at[norm], v->stat1, b->norm, l->type, b->res, 1,
                                      l->type, below ? b->copy : NULL, net_gradient(l, norm), net_gradient(l, norm + 1),
                                      below ? net_gradient(l, bias_below) : NULL)));
    return e;
}

int net_stack_backward(struct sj_learner *l, const struct net_stack *s, int64_t B, int64_t K,
                       const struct net_saved *saved, int first_bias)
{
    int e = 0;
    for (int64_t i = s->depth - 1; !e && i >= 0; i--) {
        int at = s->first + (int)i * NET_BLOCK, below = i ? at - NET_BLOCK + NET_FC2 + 1 : first_bias;
        e = backward_mlp(l, s, at, B * K, &saved[i]);
        if (!e)
            e = backward_attention(l, s, at, B, K, &saved[i], below);
    }
    return e;
}
