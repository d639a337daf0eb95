/* net_train_own: what the parts of training share. */
#ifndef SJ_NET_TRAIN_OWN_H
#define SJ_NET_TRAIN_OWN_H

#include "net_own.h"
#include "net_train.h"

/* What the backward pass needs of one block: its two residual inputs with their statistics (f32), and the operands of
 * its linear layers and of attention (type t). */
struct net_saved {
    float *res1, *stat1, *res2, *stat2;
    float *attention_stat; /* (B, H, K) */
    void *norm1, *qkv, *attention, *norm2, *before, *after; /* before, after: GELU. NULL: norms and after, made again */
};

/* Gradients on their way back; rows of the widest kind. */
struct net_back {
    float *res;               /* f32 (rows, D): of the residual stream */
    void *copy, *norm, *wide; /* type t: of the residual, of a normalised input, of a wide layer */
    void *again;              /* type t: what followed GELU, computed again; NULL where it is kept */
};

struct sj_learner {
    struct sjk *k;
    struct sj_config config;
    struct sj_layout layout;
    struct sj_learner_options options;
    enum sjk_type type;
    struct net_params params, target_params;
    struct sjk_layer *layer; /* the trained linear layers, `encoder_layers` of the encoder, then the predictor's */
    int layers, encoder_layers;
    struct net_stack encoder, transformer;
    struct net_places places;
    int64_t pieces;  /* W of a spectrogram: each is a sample of its own but for the contrastive term. From here on the
                        options' batch, micro and frames are those of samples */
    int64_t pairs;   /* of a pass: micro / W */
    int64_t windows; /* of a sample, which the contrastive term compares: 1, or W is 1 */
    int64_t P, K, M; /* time patches, tokens of a sample, rows of the samples of a pass */
    int64_t C;       /* rows of its contexts: M, or fewer where they have several targets */
    int64_t sides;   /* 2: room for both through the trained encoder */
    int recompute;
    int first_pass; /* the next pass is a step's first: gradients of linear layers are still those of the last step */

    void *state_memory, *pass_memory;
    float *weights, *target, *first, *second, *gradient;
    double *sums; /* 4: loss; contrastive term and how many are first; squares of the gradient */

    /* one pass */
    float *mel, *target_mel, *positions, *trf_positions;
    int32_t *class;                                   /* of samples */
    int32_t *pair_class, *group;                      /* of pairs */
    struct net_saved *saved, *trf_saved;              /* per block */
    void *patches, *z;                                /* type t; z of every pair */
    float *last, *last_stat;                          /* the encoder's final norm, of contexts, then of targets */
    float *own, *gradient_own;                        /* f32 (M, D): what the trained encoder makes of targets */
    const float *measured;                            /* the targets of the last pass */
    void **hidden;                                    /* MLP: layers inputs; [0] is the concatenation, or z */
    void **before;                                    /* mlp_film: hidden layers before scale, shift and ReLU */
    float *condition, *film, *gradient_film;          /* mlp_film: (micro, D), (micro, net_film_width) */
    float *table, *gradient_table;                    /* (classes, width) made of the classes' vectors */
    void *vector_copy, *table_copy;                   /* these, and gradient_table, as type t */
    void *condition_copy, *film_copy;                 /* the condition, and gradient_film, as type t */
    float *out, *out_stat;                            /* f32 input of the predictor's final norm */
    void *out_norm;                                   /* transformer: its output */
    float *prediction, *targets, *gradient_out;       /* f32 (M, D) */
    float *pooled, *pooled_targets;                   /* f32 (windows, pairs, F D) */
    float *gradient_pooled, *gradient_pooled_targets; /* the same */
    float *pooled_pieces;                             /* f32 (micro, F D); NULL for one piece */
    struct net_back back;
};

/* Forward through a stack, keeping what the way back needs; the input is saved[0].res1, the output goes to `out`. */
int net_stack_forward(struct sj_learner *l, const struct net_stack *s, int64_t B, int64_t K, struct net_saved *saved,
                      float *out);
/* Backward: back.res and back.copy hold the gradient of the output, and its column sums have been added to the bias of
 * the last fc2. In the end back.res holds the gradient of the input; with first_bias >= 0 back.copy does too and its
 * column sums are added to the gradient of that bias tensor. */
int net_stack_backward(struct sj_learner *l, const struct net_stack *s, int64_t B, int64_t K,
                       const struct net_saved *saved, int first_bias);

/* The predictor: z -> prediction, and gradient_out -> back.norm (the gradient of z, type t). */
int net_predictor_forward(struct sj_learner *l);
int net_predictor_backward(struct sj_learner *l);

/* The gradient of tensor i. */
static inline float *net_gradient(const struct sj_learner *l, int i)
{
    return l->gradient + l->layout.tensor[i].offset;
}

/* The gradient of the linear layer whose weight is tensor i: dy^T x, added to that of the passes before. */
static inline int net_weight_gradient(struct sj_learner *l, int i, int64_t M, const void *dy, const void *x)
{
    return l->k->ops->linear_backward_w(l->k, l->params.linear[i], M, dy, x, net_gradient(l, i), !l->first_pass);
}

#endif
