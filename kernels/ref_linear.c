/* Reference: matrix products. The weights are kept as doubles in both orders, so that inner loops run along rows. */
#include "ref.h"

#include <stdlib.h>

struct layer {
    struct sjk_linear base;
    double *w, *wt; /* (N, K) and (K, N), rounded to the operands' type */
};

static void layer_free(struct sjk *k, struct sjk_linear *base)
{
    struct layer *l = (struct layer *)base;
    (void)k;
    free(l->w);
    free(l->wt);
    free(l);
}

static int pack(struct sjk *k, struct sjk_linear *base, const float *W, int which)
{
    const struct layer *l = (struct layer *)base;
    int64_t N = base->N, K = base->K;
    (void)k;
    for (int64_t n = 0; n < N; n++)
        for (int64_t i = 0; i < K; i++) {
            float v = base->t == SJK_BF16 ? sjk_from_bf16(sjk_to_bf16(W[n * K + i])) : W[n * K + i];
            if (which & SJK_PACK_FORWARD)
                l->wt[i * N + n] = v;
            if (which & SJK_PACK_BACKWARD)
                l->w[n * K + i] = v;
        }
    return 0;
}

/* sum (n) += a[0] B[0] + a[stride] B[1] + ... : `k` rows of B (k, n). */
static void rows_times(int64_t k, int64_t n, const void *a, enum sjk_type t, int64_t at, int64_t stride,
                       const double *B, double *restrict sum)
{
    for (int64_t i = 0; i < k; i++) {
        double v = sjk_load(a, t, at + i * stride);
        const double *row = B + i * n;
        for (int64_t j = 0; j < n; j++)
            sum[j] += v * row[j];
    }
}

static double epilogue(enum sjk_epilogue e, double v, double added)
{
    switch (e) {
    case SJK_GELU: return v / 2 * (1 + erf(v * M_SQRT1_2));
    case SJK_RELU: return v < 0 ? 0 : v;
    case SJK_ADD: return added + v;
    default: return v;
    }
}

static int forward(struct sjk *k, struct sjk_linear *l, int64_t M, const void *x, const float *bias, const float *added,
                   void *y, enum sjk_type yt, enum sjk_epilogue e)
{
    double *sum = sjk_scratch(k, (size_t)l->N * sizeof *sum);
    if (!sum)
        return SJK_MEMORY;
    for (int64_t m = 0; m < M; m++) {
        for (int64_t n = 0; n < l->N; n++)
            sum[n] = bias ? bias[n] : 0;
        rows_times(l->K, l->N, x, l->t, m * l->K, 1, ((struct layer *)l)->wt, sum);
        for (int64_t n = 0; n < l->N; n++)
            sjk_store(y, yt, m * l->N + n, (float)epilogue(e, sum[n], added ? added[m * l->N + n] : 0));
    }
    return 0;
}

static int backward_x(struct sjk *k, struct sjk_linear *l, int64_t M, const void *dy, void *dx, enum sjk_type dxt)
{
    double *sum = sjk_scratch(k, (size_t)l->K * sizeof *sum);
    if (!sum)
        return SJK_MEMORY;
    for (int64_t m = 0; m < M; m++) {
        memset(sum, 0, (size_t)l->K * sizeof *sum);
        rows_times(l->N, l->K, dy, l->t, m * l->N, 1, ((struct layer *)l)->w, sum);
        for (int64_t i = 0; i < l->K; i++)
            sjk_store(dx, dxt, m * l->K + i, (float)sum[i]);
    }
    return 0;
}

static int backward_w(struct sjk *k, struct sjk_linear *l, int64_t M, const void *dy, const void *x, float *dW,
                      int add)
{
    double *wide = sjk_scratch(k, (size_t)((M + 1) * l->K) * sizeof *wide);
    if (!wide)
        return SJK_MEMORY;
    double *sum = wide + M * l->K;
    for (int64_t i = 0; i < M * l->K; i++)
        wide[i] = sjk_load(x, l->t, i);
    for (int64_t n = 0; n < l->N; n++) {
        for (int64_t i = 0; i < l->K; i++)
            sum[i] = add ? dW[n * l->K + i] : 0;
        rows_times(M, l->K, dy, l->t, n, l->N, wide, sum);
        for (int64_t i = 0; i < l->K; i++)
            dW[n * l->K + i] = (float)sum[i];
    }
    return 0;
}

int ref_linear_new(struct sjk *k, int64_t N, int64_t K, enum sjk_type t, struct sjk_linear **out)
{
    static const struct sjk_linear_kind kind = {layer_free, pack, NULL, forward, NULL, NULL, backward_x, backward_w};
    *out = NULL;
    if (N < 0 || K < 0)
        return sjk_fail(k, SJK_BAD, "linear layer of negative size");
    struct layer *l = calloc(1, sizeof *l);
    if (!l)
        return sjk_fail(k, SJK_MEMORY, "no memory for a linear layer");
    l->base = (struct sjk_linear){.kind = &kind, .N = N, .K = K, .t = t};
    l->w = calloc((size_t)(N * K) + 1, sizeof *l->w);
    l->wt = calloc((size_t)(N * K) + 1, sizeof *l->wt);
    if (!l->w || !l->wt) {
        layer_free(k, &l->base);
        return sjk_fail(k, SJK_MEMORY, "no memory for a linear layer");
    }
    *out = &l->base;
    return 0;
}

int ref_matmul_nt(struct sjk *k, int64_t M, int64_t N, int64_t K, enum sjk_type t, const void *A, int64_t lda,
                  const void *B, int64_t ldb, float *C, int64_t ldc)
{
    if (lda < K || ldb < K || ldc < N)
        return sjk_fail(k, SJK_BAD, "matrix product with a row stride shorter than a row");
    for (int64_t m = 0; m < M && K > 0; m++)
        for (int64_t n = 0; n < N; n++) {
            double sum = 0;
            for (int64_t i = 0; i < K; i++)
                sum += (double)sjk_load(A, t, m * lda + i) * sjk_load(B, t, n * ldb + i);
            C[m * ldc + n] = (float)sum;
        }
    return 0;
}
