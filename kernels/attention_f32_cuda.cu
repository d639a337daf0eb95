/* attention_f32_cuda: attention in f32, forward with running sums (Milakov & Gimelshein 2018), backward from the
 * forward's statistics: dq by blocks of queries, dk and dv by blocks of keys, so that nothing is added atomically.
 *
 * A block has 256 threads as 16 x 16 and works on tiles of 64 rows by 64: thread (y, x) has rows 4 y + i and columns
 * x + 16 j, i, j < 4. Outputs wider than 64 are made by several blocks, which repeat the scores. */
#include "device.h"

enum { side = 16, each = 4, tile = side * each, chunk = 16, threads = side * side };

/* Rows of E values `stride` apart; `rows` of them exist. */
struct rows_of {
    const float *p;
    int64_t stride, rows;
};

static __device__ __forceinline__ rows_of rows_from(rows_of x, int64_t first)
{
    rows_of r = {x.p + first * x.stride, x.stride, x.rows - first};
    return r;
}

/* Operands on their way through shared memory; `square` holds what thread tiles exchange. */
struct room {
    union {
        float pair[2][tile][chunk + 1];
        float wide[tile][tile + 1];
    };
    float square[tile][tile + 1];
};

/* sum = a b^T over E. Starts and ends with the room free to all. */
static __device__ void product_nt(room *w, rows_of a, rows_of b, int64_t E, float sum[each][each])
{
    const int y = threadIdx.x / side, x = threadIdx.x % side;
#pragma unroll
    for (int i = 0; i < each * each; i++)
        sum[i / each][i % each] = 0;
    for (int64_t e = 0; e < E; e += chunk) {
        for (int i = threadIdx.x; i < tile * chunk; i += threads) {
            int row = i / chunk, column = i % chunk, in = e + column < E;
            w->pair[0][row][column] = in && row < a.rows ? a.p[row * a.stride + e + column] : 0;
            w->pair[1][row][column] = in && row < b.rows ? b.p[row * b.stride + e + column] : 0;
        }
        __syncthreads();
#pragma unroll
        for (int d = 0; d < chunk; d++) {
            float u[each], v[each];
#pragma unroll
            for (int i = 0; i < each; i++) {
                u[i] = w->pair[0][each * y + i][d];
                v[i] = w->pair[1][x + side * i][d];
            }
#pragma unroll
            for (int i = 0; i < each * each; i++)
                sum[i / each][i % each] += u[i / each] * v[i % each];
        }
        __syncthreads();
    }
}

/* sum += t b, where t is the square of all threads' values and b has `columns` columns. Ends with the room free. */
static __device__ void product_nn(room *w, const float t[each][each], rows_of b, int64_t columns,
                                  float sum[each][each])
{
    const int y = threadIdx.x / side, x = threadIdx.x % side;
#pragma unroll
    for (int i = 0; i < each * each; i++)
        w->square[each * y + i / each][x + side * (i % each)] = t[i / each][i % each];
    for (int i = threadIdx.x; i < tile * tile; i += threads) {
        int row = i / tile, column = i % tile;
        w->wide[row][column] = row < b.rows && column < columns ? b.p[row * b.stride + column] : 0;
    }
    __syncthreads();
#pragma unroll 8
    for (int d = 0; d < tile; d++) {
        float u[each], v[each];
#pragma unroll
        for (int i = 0; i < each; i++) {
            u[i] = w->square[each * y + i][d];
            v[i] = w->wide[d][x + side * i];
        }
#pragma unroll
        for (int i = 0; i < each * each; i++)
            sum[i / each][i % each] += u[i / each] * v[i % each];
    }
    __syncthreads();
}

/* What a block works on: a head of a sample, its tile of rows, its slice of the output's columns. */
struct head {
    int64_t K, H, E, first, column, bh;
    rows_of q, k, v;
    int64_t qkv, out; /* where this head begins in tensors like qkv and like the output */
    float scale;
};

static __device__ __forceinline__ head head_of(int64_t K, int64_t H, int64_t E, const float *qkv)
{
    const int64_t tiles = (K + tile - 1) / tile, slices = (E + tile - 1) / tile, rest = blockIdx.x / tiles;
    head h;
    h.K = K;
    h.H = H;
    h.E = E;
    h.first = blockIdx.x % tiles * tile;
    h.column = rest % slices * tile;
    h.bh = rest / slices;
    h.qkv = h.bh / H * K * 3 * H * E + h.bh % H * E;
    h.out = h.bh / H * K * H * E + h.bh % H * E;
    h.q = rows_of{qkv + h.qkv, 3 * H * E, K};
    h.k = rows_of{h.q.p + H * E, 3 * H * E, K};
    h.v = rows_of{h.k.p + H * E, 3 * H * E, K};
    h.scale = 1 / sqrtf((float)E);
    return h;
}

