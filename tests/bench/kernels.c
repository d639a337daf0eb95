/* kernels: the speed of the operations at the model's shapes (ViT-Base, batch 8), one NDJSON line per operation, type
 * and table: medians of interleaved repeats. The processor time counts when others use the machine.
 *
 *   kernels [-j THREADS] [-n REPEATS] [-b BACKEND] [-s SCALE] [OP]
 *
 * OP: only operations whose name contains it. -b: of this back end instead of all CPU tables. -s: SCALE times the rows,
 * each repeat the mean of SCALE runs (32: batch 256).
 *
 * Matrix products run on the best table only: the matrix library of a process keeps one instruction set. */
#include "sjk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { most_repeats = 99, big = 64 << 20 }; /* bytes of each buffer */

struct bench {
    struct sjk *k;
    void *a, *b, *c, *d, *e; /* f32 or bf16 values of about 1; each big * scale bytes */
    int64_t scale;
    struct sjk_linear *l;
    int64_t dim[4];
    enum sjk_type t;
};

struct kernel {
    const char *name;
    int types; /* 1: f32 only, 2: both */
    int product;
    char unit; /* F: work is FLOP, B: bytes per byte of type */
    double work; /* per product of dims */
    int (*run)(const struct bench *);
    int64_t dim[4];
};

static int forward(const struct bench *b)
{
    return b->k->ops->linear_forward(b->k, b->l, b->dim[0], b->a, b->e, NULL, b->b, b->t, SJK_STORE);
}

static int forward_gelu(const struct bench *b)
{
    return b->k->ops->linear_forward(b->k, b->l, b->dim[0], b->a, b->e, NULL, b->b, b->t, SJK_GELU);
}

static int forward_add(const struct bench *b)
{
    return b->k->ops->linear_forward(b->k, b->l, b->dim[0], b->a, b->e, b->c, b->b, SJK_F32, SJK_ADD);
}

static int backward_x(const struct bench *b)
{
    return b->k->ops->linear_backward_x(b->k, b->l, b->dim[0], b->a, b->b, b->t);
}

static int backward_w(const struct bench *b)
{
    return b->k->ops->linear_backward_w(b->k, b->l, b->dim[0], b->a, b->b, b->c, 0);
}

static int pack(const struct bench *b)
{
    return b->k->ops->linear_pack(b->k, b->l, b->e, SJK_PACK_FORWARD | SJK_PACK_BACKWARD);
}

static int matmul_nt(const struct bench *b)
{
    const int64_t *d = b->dim;
    return b->k->ops->matmul_nt(b->k, d[0], d[1], d[2], b->t, b->a, d[2], b->b, d[2], b->c, d[1]);
}

static int attention(const struct bench *b)
{
    return b->k->ops->attention(b->k, b->dim[0], b->dim[1], b->dim[2], b->dim[3], b->t, b->a, b->b, b->d);
}

static int attention_backward(const struct bench *b)
{
    return b->k->ops->attention_backward(b->k, b->dim[0], b->dim[1], b->dim[2], b->dim[3], b->t, b->a, b->b, b->d, b->e,
                                         b->c);
}

static int layernorm(const struct bench *b)
{
    return b->k->ops->layernorm(b->k, b->dim[0], b->dim[1], b->e, b->d, b->d, b->b, b->t, b->c);
}

static int layernorm_backward(const struct bench *b)
{
    float *sum = b->d;
    return b->k->ops->layernorm_backward(b->k, b->dim[0], b->dim[1], b->e, sum, (float *)b->e + (8 << 20), b->a, b->t,
                                         b->c, 1, b->t, b->b, sum + 4096, sum + 8192, sum + 12288);
}

static int gelu(const struct bench *b)
{
    return b->k->ops->gelu(b->k, b->dim[0], b->dim[1], b->t, b->a, b->b);
}

static int gelu_backward(const struct bench *b)
{
    return b->k->ops->gelu_backward(b->k, b->dim[0], b->dim[1], b->t, b->a, b->b, b->c);
}

static int relu_backward(const struct bench *b)
{
    return b->k->ops->relu_backward(b->k, b->dim[0], b->dim[1], b->t, b->a, b->b, b->c);
}

static int film(const struct bench *b)
{
    const int64_t *d = b->dim;
    return b->k->ops->film(b->k, d[0], d[1], d[2], b->t, b->a, b->d, 2 * d[2], b->b);
}

