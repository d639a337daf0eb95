/* linear: linear layers and plain products of the CUDA back end. The weights are kept once, (N, K) in the layer's type;
 * both directions read them. Products go to cuBLASLt with bias, residual and accumulation fused into them.
 *
 * GELU is not: a kernel of our own applies it after the product, in bf16 to the rounded sum. That of cuBLASLt is the
 * tanh form. It differs from the erf form by at most 4.7e-4 (at -2.7), 45 % of the value at -4; its derivative by
 * 8.7e-4; and its bias gradient would be bf16. For normal sums the rms errors in bf16 are 1.1e-3 for either form of the
 * sum and 1.7e-3 for the erf form of the rounded sum: the tanh form keeps the bounds, but is another function. Ours
 * moves 1.6 GB more for a layer of 64,000 rows of 768 and 3,072: a read forward, a read and a write where nothing is
 * kept, and a pass backward. */
#include "linear_cuda.h"
#include "product_cuda.h"

#include <stdlib.h>

struct layer {
    struct sjk_linear base;
    void *weight; /* (N, K) of type base.t */
};

/* Outputs so few that one rounding too many may be a large part of all: made by our own product, from the sums. */
enum { few = 1024 };

void *cuda_linear_weight(const struct sjk_linear *l)
{
    return ((const struct layer *)l)->weight;
}

static int empty(const struct sjk_linear *l, int64_t M)
{
    return M <= 0 || l->N <= 0 || l->K <= 0;
}

int cuda_linear_new(struct sjk *k, int64_t N, int64_t K, enum sjk_type t, struct sjk_linear **out)
{
    *out = NULL;
    if (N < 0 || K < 0)
        return sjk_fail(k, SJK_BAD, "linear layer of negative size");
    struct layer *l = (struct layer *)calloc(1, sizeof *l);
    if (!l)
        return sjk_fail(k, SJK_MEMORY, "no memory for a linear layer");
    l->base.N = N;
    l->base.K = K;
    l->base.t = t;
    int status = cuda_alloc(k, (size_t)(N * K) * sjk_type_size(t), &l->weight);
    if (status) {
        free(l);
        return status;
    }
    *out = &l->base;
    return 0;
}

void cuda_linear_free(struct sjk *k, struct sjk_linear *l)
{
    if (l)
        cuda_free(k, ((struct layer *)l)->weight);
    free(l);
}

int cuda_linear_pack(struct sjk *k, struct sjk_linear *l, const float *W, int which)
{
    struct layer *own = (struct layer *)l;
    int status = empty(l, 1) ? 0 : cuda_cast(k, (size_t)(l->N * l->K), W, SJK_F32, own->weight, l->t);
    l->packed |= status ? 0 : which;
    return status;
}

static int check_packed(struct sjk *k, const struct sjk_linear *l, int which)
{
    if (l->packed & which)
        return 0;
    return sjk_fail(k, SJK_BAD, "linear layer is not packed for the %s direction",
                    which == SJK_PACK_FORWARD ? "forward" : "backward");
}

/* x W^T for M rows, to D of type dt. */
static struct cuda_product forward_product(const struct sjk_linear *l, int64_t M, const void *x, void *D,
                                           enum sjk_type dt)
{
    struct cuda_product p = {};
    p.m = M;
    p.n = l->N;
    p.k = l->K;
    p.t = l->t;
    p.dt = dt;
    p.b_turned = 1;
    p.A = x;
    p.lda = l->K;
    p.B = cuda_linear_weight(l);
    p.ldb = l->K;
    p.D = D;
    p.ldd = l->N;
    return p;
}

/* dy W for M rows, to D of type dt. */
static struct cuda_product backward_product(const struct sjk_linear *l, int64_t M, const void *dy, void *D,
                                            enum sjk_type dt)
{
    struct cuda_product p = forward_product(l, M, dy, D, dt);
    p.n = l->K;
    p.k = l->N;
    p.b_turned = 0;
    p.lda = l->N;
    p.ldd = l->K;
    return p;
}

static int run(struct sjk *k, const struct cuda_product *p)
{
    int status = cuda_product_lt(k, p);
    return status == CUDA_PRODUCT_NONE ? cuda_product_own(k, p, SJK_STORE) : status;
}

