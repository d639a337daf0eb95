/* linear_cpu: linear layers in products of bf16 pairs, for sizes that are multiples of 32; oneDNN's where the processor
 * has no such products, and for all other layers.
 *
 * Weights are packed in panels of a few columns. A task is a block of rows, of which pairs are words along the row as
 * they lie, against one panel, which stays in the core's own cache; a tile of results is summed in registers. Every
 * result is summed by one thread in the order of the sum, however the tasks are shared and whatever the other rows. */
#include "cpu_ops.h"
#include "linear_dnnl.h"
#include "sums.h"
#include "tile.h"

#include <stdlib.h>

#if defined(__AVX512BF16__)
enum {
    tile_m = 6, tile_v = 4, panel_width = tile_v * VW, /* of results, in registers */
    task_m = 126, /* whole tiles */
    soon = 12 /* words fetched before their use */
};

typedef float word __attribute__((aligned(2), may_alias)); /* two neighbouring values of a row */

struct layer {
    struct sjk_linear base;
    float *packed[2]; /* forward, backward: (panels, words, panel_width); NULL before they are wanted */
};

/* What becomes of the sums of a product. */
enum end { STORE, RELU, GELU, GELU_KEPT, ADD, SLOPE };

/* y (M, out) = end(x (M, in) times packed weights + bias). */
struct product {
    int64_t M, words, out; /* words: in / 2 */
    const word *x;
    const float *packed, *bias;
    enum end end;
    const float *added; /* of ADD */
    void *before;       /* of GELU_KEPT, what GELU takes; of SLOPE, which multiplies by GELU's slope there */
    float *sum;         /* of SLOPE: sums of y over a task's rows, (tasks down, out padded to panels) */
    void *y;
    enum sjk_type yt;
};

SJK_INLINE int64_t panels(int64_t columns)
{
    return (columns + panel_width - 1) / panel_width;
}

/* c (tile_m, panel_width) = the first `rows` rows of x times a panel; further rows of c are like the last. */
SJK_INLINE void tile_sums(int vectors, int64_t rows, int64_t words, const word *x, const float *panel, float *c)
{
    __m512 sum[tile_m][tile_v], b[tile_v];
    const word *row[tile_m], *next = x + tile_m * words;
#pragma GCC unroll 6
    for (int i = 0; i < tile_m; i++) {
        row[i] = x + sjk_min(i, rows - 1) * words;
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            sum[i][v] = _mm512_setzero_ps();
    }
    for (int64_t w = 0; w < words; w++) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            b[v] = _mm512_loadu_ps(panel + w * panel_width + v * VW),
            __builtin_prefetch(panel + (w + soon) * panel_width + v * VW);
        __builtin_prefetch(next + w * tile_m, 0, 2);
#pragma GCC unroll 6
        for (int i = 0; i < tile_m; i++) {
            __m512 a = _mm512_set1_ps(row[i][w]);
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++)
                sum[i][v] = _mm512_dpbf16_ps(sum[i][v], (__m512bh)a, (__m512bh)b[v]);
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < tile_m; i++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            _mm512_store_ps(c + i * panel_width + v * VW, sum[i][v]);
}

/* Columns n.. of row m from a row of sums. */
SJK_INLINE vf value(const struct product *p, enum end end, int64_t m, int64_t n, const float *sum)
{
    vf x = vf_load(sum);
    if (p->bias)
        x += vf_load(p->bias + n);
    if (end == ADD)
        x += vf_load(p->added + m * p->out + n);
    if (end == RELU)
        x = vf_choose(vf_less(x, vf_all(0)), vf_all(0), x);
    if (end == SLOPE) {
        float *total = p->sum + m / task_m * panels(p->out) * panel_width + n;
        x = vf_from_bf16(vf_to_bf16(x)) * vf_gelu_slope(vf_get(p->before, SJK_BF16, m * p->out + n, VW));
        vf_store(total, vf_load(total) + x);
    }
    return x;
}

