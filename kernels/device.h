/* device: what the own kernels of the CUDA back end share. Not for callers.
 *
 * Kernels take rows and columns in packs of V elements, one access of up to 16 bytes each; V is 1 where sizes or
 * addresses forbid more. Sums go by a partition that the sizes alone set and never by atomics, so results are the same
 * bits in every run. */
#ifndef SJK_DEVICE_H
#define SJK_DEVICE_H

#include "cuda.h"

#include <math.h>

#ifndef SJ_EMULATED
#define CUDA_DYNAMIC_SHARED(type, name)          \
    extern __shared__ uint4 cuda_shared_bytes[]; \
    type *name = reinterpret_cast<type *>(cuda_shared_bytes)
#endif

typedef __nv_bfloat16 bf16;

/* V elements that one access moves (or several of 16 bytes). */
template <typename T, int V> struct alignas(V * sizeof(T) < 16 ? V * sizeof(T) : 16) pack {
    T v[V];
};

static __device__ __forceinline__ float to_float(float x)
{
    return x;
}

static __device__ __forceinline__ float to_float(bf16 x)
{
    return __bfloat162float(x);
}

template <typename T> static __device__ __forceinline__ T from_float(float x);

template <> __device__ __forceinline__ float from_float<float>(float x)
{
    return x;
}

template <> __device__ __forceinline__ bf16 from_float<bf16>(float x)
{
    return __float2bfloat16_rn(x);
}

template <int V, typename T> static __device__ __forceinline__ void load(const T *p, float *v)
{
    const pack<T, V> a = *reinterpret_cast<const pack<T, V> *>(p);
#pragma unroll
    for (int i = 0; i < V; i++)
        v[i] = to_float(a.v[i]);
}

template <int V, typename T> static __device__ __forceinline__ void store(T *p, const float *v)
{
    pack<T, V> a;
#pragma unroll
    for (int i = 0; i < V; i++)
        a.v[i] = from_float<T>(v[i]);
    *reinterpret_cast<pack<T, V> *>(p) = a;
}

/* Sums and largest values over a warp or a block, in every thread of it; all of its threads must call. */
template <typename T> static __device__ __forceinline__ T warp_sum(T x)
{
#pragma unroll
    for (int n = 16; n; n /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, n);
    return x;
}

template <typename T> static __device__ __forceinline__ T block_sum(T x)
{
    __shared__ T part[32];
    int warps = blockDim.x / 32;
    x = warp_sum(x);
    __syncthreads();
    if (threadIdx.x % 32 == 0)
        part[threadIdx.x / 32] = x;
    __syncthreads();
    x = 0;
    for (int i = 0; i < warps; i++)
        x += part[i];
    return x;
}

/* a / b for a >= 0, b > 0: in 32 bits, where that takes a quarter of the time. */
static __device__ __forceinline__ int64_t quotient(int64_t a, int64_t b)
{
    return (a | b) >> 32 ? a / b : (int64_t)((uint32_t)a / (uint32_t)b);
}

static inline unsigned cuda_blocks(int64_t n, int64_t each)
{
    return (unsigned)((n + each - 1) / each);
}

static inline int64_t cuda_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t cuda_most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Threads of a block that takes a row of n values: whole warps, at most 256. */
static inline unsigned row_threads(int64_t n)
{
    return (unsigned)cuda_least((n + 31) / 32 * 32, 256);
}

/* Whether packs of V elements of type T may be read at p; NULL is fine. */
template <int V, typename T> static inline int cuda_packs(const T *p)
{
    return (uintptr_t)p % alignof(pack<T, V>) == 0;
}

/* -- sums over rows ------------------------------------------------------------------------------------------------ */
/* Pass 2: total[i][j] += part[b][i][j] over the blocks b in order; part (blocks, count, N), count <= 3, a NULL total is
 * left out. */
int cuda_add_sums(struct sjk *, int64_t blocks, int count, int64_t N, const float *part, float *a, float *b, float *c);

enum { column_lanes = 32, column_rows = 8, column_wave = 1056 }; /* a block; blocks that fill a large device once */

/* Pass 1: part[chunk][i][j] = sum over the rows of the chunk of the S values that `f` has for column j. f.load(row,
 * column, a) reads V columns' worth into a[F::values], f.use(row, column, a, sum) works on them. */
template <int V, int S, typename F>
static __global__ void __launch_bounds__(column_lanes *column_rows)
    column_pass(int64_t M, int64_t N, int64_t rows, F f, float *__restrict__ part)
{
    __shared__ float all[column_rows][S * V][column_lanes];
    int64_t column = ((int64_t)blockIdx.y * column_lanes + threadIdx.x) * V;
    int64_t row = blockIdx.x * rows, end = row + rows < M ? row + rows : M;
    float sum[S * V] = {0}, a[2][F::values];
    row += threadIdx.y;
    for (; column < N && row + column_rows < end; row += 2 * column_rows) {
        f.load(row, column, a[0]);
        f.load(row + column_rows, column, a[1]);
        f.use(row, column, a[0], sum);
        f.use(row + column_rows, column, a[1], sum);
    }
    if (column < N && row < end) {
        f.load(row, column, a[0]);
        f.use(row, column, a[0], sum);
    }
#pragma unroll
    for (int i = 0; i < S * V; i++)
        all[threadIdx.y][i][threadIdx.x] = sum[i];
    __syncthreads();
    for (int i = threadIdx.y; i < S * V && column < N; i += column_rows) {
        float s = 0;
        for (int r = 0; r < column_rows; r++)
            s += all[r][i][threadIdx.x];
        part[((int64_t)blockIdx.x * S + i / V) * N + column + i % V] = s;
    }
}

template <int V, int S, typename F>
static int column_chunks(struct sjk *k, int64_t M, int64_t N, int64_t rows, F f, float *part)
{
    const dim3 grid(cuda_blocks(M, rows), cuda_blocks(N, column_lanes * V)), block(column_lanes, column_rows);
    return CUDA_LAUNCH(k, grid, block, 0, (column_pass<V, S, F>), M, N, rows, f, part);
}

/* Both passes; N a multiple of V. */
template <int V, int S, typename F>
static int cuda_columns(struct sjk *k, int64_t M, int64_t N, F f, float *a, float *b, float *c)
{
    int64_t chunks = cuda_most(column_wave / cuda_blocks(N, column_lanes * V), 1);
    int64_t rows = cuda_most((M + chunks - 1) / chunks, 4 * column_rows);
    float *part = (float *)cuda_scratch(k, (size_t)(cuda_blocks(M, rows) * S * N) * sizeof *part);
    if (!part)
        return SJK_MEMORY;
    int status = column_chunks<V, S>(k, M, N, rows, f, part);
    return status ? status : cuda_add_sums(k, cuda_blocks(M, rows), S, N, part, a, b, c);
}

#endif
