/* objective_cuda: the losses and the norm of the gradient. Sums of many rows are taken in double. */
#include "device.h"

enum { warps = 4, wide = 1024, V = 4, sum_threads = 1024, most_parts = 4224 };
#define NORM_FLOOR 1e-12f
#define VARIANCE_EPS 1e-6f

static __device__ __forceinline__ float at_least(float x, float floor)
{
    return x < floor ? floor : x;
}

/* Length of a vector from its sum of squares, where that neither overflowed nor vanished. */
static __device__ __forceinline__ int length_is_good(float squares)
{
    return squares > 1e-20f && squares < 1e30f;
}

/* *total += part[0] + ... in an order that n alone sets. One block. */
static __global__ void add_parts(int64_t n, const double *__restrict__ part, double *__restrict__ total)
{
    double s = 0;
    for (int64_t i = threadIdx.x; i < n; i += sum_threads)
        s += part[i];
    s = block_sum(s);
    if (threadIdx.x == 0)
        *total += s;
}

/* What the threads of a row need to end it: from var = sum (t - mean)^2, dot = sum (t - mean) p and |p|. */
struct cosine {
    float cos, own, other, factor;
};

static __device__ __forceinline__ cosine cosine_of(float D, float var, float dot, float length, float scale)
{
    float r = 1 / sqrtf(var / (D - 1) + VARIANCE_EPS), a = 1 / at_least(length, NORM_FLOOR);
    float b = r / at_least(sqrtf(var) * r, NORM_FLOOR);
    cosine c;
    c.cos = dot * a * b;
    c.own = length < NORM_FLOOR ? 0 : a * c.cos;
    c.other = b;
    c.factor = -2 * scale * a;
    return c;
}

/* A warp a row, which stays in registers: N packs a lane. part: the warps' losses. */
template <int N>
static __global__ void __launch_bounds__(32 * warps)
    cosine_rows(int64_t M, int D, const float *__restrict__ p, const float *__restrict__ t, float scale,
                float *__restrict__ dp, double *__restrict__ part)
{
    const int lane = threadIdx.x % 32;
    const int64_t warp = (int64_t)blockIdx.x * warps + threadIdx.x / 32;
    double loss = 0;
    for (int64_t row = warp; row < M; row += (int64_t)gridDim.x * warps) {
        float x[N][V], y[N][V], sum = 0, var = 0, dot = 0, squares = 0;
#pragma unroll
        for (int i = 0; i < N; i++) {
            int d = (32 * i + lane) * V;
            if (d >= D)
                continue;
            load<V>(p + row * D + d, x[i]);
            load<V>(t + row * D + d, y[i]);
            for (int j = 0; j < V; j++)
                sum += y[i][j];
        }
        float mean = warp_sum(sum) / (float)D;
#pragma unroll
        for (int i = 0; i < N; i++) {
            if ((32 * i + lane) * V >= D)
                continue;
            for (int j = 0; j < V; j++) {
                y[i][j] -= mean;
                var += y[i][j] * y[i][j];
                dot += y[i][j] * x[i][j];
                squares += x[i][j] * x[i][j];
            }
        }
        squares = warp_sum(squares);
        float length = sqrtf(squares);
        if (!length_is_good(squares)) {
            double s = 0;
#pragma unroll
            for (int i = 0; i < N; i++) {
                if ((32 * i + lane) * V >= D)
                    continue;
                for (int j = 0; j < V; j++)
                    s += (double)x[i][j] * x[i][j];
            }
            length = (float)sqrt(warp_sum(s));
        }
        cosine c = cosine_of((float)D, warp_sum(var), warp_sum(dot), length, scale);
        loss += 2 - 2 * (double)c.cos;
#pragma unroll
        for (int i = 0; i < N; i++) {
            int d = (32 * i + lane) * V;
            if (d >= D || !dp)
                continue;
            for (int j = 0; j < V; j++)
                x[i][j] = (y[i][j] * c.other - x[i][j] * c.own) * c.factor;
            store<V>(dp + row * D + d, x[i]);
        }
    }
    if (lane == 0)
        part[warp] = loss;
}

