/* layout_cuda: casts, copies, patches, class tables and means. A thread moves one pack. */
#include "device.h"

enum { threads = 256, warps = threads / 32 };

#define PACK_INDEX (((int64_t)blockIdx.x * threads + threadIdx.x) * V)

template <typename X, typename Y, int V>
static __global__ void cast_values(int64_t n, const X *__restrict__ x, Y *__restrict__ y)
{
    int64_t i = PACK_INDEX;
    float v[V];
    if (i >= n)
        return;
    load<V>(x + i, v);
    store<V>(y + i, v);
}

template <typename X, typename Y> static int cast_as(struct sjk *k, int64_t n, const X *x, Y *y)
{
    enum { V = 8 };
    int64_t packed = cuda_packs<V>(x) && cuda_packs<V>(y) ? n / V * V : 0;
    int status = !packed ? 0
                         : CUDA_LAUNCH(k, cuda_blocks(packed, threads * V), threads, 0, (cast_values<X, Y, V>), packed,
                                       x, y);
    if (status || packed == n)
        return status;
    return CUDA_LAUNCH(k, cuda_blocks(n - packed, threads), threads, 0, (cast_values<X, Y, 1>), n - packed, x + packed,
                       y + packed);
}

int cuda_cast(struct sjk *k, size_t n, const void *x, enum sjk_type xt, void *y, enum sjk_type yt)
{
    int64_t count = (int64_t)n;
    if (!n)
        return 0;
    if (xt == yt)
        return cuda_copy(k, y, x, n * sjk_type_size(xt));
    return xt == SJK_BF16 ? cast_as(k, count, (const bf16 *)x, (float *)y)
                          : cast_as(k, count, (const float *)x, (bf16 *)y);
}

/* A pack of src goes to every gridDim.y-th place. */
template <int V>
static __global__ void repeat_values(int64_t B, int64_t n, const float *__restrict__ src, float *__restrict__ dst)
{
    int64_t i = PACK_INDEX;
    float v[V];
    if (i >= n)
        return;
    load<V>(src + i, v);
    for (int64_t b = blockIdx.y; b < B; b += gridDim.y)
        store<V>(dst + b * n + i, v);
}

int cuda_repeat(struct sjk *k, int64_t B, int64_t rows, int64_t D, const float *src, float *dst)
{
    int64_t n = rows * D;
    unsigned copies = (unsigned)cuda_least(B, 256);
    if (B <= 0 || n <= 0)
        return 0;
    if (n % 4 || !cuda_packs<4>(src) || !cuda_packs<4>(dst))
        return CUDA_LAUNCH(k, dim3(cuda_blocks(n, threads), copies), threads, 0, repeat_values<1>, B, n, src, dst);
    return CUDA_LAUNCH(k, dim3(cuda_blocks(n, threads * 4), copies), threads, 0, repeat_values<4>, B, n, src, dst);
}

/* A warp a token: lane l writes 8 values, half of mel band l / 2 of the patch; V of them are read at once. */
template <typename T, int V>
static __global__ void patch_tokens(int64_t tokens, int64_t W, int64_t F, int64_t P, int64_t time,
                                    const float *__restrict__ mel, T *__restrict__ x, int aligned)
{
    int64_t token = (int64_t)blockIdx.x * warps + threadIdx.x / 32, row = quotient(token, P), p = token - row * P;
    int64_t piece = quotient(row, F), b = quotient(piece, W), band = b * F + row - piece * F;
    int lane = threadIdx.x % 32;
    float v[8];
    if (token >= tokens)
        return;
    mel += ((band * 16 + lane / 2) * W + piece - b * W) * time + p * 16 + lane % 2 * 8;
    for (int i = 0; i < 8; i += V)
        load<V>(mel + i, v + i);
    x += token * 256 + lane * 8;
    if (aligned)
        store<8>(x, v);
    else
        for (int i = 0; i < 8; i++)
            x[i] = from_float<T>(v[i]);
}

