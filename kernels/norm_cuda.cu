/* norm_cuda: LayerNorm. A warp a row, which stays in registers, for rows of up to 1024; a block a row for others. */
#include "device.h"

enum { warps = 4, wide = 1024, V = 4 };
enum { backward_blocks = 396 }; /* at three blocks each, all multiprocessors of a large device */
static const float layernorm_eps = 1e-5f;

/* N packs a lane: pack i of a lane begins at column (32 i + lane) V. */
template <typename Y, int N>
static __global__ void __launch_bounds__(32 * warps)
    norm_rows(int64_t M, int D, const float *__restrict__ x, const float *__restrict__ gamma,
              const float *__restrict__ beta, Y *__restrict__ y, float *__restrict__ stat, float eps)
{
    int64_t row = (int64_t)blockIdx.x * warps + threadIdx.x / 32;
    int lane = threadIdx.x % 32;
    float v[N][V], sum = 0, square = 0;
    if (row >= M)
        return;
#pragma unroll
    for (int i = 0; i < N; i++) {
        int d = (32 * i + lane) * V;
        if (d >= D)
            continue;
        load<V>(x + row * D + d, v[i]);
        for (int j = 0; j < V; j++)
            sum += v[i][j];
    }
    float mean = warp_sum(sum) / (float)D;
#pragma unroll
    for (int i = 0; i < N; i++) {
        if ((32 * i + lane) * V >= D)
            continue;
        for (int j = 0; j < V; j++) {
            v[i][j] -= mean;
            square += v[i][j] * v[i][j];
        }
    }
    float r = 1 / sqrtf(warp_sum(square) / (float)D + eps);
#pragma unroll
    for (int i = 0; i < N; i++) {
        int d = (32 * i + lane) * V;
        float g[V], b[V];
        if (d >= D)
            continue;
        load<V>(gamma + d, g);
        load<V>(beta + d, b);
        for (int j = 0; j < V; j++)
            v[i][j] = v[i][j] * r * g[j] + b[j];
        store<V>(y + row * D + d, v[i]);
    }
    if (stat && lane == 0) {
        stat[2 * row] = mean;
        stat[2 * row + 1] = r;
    }
}

/* A row of any length, read three times. */
template <typename Y>
static __global__ void norm_long(int64_t D, const float *__restrict__ x, const float *__restrict__ gamma,
                                 const float *__restrict__ beta, Y *__restrict__ y, float *__restrict__ stat, float eps)
{
    int64_t row = blockIdx.x;
    float sum = 0, square = 0;
    x += row * D;
    y += row * D;
    for (int64_t d = threadIdx.x; d < D; d += blockDim.x)
        sum += x[d];
    float mean = block_sum(sum) / (float)D;
    for (int64_t d = threadIdx.x; d < D; d += blockDim.x)
        square += (x[d] - mean) * (x[d] - mean);
    float r = 1 / sqrtf(block_sum(square) / (float)D + eps);
    for (int64_t d = threadIdx.x; d < D; d += blockDim.x)
        y[d] = from_float<Y>((x[d] - mean) * r * gamma[d] + beta[d]);
    if (stat && threadIdx.x == 0) {
        stat[2 * row] = mean;
        stat[2 * row + 1] = r;
    }
}

template <typename Y>
static int forward(struct sjk *k, int64_t M, int64_t D, const float *x, const float *gamma, const float *beta, Y *y,
                   float *stat)
{
    unsigned grid = cuda_blocks(M, warps);
    if (D > wide || D % V || !cuda_packs<V>(x) || !cuda_packs<V>(gamma) || !cuda_packs<V>(beta) || !cuda_packs<V>(y))
        return CUDA_LAUNCH(k, (unsigned)M, row_threads(D), 0, norm_long<Y>, D, x, gamma, beta, y, stat, layernorm_eps);
#define ROWS(N) \
    CUDA_LAUNCH(k, grid, 32 * warps, 0, (norm_rows<Y, N>), M, (int)D, x, gamma, beta, y, stat, layernorm_eps)
    return D <= 256 ? ROWS(2) : D <= 512 ? ROWS(4) : D <= 768 ? ROWS(6) : ROWS(8);
#undef ROWS
}

