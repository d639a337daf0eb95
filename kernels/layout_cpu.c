/* layout_cpu: casts, copies and layout. */
#include "cpu_ops.h"
#include "vec.h"

enum { cast_chunk = 1 << 14 };

static void convert(size_t n, const void *x, enum sjk_type xt, void *y, enum sjk_type yt)
{
    int64_t count = (int64_t)n;
    if (xt == yt)
        memcpy(y, x, n * sjk_type_size(xt));
    else if (xt == SJK_F32)
        for (int64_t i = 0; i < count; i += VW)
            vf_put(y, SJK_BF16, i, count - i, vf_get(x, SJK_F32, i, count - i));
    else
        for (int64_t i = 0; i < count; i += VW)
            vf_put(y, SJK_F32, i, count - i, vf_get(x, SJK_BF16, i, count - i));
}

SJK_INLINE void activated(int64_t n, const void *x, enum sjk_type xt, void *y, enum sjk_type yt, enum sjk_epilogue e)
{
    for (int64_t i = 0; i < n; i += VW) {
        vf v = vf_get(x, xt, i, n - i);
        v = e == SJK_GELU ? vf_gelu_as(yt, v) : e == SJK_RELU ? vf_choose(vf_less(v, vf_all(0)), vf_all(0), v) : v;
        vf_put(y, yt, i, n - i, v);
    }
}

static void activate(size_t n, const void *x, enum sjk_type xt, void *y, enum sjk_type yt, enum sjk_epilogue e)
{
    if (xt == SJK_BF16 && yt == SJK_BF16)
        activated((int64_t)n, x, SJK_BF16, y, SJK_BF16, e);
    else if (yt == SJK_BF16)
        activated((int64_t)n, x, SJK_F32, y, SJK_BF16, e);
    else
        activated((int64_t)n, x, xt, y, SJK_F32, e);
}

const struct sjk_rows cpu_rows = {
    .convert = convert,
    .activate = activate,
#if defined(__AVX512BF16__)
    .weight_gradient = cpu_weight_gradient,
#endif
};

int cpu_cast(struct sjk *k, size_t n, const void *x, enum sjk_type xt, void *y, enum sjk_type yt)
{
    size_t wx = sjk_type_size(xt), wy = sjk_type_size(yt);
#pragma omp parallel for num_threads(sjk_team(k, (int64_t)n))
    for (size_t i = 0; i < n; i += cast_chunk)
        convert(n - i < cast_chunk ? n - i : cast_chunk, (const char *)x + i * wx, xt, (char *)y + i * wy, yt);
    return 0;
}

int cpu_repeat(struct sjk *k, int64_t B, int64_t rows, int64_t D, const float *src, float *dst)
{
#pragma omp parallel for num_threads(sjk_team(k, B *rows *D))
    for (int64_t i = 0; i < B * rows; i++)
        memcpy(dst + i * D, src + i % rows * D, (size_t)D * sizeof *dst);
    return 0;
}

int cpu_patches(struct sjk *k, int64_t B, int64_t W, int64_t F, int64_t T, const float *mel, void *x, enum sjk_type xt)
{
    int64_t P = T / 16;
    size_t width = sjk_type_size(xt);
#pragma omp parallel for num_threads(sjk_team(k, B *W *F *P * 256))
    for (int64_t i = 0; i < B * W * F * P; i++) {
        int64_t piece = i / (F * P), band = piece / W * F + i / P % F;
        const float *from = mel + (band * 16 * W + piece % W) * T + i % P * 16;
        for (int64_t m = 0; m < 16; m++)
            convert(16, from + m * W * T, SJK_F32, (char *)x + (size_t)(i * 256 + m * 16) * width, xt);
    }
    return 0;
}

int cpu_concat(struct sjk *k, int64_t B, int64_t K, int64_t D, enum sjk_type t, const void *z, const float *table,
               const int32_t *index, void *y)
{
    size_t row = (size_t)D * sjk_type_size(t);
#pragma omp parallel for num_threads(sjk_team(k, B *K *D))
    for (int64_t i = 0; i < B * K; i++) {
        char *to = (char *)y + 2 * (size_t)i * row;
        memcpy(to, (const char *)z + (size_t)i * row, row);
        convert((size_t)D, table + index[i / K] * D, SJK_F32, to + row, t);
    }
    return 0;
}

