/* net_own: what inference and training share: parameters on a back end, and the numbering of a network's tensors.
 *
 * Layouts list the tensors of a block one after the other, so a tensor is found by adding: block i of the encoder
 * starts at NET_BLOCKS + i * NET_BLOCK. A linear layer is known by the number of its weight; its bias follows. */
#ifndef SJ_NET_OWN_H
#define SJ_NET_OWN_H

#include "net.h"

enum { /* within a block */
       NET_NORM1 = 0,
       NET_QKV = 2,
       NET_PROJ = 4,
       NET_NORM2 = 6,
       NET_FC1 = 8,
       NET_FC2 = 10,
       NET_BLOCK = 12
};
enum { NET_PATCH = 0, NET_BLOCKS = 2 }; /* encoder */

/* The numbers of the predictor's tensors. */
struct net_places {
    int source; /* the class table; -1: none */
    int map;    /* the layer that makes one of the classes' vectors; -1: none */
    int vector; /* these; -1: none */
    int film;   /* the layer that makes scales and shifts; -1: none */
    int first;  /* the first linear layer, which takes z */
};
/* Width of what the predictor is told of a class. */
static inline int64_t net_source_width(const struct sj_config *c)
{
    return c->predictor == SJ_PREDICTOR_TRANSFORMER ? c->trf_dim : c->dim;
}
struct net_places net_places(const struct sj_config *c, const struct sj_layout *layout);

/* Values of a sample's scales and shifts (mlp_film), of all hidden layers. */
static inline int64_t net_film_width(const struct sj_config *c)
{
    return c->predictor == SJ_PREDICTOR_MLP_FILM ? 2 * c->hidden * (c->layers - 1) : 0;
}

/* The parameters of tensors first .. last-1 of a layout on a back end. */
struct net_params {
    struct sjk *k;
    const struct sj_layout *layout; /* borrowed */
    int first, last;
    const float **at;           /* by tensor number; NULL for the weights of linear layers that were not kept */
    struct sjk_linear **linear; /* by tensor number of the weight; NULL for what is no linear layer */
    float *own;                 /* memory of net_params_load, else NULL */
};

/* A pre-norm transformer: `depth` blocks from tensor `first`. */
struct net_stack {
    int first;
    int64_t D, depth, heads, ratio;
    const float *turns; /* rotary positions: (K, D / heads) on the back end, for sjk's rotate; NULL: none */
};

struct net_stack net_encoder_stack(const struct sj_config *c);
struct net_stack net_predictor_stack(const struct sj_config *c, const struct sj_layout *layout);

/* Empty parameters with a linear layer of type t for every weight matrix of the range. */
int net_params_new(struct sjk *k, const struct sj_layout *layout, int first, int last, enum sjk_type t,
                   struct net_params *p);
void net_params_free(struct net_params *p);
/* Points at a whole arena on the back end (borrowed), whose element 0 is that of the layout. */
void net_params_point(struct net_params *p, const float *arena);
/* Takes the weights of a host arena: matrices are packed for the forward direction, the rest is copied. */
int net_params_load(struct net_params *p, const float *host);
/* Packs every linear layer of the range from its present weights (which: enum sjk_pack bits). */
int net_params_pack(struct net_params *p, int which);

/* pos (F, P, D): the fixed sin-cos positions of SPEC 4, for the first P columns of the grid. */
void net_positions(int64_t F, int64_t P, int64_t D, float *pos);

/* turns (lead + F P, E): rotary positions of `lead` tokens without a place, which are not turned, and of the first P
 * columns of the grid. The first half of the pairs turns with time p, the other with frequency f, pair i of one by p (f)
 * times 10000^(-i / (E/4)). E a multiple of 4. */
void net_turns(int64_t F, int64_t P, int64_t lead, int64_t E, float *turns);
/* What a stack is told of places, into host memory for (F P + 1) D floats: positions to add, or where the
 * model has rotary ones turns, `lead` of them without a place. How many floats. */
size_t net_where(const struct sj_config *c, const struct net_stack *s, int64_t P, int64_t lead, float *host);
/* Turns the queries and keys of a block, or takes their gradients back; nothing without rotary positions. */
int net_rotate(struct sjk *k, const struct net_stack *s, int64_t B, int64_t K, enum sjk_type t, int back, void *qkv);

/* One block, in place on res f32 (B, K, D). norm: type t (B, K, D); wide: type t (B, K, max(3, ratio) D). */
int net_block(const struct net_params *p, const struct net_stack *s, int64_t block, int64_t B, int64_t K,
              enum sjk_type t, float *res, void *norm, void *wide);

/* y = epilogue(x W^T + b) for the linear layer whose weight is tensor `i`; SJK_ADD adds to y. */
int net_linear(const struct net_params *p, int i, int64_t M, const void *x, void *y, enum sjk_type yt,
               enum sjk_epilogue e);

/* Gives a failure of the back end to sj_fail; 0 stays 0. */
int net_status(const struct sjk *k, int status);

/* Cuts one allocation into parts: ask for the parts with base NULL to learn `used`, allocate, ask again. */
struct net_arena {
    char *base;
    size_t used;
};
void *net_take(struct net_arena *a, size_t bytes);

#endif
