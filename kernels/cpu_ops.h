/* cpu_ops: the operations that are compiled once per instruction set. Contracts in sjk.h. */
#ifndef SJK_CPU_OPS_H
#define SJK_CPU_OPS_H

#include "isa.h"

#define cpu_cast               SJK_FOR_ISA(cpu_cast)
#define cpu_repeat             SJK_FOR_ISA(cpu_repeat)
#define cpu_patches            SJK_FOR_ISA(cpu_patches)
#define cpu_concat             SJK_FOR_ISA(cpu_concat)
#define cpu_concat_backward    SJK_FOR_ISA(cpu_concat_backward)
#define cpu_prepend            SJK_FOR_ISA(cpu_prepend)
#define cpu_prepend_backward   SJK_FOR_ISA(cpu_prepend_backward)
#define cpu_pool               SJK_FOR_ISA(cpu_pool)
#define cpu_pool_backward      SJK_FOR_ISA(cpu_pool_backward)
#define cpu_layernorm          SJK_FOR_ISA(cpu_layernorm)
#define cpu_layernorm_backward SJK_FOR_ISA(cpu_layernorm_backward)
#define cpu_gelu               SJK_FOR_ISA(cpu_gelu)
#define cpu_gelu_backward      SJK_FOR_ISA(cpu_gelu_backward)
#define cpu_relu_backward      SJK_FOR_ISA(cpu_relu_backward)
#define cpu_film               SJK_FOR_ISA(cpu_film)
#define cpu_film_backward      SJK_FOR_ISA(cpu_film_backward)
#define cpu_column_sum         SJK_FOR_ISA(cpu_column_sum)
#define cpu_attention          SJK_FOR_ISA(cpu_attention)
#define cpu_attention_backward SJK_FOR_ISA(cpu_attention_backward)
#define cpu_rotate             SJK_FOR_ISA(cpu_rotate)
#define cpu_cosine_loss        SJK_FOR_ISA(cpu_cosine_loss)
#define cpu_infonce            SJK_FOR_ISA(cpu_infonce)
#define cpu_sum_squares        SJK_FOR_ISA(cpu_sum_squares)
#define cpu_adamw              SJK_FOR_ISA(cpu_adamw)
#define cpu_frames             SJK_FOR_ISA(cpu_frames)
#define cpu_log_mel            SJK_FOR_ISA(cpu_log_mel)
#define cpu_top_k              SJK_FOR_ISA(cpu_top_k)
#define cpu_pack               SJK_FOR_ISA(cpu_pack)
#define cpu_pack_block         SJK_FOR_ISA(cpu_pack_block)
#define cpu_pack_end           SJK_FOR_ISA(cpu_pack_end)
#define cpu_linear_new         SJK_FOR_ISA(cpu_linear_new)
#define cpu_weight_gradient    SJK_FOR_ISA(cpu_weight_gradient)
#define cpu_rows               SJK_FOR_ISA(cpu_rows)

/* Layout */
int cpu_cast(struct sjk *, size_t n, const void *x, enum sjk_type xt, void *y, enum sjk_type yt);
int cpu_repeat(struct sjk *, int64_t B, int64_t rows, int64_t D, const float *src, float *dst);
int cpu_patches(struct sjk *, int64_t B, int64_t W, int64_t F, int64_t T, const float *mel, void *x,
                enum sjk_type xt);
int cpu_concat(struct sjk *, int64_t B, int64_t K, int64_t D, enum sjk_type t, const void *z, const float *table,
               const int32_t *index, void *y);
int cpu_concat_backward(struct sjk *, int64_t B, int64_t K, int64_t D, enum sjk_type t, const void *dy,
                        const int32_t *index, void *dz, float *dtable);
int cpu_prepend(struct sjk *, int64_t B, int64_t K, int64_t D, const float *x, const float *table, const int32_t *index,
                float *y);
int cpu_prepend_backward(struct sjk *, int64_t B, int64_t K, int64_t D, const float *dy, const int32_t *index,
                         float *dx, enum sjk_type t, void *dx_copy, float *dtable, float *dsum);
