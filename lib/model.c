/* Hyper-parameters: defaults, ranges, JSON. */
#include "model_own.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "installed.h"
#include "stream.h"

const char *const sj_predictor_names[] = {"mlp", "mlp_none", "transformer", "mlp_film", NULL};
const char *const sj_size_names[] = {"tiny", "small", "base", "large", NULL};

#define WHOLE(name, min, max) {#name, offsetof(struct sj_config, name), 0, min, max, 0}
#define OPTIONAL(name, max) {#name, offsetof(struct sj_config, name), 0, 0, max, 1}
#define MEL(name, field, real, min, max) {name, offsetof(struct sj_config, mel.field), real, min, max, 0}
const struct sj_config_field sj_config_fields[] = {
    WHOLE(dim, 4, 16384),
    WHOLE(depth, 1, 256),
    WHOLE(heads, 1, 1024),
    WHOLE(mlp_ratio, 1, 16),
    WHOLE(patch, 16, 16),
    WHOLE(frequencies, 1, 64),
    WHOLE(times, 1, 4096),
    WHOLE(hidden, 1, 65536),
    WHOLE(layers, 2, 64),
    WHOLE(trf_dim, 4, 16384),
    WHOLE(trf_depth, 1, 256),
    WHOLE(trf_heads, 1, 1024),
    MEL("sample_rate_hz", sample_rate_hz, 1, 1, 1e6),
    MEL("fft_samples", fft_samples, 0, 2, 65536),
    MEL("hop_samples", hop_samples, 0, 1, 65536),
    MEL("mel_bands", bands, 0, 16, 1024),
    MEL("mel_low_hz", low_hz, 1, 0, 1e6),
    MEL("mel_high_hz", high_hz, 1, 0, 1e6),
    MEL("mel_floor", floor, 1, 1e-30, 1),
    MEL("mel_mean", mean, 1, -1e6, 1e6),
    MEL("mel_std", std, 1, 1e-6, 1e6),
    OPTIONAL(rotary, 1),
    OPTIONAL(condition, 65536),
    {NULL, 0, 0, 0, 0, 0},
};

struct sj_config sj_config_defaults(void)
{
    static const char *const names[] = {"bass", "drums", "other", "vocals"};
    struct sj_config c = {.mlp_ratio = 4, .patch = 16, .frequencies = 5, .times = 50, .predictor = SJ_PREDICTOR_MLP};
    c.hidden = 1024;
    c.layers = 6;
    c.trf_dim = 512;
    c.trf_depth = 8;
    c.trf_heads = 16;
    c.mel = sj_mel_defaults();
    sj_config_size(&c, 2);
    sj_config_set_classes(&c, 4, names);
    return c;
}

void sj_config_size(struct sj_config *c, int size)
{
    static const int64_t sizes[][3] = {{192, 12, 3}, {384, 12, 6}, {768, 12, 12}, {1024, 24, 16}};
    c->dim = sizes[size][0];
    c->depth = sizes[size][1];
    c->heads = sizes[size][2];
}

static int off(const char *name, double value, const char *why)
{
    return sj_fail(SJ_USAGE, "hyper-parameter '%s' is %g, which %s", name, value, why);
}

int sj_config_check(const struct sj_config *config)
{
    struct sj_config c = *config;
    for (const struct sj_config_field *f = sj_config_fields; f->name; f++) {
        double v = f->real ? *sj_config_real(&c, f) : (double)*sj_config_int(&c, f);
        if (!(v >= f->min && v <= f->max))
            return off(f->name, v, "is out of range");
    }
    if (c.dim % c.heads || c.dim % 4)
        return off("dim", (double)c.dim, "is no multiple of 4 and of 'heads'");
    if (c.predictor == SJ_PREDICTOR_TRANSFORMER && (c.trf_dim % c.trf_heads || c.trf_dim % 4))
        return off("trf_dim", (double)c.trf_dim, "is no multiple of 4 and of 'trf_heads'");
    if (c.rotary && (c.dim / c.heads % 4 || (c.predictor == SJ_PREDICTOR_TRANSFORMER && c.trf_dim / c.trf_heads % 4)))
        return off("rotary", 1, "wants heads whose width is a multiple of 4");
    if (c.condition && c.predictor == SJ_PREDICTOR_MLP_NONE)
        return off("condition", (double)c.condition, "a predictor 'mlp_none' does not use");
    if (c.mel.bands != c.frequencies * c.patch)
        return off("mel_bands", (double)c.mel.bands, "is not 'frequencies' times 'patch'");
    if (c.classes < 1 || c.classes > SJ_CLASSES)
        return off("classes", (double)c.classes, "is out of range");
    return SJ_OK;
}

