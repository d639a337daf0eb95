/* attention_cpu: one (batch, head) at a time on one thread, a block of query rows at a time, so that scores stay in the
 * core's own cache. bf16 is multiplied as such where the processor can, else widened to f32. */
#include "cpu_ops.h"
#include "tile.h"

#include <omp.h>

enum { query_block = 96 }; /* even, and a multiple of tile_rows */

/* The sizes of one head: K tokens of width E, in words and padded to vectors; `row` floats between rows of scores. */
struct head {
    int64_t K, E, stride; /* stride: elements between tokens of qkv */
    enum sjk_type t;
    int64_t ew, kp, ep, row;
    float scale;
};

static struct head head_sizes(int dp, int64_t K, int64_t H, int64_t E, enum sjk_type t)
{
    struct head h = {.K = K, .E = E, .stride = 3 * H * E, .t = t, .scale = 1 / sqrtf((float)E)};
    h.ew = tile_words(dp, E);
    h.kp = (K + VW - 1) / VW * VW;
    h.ep = (E + VW - 1) / VW * VW;
    h.row = h.kp + VW; /* rows a power of two apart would share cache sets */
    return h;
}

/* Takes n floats, whole vectors, from the thread's scratch. */
static float *take(float **room, int64_t n)
{
    float *p = *room;
    *room += (n + VW - 1) / VW * VW;
    return p;
}

/* e^((s - max) scale) over a row of K scores, the padding 0; returns the sum. With dp the values are good for bf16;
 * when narrow the row becomes bf16 in its own first half. */
SJK_INLINE float exponentials(int dp, int narrow, const struct head *h, float *s)
{
    vf top = vf_all(-INFINITY), sum = vf_all(0);
    int64_t whole = h->K / VW * VW;
    for (int64_t j = 0; j < whole; j += VW)
        top = vf_max(vf_load(s + j), top);
    if (whole < h->K)
        top = vf_max(vf_choose(vf_below(h->K - whole), vf_load(s + whole), vf_all(-INFINITY)), top);
    float scale = dp ? h->scale * 1.44269504f : h->scale, max = vf_top(top) * scale;
    for (int64_t j = 0; j < h->kp; j += VW) {
        vf x = vf_load(s + j) * scale - max, e = dp ? vf_exp2_bf16(x) : vf_exp(x);
        if (j == whole)
            e = vf_choose(vf_below(h->K - whole), e, vf_all(0));
        sum += e;
        vf_put(s, narrow ? SJK_BF16 : SJK_F32, j, VW, e);
    }
    return vf_sum(sum);
}

/* With dp: a row of values to bf16 pairs in its own first half. */
SJK_INLINE void narrow(int dp, const struct head *h, float *s)
{
    for (int64_t j = 0; dp && j < h->kp; j += VW)
        vf_put(s, SJK_BF16, j, VW, vf_load(s + j));
}

/* The forward pass of one head: q, and k and v behind it, and the output, `out_stride` between tokens. */
SJK_INLINE void forward(int dp, const struct head *h, const char *q, char *out, int64_t out_stride, float *room)
{
    size_t width = sjk_type_size(h->t), model = (size_t)(h->stride / 3) * width;
    float *kt = take(&room, h->ew * h->kp), *v = take(&room, tile_words(dp, h->K) * h->ep);
    float *s = take(&room, query_block * h->row), *o = take(&room, query_block * h->ep);
    float *a = take(&room, (h->K + query_block) * h->ew), sum[query_block];
    tile_along(dp, h->K, h->E, q + model, h->t, h->stride, a);
    tile_transpose(h->K, h->ew, a, kt, h->kp);
    tile_across(dp, h->K, h->E, q + 2 * model, h->t, h->stride, v, h->ep);
    for (int64_t first = 0; first < h->K; first += query_block) {
        int64_t rows = sjk_min(h->K - first, query_block);
        tile_along(dp, rows, h->E, q + (size_t)(first * h->stride) * width, h->t, h->stride, a);
        tile_multiply(dp, rows, h->kp, h->ew, (struct words){a, h->ew, 1}, kt, h->kp, s, h->row, 0);
        for (int64_t i = 0; i < rows; i++)
            sum[i] = 1 / exponentials(dp, dp, h, s + i * h->row);
        tile_multiply(dp, rows, h->ep, tile_words(dp, h->K), (struct words){s, h->row, 1}, v, h->ep, o, h->ep, 0);
        for (int64_t i = 0; i < rows; i++)
            for (int64_t e = 0; e < h->E; e += VW)
                vf_put(out + (size_t)((first + i) * out_stride) * width, h->t, e, h->E - e,
                       vf_load(o + i * h->ep + e) * sum[i]);
    }
}