int cuda_layernorm(struct sjk *k, int64_t M, int64_t D, const float *x, const float *gamma, const float *beta, void *y,
                   enum sjk_type yt, float *stat)
{
    if (M <= 0 || D <= 0)
        return 0;
    return yt == SJK_BF16 ? forward(k, M, D, x, gamma, beta, (bf16 *)y, stat)
                          : forward(k, M, D, x, gamma, beta, (float *)y, stat);
}

/* Everything of layernorm_backward but the sums; dy and dx_copy of types DY and C. */
template <typename DY, typename C> struct backward {
    int64_t M, D;
    const float *x, *gamma, *stat;
    const DY *dy;
    float *dx;
    int accumulate;
    C *copy;
    float *dgamma, *dbeta, *dsum;
};

/* A warp takes rows at the distance of all warps and adds up its columns of dgamma, dbeta and dsum meanwhile; the sums
 * of the block's warps go to part (blocks, 3, D). */
template <typename DY, typename C, int N>
static __global__ void __launch_bounds__(32 * warps, N <= 6 ? 3 : 2)
    backward_rows(backward<DY, C> w, float *__restrict__ part)
{
    __shared__ float all[3][wide];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, D = (int)w.D;
    float sum[3][N][V] = {{{0}}};
    for (int64_t row = (int64_t)blockIdx.x * warps + warp; row < w.M; row += (int64_t)gridDim.x * warps) {
        float c[N][V], g[N][V], before[N][V], a = 0, b = 0;
        const float mean = w.stat[2 * row], r = w.stat[2 * row + 1];
        const int64_t at = row * D;
#pragma unroll
        for (int i = 0; i < N; i++) {
            int d = (32 * i + lane) * V;
            if (d >= D)
                continue;
            load<V>(w.x + at + d, c[i]);
            load<V>(w.dy + at + d, g[i]);
            if (w.accumulate)
                load<V>(w.dx + at + d, before[i]);
        }
#pragma unroll
        for (int i = 0; i < N; i++) {
            int d = (32 * i + lane) * V;
            float gamma[V];
            if (d >= D)
                continue;
            load<V>(w.gamma + d, gamma);
            for (int j = 0; j < V; j++) {
                c[i][j] = (c[i][j] - mean) * r;
                sum[0][i][j] += g[i][j] * c[i][j];
                sum[1][i][j] += g[i][j];
                g[i][j] *= gamma[j];
                a += g[i][j];
                b += g[i][j] * c[i][j];
            }
        }
        a = warp_sum(a) / (float)D;
        b = warp_sum(b) / (float)D;
#pragma unroll
        for (int i = 0; i < N; i++) {
            int d = (32 * i + lane) * V;
            if (d >= D)
                continue;
            for (int j = 0; j < V; j++) {
                g[i][j] = (g[i][j] - a - c[i][j] * b) * r + (w.accumulate ? before[i][j] : 0);
                sum[2][i][j] += g[i][j];
            }
            store<V>(w.dx + at + d, g[i]);
            if (w.copy)
                store<V>(w.copy + at + d, g[i]);
        }
    }
    for (int turn = 0; turn < warps; turn++) {
        if (turn == warp)
#pragma unroll
            for (int i = 0; i < 3 * N; i++) {
                int d = (32 * (i % N) + lane) * V;
                if (d >= D)
                    continue;
                for (int j = 0; j < V; j++)
                    all[i / N][d + j] = (turn ? all[i / N][d + j] : 0) + sum[i / N][i % N][j];
            }
        __syncthreads();
    }
    for (int i = threadIdx.x; i < 3 * D; i += 32 * warps)
        part[(int64_t)blockIdx.x * 3 * D + i] = all[i / D][i % D];
}