/* The tile to rows of y, `stride` apart. */
static __device__ __forceinline__ void put_tile(head h, const float v[each][each], float *y, int64_t stride)
{
#pragma unroll
    for (int i = 0; i < each * each; i++) {
        int64_t row = h.first + each * (threadIdx.x / side) + i / each;
        int64_t column = h.column + threadIdx.x % side + side * (i % each);
        if (row < h.K && column < h.E)
            y[row * stride + column] = v[i / each][i % each];
    }
}

/* Scores of one tile of keys: their weights replace them, relative to the running largest score `top` of each row; the
 * sums so far are brought to it. A score of -inf weighs nothing, whatever the largest; NaN leaves the largest alone and
 * makes the sum NaN. */
static __device__ __forceinline__ void weigh(float s[each][each], float top[each], float sum[each],
                                             float out[each][each])
{
#pragma unroll
    for (int i = 0; i < each; i++) {
        float t = top[i];
#pragma unroll
        for (int j = 0; j < each; j++)
            t = fmaxf(t, s[i][j]);
#pragma unroll
        for (int n = side / 2; n; n /= 2)
            t = fmaxf(t, __shfl_xor_sync(0xffffffffu, t, n));
        float keep = t == top[i] ? 1 : expf(top[i] - t);
        top[i] = t;
        sum[i] *= keep;
#pragma unroll
        for (int j = 0; j < each; j++) {
            s[i][j] = s[i][j] == -INFINITY ? 0 : expf(s[i][j] - t);
            sum[i] += s[i][j];
            out[i][j] *= keep;
        }
    }
}

static __global__ void __launch_bounds__(threads)
    attention_forward(int64_t K, int64_t H, int64_t E, const float *__restrict__ qkv, float *__restrict__ out,
                      float *__restrict__ stat)
{
    __shared__ room w;
    const head h = head_of(K, H, E, qkv);
    const int y = threadIdx.x / side, x = threadIdx.x % side;
    float s[each][each], o[each][each] = {{0}}, sum[each] = {0}, top[each];
#pragma unroll
    for (int i = 0; i < each; i++)
        top[i] = -INFINITY;
    for (int64_t j = 0; j < K; j += tile) {
        product_nt(&w, rows_from(h.q, h.first), rows_from(h.k, j), E, s);
#pragma unroll
        for (int i = 0; i < each * each; i++)
            s[i / each][i % each] =
                j + x + side * (i % each) < K ? s[i / each][i % each] * h.scale : -INFINITY;
        weigh(s, top, sum, o);
        product_nn(&w, s, rows_from(rows_of{h.v.p + h.column, h.v.stride, K}, j), E - h.column, o);
    }
#pragma unroll
    for (int i = 0; i < each; i++) {
#pragma unroll
        for (int n = side / 2; n; n /= 2)
            sum[i] += __shfl_xor_sync(0xffffffffu, sum[i], n);
        int64_t row = h.first + each * y + i;
        if (stat && x == 0 && h.column == 0 && row < K)
            stat[h.bh * K + row] = sum[i] == 0 ? NAN : top[i] + logf(sum[i]);
#pragma unroll
        for (int j = 0; j < each; j++)
            o[i][j] /= sum[i];
    }
    put_tile(h, o, out + h.out, H * E);
}

/* delta (B, H, K) = sum over e of out dout, a warp a row. */
static __global__ void attention_delta(int64_t rows, int64_t K, int64_t H, int64_t E, const float *__restrict__ out,
                                       const float *__restrict__ dout, float *__restrict__ delta)
{
    int64_t row = ((int64_t)blockIdx.x * threads + threadIdx.x) / 32, bk = row / H, head = row % H;
    float sum = 0;
    if (row >= rows)
        return;
    for (int64_t e = threadIdx.x % 32; e < E; e += 32)
        sum += out[row * E + e] * dout[row * E + e];
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0)
        delta[(bk / K * H + head) * K + bk % K] = sum;
}

/* From a score and what `dout` makes of the key: the weight p, and the gradient of the score. */
static __device__ __forceinline__ void score_gradient(float s, float d, float scale, float stat, float delta,
                                                      int exists, float *p, float *g)
{
    *p = exists ? expf(s * scale - stat) : 0;
    *g = exists ? *p * (d - delta) * scale : 0;
}

