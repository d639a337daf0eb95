/* state_dnnl: oneDNN's engine, streams and the making and running of one primitive. */
#include "onednn.h"

#include <omp.h>
#include <stdlib.h>

int onednn_check(struct sjk *k, dnnl_status_t s, const char *what)
{
    if (s == dnnl_success)
        return 0;
    int status = s == dnnl_out_of_memory ? SJK_MEMORY : SJK_DEVICE;
    return sjk_fail(k, status, "%s failed in oneDNN (status %d)", what, (int)s);
}

static void state_free(void *state)
{
    struct onednn *d = state;
    struct plan *product = &d->product[0][0][0];
    for (size_t i = 0; i < sizeof d->product / sizeof *product; i++)
        onednn_plan_free(&product[i]);
    for (int i = 0; i < d->streams; i++)
        dnnl_stream_destroy(d->stream[i]);
    free(d->stream);
    dnnl_engine_destroy(d->engine);
    free(d);
}

/* Keeps oneDNN to the instructions of the table. It refuses once it is in use: then the first choice stays in force,
 * which changes the speed of the products only. */
static void restrict_isa(const char *name)
{
    if (!strcmp(name, "portable"))
        dnnl_set_max_cpu_isa(dnnl_cpu_isa_sse41);
    else if (!strcmp(name, "avx2"))
        dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx2);
    else if (!strcmp(name, "avx512"))
        dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx512_core);
}

/* Whether all instructions of the set are in use; the library's values are sets of bits. */
static int uses(dnnl_cpu_isa_t isa)
{
    return (dnnl_get_effective_cpu_isa() & isa) == isa;
}

struct onednn *onednn_state(struct sjk *k)
{
    struct sjk_cpu *own = k->own;
    if (own->dnnl)
        return own->dnnl;
    struct onednn *d = calloc(1, sizeof *d);
    dnnl_stream_t *stream = calloc((size_t)k->threads, sizeof *stream);
    restrict_isa(k->ops->name);
    if (!d || !stream || dnnl_engine_create(&d->engine, dnnl_cpu, 0) != dnnl_success) {
        free(d);
        free(stream);
        sjk_fail(k, SJK_MEMORY, "no memory for oneDNN's engine");
        return NULL;
    }
    d->stream = stream;
    d->rows = own->rows;
    d->native_bf16 = uses(dnnl_cpu_isa_avx512_core_bf16);
    for (; d->streams < k->threads; d->streams++)
        if (dnnl_stream_create(&stream[d->streams], d->engine, dnnl_stream_default_flags) != dnnl_success) {
            state_free(d);
            sjk_fail(k, SJK_MEMORY, "no memory for oneDNN's streams");
            return NULL;
        }
    own->dnnl = d;
    own->dnnl_free = state_free;
    return d;
}

dnnl_status_t onednn_matrix(dnnl_memory_desc_t *m, int64_t rows, int64_t columns, enum sjk_type t,
                            const int64_t stride[2])
{
    const dnnl_dims_t dims = {rows, columns}, strides = {stride[0], stride[1]};
    return dnnl_memory_desc_init_by_strides(m, 2, dims, onednn_type(t), strides);
}

dnnl_status_t onednn_plan(const struct onednn *d, struct plan *p, int add)
{
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t ops = NULL;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_matmul_desc_t matmul;
    dnnl_status_t s;
    s = dnnl_primitive_attr_create(&attr);
    if (!s)
        s = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    if (!s)
        s = dnnl_post_ops_create(&ops);
    if (!s && add)
        s = dnnl_post_ops_append_sum(ops, 1);
    if (!s)
        s = dnnl_primitive_attr_set_post_ops(attr, ops);
    if (!s)
        s = dnnl_matmul_desc_init(&matmul, &p->src, &p->weights, p->bias.ndims ? &p->bias : NULL, &p->dst);
    if (!s)
        s = dnnl_primitive_desc_create(&desc, &matmul, attr, d->engine, NULL);
    if (!s)
        s = dnnl_primitive_create(&p->primitive, desc);
    if (s == dnnl_success) {
        p->weights = *dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0);
        p->scratch = *dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
        p->scratch_size = dnnl_memory_desc_get_size(&p->scratch);
    }
    if (desc)
        dnnl_primitive_desc_destroy(desc);
    if (ops)
        dnnl_post_ops_destroy(ops);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    return s;
}

void onednn_plan_free(struct plan *p)
{
    if (p->primitive)
        dnnl_primitive_destroy(p->primitive);
    p->primitive = NULL;
}

dnnl_status_t onednn_run(const struct onednn *d, int t, const struct plan *p, const void *src, const void *weights,
                         const float *bias, void *dst, void *scratch)
{
    const struct {
        int name;
        const dnnl_memory_desc_t *desc;
        const void *data;
    } use[] = {
        {DNNL_ARG_SRC, &p->src, src},
        {DNNL_ARG_WEIGHTS, &p->weights, weights},
        {DNNL_ARG_DST, &p->dst, dst},
        {DNNL_ARG_SCRATCHPAD, &p->scratch, scratch},
        {DNNL_ARG_BIAS, &p->bias, bias},
    };
    int n = bias ? 5 : 4, made = 0;
    dnnl_exec_arg_t arg[5];
    dnnl_status_t s = dnnl_success;
    for (; made < n && s == dnnl_success; made += s == dnnl_success) {
        arg[made].arg = use[made].name;
        s = dnnl_memory_create(&arg[made].memory, use[made].desc, d->engine, (void *)(uintptr_t)use[made].data);
    }
    if (s == dnnl_success)
        s = dnnl_primitive_execute(p->primitive, d->stream[t], n, arg);
    while (made-- > 0)
        dnnl_memory_destroy(arg[made].memory);
    return s;
}
