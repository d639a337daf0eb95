#include "condition.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "h5.h"

static const char vectors[] = "predictor/source_vector";

void sj_condition_free(struct sj_condition *c)
{
    free(c->class);
    free(c->vector);
    *c = (struct sj_condition){0};
}

static int find(const struct sj_condition *c, const char *name)
{
    for (int64_t i = 0; i < c->n; i++)
        if (!strcmp(c->class[i], name))
            return (int)i;
    return -1;
}

static int check_names(const struct sj_condition *c)
{
    for (int64_t i = 0; i < c->n; i++) {
        if (!*c->class[i] || strlen(c->class[i]) >= SJ_CLASS_BYTES)
            return sj_fail(SJ_INPUT, "'%s': the class name '%s' is empty or too long", c->path, c->class[i]);
        if (find(c, c->class[i]) < i)
            return sj_fail(SJ_INPUT, "'%s': the class '%s' is there twice", c->path, c->class[i]);
    }
    return SJ_OK;
}

/* To the length sqrt(width). */
static int scale(const struct sj_condition *c, int64_t i)
{
    float *v = c->vector + i * c->width;
    double square = 0;
    for (int64_t d = 0; d < c->width; d++)
        square += (double)v[d] * v[d];
    if (!isfinite(square) || square <= 0)
        return sj_fail(SJ_INPUT, "'%s': the vector of '%s' is %s", c->path, c->class[i],
                       square == 0 ? "zero" : "not finite");
    double by = sqrt((double)c->width / square);
    for (int64_t d = 0; d < c->width; d++)
        v[d] = (float)(v[d] * by);
    return SJ_OK;
}

static int read_vectors(struct sj_h5 *h, struct sj_condition *c)
{
    enum sj_h5_type type;
    int rank;
    int64_t dims[SJ_H5_RANK], names;
    int status = sj_h5_shape(h, "/vector", &type, &rank, dims);
    if (status)
        return status;
    if (type == SJ_H5_TEXT || rank != 2 || dims[0] < 1 || dims[1] < 1 || dims[0] > 1 << 20 || dims[1] > 65536)
        return sj_fail(SJ_INPUT, "'%s': '/vector' is no matrix of a vector per class", c->path);
    if ((status = sj_h5_read_text(h, "/class", &names, &c->class)))
        return status;
    c->n = dims[0];
    c->width = dims[1];
    if (names != c->n)
        return sj_fail(SJ_INPUT, "'%s' has %lld vectors and %lld names of classes", c->path, (long long)c->n,
                       (long long)names);
    c->vector = malloc((size_t)(c->n * c->width) * sizeof *c->vector);
    if (!c->vector)
        return sj_fail(SJ_SYSTEM, "no memory for the vectors of '%s'", c->path);
    return sj_h5_read(h, "/vector", SJ_H5_F32, c->n * c->width, c->vector);
}

int sj_condition_read(const char *path, struct sj_condition *c)
{
    struct sj_h5 *h;
    *c = (struct sj_condition){.path = path};
    int status = sj_h5_open(path, &h);
    if (status)
        return status;
    status = read_vectors(h, c);
    sj_h5_close(h);
    if (!status)
        status = check_names(c);
    for (int64_t i = 0; !status && i < c->n; i++)
        status = scale(c, i);
    if (status)
        sj_condition_free(c);
    return status;
}

int sj_condition_train(const struct sj_condition *c, struct sj_model *m, uint32_t *crc)
{
    const struct sj_tensor *t = &m->layout.tensor[sj_tensor_find(&m->layout, vectors)];
    const size_t bytes = (size_t)c->width * sizeof(float);
    *crc = 0;
    for (int64_t i = 0; i < m->config.classes; i++) {
        int at = find(c, m->config.class_name[i]);
        if (at < 0)
            return sj_fail(SJ_INPUT, "'%s' has no vector of the class '%s'", c->path, m->config.class_name[i]);
        memcpy(m->weights + t->offset + i * c->width, c->vector + at * c->width, bytes);
        *crc = sj_crc32c(*crc, c->vector + at * c->width, bytes);
    }
    return SJ_OK;
}

/* The file's vectors of the model's classes are the model's, whose values may have been rounded, or come from somewhere
 * else. */
static int check_vectors(const struct sj_condition *c, const struct sj_model *m, const float *own)
{
    const double much = 1e-4 * (double)c->width; /* a hundredth of their length, squared */
    for (int64_t i = 0; i < m->config.classes; i++) {
        int at = find(c, m->config.class_name[i]);
        double square = 0;
        for (int64_t d = 0; at >= 0 && d < c->width; d++) {
            double off = c->vector[at * c->width + d] - own[i * c->width + d];
            square += off * off;
        }
        if (!(square < much))
            return sj_fail(SJ_INPUT, "'%s' has another vector of '%s' than the model: it does not come from where the "
                           "model's come from", c->path, m->config.class_name[i]);
    }
    return SJ_OK;
}

/* One class more: the vectors are the last tensor, and nothing else depends on their number. */
static int add_class(struct sj_model *m, const char *name, const float *vector)
{
    struct sj_tensor *t = &m->layout.tensor[m->layout.tensors - 1];
    const size_t width = (size_t)m->config.condition, total = (t->offset + t->count + width + 15) / 16 * 16;
    if (m->config.classes == SJ_CLASSES)
        return sj_fail(SJ_USAGE, "the model has %d classes, and no room for '%s'", SJ_CLASSES, name);
    float *larger = aligned_alloc(64, total * sizeof *larger);
    if (!larger)
        return sj_fail(SJ_SYSTEM, "no memory for a model");
    memset(larger + t->offset + t->count, 0, (total - t->offset - t->count) * sizeof *larger);
    memcpy(larger, m->weights, (t->offset + t->count) * sizeof *larger);
    memcpy(larger + t->offset + t->count, vector, width * sizeof *larger);
    free(m->weights);
    m->weights = larger;
    m->layout.total = total;
    t->count += width;
    t->dims[0]++;
    memcpy(m->config.class_name[m->config.classes++], name, strlen(name) + 1);
    return SJ_OK;
}

int sj_condition_ask(const struct sj_condition *c, struct sj_model *m, const char *name, int *class)
{
    int at = find(c, name);
    if (!m->config.condition)
        return sj_fail(SJ_USAGE, "the model learnt its classes without vectors, so that '%s' says nothing to it: "
                       "sj-train --condition makes models that take them", c->path);
    if (m->config.condition != c->width)
        return sj_fail(SJ_USAGE, "'%s' has vectors of %lld values where the model takes %lld", c->path,
                       (long long)c->width, (long long)m->config.condition);
    if (at < 0)
        return sj_fail(SJ_USAGE, "--class is '%s', of which '%s' has no vector", name, c->path);
    int status = check_vectors(c, m, m->weights + m->layout.tensor[m->layout.tensors - 1].offset);
    *class = sj_config_class(&m->config, name);
    if (status || *class != SJ_CLASS_NONE)
        return status;
    *class = (int)m->config.classes;
    return add_class(m, name, c->vector + at * c->width);
}
