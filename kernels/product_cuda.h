/* product: matrix products of the CUDA back end. All matrices are row-major. product_cuda.cu hands them to cuBLASLt,
 * product_own_cuda.cu computes what that does not take. */
#ifndef SJK_PRODUCT_CUDA_H
#define SJK_PRODUCT_CUDA_H

#include "cuda.h"

/* D (m, n) of type dt = A B [+ C], sums f32. A (m, k) and B (k, n) are of type t; a_turned: A is stored as (k, m),
 * b_turned: B is stored as (n, k). ld: elements from row to row as stored. */
struct cuda_product {
    int64_t m, n, k;
    enum sjk_type t, dt;
    int a_turned, b_turned;
    const void *A, *B;
    int64_t lda, ldb;
    const void *C; /* type dt, rows ldd apart, may be D; or NULL */
    void *D;
    int64_t ldd;
    const float *bias; /* (n), added to every row; or NULL */
};

enum { CUDA_PRODUCT_NONE = -1 };

/* By cuBLASLt: 0; CUDA_PRODUCT_NONE where it has no algorithm, nothing done; or a status with its reason. A bias on
 * bf16 output is rounded to bf16 first; products with a bias whose rows are no multiples of 16 bytes are not taken,
 * nor those where t and dt do not go together (f32 to bf16). The algorithm is the fastest of those proposed, measured
 * at the first product of its shape, then remembered, on disk too; SJ_DETERMINISTIC=1 takes the first one proposed. */
int cuda_product_lt(struct sjk *, const struct cuda_product *);

/* Everything else, slower: D = epilogue(sum + bias), SJK_ADD meaning what C does; the same bits every time. */
int cuda_product_own(struct sjk *, const struct cuda_product *, enum sjk_epilogue);

/* In place x (M, N) += bias (N) in every row. */
int cuda_add_bias(struct sjk *, int64_t M, int64_t N, const float *bias, float *x);

/* In place x = max(x, 0), n values of type t; a NaN stays one. */
int cuda_relu(struct sjk *, size_t n, enum sjk_type t, void *x);

/* Whether SJ_DETERMINISTIC is set to more than "0": the same bits on every run, at the cost of speed. */
int cuda_deterministic(void);

#endif