/* A block a row of any length. */
static __global__ void cosine_long(int64_t D, const float *__restrict__ p, const float *__restrict__ t, float scale,
                                   float *__restrict__ dp, double *__restrict__ part)
{
    const int64_t at = blockIdx.x * D;
    float sum = 0, var = 0, dot = 0;
    double squares = 0;
    for (int64_t d = threadIdx.x; d < D; d += blockDim.x)
        sum += t[at + d];
    float mean = block_sum(sum) / (float)D;
    for (int64_t d = threadIdx.x; d < D; d += blockDim.x) {
        float y = t[at + d] - mean, x = p[at + d];
        var += y * y;
        dot += y * x;
        squares += (double)x * x;
    }
    squares = block_sum(squares);
    var = block_sum(var);
    cosine c = cosine_of((float)D, var, block_sum(dot), (float)sqrt(squares), scale);
    for (int64_t d = threadIdx.x; dp && d < D; d += blockDim.x)
        dp[at + d] = ((t[at + d] - mean) * c.other - p[at + d] * c.own) * c.factor;
    if (threadIdx.x == 0)
        part[blockIdx.x] = 2 - 2 * (double)c.cos;
}

int cuda_cosine_loss(struct sjk *k, int64_t M, int64_t D, const float *p, const float *t, float scale, double *loss,
                     float *dp)
{
    if (M <= 0 || D <= 0)
        return 0;
    int packs = D <= wide && D % V == 0 && cuda_packs<V>(p) && cuda_packs<V>(t) && cuda_packs<V>(dp);
    unsigned blocks = (unsigned)cuda_least(cuda_blocks(M, warps), most_parts / warps);
    int64_t parts = packs ? (int64_t)blocks * warps : M;
    double *part = (double *)cuda_scratch(k, (size_t)parts * sizeof *part);
    if (!part)
        return SJK_MEMORY;
    int status;
#define ROWS(N) CUDA_LAUNCH(k, blocks, 32 * warps, 0, cosine_rows<N>, M, (int)D, p, t, scale, dp, part)
    if (packs)
        status = D <= 256 ? ROWS(2) : D <= 512 ? ROWS(4) : D <= 768 ? ROWS(6) : ROWS(8);
    else
        status = CUDA_LAUNCH(k, (unsigned)M, row_threads(D), 0, cosine_long, D, p, t, scale, dp, part);
#undef ROWS
    return status ? status : CUDA_LAUNCH(k, 1, sum_threads, 0, add_parts, parts, (const double *)part, loss);
}

/* -- contrastive term ---------------------------------------------------------------------------------------------- */
/* unit[i] = 1 / |x_i|, one block a row. */
static __global__ void unit_rows(int64_t E, const float *__restrict__ x, float *__restrict__ length)
{
    double squares = 0;
    for (int64_t e = threadIdx.x; e < E; e += blockDim.x)
        squares += (double)x[blockIdx.x * E + e] * x[blockIdx.x * E + e];
    squares = block_sum(squares);
    if (threadIdx.x == 0)
        length[blockIdx.x] = (float)sqrt(squares);
}

struct contrast {
    int64_t B, E;
    const float *p, *t;
    const int32_t *group;
    float temperature, scale;
    const float *p_length, *t_length;
    float *q; /* (B, B): logits, then what multiplies t_j in the gradient */
    double *loss; /* (B) */
    float *dp;
};

/* A warp a logit. */
static __global__ void contrast_logits(contrast c)
{
    int64_t at = (int64_t)blockIdx.x * warps + threadIdx.x / 32, i = at / c.B, j = at % c.B;
    float dot = 0;
    if (i >= c.B)
        return;
    if (j != i && c.group[j] == c.group[i]) {
        if (threadIdx.x % 32 == 0)
            c.q[i * c.B + j] = -INFINITY;
        return;
    }
    for (int64_t e = threadIdx.x % 32; e < c.E; e += 32)
        dot += c.p[i * c.E + e] * c.t[j * c.E + e];
    dot = warp_sum(dot);
    if (threadIdx.x % 32 == 0)
        c.q[i * c.B + j] =
            dot / at_least(c.p_length[i], NORM_FLOOR) / at_least(c.t_length[j], NORM_FLOOR) / c.temperature;
}

static __device__ float block_max(float x)
{
    __shared__ float part[32];
#pragma unroll
    for (int n = 16; n; n /= 2)
        x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, n));
    __syncthreads();
    if (threadIdx.x % 32 == 0)
        part[threadIdx.x / 32] = x;
    __syncthreads();
    for (unsigned i = 0; i < blockDim.x / 32; i++)
        x = fmaxf(x, part[i]);
    return x;
}

