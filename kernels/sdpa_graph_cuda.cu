/* sdpa_graph: attention as cuDNN operation graphs. Terms of cuDNN's back-end interface: a tensor that no memory stands
 * for is virtual, one whose value comes from the host is by value; a finalised descriptor does not change any more. */
#include "sdpa_graph_cuda.h"

#include <stdio.h>
#include <string.h>

typedef cudnnBackendDescriptor_t desc;

enum { most_operations = 24, most_configs = 8, first_virtual = 100 };

/* A graph being built: after the first failure nothing more happens. */
struct graph {
    struct sdpa_plan *p;
    cudnnStatus_t status;
    const char *failed;
    desc operation[most_operations];
    int operations;
    int64_t next_virtual;
};

/* Sizes and steps (in elements) of a tensor (B, H, rows, columns). */
struct view {
    int64_t size[4], step[4];
};

void sdpa_reason(char *why, size_t size, const char *what, cudnnStatus_t status)
{
    char words[512] = "";
    size_t v = cudnnGetVersion();
    cudnnGetLastErrorString(words, sizeof words);
    words[strcspn(words, "\n")] = '\0';
    snprintf(why, size, "cuDNN %zu.%zu.%zu: %s: %s%s%s", v / 10000, v / 100 % 100, v % 100, what,
             cudnnGetErrorString(status), *words ? ": " : "", words);
}

static void note(struct graph *g, cudnnStatus_t status, const char *what)
{
    if (status != CUDNN_STATUS_SUCCESS && g->status == CUDNN_STATUS_SUCCESS) {
        g->status = status;
        g->failed = what;
    }
}

static desc make(struct graph *g, cudnnBackendDescriptorType_t type)
{
    desc d = NULL;
    if (g->p->n == sdpa_descriptors)
        note(g, CUDNN_STATUS_INTERNAL_ERROR, "too many descriptors");
    if (g->status == CUDNN_STATUS_SUCCESS)
        note(g, cudnnBackendCreateDescriptor(type, &d), "descriptor");
    if (d)
        g->p->all[g->p->n++] = d;
    return d;
}

static void set(struct graph *g, desc d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t n,
                const void *value)
{
    if (g->status == CUDNN_STATUS_SUCCESS)
        note(g, cudnnBackendSetAttribute(d, name, type, n, value), "attribute");
}