/* Floats of scratch that forward and backward take. */
static int64_t forward_room(int dp, const struct head *h)
{
    return h->ew * h->kp + (tile_words(dp, h->K) + query_block) * h->ep + query_block * h->row +
           (h->K + query_block) * h->ew + 5 * VW;
}

static int64_t backward_room(int dp, const struct head *h)
{
    return 2 * h->ew * h->kp + (tile_words(dp, h->K) + 2 * h->K + 3 * query_block) * h->ep + 4 * query_block * h->row +
           (h->K + query_block) * h->ew + 11 * VW;
}

/* Words of two rows: pairs of bf16 (the first row's low). */
SJK_INLINE vf pair(vf low, vf high)
{
    vu a = __builtin_convertvector(vf_to_bf16(low), vu), b = __builtin_convertvector(vf_to_bf16(high), vu);
    return (vf)(b << 16 | a);
}

/* y (tile_words(rows), h->row): rows of values as words across them. In f32 nothing to do: returns x itself. */
SJK_INLINE float *across(int dp, const struct head *h, int64_t rows, float *x, float *y)
{
    if (!dp)
        return x;
    for (int64_t i = 0; i < rows; i += 2)
        for (int64_t j = 0; j < h->kp; j += VW) {
            vf high = i + 1 < rows ? vf_load(x + (i + 1) * h->row + j) : vf_all(0);
            vf_store(y + i / 2 * h->row + j, pair(vf_load(x + i * h->row + j), high));
        }
    return y;
}

/* g <- p (g - sum of p g) scale: the gradient of a row of scores. */
SJK_INLINE void score_gradient(const struct head *h, const float *p, float *g)
{
    vf dot = vf_all(0);
    for (int64_t j = 0; j < h->kp; j += VW) {
        vf x = vf_load(g + j);
        if (h->K - j < VW) {
            x = vf_choose(vf_below(h->K - j), x, vf_all(0));
            vf_store(g + j, x);
        }
        dot += x * vf_load(p + j);
    }
    float mean = vf_sum(dot);
    for (int64_t j = 0; j < h->kp; j += VW)
        vf_store(g + j, vf_load(p + j) * (vf_load(g + j) - mean) * h->scale);
}

/* rows of C (rows, ep) to the output. */
SJK_INLINE void rows_out(const struct head *h, int64_t rows, const float *c, char *y)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t e = 0; e < h->E; e += VW)
            vf_put(y, h->t, i * h->stride + e, h->E - e, vf_load(c + i * h->ep + e));
}

/* The backward pass of one head; dout has `out_stride` between tokens. */
SJK_INLINE void backward(int dp, const struct head *h, const char *q, const char *dout, int64_t out_stride, char *dq,
                         float *room)
{
    size_t width = sjk_type_size(h->t), model = (size_t)(h->stride / 3) * width;
    int64_t kw = tile_words(dp, h->K);
    float *kt = take(&room, h->ew * h->kp), *vt = take(&room, h->ew * h->kp), *k = take(&room, kw * h->ep);
    float *dk = take(&room, h->K * h->ep), *dv = take(&room, h->K * h->ep), *c = take(&room, query_block * h->ep);
    float *p = take(&room, query_block * h->row), *g = take(&room, query_block * h->row);
    float *pairs = take(&room, query_block * h->row), *x = take(&room, query_block * h->ep);
    float *a = take(&room, (h->K + query_block) * h->ew);
    tile_along(dp, h->K, h->E, q + model, h->t, h->stride, a);
    tile_transpose(h->K, h->ew, a, kt, h->kp);
    tile_across(dp, h->K, h->E, q + model, h->t, h->stride, k, h->ep);
    tile_along(dp, h->K, h->E, q + 2 * model, h->t, h->stride, a);
    tile_transpose(h->K, h->ew, a, vt, h->kp);
    for (int64_t first = 0; first < h->K; first += query_block) {
        int64_t rows = sjk_min(h->K - first, query_block), rw = tile_words(dp, rows);
        const char *qb = q + (size_t)(first * h->stride) * width, *ob = dout + (size_t)(first * out_stride) * width;
        tile_along(dp, rows, h->E, qb, h->t, h->stride, a);
        tile_multiply(dp, rows, h->kp, h->ew, (struct words){a, h->ew, 1}, kt, h->kp, p, h->row, 0);
        for (int64_t i = 0; i < rows; i++) {
            float *s = p + i * h->row, scale = 1 / exponentials(dp, 0, h, s);
            for (int64_t j = 0; j < h->kp; j += VW)
                vf_store(s + j, vf_load(s + j) * scale);
        }
        tile_along(dp, rows, h->E, ob, h->t, out_stride, a);
        tile_multiply(dp, rows, h->kp, h->ew, (struct words){a, h->ew, 1}, vt, h->kp, g, h->row, 0);
        tile_across(dp, rows, h->E, ob, h->t, out_stride, x, h->ep);
        float *pt = across(dp, h, rows, p, pairs);
        tile_multiply(dp, h->K, h->ep, rw, (struct words){pt, 1, h->row}, x, h->ep, dv, h->ep, first > 0);
        for (int64_t i = 0; i < rows; i++)
            score_gradient(h, p + i * h->row, g + i * h->row);
        tile_across(dp, rows, h->E, qb, h->t, h->stride, x, h->ep);
        float *gt = across(dp, h, rows, g, pairs);
        tile_multiply(dp, h->K, h->ep, rw, (struct words){gt, 1, h->row}, x, h->ep, dk, h->ep, first > 0);
        for (int64_t i = 0; i < rows; i++)
            narrow(dp, h, g + i * h->row);
        tile_multiply(dp, rows, h->ep, kw, (struct words){g, h->row, 1}, k, h->ep, c, h->ep, 0);
        rows_out(h, rows, c, dq + (size_t)(first * h->stride) * width);
    }
    rows_out(h, h->K, dk, dq + model);
    rows_out(h, h->K, dv, dq + 2 * model);
}

