/* attention_cpu: one (batch, head) at a time on one thread, a block of query rows at a time, so that scores stay in the
 * core's own cache. bf16 is multiplied as such where the processor can, else widened to f32. */
#include "cpu_ops.h"
#include "tile.h"

#include <omp.h>

enum { query_block = 96 }; /* even, and a multiple of tile_rows */
static const float log2e = 1.44269504f;

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

/* The operands of one head. qkv and dqkv have `stride` elements between tokens, out and dout `out_stride`. */
struct operands {
    const char *qkv, *dout;
    char *out, *dqkv; /* out is read on the way back */
    float *stat;      /* (K) or NULL */
    int64_t out_stride;
};

/* Takes n floats, whole vectors, from the thread's scratch. */
static float *take(float **room, int64_t n)
{
    float *p = *room;
    *room += (n + VW - 1) / VW * VW;
    return p;
}

/* Asks for the E values of `rows` tokens ahead of their use: they lie too far apart for the processor to foresee. */
SJK_INLINE void fetch(const struct head *h, int64_t rows, const char *x, int64_t stride)
{
    size_t width = sjk_type_size(h->t), bytes = (size_t)h->E * width;
    for (int64_t i = 0; i < rows; i++)
        for (size_t at = 0; at < bytes; at += 64)
            __builtin_prefetch(x + (size_t)(i * stride) * width + at, 0, 2);
}

/* e^((s - max) scale) over a row of K scores, the padding 0; returns the sum, with *stat (when not NULL) its logarithm plus the max.
 * With dp the values are good for bf16, and the row becomes bf16 in its own first half. */
SJK_INLINE float exponentials(int dp, const struct head *h, float *s, float *stat)
{
    vf top = vf_all(-INFINITY), sums = vf_all(0);
    int64_t whole = h->K / VW * VW;
    for (int64_t j = 0; j < whole; j += VW)
        top = vf_max(vf_load(s + j), top);
    if (whole < h->K)
        top = vf_max(vf_choose(vf_below(h->K - whole), vf_load(s + whole), vf_all(-INFINITY)), top);
    float scale = dp ? h->scale * log2e : h->scale, max = vf_top(top) * scale;
    for (int64_t j = 0; j < h->kp; j += VW) {
        vf x = vf_load(s + j) * scale - max, e = dp ? vf_exp2_bf16(x) : vf_exp(x);
        if (j == whole)
            e = vf_choose(vf_below(h->K - whole), e, vf_all(0));
        sums += e;
        vf_put(s, dp ? SJK_BF16 : SJK_F32, j, VW, e);
    }
    float sum = vf_sum(sums);
    if (stat)
        *stat = (dp ? max / log2e : max) + logf(sum);
    return sum;
}

/* With dp: a row of values to bf16 pairs in its own first half. */
SJK_INLINE void narrow(int dp, const struct head *h, float *s)
{
    for (int64_t j = 0; dp && j < h->kp; j += VW)
        vf_put(s, SJK_BF16, j, VW, vf_load(s + j));
}