template <typename T>
static int patches_as(struct sjk *k, int64_t tokens, int64_t W, int64_t F, int64_t time, const float *mel, T *x)
{
    int64_t P = time / 16;
    unsigned grid = cuda_blocks(tokens, warps);
    int aligned = cuda_packs<8>(x);
    if (time % 4 || !cuda_packs<4>(mel))
        return CUDA_LAUNCH(k, grid, threads, 0, (patch_tokens<T, 1>), tokens, W, F, P, time, mel, x, aligned);
    return CUDA_LAUNCH(k, grid, threads, 0, (patch_tokens<T, 4>), tokens, W, F, P, time, mel, x, aligned);
}

int cuda_patches(struct sjk *k, int64_t B, int64_t W, int64_t F, int64_t T, const float *mel, void *x, enum sjk_type xt)
{
    int64_t tokens = B * W * F * (T / 16);
    if (tokens <= 0)
        return 0;
    return xt == SJK_BF16 ? patches_as(k, tokens, W, F, T, mel, (bf16 *)x)
                          : patches_as(k, tokens, W, F, T, mel, (float *)x);
}

/* -- the class table beside and before tokens ---------------------------------------------------------------------- */
template <typename T, int V>
static __global__ void concat_rows(int64_t n, int64_t K, int64_t D, const T *__restrict__ z,
                                   const float *__restrict__ table, const int32_t *__restrict__ index,
                                   T *__restrict__ y)
{
    int64_t i = PACK_INDEX, row = quotient(i, 2 * D), d = i - row * 2 * D;
    float v[V];
    if (i >= n)
        return;
    if (d < D)
        load<V>(z + row * D + d, v);
    else
        load<V>(table + index[quotient(row, K)] * D + d - D, v);
    store<V>(y + i, v);
}

template <typename T>
static int concat_as(struct sjk *k, int64_t B, int64_t K, int64_t D, const T *z, const float *table,
                     const int32_t *index, T *y)
{
    enum { V = 16 / sizeof(T) };
    int64_t n = B * K * 2 * D;
    if (n <= 0)
        return 0;
    if (D % V || !cuda_packs<V>(z) || !cuda_packs<V>(table) || !cuda_packs<V>(y))
        return CUDA_LAUNCH(k, cuda_blocks(n, threads), threads, 0, (concat_rows<T, 1>), n, K, D, z, table, index, y);
    return CUDA_LAUNCH(k, cuda_blocks(n, threads * V), threads, 0, (concat_rows<T, V>), n, K, D, z, table, index, y);
}

int cuda_concat(struct sjk *k, int64_t B, int64_t K, int64_t D, enum sjk_type t, const void *z, const float *table,
                const int32_t *index, void *y)
{
    return t == SJK_BF16 ? concat_as(k, B, K, D, (const bf16 *)z, table, index, (bf16 *)y)
                         : concat_as(k, B, K, D, (const float *)z, table, index, (float *)y);
}

/* table[c] += rows of all b of class c in order: the block of the first b of a class takes them all. */
static __global__ void class_sums(int64_t B, int64_t D, const int32_t *__restrict__ index,
                                  const float *__restrict__ rows, int64_t stride, float *__restrict__ table)
{
    int64_t first = blockIdx.x, d = (int64_t)blockIdx.y * threads + threadIdx.x;
    int32_t own = index[first];
    int seen = 0;
    for (int64_t b = threadIdx.x; b < first; b += threads)
        seen |= index[b] == own;
    if (__syncthreads_or(seen) || d >= D)
        return;
    float sum = table[own * D + d];
#pragma unroll 4
    for (int64_t b = first; b < B; b++)
        if (index[b] == own)
            sum += rows[b * stride + d];
    table[own * D + d] = sum;
}

