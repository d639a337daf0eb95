/* cpu: what the sources of the CPU back ends share. Not for callers.
 *
 * A `struct sjk` is used by one thread at a time; the operations start k->threads OpenMP threads themselves. */
#ifndef SJK_CPU_H
#define SJK_CPU_H

#include "sjk.h"

#include <string.h>

enum { SJK_BAD = 2, SJK_MEMORY = 4, SJK_DEVICE = 5 }; /* statuses, as in sjk.h */

/* Inner loops of an instruction set for sources that are compiled once. */
struct sjk_rows {
    void (*convert)(size_t n, const void *x, enum sjk_type xt, void *y, enum sjk_type yt);
    /* y = gelu(x) or max(x, 0); x may be y. */
    void (*activate)(size_t n, const void *x, enum sjk_type xt, void *y, enum sjk_type yt, enum sjk_epilogue);
    /* dW f32 (N, K) = (with add: +=) dy^T x over M rows of bf16; NULL where the set has no products of bf16 pairs. */
    int (*weight_gradient)(struct sjk *, int64_t M, int64_t N, int64_t K, const void *dy, const void *x, float *dW,
                           int add);
};

struct sjk_packing; /* cpu_ops.h */

/* A linear layer of a CPU table begins with how it is computed; linear.c checks the arguments and calls through it. */
struct sjk_linear_kind {
    void (*free)(struct sjk *, struct sjk_linear *);
    int (*pack)(struct sjk *, struct sjk_linear *, const float *W, int which);
    /* Where packed weights of the wanted directions are to go; the caller says which they are. NULL: only pack knows. */
    int (*packing)(struct sjk *, struct sjk_linear *, int which, struct sjk_packing *);
    int (*forward)(struct sjk *, struct sjk_linear *, int64_t M, const void *x, const float *bias, const float *added,
                   void *y, enum sjk_type yt, enum sjk_epilogue);
    /* NULL: forward, then the table's gelu. */
    int (*forward_gelu)(struct sjk *, struct sjk_linear *, int64_t M, const void *x, const float *bias, void *before,
                        void *y);
    /* NULL: backward_x, then the table's gelu_backward. */
    int (*backward_gelu)(struct sjk *, struct sjk_linear *, int64_t M, const void *dy, const void *before, void *dx,
                         float *dbias);
    int (*backward_x)(struct sjk *, struct sjk_linear *, int64_t M, const void *dy, void *dx, enum sjk_type dxt);
    int (*backward_w)(struct sjk *, struct sjk_linear *, int64_t M, const void *dy, const void *x, float *dW, int add);
};

struct sjk_linear {
    const struct sjk_linear_kind *kind;
    int64_t N, K;
    enum sjk_type t;
    int packed; /* enum sjk_pack bits that have been taken over */
};

void sjk_linear_free(struct sjk *, struct sjk_linear *);
int sjk_linear_pack(struct sjk *, struct sjk_linear *, const float *W, int which);
/* Packs the layers of one place from the parameters. */
int sjk_layer_pack(struct sjk *, const struct sjk_parameters *, const struct sjk_layer *);
int sjk_linear_forward(struct sjk *, struct sjk_linear *, int64_t M, const void *x, const float *bias,
                       const float *added, void *y, enum sjk_type yt, enum sjk_epilogue);
int sjk_linear_forward_gelu(struct sjk *, struct sjk_linear *, int64_t M, const void *x, const float *bias,
                            void *before, void *y);
int sjk_linear_backward_x(struct sjk *, struct sjk_linear *, int64_t M, const void *dy, void *dx, enum sjk_type dxt);
int sjk_linear_backward_gelu(struct sjk *, struct sjk_linear *, int64_t M, const void *dy, const void *before, void *dx,
                             float *dbias);
int sjk_linear_backward_w(struct sjk *, struct sjk_linear *, int64_t M, const void *dy, const void *x, float *dW,
                          int add);

/* What every back end keeps for open.c; its own data begin with it. */
struct sjk_own {
    void (*close)(struct sjk *); /* releases all of it, k too */
    int has_bf16;
};

/* The CPU's part of an open back end. */
struct sjk_cpu {
    struct sjk_own own;
    const struct sjk_rows *rows; /* NULL in the reference */
    void *scratch;
    size_t scratch_size;
    void *dnnl;                 /* made at first use by linear_dnnl.c, NULL before */
    void (*dnnl_free)(void *);
};

/* Records the reason and returns `status`. */
int sjk_fail(struct sjk *, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* `bytes` of 64-byte aligned memory for free(), not cleared; NULL without memory. */
void *sjk_memory(size_t bytes);

/* `bytes` of 64-byte aligned scratch, not cleared, valid until the next call; NULL (reason recorded) without memory. */
void *sjk_scratch(struct sjk *, size_t bytes);

/* Sums over rows are taken in blocks of rows, each on one thread, then over the blocks in order. At most 64 blocks, set
 * by the number of rows alone, so that results do not depend on the number of threads. */
static inline int64_t sjk_block_rows(int64_t rows)
{
    return rows <= 64 * 32 ? 32 : (rows + 63) / 64;
}

static inline int64_t sjk_blocks(int64_t rows)
{
    return (rows + sjk_block_rows(rows) - 1) / sjk_block_rows(rows);
}

/* Threads for `work` elements: one where starting the others would take longer. */
static inline int sjk_team(const struct sjk *k, int64_t work)
{
    return work < 32768 ? 1 : k->threads;
}

static inline int64_t sjk_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Memory operations of every CPU table. */
int sjk_cpu_alloc(struct sjk *, size_t bytes, void **p);
void sjk_cpu_free(struct sjk *, void *p);
int sjk_cpu_put(struct sjk *, void *dst, const void *host, size_t bytes);
int sjk_cpu_copy(struct sjk *, void *dst, const void *src, size_t bytes);
int sjk_cpu_zero(struct sjk *, void *dst, size_t bytes);
int sjk_cpu_sync(struct sjk *);
int sjk_cpu_begin(struct sjk *, uint64_t key);
int sjk_cpu_end(struct sjk *);
int sjk_cpu_inbox_new(struct sjk *, size_t bytes, struct sjk_inbox **);
void sjk_cpu_inbox_free(struct sjk *, struct sjk_inbox *);
void *sjk_cpu_inbox_host(struct sjk *, struct sjk_inbox *);
int sjk_cpu_inbox_send(struct sjk *, struct sjk_inbox *);
int sjk_cpu_inbox_take(struct sjk *, struct sjk_inbox *, const void **data);

/* Round to nearest even; a NaN stays one. */
static inline uint16_t sjk_to_bf16(float x)
{
    uint32_t u;
    memcpy(&u, &x, 4);
    if ((u & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)(u >> 16 | 0x40u);
    return (uint16_t)((u + 0x7fffu + (u >> 16 & 1u)) >> 16);
}

static inline float sjk_from_bf16(uint16_t x)
{
    uint32_t u = (uint32_t)x << 16;
    float f;
    memcpy(&f, &u, 4);
    return f;
}

static inline float sjk_load(const void *p, enum sjk_type t, size_t i)
{
    return t == SJK_BF16 ? sjk_from_bf16(((const uint16_t *)p)[i]) : ((const float *)p)[i];
}

static inline void sjk_store(void *p, enum sjk_type t, size_t i, float x)
{
    if (t == SJK_BF16)
        ((uint16_t *)p)[i] = sjk_to_bf16(x);
    else
        ((float *)p)[i] = x;
}

#endif