int cpu_pool(struct sjk *, int64_t N, int64_t W, int64_t P, int64_t D, const float *x, float *y);
int cpu_pool_backward(struct sjk *, int64_t N, int64_t W, int64_t P, int64_t D, const float *dy, float *dx);

/* Normalisation and activations */
int cpu_layernorm(struct sjk *, int64_t M, int64_t D, const float *x, const float *gamma, const float *beta, void *y,
                  enum sjk_type yt, float *stat);
int cpu_layernorm_backward(struct sjk *, int64_t M, int64_t D, const float *x, const float *gamma, const float *stat,
                           const void *dy, enum sjk_type dyt, float *dx, int accumulate, enum sjk_type ct,
                           void *dx_copy, float *dgamma, float *dbeta, float *dsum);
int cpu_gelu(struct sjk *, int64_t M, int64_t N, enum sjk_type t, const void *x, void *y);
int cpu_gelu_backward(struct sjk *, int64_t M, int64_t N, enum sjk_type t, const void *x, void *dy, float *dbias);
int cpu_relu_backward(struct sjk *, int64_t M, int64_t N, enum sjk_type t, const void *y, void *dy, float *dbias);
int cpu_column_sum(struct sjk *, int64_t M, int64_t N, enum sjk_type t, const void *x, float *sum);

/* Feature-wise modulation */
int cpu_film(struct sjk *, int64_t B, int64_t K, int64_t N, enum sjk_type t, const void *x, const float *film,
             int64_t ld, void *y);
int cpu_film_backward(struct sjk *, int64_t B, int64_t K, int64_t N, enum sjk_type t, const void *x, const void *y,
                      const float *film, int64_t ld, void *dy, float *dfilm, float *dbias);

/* Linear layers, and what they take where the set has products of bf16 pairs */

/* Weights to be packed for products: panels of `width` columns next to each other, a panel (words, width) of words of
 * two bf16 values. Forward words lie along a row of W and rows become columns; backward words lie across rows. N and K
 * are multiples of 32, width of 16. */
struct sjk_packing {
    const float *W; /* (N, K) */
    int64_t N, K, width;
    float *forward, *backward; /* NULL: not wanted */
};

void cpu_pack(struct sjk *, const struct sjk_packing *);
/* The same of rows n .. n + SJK_PACK_ROWS - 1 and columns from .. to - 1, multiples of 32, on the thread that calls;
 * cpu_pack_end on each that did, before others read it. */
enum { SJK_PACK_ROWS = 16 };
void cpu_pack_block(const struct sjk_packing *, int64_t n, int64_t from, int64_t to);
void cpu_pack_end(void);
int cpu_linear_new(struct sjk *, int64_t N, int64_t K, enum sjk_type t, struct sjk_linear **);
int cpu_weight_gradient(struct sjk *, int64_t M, int64_t N, int64_t K, const void *dy, const void *x, float *dW,
                        int add);

/* Attention */
int cpu_attention(struct sjk *, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const void *qkv,
                  void *out, float *stat);
int cpu_attention_backward(struct sjk *, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const void *qkv,
                           const void *out, const float *stat, const void *dout, void *dqkv);

/* Rotary positions */
int cpu_rotate(struct sjk *, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const float *turns, int back,
               void *qkv);

/* Objective and optimiser */
int cpu_cosine_loss(struct sjk *, int64_t M, int64_t D, const float *p, const float *t, float scale, double *loss,
                    float *dp);
int cpu_infonce(struct sjk *, int64_t B, int64_t E, const float *p, const float *t, const struct sjk_contrast *,
                double *sums, float *dp, float *dt);
int cpu_sum_squares(struct sjk *, size_t n, const float *x, double *sum);
int cpu_adamw(struct sjk *, const struct sjk_parameters *, const struct sjk_adamw *);

/* Mel and search */
int cpu_frames(struct sjk *, int64_t T, int64_t n, int64_t hop, const float *wave, const float *window, float *frame);
int cpu_log_mel(struct sjk *, int64_t T, const float *spectrum, const struct sjk_filterbank *, float eps, float mean,
                float std, float *out, int64_t stride);
int cpu_top_k(struct sjk *, int64_t rows, int64_t n, const float *s, int64_t ld, int64_t base, int64_t count,
              float *best, int64_t *index);

#endif
