/* op_table: every operation of sjk.h as data: the shape, type and role of each buffer, awkward sizes, and a call that
 * unpacks them. The operation tests and the kernel benchmark read it. */
#ifndef TESTS_OP_TABLE_H
#define TESTS_OP_TABLE_H

#include "sjk.h"

#include <math.h>
#include <string.h>

enum { op_buffers = 11 /* the last one ends them */, op_dims = 4, op_sizes = 13, op_classes = 4 };

/* A buffer. shape: a product of dimensions, each a letter of the op's dims or one of
 *   1 2 3  numbers     C  op_classes     x y  16, 256     k  K + 1     p  T / 16     q  K + 3     r  N + 5     s  T + 3
 *   t  2 N + 3 (rows of 2 N values with a gap)
 *   w  T * h + n (samples under T frames)
 * type: f float, t/u the first and second type of the case, d double, i class index, l int64, S a float whose bound is
 *   1e-4, absolute below 1, where t is bf16
 * role: i in, o out, b both; capitals: NULL in odd variants
 * fill: 0 normal, + positive, q normal in steps of a quarter; of an output ~: infinity counts as NaN */
struct op_buffer {
    const char *shape;
    char type, role, fill;
};

/* One call: dims in the order of op->dims, types, a variant number and the buffers. -1: not a case. */
struct op_case {
    const int64_t *d;
    enum sjk_type t, u;
    int variant;
    void *const *b;
};

struct op {
    const char *name, *dims;
    int types;    /* how many of t and u matter */
    int variants;
    double bound; /* 0: as the outputs' types (sjk.h); > 0: absolute; < 0: that of bf16 outputs times -bound */
    int (*call)(struct sjk *, const struct op_case *);
    struct op_buffer buffer[op_buffers];
    int64_t size[op_sizes][op_dims]; /* ends at the first all-zero row after the first */
};

static int call_cast(struct sjk *k, const struct op_case *c)
{
    return k->ops->cast(k, (size_t)c->d[0], c->b[0], c->t, c->b[1], c->u);
}

static int call_repeat(struct sjk *k, const struct op_case *c)
{
    return k->ops->repeat(k, c->d[0], c->d[1], c->d[2], c->b[0], c->b[1]);
}

static int call_patches(struct sjk *k, const struct op_case *c)
{
    return k->ops->patches(k, c->d[0], c->d[1], c->d[2], c->d[3], c->b[0], c->b[1], c->t);
}

static int call_concat(struct sjk *k, const struct op_case *c)
{
    return k->ops->concat(k, c->d[0], c->d[1], c->d[2], c->t, c->b[0], c->b[1], c->b[2], c->b[3]);
}

static int call_concat_backward(struct sjk *k, const struct op_case *c)
{
    return k->ops->concat_backward(k, c->d[0], c->d[1], c->d[2], c->t, c->b[0], c->b[1], c->b[2], c->b[3]);
}

static int call_prepend(struct sjk *k, const struct op_case *c)
{
    return k->ops->prepend(k, c->d[0], c->d[1], c->d[2], c->b[0], c->b[1], c->b[2], c->b[3]);
}

static int call_prepend_backward(struct sjk *k, const struct op_case *c)
{
    return k->ops->prepend_backward(k, c->d[0], c->d[1], c->d[2], c->b[0], c->b[1], c->b[2], c->t, c->b[3], c->b[4],
                                    c->b[5]);
}

static int call_pool(struct sjk *k, const struct op_case *c)
{
    return k->ops->pool(k, c->d[0], c->d[1], c->d[2], c->d[3], c->b[0], c->b[1]);
}

static int call_pool_backward(struct sjk *k, const struct op_case *c)
{
    return k->ops->pool_backward(k, c->d[0], c->d[1], c->d[2], c->d[3], c->b[0], c->b[1]);
}

static int call_layernorm(struct sjk *k, const struct op_case *c)
{
    return k->ops->layernorm(k, c->d[0], c->d[1], c->b[0], c->b[1], c->b[2], c->b[3], c->t, c->b[4]);
}

static int call_layernorm_backward(struct sjk *k, const struct op_case *c)
{
    return k->ops->layernorm_backward(k, c->d[0], c->d[1], c->b[0], c->b[1], c->b[2], c->b[3], c->t, c->b[4],
                                      c->variant >> 1, c->u, c->b[5], c->b[6], c->b[7], c->b[8]);
}

