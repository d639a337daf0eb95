/* The model file. */
#include "model_own.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h5.h"
#include "safetensors.h"

static const char kind[] = "sj-model/1";


/* "/encoder/norm.bias", or the target's counterpart "/target/norm.bias". */
static void dataset_path(const struct sj_tensor *t, int target, char *path, size_t size)
{
    snprintf(path, size, "/%s%s", target ? "target" : "", target ? strchr(t->name, '/') : t->name);
}

/* -- writing ------------------------------------------------------------------------------------------------------ */

static int write_tensors(struct sj_h5 *h, const struct sj_model *m, int target)
{
    int n = target ? m->layout.encoder_tensors : m->layout.tensors, status = SJ_OK;
    for (int i = 0; !status && i < n; i++) {
        const struct sj_tensor *t = &m->layout.tensor[i];
        char path[96];
        dataset_path(t, target, path, sizeof path);
        status = sj_h5_write(h, path, SJ_H5_F32, t->rank, t->dims, (target ? m->target : m->weights) + t->offset);
    }
    return status;
}

static int write_config(struct sj_h5 *h, struct sj_model *m)
{
    const char *names[SJ_CLASSES];
    for (int64_t i = 0; i < m->config.classes; i++)
        names[i] = m->config.class_name[i];
    int status = sj_h5_write_text(h, "/classes", m->config.classes, names);
    for (const struct sj_config_field *f = sj_config_fields; !status && f->name; f++)
        if (!f->optional || *sj_config_int(&m->config, f))
            status = f->real ? sj_h5_set_real(h, "/", f->name, *sj_config_real(&m->config, f))
                             : sj_h5_set_int(h, "/", f->name, *sj_config_int(&m->config, f));
    if (!status)
        status = sj_h5_set_text(h, "/", "predictor", sj_predictor_names[m->config.predictor]);
    if (!status)
        status = sj_h5_set_text(h, "/", "kind", kind);
    if (!status)
        status = sj_h5_set_text(h, "/", "id", m->id);
    if (!status && m->training)
        status = sj_h5_set_text(h, "/", "training", m->training);
    return status;
}

static int write_model(const char *path, struct sj_model *m, int compressed)
{
    struct sj_h5 *h;
    int status = sj_h5_create(path, &h);
    if (status)
        return status;
    if (compressed)
        sj_h5_compress(h);
    sj_model_identify(m);
    status = write_config(h, m);
    if (!status)
        status = write_tensors(h, m, 0);
    if (!status)
        status = write_tensors(h, m, 1);
    if (status)
        sj_h5_close(h);
    else
        status = sj_h5_commit(h);
    return status;
}

int sj_model_write(const char *path, struct sj_model *m)
{
    return write_model(path, m, 0);
}

int sj_model_write_small(const char *path, struct sj_model *m)
{
    sj_model_round(m);
    return write_model(path, m, 1);
}

/* -- reading ------------------------------------------------------------------------------------------------------ */

static int read_classes(struct sj_h5 *h, struct sj_config *c)
{
    int64_t n;
    char **names;
    int status = sj_h5_read_text(h, "/classes", &n, &names);
    if (status)
        return status;
    status = sj_config_set_classes(c, n, (const char *const *)names);
    free(names);
    return status ? sj_fail_at(status, "'%s'", sj_h5_path(h)) : SJ_OK;
}

static int read_predictor(struct sj_h5 *h, struct sj_config *c)
{
    char *name;
    int status = sj_h5_get_text(h, "/", "predictor", &name), found = 0;
    if (status)
        return status;
    for (int i = 0; sj_predictor_names[i]; i++)
        if (!strcmp(sj_predictor_names[i], name)) {
            c->predictor = (enum sj_predictor)i;
            found = 1;
        }
    if (!found)
        status = sj_fail(SJ_INPUT, "'%s' has the unknown predictor '%s'", sj_h5_path(h), name);
    free(name);
    return status;
}

static int read_config(struct sj_h5 *h, struct sj_config *c)
{
    const char *path = sj_h5_path(h);
    char *found;
    memset(c, 0, sizeof *c);
    if (!sj_h5_has_attr(h, "/", "kind") || sj_h5_get_text(h, "/", "kind", &found))
        return sj_fail(SJ_INPUT, "'%s' is not a model", path);
    int other = strcmp(found, kind), status = SJ_OK;
    if (other)
        status = sj_fail(SJ_INPUT, "'%s' is '%s' where '%s' is wanted", path, found, kind);
    free(found);
    for (const struct sj_config_field *f = sj_config_fields; !status && f->name; f++)
        if (!f->optional || sj_h5_has_attr(h, "/", f->name))
            status = f->real ? sj_h5_get_real(h, "/", f->name, sj_config_real(c, f))
                             : sj_h5_get_int(h, "/", f->name, sj_config_int(c, f));
    if (!status)
        status = read_predictor(h, c);
    if (!status)
        status = read_classes(h, c);
    if (!status && sj_config_check(c))
        status = sj_fail_at(SJ_INPUT, "'%s'", path);
    return status;
}

