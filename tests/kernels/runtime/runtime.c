/* runtime: the stand-in for the CUDA runtime (cuda_runtime.h). */
#include "cuda_runtime.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { most_ops = 1 << 16, most_blocks = 256 };
enum kind { COPY, SET, RECORDED, WAIT, GRAPH };

struct fake_graph {
    struct op *op;
    int n;
};

struct fake_stream {
    struct fake_graph *capture;
    int invalid; /* something that cannot be recorded was asked for */
};

struct fake_event {
    int at; /* where it was last recorded, -1 nowhere */
};

/* One thing that a stream is to do. */
struct op {
    enum kind kind;
    struct fake_stream *stream;
    unsigned char *dst;
    const unsigned char *src;
    size_t bytes;
    int value, until, done;
    struct fake_graph *graph;
    unsigned char *own; /* a copy of pageable memory */
};

static struct block {
    unsigned char *p;
    size_t bytes;
    int pinned;
} block[most_blocks];

struct fake fake = {13000, 1, 9, 0, 1, 1 << 20, 0, 0, 0, 0, 0};
static struct op op[most_ops];
static int ops;
static cudaError_t last;

static cudaError_t failed(cudaError_t e)
{
    if (e)
        last = e;
    return e;
}

static int due(void)
{
    return fake.fail_after && !--fake.fail_after;
}

cudaError_t cudaGetLastError(void)
{
    cudaError_t e = last;
    last = cudaSuccess;
    return e;
}

const char *cudaGetErrorString(cudaError_t e)
{
    return e == cudaErrorMemoryAllocation ? "out of memory" : e == cudaErrorInvalidValue ? "invalid argument" : "failed";
}

cudaError_t cudaDriverGetVersion(int *version)
{
    *version = fake.driver;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count)
{
    *count = fake.devices;
    return fake.devices ? cudaSuccess : failed(cudaErrorNoDevice);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *p, int device)
{
    *p = (cudaDeviceProp){"Pretence", fake.major, fake.minor, 4};
    return device < fake.devices ? cudaSuccess : failed(cudaErrorInvalidValue);
}

cudaError_t cudaSetDevice(int device)
{
    return device < fake.devices ? cudaSuccess : failed(cudaErrorInvalidValue);
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *a, const void *kernel)
{
    a->unused = kernel != NULL;
    return fake.images ? cudaSuccess : failed(cudaErrorNoKernelImageForDevice);
}

/* Memory */

static struct block *block_of(const void *p)
{
    for (int i = 0; i < most_blocks; i++)
        if (block[i].p && (const unsigned char *)p >= block[i].p && (const unsigned char *)p < block[i].p + block[i].bytes)
            return &block[i];
    return NULL;
}

static size_t used(void)
{
    size_t sum = 0;
    for (int i = 0; i < most_blocks; i++)
        sum += block[i].p && !block[i].pinned ? block[i].bytes : 0;
    return sum;
}

static cudaError_t take(void **p, size_t bytes, int pinned)
{
    int i = 0;
    *p = NULL;
    while (i < most_blocks && block[i].p)
        i++;
    if (i == most_blocks || due() || (!pinned && bytes > fake.memory - used()))
        return failed(cudaErrorMemoryAllocation);
    block[i] = (struct block){malloc(bytes), bytes, pinned};
    if (!block[i].p)
        abort();
    memset(block[i].p, 0xa5, bytes);
    fake.live++;
    *p = block[i].p;
    return cudaSuccess;
}

static void run(int until, const struct fake_stream *);

static cudaError_t give(void *p)
{
    if (!p)
        return cudaSuccess;
    struct block *b = block_of(p);
    if (!b || b->p != p)
        abort();
    run(ops, NULL);
    free(b->p);
    *b = (struct block){0};
    fake.live--;
    return cudaSuccess;
}

cudaError_t cudaMalloc(void **p, size_t bytes)
{
    return take(p, bytes, 0);
}

cudaError_t cudaFree(void *p)
{
    return give(p);
}

cudaError_t cudaMallocHost(void **p, size_t bytes)
{
    return take(p, bytes, 1);
}

cudaError_t cudaFreeHost(void *p)
{
    return give(p);
}

cudaError_t cudaMemGetInfo(size_t *left, size_t *total)
{
    *total = fake.memory;
    *left = fake.memory - used();
    return cudaSuccess;
}

/* Streams */

static void perform(struct op *o)
{
    if (o->kind == COPY)
        memmove(o->dst, o->own ? o->own : o->src, o->bytes);
    else if (o->kind == SET)
        memset(o->dst, o->value, o->bytes);
    else if (o->kind == WAIT)
        run(o->until + 1, o->until < 0 ? NULL : op[o->until].stream);
    for (int i = 0; o->kind == GRAPH && i < o->graph->n; i++)
        perform(&o->graph->op[i]);
}