/* Two vectors to y in bf16, a line, past the caches: other lines would have to leave them before it is read. */
SJK_INLINE void line_out(void *y, int64_t at, vf low, vf high)
{
    __m512i line = (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low), *to = (void *)((uint16_t *)y + at);
    if ((uintptr_t)to % sizeof line)
        _mm512_storeu_si512(to, line);
    else
        _mm512_stream_si512(to, line);
}

/* The sums c of a tile to rows m.. and columns n.. of the results, which have type t. */
SJK_INLINE void tile_out(const struct product *p, enum sjk_type t, enum end end, int64_t rows, int64_t columns,
                         int64_t m, int64_t n, const float *c)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j += 2 * VW) {
            const float *sum = c + i * panel_width + j;
            int64_t at = (m + i) * p->out + n + j;
            vf low = value(p, end, m + i, n + j, sum), high = value(p, end, m + i, n + j + VW, sum + VW);
            if (end == GELU_KEPT) { /* GELU of what is kept, so that it can be had again from that */
                line_out(p->before, at, low, high);
                low = vf_from_bf16(vf_to_bf16(low));
                high = vf_from_bf16(vf_to_bf16(high));
            }
            if (end == GELU || end == GELU_KEPT) {
                low = vf_gelu_as(t, low);
                high = vf_gelu_as(t, high);
            }
            if (t == SJK_BF16) {
                line_out(p->y, at, low, high);
            } else {
                vf_store((float *)p->y + at, low);
                vf_store((float *)p->y + at + VW, high);
            }
        }
}

SJK_INLINE void tile_end(const struct product *p, int64_t rows, int64_t columns, int64_t m, int64_t n, const float *c)
{
    switch (p->end) {
    case ADD: tile_out(p, SJK_F32, ADD, rows, columns, m, n, c); break;
    case GELU_KEPT: tile_out(p, SJK_BF16, GELU_KEPT, rows, columns, m, n, c); break;
    case SLOPE: tile_out(p, SJK_BF16, SLOPE, rows, columns, m, n, c); break;
    default:
        if (p->yt == SJK_F32)
            tile_out(p, SJK_F32, p->end, rows, columns, m, n, c);
        else if (p->end == STORE)
            tile_out(p, SJK_BF16, STORE, rows, columns, m, n, c);
        else
            tile_out(p, SJK_BF16, p->end, rows, columns, m, n, c);
    }
}

static void task(const struct product *p, int64_t first, int64_t n)
{
    __attribute__((aligned(64))) float c[tile_m * panel_width];
    const float *panel = p->packed + n * p->words;
    int64_t columns = sjk_min(p->out - n, panel_width);
    for (int64_t m = first; m < sjk_min(first + task_m, p->M); m += tile_m) {
        const word *x = p->x + m * p->words;
        int64_t rows = sjk_min(p->M - m, tile_m);
        if (columns == panel_width)
            tile_sums(tile_v, rows, p->words, x, panel, c);
        else
            tile_sums(2, rows, p->words, x, panel, c);
        tile_end(p, rows, columns, m, n, c);
    }
}

static int run(struct sjk *k, const struct product *p)
{
    int64_t wide = panels(p->out), tasks = (p->M + task_m - 1) / task_m * wide;
#pragma omp parallel num_threads(sjk_team(k, p->M * p->words / 16 * p->out))
    {
#pragma omp for schedule(dynamic, 1) nowait
        for (int64_t i = 0; i < tasks; i++)
            task(p, i / wide * task_m, i % wide * panel_width);
        _mm_sfence(); /* before others read it */
    }
    return 0;
}

static struct product product_of(const struct sjk_linear *base, int back, int64_t M, const void *x)
{
    return (struct product){.M = M, .words = (back ? base->N : base->K) / 2, .out = back ? base->K : base->N, .x = x,
                            .packed = ((const struct layer *)base)->packed[back]};
}

static int forward(struct sjk *k, struct sjk_linear *base, int64_t M, const void *x, const float *bias,
                   const float *added, void *y, enum sjk_type yt, enum sjk_epilogue e)
{
    static const enum end end[] = {[SJK_STORE] = STORE, [SJK_GELU] = GELU, [SJK_RELU] = RELU, [SJK_ADD] = ADD};
    struct product p = product_of(base, 0, M, x);
    p.bias = bias;
    p.added = added;
    p.y = y;
    p.yt = yt;
    p.end = end[e];
    return run(k, &p);
}

