/* film_cuda: feature-wise modulation. A thread takes one pack. */
#include "device.h"

enum { threads = 256 };

/* Packs of a row of film may be read: its two halves, of every sample. */
template <int V> static int film_packs(int64_t N, int64_t ld, const float *film)
{
    return N % V == 0 && ld % V == 0 && cuda_packs<V>(film);
}

template <typename T, int V>
static __global__ void film_values(int64_t n, int64_t K, int64_t N, const T *__restrict__ x,
                                   const float *__restrict__ film, int64_t ld, T *__restrict__ y)
{
    int64_t i = ((int64_t)blockIdx.x * threads + threadIdx.x) * V, row = quotient(i, N);
    float v[V], s[V], a[V];
    if (i >= n)
        return;
    film += quotient(row, K) * ld + i - row * N;
    load<V>(x + i, v);
    load<V>(film, s);
    load<V>(film + N, a);
    for (int j = 0; j < V; j++) {
        v[j] = v[j] * (1 + s[j]) + a[j];
        v[j] = v[j] < 0 ? 0 : v[j];
    }
    store<V>(y + i, v);
}

template <typename T>
static int film_as(struct sjk *k, int64_t n, int64_t K, int64_t N, const T *x, const float *film, int64_t ld, T *y)
{
    enum { V = 16 / sizeof(T) };
    if (n <= 0)
        return 0;
    if (!film_packs<V>(N, ld, film) || !cuda_packs<V>(x) || !cuda_packs<V>(y))
        return CUDA_LAUNCH(k, cuda_blocks(n, threads), threads, 0, (film_values<T, 1>), n, K, N, x, film, ld, y);
    return CUDA_LAUNCH(k, cuda_blocks(n, threads * V), threads, 0, (film_values<T, V>), n, K, N, x, film, ld, y);
}

int cuda_film(struct sjk *k, int64_t B, int64_t K, int64_t N, enum sjk_type t, const void *x, const float *film,
              int64_t ld, void *y)
{
    return t == SJK_BF16 ? film_as(k, B * K * N, K, N, (const bf16 *)x, film, ld, (bf16 *)y)
                         : film_as(k, B * K * N, K, N, (const float *)x, film, ld, (float *)y);
}

/* dy <- its product with the scale, where y > 0; for column_pass the sums of g x and of g. */
template <typename T, int V> struct film_sums {
    enum { values = 3 * V };
    int64_t K, N;
    const T *x, *y;
    const float *film;
    int64_t ld;
    T *dy;
    __device__ void load(int64_t row, int64_t column, float *a) const
    {
        ::load<V>(x + row * N + column, a);
        ::load<V>(y + row * N + column, a + V);
        ::load<V>((const T *)dy + row * N + column, a + 2 * V);
    }
    __device__ void use(int64_t row, int64_t column, const float *a, float *sum) const
    {
        float g[V], s[V];
        ::load<V>(film + quotient(row, K) * ld + column, s);
        for (int i = 0; i < V; i++) {
            g[i] = a[V + i] > 0 ? a[2 * V + i] : 0;
            sum[i] += g[i] * a[i];
            sum[V + i] += g[i];
            g[i] *= 1 + s[i];
        }
        store<V>(dy + row * N + column, g);
    }
};

/* A thread a column: its sums (B, 2, N), of nothing when K is 0, to dfilm, and the gradient of the bias. */
static __global__ void film_totals(int64_t B, int64_t K, int64_t N, const float *__restrict__ sums,
                                   const float *__restrict__ film, int64_t ld, float *__restrict__ dfilm,
                                   float *__restrict__ dbias)
{
    int64_t n = (int64_t)blockIdx.x * 32 + threadIdx.x;
    float total = 0;
    if (n >= N)
        return;
#pragma unroll 8
    for (int64_t b = 0; b < B; b++) {
        float a = K ? sums[(2 * b + 1) * N + n] : 0;
        dfilm[b * ld + n] = K ? sums[2 * b * N + n] : 0;
        dfilm[b * ld + N + n] = a;
        total += a * (1 + film[b * ld + n]);
    }
    dbias[n] += total;
}

template <typename T>
static int film_gradient(struct sjk *k, int64_t B, int64_t K, int64_t N, const T *x, const T *y, const float *film,
                         int64_t ld, T *dy, float *sums)
{
    enum { V = 16 / sizeof(T) };
    const film_sums<T, V> packs = {K, N, x, y, film, ld, dy};
    const film_sums<T, 1> single = {K, N, x, y, film, ld, dy};
    return film_packs<V>(N, ld, film) && cuda_packs<V>(x) && cuda_packs<V>(y) && cuda_packs<V>(dy)
               ? column_chunks<V, 2>(k, B * K, N, K, packs, sums)
               : column_chunks<1, 2>(k, B * K, N, K, single, sums);
}

int cuda_film_backward(struct sjk *k, int64_t B, int64_t K, int64_t N, enum sjk_type t, const void *x, const void *y,
                       const float *film, int64_t ld, void *dy, float *dfilm, float *dbias)
{
    if (B <= 0 || N <= 0)
        return 0;
    float *sums = (float *)cuda_scratch(k, (size_t)(2 * B * N) * sizeof *sums);
    if (!sums)
        return SJK_MEMORY;
    int status = 0;
    if (K > 0)
        status = t == SJK_BF16
                     ? film_gradient(k, B, K, N, (const bf16 *)x, (const bf16 *)y, film, ld, (bf16 *)dy, sums)
                     : film_gradient(k, B, K, N, (const float *)x, (const float *)y, film, ld, (float *)dy, sums);
    return status ? status
                  : CUDA_LAUNCH(k, cuda_blocks(N, 32), 32, 0, film_totals, B, K, N, (const float *)sums, film, ld,
                                dfilm, dbias);
}
