#include "probe_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "embeddings.h"
#include "h5.h"
#include "npy.h"

enum { BLOCK_BYTES = 4 << 20 };

/* What is being read. */
struct intake {
    const char *source;
    const struct sj_probe_labels *l;
    struct sj_probe_data *data;
    int64_t *order;      /* (n) examples by key, or by row */
    unsigned char *have; /* (n) whether the example's vector has come */
    float *block;        /* (most, d) */
    int64_t most;
};

/* The example of this key, or, where key is NULL, of this row; -1: there is none. */
static int64_t find(const struct intake *in, const char *key, int64_t row)
{
    const struct sj_probe_labels *l = in->l;
    int64_t low = 0, high = l->n;
    while (low < high) {
        const int64_t middle = (low + high) / 2, e = in->order[middle];
        const int order = key ? strcmp(l->key[e], key) : (l->row[e] > row) - (l->row[e] < row);
        if (!order)
            return e;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

/* Room for the matrix, when the width is known, and the order of the examples. */
static int prepare(struct intake *in, int64_t d, int keyed)
{
    const struct sj_probe_labels *l = in->l;
    size_t bytes;
    if (d < 1)
        return sj_fail(SJ_INPUT, "'%s' holds no vectors", in->source);
    in->data->d = d;
    in->most = BLOCK_BYTES / (d * (int64_t)sizeof(float)) + 1;
    in->block = malloc((size_t)(in->most * d) * sizeof *in->block);
    in->data->x = __builtin_mul_overflow((size_t)l->n * sizeof(float), (size_t)d, &bytes) ? NULL : malloc(bytes);
    if (!in->block || !in->data->x)
        return sj_fail(SJ_SYSTEM, "'%s': no memory for %lld vectors of %lld values", in->source, (long long)l->n,
                       (long long)d);
    for (int64_t i = 0; i < l->n; i++)
        in->order[i] = i;
    qsort_r(in->order, (size_t)l->n, sizeof *in->order, keyed ? sj_probe_labels_by_key : sj_probe_labels_by_row,
            (void *)(uintptr_t)l);
    return SJ_OK;
}

/* Takes in a vector that has come, under its key or (NULL) row. */
static int take(struct intake *in, const char *key, int64_t row, const float *vector)
{
    const int64_t d = in->data->d, e = find(in, key, row);
    int finite = 1;
    if (e < 0) {
        in->data->unlabelled++;
        return SJ_OK;
    }
    if (in->have[e])
        return sj_fail(SJ_INPUT, "'%s' holds two vectors of the key '%s'", in->source, key ? key : in->l->key[e]);
    for (int64_t i = 0; i < d; i++)
        finite &= isfinite(vector[i]) != 0;
    if (!finite)
        return sj_fail(SJ_INPUT, "'%s': '%s' holds a value that is not finite", in->source, in->l->key[e]);
    memcpy(in->data->x + e * d, vector, (size_t)d * sizeof *vector);
    in->have[e] = 1;
    return SJ_OK;
}

/* -- the sources --------------------------------------------------------------------------------------------------- */
static int read_embeddings(struct intake *in)
{
    struct sj_embeddings *e = NULL;
    struct sj_embedding *info = NULL;
    int64_t d = 0, got = 1;
    int status = sj_embeddings_open(1, &in->source, &e);
    if (!status)
        status = sj_embeddings_width(e, &d);
    if (!status)
        status = prepare(in, d, 1);
    if (!status && !(info = calloc((size_t)in->most, sizeof *info)))
        status = sj_fail(SJ_SYSTEM, "no memory");
    while (!status && got) {
        status = sj_embeddings_block(e, in->most, in->block, info, &got);
        for (int64_t i = 0; i < got && !status; i++)
            status = take(in, info[i].key, -1, in->block + i * d);
    }
    free(info);
    sj_embeddings_close(e);
    return status;
}

/* Whether a matrix of so many rows fits the labels. */
static int want_rows(const struct intake *in, int64_t rows)
{
    int64_t last = 0;
    if (!in->l->rows && rows != in->l->n)
        return sj_fail(SJ_INPUT, "'%s' has %lld rows, there are %lld labels", in->source, (long long)rows,
                       (long long)in->l->n);
    for (int64_t i = 0; i < in->l->n; i++)
        last = in->l->row[i] > last ? in->l->row[i] : last;
    return last < rows ? SJ_OK
                       : sj_fail(SJ_INPUT, "'%s' has %lld rows, the labels speak of row %lld", in->source,
                                 (long long)rows, (long long)last);
}

static int read_npy(struct intake *in)
{
    struct sj_npy *a = NULL;
    int64_t dims[SJ_RANK];
    int status = sj_npy_open(in->source, &a);
    if (!status && sj_npy_shape(a, dims) != 1)
        status = sj_fail(SJ_INPUT, "'%s' is no matrix", in->source);
    if (!status)
        status = want_rows(in, sj_npy_rows(a));
    if (!status)
        status = prepare(in, dims[0], 0);
    for (int64_t i = 0; !status && i < sj_npy_rows(a); i++)
        if (!(status = sj_npy_next(a, in->block)))
            status = take(in, NULL, i, in->block);
    sj_npy_close(a);
    return status;
}

static int read_dataset(struct intake *in, const char *file, const char *path)
{
    struct sj_h5 *h = NULL;
    enum sj_h5_type type;
    int64_t dims[SJ_H5_RANK] = {0};
    int rank = 0, status = sj_h5_open(file, &h);
    if (!status)
        status = sj_h5_shape(h, path, &type, &rank, dims);
    if (!status && (rank != 2 || type == SJ_H5_TEXT))
        status = sj_fail(SJ_INPUT, "'%s' is no matrix", in->source);
    if (!status)
        status = want_rows(in, dims[0]);
    if (!status)
        status = prepare(in, dims[1], 0);
    for (int64_t at = 0; !status && at < dims[0]; at += in->most) {
        const int64_t left = dims[0] - at, start[2] = {at, 0}, box[2] = {left < in->most ? left : in->most, dims[1]};
        status = sj_h5_read_box(h, path, SJ_H5_F32, 2, start, box, in->block);
        for (int64_t i = 0; i < box[0] && !status; i++)
            status = take(in, NULL, at + i, in->block + i * dims[1]);
    }
    sj_h5_close(h);
    return status;
}

/* "FILE:/DATASET" when FILE is an HDF5 file: *file, the caller's, and *path in it. */
static int cut_source(const char *source, char **file, const char **path)
{
    const char *colon = strstr(source, ":/");
    *file = NULL;
    for (; colon && !*file; colon = strstr(colon + 1, ":/")) {
        *file = strndup(source, (size_t)(colon - source));
        *path = colon + 1;
        if (!*file)
            return sj_fail(SJ_SYSTEM, "no memory");
        if (!sj_h5_is(*file)) {
            free(*file);
            *file = NULL;
        }
    }
    return SJ_OK;
}

static int read_source(struct intake *in)
{
    char *file;
    const char *path = NULL;
    int status = cut_source(in->source, &file, &path);
    if (status)
        return status;
    if (file)
        status = read_dataset(in, file, path);
    else
        status = sj_npy_is(in->source) ? read_npy(in) : read_embeddings(in);
    free(file);
    return status;
}

/* -- what has come ------------------------------------------------------------------------------------------------- */
/* Moves the examples that have a vector to the front. */
static int close_gaps(struct intake *in, int keep_going)
{
    struct sj_probe_data *data = in->data;
    const struct sj_probe_labels *l = in->l;
    const size_t bytes = (size_t)data->d * sizeof *data->x;
    int64_t first = -1, next = 0;
    for (int split = 0; split < SJ_PROBE_SPLITS; split++)
        for (const int64_t end = next + l->count[split]; next < end; next++) {
            if (!in->have[next]) {
                first = data->missing++ ? first : next;
                continue;
            }
            if (data->m < next)
                memcpy(data->x + data->m * data->d, data->x + next * data->d, bytes);
            data->example[data->m++] = next;
            data->count[split]++;
        }
    if (data->missing && !keep_going)
        return sj_fail(SJ_INPUT, "'%s' lacks %lld of %lld keys that have labels, '%s' for one", in->source,
                       (long long)data->missing, (long long)l->n, l->key[first]);
    for (int split = 0; split < SJ_PROBE_SPLITS; split++)
        if (!data->count[split])
            return sj_fail(SJ_INPUT, "'%s' has no vector of the split '%s'", in->source, sj_probe_split_names[split]);
    return SJ_OK;
}

int sj_probe_data_read(const char *source, const struct sj_probe_labels *l, int keep_going,
                       struct sj_probe_data **out)
{
    struct intake in = {.source = source, .l = l, .data = calloc(1, sizeof *in.data)};
    in.order = calloc((size_t)l->n, sizeof *in.order);
    in.have = calloc((size_t)l->n, 1);
    if (in.data)
        in.data->example = calloc((size_t)l->n, sizeof *in.data->example);
    int status = in.data && in.order && in.have && in.data->example ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    if (!status)
        status = read_source(&in);
    if (!status)
        status = close_gaps(&in, keep_going);
    free(in.order);
    free(in.have);
    free(in.block);
    if (status)
        sj_probe_data_free(in.data);
    else
        *out = in.data;
    return status;
}

void sj_probe_data_free(struct sj_probe_data *data)
{
    if (!data)
        return;
    free(data->x);
    free(data->example);
    free(data);
}