int sj_config_set_classes(struct sj_config *c, int64_t n, const char *const *names)
{
    if (n < 1 || n > SJ_CLASSES)
        return sj_fail(SJ_INPUT, "%lld classes where 1 to %d are wanted", (long long)n, SJ_CLASSES);
    memset(c->class_name, 0, sizeof c->class_name);
    c->classes = 0;
    for (int64_t i = 0; i < n; i++) {
        size_t length = strlen(names[i]);
        if (!length || length >= SJ_CLASS_BYTES)
            return sj_fail(SJ_INPUT, "the class name '%s' is empty or too long", names[i]);
        if (sj_config_class(c, names[i]) != SJ_CLASS_NONE)
            return sj_fail(SJ_INPUT, "the class '%s' is there twice", names[i]);
        memcpy(c->class_name[i], names[i], length);
        c->classes = i + 1;
    }
    return SJ_OK;
}

int sj_config_class(const struct sj_config *c, const char *name)
{
    for (int i = 0; i < c->classes; i++)
        if (!strcmp(c->class_name[i], name))
            return i;
    return SJ_CLASS_NONE;
}

/* -- JSON --------------------------------------------------------------------------------------------------------- */

sj_json *sj_config_to_json(const struct sj_config *config)
{
    struct sj_config c = *config;
    sj_json *o = sj_json_object(), *names = sj_json_array();
    for (const struct sj_config_field *f = sj_config_fields; f->name; f++) {
        if (f->optional && !*sj_config_int(&c, f))
            continue;
        sj_json_set(o, f->name, f->real ? sj_json_real(*sj_config_real(&c, f)) : sj_json_int(*sj_config_int(&c, f)));
    }
    for (int64_t i = 0; i < c.classes; i++)
        sj_json_append(names, sj_json_string(c.class_name[i]));
    sj_json_set(o, "classes", names);
    sj_json_set(o, "predictor", sj_json_string(sj_predictor_names[c.predictor]));
    return o;
}

/* The predictor by name; SJ_INPUT when there is none of this name (or NULL). */
static int find_predictor(const char *name, enum sj_predictor *p)
{
    for (int i = 0; name && sj_predictor_names[i]; i++)
        if (!strcmp(name, sj_predictor_names[i])) {
            *p = (enum sj_predictor)i;
            return SJ_OK;
        }
    return sj_fail(SJ_INPUT, "hyper-parameter 'predictor' is '%s', which is unknown", name ? name : "");
}

int sj_config_from_json(const sj_json *json, struct sj_config *c)
{
    const char *names[SJ_CLASSES + 1] = {NULL};
    memset(c, 0, sizeof *c);
    for (const struct sj_config_field *f = sj_config_fields; f->name; f++)
        if (!(f->real ? sj_json_get_real(json, f->name, sj_config_real(c, f))
                      : sj_json_get_int(json, f->name, sj_config_int(c, f))) &&
            !(f->optional && !sj_json_get(json, f->name)))
            return sj_fail(SJ_INPUT, "hyper-parameter '%s' is missing", f->name);
    const sj_json *list = sj_json_get(json, "classes");
    size_t n = sj_json_count(list);
    for (size_t i = 0; i < n && i <= SJ_CLASSES; i++) {
        const char *name = sj_json_as_text(sj_json_at(list, i));
        names[i] = name ? name : "";
    }
    int status = find_predictor(sj_json_get_text(json, "predictor"), &c->predictor);
    if (!status)
        status = sj_config_set_classes(c, (int64_t)n, names);
    if (!status && sj_config_check(c))
        status = SJ_INPUT;
    return status;
}

static void round_all(size_t n, float *x)
{
    uint16_t part[4096];
    for (size_t i = 0, k; i < n; i += k) {
        k = n - i < 4096 ? n - i : 4096;
        sj_dtype_from_f32(SJ_BF16, k, x + i, part);
        sj_dtype_to_f32(SJ_BF16, k, part, x + i);
    }
}

void sj_model_round(struct sj_model *m)
{
    round_all(m->layout.total, m->weights);
    round_all(m->layout.encoder, m->target);
}

/* -- finding and matching ----------------------------------------------------------------------------------------- */

int sj_model_path(const char *option, char *path, size_t size)
{
    const char *named = getenv("SJ_MODEL");
    sj_installed("model.h5", path, size);
    if (option || (named && *named))
        snprintf(path, size, "%s", option ? option : named);
    else if (access(path, R_OK))
        return sj_fail(SJ_USAGE, "no model: name one with -m or $SJ_MODEL; none is installed as '%s' (sj-train makes "
                       "models, 'make demo' a small one)", path);
    return SJ_OK;
}

static void list_names(int n, const char *const *names, char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; i < n && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", names[i]);
}

int sj_model_want_classes(const struct sj_config *c, const char *model_name, int n, const char *const *names,
                          const char *data_name)
{
    const char *own[SJ_CLASSES];
    int same = n == c->classes;
    for (int i = 0; i < c->classes; i++) {
        own[i] = c->class_name[i];
        same = same && !strcmp(names[i], own[i]);
    }
    if (same)
        return SJ_OK;
    char ours[400], theirs[400];
    list_names((int)c->classes, own, ours, sizeof ours);
    list_names(n, names, theirs, sizeof theirs);
    return sj_fail(SJ_INPUT, "'%s' has the classes [%s] where the model '%s' has [%s]", data_name, theirs, model_name,
                   ours);
}