static int forward_gelu(struct sjk *k, struct sjk_linear *base, int64_t M, const void *x, const float *bias,
                        void *before, void *y)
{
    struct product p = product_of(base, 0, M, x);
    p.bias = bias;
    p.before = before;
    p.y = y;
    p.yt = SJK_BF16;
    p.end = GELU_KEPT;
    return run(k, &p);
}

static int backward_x(struct sjk *k, struct sjk_linear *base, int64_t M, const void *dy, void *dx, enum sjk_type dxt)
{
    struct product p = product_of(base, 1, M, dy);
    p.y = dx;
    p.yt = dxt;
    return run(k, &p);
}

static int backward_gelu(struct sjk *k, struct sjk_linear *base, int64_t M, const void *dy, const void *before,
                         void *dx, float *dbias)
{
    struct product p = product_of(base, 1, M, dy);
    int64_t down = (M + task_m - 1) / task_m, width = panels(p.out) * panel_width;
    size_t bytes = (size_t)(down * width) * sizeof *p.sum;
    if (!(p.sum = sjk_scratch(k, bytes)))
        return SJK_MEMORY;
    memset(p.sum, 0, bytes);
    p.before = (void *)(uintptr_t)before;
    p.y = dx;
    p.yt = SJK_BF16;
    p.end = SLOPE;
    int status = run(k, &p);
    sums_add(k, down, p.out, width, p.sum, dbias);
    return status;
}

static int backward_w(struct sjk *k, struct sjk_linear *base, int64_t M, const void *dy, const void *x, float *dW,
                      int add)
{
    return cpu_weight_gradient(k, M, base->N, base->K, dy, x, dW, add);
}

static int packing(struct sjk *k, struct sjk_linear *base, int which, struct sjk_packing *p)
{
    struct layer *l = (struct layer *)base;
    for (int back = 0; back < 2; back++) {
        int64_t in = back ? base->N : base->K, out = back ? base->K : base->N;
        size_t bytes = (size_t)(panels(out) * panel_width * in / 2) * sizeof(float);
        if (which & (back ? SJK_PACK_BACKWARD : SJK_PACK_FORWARD) && !l->packed[back] &&
            !(l->packed[back] = sjk_memory(bytes)))
            return sjk_fail(k, SJK_MEMORY, "no memory for packed weights");
    }
    p->N = base->N;
    p->K = base->K;
    p->width = panel_width;
    p->forward = which & SJK_PACK_FORWARD ? l->packed[0] : NULL;
    p->backward = which & SJK_PACK_BACKWARD ? l->packed[1] : NULL;
    return 0;
}

static int pack(struct sjk *k, struct sjk_linear *base, const float *W, int which)
{
    struct sjk_packing p = {.W = W};
    int status = packing(k, base, which, &p);
    if (!status)
        cpu_pack(k, &p);
    return status;
}

static void layer_free(struct sjk *k, struct sjk_linear *base)
{
    struct layer *l = (struct layer *)base;
    (void)k;
    free(l->packed[0]);
    free(l->packed[1]);
    free(l);
}

static int pairs_new(struct sjk *k, int64_t N, int64_t K, struct sjk_linear **out)
{
    static const struct sjk_linear_kind kind = {layer_free,   pack,          packing,    forward,
                                                forward_gelu, backward_gelu, backward_x, backward_w};
    struct layer *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l)
        return sjk_fail(k, SJK_MEMORY, "no memory for a linear layer");
    l->base = (struct sjk_linear){.kind = &kind, .N = N, .K = K, .t = SJK_BF16};
    *out = &l->base;
    return 0;
}
#endif

int cpu_linear_new(struct sjk *k, int64_t N, int64_t K, enum sjk_type t, struct sjk_linear **out)
{
#if defined(__AVX512BF16__)
    if (t == SJK_BF16 && N > 0 && K > 0 && N % 32 == 0 && K % 32 == 0)
        return pairs_new(k, N, K, out);
#endif
    return onednn_linear_new(k, N, K, t, out);
}
