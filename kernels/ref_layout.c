/* Reference: casts, copies and layout. Sums over a batch are taken in double, one output at a time. */
#include "ref.h"

int ref_cast(struct sjk *k, size_t n, const void *x, enum sjk_type xt, void *y, enum sjk_type yt)
{
    (void)k;
    for (size_t i = 0; i < n; i++)
        sjk_store(y, yt, i, sjk_load(x, xt, i));
    return 0;
}

int ref_repeat(struct sjk *k, int64_t B, int64_t rows, int64_t D, const float *src, float *dst)
{
    (void)k;
    for (int64_t b = 0; b < B; b++)
        for (int64_t i = 0; i < rows * D; i++)
            dst[b * rows * D + i] = src[i];
    return 0;
}

int ref_patches(struct sjk *k, int64_t B, int64_t W, int64_t F, int64_t T, const float *mel, void *x, enum sjk_type xt)
{
    (void)k;
    int64_t P = T / 16;
    size_t o = 0;
    for (int64_t n = 0; n < B * W; n++)
        for (int64_t f = 0; f < F; f++)
            for (int64_t p = 0; p < P; p++)
                for (int64_t i = 0; i < 16; i++)
                    for (int64_t j = 0; j < 16; j++)
                        sjk_store(x, xt, o++, mel[(((n / W * F + f) * 16 + i) * W + n % W) * T + p * 16 + j]);
    return 0;
}

int ref_concat(struct sjk *k, int64_t B, int64_t K, int64_t D, enum sjk_type t, const void *z, const float *table,
               const int32_t *index, void *y)
{
    (void)k;
    for (int64_t b = 0; b < B; b++)
        for (int64_t i = b * K; i < (b + 1) * K; i++)
            for (int64_t d = 0; d < D; d++) {
                sjk_store(y, t, i * 2 * D + d, sjk_load(z, t, i * D + d));
                sjk_store(y, t, i * 2 * D + D + d, table[index[b] * D + d]);
            }
    return 0;
}

int ref_concat_backward(struct sjk *k, int64_t B, int64_t K, int64_t D, enum sjk_type t, const void *dy,
                        const int32_t *index, void *dz, float *dtable)
{
    (void)k;
    for (int64_t b = 0; b < B; b++)
        for (int64_t d = 0; d < D; d++) {
            double sum = 0;
            for (int64_t i = b * K; i < (b + 1) * K; i++) {
                sjk_store(dz, t, i * D + d, sjk_load(dy, t, i * 2 * D + d));
                sum += sjk_load(dy, t, i * 2 * D + D + d);
            }
            dtable[index[b] * D + d] = (float)(dtable[index[b] * D + d] + sum);
        }
    return 0;
}

int ref_prepend(struct sjk *k, int64_t B, int64_t K, int64_t D, const float *x, const float *table,
                const int32_t *index, float *y)
{
    (void)k;
    for (int64_t b = 0; b < B; b++)
        for (int64_t i = 0; i <= K; i++)
            for (int64_t d = 0; d < D; d++)
                y[(b * (K + 1) + i) * D + d] = i ? x[(b * K + i - 1) * D + d] : table[index[b] * D + d];
    return 0;
}

int ref_prepend_backward(struct sjk *k, int64_t B, int64_t K, int64_t D, const float *dy, const int32_t *index,
                         float *dx, enum sjk_type t, void *dx_copy, float *dtable, float *dsum)
{
    (void)k;
    for (int64_t d = 0; d < D; d++) {
        double sum = 0;
        for (int64_t b = 0; b < B; b++) {
            const float *from = dy + b * (K + 1) * D + d;
            dtable[index[b] * D + d] += from[0];
            for (int64_t i = 0; i < K; i++) {
                float g = from[(i + 1) * D];
                dx[(b * K + i) * D + d] = g;
                if (dx_copy)
                    sjk_store(dx_copy, t, (b * K + i) * D + d, g);
                sum += g;
            }
        }
        if (dsum)
            dsum[d] = (float)(dsum[d] + sum);
    }
    return 0;
}

int ref_pool(struct sjk *k, int64_t N, int64_t W, int64_t P, int64_t D, const float *x, float *y)
{
    (void)k;
    for (int64_t i = 0; i < N * W; i++)
        for (int64_t d = 0; d < D; d++) {
            double sum = 0;
            for (int64_t p = 0; p < P; p++)
                sum += x[(i * P + p) * D + d];
            if (P > 0)
                y[(i % W * N + i / W) * D + d] = (float)(sum / (double)P);
        }
    return 0;
}

int ref_pool_backward(struct sjk *k, int64_t N, int64_t W, int64_t P, int64_t D, const float *dy, float *dx)
{
    (void)k;
    for (int64_t i = 0; i < N * W; i++)
        for (int64_t p = 0; p < P; p++)
            for (int64_t d = 0; d < D; d++) {
                float *to = &dx[(i * P + p) * D + d];
                *to = (float)(*to + (double)dy[(i % W * N + i / W) * D + d] / (double)P);
            }
    return 0;
}