static int film_backward(const struct bench *b)
{
    const int64_t *d = b->dim;
    return b->k->ops->film_backward(b->k, d[0], d[1], d[2], b->t, b->a, b->b, b->d, 2 * d[2], b->e, b->c,
                                    (float *)b->c + 2 * d[0] * d[2]);
}

static int rotate(const struct bench *b)
{
    return b->k->ops->rotate(b->k, b->dim[0], b->dim[1], b->dim[2], b->dim[3], b->t, b->d, 0, b->a);
}

static int column_sum(const struct bench *b)
{
    return b->k->ops->column_sum(b->k, b->dim[0], b->dim[1], b->t, b->a, b->c);
}

static int cast(const struct bench *b)
{
    return b->k->ops->cast(b->k, (size_t)b->dim[0], b->e, SJK_F32, b->b, SJK_BF16);
}

static int cosine_loss(const struct bench *b)
{
    return b->k->ops->cosine_loss(b->k, b->dim[0], b->dim[1], b->e, b->d, 1, b->a, b->c);
}

static int sum_squares(const struct bench *b)
{
    return b->k->ops->sum_squares(b->k, (size_t)b->dim[0], b->e, b->a);
}

static int adamw(const struct bench *b)
{
    const struct sjk_adamw a = {1e-3f, 0.9f, 0.95f, 1e-8f, 0.05f, 0.1f, 0.05f, 1, 0.99f};
    const struct sjk_parameters s = {.n = (size_t)b->dim[0], .p = b->a, .g = b->b, .m = b->c, .v = b->d, .ema = b->e};
    return b->k->ops->adamw(b->k, &s, &a);
}

static int log_mel(const struct bench *b)
{
    int32_t first[80], count[80], offset[80];
    for (int32_t m = 0; m < 80; m++) {
        first[m] = m * 2;
        count[m] = 2 + m / 16;
        offset[m] = 0;
    }
    const struct sjk_filterbank f = {80, 201, first, count, offset, b->d};
    return b->k->ops->log_mel(b->k, b->dim[0], b->e, &f, 1e-7f, 0, 1, b->c, b->dim[0]);
}

static int top_k(const struct bench *b)
{
    return b->k->ops->top_k(b->k, b->dim[0], b->dim[1], b->e, b->dim[1], 0, 10, b->c, b->b);
}

static const struct kernel kernels[] = {
    {"linear_forward", 2, 1, 'F', 2, forward, {2000, 2304, 768}},
    {"linear_forward", 2, 1, 'F', 2, forward, {2000, 768, 768}},
    {"linear_forward", 2, 1, 'F', 2, forward, {2000, 3072, 768}},
    {"linear_forward", 2, 1, 'F', 2, forward, {2000, 768, 3072}},
    {"linear_forward", 2, 1, 'F', 2, forward, {250, 3072, 768}},
    {"linear_forward_gelu", 2, 1, 'F', 2, forward_gelu, {2000, 3072, 768}},
    {"linear_forward_add", 2, 1, 'F', 2, forward_add, {2000, 768, 3072}},
    {"linear_backward_x", 2, 1, 'F', 2, backward_x, {2000, 2304, 768}},
    {"linear_backward_x", 2, 1, 'F', 2, backward_x, {2000, 768, 768}},
    {"linear_backward_x", 2, 1, 'F', 2, backward_x, {2000, 3072, 768}},
    {"linear_backward_x", 2, 1, 'F', 2, backward_x, {2000, 768, 3072}},
    {"linear_backward_w", 2, 1, 'F', 2, backward_w, {2000, 2304, 768}},
    {"linear_backward_w", 2, 1, 'F', 2, backward_w, {2000, 768, 768}},
    {"linear_backward_w", 2, 1, 'F', 2, backward_w, {2000, 3072, 768}},
    {"linear_backward_w", 2, 1, 'F', 2, backward_w, {2000, 768, 3072}},
    {"linear_pack", 2, 1, 'B', 8, pack, {1, 3072, 768}},
    {"matmul_nt", 2, 1, 'F', 2, matmul_nt, {1000, 4096, 3840}},
    {"attention", 2, 0, 'F', 4 * 250, attention, {8, 250, 12, 64}},
    {"attention", 2, 0, 'F', 4 * 251, attention, {8, 251, 16, 32}},
    {"attention_backward", 2, 0, 'F', 10 * 250, attention_backward, {8, 250, 12, 64}},
    {"layernorm", 2, 0, 'B', 6, layernorm, {2000, 768}},
    {"layernorm_backward", 2, 0, 'B', 16, layernorm_backward, {2000, 768}},
    {"gelu", 2, 0, 'B', 4, gelu, {2000, 3072}},
    {"gelu_backward", 2, 0, 'B', 6, gelu_backward, {2000, 3072}},
    {"relu_backward", 2, 0, 'B', 6, relu_backward, {2000, 1024}},
    {"film", 2, 0, 'B', 4, film, {8, 250, 1024}},
    {"film_backward", 2, 0, 'B', 8, film_backward, {8, 250, 1024}},
    {"rotate", 2, 0, 'B', 8, rotate, {8, 250, 12, 64}},
    {"column_sum", 2, 0, 'B', 2, column_sum, {2000, 2304}},
    {"cast", 1, 0, 'B', 6, cast, {6000000}},
    {"cosine_loss", 1, 0, 'B', 12, cosine_loss, {2000, 768}},
    {"sum_squares", 1, 0, 'B', 4, sum_squares, {10000000}},
    {"adamw", 1, 0, 'B', 40, adamw, {10000000}},
    {"log_mel", 1, 0, 'B', 1608, log_mel, {3000}},
    {"top_k", 1, 0, 'B', 4, top_k, {1000, 4096}},
};

