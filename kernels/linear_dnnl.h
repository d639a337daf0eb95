/* linear_dnnl: matrix products on oneDNN. Contracts in sjk.h. */
#ifndef SJK_LINEAR_DNNL_H
#define SJK_LINEAR_DNNL_H

#include "cpu.h"

int onednn_linear_new(struct sjk *, int64_t N, int64_t K, enum sjk_type t, struct sjk_linear **);
int onednn_linear_backward_w(struct sjk *, struct sjk_linear *, int64_t M, const void *dy, const void *x, float *dW,
                             int add);
int onednn_matmul_nt(struct sjk *, int64_t M, int64_t N, int64_t K, enum sjk_type t, const void *A, int64_t lda,
                     const void *B, int64_t ldb, float *C, int64_t ldc);

#endif