/* The forward pass of one head. */
SJK_INLINE void forward(int dp, const struct head *h, const struct operands *io, float *room)
{
    size_t width = sjk_type_size(h->t), model = (size_t)(h->stride / 3) * width;
    const char *q = io->qkv;
    float *kt = take(&room, h->ew * h->kp), *v = take(&room, tile_words(dp, h->K) * h->ep);
    float *s = take(&room, query_block * h->row), *o = take(&room, query_block * h->ep);
    float *a = take(&room, (h->K + query_block) * h->ew), sum[query_block];
    fetch(h, h->K, q + model, h->stride);
    fetch(h, h->K, q + 2 * model, h->stride);
    tile_along(dp, h->K, h->E, q + model, h->t, h->stride, a);
    tile_transpose(h->K, h->ew, a, kt, h->kp);
    fetch(h, h->K, q, h->stride);
    tile_across(dp, h->K, h->E, q + 2 * model, h->t, h->stride, v, h->ep);
    for (int64_t first = 0; first < h->K; first += query_block) {
        int64_t rows = sjk_min(h->K - first, query_block);
        tile_along(dp, rows, h->E, q + (size_t)(first * h->stride) * width, h->t, h->stride, a);
        tile_multiply(dp, rows, h->kp, h->ew, (struct words){a, h->ew, 1}, kt, h->kp, s, h->row, 0);
        for (int64_t i = 0; i < rows; i++)
            sum[i] = 1 / exponentials(dp, h, s + i * h->row, io->stat ? io->stat + first + i : NULL);
        tile_multiply(dp, rows, h->ep, tile_words(dp, h->K), (struct words){s, h->row, 1}, v, h->ep, o, h->ep, 0);
        for (int64_t i = 0; i < rows; i++)
            for (int64_t e = 0; e < h->E; e += VW)
                vf_put(io->out + (size_t)((first + i) * io->out_stride) * width, h->t, e, h->E - e,
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

/* The sum of x y over the E values of one token. */
SJK_INLINE float token_dot(const struct head *h, const char *x, const char *y)
{
    vf sum = vf_all(0);
    for (int64_t e = 0; e < h->E; e += VW)
        sum += vf_get(x, h->t, e, h->E - e) * vf_get(y, h->t, e, h->E - e);
    return vf_sum(sum);
}

/* A row of scores p becomes probabilities, and their gradient g that of the scores: p (g - dot) scale. dot: the sum of
 * p g over the row, which is that of the output and its gradient. */
SJK_INLINE void score_gradient(int dp, const struct head *h, float stat, float dot, float *p, float *g)
{
    float scale = dp ? h->scale * log2e : h->scale;
    stat = dp ? stat * log2e : stat;
    for (int64_t j = 0; j < h->kp; j += VW) {
        vf x = vf_load(p + j) * scale - stat, e = dp ? vf_exp2_bf16(x) : vf_exp(x);
        vf d = e * (vf_load(g + j) - dot) * h->scale;
        if (h->K - j < VW) {
            e = vf_choose(vf_below(h->K - j), e, vf_all(0));
            d = vf_choose(vf_below(h->K - j), d, vf_all(0));
        }
        vf_store(p + j, e);
        vf_store(g + j, d);
    }
}

/* rows of C (rows, ep) to the output. */
SJK_INLINE void rows_out(const struct head *h, int64_t rows, const float *c, char *y)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t e = 0; e < h->E; e += VW)
            vf_put(y, h->t, i * h->stride + e, h->E - e, vf_load(c + i * h->ep + e));
}

/* The backward pass of one head. */
SJK_INLINE void backward(int dp, const struct head *h, const struct operands *io, float *room)
{
    size_t width = sjk_type_size(h->t), model = (size_t)(h->stride / 3) * width;
    int64_t kw = tile_words(dp, h->K);
    const char *q = io->qkv;
    float *kt = take(&room, h->ew * h->kp), *vt = take(&room, h->ew * h->kp), *k = take(&room, kw * h->ep);
    float *dk = take(&room, h->K * h->ep), *dv = take(&room, h->K * h->ep), *c = take(&room, query_block * h->ep);
    float *p = take(&room, query_block * h->row), *g = take(&room, query_block * h->row);
    float *pairs = take(&room, query_block * h->row), *x = take(&room, query_block * h->ep);
    float *a = take(&room, (h->K + query_block) * h->ew);
    fetch(h, h->K, q + model, h->stride);
    fetch(h, h->K, q + 2 * model, h->stride);
    tile_along(dp, h->K, h->E, q + model, h->t, h->stride, a);
    tile_transpose(h->K, h->ew, a, kt, h->kp);
    fetch(h, h->K, q, h->stride);
    tile_across(dp, h->K, h->E, q + model, h->t, h->stride, k, h->ep);
    tile_along(dp, h->K, h->E, q + 2 * model, h->t, h->stride, a);
    tile_transpose(h->K, h->ew, a, vt, h->kp);
    for (int64_t first = 0; first < h->K; first += query_block) {
        int64_t rows = sjk_min(h->K - first, query_block), rw = tile_words(dp, rows);
        size_t at = (size_t)(first * io->out_stride) * width;
        const char *qb = q + (size_t)(first * h->stride) * width, *ob = io->dout + at;
        fetch(h, rows, ob, io->out_stride);
        fetch(h, rows, io->out + at, io->out_stride);
        tile_along(dp, rows, h->E, qb, h->t, h->stride, a);
        tile_multiply(dp, rows, h->kp, h->ew, (struct words){a, h->ew, 1}, kt, h->kp, p, h->row, 0);
        tile_along(dp, rows, h->E, ob, h->t, io->out_stride, a);
        tile_multiply(dp, rows, h->kp, h->ew, (struct words){a, h->ew, 1}, vt, h->kp, g, h->row, 0);
        for (int64_t i = 0; i < rows; i++) {
            size_t token = (size_t)(i * io->out_stride) * width;
            score_gradient(dp, h, io->stat[first + i], token_dot(h, io->out + at + token, ob + token), p + i * h->row,
                           g + i * h->row);
        }
        tile_across(dp, rows, h->E, ob, h->t, io->out_stride, x, h->ep);
        float *pt = across(dp, h, rows, p, pairs);
        tile_multiply(dp, h->K, h->ep, rw, (struct words){pt, 1, h->row}, x, h->ep, dv, h->ep, first > 0);
        tile_across(dp, rows, h->E, qb, h->t, h->stride, x, h->ep);
        float *gt = across(dp, h, rows, g, pairs);
        tile_multiply(dp, h->K, h->ep, rw, (struct words){gt, 1, h->row}, x, h->ep, dk, h->ep, first > 0);
        for (int64_t i = 0; i < rows; i++)
            narrow(dp, h, g + i * h->row);
        tile_multiply(dp, rows, h->ep, kw, (struct words){g, h->row, 1}, k, h->ep, c, h->ep, 0);
        rows_out(h, rows, c, io->dqkv + (size_t)(first * h->stride) * width);
    }
    rows_out(h, h->K, dk, io->dqkv + model);
    rows_out(h, h->K, dv, io->dqkv + 2 * model);
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
static void head_f32(const struct head *h, const struct operands *io, float *room)
{
    if (io->dout)
        backward(0, h, io, room);
    else
        forward(0, h, io, room);
}

static void head_pairs(const struct head *h, const struct operands *io, float *room)
{
#if defined(__AVX512BF16__)
    if (io->dout)
        backward(1, h, io, room);
    else
        forward(1, h, io, room);
#else
    head_f32(h, io, room);
#endif
}

/* All heads of `all`, whose pointers are those of the whole arrays. */
static int heads(struct sjk *k, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const struct operands *all)
{
    if (B <= 0 || K <= 0 || H <= 0 || E <= 0)
        return 0;
    int dp = pairs_of(t);
    struct head h = head_sizes(dp, K, H, E, t);
    int64_t D = H * E, room = all->dout ? backward_room(dp, &h) : forward_room(dp, &h);
    size_t width = sjk_type_size(t);
    float *scratch = sjk_scratch(k, (size_t)(room + VW) * sizeof *scratch * (size_t)k->threads);
    if (!scratch)
        return SJK_MEMORY;
#pragma omp parallel for schedule(dynamic, 1) num_threads(sjk_team(k, B *H *K *K))
    for (int64_t i = 0; i < B * H; i++) {
        int64_t b = i / H, e = i % H * E;
        size_t wide = (size_t)(b * K * 3 * D + e) * width, narrow_at = (size_t)(b * K * D + e) * width;
        const struct operands one = {
            .qkv = all->qkv + wide,
            .out = all->out + narrow_at,
            .dout = all->dout ? all->dout + narrow_at : NULL,
            .dqkv = all->dqkv ? all->dqkv + wide : NULL,
            .stat = all->stat ? all->stat + i * K : NULL,
            .out_stride = D,
        };
        float *own = scratch + (int64_t)omp_get_thread_num() * (room / VW + 1) * VW;
        if (dp)
            head_pairs(&h, &one, own);
        else
            head_f32(&h, &one, own);
    }
    return 0;
}

int cpu_attention(struct sjk *k, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const void *qkv,
                  void *out, float *stat)
{
    return heads(k, B, K, H, E, t, &(struct operands){.qkv = qkv, .out = out, .stat = stat});
}

int cpu_attention_backward(struct sjk *k, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const void *qkv,
                           const void *out, const float *stat, const void *dout, void *dqkv)
{
    const struct operands io = {
        .qkv = qkv, .out = (char *)(uintptr_t)out, .stat = (float *)(uintptr_t)stat, .dout = dout, .dqkv = dqkv};
    return heads(k, B, K, H, E, t, &io);
}
