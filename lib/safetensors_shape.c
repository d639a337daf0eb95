/* What a header says: tensors, and hyper-parameters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "safetensors_own.h"

struct wanted {
    const char *name;
    const sj_json *found;
};

void sj_safetensors_plain(const char *key, char *name, size_t size)
{
    static const char extra[] = "_orig_mod.";
    const char *at = strstr(key, extra);
    snprintf(name, size, "%.*s%s", at ? (int)(at - key) : 0, key, at ? at + sizeof extra - 1 : key);
}

static int match(const char *key, const sj_json *value, void *arg)
{
    struct wanted *w = arg;
    char plain[112];
    sj_safetensors_plain(key, plain, sizeof plain);
    if (!strcmp(plain, w->name))
        w->found = value;
    return w->found != NULL;
}

static const sj_json *find(const struct sj_safetensors *s, const char *name)
{
    struct wanted w = {name, sj_json_get(s->header, name)};
    if (!w.found)
        sj_json_each(s->header, match, &w);
    return w.found;
}

int sj_safetensors_has(const struct sj_safetensors *s, const char *name)
{
    return find(s, name) != NULL;
}

static int wrong(const struct sj_safetensors *s, const char *name, const char *why)
{
    return sj_fail(SJ_INPUT, "'%s': '%s' %s", s->path, name, why);
}

static int as_int(const sj_json *array, size_t i, int64_t *value)
{
    sj_json *box = sj_json_object();
    const sj_json *item = sj_json_at(array, i);
    sj_json_set(box, "value", item ? sj_json_keep(item) : NULL);
    int found = item && sj_json_get_int(box, "value", value);
    sj_json_free(box);
    return found;
}

int sj_safetensors_shape(const struct sj_safetensors *s, const char *name, int *rank, int64_t dims[SJ_SAFETENSORS_RANK],
                         const char **dtype, size_t *width, int64_t *from)
{
    static const struct {
        const char *name;
        size_t width;
    } types[] = {{"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F64", 8}};
    const sj_json *o = find(s, name), *shape = sj_json_get(o, "shape"), *range = sj_json_get(o, "data_offsets");
    int64_t to, bytes;
    if (!o)
        return sj_fail(SJ_INPUT, "'%s' has no '%s'", s->path, name);
    *dtype = sj_json_get_text(o, "dtype");
    *width = 0;
    for (size_t i = 0; *dtype && i < sizeof types / sizeof *types; i++)
        if (!strcmp(*dtype, types[i].name))
            *width = types[i].width;
    if (!*width)
        return wrong(s, name, "has a type other than F32, F16, BF16 and F64");
    if (sj_json_count(shape) > SJ_SAFETENSORS_RANK || !as_int(range, 0, from) || !as_int(range, 1, &to))
        return wrong(s, name, "is described wrongly");
    *rank = (int)sj_json_count(shape);
    bytes = (int64_t)*width;
    for (int i = 0; i < *rank; i++)
        if (!as_int(shape, (size_t)i, &dims[i]) || dims[i] < 1 || __builtin_mul_overflow(bytes, dims[i], &bytes))
            return wrong(s, name, "is described wrongly");
    if (*from < 0 || to < *from || to - *from != bytes || to > s->bytes)
        return wrong(s, name, "lies outside the file: truncated or damaged");
    return SJ_OK;
}

struct extent {
    int64_t from, to;
    const char *name;
};

struct extents {
    const struct sj_safetensors *s;
    size_t n;
    struct extent *at;
};

static int take_extent(const char *key, const sj_json *value, void *arg)
{
    struct extents *e = arg;
    const sj_json *range = sj_json_get(value, "data_offsets");
    struct extent *at = &e->at[e->n];
    if (!strcmp(key, "__metadata__"))
        return SJ_OK;
    at->name = key;
    if (!as_int(range, 0, &at->from) || !as_int(range, 1, &at->to) || at->from < 0 || at->to < at->from)
        return wrong(e->s, key, "is described wrongly");
    e->n++;
    return SJ_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct extent *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

int sj_safetensors_extents(const struct sj_safetensors *s)
{
    struct extents e = {s, 0, calloc(sj_json_count(s->header) + 1, sizeof *e.at)};
    int64_t end = 0;
    int status = e.at ? sj_json_each(s->header, take_extent, &e) : sj_fail(SJ_SYSTEM, "no memory for '%s'", s->path);
    if (!status)
        qsort(e.at, e.n, sizeof *e.at, by_place);
    for (size_t i = 0; !status && i < e.n; end = e.at[i++].to)
        if (e.at[i].from != end)
            status = wrong(s, e.at[i].name, "does not begin where the tensor before it ends");
    if (!status && end < s->bytes)
        status = sj_fail(SJ_INPUT, "'%s' has %lld bytes behind its last tensor", s->path, (long long)(s->bytes - end));
    if (!status && end > s->bytes)
        status = wrong(s, e.at[e.n - 1].name, "lies outside the file: truncated or damaged");
    free(e.at);
    return status;
}

/* -- hyper-parameters ------------------------------------------------------------------------------------------------
 */

