#include "linear.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "embeddings.h"
#include "h5_head.h"

static const char kind[] = "sj-linear/1";
enum { WIDEST = 1 << 16, MOST_WEIGHTS = 1 << 29 };

int sj_linear_new(const struct sj_head *mix_head, const struct sj_head *head, int64_t p, int64_t q,
                  struct sj_linear **out)
{
    const size_t C = (size_t)head->classes;
    struct sj_linear *l = calloc(1, sizeof *l);
    if (!l)
        return sj_fail(SJ_SYSTEM, "no memory");
    l->classes = head->classes;
    l->p = p;
    l->q = q;
    l->pairs = calloc(C, sizeof *l->pairs);
    l->ridge = calloc(C * (size_t)(3 + 2 * p + q + p * q) + 2 * (size_t)q, sizeof *l->ridge);
    int status = l->pairs && l->ridge ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for maps of %lld to %lld values",
                                                        (long long)p, (long long)q);
    if (!status)
        status = sj_head_copy(mix_head, &l->mix_head);
    if (!status)
        status = sj_head_copy(head, &l->head);
    if (status) {
        sj_linear_free(l);
        return status;
    }
    l->error = l->ridge + C;
    l->variance = l->error + C;
    l->mean = l->variance + C;
    l->scale = l->mean + C * (size_t)p;
    l->offset = l->scale + C * (size_t)p;
    l->weight = l->offset + C * (size_t)q;
    l->stem_mean = l->weight + C * (size_t)(p * q);
    l->stem_scale = l->stem_mean + q;
    for (size_t i = 0; i < C * (size_t)p; i++)
        l->scale[i] = 1;
    *out = l;
    return SJ_OK;
}

void sj_linear_free(struct sj_linear *l)
{
    if (!l)
        return;
    free(l->path);
    sj_head_free(l->mix_head);
    sj_head_free(l->head);
    free(l->pairs);
    free(l->ridge);
    free(l);
}

void sj_linear_apply(const struct sj_linear *l, int class, const float *x, float *y)
{
    const double *mean = l->mean + class * l->p, *scale = l->scale + class * l->p;
    const double *weight = l->weight + class * l->p * l->q;
    for (int64_t k = 0; k < l->q; k++) {
        double sum = l->offset[class * l->q + k];
        for (int64_t j = 0; j < l->p; j++)
            sum += ((double)x[j] - mean[j]) / scale[j] * weight[j * l->q + k];
        y[k] = (float)sum;
    }
}

void sj_linear_standardise(const struct sj_linear *l, float *y)
{
    for (int64_t k = 0; k < l->q; k++)
        y[k] = (float)(((double)y[k] - l->stem_mean[k]) / l->stem_scale[k]);
}

int sj_linear_standard_head(const struct sj_linear *l, struct sj_head *head)
{
    char id[256];
    const char *of = sj_json_get_text(l->head->params, "model_id");
    uint32_t crc = sj_crc32c(0, l->stem_mean, (size_t)l->q * sizeof *l->stem_mean);
    crc = sj_crc32c(crc, l->stem_scale, (size_t)l->q * sizeof *l->stem_scale);
    snprintf(id, sizeof id, "%.200s, standardised by %08x", of ? of : "(none)", crc);
    return sj_json_set(head->params, "model_id", sj_json_string(id));
}

/* -- the file ------------------------------------------------------------------------------------------------------ */

struct array {
    const char *path;
    double *value;
    int rank;
    int64_t dims[3];
};
enum { ARRAYS = 9 };

/* The numbers of a map, real ones, where they lie in the file and in memory. */
static void arrays(const struct sj_linear *l, struct array a[ARRAYS])
{
    const int64_t C = l->classes, p = l->p, q = l->q;
    const struct array all[ARRAYS] = {
        {"/ridge", l->ridge, 1, {C, 1, 1}},         {"/error", l->error, 1, {C, 1, 1}},
        {"/variance", l->variance, 1, {C, 1, 1}},   {"/mean", l->mean, 2, {C, p, 1}},
        {"/scale", l->scale, 2, {C, p, 1}},         {"/offset", l->offset, 2, {C, q, 1}},
        {"/weight", l->weight, 3, {C, p, q}},       {"/stem_mean", l->stem_mean, 1, {q, 1, 1}},
        {"/stem_scale", l->stem_scale, 1, {q, 1, 1}},
    };
    memcpy(a, all, sizeof all);
}

int sj_linear_write(const struct sj_linear *l, const char *path)
{
    struct sj_h5 *h;
    struct array a[ARRAYS];
    const int64_t C = l->classes;
    int status = sj_h5_create(path, &h);
    if (status)
        return status;
    arrays(l, a);
    status = sj_h5_set_text(h, "/", "kind", kind);
    if (!status)
        status = sj_h5_set_head(h, "head", l->head);
    if (!status)
        status = sj_h5_set_head(h, "mix_head", l->mix_head);
    if (!status)
        status = sj_h5_write_text(h, "/class_name", C, l->head->class_name);
    if (!status)
        status = sj_h5_write(h, "/pairs", SJ_H5_I64, 1, &C, l->pairs);
    for (int i = 0; i < ARRAYS && !status; i++)
        status = sj_h5_write(h, a[i].path, SJ_H5_F64, a[i].rank, a[i].dims, a[i].value);
    if (!status)
        return sj_h5_commit(h);
    sj_h5_close(h);
    return status;
}

