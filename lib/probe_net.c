#include "probe_net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"
#include "sjk.h"

/* Streams of random numbers. */
enum { START = 1, DROP = 2 };

/* A layer's place in the arrays of all parameters: weights, then biases. */
struct layer {
    int64_t in, out;
    size_t at, weights, size; /* floats; size includes what fills up to 64 bytes */
    struct sjk_linear *linear;
};

struct sj_probe_net {
    struct sjk *k;
    int64_t d, H, C, batch, step;
    uint64_t seed;
    struct layer layer[2];
    size_t size;                 /* of all parameters, floats */
    float *p, *g, *m, *v, *kept; /* (size) */
    float *h, *dh, *y, *dy;      /* (batch, H) and (batch, C) */
    const void *x;               /* (batch, d) of the batch that went forward last */
    double dropped;              /* its dropout */
    struct sjk_inbox *inbox;
    float *host;                 /* (batch, H) and, to begin with, a layer's parameters */
};

static int checked(const struct sj_probe_net *net, int e)
{
    return e ? sj_fail(e, "%s", sjk_reason(net->k)) : SJ_OK;
}

static size_t rounded(size_t floats)
{
    return (floats + 15) / 16 * 16;
}

static void place_layer(struct sj_probe_net *net, int i, int64_t in, int64_t out)
{
    struct layer *l = &net->layer[i];
    *l = (struct layer){.in = in, .out = out, .at = net->size, .weights = (size_t)(in * out)};
    l->size = rounded(l->weights + (size_t)out);
    net->size += l->size;
}

static int alloc_all(struct sj_probe_net *net)
{
    struct sjk *k = net->k;
    const size_t all = net->size * sizeof(float), hidden = (size_t)(net->batch * net->H) * sizeof(float),
                 outputs = (size_t)(net->batch * net->C) * sizeof(float);
    const struct { float **p; size_t bytes; } wanted[] = {
        {&net->p, all}, {&net->g, all}, {&net->m, all}, {&net->v, all}, {&net->kept, all},
        {&net->h, hidden}, {&net->dh, hidden}, {&net->y, outputs}, {&net->dy, outputs}};
    int e = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted && !e; i++) {
        void *p = NULL;
        e = k->ops->alloc(k, wanted[i].bytes, &p);
        *wanted[i].p = p;
    }
    for (int i = 0; i < 2 && !e; i++)
        e = k->ops->linear_new(k, net->layer[i].out, net->layer[i].in, SJK_F32, &net->layer[i].linear);
    if (!e)
        e = k->ops->inbox_new(k, (size_t)(net->batch * net->d) * sizeof(float), &net->inbox);
    const size_t first = net->layer[0].size * sizeof(float), second = net->layer[1].size * sizeof(float);
    if (!e && !(net->host = malloc((first > second ? first : second) + hidden)))
        return sj_fail(SJ_SYSTEM, "no memory for a probe");
    return checked(net, e);
}

int sj_probe_net_new(struct sjk *k, int64_t d, int64_t H, int64_t C, int64_t batch, struct sj_probe_net **out)
{
    struct sj_probe_net *net = calloc(1, sizeof *net);
    if (!net)
        return sj_fail(SJ_SYSTEM, "no memory for a probe");
    net->k = k;
    net->d = d;
    net->H = H;
    net->C = C;
    net->batch = batch;
    place_layer(net, 0, d, H);
    place_layer(net, 1, H, C);
    int status = alloc_all(net);
    if (status)
        sj_probe_net_free(net);
    else
        *out = net;
    return status;
}

void sj_probe_net_free(struct sj_probe_net *net)
{
    if (!net)
        return;
    struct sjk *k = net->k;
    float *const all[] = {net->p, net->g, net->m, net->v, net->kept, net->h, net->dh, net->y, net->dy};
    for (int i = 0; i < 2; i++)
        if (net->layer[i].linear)
            k->ops->linear_free(k, net->layer[i].linear);
    if (net->inbox)
        k->ops->inbox_free(k, net->inbox);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        k->ops->free(k, all[i]);
    free(net->host);
    free(net);
}

/* Lets the linear layers take the present weights. Gradients of inputs are wanted of the second alone. */
static int pack(struct sj_probe_net *net)
{
    struct sjk *k = net->k;
    int e = k->ops->linear_pack(k, net->layer[0].linear, net->p + net->layer[0].at, SJK_PACK_FORWARD);
    if (!e)
        e = k->ops->linear_pack(k, net->layer[1].linear, net->p + net->layer[1].at,
                                SJK_PACK_FORWARD | SJK_PACK_BACKWARD);
    return checked(net, e);
}

int sj_probe_net_reset(struct sj_probe_net *net, uint64_t seed)
{
    struct sjk *k = net->k;
    const size_t bytes = net->size * sizeof(float);
    int e = 0;
    for (int i = 0; i < 2 && !e; i++) {
        const struct layer *l = &net->layer[i];
        struct sj_rng r = sj_rng(seed, sj_rng_stream(START, (uint64_t)i));
        const float bound = 1 / sqrtf((float)l->in);
        memset(net->host, 0, l->size * sizeof *net->host);
        for (size_t j = 0; j < l->weights + (size_t)l->out; j++)
            net->host[j] = sj_rng_range(&r, -bound, bound);
        e = k->ops->put(k, net->p + l->at, net->host, l->size * sizeof *net->host);
    }
    (void)(e || (e = k->ops->zero(k, net->g, bytes)) || (e = k->ops->zero(k, net->m, bytes))
           || (e = k->ops->zero(k, net->v, bytes)));
    net->seed = seed;
    net->step = 0;
    return e ? checked(net, e) : pack(net);
}