static __global__ void __launch_bounds__(threads)
    attention_dq(int64_t K, int64_t H, int64_t E, const float *__restrict__ qkv, const float *__restrict__ stat,
                 const float *__restrict__ delta, const float *__restrict__ dout, float *__restrict__ dqkv)
{
    __shared__ room w;
    const head h = head_of(K, H, E, qkv);
    const rows_of d = {dout + h.out, H * E, K};
    const int y = threadIdx.x / side, x = threadIdx.x % side;
    float s[each][each], g[each][each], dq[each][each] = {{0}}, own_stat[each], own_delta[each];
#pragma unroll
    for (int i = 0; i < each; i++) {
        int64_t row = h.first + each * y + i;
        own_stat[i] = row < K ? stat[h.bh * K + row] : 0;
        own_delta[i] = row < K ? delta[h.bh * K + row] : 0;
    }
    for (int64_t j = 0; j < K; j += tile) {
        product_nt(&w, rows_from(h.q, h.first), rows_from(h.k, j), E, s);
        product_nt(&w, rows_from(d, h.first), rows_from(h.v, j), E, g);
#pragma unroll
        for (int i = 0; i < each * each; i++) {
            float *to = &g[i / each][i % each], p;
            score_gradient(s[i / each][i % each], *to, h.scale, own_stat[i / each], own_delta[i / each],
                           j + x + side * (i % each) < K, &p, to);
        }
        product_nn(&w, g, rows_from(rows_of{h.k.p + h.column, h.k.stride, K}, j), E - h.column, dq);
    }
    put_tile(h, dq, dqkv + h.qkv, 3 * H * E);
}

/* As attention_dq with rows and columns exchanged: a tile of keys, over all queries. */
static __global__ void __launch_bounds__(threads)
    attention_dkv(int64_t K, int64_t H, int64_t E, const float *__restrict__ qkv, const float *__restrict__ stat,
                  const float *__restrict__ delta, const float *__restrict__ dout, float *__restrict__ dqkv)
{
    __shared__ room w;
    const head h = head_of(K, H, E, qkv);
    const rows_of d = {dout + h.out, H * E, K};
    const int x = threadIdx.x % side;
    float s[each][each], g[each][each], dk[each][each] = {{0}}, dv[each][each] = {{0}};
    for (int64_t j = 0; j < K; j += tile) {
        product_nt(&w, rows_from(h.k, h.first), rows_from(h.q, j), E, s);
        product_nt(&w, rows_from(h.v, h.first), rows_from(d, j), E, g);
#pragma unroll
        for (int c = 0; c < each; c++) {
            int64_t query = j + x + side * c;
            float of_stat = query < K ? stat[h.bh * K + query] : 0, of_delta = query < K ? delta[h.bh * K + query] : 0;
#pragma unroll
            for (int i = 0; i < each; i++)
                score_gradient(s[i][c], g[i][c], h.scale, of_stat, of_delta, query < K, &s[i][c], &g[i][c]);
        }
        product_nn(&w, s, rows_from(rows_of{d.p + h.column, d.stride, K}, j), E - h.column, dv);
        product_nn(&w, g, rows_from(rows_of{h.q.p + h.column, h.q.stride, K}, j), E - h.column, dk);
    }
    put_tile(h, dk, dqkv + h.qkv + H * E, 3 * H * E);
    put_tile(h, dv, dqkv + h.qkv + 2 * H * E, 3 * H * E);
}

static unsigned grid_of(int64_t B, int64_t K, int64_t H, int64_t E)
{
    return cuda_blocks(K, tile) * cuda_blocks(E, tile) * (unsigned)(B * H);
}

int cuda_attention_f32(struct sjk *k, int64_t B, int64_t K, int64_t H, int64_t E, const float *qkv, float *out,
                       float *stat)
{
    if (B <= 0 || K <= 0 || H <= 0 || E <= 0)
        return 0;
    return CUDA_LAUNCH(k, grid_of(B, K, H, E), threads, 0, attention_forward, K, H, E, qkv, out, stat);
}

int cuda_attention_f32_backward(struct sjk *k, int64_t B, int64_t K, int64_t H, int64_t E, const float *qkv,
                                const float *out, const float *stat, const float *dout, float *dqkv)
{
    int64_t rows = B * K * H;
    if (rows <= 0 || E <= 0)
        return 0;
    float *delta = (float *)cuda_scratch(k, (size_t)rows * sizeof *delta);
    if (!delta)
        return SJK_MEMORY;
    int status = CUDA_LAUNCH(k, cuda_blocks(rows, threads / 32), threads, 0, attention_delta, rows, K, H, E, out, dout,
                             delta);
    if (!status)
        status = CUDA_LAUNCH(k, grid_of(B, K, H, E), threads, 0, attention_dq, K, H, E, qkv, stat,
                             (const float *)delta, dout, dqkv);
    return status ? status
                  : CUDA_LAUNCH(k, grid_of(B, K, H, E), threads, 0, attention_dkv, K, H, E, qkv, stat,
                                (const float *)delta, dout, dqkv);
}