/* A block a row: softmax, loss, and the gradient. NaN logits leave the largest alone and make the sum NaN. */
static __global__ void contrast_rows(contrast c)
{
    const int64_t i = blockIdx.x;
    const float length = c.p_length[i], a = 1 / at_least(length, NORM_FLOOR);
    float *q = c.q + i * c.B, top = -INFINITY, own = q[i], along = 0;
    double sum = 0;
    for (int64_t j = threadIdx.x; j < c.B; j += blockDim.x)
        top = fmaxf(top, q[j]);
    top = block_max(top);
    for (int64_t j = threadIdx.x; j < c.B; j += blockDim.x)
        sum += exp((double)q[j] - top);
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        c.loss[i] = log(sum) + top - own;
    if (!c.dp)
        return;
    for (int64_t j = threadIdx.x; j < c.B; j += blockDim.x)
        q[j] = (float)((exp((double)q[j] - top) / sum - (j == i)) / c.temperature) /
               at_least(c.t_length[j], NORM_FLOOR);
    __syncthreads();
    for (int64_t e = threadIdx.x; e < c.E; e += blockDim.x) {
        float g = 0;
        for (int64_t j = 0; j < c.B; j++)
            g += q[j] * c.t[j * c.E + e];
        along += g * c.p[i * c.E + e];
        c.dp[i * c.E + e] = g;
    }
    along = block_sum(along) * a * a;
    along = length < NORM_FLOOR ? 0 : along;
    for (int64_t e = threadIdx.x; e < c.E; e += blockDim.x)
        c.dp[i * c.E + e] = c.scale * a * (c.dp[i * c.E + e] - c.p[i * c.E + e] * along);
}

int cuda_infonce(struct sjk *k, int64_t B, int64_t E, const float *p, const float *t, const int32_t *group,
                 float temperature, float scale, double *loss, float *dp)
{
    if (B <= 0 || E <= 0)
        return 0;
    double *room = (double *)cuda_scratch(k, (size_t)B * (sizeof *room + (size_t)(2 + B) * sizeof(float)));
    if (!room)
        return SJK_MEMORY;
    float *p_length = (float *)(room + B), *t_length = p_length + B;
    const contrast c = {B, E, p, t, group, temperature, scale, p_length, t_length, t_length + B, room, dp};
    int status = CUDA_LAUNCH(k, (unsigned)B, row_threads(E), 0, unit_rows, E, p, p_length);
    if (!status)
        status = CUDA_LAUNCH(k, (unsigned)B, row_threads(E), 0, unit_rows, E, t, t_length);
    if (!status)
        status = CUDA_LAUNCH(k, cuda_blocks(B * B, warps), 32 * warps, 0, contrast_logits, c);
    if (!status)
        status = CUDA_LAUNCH(k, (unsigned)B, row_threads(E), 0, contrast_rows, c);
    return status ? status : CUDA_LAUNCH(k, 1, sum_threads, 0, add_parts, B, (const double *)room, loss);
}

/* -- the norm of the gradient -------------------------------------------------------------------------------------- */
static __global__ void square_parts(int64_t n, const float *__restrict__ x, double *__restrict__ part, int packs)
{
    const int64_t step = (int64_t)gridDim.x * blockDim.x, first = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    double s = 0;
#pragma unroll 4
    for (int64_t i = first; i < (packs ? n / V : 0); i += step) {
        float v[V];
        load<V>(x + i * V, v);
        for (int j = 0; j < V; j++)
            s += (double)v[j] * v[j];
    }
    for (int64_t i = (packs ? n / V * V : 0) + first; i < n; i += step)
        s += (double)x[i] * x[i];
    s = block_sum(s);
    if (threadIdx.x == 0)
        part[blockIdx.x] = s;
}

int cuda_sum_squares(struct sjk *k, size_t n, const float *x, double *sum)
{
    enum { threads = 256, most_blocks = 1056 };
    int64_t count = (int64_t)n, blocks = cuda_least(cuda_blocks(count, threads * V), most_blocks);
    if (!n)
        return 0;
    double *part = (double *)cuda_scratch(k, (size_t)blocks * sizeof *part);
    if (!part)
        return SJK_MEMORY;
    int status = CUDA_LAUNCH(k, (unsigned)blocks, threads, 0, square_parts, count, x, part, cuda_packs<V>(x));
    return status ? status : CUDA_LAUNCH(k, 1, sum_threads, 0, add_parts, blocks, (const double *)part, sum);
}