/* The first half of rows of dy is copied, the second added up, for column_pass. */
template <typename T, int V> struct concat_columns {
    enum { values = 2 * V };
    int64_t D;
    const T *dy;
    T *dz;
    __device__ void load(int64_t row, int64_t d, float *a) const
    {
        ::load<V>(dy + row * 2 * D + d, a);
        ::load<V>(dy + row * 2 * D + D + d, a + V);
    }
    __device__ void use(int64_t row, int64_t d, const float *a, float *sum) const
    {
        store<V>(dz + row * D + d, a);
        for (int i = 0; i < V; i++)
            sum[i] += a[V + i];
    }
};

template <typename T>
static int concat_gradient(struct sjk *k, int64_t B, int64_t K, int64_t D, const T *dy, T *dz, float *sums)
{
    enum { V = 16 / sizeof(T) };
    const concat_columns<T, V> packs = {D, dy, dz};
    const concat_columns<T, 1> single = {D, dy, dz};
    return D % V == 0 && cuda_packs<V>(dy) && cuda_packs<V>(dz) ? column_chunks<V, 1>(k, B * K, D, K, packs, sums)
                                                               : column_chunks<1, 1>(k, B * K, D, K, single, sums);
}

int cuda_concat_backward(struct sjk *k, int64_t B, int64_t K, int64_t D, enum sjk_type t, const void *dy,
                         const int32_t *index, void *dz, float *dtable)
{
    if (B <= 0 || K <= 0 || D <= 0)
        return 0;
    float *sums = (float *)cuda_scratch(k, (size_t)(B * D) * sizeof *sums);
    if (!sums)
        return SJK_MEMORY;
    int status = t == SJK_BF16 ? concat_gradient(k, B, K, D, (const bf16 *)dy, (bf16 *)dz, sums)
                               : concat_gradient(k, B, K, D, (const float *)dy, (float *)dz, sums);
    const dim3 grid((unsigned)B, cuda_blocks(D, threads));
    return status ? status : CUDA_LAUNCH(k, grid, threads, 0, class_sums, B, D, index, (const float *)sums, D, dtable);
}

template <int V>
static __global__ void prepend_rows(int64_t n, int64_t K, int64_t D, const float *__restrict__ x,
                                    const float *__restrict__ table, const int32_t *__restrict__ index,
                                    float *__restrict__ y)
{
    int64_t i = PACK_INDEX, row = quotient(i, D), d = i - row * D, b = quotient(row, K + 1);
    float v[V];
    if (i >= n)
        return;
    if (row != b * (K + 1))
        load<V>(x + (row - b - 1) * D + d, v);
    else
        load<V>(table + index[b] * D + d, v);
    store<V>(y + i, v);
}

int cuda_prepend(struct sjk *k, int64_t B, int64_t K, int64_t D, const float *x, const float *table,
                 const int32_t *index, float *y)
{
    int64_t n = B * (K + 1) * D;
    if (n <= 0)
        return 0;
    if (D % 4 || !cuda_packs<4>(x) || !cuda_packs<4>(table) || !cuda_packs<4>(y))
        return CUDA_LAUNCH(k, cuda_blocks(n, threads), threads, 0, prepend_rows<1>, n, K, D, x, table, index, y);
    return CUDA_LAUNCH(k, cuda_blocks(n, threads * 4), threads, 0, prepend_rows<4>, n, K, D, x, table, index, y);
}

/* Rows of dx, copied and added up, for column_pass. */
template <typename T, int V> struct prepend_columns {
    enum { values = V };
    int64_t K, D;
    const float *dy;
    float *dx;
    T *copy;
    __device__ void load(int64_t row, int64_t d, float *a) const
    {
        ::load<V>(dy + (row + quotient(row, K) + 1) * D + d, a);
    }
    __device__ void use(int64_t row, int64_t d, const float *a, float *sum) const
    {
        for (int i = 0; i < V; i++)
            sum[i] += a[i];
        store<V>(dx + row * D + d, a);
        if (copy)
            store<V>(copy + row * D + d, a);
    }
};

