/* adamw_cuda: AdamW, the moving average and the layers' own copies of their weights, all tensors in one pass. The
 * step's numbers and the list of pieces are read from device memory, so that a recorded step takes new ones. */
#include "linear_cuda.h"
#include "device.h"

#include <stdlib.h>

enum { threads = 256, each = 4, span = threads * each }; /* values of a thread, of a block */

/* Neighbouring parameters with the same copies: those of one layer, or of what lies between two. */
struct piece {
    int64_t begin, end;
    int64_t block;       /* its first one */
    void *own, *average; /* copies, or NULL */
    int half;            /* 1: copies are bf16, 0: f32 */
    int aligned;         /* 1: whole groups of `each` values may be accessed at once */
};

/* What a launch reads. */
struct orders {
    struct sjk_adamw numbers;
    struct piece piece[1]; /* and those after it */
};

/* Up to V values from i. */
template <int V> static __device__ __forceinline__ void copy(const struct piece &c, void *to, int64_t i, const float *x)
{
    if (!to)
        return;
    if (c.half)
        store<V>((bf16 *)to + i - c.begin, x);
    else
        store<V>((float *)to + i - c.begin, x);
}

template <int V>
static __device__ __forceinline__ void step(const struct sjk_parameters &s, const struct sjk_adamw &a,
                                            const struct piece &c, int64_t i)
{
    const float rate = a.rate / a.correction1, keep = 1 - a.rate * a.decay, root = 1 / sqrtf(a.correction2);
    const float zero[V] = {0};
    float x[V], grad[V], first[V], second[V], average[V];
    load<V>((const float *)s.p + i, x);
    load<V>((const float *)s.g + i, grad);
    load<V>((const float *)s.m + i, first);
    load<V>((const float *)s.v + i, second);
    if (s.ema)
        load<V>((const float *)s.ema + i, average);
    for (int j = 0; j < V; j++) {
        float d = grad[j] * a.gradient_scale;
        first[j] = first[j] * a.beta1 + d * (1 - a.beta1);
        second[j] = second[j] * a.beta2 + d * d * (1 - a.beta2);
        x[j] = x[j] * keep - first[j] * rate / (sqrtf(second[j]) * root + a.eps);
        if (s.ema)
            average[j] = average[j] * a.ema_rate + x[j] * (1 - a.ema_rate);
    }
    store<V>(s.p + i, x);
    if (!c.own)
        store<V>(s.g + i, zero);
    store<V>(s.m + i, first);
    store<V>(s.v + i, second);
    copy<V>(c, c.own, i, x);
    if (s.ema) {
        store<V>(s.ema + i, average);
        copy<V>(c, c.average, i, average);
    }
}

static __global__ void adamw_values(struct sjk_parameters s, const struct orders *__restrict__ o, int pieces)
{
    int low = 0, high = pieces - 1; /* the piece of this block */
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (o->piece[middle].block <= blockIdx.x)
            low = middle;
        else
            high = middle - 1;
    }
    const struct sjk_adamw a = o->numbers;
    const struct piece c = o->piece[low];
    int64_t i = c.begin + (blockIdx.x - c.block) * span + (int64_t)threadIdx.x * each;
    if (c.aligned && i + each <= c.end)
        step<each>(s, a, c, i);
    else
        for (int64_t end = i + each < c.end ? i + each : c.end; i < end; i++)
            step<1>(s, a, c, i);
}

template <typename T> static int groups(const T *p)
{
    return cuda_packs<each>(p);
}

/* Appends begin .. end with the copies of a layer, which is NULL where there is none; the number of blocks so far. */
static int64_t append(const struct sjk_parameters *s, const struct sjk_layer *l, size_t begin, size_t end,
                      struct piece *list, int *count, int64_t block)
{
    if (begin == end)
        return block;
    struct piece *c = &list[(*count)++];
    c->begin = (int64_t)begin;
    c->end = (int64_t)end;
    c->block = block;
    c->half = l && l->linear->t == SJK_BF16;
    c->own = l ? cuda_linear_weight(l->linear) : NULL;
    c->average = l && l->average ? cuda_linear_weight(l->average) : NULL;
    c->aligned = groups(s->p + begin) && groups(s->g + begin) && groups(s->m + begin) && groups(s->v + begin) &&
                 (!s->ema || groups(s->ema + begin));
    return block + (c->end - c->begin + span - 1) / span;
}

static int launch(struct sjk *k, const struct sjk_parameters *s, struct orders *o, const struct sjk_adamw *a)
{
    int count = 0;
    size_t done = 0;
    int64_t blocks = 0;
    o->numbers = *a;
    for (int i = 0; i < s->layers; i++) {
        const struct sjk_layer *l = &s->layer[i];
        size_t end = l->at + (size_t)(l->linear->N * l->linear->K);
        blocks = append(s, NULL, done, l->at, o->piece, &count, blocks);
        blocks = append(s, l, l->at, end, o->piece, &count, blocks);
        done = end;
    }
    blocks = append(s, NULL, done, s->n, o->piece, &count, blocks);
    const struct orders *at =
        (const struct orders *)cuda_stage(k, o, sizeof *o + (size_t)count * sizeof *o->piece);
    return at ? CUDA_LAUNCH(k, (unsigned)blocks, threads, 0, adamw_values, *s, at, count) : SJK_DEVICE;
}

int cuda_adamw(struct sjk *k, const struct sjk_parameters *s, const struct sjk_adamw *a)
{
    if (!s->n)
        return 0;
    struct orders *o = (struct orders *)calloc(1, sizeof *o + (2 * (size_t)s->layers + 1) * sizeof *o->piece);
    if (!o)
        return sjk_fail(k, SJK_MEMORY, "no memory for the list of %d layers", s->layers);
    int status = launch(k, s, o, a);
    free(o);
    for (int i = 0; i < s->layers && !status; i++) {
        s->layer[i].linear->packed |= SJK_PACK_FORWARD | SJK_PACK_BACKWARD;
        if (s->layer[i].average)
            s->layer[i].average->packed |= SJK_PACK_FORWARD;
    }
    return status;
}