/* Size `d` of a tensor. */
static int size_of(const struct sj_safetensors *s, const char *name, int d, int64_t *size)
{
    int64_t dims[SJ_SAFETENSORS_RANK] = {0}, from;
    int rank;
    const char *dtype;
    size_t width;
    int status = sj_safetensors_shape(s, name, &rank, dims, &dtype, &width, &from);
    if (!status && d >= rank)
        status = wrong(s, name, "has too few dimensions");
    *size = dims[d];
    return status;
}

/* How many tensors PREFIX 0 SUFFIX, PREFIX step SUFFIX ... there are. */
static int64_t count(const struct sj_safetensors *s, const char *prefix, int step, const char *suffix)
{
    int64_t n = 0;
    for (;; n++) {
        char name[96];
        snprintf(name, sizeof name, "%s%lld%s", prefix, (long long)n * step, suffix);
        if (!sj_safetensors_has(s, name))
            return n;
    }
}

/* From the shapes of a paper-like model. */
static int guess(const struct sj_safetensors *s, struct sj_config *c)
{
    int64_t classes = 4;
    *c = sj_config_defaults();
    int status = size_of(s, "encoder.patch_embed.proj.weight", 0, &c->dim);
    c->depth = count(s, "encoder.blocks.", 1, ".norm1.weight");
    if (!status && c->dim % 64)
        return sj_fail(SJ_INPUT, "'%s' has an encoder of width %lld and no 'config' that says how many heads", s->path,
                       (long long)c->dim);
    c->heads = c->dim / 64;
    if (!status && sj_safetensors_has(s, "predictor.source_embed.weight"))
        status = size_of(s, "predictor.source_embed.weight", 0, &classes);
    if (!status && classes != 4)
        return sj_fail(SJ_INPUT, "'%s' has %lld classes and does not say which", s->path, (long long)classes);
    if (!status && sj_safetensors_has(s, "predictor.predictor_embed.weight")) {
        c->predictor = SJ_PREDICTOR_TRANSFORMER;
        c->trf_depth = count(s, "predictor.blocks.", 1, ".norm1.weight");
        status = size_of(s, "predictor.predictor_embed.weight", 0, &c->trf_dim);
    } else if (!status) {
        c->predictor = sj_safetensors_has(s, "predictor.film.weight")           ? SJ_PREDICTOR_MLP_FILM
                       : sj_safetensors_has(s, "predictor.source_embed.weight") ? SJ_PREDICTOR_MLP
                                                                                : SJ_PREDICTOR_MLP_NONE;
        c->layers = count(s, "predictor.blocks.", 2, ".weight");
        status = size_of(s, "predictor.blocks.0.weight", 0, &c->hidden);
    }
    return status;
}

int sj_safetensors_config(const struct sj_safetensors *s, struct sj_config *c)
{
    const sj_json *said = sj_json_get(sj_json_get(s->header, "__metadata__"), "config");
    const char *text = sj_json_as_text(said);
    if (said && !text)
        return sj_fail(SJ_INPUT, "'%s': its 'config' is not JSON text", s->path);
    sj_json *json = NULL;
    int status = text ? SJ_OK : guess(s, c);
    if (status)
        return status;
    if (text && !(status = sj_json_parse(text, strlen(text), &json)))
        status = sj_json_is_object(json) ? sj_config_from_json(json, c)
                                         : sj_fail(SJ_INPUT, "its 'config' is no object");
    else if (!text)
        status = sj_config_check(c);
    sj_json_free(json);
    return status ? sj_fail_at(SJ_INPUT, "'%s'", s->path) : SJ_OK;
}
