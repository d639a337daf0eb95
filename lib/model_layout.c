/* The table of tensors, and how they start. */
#include "model_own.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"

/* -- layout ------------------------------------------------------------------------------------------------------- */

struct builder {
    struct sj_layout *layout;
    char prefix[32];
};

/* Appends one tensor of rank `rank` (dims past it are 1); returns it to have its start set. */
static struct sj_tensor *add(struct builder *b, int rank, int64_t d0, int64_t d1, const char *name)
{
    struct sj_layout *l = b->layout;
    struct sj_tensor *t = &l->tensor[l->tensors++];
    *t = (struct sj_tensor){.rank = rank, .dims = {d0, d1, 1, 1}, .count = (size_t)(d0 * d1), .offset = l->total};
    snprintf(t->name, sizeof t->name, "%s%s", b->prefix, name);
    l->total += (t->count + 15) / 16 * 16;
    return t;
}

static void uniform(struct sj_tensor *t, double bound)
{
    t->init = SJ_INIT_UNIFORM;
    t->bound = (float)bound;
}

/* Xavier: U(+-sqrt(6 / (in + out))), bias 0. */
static void xavier(struct builder *b, int64_t out, int64_t in, const char *name)
{
    char full[48];
    snprintf(full, sizeof full, "%s.weight", name);
    uniform(add(b, 2, out, in, full), sqrt(6.0 / (double)(out + in)));
    snprintf(full, sizeof full, "%s.bias", name);
    add(b, 1, out, 1, full);
}

static void norm(struct builder *b, int64_t D, const char *name)
{
    char full[48];
    snprintf(full, sizeof full, "%s.weight", name);
    add(b, 1, D, 1, full)->init = SJ_INIT_ONE;
    snprintf(full, sizeof full, "%s.bias", name);
    add(b, 1, D, 1, full);
}

static void blocks(struct builder *b, int64_t D, int64_t depth, int64_t ratio)
{
    char outer[32];
    memcpy(outer, b->prefix, sizeof outer);
    for (int64_t i = 0; i < depth; i++) {
        snprintf(b->prefix, sizeof b->prefix, "%.16sblocks.%d.", outer, (int)i);
        norm(b, D, "norm1");
        xavier(b, 3 * D, D, "attn.qkv");
        xavier(b, D, D, "attn.proj");
        norm(b, D, "norm2");
        xavier(b, ratio * D, D, "mlp.fc1");
        xavier(b, D, ratio * D, "mlp.fc2");
    }
    memcpy(b->prefix, outer, sizeof outer);
}

static void encoder(struct builder *b, const struct sj_config *c)
{
    int64_t pixels = c->patch * c->patch;
    struct sj_tensor *t = add(b, 4, c->dim, pixels, "patch_embed.proj.weight");
    t->dims[1] = 1;
    t->dims[2] = t->dims[3] = c->patch;
    uniform(t, sqrt(6.0 / (double)(c->dim + pixels)));
    uniform(add(b, 1, c->dim, 1, "patch_embed.proj.bias"), 1.0 / (double)c->patch);
    blocks(b, c->dim, c->depth, c->mlp_ratio);
    norm(b, c->dim, "norm");
}

/* How the class is told, as values of the predictor's width W: a learnt table, or a learnt map of the classes' vectors.
 * From vectors whose values are of size 1 the map makes values of size 1 at first, as those of the table are. */
static void source(struct builder *b, const struct sj_config *c, int64_t W)
{
    if (!c->condition) {
        add(b, 2, c->classes, W, "source_embed.weight")->init = SJ_INIT_NORMAL;
        return;
    }
    uniform(add(b, 2, W, c->condition, "source_map.weight"), sqrt(3.0 / (double)c->condition));
    add(b, 1, W, 1, "source_map.bias");
}

static void mlp(struct builder *b, const struct sj_config *c)
{
    int concat = c->predictor == SJ_PREDICTOR_MLP, film = c->predictor == SJ_PREDICTOR_MLP_FILM;
    if (concat || film)
        source(b, c, c->dim);
    if (film) { /* scale less 1 and shift of every hidden layer: all 0, so that it starts as if it were not there */
        add(b, 2, 2 * c->hidden * (c->layers - 1), c->dim, "film.weight");
        add(b, 1, 2 * c->hidden * (c->layers - 1), 1, "film.bias");
    }
    for (int64_t i = 0; i < c->layers; i++) {
        int64_t in = i ? c->hidden : concat ? 2 * c->dim : c->dim, out = i + 1 < c->layers ? c->hidden : c->dim;
        char name[32];
        snprintf(name, sizeof name, "blocks.%d.weight", (int)(2 * i)); /* odd numbers are the ReLUs */
        uniform(add(b, 2, out, in, name), 1 / sqrt((double)in));
        snprintf(name, sizeof name, "blocks.%d.bias", (int)(2 * i));
        uniform(add(b, 1, out, 1, name), 1 / sqrt((double)in));
    }
    norm(b, c->dim, "norm");
}

static void transformer(struct builder *b, const struct sj_config *c)
{
    source(b, c, c->trf_dim);
    xavier(b, c->trf_dim, c->dim, "predictor_embed");
    blocks(b, c->trf_dim, c->trf_depth, 4);
    norm(b, c->trf_dim, "norm");
    xavier(b, c->dim, c->trf_dim, "predictor_pred");
}

