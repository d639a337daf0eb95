/* product_dnnl: products of two plain matrices: the gradients of weights, and a b^T for search. The result is cut into
 * tiles, each with its whole sum on one thread and in the same order whatever the tile; primitives take their sizes at
 * run time, so that a few serve every shape. */
#include "linear_dnnl.h"
#include "onednn.h"

#include <omp.h>

enum {
    weight_rows = 384, weight_columns = 384, /* tile of a weight gradient; of twice the columns where enough remain */
    score_rows = 256, score_columns = 512,   /* tile of a b^T */
    widen_depth = 512                        /* bf16 operands are widened to f32 this much of the sum at a time */
};

/* C (M, N; ldc) = or += A B, where A (M, K) and B (K, N) have the strides given. */
struct product {
    int64_t M, N, K;
    enum sjk_type t;
    const char *A, *B;
    int transposed;
    int64_t a[2], b[2]; /* strides in elements: {lda, 1} and {1, ldb}; when transposed {1, lda} and {ldb, 1} */
    float *C;
    int64_t ldc;
    int add;
};

/* How a product is run. */
struct job {
    const struct onednn *d;
    const struct plan *plan[2]; /* that stores, that adds */
    int widen;
    int64_t tile_m, tile_n;
    char *scratch;
    size_t plan_size, thread_size; /* of each thread's scratch */
};

static dnnl_status_t describe(struct plan *p, const struct product *w)
{
    dnnl_status_t s = onednn_matrix(&p->src, w->M, w->K, w->t, w->a);
    if (!s)
        s = onednn_matrix(&p->weights, w->K, w->N, w->t, w->b);
    return s ? s : onednn_matrix(&p->dst, w->M, w->N, SJK_F32, (int64_t[]){w->ldc, 1});
}

/* The primitive for this order of operands, type and epilogue, made at first use. */
static dnnl_status_t product_plan(struct onednn *d, const struct product *w, enum sjk_type t, int add,
                                  const struct plan **out)
{
    const int64_t any = DNNL_RUNTIME_DIM_VAL;
    struct plan *p = &d->product[w->transposed][t][add];
    *out = p;
    if (p->primitive)
        return dnnl_success;
    struct product sizes = {.M = any, .N = any, .K = any, .t = t, .a = {any, 1}, .b = {1, any}, .ldc = any};
    if (w->transposed) {
        sizes.a[0] = sizes.b[1] = 1;
        sizes.a[1] = sizes.b[0] = any;
    }
    dnnl_status_t s = describe(p, &sizes);
    return s ? s : onednn_plan(d, p, add);
}

static dnnl_status_t tile_run(const struct job *j, int t, const struct product *w, void *scratch)
{
    struct plan p = *j->plan[w->add];
    dnnl_status_t s = describe(&p, w);
    return s ? s : onednn_run(j->d, t, &p, w->A, w->B, NULL, w->C, scratch);
}

/* y (rows, columns) f32 = x bf16 with rows `step` apart. */
static void widen(const struct job *j, int64_t rows, int64_t columns, const char *x, int64_t step, float *y)
{
    for (int64_t i = 0; i < rows; i++)
        j->d->rows->convert((size_t)columns, x + (size_t)(i * step) * sizeof(uint16_t), SJK_BF16, y + i * columns,
                            SJK_F32);
}

/* One tile of bf16 operands in f32 arithmetic. */
static dnnl_status_t tile_widened(const struct job *j, int t, const struct product *w, void *scratch, float *room)
{
    dnnl_status_t s = dnnl_success;
    for (int64_t k = 0; k < w->K && !s; k += widen_depth) {
        struct product part = *w;
        part.K = w->K - k < widen_depth ? w->K - k : widen_depth;
        part.add = w->add || k > 0;
        part.t = SJK_F32;
        const char *A = w->A + (size_t)(k * w->a[1]) * sizeof(uint16_t);
        const char *B = w->B + (size_t)(k * w->b[0]) * sizeof(uint16_t);
        float *b = room + j->tile_m * widen_depth;
        if (w->transposed) {
            widen(j, part.K, w->M, A, w->a[1], room);
            widen(j, part.K, w->N, B, w->b[0], b);
            part.a[1] = w->M;
            part.b[0] = w->N;
        } else {
            widen(j, w->M, part.K, A, w->a[0], room);
            widen(j, w->N, part.K, B, w->b[1], b);
            part.a[0] = part.b[1] = part.K;
        }
        part.A = (const char *)room;
        part.B = (const char *)b;
        s = tile_run(j, t, &part, scratch);
    }
    return s;
}