/* Before any large allocation: every tensor is there in its shape. */
static int check_shapes(struct sj_h5 *h, const struct sj_layout *l, int target)
{
    for (int i = 0; i < (target ? l->encoder_tensors : l->tensors); i++) {
        const struct sj_tensor *t = &l->tensor[i];
        char path[96];
        enum sj_h5_type type;
        int rank;
        int64_t dims[SJ_H5_RANK];
        dataset_path(t, target, path, sizeof path);
        int status = sj_h5_shape(h, path, &type, &rank, dims);
        if (status)
            return status;
        if (type != SJ_H5_F32 && type != SJ_H5_F64 && type != SJ_H5_OTHER)
            return sj_fail(SJ_INPUT, "'%s': '%s' does not hold real numbers", sj_h5_path(h), path);
        int same = rank == t->rank;
        for (int d = 0; same && d < rank; d++)
            same = dims[d] == t->dims[d];
        if (!same)
            return sj_fail(SJ_INPUT, "'%s': '%s' has not the shape that the hyper-parameters ask for", sj_h5_path(h),
                           path);
    }
    return SJ_OK;
}

struct known {
    struct sj_h5 *h;
    const struct sj_layout *layout;
    const char *group;
};

/* A tensor that the hyper-parameters do not know of: they are not those of these weights. */
static int visit_name(const char *name, int is_group, void *arg)
{
    const struct known *k = arg;
    char full[96];
    (void)is_group;
    snprintf(full, sizeof full, "%s/%.48s", strcmp(k->group, "/predictor") ? "encoder" : "predictor", name);
    if (sj_tensor_find(k->layout, full) >= 0)
        return SJ_OK;
    return sj_fail(SJ_INPUT, "'%s': '%s/%s' is unknown to these hyper-parameters", sj_h5_path(k->h), k->group, name);
}

static int check_names(struct sj_h5 *h, const struct sj_layout *l)
{
    static const char *const groups[] = {"/encoder", "/target", "/predictor"};
    int status = SJ_OK;
    for (int i = 0; !status && i < 3; i++)
        status = sj_h5_list(h, groups[i], visit_name, &(struct known){h, l, groups[i]});
    return status;
}

static int read_tensors(struct sj_h5 *h, struct sj_model *m, int target)
{
    for (int i = 0; i < (target ? m->layout.encoder_tensors : m->layout.tensors); i++) {
        const struct sj_tensor *t = &m->layout.tensor[i];
        float *w = (target ? m->target : m->weights) + t->offset;
        char path[96];
        dataset_path(t, target, path, sizeof path);
        int status = sj_h5_read(h, path, SJ_H5_F32, (int64_t)t->count, w);
        if (status)
            return status;
        for (size_t j = 0; j < t->count; j++)
            if (!isfinite(w[j]))
                return sj_fail(SJ_INPUT, "'%s': '%s' holds a value that is not finite", sj_h5_path(h), path);
    }
    return SJ_OK;
}

static int check_id(struct sj_h5 *h, struct sj_model *m)
{
    char *stored;
    sj_model_identify(m);
    if (!sj_h5_has_attr(h, "/", "id"))
        return SJ_OK;
    int status = sj_h5_get_text(h, "/", "id", &stored);
    if (status)
        return status;
    if (strcmp(stored, m->id))
        status = sj_fail(SJ_INPUT, "'%s': the weights are not those of the attribute 'id': damaged, or edited without "
                         "removing it", sj_h5_path(h));
    free(stored);
    return status;
}

static int read_model(struct sj_h5 *h, struct sj_model **out)
{
    struct sj_config c;
    struct sj_layout layout = {0};
    struct sj_model *m = NULL;
    int status = read_config(h, &c);
    if (!status)
        status = sj_layout_new(&c, &layout);
    if (!status)
        status = check_shapes(h, &layout, 0);
    if (!status)
        status = check_shapes(h, &layout, 1);
    if (!status)
        status = check_names(h, &layout);
    sj_layout_free(&layout);
    if (!status)
        status = sj_model_blank(&c, &m);
    if (!status)
        status = read_tensors(h, m, 0);
    if (!status)
        status = read_tensors(h, m, 1);
    if (!status)
        status = check_id(h, m);
    if (!status && sj_h5_has_attr(h, "/", "training"))
        status = sj_h5_get_text(h, "/", "training", &m->training);
    if (status)
        sj_model_free(m);
    else
        *out = m;
    return status;
}

int sj_model_read(const char *path, struct sj_model **m)
{
    struct sj_h5 *h;
    if (sj_safetensors_is(path))
        return sj_fail(SJ_INPUT, "'%s' is a safetensors file, which 'sj-view %s -o NAME.h5' makes a model of", path,
                       path);
    int status = sj_h5_open(path, &h);
    if (status)
        return status;
    status = read_model(h, m);
    sj_h5_close(h);
    return status;
}
