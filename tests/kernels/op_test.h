/* op_test: one operation of a table against the reference, at the sizes of op_table.h: values within the stated bounds,
 * NaN and infinity where the reference has them, nothing written outside the outputs, inputs untouched, the same bits
 * for any number of threads. */
#ifndef TESTS_OP_TEST_H
#define TESTS_OP_TEST_H

#include "op_table.h"
#include "../tap.h"

#include <stdint.h>
#include <stdlib.h>

enum { guard = 64, most_notes = 5, ways = 3 }; /* ways: plain, with NaN, with infinity */

/* A buffer with guards on both sides: bytes of the content start at guard + shift. */
struct image {
    unsigned char *byte, *want, *got;
    size_t size, at, n, width;
};

struct tester {
    struct sjk *reference, *one, *three; /* the table under test with 1 and 3 threads */
    int cases, bad, notes;
    double worst; /* largest error in bounds */
    int64_t most; /* elements of the first buffer, larger sizes are left out; 0: none is */
    const struct op *op;
};

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 31) * 0x7fb5d329728ea185u;
    x = (x ^ x >> 27) * 0x81dadef4bc2dd44du;
    return x ^ x >> 33;
}

static float normal(uint64_t seed)
{
    double s = 0;
    for (int i = 0; i < 6; i++)
        s += (double)(mix(seed * 6 + (uint64_t)i) >> 40) / 16777216.0 - 0.5;
    return (float)(s * M_SQRT2);
}

