/* sdpa: attention in bf16 by cuDNN: a handle, the plans of every shape that was met, and their execution. */
#include "sdpa_cuda.h"
#include "product_cuda.h"
#include "sdpa_graph_cuda.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Before, sequences that are no multiples of 128 wanted a mask in backward. */
static const size_t least_version = 91600;

struct entry {
    struct entry *next;
    struct sdpa_shape shape;
    enum sdpa_kind kind;
    struct sdpa_plan plan; /* plan.plan is NULL where cuDNN has none */
};

struct state {
    cudnnHandle_t handle;
    struct entry *entries;
};

static void state_free(void *own)
{
    struct state *s = (struct state *)own;
    for (struct entry *e = s->entries, *next; e; e = next) {
        next = e->next;
        sdpa_plan_free(&e->plan);
        free(e);
    }
    if (s->handle)
        cudnnDestroy(s->handle);
    free(s);
}

static int check(struct sjk *k, cudnnStatus_t status, const char *what)
{
    char why[sizeof k->reason];
    if (status == CUDNN_STATUS_SUCCESS)
        return 0;
    sdpa_reason(why, sizeof why, what, status);
    return sjk_fail(k, SJK_DEVICE, "%s", why);
}

static struct state *opened(struct sjk *k)
{
    struct sjk_cuda *own = cuda_own(k);
    size_t version = cudnnGetVersion();
    if (own->sdpa)
        return (struct state *)own->sdpa;
    if (version < least_version) {
        sjk_fail(k, SJK_DEVICE, "attention in bf16 needs cuDNN 9.16 or later, this is %zu.%zu.%zu", version / 10000,
                 version / 100 % 100, version % 100);
        return NULL;
    }
    struct state *s = (struct state *)calloc(1, sizeof *s);
    if (!s) {
        sjk_fail(k, SJK_MEMORY, "no memory for attention");
        return NULL;
    }
    if (check(k, cudnnCreate(&s->handle), "attention") ||
        check(k, cudnnSetStream(s->handle, own->stream), "attention's stream")) {
        state_free(s);
        return NULL;
    }
    own->sdpa = s;
    own->sdpa_free = state_free;
    return s;
}

/* Whether it is worth asking: cuDNN's attention takes heads of multiples of 8 up to 128, and single keys are no case
 * for it. */
static int suits(struct sdpa_shape s)
{
    return s.K > 1 && s.E % 8 == 0 && s.E <= 128 && s.B <= INT32_MAX && s.K <= INT32_MAX && s.H <= INT32_MAX;
}

static int aligned(const void *p)
{
    return (uintptr_t)p % 16 == 0;
}

/* The plan, whose own .plan may be NULL: none for this shape. NULL: reason recorded. */
static const struct sdpa_plan *plan_of(struct sjk *k, struct sdpa_shape shape, enum sdpa_kind kind)
{
    struct state *s = opened(k);
    char why[512];
    if (!s)
        return NULL;
    for (struct entry *e = s->entries; e; e = e->next)
        if (e->kind == kind && !memcmp(&e->shape, &shape, sizeof shape))
            return &e->plan;
    struct entry *e = (struct entry *)calloc(1, sizeof *e);
    if (!e) {
        sjk_fail(k, SJK_MEMORY, "no memory for attention");
        return NULL;
    }
    e->shape = shape;
    e->kind = kind;
    sdpa_plan_make(&e->plan, s->handle, NULL, shape, kind, why, sizeof why);
    e->next = s->entries;
    s->entries = e;
    return &e->plan;
}

/* Runs a plan; value[id] is the memory of tensor id, NULL where the plan has no such tensor. */
static int execute(struct sjk *k, const struct sdpa_plan *plan, void *const value[SDPA_TENSORS], void *workspace)
{
    int64_t id[SDPA_TENSORS];
    void *pointer[SDPA_TENSORS];
    int64_t n = 0;
    cudnnBackendDescriptor_t pack = NULL;
    for (int i = 1; i < SDPA_TENSORS; i++)
        if (value[i]) {
            id[n] = i;
            pointer[n++] = value[i];
        }
    int status = check(k, cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack), "attention");
    if (status)
        return status;
    cudnnStatus_t s =
        cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, n, id);
    if (!s)
        s = cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, n, pointer);
    if (!s)
        s = cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace);
    if (!s)
        s = cudnnBackendFinalize(pack);
    if (!s)
        s = cudnnBackendExecute(((struct state *)cuda_own(k)->sdpa)->handle, plan->plan, pack);
    status = check(k, s, "attention");
    cudnnBackendDestroyDescriptor(pack);
    return status;
}