/* The odd variant is in place. */
static int call_gelu(struct sjk *k, const struct op_case *c)
{
    int64_t n = c->d[0] * c->d[1];
    if (!c->variant)
        return k->ops->gelu(k, c->d[0], c->d[1], c->t, c->b[0], c->b[1]);
    int status = k->ops->copy(k, c->b[1], c->b[0], (size_t)n * sjk_type_size(c->t));
    return status ? status : k->ops->gelu(k, c->d[0], c->d[1], c->t, c->b[1], c->b[1]);
}

static int call_gelu_backward(struct sjk *k, const struct op_case *c)
{
    return k->ops->gelu_backward(k, c->d[0], c->d[1], c->t, c->b[0], c->b[1], c->b[2]);
}

static int call_relu_backward(struct sjk *k, const struct op_case *c)
{
    return k->ops->relu_backward(k, c->d[0], c->d[1], c->t, c->b[0], c->b[1], c->b[2]);
}

static int call_film(struct sjk *k, const struct op_case *c)
{
    int64_t N = c->d[2];
    return k->ops->film(k, c->d[0], c->d[1], N, c->t, c->b[0], c->b[1], 2 * N + 3, c->b[2]);
}

static int call_film_backward(struct sjk *k, const struct op_case *c)
{
    int64_t N = c->d[2];
    return k->ops->film_backward(k, c->d[0], c->d[1], N, c->t, c->b[0], c->b[1], c->b[2], 2 * N + 3, c->b[3], c->b[4],
                                 c->b[5]);
}

static int call_column_sum(struct sjk *k, const struct op_case *c)
{
    return k->ops->column_sum(k, c->d[0], c->d[1], c->t, c->b[0], c->b[1]);
}

/* Buffers x, W, bias, added, y; in odd variants there is no bias, and y is added to. */
static int linear_forward(struct sjk *k, const struct op_case *c, enum sjk_epilogue e)
{
    const struct sjk_ops *o = k->ops;
    struct sjk_linear *l;
    if (e == SJK_ADD && c->u != SJK_F32)
        return -1;
    int s = o->linear_new(k, c->d[1], c->d[2], c->t, &l);
    if (!s)
        s = o->linear_pack(k, l, c->b[1], SJK_PACK_FORWARD);
    if (!s)
        s = o->linear_forward(k, l, c->d[0], c->b[0], c->b[2],
                              e != SJK_ADD       ? NULL
                              : c->variant & 1 ? c->b[4]
                                                 : c->b[3],
                              c->b[4], c->u, e);
    o->linear_free(k, l);
    return s;
}

static int call_linear_forward(struct sjk *k, const struct op_case *c)
{
    static const enum sjk_epilogue epilogue[] = {SJK_STORE, SJK_RELU, SJK_ADD};
    return linear_forward(k, c, epilogue[c->variant >> 1]);
}

static int call_linear_to_gelu(struct sjk *k, const struct op_case *c)
{
    return linear_forward(k, c, SJK_GELU);
}

/* Buffers x, W, bias, before, y. */
static int call_linear_forward_gelu(struct sjk *k, const struct op_case *c)
{
    const struct sjk_ops *o = k->ops;
    struct sjk_linear *l;
    int s = o->linear_new(k, c->d[1], c->d[2], c->t, &l);
    if (!s)
        s = o->linear_pack(k, l, c->b[1], SJK_PACK_FORWARD);
    if (!s)
        s = o->linear_forward_gelu(k, l, c->d[0], c->b[0], c->b[2], c->b[3], c->b[4]);
    o->linear_free(k, l);
    return s;
}

/* Buffers dy, W, before, dx, dbias. */
static int call_linear_backward_gelu(struct sjk *k, const struct op_case *c)
{
    const struct sjk_ops *o = k->ops;
    struct sjk_linear *l;
    int s = o->linear_new(k, c->d[1], c->d[2], c->t, &l);
    if (!s)
        s = o->linear_pack(k, l, c->b[1], SJK_PACK_BACKWARD);
    if (!s)
        s = o->linear_backward_gelu(k, l, c->d[0], c->b[0], c->b[2], c->b[3], c->b[4]);
    o->linear_free(k, l);
    return s;
}

static int call_linear_backward_x(struct sjk *k, const struct op_case *c)
{
    const struct sjk_ops *o = k->ops;
    struct sjk_linear *l;
    int s = o->linear_new(k, c->d[1], c->d[2], c->t, &l);
    if (!s)
        s = o->linear_pack(k, l, c->b[1], SJK_PACK_FORWARD | SJK_PACK_BACKWARD);
    if (!s)
        s = o->linear_backward_x(k, l, c->d[0], c->b[0], c->b[2], c->u);
    o->linear_free(k, l);
    return s;
}

