/* linear_dnnl: linear layers with packed weights. Rows are computed in blocks of 64, then 16; the last block is padded
 * in scratch, so that a layer needs two primitives per kind of output whatever the number of rows. Where the processor
 * has no bf16 products, blocks are widened to f32 in scratch too. GELU and ReLU follow on the block while it is in the
 * cache: they cost half of oneDNN's and keep NaN. */
#include "linear_dnnl.h"
#include "onednn.h"

#include <omp.h>
#include <stdlib.h>

enum {
    block_rows = 64, /* as fast as all rows in one product */
    rest_rows = 16,
    few_rows = 128   /* up to here blocks of rest_rows, so that several threads have work */
};

/* One direction of a layer: y (M, out) = x (M, in) times packed weights (in, out). */
struct side {
    int64_t in, out;
    int64_t stride[2]; /* of the weights in W */
    void *packed;      /* NULL before linear_pack */
    dnnl_memory_desc_t format;
    dnnl_primitive_t pack;          /* W -> packed, on all threads */
    struct plan *plan[2][2][2][2]; /* [short block][type made][add][bias], made at first use */
};

struct layer {
    struct sjk_linear base;
    enum sjk_type compute; /* operands as multiplied */
    struct side side[2];   /* forward, backward_x */
};

static void side_free(struct side *s)
{
    struct plan **plan = &s->plan[0][0][0][0];
    for (size_t i = 0; i < sizeof s->plan / sizeof *plan; i++)
        if (plan[i]) {
            onednn_plan_free(plan[i]);
            free(plan[i]);
        }
    if (s->pack)
        dnnl_primitive_destroy(s->pack);
    free(s->packed);
}

static void layer_free(struct sjk *k, struct sjk_linear *base)
{
    struct layer *l = (struct layer *)base;
    (void)k;
    side_free(&l->side[0]);
    side_free(&l->side[1]);
    free(l);
}

static dnnl_status_t dense(dnnl_memory_desc_t *m, int64_t rows, int64_t columns, enum sjk_type t)
{
    return onednn_matrix(m, rows, columns, t, (int64_t[]){columns, 1});
}

/* The plan of one kind of block, made when missing; NULL with *status set. The weights take the packed format, or
 * leave it to oneDNN when nothing is packed yet. One OpenMP thread must be in force. */
static struct plan *side_plan(const struct onednn *d, const struct layer *l, struct side *s, int rest,
                              enum sjk_type made, int add, int bias, dnnl_status_t *status)
{
    struct plan **at = &s->plan[rest][made][add][bias], *p = *at;
    if (p)
        return p;
    *status = dnnl_out_of_memory;
    if (!(p = calloc(1, sizeof *p)))
        return NULL;
    int64_t rows = rest ? rest_rows : block_rows;
    const dnnl_dims_t weights = {s->in, s->out};
    *status = dense(&p->src, rows, s->in, l->compute);
    if (!*status)
        *status = dense(&p->dst, rows, s->out, made);
    if (!*status && bias)
        *status = dense(&p->bias, 1, s->out, SJK_F32);
    if (s->packed)
        p->weights = s->format;
    else if (!*status)
        *status = dnnl_memory_desc_init_by_tag(&p->weights, 2, weights, onednn_type(l->compute), dnnl_format_tag_any);
    if (!*status)
        *status = onednn_plan(d, p, add);
    if (*status) {
        free(p);
        return NULL;
    }
    *at = p;
    return p;
}

/* Settles the packed format, allocates it and makes the packing primitive. */
static int side_open(struct sjk *k, struct layer *l, struct side *s)
{
    struct onednn *d = onednn_state(k);
    int threads = omp_get_max_threads();
    dnnl_status_t status = dnnl_success;
    omp_set_num_threads(1);
    struct plan *p = side_plan(d, l, s, 0, l->compute, 0, 0, &status);
    omp_set_num_threads(threads);
    if (!p)
        return onednn_check(k, status, "planning a matrix product");
    dnnl_memory_desc_t from;
    dnnl_primitive_desc_t desc = NULL;
    status = onednn_matrix(&from, s->in, s->out, SJK_F32, s->stride);
    if (!status)
        status = dnnl_reorder_primitive_desc_create(&desc, &from, d->engine, &p->weights, d->engine, NULL);
    if (!status)
        status = dnnl_primitive_create(&s->pack, desc);
    if (desc)
        dnnl_primitive_desc_destroy(desc);
    if (status)
        return onednn_check(k, status, "planning the packing of weights");
    s->format = p->weights;
    s->packed = sjk_memory(dnnl_memory_desc_get_size(&p->weights));
    return s->packed ? 0 : sjk_fail(k, SJK_MEMORY, "no memory for packed weights");
}