float *sj_probe_net_input(struct sj_probe_net *net)
{
    float *x = net->k->ops->inbox_host(net->k, net->inbox);
    if (!x)
        sj_fail(SJ_SYSTEM, "%s", sjk_reason(net->k));
    return x;
}

/* Hidden units that are dropped become 0, the others are scaled. */
static int drop(struct sj_probe_net *net, int64_t n, double dropout)
{
    struct sjk *k = net->k;
    const size_t count = (size_t)(n * net->H);
    const uint32_t below = (uint32_t)(dropout * 0x1p32);
    struct sj_rng r = sj_rng(net->seed, sj_rng_stream(DROP, (uint64_t)net->step));
    const float scale = (float)(1 / (1 - dropout));
    int e = k->ops->get(k, net->host, net->h, count * sizeof(float));
    for (size_t i = 0; i < count && !e; i++)
        net->host[i] = sj_rng_u32(&r) < below ? 0 : scale * net->host[i];
    return e ? e : k->ops->put(k, net->h, net->host, count * sizeof(float));
}

int sj_probe_net_forward(struct sj_probe_net *net, int64_t n, double dropout, float *y)
{
    struct sjk *k = net->k;
    const struct sjk_ops *o = k->ops;
    const struct layer *a = &net->layer[0], *b = &net->layer[1];
    const float *bias = net->p + a->at + a->weights;
    int e;
    (void)((e = o->inbox_send(k, net->inbox)) || (e = o->inbox_take(k, net->inbox, &net->x))
           || (e = o->linear_forward(k, a->linear, n, net->x, bias, NULL, net->h, SJK_F32, SJK_RELU))
           || (dropout > 0 && (e = drop(net, n, dropout)))
           || (e = o->linear_forward(k, b->linear, n, net->h, net->p + b->at + b->weights, NULL, net->y, SJK_F32,
                                     SJK_STORE))
           || (e = o->get(k, y, net->y, (size_t)(n * net->C) * sizeof(float))));
    net->dropped = dropout;
    return checked(net, e);
}

/* Adam is AdamW without decay. */
static int adam(struct sj_probe_net *net, const struct layer *l, double rate, double scale)
{
    const struct sjk_adamw how = {.rate = (float)rate, .beta1 = 0.9f, .beta2 = 0.999f, .eps = 1e-8f,
                                  .correction1 = (float)(1 - pow(0.9, (double)net->step)),
                                  .correction2 = (float)(1 - pow(0.999, (double)net->step)),
                                  .gradient_scale = (float)scale};
    const size_t at = l->at;
    const struct sjk_parameters s = {
        .n = l->size, .p = net->p + at, .g = net->g + at, .m = net->m + at, .v = net->v + at};
    return net->k->ops->adamw(net->k, &s, &how);
}

int sj_probe_net_step(struct sj_probe_net *net, int64_t n, const float *dy, double rate)
{
    struct sjk *k = net->k;
    const struct sjk_ops *o = k->ops;
    const struct layer *a = &net->layer[0], *b = &net->layer[1];
    int e;
    net->step++;
    /* A unit that was dropped is 0 as one that is off: relu_backward serves both, and leaves the scale of the others
     * to the step. */
    (void)((e = o->put(k, net->dy, dy, (size_t)(n * net->C) * sizeof(float)))
           || (e = o->linear_backward_w(k, b->linear, n, net->dy, net->h, net->g + b->at, 0))
           || (e = o->column_sum(k, n, net->C, SJK_F32, net->dy, net->g + b->at + b->weights))
           || (e = o->linear_backward_x(k, b->linear, n, net->dy, net->dh, SJK_F32))
           || (e = o->relu_backward(k, n, net->H, SJK_F32, net->h, net->dh, net->g + a->at + a->weights))
           || (e = o->linear_backward_w(k, a->linear, n, net->dh, net->x, net->g + a->at, 0))
           || (e = adam(net, b, rate, 1)) || (e = adam(net, a, rate, 1 / (1 - net->dropped))));
    return e ? checked(net, e) : pack(net);
}

int sj_probe_net_weights(const struct sj_probe_net *net, float *W1, float *b1, float *W2, float *b2)
{
    float *const to[2][2] = {{W1, b1}, {W2, b2}};
    int e = 0;
    for (int i = 0; i < 2 && !e; i++) {
        const struct layer *l = &net->layer[i];
        const float *p = net->p + l->at;
        if (!(e = net->k->ops->get(net->k, to[i][0], p, l->weights * sizeof *p)))
            e = net->k->ops->get(net->k, to[i][1], p + l->weights, (size_t)l->out * sizeof *p);
    }
    return checked(net, e);
}

int sj_probe_net_keep(struct sj_probe_net *net)
{
    return checked(net, net->k->ops->copy(net->k, net->kept, net->p, net->size * sizeof(float)));
}

int sj_probe_net_restore(struct sj_probe_net *net)
{
    int status = checked(net, net->k->ops->copy(net->k, net->p, net->kept, net->size * sizeof(float)));
    return status ? status : pack(net);
}