static int call_linear_backward_w(struct sjk *k, const struct op_case *c)
{
    const struct sjk_ops *o = k->ops;
    struct sjk_linear *l;
    int s = o->linear_new(k, c->d[1], c->d[2], c->t, &l);
    if (!s)
        s = o->linear_backward_w(k, l, c->d[0], c->b[0], c->b[1], c->b[2], c->variant);
    o->linear_free(k, l);
    return s;
}

static int call_matmul_nt(struct sjk *k, const struct op_case *c)
{
    int64_t M = c->d[0], N = c->d[1], K = c->d[2];
    return k->ops->matmul_nt(k, M, N, K, c->t, c->b[0], K + 3, c->b[1], K + 3, c->b[2], N + 5);
}

static int call_attention(struct sjk *k, const struct op_case *c)
{
    return k->ops->attention(k, c->d[0], c->d[1], c->d[2], c->d[3], c->t, c->b[0], c->b[1], c->b[2]);
}

static int call_attention_backward(struct sjk *k, const struct op_case *c)
{
    const struct sjk_ops *o = k->ops;
    int64_t B = c->d[0], K = c->d[1], H = c->d[2], E = c->d[3];
    void *out = NULL, *stat = NULL;
    int s = o->alloc(k, (size_t)(B * K * H * E) * sjk_type_size(c->t), &out);
    if (!s)
        s = o->alloc(k, (size_t)(B * H * K) * sizeof(float), &stat);
    if (!s)
        s = o->attention(k, B, K, H, E, c->t, c->b[0], out, stat);
    if (!s)
        s = o->attention_backward(k, B, K, H, E, c->t, c->b[0], out, stat, c->b[1], c->b[2]);
    o->free(k, out);
    o->free(k, stat);
    return s;
}

/* The odd variant turns back. */
static int call_rotate(struct sjk *k, const struct op_case *c)
{
    return k->ops->rotate(k, c->d[0], c->d[1], c->d[2], c->d[3], c->t, c->b[0], c->variant, c->b[1]);
}

static int call_cosine_loss(struct sjk *k, const struct op_case *c)
{
    return k->ops->cosine_loss(k, c->d[0], c->d[1], c->b[0], c->b[1], 0.7f, c->b[2], c->b[3]);
}

/* Variant bits: no gradients, two of what negatives of other classes weigh, both ways. */
static int call_infonce(struct sjk *k, const struct op_case *c)
{
    const float other[] = {1, 0.3f, 0};
    const struct sjk_contrast s = {.group = c->b[2], .class_of = c->variant >> 1 & 3 ? c->b[3] : NULL,
                                   .other = other[(c->variant >> 1 & 3) % 3], .temperature = 0.2f, .scale = 0.7f,
                                   .both = c->variant >> 3};
    return k->ops->infonce(k, c->d[0], c->d[1], c->b[0], c->b[1], &s, c->b[4], c->b[5], c->b[6]);
}

static int call_sum_squares(struct sjk *k, const struct op_case *c)
{
    return k->ops->sum_squares(k, (size_t)c->d[0], c->b[0], c->b[1]);
}

static const struct sjk_adamw op_adamw = {.rate = 1e-2f, .beta1 = 0.9f, .beta2 = 0.95f, .eps = 1e-8f, .decay = 0.05f,
                                          .correction1 = 0.271f, .correction2 = 0.142625f, .gradient_scale = 0.3f,
                                          .ema_rate = 0.99f};

static int call_adamw(struct sjk *k, const struct op_case *c)
{
    const struct sjk_parameters s = {
        .n = (size_t)c->d[0], .p = c->b[0], .g = c->b[1], .m = c->b[2], .v = c->b[3], .ema = c->b[4]};
    return k->ops->adamw(k, &s, &op_adamw);
}

/* N (K + 3) parameters, of which the weights of a layer are those from N on; then the layer's outputs both ways, and
 * those of the average's layer, which the odd variant has not. */
