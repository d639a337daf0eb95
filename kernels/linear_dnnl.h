/* linear_dnnl: the matrix products of the CPU tables, on oneDNN. Contracts in sjk.h. */
#ifndef SJK_LINEAR_DNNL_H
#define SJK_LINEAR_DNNL_H

#include "sjk.h"

int onednn_linear_new(struct sjk *, int64_t N, int64_t K, enum sjk_type t, struct sjk_linear **);
void onednn_linear_free(struct sjk *, struct sjk_linear *);
int onednn_linear_pack(struct sjk *, struct sjk_linear *, const float *W, int which);
int onednn_linear_forward(struct sjk *, struct sjk_linear *, int64_t M, const void *x, const float *bias, void *y,
                        enum sjk_type yt, enum sjk_epilogue);
int onednn_linear_backward_x(struct sjk *, struct sjk_linear *, int64_t M, const void *dy, void *dx, enum sjk_type dxt);
int onednn_linear_backward_w(struct sjk *, struct sjk_linear *, int64_t M, const void *dy, const void *x, float *dW);
int onednn_matmul_nt(struct sjk *, int64_t M, int64_t N, int64_t K, enum sjk_type t, const void *A, int64_t lda,
                   const void *B, int64_t ldb, float *C, int64_t ldc);

/* Of a layer: its sizes and operand type. */
void onednn_linear_shape(const struct sjk_linear *, int64_t *N, int64_t *K, enum sjk_type *t);

#endif