/* The head of vectors, under `name`. */
static int read_head(struct sj_h5 *h, const char *name, struct sj_head **head)
{
    int status = sj_h5_get_head(h, name, head);
    return status ? sj_fail_at(status, "'%s'", sj_h5_path(h)) : sj_head_want(*head, sj_h5_path(h), "embed/1");
}

static int want_kind(struct sj_h5 *h)
{
    char *text = NULL;
    int has = sj_h5_has_attr(h, "/", "kind"), status = has ? sj_h5_get_text(h, "/", "kind", &text) : SJ_OK;
    if (!status && (!has || strcmp(text, kind)))
        status = sj_fail(SJ_INPUT, "'%s' is no map of sj-linear --fit%s%s%s", sj_h5_path(h), has ? " (its kind is '" : "",
                         has ? text : "", has ? "')" : "");
    free(text);
    return status;
}

/* p and q by the shape of the weights. */
static int read_widths(struct sj_h5 *h, int classes, int64_t *p, int64_t *q)
{
    enum sj_h5_type type;
    int rank;
    int64_t dims[SJ_H5_RANK];
    int status = sj_h5_shape(h, "/weight", &type, &rank, dims);
    if (status)
        return status;
    if (rank != 3 || dims[0] != classes || dims[1] < 1 || dims[2] < 1 || dims[1] > WIDEST || dims[2] > WIDEST ||
        dims[1] * dims[2] > MOST_WEIGHTS / (classes ? classes : 1))
        return sj_fail(SJ_INPUT, "'%s': '/weight' is no matrix for each of %d classes", sj_h5_path(h), classes);
    *p = dims[1];
    *q = dims[2];
    return SJ_OK;
}

static int read_array(struct sj_h5 *h, const struct array *a)
{
    enum sj_h5_type type;
    int rank;
    int64_t dims[SJ_H5_RANK], count = 1;
    int status = sj_h5_shape(h, a->path, &type, &rank, dims), agree = !status && rank == a->rank;
    for (int i = 0; agree && i < rank; i++) {
        agree = dims[i] == a->dims[i];
        count *= dims[i];
    }
    if (status)
        return status;
    if (!agree || (type != SJ_H5_F64 && type != SJ_H5_F32))
        return sj_fail(SJ_INPUT, "'%s': '%s' has another shape or type than the maps", sj_h5_path(h), a->path);
    status = sj_h5_read(h, a->path, SJ_H5_F64, count, a->value);
    for (int64_t i = 0; i < count && !status; i++)
        if (!isfinite(a->value[i]))
            status = sj_fail(SJ_INPUT, "'%s': '%s' holds a value that is not finite", sj_h5_path(h), a->path);
    return status;
}

static int read_values(struct sj_h5 *h, const struct sj_linear *l)
{
    struct array a[ARRAYS];
    arrays(l, a);
    int status = sj_h5_read(h, "/pairs", SJ_H5_I64, l->classes, l->pairs);
    for (int i = 0; i < ARRAYS && !status; i++)
        status = read_array(h, &a[i]);
    for (int i = 0; i < l->classes && !status; i++)
        if (l->pairs[i] < 0 || (l->pairs[i] && l->pairs[i] < SJ_RIDGE_PAIRS))
            status = sj_fail(SJ_INPUT, "'%s': the class '%s' was learnt from %lld pairs", sj_h5_path(h),
                             l->head->class_name[i], (long long)l->pairs[i]);
    for (int64_t i = 0; i < l->classes * l->p && !status; i++)
        if (l->scale[i] <= 0)
            status = sj_fail(SJ_INPUT, "'%s': '/scale' holds a value that is not above 0", sj_h5_path(h));
    for (int64_t i = 0; i < l->q && !status; i++)
        if (l->stem_scale[i] <= 0)
            status = sj_fail(SJ_INPUT, "'%s': '/stem_scale' holds a value that is not above 0", sj_h5_path(h));
    return status;
}

static int read_names(struct sj_h5 *h, const struct sj_head *head)
{
    char **name = NULL;
    int64_t n = 0;
    int status = sj_h5_read_text(h, "/class_name", &n, &name), agree = !status && n == head->classes;
    for (int i = 0; agree && i < n; i++)
        agree = !strcmp(name[i], head->class_name[i]);
    free(name);
    return status || agree ? status : sj_fail(SJ_INPUT, "'%s': '/class_name' has other names than the head",
                                              sj_h5_path(h));
}

int sj_linear_read(const char *path, struct sj_linear **out)
{
    struct sj_h5 *h;
    struct sj_head *mix_head = NULL, *head = NULL;
    struct sj_linear *l = NULL;
    int64_t p = 0, q = 0;
    int status = sj_h5_open(path, &h);
    if (status)
        return status;
    status = want_kind(h);
    if (!status)
        status = read_head(h, "head", &head);
    if (!status)
        status = read_head(h, "mix_head", &mix_head);
    if (!status)
        status = sj_embeddings_match_classes(mix_head, path, head, path);
    if (!status)
        status = read_names(h, head);
    if (!status)
        status = read_widths(h, head->classes, &p, &q);
    if (!status)
        status = sj_linear_new(mix_head, head, p, q, &l);
    if (!status && !(l->path = strdup(path)))
        status = sj_fail(SJ_SYSTEM, "no memory");
    if (!status)
        status = read_values(h, l);
    sj_head_free(mix_head);
    sj_head_free(head);
    sj_h5_close(h);
    if (status)
        sj_linear_free(l);
    else
        *out = l;
    return status;
}