static int call_linear_adamw(struct sjk *k, const struct op_case *c)
{
    const struct sjk_ops *o = k->ops;
    int64_t M = c->d[0], N = c->d[1], K = c->d[2];
    struct sjk_layer l = {.at = (size_t)N};
    int s = o->linear_new(k, N, K, c->t, &l.linear);
    if (!s && c->b[4])
        s = o->linear_new(k, N, K, c->t, &l.average);
    const struct sjk_parameters all = {.n = (size_t)(N * (K + 3)), .p = c->b[0], .g = c->b[1], .m = c->b[2],
                                       .v = c->b[3], .ema = c->b[4], .layers = 1, .layer = &l};
    (void)(s || (s = o->adamw(k, &all, &op_adamw)) ||
           (s = o->linear_forward(k, l.linear, M, c->b[5], NULL, NULL, c->b[7], c->t, SJK_STORE)) ||
           (s = o->linear_backward_x(k, l.linear, M, c->b[6], c->b[8], c->t)) ||
           (s = l.average ? o->linear_forward(k, l.average, M, c->b[5], NULL, NULL, c->b[9], c->t, SJK_STORE) : 0));
    o->linear_free(k, l.linear);
    if (l.average)
        o->linear_free(k, l.average);
    return s;
}

static int call_frames(struct sjk *k, const struct op_case *c)
{
    return k->ops->frames(k, c->d[0], c->d[1], c->d[2], c->b[0], c->b[1], c->b[2]);
}

/* Overlapping triangles-like bands of three bins, the last one empty. */
static int call_log_mel(struct sjk *k, const struct op_case *c)
{
    enum { most = 128 };
    static const float weight[] = {0.5f, 1, 0.25f, 0.125f};
    struct { int32_t first[most], count[most], offset[most]; float weight[4]; } host, *own;
    int64_t bands = c->d[1] < most ? c->d[1] : most, bins = c->d[2];
    void *p = NULL;
    memset(&host, 0, sizeof host);
    memcpy(host.weight, weight, sizeof weight);
    for (int32_t m = 0; m < bands; m++) {
        host.first[m] = (int32_t)(m * bins / bands);
        host.count[m] = m == bands - 1 ? 0 : bins - host.first[m] < 3 ? (int32_t)bins - host.first[m] : 3;
        host.offset[m] = m & 1;
    }
    int status = k->ops->alloc(k, sizeof host, &p);
    if (!status)
        status = k->ops->put(k, p, &host, sizeof host);
    own = p;
    if (!status) {
        const struct sjk_filterbank f = {(int)bands, (int)bins, own->first, own->count, own->offset, own->weight};
        status = k->ops->log_mel(k, c->d[0], c->b[0], &f, 1.1920929e-7f, 0, 1, c->b[1], c->d[0] + 3);
    }
    k->ops->free(k, p);
    return status;
}

/* Variant bits: samples are int16 (the bits of the floats), frames start with the wave instead of being centred. */
static int call_mel(struct sjk *k, const struct op_case *c)
{
    enum { most = 400 };
    static const int32_t range[3][3] = {{0, 2, 5}, {3, 2, 0}, {0, 2, 1}}; /* first, count, offset of three bands */
    static const float weight[] = {0.5f, 1, 0.25f, 0.125f};
    struct { float window[most], weight[4]; int32_t range[3][3]; } host, *own;
    int size = c->d[1] > most ? most : 8, status;
    void *p = NULL;
    if (!k->ops->mel)
        return -1;
    for (int i = 0; i < most; i++)
        host.window[i] = 0.1f + 0.01f * (float)(i % 50);
    memcpy(host.weight, weight, sizeof weight);
    memcpy(host.range, range, sizeof range);
    memcpy(host.range, range, sizeof range);
    if ((status = k->ops->alloc(k, sizeof host, &p)) || (status = k->ops->put(k, p, &host, sizeof host)))
        return status;
    own = p;
    const struct sjk_spectra s = {
        .size = size, .hop = size * 2 / 5, .start = c->variant & 2 ? 0 : -size / 2, .window = own->window,
        .bank = {3, size / 2 + 1, own->range[0], own->range[1], own->range[2], own->weight},
        .eps = 1e-6f, .mean = -1, .std = 2};
    status = k->ops->mel(k, c->d[0], c->d[1], c->b[0], c->variant & 1, &s, c->d[2], c->b[1]);
    k->ops->free(k, p);
    return status;
}

/* In two merges, the second half of the columns first, with scores rounded so that many are equal. */
static int call_top_k(struct sjk *k, const struct op_case *c)
{
    int64_t rows = c->d[0], n = c->d[1], count = c->d[2], half = n / 2, ld = n + 5;
    const float none = -INFINITY;
    const int64_t nobody = -1;
    float *s = c->b[0], *best = c->b[1];
    int64_t *index = c->b[2];
    int status = 0;
    for (int64_t i = 0; i < rows * count && !status; i++) {
        status = k->ops->put(k, best + i, &none, sizeof none);
        if (!status)
            status = k->ops->put(k, index + i, &nobody, sizeof nobody);
    }
    if (!status)
        status = k->ops->top_k(k, rows, n - half, s + half, ld, 1000 + half, count, best, index);
    return status ? status : k->ops->top_k(k, rows, half, s, ld, 1000, count, best, index);
}