/* sum (D) = sum of n rows of type t, `stride` elements apart. */
static void sum_rows(int64_t n, int64_t D, const void *x, enum sjk_type t, int64_t at, int64_t stride, float *sum)
{
    for (int64_t d = 0; d < D; d += VW) {
        vf s = vf_all(0);
        for (int64_t i = 0; i < n; i++)
            s += vf_get(x, t, at + i * stride + d, D - d);
        vf_put(sum, SJK_F32, d, D - d, s);
    }
}

/* table[index[b]] += sum[b], in the order of b. */
static void scatter(int64_t B, int64_t D, const float *sum, const int32_t *index, float *table)
{
    for (int64_t b = 0; b < B; b++)
        for (int64_t d = 0; d < D; d++)
            table[index[b] * D + d] += sum[b * D + d];
}

int cpu_concat_backward(struct sjk *k, int64_t B, int64_t K, int64_t D, enum sjk_type t, const void *dy,
                        const int32_t *index, void *dz, float *dtable)
{
    size_t row = (size_t)D * sjk_type_size(t);
    float *sum = sjk_scratch(k, (size_t)(B * D) * sizeof *sum);
    if (!sum)
        return SJK_MEMORY;
#pragma omp parallel for num_threads(sjk_team(k, B *K *D))
    for (int64_t b = 0; b < B; b++) {
        for (int64_t i = b * K; i < (b + 1) * K; i++)
            memcpy((char *)dz + (size_t)i * row, (const char *)dy + 2 * (size_t)i * row, row);
        sum_rows(K, D, dy, t, (b * K * 2 + 1) * D, 2 * D, sum + b * D);
    }
    scatter(B, D, sum, index, dtable);
    return 0;
}

int cpu_prepend(struct sjk *k, int64_t B, int64_t K, int64_t D, const float *x, const float *table,
                const int32_t *index, float *y)
{
#pragma omp parallel for num_threads(sjk_team(k, B *K *D))
    for (int64_t b = 0; b < B; b++) {
        float *to = y + b * (K + 1) * D;
        memcpy(to, table + index[b] * D, (size_t)D * sizeof *to);
        memcpy(to + D, x + b * K * D, (size_t)(K * D) * sizeof *to);
    }
    return 0;
}

int cpu_prepend_backward(struct sjk *k, int64_t B, int64_t K, int64_t D, const float *dy, const int32_t *index,
                         float *dx, enum sjk_type t, void *dx_copy, float *dtable, float *dsum)
{
    float *sum = sjk_scratch(k, (size_t)(B * D) * sizeof *sum);
    if (!sum)
        return SJK_MEMORY;
#pragma omp parallel for num_threads(sjk_team(k, B *K *D))
    for (int64_t b = 0; b < B; b++) {
        const float *from = dy + (b * (K + 1) + 1) * D;
        memcpy(dx + b * K * D, from, (size_t)(K * D) * sizeof *dx);
        if (dx_copy)
            convert((size_t)(K * D), from, SJK_F32, (char *)dx_copy + (size_t)(b * K * D) * sjk_type_size(t), t);
        sum_rows(K, D, from, SJK_F32, 0, D, sum + b * D);
    }
    for (int64_t b = 0; b < B; b++)
        scatter(1, D, dy + b * (K + 1) * D, index + b, dtable);
    for (int64_t b = 0; b < B && dsum; b++)
        for (int64_t d = 0; d < D; d++)
            dsum[d] += sum[b * D + d];
    return 0;
}

int cpu_pool(struct sjk *k, int64_t N, int64_t W, int64_t P, int64_t D, const float *x, float *y)
{
#pragma omp parallel for num_threads(sjk_team(k, N *W *P *D))
    for (int64_t i = 0; i < N * W; i++) {
        float *to = y + (i % W * N + i / W) * D;
        if (P == 0)
            continue;
        sum_rows(P, D, x, SJK_F32, i * P * D, D, to);
        for (int64_t d = 0; d < D; d++)
            to[d] /= (float)P;
    }
    return 0;
}

int cpu_pool_backward(struct sjk *k, int64_t N, int64_t W, int64_t P, int64_t D, const float *dy, float *dx)
{
#pragma omp parallel for num_threads(sjk_team(k, N *W *P *D))
    for (int64_t i = 0; i < N * W * P; i++) {
        const float *from = dy + (i / P % W * N + i / (P * W)) * D;
        for (int64_t d = 0; d < D; d++)
            dx[i * D + d] += from[d] / (float)P;
    }
    return 0;
}