/* Whether values of type t are multiplied as bf16 pairs. */
static int pairs_of(enum sjk_type t)
{
#if defined(__AVX512BF16__)
    return t == SJK_BF16;
#else
    (void)t;
    return 0;
#endif
}

/* One head each way, out of line for either kind of word. */
static void head_f32(const struct head *h, const char *q, const char *dout, char *out, int64_t out_stride, float *room)
{
    if (dout)
        backward(0, h, q, dout, out_stride, out, room);
    else
        forward(0, h, q, out, out_stride, room);
}

static void head_pairs(const struct head *h, const char *q, const char *dout, char *out, int64_t out_stride,
                       float *room)
{
#if defined(__AVX512BF16__)
    if (dout)
        backward(1, h, q, dout, out_stride, out, room);
    else
        forward(1, h, q, out, out_stride, room);
#else
    head_f32(h, q, dout, out, out_stride, room);
#endif
}

/* All heads: the output of the forward pass or, with dout, dqkv. */
static int heads(struct sjk *k, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const void *qkv,
                 const void *dout, void *out)
{
    if (B <= 0 || K <= 0 || H <= 0 || E <= 0)
        return 0;
    int dp = pairs_of(t);
    struct head h = head_sizes(dp, K, H, E, t);
    int64_t D = H * E, room = dout ? backward_room(dp, &h) : forward_room(dp, &h);
    size_t width = sjk_type_size(t);
    float *scratch = sjk_scratch(k, (size_t)(room + VW) * sizeof *scratch * (size_t)k->threads);
    if (!scratch)
        return SJK_MEMORY;
#pragma omp parallel for schedule(dynamic, 1) num_threads(sjk_team(k, B *H *K *K))
    for (int64_t i = 0; i < B * H; i++) {
        int64_t b = i / H, e = i % H * E, wide = b * K * 3 * D + e, narrow_at = b * K * D + e;
        const char *q = (const char *)qkv + (size_t)wide * width;
        const char *d = dout ? (const char *)dout + (size_t)narrow_at * width : NULL;
        char *y = (char *)out + (size_t)(dout ? wide : narrow_at) * width;
        float *own = scratch + (int64_t)omp_get_thread_num() * (room / VW + 1) * VW;
        if (dp)
            head_pairs(&h, q, d, y, D, own);
        else
            head_f32(&h, q, d, y, D, own);
    }
    return 0;
}

int cpu_attention(struct sjk *k, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const void *qkv,
                  void *out)
{
    return heads(k, B, K, H, E, t, qkv, NULL, out);
}

int cpu_attention_backward(struct sjk *k, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const void *qkv,
                           const void *dout, void *dqkv)
{
    return heads(k, B, K, H, E, t, qkv, dout, dqkv);
}