static const struct op op_table[] = {
    {"cast", "n", 2, 1, 0, call_cast, {{"n", 't', 'i', 0}, {"n", 'u', 'o', 0}},
     {{0}, {1}, {7}, {16}, {33}, {1009}, {5003}, {40009}}},
    {"repeat", "BRD", 0, 1, 0, call_repeat, {{"RD", 'f', 'i', 0}, {"BRD", 'f', 'o', 0}},
     {{0, 3, 5}, {1, 1, 1}, {3, 5, 7}, {2, 250, 33}}},
    {"patches", "BWFT", 1, 1, 0, call_patches, {{"BxFWT", 'f', 'i', 0}, {"BWFpy", 't', 'o', 0}},
     {{2, 1, 3, 15}, {1, 1, 1, 16}, {3, 1, 5, 37}, {2, 1, 5, 801}, {2, 1, 2, 48}, {3, 4, 5, 32}, {2, 3, 2, 21}}},
    {"concat", "BKD", 1, 1, 0, call_concat,
     {{"BKD", 't', 'i', 0}, {"CD", 'f', 'i', 0}, {"B", 'i', 'i', 0}, {"BK2D", 't', 'o', 0}},
     {{0, 3, 5}, {1, 1, 1}, {3, 5, 7}, {6, 17, 67}, {2, 250, 192}, {3, 5, 16}}},
    {"concat_backward", "BKD", 1, 1, 0, call_concat_backward,
     {{"BK2D", 't', 'i', 0}, {"B", 'i', 'i', 0}, {"BKD", 't', 'o', 0}, {"CD", 'f', 'b', 0}},
     {{0, 3, 5}, {1, 1, 1}, {3, 5, 7}, {6, 17, 67}, {7, 250, 96}, {3, 5, 16}}},
    {"prepend", "BKD", 0, 1, 0, call_prepend,
     {{"BKD", 'f', 'i', 0}, {"CD", 'f', 'i', 0}, {"B", 'i', 'i', 0}, {"BkD", 'f', 'o', 0}},
     {{0, 3, 5}, {1, 1, 1}, {3, 0, 5}, {3, 5, 7}, {6, 17, 67}, {3, 5, 8}}},
    {"prepend_backward", "BKD", 1, 2, 0, call_prepend_backward,
     {{"BkD", 'f', 'i', 0}, {"B", 'i', 'i', 0}, {"BKD", 'f', 'o', 0}, {"BKD", 't', 'O', 0}, {"CD", 'f', 'b', 0},
      {"D", 'f', 'B', 0}},
     {{0, 3, 5}, {1, 1, 1}, {3, 0, 5}, {3, 5, 7}, {6, 17, 67}, {7, 250, 96}, {3, 33, 8}}},
    {"pool", "NWPD", 0, 1, 0, call_pool, {{"NWPD", 'f', 'i', 0}, {"WND", 'f', 'o', 0}},
     {{0, 5, 3, 5}, {2, 3, 0, 7}, {1, 1, 1, 1}, {3, 5, 7, 17}, {10, 1, 50, 67}, {2, 3, 5, 8}, {15, 10, 1, 12}}},
    {"pool_backward", "NWPD", 0, 1, 0, call_pool_backward, {{"WND", 'f', 'i', 0}, {"NWPD", 'f', 'b', 0}},
     {{0, 5, 3, 5}, {1, 1, 1, 1}, {3, 5, 7, 17}, {10, 1, 50, 67}, {2, 3, 5, 8}, {15, 10, 1, 12}}},
    {"layernorm", "MD", 1, 2, 0, call_layernorm,
     {{"MD", 'f', 'i', 0}, {"D", 'f', 'i', 0}, {"D", 'f', 'i', 0}, {"MD", 't', 'o', 0}, {"2M", 'f', 'O', 0}},
     {{0, 5}, {5, 0}, {1, 1}, {3, 7}, {5, 16}, {17, 33}, {259, 67}, {7, 769}, {5, 260}, {2, 520}, {9, 1024}}},
    {"layernorm_backward", "MD", 2, 4, 0, call_layernorm_backward,
     {{"MD", 'f', 'i', 0}, {"D", 'f', 'i', 0}, {"2M", 'f', 'i', '+'}, {"MD", 't', 'i', 0}, {"MD", 'f', 'b', 0},
      {"MD", 'u', 'O', 0}, {"D", 'f', 'b', 0}, {"D", 'f', 'b', 0}, {"D", 'f', 'B', 0}},
     {{0, 5}, {5, 0}, {1, 2}, {3, 7}, {5, 16}, {17, 33}, {517, 67}, {7, 769}, {5, 260}, {2, 520}, {9, 1024}}},
    {"gelu", "MN", 1, 2, 0, call_gelu, {{"MN", 't', 'i', 0}, {"MN", 't', 'o', 0}},
     {{0, 5}, {1, 1}, {3, 7}, {17, 33}, {61, 1031}, {9, 24}, {9, 1024}}},
    {"gelu_backward", "MN", 1, 1, 0, call_gelu_backward,
     {{"MN", 't', 'i', 0}, {"MN", 't', 'b', 0}, {"N", 'f', 'b', 0}},
     {{0, 5}, {5, 0}, {1, 1}, {3, 7}, {17, 33}, {517, 67}, {61, 1031}, {77, 24}}},
    {"relu_backward", "MN", 1, 1, 0, call_relu_backward,
     {{"MN", 't', 'i', 'q'}, {"MN", 't', 'b', 0}, {"N", 'f', 'b', 0}},
     {{0, 5}, {5, 0}, {1, 1}, {3, 7}, {17, 33}, {517, 67}, {61, 1031}, {77, 24}}},
    {"film", "BKN", 1, 1, 0, call_film, {{"BKN", 't', 'i', 0}, {"Bt", 'f', 'i', 0}, {"BKN", 't', 'o', 0}},
     {{0, 3, 5}, {1, 1, 1}, {3, 5, 7}, {6, 17, 67}, {2, 250, 96}, {3, 5, 16}, {2, 3, 1031}}},
    {"film_backward", "BKN", 1, 1, 0, call_film_backward,
     {{"BKN", 't', 'i', 0}, {"BKN", 't', 'i', 'q'}, {"Bt", 'f', 'i', 0}, {"BKN", 't', 'b', 0}, {"Bt", 'f', 'b', 0},
      {"N", 'f', 'b', 0}},
     {{0, 3, 5}, {3, 0, 5}, {1, 1, 1}, {3, 5, 7}, {6, 17, 67}, {2, 250, 96}, {3, 5, 16}, {2, 3, 1031}}},
    {"column_sum", "MN", 1, 1, 0, call_column_sum, {{"MN", 't', 'i', 0}, {"N", 'f', 'b', 0}},
     {{0, 5}, {5, 0}, {1, 1}, {3, 7}, {17, 33}, {2053, 67}, {61, 1031}, {77, 24}}},
    {"linear_forward", "MNK", 2, 6, 0, call_linear_forward,
     {{"MK", 't', 'i', 0}, {"NK", 'f', 'i', 0}, {"N", 'f', 'I', 0}, {"MN", 'f', 'i', 0}, {"MN", 'u', 'b', 0}},
     {{0, 5, 3}, {3, 0, 5}, {3, 5, 0}, {1, 1, 1}, {5, 3, 7}, {16, 17, 33}, {129, 67, 31}, {250, 48, 96},
      {141, 160, 521}, {70, 192, 160},
      {3, 32, 64}, {133, 64, 32}, {2, 96, 128}}},
    {"linear_to_gelu", "MNK", 2, 2, -2, call_linear_to_gelu,
     {{"MK", 't', 'i', 0}, {"NK", 'f', 'i', 0}, {"N", 'f', 'I', 0}, {"MN", 'f', 'i', 0}, {"MN", 'u', 'b', 0}},
     {{0, 5, 3}, {3, 0, 5}, {3, 5, 0}, {1, 1, 1}, {5, 3, 7}, {16, 17, 33}, {129, 67, 31}, {250, 48, 96},
      {141, 160, 521}, {70, 192, 160},
      {3, 32, 64}, {133, 64, 32}, {2, 96, 128}}},
    {"linear_forward_gelu", "MNK", 1, 2, 0, call_linear_forward_gelu,
     {{"MK", 't', 'i', 0}, {"NK", 'f', 'i', 0}, {"N", 'f', 'I', 0}, {"MN", 't', 'o', 0}, {"MN", 't', 'o', 0}},
     {{0, 5, 3}, {3, 0, 5}, {3, 5, 0}, {1, 1, 1}, {5, 3, 7}, {16, 17, 33}, {129, 67, 31}, {250, 48, 96},
      {141, 160, 521},
      {3, 32, 64}, {133, 64, 32}, {2, 96, 128}}},
    {"linear_backward_gelu", "MNK", 1, 1, -2, call_linear_backward_gelu,
     {{"MN", 't', 'i', 0}, {"NK", 'f', 'i', 0}, {"MK", 't', 'i', 0}, {"MK", 't', 'o', 0}, {"K", 'S', 'b', 0}},
     {{0, 5, 3}, {3, 0, 5}, {3, 5, 0}, {1, 1, 1}, {5, 3, 7}, {16, 17, 33}, {129, 67, 31}, {250, 48, 96},
      {141, 521, 160},
      {3, 32, 64}, {133, 64, 32}, {2, 96, 128}}},
    {"linear_backward_x", "MNK", 2, 1, 0, call_linear_backward_x,
     {{"MN", 't', 'i', 0}, {"NK", 'f', 'i', 0}, {"MK", 'u', 'o', 0}},
     {{0, 5, 3}, {3, 0, 5}, {3, 5, 0}, {1, 1, 1}, {5, 3, 7}, {16, 17, 33}, {129, 67, 31}, {250, 48, 96},
      {141, 521, 160}, {70, 160, 192},
      {3, 32, 64}, {133, 64, 32}, {2, 96, 128}}},
    {"linear_backward_w", "MNK", 1, 2, 0, call_linear_backward_w,
     {{"MN", 't', 'i', 0}, {"MK", 't', 'i', 0}, {"NK", 'f', 'b', 0}},
     {{0, 5, 3}, {3, 0, 5}, {3, 5, 0}, {1, 1, 1}, {5, 3, 7}, {5, 1, 3}, {17, 33, 16}, {4099, 67, 31}, {515, 257, 401}}},
    {"matmul_nt", "MNK", 1, 1, 0, call_matmul_nt,
     {{"Mq", 't', 'i', 0}, {"Nq", 't', 'i', 0}, {"Mr", 'f', 'b', 0}},
     {{0, 5, 3}, {3, 0, 5}, {3, 5, 0}, {1, 1, 1}, {5, 3, 7}, {1, 517, 33}, {259, 67, 131}, {17, 523, 1031}}},
    {"attention", "BKHE", 1, 2, -2, call_attention,
     {{"BK3HE", 't', 'i', 0}, {"BKHE", 't', 'o', 0}, {"BHK", 'S', 'O', 0}},
     {{0, 5, 1, 4}, {1, 5, 1, 0}, {1, 1, 1, 1}, {2, 3, 3, 5}, {2, 17, 2, 16}, {1, 50, 3, 32}, {2, 131, 2, 64},
      {1, 251, 2, 128}, {1, 67, 1, 24}, {1, 250, 3, 64}, {1, 37, 2, 150}}},
    {"attention_backward", "BKHE", 1, 1, -2, call_attention_backward,
     {{"BK3HE", 't', 'i', 0}, {"BKHE", 't', 'i', 0}, {"BK3HE", 't', 'o', '~'}},
     {{0, 5, 1, 4}, {1, 5, 1, 0}, {1, 1, 1, 1}, {2, 3, 3, 5}, {2, 17, 2, 16}, {1, 50, 3, 32}, {2, 131, 2, 64},
      {1, 251, 2, 128}, {1, 67, 1, 24}, {1, 250, 3, 64}, {1, 37, 2, 150}}},
    {"rotate", "BKHE", 1, 2, 0, call_rotate, {{"KE", 'f', 'i', 0}, {"BK3HE", 't', 'b', 0}},
     {{0, 5, 1, 4}, {1, 5, 1, 0}, {1, 1, 1, 2}, {2, 3, 3, 6}, {2, 17, 2, 16}, {1, 50, 3, 32}, {2, 31, 2, 64},
      {1, 37, 2, 150}, {3, 7, 5, 24}}},
    {"cosine_loss", "MD", 0, 2, 0, call_cosine_loss,
     {{"MD", 'f', 'i', 0}, {"MD", 'f', 'i', 0}, {"1", 'd', 'b', 0}, {"MD", 'f', 'O', 0}},
     {{0, 5}, {1, 1}, {1, 2}, {3, 7}, {17, 33}, {517, 67}, {7, 769}, {5, 260}, {2, 520}, {9, 1024}}},
    {"infonce", "BE", 0, 16, 0, call_infonce,
     {{"BE", 'f', 'i', 0}, {"BE", 'f', 'i', 0}, {"B", 'i', 'i', 0}, {"B", 'i', 'i', 0}, {"2", 'd', 'b', 0},
      {"BE", 'f', 'O', 0}, {"BE", 'f', 'O', 0}},
     {{0, 5}, {1, 1}, {3, 7}, {17, 33}, {67, 131}}},
    {"sum_squares", "n", 0, 1, 0, call_sum_squares, {{"n", 'f', 'i', 0}, {"1", 'd', 'b', 0}},
     {{0}, {1}, {7}, {33}, {1009}, {5003}, {100003}}},
    {"adamw", "n", 0, 2, 0, call_adamw,
     {{"n", 'f', 'b', 0}, {"n", 'f', 'b', 0}, {"n", 'f', 'b', 0}, {"n", 'f', 'b', '+'}, {"n", 'f', 'B', 0}},
     {{0}, {1}, {7}, {33}, {1009}, {5003}, {40009}}},
    {"linear_adamw", "MNK", 1, 2, -2, call_linear_adamw,
     {{"Nq", 'f', 'b', 0}, {"Nq", 'f', 'b', 0}, {"Nq", 'f', 'b', 0}, {"Nq", 'f', 'b', '+'}, {"Nq", 'f', 'B', 0},
      {"MK", 't', 'i', 0}, {"MN", 't', 'i', 0}, {"MN", 't', 'o', 0}, {"MK", 't', 'o', 0}, {"MN", 't', 'O', 0}},
     {{3, 5, 0}, {1, 1, 1}, {5, 3, 7}, {3, 16, 32}, {3, 32, 64}, {4, 96, 32}, {3, 160, 192}, {5, 67, 129}}},
    {"frames", "Tnh", 0, 1, 0, call_frames,
     {{"w", 'f', 'i', 0}, {"n", 'f', 'i', 0}, {"Tn", 'f', 'o', 0}},
     {{0, 5, 3}, {1, 1, 1}, {3, 7, 5}, {17, 400, 160}}},
    {"log_mel", "TMN", 0, 1, 2e-6, call_log_mel, {{"2NT", 'f', 'i', 0}, {"Ms", 'f', 'b', 0}},
     {{0, 5, 9}, {1, 1, 1}, {3, 7, 9}, {17, 5, 33}, {67, 80, 201}}},
    {"mel", "BnT", 0, 4, 1e-4, call_mel, {{"Bn", 'f', 'i', 0}, {"B3T", 'f', 'o', '~'}},
     {{0, 9, 1}, {1, 9, 1}, {3, 9, 4}, {2, 33, 11}, {1, 401, 3}, {2, 1601, 11}, {3, 2003, 13}, {2, 5003, 31}}},
    {"top_k", "RNK", 0, 1, 0, call_top_k,
     {{"Rr", 'f', 'i', 'q'}, {"RK", 'f', 'o', 0}, {"RK", 'l', 'o', 0}},
     {{0, 5, 3}, {1, 1, 1}, {3, 7, 10}, {17, 1009, 1}, {5, 515, 10}, {3, 301, 100}, {2, 1301, 600}}},
};

