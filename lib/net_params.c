/* Parameters on a back end, positions, and the block that encoder and transformer predictor share. */
#include "net_own.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int net_status(const struct sjk *k, int status)
{
    return status ? sj_fail(status, "%s", sjk_reason(k)) : SJ_OK;
}

void *net_take(struct net_arena *a, size_t bytes)
{
    char *p = a->base ? a->base + a->used : NULL;
    a->used += (bytes + 63) / 64 * 64;
    return p;
}

struct net_stack net_encoder_stack(const struct sj_config *c)
{
    return (struct net_stack){NET_BLOCKS, c->dim, c->depth, c->heads, c->mlp_ratio, NULL};
}

struct net_places net_places(const struct sj_config *c, const struct sj_layout *layout)
{
    struct net_places p = {.source = -1, .map = -1, .vector = -1, .film = -1, .first = layout->encoder_tensors};
    if (c->condition) {
        p.vector = layout->tensors - 1;
        p.map = p.first;
        p.first += 2;
    } else if (c->predictor != SJ_PREDICTOR_MLP_NONE) {
        p.source = p.first++;
    }
    if (c->predictor == SJ_PREDICTOR_MLP_FILM) {
        p.film = p.first;
        p.first += 2;
    }
    return p;
}

struct net_stack net_predictor_stack(const struct sj_config *c, const struct sj_layout *layout)
{
    return (struct net_stack){net_places(c, layout).first + 2, c->trf_dim, c->trf_depth, c->trf_heads, 4,
                              NULL};
}

/* -- parameters --------------------------------------------------------------------------------------------------- */

static int is_matrix(const struct sj_tensor *t)
{
    return t->rank > 1 && !strstr(t->name, "source_embed") && !strstr(t->name, "source_vector");
}

int net_params_new(struct sjk *k, const struct sj_layout *layout, int first, int last, enum sjk_type t,
                   struct net_params *p)
{
    size_t n = (size_t)layout->tensors;
    *p = (struct net_params){.k = k, .layout = layout, .first = first, .last = last};
    p->at = calloc(n, sizeof *p->at);
    p->linear = calloc(n, sizeof *p->linear);
    int status = p->at && p->linear ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for a network");
    for (int i = first; !status && i < last; i++) {
        const struct sj_tensor *w = &layout->tensor[i];
        if (is_matrix(w))
            status = net_status(k, k->ops->linear_new(k, w->dims[0], (int64_t)w->count / w->dims[0], t, &p->linear[i]));
    }
    if (status)
        net_params_free(p);
    return status;
}

void net_params_free(struct net_params *p)
{
    for (int i = p->first; p->linear && i < p->last; i++)
        if (p->linear[i])
            p->k->ops->linear_free(p->k, p->linear[i]);
    if (p->own)
        p->k->ops->free(p->k, p->own);
    free(p->linear);
    free(p->at);
    *p = (struct net_params){0};
}

void net_params_point(struct net_params *p, const float *arena)
{
    for (int i = p->first; i < p->last; i++)
        p->at[i] = arena + p->layout->tensor[i].offset;
}

int net_params_pack(struct net_params *p, int which)
{
    int e = 0;
    for (int i = p->first; !e && i < p->last; i++)
        if (p->linear[i])
            e = p->k->ops->linear_pack(p->k, p->linear[i], p->at[i], which);
    return net_status(p->k, e);
}

int net_params_load(struct net_params *p, const float *host)
{
    const struct sjk_ops *o = p->k->ops;
    size_t largest = 0, rest = 0;
    for (int i = p->first; i < p->last; i++) {
        size_t n = (p->layout->tensor[i].count + 15) / 16 * 16;
        if (!p->linear[i])
            rest += n;
        else if (n > largest)
            largest = n;
    }
    void *own = NULL, *matrix = NULL;
    int e = o->alloc(p->k, rest * sizeof(float), &own);
    p->own = own;
    if (!e)
        e = o->alloc(p->k, largest * sizeof(float), &matrix);
    float *next = own;
    for (int i = p->first; !e && i < p->last; i++) {
        const struct sj_tensor *t = &p->layout->tensor[i];
        float *to = p->linear[i] ? matrix : next;
        e = o->put(p->k, to, host + t->offset, t->count * sizeof(float));
        if (p->linear[i]) {
            if (!e)
                e = o->linear_pack(p->k, p->linear[i], to, SJK_PACK_FORWARD);
        } else {
            p->at[i] = to;
            next += (t->count + 15) / 16 * 16;
        }
    }
    if (matrix)
        o->free(p->k, matrix);
    return net_status(p->k, e);
}