/* dx of a row of any length. */
template <typename DY, typename C> static __global__ void backward_long(backward<DY, C> w)
{
    const int64_t D = w.D, at = blockIdx.x * D;
    const float mean = w.stat[2 * (int64_t)blockIdx.x], r = w.stat[2 * (int64_t)blockIdx.x + 1];
    float a = 0, b = 0;
    for (int64_t d = threadIdx.x; d < D; d += blockDim.x) {
        float g = to_float(w.dy[at + d]) * w.gamma[d];
        a += g;
        b += g * ((w.x[at + d] - mean) * r);
    }
    a = block_sum(a) / (float)D;
    b = block_sum(b) / (float)D;
    for (int64_t d = threadIdx.x; d < D; d += blockDim.x) {
        float g = to_float(w.dy[at + d]) * w.gamma[d];
        g = (g - a - (w.x[at + d] - mean) * r * b) * r + (w.accumulate ? w.dx[at + d] : 0);
        w.dx[at + d] = g;
        if (w.copy)
            w.copy[at + d] = from_float<C>(g);
    }
}

/* The column sums that go with backward_long, for column_pass. */
template <typename DY, typename C> struct norm_columns {
    enum { values = 3 };
    backward<DY, C> w;
    __device__ void load(int64_t row, int64_t d, float *a) const
    {
        a[0] = (w.x[row * w.D + d] - w.stat[2 * row]) * w.stat[2 * row + 1];
        a[1] = to_float(w.dy[row * w.D + d]);
        a[2] = w.dx[row * w.D + d];
    }
    __device__ void use(int64_t, int64_t, const float *a, float *sum) const
    {
        sum[0] += a[0] * a[1];
        sum[1] += a[1];
        sum[2] += a[2];
    }
};

template <typename DY, typename C> static int backward_as(struct sjk *k, const backward<DY, C> &w)
{
    if (w.D > wide || w.D % V || !cuda_packs<V>(w.x) || !cuda_packs<V>(w.gamma) || !cuda_packs<V>(w.dy) ||
        !cuda_packs<V>(w.dx) || !cuda_packs<V>(w.copy)) {
        int status = CUDA_LAUNCH(k, (unsigned)w.M, row_threads(w.D), 0, (backward_long<DY, C>), w);
        const norm_columns<DY, C> f = {w};
        return status ? status : cuda_columns<1, 3>(k, w.M, w.D, f, w.dgamma, w.dbeta, w.dsum);
    }
    unsigned blocks = (unsigned)cuda_least(cuda_blocks(w.M, warps), backward_blocks);
    float *part = (float *)cuda_scratch(k, (size_t)(blocks * 3 * w.D) * sizeof *part);
    if (!part)
        return SJK_MEMORY;
#define ROWS(N) CUDA_LAUNCH(k, blocks, 32 * warps, 0, (backward_rows<DY, C, N>), w, part)
    int status = w.D <= 256 ? ROWS(2) : w.D <= 512 ? ROWS(4) : w.D <= 768 ? ROWS(6) : ROWS(8);
#undef ROWS
    return status ? status : cuda_add_sums(k, blocks, 3, w.D, part, w.dgamma, w.dbeta, w.dsum);
}

int cuda_layernorm_backward(struct sjk *k, int64_t M, int64_t D, const float *x, const float *gamma, const float *stat,
                            const void *dy, enum sjk_type dyt, float *dx, int accumulate, enum sjk_type ct,
                            void *dx_copy, float *dgamma, float *dbeta, float *dsum)
{
    if (M <= 0 || D <= 0)
        return 0;
#define AS(DY, C)                                                                                                    \
    backward_as<DY, C>(k, {M, D, x, gamma, stat, (const DY *)dy, dx, accumulate, (C *)dx_copy, dgamma, dbeta, dsum})
    if (dyt == SJK_BF16)
        return ct == SJK_BF16 ? AS(bf16, bf16) : AS(bf16, float);
    return ct == SJK_BF16 ? AS(float, bf16) : AS(float, float);
#undef AS
}
