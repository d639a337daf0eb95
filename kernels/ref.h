/* ref: the reference operations, grouped as in sjk.h. The table is in ref.c; contracts in sjk.h. */
#ifndef SJK_REF_H
#define SJK_REF_H

#include "cpu.h"

#include <math.h>

/* Layout: ref_layout.c */
int ref_cast(struct sjk *, size_t n, const void *x, enum sjk_type xt, void *y, enum sjk_type yt);
int ref_repeat(struct sjk *, int64_t B, int64_t rows, int64_t D, const float *src, float *dst);
int ref_patches(struct sjk *, int64_t B, int64_t W, int64_t F, int64_t T, const float *mel, void *x,
                enum sjk_type xt);
int ref_concat(struct sjk *, int64_t B, int64_t K, int64_t D, enum sjk_type t, const void *z, const float *table,
               const int32_t *index, void *y);
int ref_concat_backward(struct sjk *, int64_t B, int64_t K, int64_t D, enum sjk_type t, const void *dy,
                        const int32_t *index, void *dz, float *dtable);
int ref_prepend(struct sjk *, int64_t B, int64_t K, int64_t D, const float *x, const float *table, const int32_t *index,
                float *y);
int ref_prepend_backward(struct sjk *, int64_t B, int64_t K, int64_t D, const float *dy, const int32_t *index,
                         float *dx, enum sjk_type t, void *dx_copy, float *dtable, float *dsum);
int ref_pool(struct sjk *, int64_t N, int64_t W, int64_t P, int64_t D, const float *x, float *y);
int ref_pool_backward(struct sjk *, int64_t N, int64_t W, int64_t P, int64_t D, const float *dy, float *dx);

/* Normalisation and activations: ref_norm.c */
int ref_layernorm(struct sjk *, int64_t M, int64_t D, const float *x, const float *gamma, const float *beta, void *y,
                  enum sjk_type yt, float *stat);
int ref_layernorm_backward(struct sjk *, int64_t M, int64_t D, const float *x, const float *gamma, const float *stat,
                           const void *dy, enum sjk_type dyt, float *dx, int accumulate, enum sjk_type ct,
                           void *dx_copy, float *dgamma, float *dbeta, float *dsum);
int ref_gelu(struct sjk *, int64_t M, int64_t N, enum sjk_type t, const void *x, void *y);
int ref_gelu_backward(struct sjk *, int64_t M, int64_t N, enum sjk_type t, const void *x, void *dy, float *dbias);
int ref_relu_backward(struct sjk *, int64_t M, int64_t N, enum sjk_type t, const void *y, void *dy, float *dbias);
int ref_column_sum(struct sjk *, int64_t M, int64_t N, enum sjk_type t, const void *x, float *sum);

/* Feature-wise modulation: ref_film.c */
int ref_film(struct sjk *, int64_t B, int64_t K, int64_t N, enum sjk_type t, const void *x, const float *film,
             int64_t ld, void *y);
int ref_film_backward(struct sjk *, int64_t B, int64_t K, int64_t N, enum sjk_type t, const void *x, const void *y,
                      const float *film, int64_t ld, void *dy, float *dfilm, float *dbias);

/* Matrix products: ref_linear.c */
int ref_linear_new(struct sjk *, int64_t N, int64_t K, enum sjk_type t, struct sjk_linear **);
int ref_matmul_nt(struct sjk *, int64_t M, int64_t N, int64_t K, enum sjk_type t, const void *A, int64_t lda,
                  const void *B, int64_t ldb, float *C, int64_t ldc);

/* Attention: ref_attention.c */
int ref_attention(struct sjk *, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const void *qkv,
                  void *out, float *stat);
int ref_attention_backward(struct sjk *, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const void *qkv,
                           const void *out, const float *stat, const void *dout, void *dqkv);

/* Rotary positions: ref_rotate.c */
int ref_rotate(struct sjk *, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const float *turns, int back,
               void *qkv);

/* Objective and optimiser: ref_objective.c */
int ref_cosine_loss(struct sjk *, int64_t M, int64_t D, const float *p, const float *t, float scale, double *loss,
                    float *dp);
int ref_infonce(struct sjk *, int64_t B, int64_t E, const float *p, const float *t, const struct sjk_contrast *,
                double *sums, float *dp, float *dt);
int ref_sum_squares(struct sjk *, size_t n, const float *x, double *sum);
int ref_adamw(struct sjk *, const struct sjk_parameters *, const struct sjk_adamw *);

/* Mel and search: ref_search.c */
int ref_frames(struct sjk *, int64_t T, int64_t n, int64_t hop, const float *wave, const float *window, float *frame);
int ref_log_mel(struct sjk *, int64_t T, const float *spectrum, const struct sjk_filterbank *, float eps, float mean,
                float std, float *out, int64_t stride);
int ref_mel(struct sjk *, int64_t B, int64_t n, const void *wave, int i16, const struct sjk_spectra *, int64_t T,
            float *out);
int ref_top_k(struct sjk *, int64_t rows, int64_t n, const float *s, int64_t ld, int64_t base, int64_t count,
              float *best, int64_t *index);

#endif
