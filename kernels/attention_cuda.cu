/* attention: f32 goes to our own kernels, bf16 to cuDNN, and what cuDNN does not take (heads that are no multiple of 8
 * or over 128, single tokens, odd addresses) to the kernels here: a warp for each row, sums in f32, slow. */
#include "sdpa_cuda.h"

enum { lanes = 32, warps = 4, each = 4, chunk = lanes * each }; /* of the head's width at a time, each by a lane */

/* One (batch, head): rows of q, k, v are 3 D apart, those of out and dout D. */
struct head {
    const __nv_bfloat16 *q, *k, *v, *out, *dout;
    const float *stat;
    int64_t K, E, D, at, row; /* at: where it begins in (B, K, H, E); row: the warp's */
    float scale;
    int lane;
};

struct problem {
    int64_t B, K, H, E;
    float scale;
    const __nv_bfloat16 *qkv, *out, *dout;
    const float *stat;
};

/* 0 when the warp has no row. */
static __device__ int find_head(const struct problem *p, struct head *h)
{
    int64_t warp = (int64_t)blockIdx.x * warps + threadIdx.x / lanes, D = p->H * p->E;
    if (warp >= p->B * p->H * p->K)
        return 0;
    int64_t b = warp / (p->H * p->K), head = warp / p->K % p->H;
    h->row = warp % p->K;
    h->lane = (int)(threadIdx.x % lanes);
    h->K = p->K;
    h->E = p->E;
    h->D = D;
    h->at = b * p->K * D + head * p->E;
    h->scale = p->scale;
    h->q = p->qkv + b * p->K * 3 * D + head * p->E;
    h->k = h->q + D;
    h->v = h->q + 2 * D;
    h->out = p->out ? p->out + h->at : NULL;
    h->dout = p->dout ? p->dout + h->at : NULL;
    h->stat = p->stat ? p->stat + (b * p->H + head) * p->K : NULL;
    return 1;
}

static __device__ float dot(const struct head *h, const __nv_bfloat16 *a, const __nv_bfloat16 *b)
{
    float sum = 0;
    for (int64_t e = 0; e < h->E; e++)
        sum += __bfloat162float(a[e]) * __bfloat162float(b[e]);
    return sum;
}

static __device__ float score(const struct head *h, int64_t i, int64_t j)
{
    return h->scale * dot(h, h->q + i * 3 * h->D, h->k + j * 3 * h->D);
}

/* sum += the weights of the lanes times as many rows (from `row` on, `step` apart), for the lane's part of the chunk of
 * the width that begins at `first`. */
static __device__ void add_rows(const struct head *h, int rows, float weight, const __nv_bfloat16 *row, int64_t step,
                                int64_t first, float *sum)
{
    for (int n = 0; n < rows; n++, row += step) {
        float w = __shfl_sync(0xffffffffu, weight, n);
        for (int i = 0; i < each; i++) {
            int64_t e = first + i * lanes + h->lane;
            sum[i] += e < h->E ? w * __bfloat162float(row[e]) : 0;
        }
    }
}

static __device__ void store_row(const struct head *h, const float *sum, float factor, int64_t first,
                                 __nv_bfloat16 *row)
{
    for (int i = 0; i < each; i++) {
        int64_t e = first + i * lanes + h->lane;
        if (e < h->E)
            row[e] = __float2bfloat16_rn(sum[i] * factor);
    }
}

static __device__ int rows_left(const struct head *h, int64_t from)
{
    return h->K - from < lanes ? (int)(h->K - from) : (int)lanes;
}

static __global__ void attention_rows(struct problem p, __nv_bfloat16 *out, float *stat)
{
    struct head h;
    if (!find_head(&p, &h))
        return;
    float top = -INFINITY, total = 0;
    for (int64_t j = h.lane; j < h.K; j += lanes) {
        float s = score(&h, h.row, j);
        top = s > top ? s : top;
    }
    for (int n = lanes / 2; n; n /= 2) {
        float other = __shfl_xor_sync(0xffffffffu, top, n);
        top = other > top ? other : top;
    }
    for (int64_t j = h.lane; j < h.K; j += lanes)
        total += expf(score(&h, h.row, j) - top);
    for (int n = lanes / 2; n; n /= 2)
        total += __shfl_xor_sync(0xffffffffu, total, n);
    for (int64_t first = 0; first < h.E; first += chunk) {
        float sum[each] = {};
        for (int64_t j = 0; j < h.K; j += lanes) {
            float w = h.lane < rows_left(&h, j) ? expf(score(&h, h.row, j + h.lane) - top) : 0;
            add_rows(&h, rows_left(&h, j), w, h.v + j * 3 * h.D, 3 * h.D, first, sum);
        }
        store_row(&h, sum, 1 / total, first, out + h.at + h.row * h.D);
    }
    if (stat && h.lane == 0)
        stat[(int64_t)blockIdx.x * warps + threadIdx.x / lanes] = top + logf(total);
}