/* Does what is left of the operations before `until`, of one stream or of all. */
static void run(int until, const struct fake_stream *s)
{
    for (int i = 0; i < until; i++)
        if (!op[i].done && (!s || op[i].stream == s)) {
            op[i].done = 1;
            perform(&op[i]);
            free(op[i].own);
            op[i].own = NULL;
        }
}

static cudaError_t ask(struct op o)
{
    struct fake_stream *s = o.stream;
    fake.asked++;
    if (due()) {
        free(o.own);
        return failed(cudaErrorInvalidValue);
    }
    if (s->capture && (o.kind > SET || (o.kind == COPY && o.own))) {
        s->invalid = 1;
        free(o.own);
        return failed(cudaErrorStreamCaptureUnsupported);
    }
    if (s->capture) {
        struct fake_graph *g = s->capture;
        g->op = realloc(g->op, (size_t)(g->n + 1) * sizeof *g->op);
        if (!g->op)
            abort();
        g->op[g->n++] = o;
        return cudaSuccess;
    }
    if (ops == most_ops)
        abort();
    op[ops++] = o;
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t s)
{
    struct op o = {.kind = COPY, .stream = s, .dst = dst, .src = src, .bytes = bytes};
    const struct block *from = block_of(src), *to = block_of(dst);
    int device[2] = {from && !from->pinned, to && !to->pinned};
    if (device[0] != (kind != cudaMemcpyHostToDevice) || device[1] != (kind != cudaMemcpyDeviceToHost))
        return failed(cudaErrorInvalidValue);
    if (!from) {
        if (!(o.own = malloc(bytes)))
            abort();
        memcpy(o.own, src, bytes);
    }
    return ask(o);
}

cudaError_t cudaMemsetAsync(void *dst, int value, size_t bytes, cudaStream_t s)
{
    return ask((struct op){.kind = SET, .stream = s, .dst = dst, .value = value, .bytes = bytes});
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *s, unsigned flags)
{
    *s = flags == cudaStreamNonBlocking && !due() ? calloc(1, sizeof **s) : NULL;
    fake.live += *s != NULL;
    return *s ? cudaSuccess : failed(cudaErrorInvalidValue);
}

cudaError_t cudaStreamDestroy(cudaStream_t s)
{
    run(ops, s);
    free(s);
    fake.live--;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t s)
{
    if (s->capture) {
        s->invalid = 1;
        return failed(cudaErrorStreamCaptureUnsupported);
    }
    run(ops, s);
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned flags)
{
    return ask((struct op){.kind = WAIT, .stream = s, .until = e->at, .value = (int)flags});
}

/* Events */

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *e, unsigned flags)
{
    *e = flags & cudaEventDisableTiming && !due() ? calloc(1, sizeof **e) : NULL;
    if (!*e)
        return failed(cudaErrorInvalidValue);
    (*e)->at = -1;
    fake.live++;
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t e)
{
    free(e);
    fake.live--;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s)
{
    cudaError_t error = ask((struct op){.kind = RECORDED, .stream = s});
    if (!error)
        e->at = ops - 1;
    return error;
}

cudaError_t cudaEventSynchronize(cudaEvent_t e)
{
    if (e->at >= 0)
        run(e->at + 1, op[e->at].stream);
    return cudaSuccess;
}

/* Graphs */

cudaError_t cudaStreamBeginCapture(cudaStream_t s, enum cudaStreamCaptureMode mode)
{
    if (s->capture || mode != cudaStreamCaptureModeRelaxed || due())
        return failed(cudaErrorInvalidValue);
    s->capture = calloc(1, sizeof *s->capture);
    fake.recorded++;
    fake.live++;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *g)
{
    *g = s->capture;
    int invalid = s->invalid || due();
    s->capture = NULL;
    s->invalid = 0;
    if (*g && invalid) {
        cudaGraphDestroy(*g);
        *g = NULL;
    }
    return *g ? cudaSuccess : failed(invalid ? cudaErrorStreamCaptureInvalidated : cudaErrorInvalidValue);
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t g, unsigned long long flags)
{
    struct fake_graph *copy = calloc(1, sizeof *copy);
    size_t bytes = (size_t)g->n * sizeof *g->op;
    *exec = NULL;
    if (flags || !copy || due() || !(copy->op = malloc(bytes + 1))) {
        free(copy);
        return failed(cudaErrorInvalidValue);
    }
    if (bytes)
        memcpy(copy->op, g->op, bytes);
    copy->n = g->n;
    fake.live++;
    *exec = copy;
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t g, cudaStream_t s)
{
    fake.launched++;
    return ask((struct op){.kind = GRAPH, .stream = s, .graph = g});
}

cudaError_t cudaGraphDestroy(cudaGraph_t g)
{
    free(g->op);
    free(g);
    fake.live--;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t g)
{
    run(ops, NULL);
    return cudaGraphDestroy(g);
}
