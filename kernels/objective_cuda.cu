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
/* Both sides, p and t: their centred units (B, E), and lengths before (B). */
struct contrast {
    int64_t B, E;
    struct sjk_contrast c;
    const float *x[2];
    float *unit[2], *length[2], *dx[2];
    float *q;    /* (B, B): logits, then their gradient */
    double *top; /* (2, B): the largest of a row and of a column */
    double *sum; /* (2, B): of e^(logit - top) */
    double *loss, *hit; /* (2, B), (B) */
};

/* A block a row of one side. */
static __global__ void contrast_units(contrast s)
{
    const float *x = s.x[blockIdx.y] + blockIdx.x * s.E;
    float *u = s.unit[blockIdx.y] + blockIdx.x * s.E;
    double sum = 0, squares = 0;
    for (int64_t e = threadIdx.x; e < s.E; e += blockDim.x)
        sum += x[e];
    float mean = (float)(block_sum(sum) / (double)s.E);
    for (int64_t e = threadIdx.x; e < s.E; e += blockDim.x) {
        double y = x[e] - mean;
        squares += y * y;
    }
    float length = (float)sqrt(block_sum(squares)), a = 1 / at_least(length, NORM_FLOOR);
    for (int64_t e = threadIdx.x; e < s.E; e += blockDim.x)
        u[e] = (x[e] - mean) * a;
    if (threadIdx.x == 0)
        s.length[blockIdx.y][blockIdx.x] = length;
}

/* A warp a logit. */
static __global__ void contrast_logits(contrast s)
{
    int64_t at = (int64_t)blockIdx.x * warps + threadIdx.x / 32, i = at / s.B, j = at % s.B;
    if (i >= s.B)
        return;
    const float *u = s.unit[0] + i * s.E, *v = s.unit[1] + j * s.E;
    int apart = s.c.class_of && s.c.class_of[i] != s.c.class_of[j];
    float dot = 0;
    if (i != j && (s.c.group[i] == s.c.group[j] || (apart && !(s.c.other > 0)))) {
        if (threadIdx.x % 32 == 0)
            s.q[at] = -INFINITY;
        return;
    }
    for (int64_t e = threadIdx.x % 32; e < s.E; e += 32)
        dot += u[e] * v[e];
    dot = warp_sum(dot) / s.c.temperature;
    if (threadIdx.x % 32 == 0)
        s.q[at] = i != j && apart ? dot + logf(s.c.other) : dot;
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

/* A block a row (y 0) or a column. NaN logits leave the largest alone and make the sum NaN. */
static __global__ void contrast_sums(contrast s)
{
    const int64_t i = blockIdx.x, step = blockIdx.y ? s.B : 1, at = blockIdx.y * s.B + i;
    const float *q = s.q + (blockIdx.y ? i : i * s.B);
    float top = -INFINITY, own = q[i * step];
    double sum = 0;
    int below = 0;
    for (int64_t j = threadIdx.x; j < s.B; j += blockDim.x) {
        top = fmaxf(top, q[j * step]);
        below += q[j * step] < own;
    }
    top = block_max(top);
    below = block_sum(below);
    for (int64_t j = threadIdx.x; j < s.B; j += blockDim.x)
        sum += exp((double)q[j * step] - top);
    sum = block_sum(sum);
    if (threadIdx.x)
        return;
    s.top[at] = top;
    s.sum[at] = sum;
    s.loss[at] = (s.c.both ? 0.5 : 1) * (log(sum) + top - own);
    if (blockIdx.y == 0)
        s.hit[i] = below == s.B - 1;
}

/* The gradient of the logits, in their place. */
static __global__ void contrast_weights(contrast s)
{
    int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, i = at / s.B, j = at % s.B;
    if (i >= s.B)
        return;
    double q = s.q[at], g = exp(q - s.top[i]) / s.sum[i] - (i == j);
    if (s.c.both)
        g = 0.5 * (g + exp(q - s.top[s.B + j]) / s.sum[s.B + j] - (i == j));
    s.q[at] = (float)g;
}

/* A block a row of one side. */
static __global__ void contrast_gradient(contrast s)
{
    const int64_t i = blockIdx.x, side = blockIdx.y, step = side ? s.B : 1;
    const float *g = s.q + (side ? i : i * s.B), *u = s.unit[side] + i * s.E, *v = s.unit[!side];
    float *dx = s.dx[side], length = s.length[side][i], mean = 0, along = 0;
    if (!dx)
        return;
    dx += i * s.E;
    for (int64_t e = threadIdx.x; e < s.E; e += blockDim.x) {
        float d = 0;
        for (int64_t j = 0; j < s.B; j++)
            d += g[j * step] * v[j * s.E + e];
        mean += d;
        along += d * u[e];
        dx[e] = d;
    }
    mean = block_sum(mean) / (float)s.E;
    along = block_sum(along);
    along = length < NORM_FLOOR ? 0 : along;
    const float scale = s.c.scale / s.c.temperature / at_least(length, NORM_FLOOR);
    for (int64_t e = threadIdx.x; e < s.E; e += blockDim.x)
        dx[e] = scale * (dx[e] - mean - along * u[e]);
}

int cuda_infonce(struct sjk *k, int64_t B, int64_t E, const float *p, const float *t, const struct sjk_contrast *c,
                 double *sums, float *dp, float *dt)
{
    enum { threads = 256 };
    if (B <= 0 || E <= 0)
        return 0;
    size_t doubles = 7 * (size_t)B, floats = 2 * (size_t)(B * E + B) + (size_t)(B * B);
    double *room = (double *)cuda_scratch(k, doubles * sizeof(double) + floats * sizeof(float));
    if (!room)
        return SJK_MEMORY;
    float *f = (float *)(room + doubles);
    const contrast s = {B, E, *c, {p, t}, {f, f + B * E}, {f + 2 * B * E, f + 2 * B * E + B}, {dp, dt},
                        f + 2 * B * E + 2 * B, room, room + 2 * B, room + 4 * B, room + 6 * B};
    const dim3 sides((unsigned)B, 2), ways((unsigned)B, c->both ? 2 : 1);
    int status;
    (void)((status = CUDA_LAUNCH(k, sides, row_threads(E), 0, contrast_units, s)) ||
           (status = CUDA_LAUNCH(k, cuda_blocks(B * B, warps), 32 * warps, 0, contrast_logits, s)) ||
           (status = CUDA_LAUNCH(k, ways, row_threads(B), 0, contrast_sums, s)) ||
           (status = CUDA_LAUNCH(k, cuda_blocks(B * B, threads), threads, 0, contrast_weights, s)) ||
           (status = CUDA_LAUNCH(k, sides, row_threads(E), 0, contrast_gradient, s)) ||
           (status = CUDA_LAUNCH(k, 1, sum_threads, 0, add_parts, B * (c->both ? 2 : 1), (const double *)s.loss,
                                 sums)) ||
           (status = CUDA_LAUNCH(k, 1, sum_threads, 0, add_parts, B, (const double *)s.hit, sums + 1)));
    return status;
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