static void set_desc(struct graph *g, desc d, cudnnBackendAttributeName_t name, desc value)
{
    set(g, d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

static desc finish(struct graph *g, desc d, const char *what)
{
    if (g->status == CUDNN_STATUS_SUCCESS)
        note(g, cudnnBackendFinalize(d), what);
    return d;
}

static desc tensor(struct graph *g, int64_t id, cudnnDataType_t type, const struct view *v, bool is_virtual,
                   bool by_value)
{
    desc d = make(g, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    const int64_t alignment = 16;
    set(g, d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    set(g, d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, v->size);
    set(g, d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, v->step);
    set(g, d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id);
    set(g, d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment);
    if (is_virtual)
        set(g, d, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual);
    if (by_value)
        set(g, d, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &by_value);
    return finish(g, d, "tensor");
}

static desc bf16(struct graph *g, enum sdpa_tensor id, struct view v)
{
    return tensor(g, id, CUDNN_DATA_BFLOAT16, &v, false, false);
}

static desc f32(struct graph *g, enum sdpa_tensor id, struct view v)
{
    return tensor(g, id, CUDNN_DATA_FLOAT, &v, false, false);
}

static desc inner(struct graph *g, cudnnDataType_t type, struct view v)
{
    return tensor(g, g->next_virtual++, type, &v, true, false);
}

static desc number(struct graph *g, enum sdpa_tensor id)
{
    const struct view one = {{1, 1, 1, 1}, {1, 1, 1, 1}};
    return tensor(g, id, CUDNN_DATA_FLOAT, &one, false, true);
}

/* One of q, k, v or its gradient within (B, K, 3, H, E). */
static struct view packed(struct sdpa_shape s)
{
    return {{s.B, s.H, s.K, s.E}, {s.K * 3 * s.H * s.E, s.E, 3 * s.H * s.E, 1}};
}

static struct view tokens(struct sdpa_shape s)
{
    return {{s.B, s.H, s.K, s.E}, {s.K * s.H * s.E, s.E, s.H * s.E, 1}};
}

static struct view rows(struct sdpa_shape s)
{
    return {{s.B, s.H, s.K, 1}, {s.H * s.K, s.K, 1, 1}};
}

static struct view scores(struct sdpa_shape s)
{
    return {{s.B, s.H, s.K, s.K}, {s.H * s.K * s.K, s.K * s.K, s.K, 1}};
}

static struct view turned(struct view v)
{
    return {{v.size[0], v.size[1], v.size[3], v.size[2]}, {v.step[0], v.step[1], v.step[3], v.step[2]}};
}

static void add(struct graph *g, desc operation)
{
    finish(g, operation, "operation");
    if (g->operations == most_operations)
        note(g, CUDNN_STATUS_INTERNAL_ERROR, "too many operations");
    if (g->status == CUDNN_STATUS_SUCCESS)
        g->operation[g->operations++] = operation;
}

/* y = x op b, or op x when b is NULL. */
static void pointwise(struct graph *g, cudnnPointwiseMode_t mode, desc x, desc b, desc y)
{
    const cudnnDataType_t f = CUDNN_DATA_FLOAT;
    desc how = make(g, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    set(g, how, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    set(g, how, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &f);
    finish(g, how, "pointwise");
    desc o = make(g, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    set_desc(g, o, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how);
    set_desc(g, o, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
    if (b)
        set_desc(g, o, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b);
    set_desc(g, o, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    add(g, o);
}

static void product(struct graph *g, desc a, desc b, desc c)
{
    const cudnnDataType_t f = CUDNN_DATA_FLOAT;
    desc how = make(g, CUDNN_BACKEND_MATMUL_DESCRIPTOR);
    set(g, how, CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &f);
    finish(g, how, "matrix product");
    desc o = make(g, CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
    set_desc(g, o, CUDNN_ATTR_OPERATION_MATMUL_DESC, how);
    set_desc(g, o, CUDNN_ATTR_OPERATION_MATMUL_ADESC, a);
    set_desc(g, o, CUDNN_ATTR_OPERATION_MATMUL_BDESC, b);
    set_desc(g, o, CUDNN_ATTR_OPERATION_MATMUL_CDESC, c);
    add(g, o);
}

/* y (rows, 1) = sums of the rows of x. */
static void row_sums(struct graph *g, desc x, desc y)
{
    const cudnnDataType_t f = CUDNN_DATA_FLOAT;
    const cudnnReduceTensorOp_t sum = CUDNN_REDUCE_TENSOR_ADD;
    desc how = make(g, CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
    set(g, how, CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, 1, &sum);
    set(g, how, CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &f);
    finish(g, how, "reduction");
    desc o = make(g, CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
    set_desc(g, o, CUDNN_ATTR_OPERATION_REDUCTION_DESC, how);
    set_desc(g, o, CUDNN_ATTR_OPERATION_REDUCTION_XDESC, x);
    set_desc(g, o, CUDNN_ATTR_OPERATION_REDUCTION_YDESC, y);
    add(g, o);
}

static void reshape(struct graph *g, desc x, desc y)
{
    desc o = make(g, CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR);
    set_desc(g, o, CUDNN_ATTR_OPERATION_RESHAPE_XDESC, x);
    set_desc(g, o, CUDNN_ATTR_OPERATION_RESHAPE_YDESC, y);
    add(g, o);
}

static void forward(struct graph *g, struct sdpa_shape s, bool stat)
{
    desc o = make(g, CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
    set_desc(g, o, CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, bf16(g, SDPA_Q, packed(s)));
    set_desc(g, o, CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC, bf16(g, SDPA_K, packed(s)));
    set_desc(g, o, CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, bf16(g, SDPA_V, packed(s)));
    set_desc(g, o, CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC, bf16(g, SDPA_OUT, tokens(s)));
    if (stat)
        set_desc(g, o, CUDNN_ATTR_OPERATION_SDPA_FWD_STATSDESC, f32(g, SDPA_STAT, rows(s)));
    set_desc(g, o, CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC, number(g, SDPA_SCALE));
    add(g, o);
}

/* P = e^(scale q k^T - stat), dV = P^T dout, G = scale P (dout v^T - dot) where dot = rows of dout * out summed,
 * dK = G^T q, dQ = G k. */
static void backward(struct graph *g, struct sdpa_shape s, bool fixed)
{
    const cudnnDataType_t f = CUDNN_DATA_FLOAT, half = CUDNN_DATA_BFLOAT16;
    desc q = bf16(g, SDPA_Q, packed(s)), k_turned = bf16(g, SDPA_K, turned(packed(s)));
    desc v_turned = bf16(g, SDPA_V, turned(packed(s)));
    desc out = bf16(g, SDPA_OUT, tokens(s)), dout = bf16(g, SDPA_DOUT, tokens(s)), scale = number(g, SDPA_SCALE);

    desc multiplied = inner(g, f, tokens(s)), summed = inner(g, f, rows(s)), dot = f32(g, SDPA_DOT, rows(s));
    pointwise(g, CUDNN_POINTWISE_MUL, dout, out, multiplied);
    row_sums(g, multiplied, summed);
    pointwise(g, CUDNN_POINTWISE_MUL, summed, number(g, SDPA_ONE), dot);

    desc raw = inner(g, f, scores(s)), score = inner(g, f, scores(s)), less = inner(g, f, scores(s));
    desc p = inner(g, f, scores(s)), p_turned = inner(g, half, turned(scores(s)));
    product(g, q, k_turned, raw);
    pointwise(g, CUDNN_POINTWISE_MUL, raw, scale, score);
    pointwise(g, CUDNN_POINTWISE_SUB, score, f32(g, SDPA_STAT, rows(s)), less);
    pointwise(g, CUDNN_POINTWISE_EXP, less, NULL, p);
    reshape(g, p, p_turned);
    product(g, p_turned, dout, bf16(g, SDPA_DV, packed(s)));

    desc dp = inner(g, f, scores(s)), centred = inner(g, f, scores(s)), weighted = inner(g, f, scores(s));
    desc gradient = inner(g, f, scores(s)), gradient_turned = inner(g, half, turned(scores(s)));
    product(g, dout, v_turned, dp);
    pointwise(g, CUDNN_POINTWISE_SUB, dp, dot, centred);
    pointwise(g, CUDNN_POINTWISE_MUL, centred, p, weighted);
    pointwise(g, CUDNN_POINTWISE_MUL, weighted, scale, gradient);
    reshape(g, gradient, gradient_turned);
    product(g, gradient_turned, q, bf16(g, SDPA_DK, packed(s)));

    desc k = inner(g, half, packed(s)), dq = bf16(g, SDPA_DQ, packed(s));
    reshape(g, k_turned, k);
    if (fixed) {
        product(g, gradient, k, dq);
        return;
    }
    const struct view dense = {{s.B, s.H, s.K, s.E}, {s.H * s.K * s.E, s.K * s.E, s.E, 1}};
    desc sum = f32(g, SDPA_SUM, dense);
    product(g, gradient, k, sum);
    pointwise(g, CUDNN_POINTWISE_IDENTITY, sum, NULL, dq);
}

/* Whether the engine of a configuration says that its results vary. */
static bool varies(desc config)
{
    cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    desc engine = NULL;
    int64_t n = 0;
    bool found = false;
    if (cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine) != CUDNN_STATUS_SUCCESS)
        return true;
    if (cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n, &engine) ==
            CUDNN_STATUS_SUCCESS &&
        cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                 CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &n, notes) == CUDNN_STATUS_SUCCESS)
        for (int64_t i = 0; i < n; i++)
            found |= notes[i] == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC;
    cudnnBackendDestroyDescriptor(engine);
    return found;
}

/* The plan of one configuration; 0, or -1 when the device cannot run it. */
static int plan_of(struct graph *g, desc config, cudnnHandle_t handle, desc device)
{
    struct sdpa_plan *p = g->p;
    int64_t n = 0;
    desc plan = make(g, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    set_desc(g, plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
    if (handle)
        set(g, plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle);
    else
        set_desc(g, plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, device);
    finish(g, plan, "execution plan");
    if (g->status == CUDNN_STATUS_SUCCESS)
        note(g, cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &n,
                                         &p->workspace), "workspace");
    p->plan = g->status == CUDNN_STATUS_SUCCESS ? plan : NULL;
    return p->plan ? 0 : -1;
}

/* The first configuration that becomes a plan, in the order of cuDNN's estimate. */
static void choose(struct graph *g, desc whole, cudnnHandle_t handle, desc device, bool fixed)
{
    static const cudnnBackendHeurMode_t modes[] = {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK};
    for (int m = 0; m < 2 && !g->p->plan && g->status == CUDNN_STATUS_SUCCESS; m++) {
        desc config[most_configs], heuristic = make(g, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
        int64_t n = 0;
        set_desc(g, heuristic, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, whole);
        set(g, heuristic, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &modes[m]);
        if (!handle)
            set_desc(g, heuristic, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, device);
        finish(g, heuristic, "heuristic");
        for (int i = 0; i < most_configs; i++)
            config[i] = make(g, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
        if (g->status == CUDNN_STATUS_SUCCESS)
            note(g, cudnnBackendGetAttribute(heuristic, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                             most_configs, &n, config), "heuristic");
        for (int64_t i = 0; i < n && !g->p->plan; i++) {
            if (fixed && varies(config[i]))
                continue;
            g->status = CUDNN_STATUS_SUCCESS; /* of the configuration before */
            plan_of(g, config[i], handle, device);
        }
        if (m == 0 && !g->p->plan)
            g->status = CUDNN_STATUS_SUCCESS;
    }
}

int sdpa_plan_make(struct sdpa_plan *p, cudnnHandle_t handle, cudnnBackendDescriptor_t device, struct sdpa_shape s,
                   enum sdpa_kind kind, char *why, size_t size)
{
    struct graph g = {p, CUDNN_STATUS_SUCCESS, NULL, {}, 0, first_virtual};
    memset(p, 0, sizeof *p);
    if (kind == SDPA_FORWARD || kind == SDPA_FORWARD_STAT)
        forward(&g, s, kind == SDPA_FORWARD_STAT);
    else
        backward(&g, s, kind == SDPA_BACKWARD_FIXED);
    desc whole = make(&g, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    set(&g, whole, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, g.operations, g.operation);
    if (handle)
        set(&g, whole, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle);
    finish(&g, whole, "operation graph");
    choose(&g, whole, handle, device, kind == SDPA_BACKWARD_FIXED);
    if (p->plan)
        return 0;
    if (g.status)
        sdpa_reason(why, size, g.failed, g.status);
    else {
        size_t v = cudnnGetVersion();
        snprintf(why, size, "cuDNN %zu.%zu.%zu has no engine for attention of %lld heads of %lld over %lld tokens",
                 v / 10000, v / 100 % 100, v % 100, (long long)s.H, (long long)s.E, (long long)s.K);
    }
    sdpa_plan_free(p);
    return -1;
}

void sdpa_plan_free(struct sdpa_plan *p)
{
    while (p->n)
        cudnnBackendDestroyDescriptor(p->all[--p->n]);
    p->plan = NULL;
}