int sj_layout_new(const struct sj_config *c, struct sj_layout *l)
{
    size_t most = (size_t)(12 * (c->depth + c->trf_depth) + 2 * c->layers + 16);
    *l = (struct sj_layout){.tensor = calloc(most, sizeof *l->tensor)};
    if (!l->tensor)
        return sj_fail(SJ_SYSTEM, "no memory for a table of %zu tensors", most);
    struct builder b = {.layout = l, .prefix = "encoder/"};
    encoder(&b, c);
    l->encoder_tensors = l->tensors;
    l->encoder = l->total;
    snprintf(b.prefix, sizeof b.prefix, "predictor/");
    if (c->predictor == SJ_PREDICTOR_TRANSFORMER)
        transformer(&b, c);
    else
        mlp(&b, c);
    l->trained = l->total;
    if (c->condition)
        add(&b, 2, c->classes, c->condition, "source_vector");
    return SJ_OK;
}

void sj_layout_free(struct sj_layout *l)
{
    free(l->tensor);
    *l = (struct sj_layout){0};
}

int sj_tensor_find(const struct sj_layout *l, const char *name)
{
    for (int i = 0; i < l->tensors; i++)
        if (!strcmp(l->tensor[i].name, name))
            return i;
    return -1;
}

/* -- models ------------------------------------------------------------------------------------------------------- */

static float *arena(size_t elements)
{
    size_t bytes = (elements * sizeof(float) + 63) / 64 * 64;
    float *p = aligned_alloc(64, bytes ? bytes : 64);
    if (p)
        memset(p, 0, bytes);
    return p;
}

int sj_model_blank(const struct sj_config *c, struct sj_model **out)
{
    int status = sj_config_check(c);
    struct sj_model *m = status ? NULL : calloc(1, sizeof *m);
    if (!m)
        return status ? status : sj_fail(SJ_SYSTEM, "no memory for a model");
    m->config = *c;
    status = sj_layout_new(c, &m->layout);
    if (!status) {
        m->weights = arena(m->layout.total);
        m->target = arena(m->layout.encoder);
        if (!m->weights || !m->target)
            status = sj_fail(SJ_SYSTEM, "no memory for a model of %zu weights", m->layout.total + m->layout.encoder);
    }
    if (status)
        sj_model_free(m);
    else
        *out = m;
    return status;
}

static void start_tensor(const struct sj_tensor *t, uint64_t seed, uint64_t number, float *w)
{
    static const uint64_t purpose = 0x77656967687473; /* "weights" */
    struct sj_rng r = sj_rng(seed, sj_rng_stream(purpose, number));
    if (t->init == SJ_INIT_NORMAL)
        sj_rng_normal(&r, w, t->count);
    else
        for (size_t i = 0; i < t->count; i++)
            w[i] = t->init == SJ_INIT_UNIFORM ? sj_rng_range(&r, -t->bound, t->bound) : t->init == SJ_INIT_ONE;
}

int sj_model_new(const struct sj_config *c, uint64_t seed, struct sj_model **out)
{
    struct sj_model *m;
    int status = sj_model_blank(c, &m);
    if (status)
        return status;
    for (int i = 0; i < m->layout.tensors; i++)
        start_tensor(&m->layout.tensor[i], seed, (uint64_t)i, m->weights + m->layout.tensor[i].offset);
    memcpy(m->target, m->weights, m->layout.encoder * sizeof(float));
    sj_model_identify(m);
    *out = m;
    return SJ_OK;
}

void sj_model_free(struct sj_model *m)
{
    if (!m)
        return;
    sj_layout_free(&m->layout);
    free(m->weights);
    free(m->target);
    free(m->training);
    free(m);
}

/* Four independent lanes of multiply and rotate over 64-bit words: as fast as memory, and no two weights cancel. */
static void hash(uint64_t lane[4], const void *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 8) {
        uint64_t word = 0;
        memcpy(&word, (const char *)data + i, bytes - i < 8 ? bytes - i : 8);
        uint64_t h = (lane[i / 8 % 4] ^ word) * 0x9E3779B97F4A7C15u;
        lane[i / 8 % 4] = h << 29 | h >> 35;
    }
}

void sj_model_identify(struct sj_model *m)
{
    uint64_t lane[4] = {1, 2, 3, 4};
    for (const struct sj_config_field *f = sj_config_fields; f->name; f++)
        if (!f->optional || *sj_config_int(&m->config, f))
            hash(lane, (const char *)&m->config + f->offset, 8);
    int64_t predictor = m->config.predictor;
    hash(lane, &predictor, 8);
    hash(lane, m->config.class_name, sizeof m->config.class_name);
    for (int i = 0; i < m->layout.tensors; i++) {
        const struct sj_tensor *t = &m->layout.tensor[i];
        hash(lane, m->weights + t->offset, t->count * sizeof(float));
        if (i < m->layout.encoder_tensors)
            hash(lane, m->target + t->offset, t->count * sizeof(float));
    }
    uint64_t h = 0;
    for (int i = 0; i < 4; i++)
        h = sj_rng_stream(h, lane[i]);
    snprintf(m->id, sizeof m->id, "%016llx", (unsigned long long)h);
}