template <typename T>
static int prepend_as(struct sjk *k, int64_t B, int64_t K, int64_t D, const float *dy, float *dx, T *copy, float *dsum)
{
    const prepend_columns<T, 4> packs = {K, D, dy, dx, copy};
    const prepend_columns<T, 1> single = {K, D, dy, dx, copy};
    if (K <= 0)
        return 0;
    return D % 4 == 0 && cuda_packs<4>(dy) && cuda_packs<4>(dx) && cuda_packs<4>(copy)
               ? cuda_columns<4, 1>(k, B * K, D, packs, dsum, NULL, NULL)
               : cuda_columns<1, 1>(k, B * K, D, single, dsum, NULL, NULL);
}

int cuda_prepend_backward(struct sjk *k, int64_t B, int64_t K, int64_t D, const float *dy, const int32_t *index,
                          float *dx, enum sjk_type t, void *dx_copy, float *dtable, float *dsum)
{
    if (B <= 0 || D <= 0)
        return 0;
    const dim3 grid((unsigned)B, cuda_blocks(D, threads));
    int status = CUDA_LAUNCH(k, grid, threads, 0, class_sums, B, D, index, dy, (K + 1) * D, dtable);
    if (status)
        return status;
    return t == SJK_BF16 ? prepend_as(k, B, K, D, dy, dx, (bf16 *)dx_copy, dsum)
                         : prepend_as(k, B, K, D, dy, dx, (float *)dx_copy, dsum);
}

/* -- means over time patches --------------------------------------------------------------------------------------- */
template <int V>
static __global__ void pool_values(int64_t n, int64_t N, int64_t W, int64_t P, int64_t D, const float *__restrict__ x,
                                   float *__restrict__ y)
{
    int64_t i = PACK_INDEX, row = quotient(i, D), window = quotient(row, N);
    float sum[V] = {0}, v[V];
    if (i >= n)
        return;
    x += ((row - window * N) * W + window) * P * D + i - row * D;
#pragma unroll 4
    for (int64_t p = 0; p < P; p++) {
        load<V>(x + p * D, v);
        for (int j = 0; j < V; j++)
            sum[j] += v[j];
    }
    for (int j = 0; j < V; j++)
        sum[j] /= (float)P;
    store<V>(y + i, sum);
}

int cuda_pool(struct sjk *k, int64_t N, int64_t W, int64_t P, int64_t D, const float *x, float *y)
{
    int64_t n = N * W * D;
    if (n <= 0 || P <= 0)
        return 0;
    if (D % 4 || !cuda_packs<4>(x) || !cuda_packs<4>(y))
        return CUDA_LAUNCH(k, cuda_blocks(n, threads), threads, 0, pool_values<1>, n, N, W, P, D, x, y);
    return CUDA_LAUNCH(k, cuda_blocks(n, threads * 4), threads, 0, pool_values<4>, n, N, W, P, D, x, y);
}

template <int V>
static __global__ void pool_gradient(int64_t n, int64_t N, int64_t W, int64_t P, int64_t D,
                                     const float *__restrict__ dy, float *__restrict__ dx)
{
    int64_t i = PACK_INDEX, row = quotient(i, D), pooled = quotient(row, P), from = quotient(pooled, W);
    float g[V], v[V];
    if (i >= n)
        return;
    load<V>(dy + ((pooled - from * W) * N + from) * D + i - row * D, g);
    load<V>((const float *)dx + i, v);
    for (int j = 0; j < V; j++)
        v[j] += g[j] / (float)P;
    store<V>(dx + i, v);
}

int cuda_pool_backward(struct sjk *k, int64_t N, int64_t W, int64_t P, int64_t D, const float *dy, float *dx)
{
    int64_t n = N * W * P * D;
    if (n <= 0)
        return 0;
    if (D % 4 || !cuda_packs<4>(dy) || !cuda_packs<4>(dx))
        return CUDA_LAUNCH(k, cuda_blocks(n, threads), threads, 0, pool_gradient<1>, n, N, W, P, D, dy, dx);
    return CUDA_LAUNCH(k, cuda_blocks(n, threads * 4), threads, 0, pool_gradient<4>, n, N, W, P, D, dy, dx);
}