/* -- computing ---------------------------------------------------------------------------------------------------- */

void net_positions(int64_t F, int64_t P, int64_t D, float *pos)
{
    int64_t quarter = D / 4;
    for (int64_t f = 0; f < F; f++)
        for (int64_t p = 0; p < P; p++, pos += D)
            for (int64_t i = 0; i < quarter; i++) {
                double w = pow(10000, -(double)i / (double)quarter);
                pos[i] = (float)sin((double)p * w);
                pos[quarter + i] = (float)cos((double)p * w);
                pos[2 * quarter + i] = (float)sin((double)f * w);
                pos[3 * quarter + i] = (float)cos((double)f * w);
            }
}

void net_turns(int64_t F, int64_t P, int64_t lead, int64_t E, float *turns)
{
    int64_t half = E / 2, quarter = E / 4;
    for (int64_t k = 0; k < lead + F * P; k++, turns += E)
        for (int64_t i = 0; i < half; i++) {
            int64_t token = k - lead, place = k < lead ? 0 : i < quarter ? token % P : token / P;
            double angle = (double)place * pow(10000, -(double)(i % quarter) / (double)quarter);
            turns[i] = (float)cos(angle);
            turns[half + i] = (float)sin(angle);
        }
}

size_t net_where(const struct sj_config *c, const struct net_stack *s, int64_t P, int64_t lead, float *host)
{
    int64_t E = s->D / s->heads;
    if (c->rotary)
        net_turns(c->frequencies, P, lead, E, host);
    else
        net_positions(c->frequencies, P, s->D, host);
    return (size_t)(c->rotary ? (c->frequencies * P + lead) * E : c->frequencies * P * s->D);
}

int net_rotate(struct sjk *k, const struct net_stack *s, int64_t B, int64_t K, enum sjk_type t, int back, void *qkv)
{
    return s->turns ? k->ops->rotate(k, B, K, s->heads, s->D / s->heads, t, s->turns, back, qkv) : 0;
}

int net_linear(const struct net_params *p, int i, int64_t M, const void *x, void *y, enum sjk_type yt,
               enum sjk_epilogue e)
{
    return p->k->ops->linear_forward(p->k, p->linear[i], M, x, p->at[i + 1], e == SJK_ADD ? y : NULL, y, yt, e);
}

int net_block(const struct net_params *p, const struct net_stack *s, int64_t block, int64_t B, int64_t K,
              enum sjk_type t, float *res, void *norm, void *wide)
{
    const struct sjk_ops *o = p->k->ops;
    int at = s->first + (int)block * NET_BLOCK, e;
    int64_t M = B * K, D = s->D, H = s->heads;
    const float *const *w = (const float *const *)p->at;
    (void)((e = o->layernorm(p->k, M, D, res, w[at + NET_NORM1], w[at + NET_NORM1 + 1], norm, t, NULL)) ||
           (e = net_linear(p, at + NET_QKV, M, norm, wide, t, SJK_STORE)) ||
           (e = net_rotate(p->k, s, B, K, t, 0, wide)) ||
           (e = o->attention(p->k, B, K, H, D / H, t, wide, norm, NULL)) ||
           (e = net_linear(p, at + NET_PROJ, M, norm, res, SJK_F32, SJK_ADD)) ||
           (e = o->layernorm(p->k, M, D, res, w[at + NET_NORM2], w[at + NET_NORM2 + 1], norm, t, NULL)) ||
           (e = net_linear(p, at + NET_FC1, M, norm, wide, t, SJK_GELU)) ||
           (e = net_linear(p, at + NET_FC2, M, wide, res, SJK_F32, SJK_ADD)));
    return e;
}