/* The three parts of packed (B, K, 3, H, E). */
static void set_parts(void *value[SDPA_TENSORS], enum sdpa_tensor first, struct sdpa_shape s, const void *packed)
{
    for (int i = 0; i < 3; i++)
        value[first + i] = (unsigned char *)packed + (size_t)(i * s.H * s.E) * 2;
}

int cuda_sdpa(struct sjk *k, int64_t B, int64_t K, int64_t H, int64_t E, const void *qkv, void *out, float *stat)
{
    const struct sdpa_shape shape = {B, K, H, E};
    if (!suits(shape) || !aligned(qkv) || !aligned(out) || !aligned(stat))
        return CUDA_SDPA_NONE;
    if (cuda_replays(k))
        return 0;
    const struct sdpa_plan *plan = plan_of(k, shape, stat ? SDPA_FORWARD_STAT : SDPA_FORWARD);
    if (!plan)
        return SJK_DEVICE;
    if (!plan->plan)
        return CUDA_SDPA_NONE;
    float scale = 1 / sqrtf((float)E);
    void *value[SDPA_TENSORS] = {}, *workspace = cuda_scratch(k, (size_t)plan->workspace + 1);
    if (!workspace)
        return SJK_DEVICE;
    set_parts(value, SDPA_Q, shape, qkv);
    value[SDPA_OUT] = out;
    value[SDPA_STAT] = stat;
    value[SDPA_SCALE] = &scale;
    return execute(k, plan, value, workspace);
}

static size_t padded(size_t bytes)
{
    return (bytes + 255) / 256 * 256;
}

int cuda_sdpa_backward(struct sjk *k, int64_t B, int64_t K, int64_t H, int64_t E, const void *qkv, const void *out,
                       const float *stat, const void *dout, void *dqkv)
{
    const struct sdpa_shape shape = {B, K, H, E};
    const int fixed = cuda_deterministic();
    if (!suits(shape) || !aligned(qkv) || !aligned(out) || !aligned(stat) || !aligned(dout) || !aligned(dqkv))
        return CUDA_SDPA_NONE;
    if (cuda_replays(k))
        return 0;
    const struct sdpa_plan *plan = plan_of(k, shape, fixed ? SDPA_BACKWARD_FIXED : SDPA_BACKWARD);
    if (!plan)
        return SJK_DEVICE;
    if (!plan->plan)
        return CUDA_SDPA_NONE;
    float scale = 1 / sqrtf((float)E), one = 1;
    size_t dot = padded((size_t)(B * H * K) * sizeof(float));
    size_t sum = fixed ? 0 : padded((size_t)(B * H * K * E) * sizeof(float));
    unsigned char *scratch = (unsigned char *)cuda_scratch(k, dot + sum + (size_t)plan->workspace);
    if (!scratch)
        return SJK_DEVICE;
    void *value[SDPA_TENSORS] = {};
    set_parts(value, SDPA_Q, shape, qkv);
    set_parts(value, SDPA_DQ, shape, dqkv);
    value[SDPA_OUT] = (void *)out;
    value[SDPA_STAT] = (void *)stat;
    value[SDPA_SCALE] = &scale;
    value[SDPA_DOUT] = (void *)dout;
    value[SDPA_ONE] = &one;
    value[SDPA_DOT] = scratch;
    value[SDPA_SUM] = fixed ? NULL : scratch + dot;
    return execute(k, plan, value, scratch + dot + sum);
}

/* For the tests, which have no device: the plan of `kind` (enum sdpa_kind) of attention on the device that cuDNN's
 * JSON describes. 0 and the bytes of its workspace; -1 and the reason. */
extern "C" __attribute__((visibility("default"))) int
sjk_cuda_attention_plan(const char *json, int64_t B, int64_t K, int64_t H, int64_t E, int kind, int64_t *workspace,
                        char *why, size_t size)
{
    cudnnBackendDescriptor_t device = NULL;
    struct sdpa_plan plan;
    const struct sdpa_shape shape = {B, K, H, E};
    cudnnStatus_t s = cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &device);
    if (!s)
        s = cudnnBackendSetAttribute(device, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                                     (int64_t)strlen(json), json);
    if (!s)
        s = cudnnBackendFinalize(device);
    int status = s ? -1 : sdpa_plan_make(&plan, NULL, device, shape, (enum sdpa_kind)kind, why, size);
    if (s)
        sdpa_reason(why, size, "device", s);
    else if (!status) {
        *workspace = plan.workspace;
        sdpa_plan_free(&plan);
    }
    if (device)
        cudnnBackendDestroyDescriptor(device);
    return status;
}
