/* onednn: what the matrix product sources share about the oneDNN library.
 *
 * Work is cut into tiles whose shape depends on the operands' shapes only; each tile is one single-threaded primitive
 * run by one of k->threads threads. So no sum depends on the number of threads, and any number of rows needs only a
 * few primitives. */
#ifndef SJK_ONEDNN_H
#define SJK_ONEDNN_H

#include "cpu.h"

#include <dnnl.h>

/* A matrix product ready to run on one thread. */
struct plan {
    dnnl_primitive_t primitive;
    dnnl_memory_desc_t src, weights, bias, dst, scratch;
    size_t scratch_size;
};

/* oneDNN's part of an open back end. */
struct onednn {
    dnnl_engine_t engine;
    const struct sjk_rows *rows;
    int native_bf16; /* else bf16 operands are widened to f32 */
    int streams;
    dnnl_stream_t *stream;        /* one per thread */
    struct plan product[2][2][2]; /* see product_dnnl.c */
};

/* The state of `k`, made at first use; NULL with the reason recorded. */
struct onednn *onednn_state(struct sjk *k);

/* Records that `what` failed with `s`, when it did; returns the status for the caller. */
int onednn_check(struct sjk *k, dnnl_status_t s, const char *what);

/* The primitive of y = (add ? y : 0) + src weights + bias: sets everything of *p from its src, weights, bias (ndims 0:
 * none)
 * and dst, and resolves the weights' format where that is "any". To be created with one OpenMP thread in force. */
dnnl_status_t onednn_plan(const struct onednn *d, struct plan *p, int add);
void onednn_plan_free(struct plan *p);

/* Runs `p` with user memory on thread `t`; bias NULL where the plan has none. */
dnnl_status_t onednn_run(const struct onednn *d, int t, const struct plan *p, const void *src, const void *weights,
                         const float *bias, void *dst, void *scratch);

static inline dnnl_data_type_t onednn_type(enum sjk_type t)
{
    return t == SJK_BF16 ? dnnl_bf16 : dnnl_f32;
}

/* Describes a (rows, columns) matrix with strides in elements. */
dnnl_status_t onednn_matrix(dnnl_memory_desc_t *m, int64_t rows, int64_t columns, enum sjk_type t,
                            const int64_t stride[2]);

static inline size_t onednn_round(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

#endif