static dnnl_status_t tile(const struct job *j, int t, const struct product *whole, int64_t m, int64_t n)
{
    struct product w = *whole;
    size_t width = sjk_type_size(w.t);
    char *scratch = j->scratch + (size_t)t * j->thread_size;
    w.M = whole->M - m < j->tile_m ? whole->M - m : j->tile_m;
    w.N = whole->N - n < j->tile_n ? whole->N - n : j->tile_n;
    w.A += (size_t)(m * w.a[0]) * width;
    w.B += (size_t)(n * w.b[1]) * width;
    w.C += m * w.ldc + n;
    return j->widen ? tile_widened(j, t, &w, scratch, (float *)(void *)(scratch + j->plan_size))
                    : tile_run(j, t, &w, scratch);
}

static int job_run(struct sjk *k, struct job *j, const struct product *w)
{
    size_t a = j->plan[0]->scratch_size, b = j->plan[1]->scratch_size;
    j->plan_size = onednn_round(a > b ? a : b);
    j->thread_size = j->plan_size + (j->widen ? (size_t)((j->tile_m + j->tile_n) * widen_depth) * sizeof(float) : 0);
    j->scratch = sjk_scratch(k, j->thread_size * (size_t)k->threads);
    if (!j->scratch)
        return SJK_MEMORY;
    int64_t rows = (w->M + j->tile_m - 1) / j->tile_m, columns = (w->N + j->tile_n - 1) / j->tile_n;
    int bad = 0;
#pragma omp parallel for schedule(dynamic, 1) num_threads(k->threads) reduction(max : bad)
    for (int64_t i = 0; i < rows * columns; i++) {
        int s = (int)tile(j, omp_get_thread_num(), w, i / columns * j->tile_m, i % columns * j->tile_n);
        bad = s > bad ? s : bad;
    }
    return onednn_check(k, (dnnl_status_t)bad, "a matrix product");
}

static int product_run(struct sjk *k, const struct product *w, int64_t tile_m, int64_t tile_n)
{
    if (w->M <= 0 || w->N <= 0 || w->K <= 0)
        return 0;
    struct onednn *d = onednn_state(k);
    if (!d)
        return SJK_MEMORY;
    struct job j = {.d = d, .tile_m = tile_m, .tile_n = tile_n, .widen = w->t == SJK_BF16 && !d->native_bf16};
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    dnnl_status_t s = dnnl_success;
    for (int add = 0; add < 2 && !s; add++)
        s = product_plan(d, w, j.widen ? SJK_F32 : w->t, add, &j.plan[add]);
    int status = s ? onednn_check(k, s, "planning a matrix product") : job_run(k, &j, w);
    omp_set_num_threads(threads);
    return status;
}

int onednn_linear_backward_w(struct sjk *k, struct sjk_linear *l, int64_t M, const void *dy, const void *x, float *dW,
                             int add)
{
    int64_t N = l->N, K = l->K;
    const struct sjk_rows *rows = ((struct sjk_cpu *)k->own)->rows;
    if (l->t == SJK_BF16 && rows->weight_gradient)
        return rows->weight_gradient(k, M, N, K, dy, x, dW, add);
    const struct product w = {.M = N, .N = K, .K = M, .t = l->t, .transposed = 1, .A = dy, .a = {1, N}, .B = x,
                              .b = {K, 1}, .C = dW, .ldc = K, .add = add};
    int64_t wide = 2 * weight_columns, tiles = (N + weight_rows - 1) / weight_rows * ((K + wide - 1) / wide);
    return product_run(k, &w, weight_rows, tiles < k->threads ? weight_columns : wide);
}

int onednn_matmul_nt(struct sjk *k, int64_t M, int64_t N, int64_t K, enum sjk_type t, const void *A, int64_t lda,
                     const void *B, int64_t ldb, float *C, int64_t ldc)
{
    if (lda < K || ldb < K || ldc < N)
        return sjk_fail(k, SJK_BAD, "matrix product with a row stride shorter than a row");
    const struct product w = {
        .M = M, .N = N, .K = K, .t = t, .A = A, .a = {lda, 1}, .B = B, .b = {1, ldb}, .C = C, .ldc = ldc};
    return product_run(k, &w, score_rows, score_columns);
}