int cuda_linear_forward(struct sjk *k, struct sjk_linear *l, int64_t M, const void *x, const float *bias,
                        const float *added, void *y, enum sjk_type yt, enum sjk_epilogue e)
{
    if (empty(l, M))
        return 0;
    if (check_packed(k, l, SJK_PACK_FORWARD))
        return SJK_BAD;
    if (e == SJK_ADD && yt != SJK_F32)
        return sjk_fail(k, SJK_BAD, "a linear layer adds to f32 only");
    struct cuda_product p = forward_product(l, M, x, y, yt);
    p.bias = bias;
    p.C = e == SJK_ADD ? added : NULL;
    int own = yt == SJK_BF16 && (bias || e == SJK_GELU) && M <= few / l->N;
    int status = own ? (int)CUDA_PRODUCT_NONE : cuda_product_lt(k, &p);
    if (status == CUDA_PRODUCT_NONE && bias && yt == SJK_F32) {
        p.bias = NULL;
        status = cuda_product_lt(k, &p);
        if (!status)
            status = cuda_add_bias(k, M, l->N, bias, (float *)y);
        p.bias = bias;
    }
    if (status == CUDA_PRODUCT_NONE)
        return cuda_product_own(k, &p, e);
    if (!status && e == SJK_GELU)
        status = cuda_gelu(k, M, l->N, yt, y, y);
    if (!status && e == SJK_RELU)
        status = cuda_relu(k, (size_t)(M * l->N), yt, y);
    return status;
}

int cuda_linear_forward_gelu(struct sjk *k, struct sjk_linear *l, int64_t M, const void *x, const float *bias,
                             void *before, void *y)
{
    if (empty(l, M))
        return 0;
    if (check_packed(k, l, SJK_PACK_FORWARD))
        return SJK_BAD;
    struct cuda_product p = forward_product(l, M, x, before, l->t);
    p.bias = bias;
    int own = l->t == SJK_BF16 && bias && M <= few / l->N;
    int status = own ? cuda_product_own(k, &p, SJK_STORE) : run(k, &p);
    return status ? status : cuda_gelu(k, M, l->N, l->t, before, y);
}

int cuda_linear_backward_x(struct sjk *k, struct sjk_linear *l, int64_t M, const void *dy, void *dx, enum sjk_type dxt)
{
    if (empty(l, M))
        return 0;
    if (check_packed(k, l, SJK_PACK_BACKWARD))
        return SJK_BAD;
    struct cuda_product p = backward_product(l, M, dy, dx, dxt);
    return run(k, &p);
}

int cuda_linear_backward_gelu(struct sjk *k, struct sjk_linear *l, int64_t M, const void *dy, const void *before,
                              void *dx, float *dbias)
{
    if (empty(l, M))
        return 0;
    if (check_packed(k, l, SJK_PACK_BACKWARD))
        return SJK_BAD;
    struct cuda_product p = backward_product(l, M, dy, dx, l->t);
    int status = run(k, &p);
    return status ? status : cuda_gelu_backward(k, M, l->K, l->t, before, dx, dbias);
}

int cuda_linear_backward_w(struct sjk *k, struct sjk_linear *l, int64_t M, const void *dy, const void *x, float *dW,
                           int add)
{
    if (empty(l, M))
        return empty(l, 1) || add ? 0 : k->ops->zero(k, dW, (size_t)(l->N * l->K) * sizeof *dW);
    struct cuda_product p = {};
    p.m = l->N;
    p.n = l->K;
    p.k = M;
    p.t = l->t;
    p.a_turned = 1;
    p.A = dy;
    p.lda = l->N;
    p.B = x;
    p.ldb = l->K;
    p.C = add ? dW : NULL;
    p.D = dW;
    p.ldd = l->K;
    return run(k, &p);
}

int cuda_matmul_nt(struct sjk *k, int64_t M, int64_t N, int64_t K, enum sjk_type t, const void *A, int64_t lda,
                   const void *B, int64_t ldb, float *C, int64_t ldc)
{
    if (lda < K || ldb < K || ldc < N)
        return sjk_fail(k, SJK_BAD, "matrix product with a row stride shorter than a row");
    if (M <= 0 || N <= 0 || K <= 0)
        return 0;
    struct cuda_product p = {};
    p.m = M;
    p.n = N;
    p.k = K;
    p.t = t;
    p.b_turned = 1;
    p.A = A;
    p.lda = lda;
    p.B = B;
    p.ldb = ldb;
    p.D = C;
    p.ldd = ldc;
    return run(k, &p);
}