enum { count = sizeof kernels / sizeof *kernels };

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Readies the buffers and the layer for one kernel and type; the values are 0 .. 1 either way. */
static int ready(struct bench *b, const struct kernel *q, enum sjk_type t)
{
    static float value[big / 4];
    const struct sjk_ops *o = b->k->ops;
    void *buffer[] = {b->a, b->b, b->c, b->d, b->e};
    int bad = 0;
    b->t = t;
    b->l = NULL;
    memcpy(b->dim, q->dim, sizeof b->dim);
    b->dim[0] *= b->scale;
    for (int i = 0; i < 5 && !bad; i++) {
        for (size_t j = 0; j < big / 4; j++)
            value[j] = (float)((j * 2654435761u + (size_t)i) >> 8 & 0xffff) / 65536;
        bad = o->put(b->k, buffer[i], value, big);
        for (int64_t s = 1; s < b->scale && !bad; s++)
            bad = o->copy(b->k, (char *)buffer[i] + s * big, buffer[i], big);
    }
    const size_t all = (size_t)b->scale * big / 4;
    if (bad || (t == SJK_BF16 && (o->cast(b->k, all, b->e, SJK_F32, b->a, SJK_BF16) ||
                                  o->cast(b->k, all, b->e, SJK_F32, b->b, SJK_BF16))))
        return 1;
    if (!q->product || q->run == matmul_nt)
        return 0;
    return o->linear_new(b->k, q->dim[1], q->dim[2], t, &b->l) || pack(b);
}

/* The runs of one repeat. */
static int run(const struct bench *b, const struct kernel *q)
{
    int bad = 0;
    for (int64_t i = 0; i < b->scale && !bad; i++)
        bad = q->run(b);
    return bad || b->k->ops->sync(b->k);
}

static void report(const struct bench *b, const struct kernel *q, double *seconds, double *cpu, int n)
{
    double work = q->work;
    qsort(cpu, (size_t)n, sizeof *cpu, by_value);
    qsort(seconds, (size_t)n, sizeof *seconds, by_value);
    printf("{\"table\":\"%s\",\"threads\":%d,\"op\":\"%s\",\"shape\":[", b->k->ops->name, b->k->threads, q->name);
    for (int i = 0; i < 4 && b->dim[i]; i++) {
        printf("%s%lld", i ? "," : "", (long long)b->dim[i]);
        work *= (double)b->dim[i];
    }
    if (q->unit == 'B' && q->types == 2 && b->t == SJK_F32 && !q->product)
        work *= 1.5; /* the activations are twice as wide, the rest is f32 anyway */
    printf("],\"type\":\"%s\",\"seconds\":%.6f,\"cpu_seconds\":%.6f,\"%s\":%.1f}\n", b->t == SJK_BF16 ? "bf16" : "f32",
           seconds[n / 2], cpu[n / 2], q->unit == 'F' ? "gflop_per_s" : "gbyte_per_s", work / seconds[n / 2] * 1e-9);
    fflush(stdout);
}