static dnnl_status_t side_pack(const struct onednn *d, const struct side *s, const float *W)
{
    dnnl_memory_desc_t desc;
    dnnl_memory_t from = NULL, to = NULL;
    dnnl_status_t status = onednn_matrix(&desc, s->in, s->out, SJK_F32, s->stride);
    if (!status)
        status = dnnl_memory_create(&from, &desc, d->engine, (void *)(uintptr_t)W);
    if (!status)
        status = dnnl_memory_create(&to, &s->format, d->engine, s->packed);
    if (!status) {
        const dnnl_exec_arg_t arg[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
        status = dnnl_primitive_execute(s->pack, d->stream[0], 2, arg);
    }
    if (from)
        dnnl_memory_destroy(from);
    if (to)
        dnnl_memory_destroy(to);
    return status;
}

static int pack(struct sjk *k, struct sjk_linear *base, const float *W, int which)
{
    struct layer *l = (struct layer *)base;
    size_t n = (size_t)(base->N * base->K);
    int status = 0;
    for (int i = 0; i < 2 && !status; i++)
        if (which & (i ? SJK_PACK_BACKWARD : SJK_PACK_FORWARD) && !l->side[i].packed)
            status = side_open(k, l, &l->side[i]);
    if (status)
        return status;
    if (base->t != l->compute) {
        float *rounded = sjk_scratch(k, n * sizeof *rounded);
        if (!rounded)
            return SJK_MEMORY;
#pragma omp parallel for num_threads(k->threads)
        for (size_t i = 0; i < n; i++)
            rounded[i] = sjk_from_bf16(sjk_to_bf16(W[i]));
        W = rounded;
    }
    int threads = omp_get_max_threads();
    omp_set_num_threads(k->threads);
    for (int i = 0; i < 2 && !status; i++)
        if (which & (i ? SJK_PACK_BACKWARD : SJK_PACK_FORWARD))
            status = onednn_check(k, side_pack(onednn_state(k), &l->side[i], W), "packing weights");
    omp_set_num_threads(threads);
    return status;
}

/* A product of M rows: what all threads share. */
struct job {
    const struct onednn *d;
    const struct layer *l;
    const struct side *s;
    const struct plan *plan[2]; /* long and short blocks */
    int64_t M, blocks, long_blocks;
    const char *x;
    const float *bias;
    const float *added; /* of SJK_ADD */
    char *before;       /* what the activation takes, when it is wanted too */
    char *y, *scratch;
    enum sjk_type yt, made; /* the type wanted, and the one that oneDNN makes */
    enum sjk_epilogue e;
    int activate;
    size_t plan_size, in_size, out_size, thread_size; /* parts of each thread's scratch */
};

/* Block i of the job on thread t. */
static dnnl_status_t job_block(const struct job *j, int t, int64_t i)
{
    int rest = i >= j->long_blocks;
    int64_t first = rest ? j->long_blocks * block_rows + (i - j->long_blocks) * rest_rows : i * block_rows;
    int64_t size = rest ? rest_rows : block_rows, rows = j->M - first < size ? j->M - first : size;
    int64_t in = j->s->in, out = j->s->out;
    char *own = j->scratch + (size_t)t * j->thread_size, *stage_in = own + j->plan_size;
    char *stage_out = stage_in + j->in_size;
    const char *x = j->x + (size_t)(first * in) * sjk_type_size(j->l->base.t);
    size_t n = (size_t)(rows * out), at = (size_t)(first * out) * sjk_type_size(j->yt);
    char *y = j->y + at, *sum = j->before ? j->before + at : y; /* where the sum belongs */
    char *made = rows < size || j->yt != j->made ? stage_out : sum;
    enum sjk_type type = j->made;
    if (rows < size || j->l->base.t != j->l->compute) {
        size_t width = sjk_type_size(j->l->compute);
        j->d->rows->convert((size_t)(rows * in), x, j->l->base.t, stage_in, j->l->compute);
        memset(stage_in + (size_t)(rows * in) * width, 0, (size_t)((size - rows) * in) * width);
        x = stage_in;
    }
    if (j->added && made != (const char *)(j->added + first * out))
        memcpy(made, j->added + first * out, n * sizeof(float));
    if (j->added && made == stage_out)
        memset(made + n * sizeof(float), 0, (size_t)((size - rows) * out) * sizeof(float));
    dnnl_status_t status = onednn_run(j->d, t, j->plan[rest], x, j->s->packed, j->bias, made, own);
    if (status)
        return status;
    if (made != sum && (j->before || !j->activate)) {
        j->d->rows->convert(n, made, type, sum, j->yt);
        made = sum;
        type = j->yt;
    }
    if (j->activate)
        j->d->rows->activate(n, made, type, y, j->yt, j->e);
    return dnnl_success;
}

static int job_run(struct sjk *k, struct job *j)
{
    size_t a = j->plan[0]->scratch_size, b = j->plan[1]->scratch_size;
    j->plan_size = onednn_round(a > b ? a : b);
    j->in_size = onednn_round((size_t)(block_rows * j->s->in) * sizeof(float));
    j->out_size = onednn_round((size_t)(block_rows * j->s->out) * sizeof(float));
    j->thread_size = j->plan_size + j->in_size + j->out_size;
    j->scratch = sjk_scratch(k, j->thread_size * (size_t)k->threads);
    if (!j->scratch)
        return SJK_MEMORY;
    int bad = 0;
#pragma omp parallel for schedule(dynamic, 1) num_threads(k->threads) reduction(max : bad)
    for (int64_t i = 0; i < j->blocks; i++) {
        int status = (int)job_block(j, omp_get_thread_num(), i);
        bad = status > bad ? status : bad;
    }
    return onednn_check(k, (dnnl_status_t)bad, "a matrix product");
}

/* Runs the job whose operands, bias, results and epilogue are set. */
static int side_run(struct sjk *k, struct layer *l, struct side *s, int64_t M, struct job j)
{
    const float *bias = j.bias;
    j.d = onednn_state(k);
    j.l = l;
    j.s = s;
    j.M = M;
    j.activate = j.e == SJK_GELU || j.e == SJK_RELU;
    j.made = l->compute == SJK_BF16 && (j.before || !j.activate) ? j.yt : SJK_F32;
    j.long_blocks = M <= few_rows ? 0 : M * 3 / 4 / block_rows; /* the short ones even out the threads */
    j.blocks = j.long_blocks + (M - j.long_blocks * block_rows + rest_rows - 1) / rest_rows;
    int threads = omp_get_max_threads(), status = 0;
    dnnl_status_t made = dnnl_success;
    omp_set_num_threads(1);
    for (int rest = 0; rest < 2; rest++)
        if (!(j.plan[rest] = side_plan(j.d, l, s, rest, j.made, j.added != NULL, bias != NULL, &made)))
            status = onednn_check(k, made, "planning a matrix product");
    if (!status)
        status = job_run(k, &j);
    omp_set_num_threads(threads);
    return status;
}

static int forward(struct sjk *k, struct sjk_linear *base, int64_t M, const void *x, const float *bias,
                   const float *added, void *y, enum sjk_type yt, enum sjk_epilogue e)
{
    struct layer *l = (struct layer *)base;
    const struct job j = {.x = x, .bias = bias, .added = added, .y = y, .yt = yt, .e = e};
    return side_run(k, l, &l->side[0], M, j);
}

static int forward_gelu(struct sjk *k, struct sjk_linear *base, int64_t M, const void *x, const float *bias,
                        void *before, void *y)
{
    struct layer *l = (struct layer *)base;
    const struct job j = {.x = x, .bias = bias, .before = before, .y = y, .yt = base->t, .e = SJK_GELU};
    return side_run(k, l, &l->side[0], M, j);
}

static int backward_x(struct sjk *k, struct sjk_linear *base, int64_t M, const void *dy, void *dx, enum sjk_type dxt)
{
    struct layer *l = (struct layer *)base;
    return side_run(k, l, &l->side[1], M, (struct job){.x = dy, .y = dx, .yt = dxt, .e = SJK_STORE});
}

int onednn_linear_new(struct sjk *k, int64_t N, int64_t K, enum sjk_type t, struct sjk_linear **out)
{
    static const struct sjk_linear_kind kind = {
        layer_free, pack, NULL, forward, forward_gelu, NULL, backward_x, onednn_linear_backward_w};
    *out = NULL;
    if (N < 0 || K < 0)
        return sjk_fail(k, SJK_BAD, "linear layer of negative size");
    struct onednn *d = onednn_state(k);
    if (!d)
        return SJK_MEMORY;
    struct layer *l = calloc(1, sizeof *l);
    if (!l)
        return sjk_fail(k, SJK_MEMORY, "no memory for a linear layer");
    l->base = (struct sjk_linear){.kind = &kind, .N = N, .K = K, .t = t};
    l->compute = d->native_bf16 ? t : SJK_F32;
    l->side[0] = (struct side){.in = K, .out = N, .stride = {1, K}};
    l->side[1] = (struct side){.in = N, .out = K, .stride = {K, 1}};
    *out = &l->base;
    return 0;
}