/* The gradient of score (i, j) before the scale, and its probability. */
static __device__ float score_gradient(const struct head *h, int64_t i, int64_t j, float *probability)
{
    const __nv_bfloat16 *dout = h->dout + i * h->D;
    *probability = expf(score(h, i, j) - h->stat[i]);
    return *probability * (dot(h, dout, h->v + j * 3 * h->D) - dot(h, dout, h->out + i * h->D)) * h->scale;
}

static __global__ void attention_backward_rows(struct problem p, __nv_bfloat16 *dqkv)
{
    struct head h;
    if (!find_head(&p, &h))
        return;
    __nv_bfloat16 *to = dqkv + (h.q - p.qkv) + h.row * 3 * h.D;
    for (int64_t first = 0; first < h.E; first += chunk) {
        float dq[each] = {}, dk[each] = {}, dv[each] = {};
        for (int64_t j = 0; j < h.K; j += lanes) {
            float g = 0, w = 0;
            int rows = rows_left(&h, j);
            if (h.lane < rows)
                g = score_gradient(&h, h.row, j + h.lane, &w);
            add_rows(&h, rows, g, h.k + j * 3 * h.D, 3 * h.D, first, dq);
            if (h.lane < rows)
                g = score_gradient(&h, j + h.lane, h.row, &w);
            add_rows(&h, rows, g, h.q + j * 3 * h.D, 3 * h.D, first, dk);
            add_rows(&h, rows, w, h.dout + j * h.D, h.D, first, dv);
        }
        store_row(&h, dq, 1, first, to);
        store_row(&h, dk, 1, first, to + h.D);
        store_row(&h, dv, 1, first, to + 2 * h.D);
    }
}

static int set_up(struct sjk *k, struct problem *p, int64_t B, int64_t K, int64_t H, int64_t E, const void *qkv,
                   unsigned *blocks)
{
    int64_t n = (B * H * K + warps - 1) / warps;
    if (n > INT32_MAX)
        return sjk_fail(k, SJK_BAD, "attention over %lld rows is too large", (long long)(B * H * K));
    memset(p, 0, sizeof *p);
    p->B = B;
    p->K = K;
    p->H = H;
    p->E = E;
    p->scale = 1 / sqrtf((float)E);
    p->qkv = (const __nv_bfloat16 *)qkv;
    *blocks = (unsigned)n;
    return 0;
}

int cuda_attention(struct sjk *k, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const void *qkv,
                   void *out, float *stat)
{
    struct problem p;
    unsigned blocks = 0;
    if (t == SJK_F32)
        return cuda_attention_f32(k, B, K, H, E, (const float *)qkv, (float *)out, stat);
    if (B <= 0 || K <= 0 || H <= 0 || E <= 0)
        return 0;
    int status = cuda_sdpa(k, B, K, H, E, qkv, out, stat);
    if (status != CUDA_SDPA_NONE)
        return status;
    status = set_up(k, &p, B, K, H, E, qkv, &blocks);
    return status ? status
                  : CUDA_LAUNCH(k, blocks, warps * lanes, 0, attention_rows, p, (__nv_bfloat16 *)out, stat);
}

int cuda_attention_backward(struct sjk *k, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const void *qkv,
                            const void *out, const float *stat, const void *dout, void *dqkv)
{
    struct problem p;
    unsigned blocks = 0;
    if (t == SJK_F32)
        return cuda_attention_f32_backward(k, B, K, H, E, (const float *)qkv, (const float *)out, stat,
                                           (const float *)dout, (float *)dqkv);
    if (B <= 0 || K <= 0 || H <= 0 || E <= 0)
        return 0;
    int status = cuda_sdpa_backward(k, B, K, H, E, qkv, out, stat, dout, dqkv);
    if (status != CUDA_SDPA_NONE)
        return status;
    status = set_up(k, &p, B, K, H, E, qkv, &blocks);
    if (status)
        return status;
    p.out = (const __nv_bfloat16 *)out;
    p.dout = (const __nv_bfloat16 *)dout;
    p.stat = stat;
    return CUDA_LAUNCH(k, blocks, warps * lanes, 0, attention_backward_rows, p, (__nv_bfloat16 *)dqkv);
}