/* One kernel and type: every table in turn, repeated. */
static int measure(struct bench *b, int tables, const struct kernel *q, enum sjk_type t, int repeats)
{
    static double seconds[8][most_repeats], cpu[8][most_repeats];
    int first = q->product ? tables - 1 : 0, bad = 0;
    for (int i = first; i < tables; i++)
        bad |= ready(&b[i], q, t) || run(&b[i], q);
    for (int r = 0; r < repeats && !bad; r++)
        for (int i = first; i < tables && !bad; i++) {
            double start = now(CLOCK_MONOTONIC), busy = now(CLOCK_PROCESS_CPUTIME_ID);
            bad |= run(&b[i], q);
            seconds[i][r] = (now(CLOCK_MONOTONIC) - start) / (double)b[i].scale;
            cpu[i][r] = (now(CLOCK_PROCESS_CPUTIME_ID) - busy) / (double)b[i].scale;
        }
    for (int i = first; i < tables; i++) {
        if (bad)
            fprintf(stderr, "kernels: %s: %s\n", q->name, sjk_reason(b[i].k));
        else
            report(&b[i], q, seconds[i], cpu[i], repeats);
        if (b[i].l)
            b[i].k->ops->linear_free(b[i].k, b[i].l);
        b[i].l = NULL;
    }
    return bad;
}

/* Opens a back end with its buffers: those of `with`, when given. */
static int open_bench(struct bench *b, const char *backend, int threads, int64_t scale, const struct bench *with)
{
    char why[256];
    int status = sjk_open(backend, threads, &b->k, why, sizeof why);
    if (status) {
        fprintf(stderr, "kernels: %s\n", why);
        return status;
    }
    struct sjk *k = b->k;
    void **to[] = {&b->a, &b->b, &b->c, &b->d, &b->e};
    if (with) {
        *b = *with;
        b->k = k;
    }
    b->scale = scale;
    for (int i = 0; i < 5 && !with && !status; i++)
        status = k->ops->alloc(k, (size_t)scale * big, to[i]);
    if (status)
        fprintf(stderr, "kernels: %s\n", sjk_reason(k));
    return status;
}

int main(int argc, char **argv)
{
    int threads = 0, repeats = 9, n, c, tables = 0, bad = 0;
    const char *backend = NULL;
    int64_t scale = 1;
    while ((c = getopt(argc, argv, "j:n:b:s:")) != -1) {
        if (c == 'j')
            threads = (int)strtol(optarg, NULL, 10);
        else if (c == 'n')
            repeats = (int)strtol(optarg, NULL, 10);
        else if (c == 'b')
            backend = optarg;
        else if (c == 's')
            scale = strtol(optarg, NULL, 10);
        else
            return 2;
    }
    if (repeats < 1 || repeats > most_repeats || scale < 1)
        return 2;
    struct bench b[8] = {0};
    const struct sjk_ops *const *table = sjk_cpu_tables(&n);
    if (backend) {
        bad = open_bench(&b[tables++], backend, threads, scale, NULL);
    } else {
        for (int i = 1; i < n && !bad; i++) {
            char name[32];
            snprintf(name, sizeof name, "cpu:%s", table[n - i]->name);
            bad = open_bench(&b[n - 1 - i], name, threads, scale, i > 1 ? &b[n - 2] : NULL);
        }
        tables = n - 1;
    }
    for (int i = 0; i < count && !bad; i++)
        if ((kernels[i].run != log_mel || !b[0].k->ops->mel) && (optind >= argc || strstr(kernels[i].name, argv[optind])))
            for (int t = 0; t < kernels[i].types && !bad; t++)
                bad |= measure(b, tables, &kernels[i], t ? SJK_BF16 : SJK_F32, repeats);
    struct bench *last = &b[tables - 1];
    void *buffer[] = {last->a, last->b, last->c, last->d, last->e};
    for (int j = 0; j < 5 && last->k; j++)
        last->k->ops->free(last->k, buffer[j]);
    for (int i = 0; i < tables; i++)
        sjk_close(b[i].k);
    return bad ? 5 : 0;
}
