/* activation_cuda: GELU, the gradients of GELU and ReLU with the bias gradient in the same pass, and column sums. */
#include "device.h"

enum { threads = 256 };

static __device__ __forceinline__ float gelu(float x)
{
    return x * 0.5f * (1 + erff(x * 0.70710678f));
}

/* gelu'(x) = Phi(x) + x phi(x) */
static __device__ __forceinline__ float gelu_slope(float x)
{
    return 0.5f * (1 + erff(x * 0.70710678f)) + x * 0.39894228f * __expf(-0.5f * x * x);
}

/* Two packs a thread, so that enough is under way. x may be y: a thread reads what it writes. */
template <typename T, int V> static __global__ void gelu_values(int64_t n, const T *x, T *y)
{
    int64_t at = ((int64_t)blockIdx.x * 2 * threads + threadIdx.x) * V;
    float v[2][V];
#pragma unroll
    for (int u = 0; u < 2; u++)
        if (at + u * threads * V < n)
            load<V>(x + at + u * threads * V, v[u]);
#pragma unroll
    for (int u = 0; u < 2; u++) {
        if (at + u * threads * V >= n)
            continue;
        for (int j = 0; j < V; j++)
            v[u][j] = gelu(v[u][j]);
        store<V>(y + at + u * threads * V, v[u]);
    }
}

template <typename T> static int gelu_as(struct sjk *k, int64_t n, const T *x, T *y)
{
    enum { V = 16 / sizeof(T) };
    if (n % V || !cuda_packs<V>(x) || !cuda_packs<V>(y))
        return CUDA_LAUNCH(k, cuda_blocks(n, 2 * threads), threads, 0, (gelu_values<T, 1>), n, x, y);
    return CUDA_LAUNCH(k, cuda_blocks(n, 2 * threads * V), threads, 0, (gelu_values<T, V>), n, x, y);
}

int cuda_gelu(struct sjk *k, int64_t M, int64_t N, enum sjk_type t, const void *x, void *y)
{
    int64_t n = M * N;
    if (n <= 0)
        return 0;
    return t == SJK_BF16 ? gelu_as(k, n, (const bf16 *)x, (bf16 *)y) : gelu_as(k, n, (const float *)x, (float *)y);
}

/* What is summed over rows, for column_pass: each takes V columns of a row. */
template <typename T, int V> struct plain_sum {
    enum { values = V };
    int64_t N;
    const T *x;
    __device__ void load(int64_t row, int64_t column, float *a) const
    {
        ::load<V>(x + row * N + column, a);
    }
    __device__ void use(int64_t, int64_t, const float *a, float *sum) const
    {
        for (int i = 0; i < V; i++)
            sum[i] += a[i];
    }
};

/* dy <- dy * slope(x), where the slope is GELU's at x or ReLU's at its result. */
template <typename T, int V, int RELU> struct slope_sum {
    enum { values = 2 * V };
    int64_t N;
    const T *x;
    T *dy;
    __device__ void load(int64_t row, int64_t column, float *a) const
    {
        ::load<V>(x + row * N + column, a);
        ::load<V>((const T *)dy + row * N + column, a + V);
    }
    __device__ void use(int64_t row, int64_t column, const float *a, float *sum) const
    {
        float g[V];
        for (int i = 0; i < V; i++) {
            g[i] = RELU ? (a[i] > 0 ? a[V + i] : 0) : a[V + i] * gelu_slope(a[i]);
            sum[i] += g[i];
        }
        store<V>(dy + row * N + column, g);
    }
};

template <typename T, int RELU>
static int slope_as(struct sjk *k, int64_t M, int64_t N, const T *x, T *dy, float *dbias)
{
    enum { V = 16 / sizeof(T) };
    const slope_sum<T, V, RELU> packs = {N, x, dy};
    const slope_sum<T, 1, RELU> single = {N, x, dy};
    if (M <= 0 || N <= 0)
        return 0;
    return N % V == 0 && cuda_packs<V>(x) && cuda_packs<V>(dy) ? cuda_columns<V, 1>(k, M, N, packs, dbias, NULL, NULL)
                                                              : cuda_columns<1, 1>(k, M, N, single, dbias, NULL, NULL);
}

template <typename T> static int sum_as(struct sjk *k, int64_t M, int64_t N, const T *x, float *sum)
{
    enum { V = 16 / sizeof(T) };
    const plain_sum<T, V> packs = {N, x};
    const plain_sum<T, 1> single = {N, x};
    if (M <= 0 || N <= 0)
        return 0;
    return N % V == 0 && cuda_packs<V>(x) ? cuda_columns<V, 1>(k, M, N, packs, sum, NULL, NULL)
                                          : cuda_columns<1, 1>(k, M, N, single, sum, NULL, NULL);
}

int cuda_gelu_backward(struct sjk *k, int64_t M, int64_t N, enum sjk_type t, const void *x, void *dy, float *dbias)
{
    return t == SJK_BF16 ? slope_as<bf16, 0>(k, M, N, (const bf16 *)x, (bf16 *)dy, dbias)
                         : slope_as<float, 0>(k, M, N, (const float *)x, (float *)dy, dbias);
}

int cuda_relu_backward(struct sjk *k, int64_t M, int64_t N, enum sjk_type t, const void *y, void *dy, float *dbias)
{
    return t == SJK_BF16 ? slope_as<bf16, 1>(k, M, N, (const bf16 *)y, (bf16 *)dy, dbias)
                         : slope_as<float, 1>(k, M, N, (const float *)y, (float *)dy, dbias);
}

int cuda_column_sum(struct sjk *k, int64_t M, int64_t N, enum sjk_type t, const void *x, float *sum)
{
    return t == SJK_BF16 ? sum_as(k, M, N, (const bf16 *)x, sum) : sum_as(k, M, N, (const float *)x, sum);
}
