/* The same bits for any number of threads, at the model's own shapes: long sums, many blocks, a large number of rows
 * under a weight gradient. On the table that a user gets. */
#include "op_table.h"
#include "../tap.h"

#include <stdlib.h>

static const struct {
    const char *op;
    int64_t d[op_dims];
    int variant;
} shape[] = {
    {"linear_forward", {2000, 768, 768}, 0},    {"linear_to_gelu", {500, 3072, 768}, 0},
    {"linear_forward", {250, 768, 3072}, 0},    {"linear_backward_x", {250, 3072, 768}, 0},
    {"linear_backward_gelu", {500, 768, 3072}, 0}, {"linear_forward_gelu", {500, 3072, 768}, 0},
    {"linear_backward_w", {16001, 768, 256}, 0}, {"linear_backward_w", {2000, 768, 768}, 0},
    {"linear_backward_w", {250, 2304, 800}, 0}, {"linear_backward_w", {2001, 385, 1537}, 0},
    {"matmul_nt", {300, 2000, 3840}, 0},        {"attention", {2, 250, 12, 64}, 0},
    {"attention_backward", {2, 250, 12, 64}, 0}, {"layernorm_backward", {4000, 768}, 0},
    {"gelu_backward", {2000, 1536}, 0},         {"column_sum", {10007, 96}, 0},
    {"concat_backward", {8, 250, 768}, 0},      {"film_backward", {8, 250, 1024}, 0},
    {"cosine_loss", {4000, 384}, 0},            {"sum_squares", {5000011}, 0},
    {"adamw", {3000017}, 0},
};

static const struct op *find(const char *name)
{
    for (int i = 0; i < op_count; i++)
        if (!strcmp(op_table[i].name, name))
            return &op_table[i];
    return NULL;
}

/* Small values with little repetition: -1 .. 1. */
static void fill(unsigned char *p, const struct op_buffer *b, size_t n, size_t width)
{
    for (size_t i = 0; i < n; i++) {
        int32_t index = (int32_t)(i % op_classes);
        float x = (float)((i * 2654435761u >> 7) % 65537) / 32768 - 1;
        x = b->fill == '+' ? fabsf(x) : x;
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        uint16_t high = (uint16_t)(bits >> 16);
        if (b->type == 'i')
            memcpy(p + i * width, &index, sizeof index);
        else if (width == 2)
            memcpy(p + i * width, &high, sizeof high);
        else if (width == 4)
            memcpy(p + i * width, &x, sizeof x);
    }
}

/* Runs one case and leaves all buffers, one behind the other, in *out. */
static int run(int threads, const struct op *o, struct op_case c, unsigned char **out, size_t *size)
{
    struct sjk *k;
    char why[256];
    void *b[op_buffers] = {0};
    if (sjk_open("cpu", threads, &k, why, sizeof why))
        return 5;
    *size = 0;
    for (int i = 0; o->buffer[i].shape; i++)
        *size += ((size_t)op_elements(o, o->buffer[i].shape, c.d) * op_width(&o->buffer[i], c.t, c.u) + 63) / 64 * 64;
    if (!(*out = aligned_alloc(64, *size + 64)))
        abort();
    memset(*out, 0, *size);
    unsigned char *at = *out;
    for (int i = 0; o->buffer[i].shape; i++) {
        size_t n = (size_t)op_elements(o, o->buffer[i].shape, c.d), width = op_width(&o->buffer[i], c.t, c.u);
        fill(b[i] = at, &o->buffer[i], n, width);
        at += (n * width + 63) / 64 * 64;
    }
    c.b = b;
    int status = o->call(k, &c);
    sjk_close(k);
    return status;
}

int main(void)
{
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++)
        for (int t = 0; t < 2; t++) {
            const struct op *o = find(shape[i].op);
            enum sjk_type type = t ? SJK_BF16 : SJK_F32;
            struct op_case c = {.d = shape[i].d, .t = type, .u = type, .variant = shape[i].variant};
            unsigned char *one, *other;
            size_t size, n;
            if (t && !o->types)
                continue;
            int same = !run(1, o, c, &one, &size);
            for (int threads = 2; threads < 4; threads++) {
                same &= !run(threads, o, c, &other, &n) && !memcmp(one, other, size);
                free(other);
            }
            free(one);
            ok(same, "%s %lld %lld %lld, %s: same bits with 1, 2 and 3 threads", o->name, (long long)c.d[0],
               (long long)c.d[1], (long long)c.d[2], t ? "bf16" : "f32");
        }
    return done();
}