static double get_value(const unsigned char *p, size_t width)
{
    double d;
    if (width == sizeof d) {
        memcpy(&d, p, sizeof d);
        return d;
    }
    uint32_t u = 0;
    memcpy(width == 2 ? (unsigned char *)&u + 2 : (unsigned char *)&u, p, width);
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static void put_value(unsigned char *p, size_t width, float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    if (width == 2)
        u = (f != f ? u : u + 0x7fff + (u >> 16 & 1)) >> 16;
    memcpy(p, &u, width);
}

static void fill(struct image *m, const struct op_buffer *b, uint64_t seed)
{
    for (size_t i = 0; i < m->n; i++) {
        unsigned char *p = m->byte + m->at + i * m->width;
        float x = normal(seed + i);
        int32_t index = (int32_t)(mix(seed + i) % op_classes);
        double d = 1.5;
        if (b->fill)
            x = b->fill == '+' ? fabsf(x) + 0.01f : rintf(x * 4) / 4;
        if (b->type == 'i')
            memcpy(p, &index, sizeof index);
        else if (b->type == 'd')
            memcpy(p, &d, sizeof d);
        else if (b->type != 'l')
            put_value(p, m->width, x);
    }
}

static int is_input(const struct op_buffer *b)
{
    return b->role == 'i' || b->role == 'I';
}

/* The images of a case; the way decides which input gets one NaN or infinity. */
static void make(struct image *image, const struct op *o, const struct op_case *c, int way, uint64_t seed)
{
    int inputs = 0;
    for (int i = 0; o->buffer[i].shape; i++) {
        const struct op_buffer *b = &o->buffer[i];
        struct image *m = &image[i];
        m->width = op_width(b, c->t, c->u);
        m->n = (size_t)op_elements(o, b->shape, c->d);
        m->at = guard + (seed & 1 ? m->width : 0);
        m->size = m->at + m->n * m->width + guard;
        m->byte = malloc(3 * m->size);
        if (!m->byte)
            abort();
        m->want = m->byte + m->size;
        m->got = m->want + m->size;
        memset(m->byte, 0x3e, m->size);
        if (b->role != 'o' && b->role != 'O')
            fill(m, b, mix(seed * 16 + (uint64_t)i));
        inputs += b->role != 'o' && b->role != 'O' && strchr("ftuS", b->type) && m->n;
    }
    int target = inputs ? (int)(mix(seed) % (uint64_t)inputs) : -1;
    for (int i = 0; way && o->buffer[i].shape; i++) {
        const struct op_buffer *b = &o->buffer[i];
        if (b->role != 'o' && b->role != 'O' && strchr("ftuS", b->type) && image[i].n && target-- == 0)
            put_value(image[i].byte + image[i].at + mix(seed + 9) % image[i].n * image[i].width, image[i].width,
                      way == 1 ? NAN : seed & 2 ? INFINITY : -INFINITY);
    }
}

/* Puts the images to where they belong, and calls. */
static int put_and_call(struct sjk *k, const struct op *o, const struct op_case *c, struct image *image,
                        void *const *base, uint64_t key)
{
    int status = 0;
    for (int i = 0; o->buffer[i].shape && !status; i++)
        status = k->ops->put(k, base[i], image[i].byte, image[i].size);
    if (!status && key)
        status = k->ops->begin(k, key);
    if (!status)
        status = o->call(k, c);
    return status || !key ? status : k->ops->end(k);
}

/* Runs the case on `k`; the images afterwards go to got. With a key it runs as repeated work, three times: the second
 * is recorded and the third replayed, where a back end does so. */
static int run(struct sjk *k, const struct op *o, struct op_case c, struct image *image, uint64_t key)
{
    void *base[op_buffers] = {0}, *b[op_buffers] = {0};
    int status = 0;
    for (int i = 0; o->buffer[i].shape && !status; i++) {
        status = k->ops->alloc(k, image[i].size, &base[i]);
        if (!(strchr("IOB", o->buffer[i].role) && c.variant & 1))
            b[i] = (unsigned char *)base[i] + image[i].at;
    }
    c.b = b;
    for (int round = 0; !status && round < (key ? 3 : 1); round++)
        status = put_and_call(k, o, &c, image, base, key);
    for (int i = 0; o->buffer[i].shape; i++) {
        if (!status)
            status = k->ops->get(k, image[i].got, base[i], image[i].size);
        k->ops->free(k, base[i]);
    }
    return status;
}

/* A key of repeated work for the second run of a case; 0 where that would be no different, or the call allocates. */
static uint64_t key_of(const struct sjk *k, const struct op *o, uint64_t seed)
{
    int allocates = !strncmp(o->name, "linear", 6) || strstr(o->name, "mel") || !strcmp(o->name, "attention_backward");
    return strcmp(k->ops->name, "cuda") || allocates ? 0 : mix((uint64_t)(uintptr_t)o + seed) | 1;
}

static void note(struct tester *t, const struct op_case *c, const char *what, int buffer, double value)
{
    t->bad++;
    if (t->notes++ < most_notes) {
        printf("# %s %s (%s", t->one->ops->name, t->op->name, t->op->dims);
        for (int i = 0; t->op->dims[i]; i++)
            printf(" %lld", (long long)c->d[i]);
        printf(") types %d %d variant %d buffer %d: %s %g\n", c->t, c->u, c->variant, buffer, what, value);
    }
}

/* A device alone may round the sum before the GELU. */
static double stated_bound(const struct op *o, const struct sjk *k)
{
    return o->call == call_linear_to_gelu && !k->ops->on_device ? 0 : o->bound;
}

/* The largest difference of two equally long outputs, in bounds; NaN where one is NaN or infinite and the other not. */
static double difference(double stated, const struct op_case *c, const struct op_buffer *b, const struct image *m)
{
    double scale = 0, worst = 0;
    if (b->type == 'l' || b->type == 'i')
        return memcmp(m->want, m->got, m->size) ? NAN : 0;
    for (int pass = 0; pass < 2; pass++) {
        double bf16 = (stated < 0 ? -stated : 1) / 256;
        double f32 = b->type == 'S' && c->t == SJK_BF16 ? 1e-4 : 2e-6;
        double bound = stated > 0 ? stated : (m->width == 2 ? bf16 : f32) * (f32 > 2e-6 ? fmax(scale, 1) : scale);
        for (size_t i = 0; i < m->n; i++) {
            double x = get_value(m->want + m->at + i * m->width, m->width), before = 0;
            double y = get_value(m->got + m->at + i * m->width, m->width);
            if (b->role == 'b' || b->role == 'B')
                before = get_value(m->byte + m->at + i * m->width, m->width);
            if (!pass)
                scale = isfinite(x) ? fmax(scale, fmax(fabs(x), isfinite(before) ? fabs(before) : 0)) : scale;
            else if (isfinite(x) != isfinite(y) ||
                     (!isfinite(x) && b->fill != '~' && !(isnan(x) ? isnan(y) : x == y)))
                return NAN;
            else if (isfinite(x) && x != y && !(fabs(x - y) / bound <= worst))
                worst = fabs(x - y) / bound;
        }
    }
    return worst;
}

/* What may change of buffer i: nothing outside the content, and nothing inside of inputs and of NULL ones. */
static int only_outputs_changed(const struct op_buffer *b, const struct op_case *c, const struct image *m)
{
    if (is_input(b) || (strchr("OB", b->role) && c->variant & 1))
        return !memcmp(m->byte, m->got, m->size);
    size_t end = m->at + m->n * m->width;
    return !memcmp(m->byte, m->got, m->at) && !memcmp(m->byte + end, m->got + end, m->size - end);
}

static void one_case(struct tester *t, const struct op_case *c, int way, uint64_t seed)
{
    const struct op *o = t->op;
    struct image image[op_buffers] = {0};
    make(image, o, c, way, seed);
    int status = run(t->reference, o, *c, image, 0);
    if (status >= 0) {
        for (int i = 0; o->buffer[i].shape; i++)
            memcpy(image[i].want, image[i].got, image[i].size);
        int got = status ? status : run(t->one, o, *c, image, 0);
        t->cases += got != -1;
        if (status || got > 0)
            note(t, c, status ? sjk_reason(t->reference) : sjk_reason(t->one), 0, got);
        for (int i = 0; o->buffer[i].shape && !got; i++) {
            double d = difference(stated_bound(o, t->one), c, &o->buffer[i], &image[i]);
            if (!(d <= 1))
                note(t, c, way == 0 ? "error in bounds" : way == 1 ? "with NaN" : "with infinity", i, d);
            if (!only_outputs_changed(&o->buffer[i], c, &image[i]))
                note(t, c, "wrote outside its outputs", i, 0);
            t->worst = d > t->worst ? d : t->worst;
            memcpy(image[i].want, image[i].got, image[i].size);
        }
        if (!got && (got = run(t->three, o, *c, image, key_of(t->three, o, seed))))
            note(t, c, sjk_reason(t->three), 0, got);
        for (int i = 0; o->buffer[i].shape && !got; i++)
            if (memcmp(image[i].want, image[i].got, image[i].size))
                note(t, c, "differs between 1 and 3 threads, or when repeated", i, 0);
    }
    for (int i = 0; o->buffer[i].shape; i++)
        free(image[i].byte);
}

/* Sizes tried with plain values only, for time. */
static int large(const struct op *o, const int64_t *d)
{
    return op_elements(o, o->buffer[0].shape, d) > 30000;
}

static void one_op(struct tester *t)
{
    const struct op *o = t->op;
    static const int64_t end[op_dims];
    uint64_t seed = 1;
    for (int s = 0; s < op_sizes && (s == 0 || memcmp(o->size[s], end, sizeof end)); s++) {
        if (t->most && op_elements(o, o->buffer[0].shape, o->size[s]) > t->most)
            continue;
        for (int types = 0; types < 1 << o->types; types++)
            for (int variant = 0; variant < o->variants; variant++)
                for (int way = 0; way < (large(o, o->size[s]) ? 1 : ways); way++) {
                    struct op_case c = {.d = o->size[s], .t = types & 1 ? SJK_BF16 : SJK_F32,
                                        .u = types & 2 ? SJK_BF16 : SJK_F32, .variant = variant};
                    one_case(t, &c, way, seed++);
                }
    }
}

/* Tests operation `i` of op_table and prints one check. */
static void test_op(struct tester *t, const char *table, int i)
{
    t->op = &op_table[i];
    t->cases = t->bad = t->notes = 0;
    t->worst = 0;
    one_op(t);
    if (!t->cases)
        skip(t->op->name, "not in this table");
    else
        ok(!t->bad, "%s %s: %d cases, largest error %.2f of the bound", table, t->op->name, t->cases, t->worst);
}

#endif
