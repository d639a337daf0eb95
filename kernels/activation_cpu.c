/* activation_cpu: GELU, the gradients of GELU and ReLU with the bias gradient in the same pass, and column sums. */
#include "cpu_ops.h"
#include "sums.h"
#include "vec.h"

enum { gelu_chunk = 1 << 13 };
enum factor { GELU_SLOPE, RELU_SLOPE, ONE };

SJK_INLINE void gelu_values(int64_t n, enum sjk_type t, const void *x, void *y, int64_t at)
{
    for (int64_t i = 0; i < n; i += VW)
        vf_put(y, t, at + i, n - i, vf_gelu_as(t, vf_get(x, t, at + i, n - i)));
}

int cpu_gelu(struct sjk *k, int64_t M, int64_t N, enum sjk_type t, const void *x, void *y)
{
    int64_t n = M * N;
#pragma omp parallel for num_threads(sjk_team(k, n))
    for (int64_t i = 0; i < n; i += gelu_chunk)
        if (t == SJK_BF16)
            gelu_values(sjk_min(n - i, gelu_chunk), SJK_BF16, x, y, i);
        else
            gelu_values(sjk_min(n - i, gelu_chunk), SJK_F32, x, y, i);
    return 0;
}

/* Row i of dy <- factor dy, and sum += it. */
SJK_INLINE void row_backward(int64_t N, enum sjk_type t, enum factor f, const void *x, void *dy, int64_t at, float *sum)
{
    for (int64_t j = 0; j < N; j += VW) {
        int64_t n = N - j;
        vf g = vf_get(dy, t, at + j, n);
        if (f == GELU_SLOPE)
            g *= vf_gelu_slope(vf_get(x, t, at + j, n));
        if (f == RELU_SLOPE)
            g = vf_choose(vf_less(vf_all(0), vf_get(x, t, at + j, n)), g, vf_all(0));
        if (f != ONE)
            vf_put(dy, t, at + j, n, g);
        vf_store(sum + j, vf_load(sum + j) + g);
    }
}

SJK_INLINE int backward(struct sjk *k, int64_t M, int64_t N, enum sjk_type t, enum factor f, const void *x, void *dy,
                        float *total)
{
    if (M <= 0 || N <= 0)
        return 0;
    int64_t rows = sjk_block_rows(M), blocks = sjk_blocks(M), width = sums_width(N);
    float *sum = sjk_scratch(k, (size_t)(blocks * width) * sizeof *sum);
    if (!sum)
        return SJK_MEMORY;
#pragma omp parallel for num_threads(sjk_team(k, M *N))
    for (int64_t b = 0; b < blocks; b++) {
        memset(sum + b * width, 0, (size_t)width * sizeof *sum);
        for (int64_t i = b * rows; i < sjk_min((b + 1) * rows, M); i++)
            if (t == SJK_BF16)
                row_backward(N, SJK_BF16, f, x, dy, i * N, sum + b * width);
            else
                row_backward(N, SJK_F32, f, x, dy, i * N, sum + b * width);
    }
    sums_add(k, blocks, N, width, sum, total);
    return 0;
}

int cpu_gelu_backward(struct sjk *k, int64_t M, int64_t N, enum sjk_type t, const void *x, void *dy, float *dbias)
{
    return backward(k, M, N, t, GELU_SLOPE, x, dy, dbias);
}

int cpu_relu_backward(struct sjk *k, int64_t M, int64_t N, enum sjk_type t, const void *y, void *dy, float *dbias)
{
    return backward(k, M, N, t, RELU_SLOPE, y, dy, dbias);
}

int cpu_column_sum(struct sjk *k, int64_t M, int64_t N, enum sjk_type t, const void *x, float *sum)
{
    return backward(k, M, N, t, ONE, x, (void *)(uintptr_t)x, sum);
}