enum { op_count = sizeof op_table / sizeof *op_table };

/* How many elements a buffer of this shape has. */
static int64_t op_elements(const struct op *o, const char *shape, const int64_t *d)
{
    int64_t n = 1, T = 0, K = 0, N = 0;
    for (int i = 0; o->dims[i]; i++) {
        T = o->dims[i] == 'T' ? d[i] : T;
        K = o->dims[i] == 'K' ? d[i] : K;
        N = o->dims[i] == 'N' ? d[i] : N;
    }
    for (const char *c = shape; *c; c++) {
        const char *at = strchr(o->dims, *c);
        n *= at ? d[at - o->dims]
             : *c >= '1' && *c <= '3' ? *c - '0'
             : *c == 'C' ? op_classes
             : *c == 'x' ? 16
             : *c == 'y' ? 256
             : *c == 'k' ? K + 1
             : *c == 'p' ? T / 16
             : *c == 'q' ? K + 3
             : *c == 'r' ? N + 5
             : *c == 's' ? T + 3
             : *c == 't' ? 2 * N + 3
                         : d[0] * d[2] + d[1];
    }
    return n;
}

static size_t op_width(const struct op_buffer *b, enum sjk_type t, enum sjk_type u)
{
    switch (b->type) {
    case 't': return sjk_type_size(t);
    case 'u': return sjk_type_size(u);
    case 'd':
    case 'l': return 8;
    default: return 4;
    }
}

#endif
