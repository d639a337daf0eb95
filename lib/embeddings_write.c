/* Writing HDF5 files of embeddings. Rows and their descriptions are gathered and appended together. */
#include <stdlib.h>
#include <string.h>

#include "embeddings.h"
#include "h5_head.h"

enum { CHUNK_BYTES = 1 << 20 }; /* of /embedding in the file: one fills HDF5's cache of chunks */

/* What is appended together: descriptions of n records, values of `rows` vectors. */
struct pending {
    int64_t n, rows, room; /* room: there is place for so many records, and for so many vectors */
    float *value;
    char **key;
    int32_t *class;
    uint8_t *role, *last;
    int64_t *position, *part, *dims;
};

struct sj_embeddings_writer {
    struct sj_h5 *h;
    struct sj_head *head;
    int64_t d, chunk; /* values of a vector, 0 before the first record; vectors of a chunk */
    struct pending p;
};

static int write_names(struct sj_embeddings_writer *w)
{
    const char *roles[SJ_ROLE_PREDICTION + 1];
    for (int i = 0; i <= SJ_ROLE_PREDICTION; i++)
        roles[i] = sj_role_name((enum sj_role)i);
    int status = sj_h5_write_text(w->h, "/role_name", SJ_ROLE_PREDICTION + 1, roles);
    return status ? status : sj_h5_write_text(w->h, "/class_name", w->head->classes, w->head->class_name);
}

int sj_embeddings_create(const char *path, const struct sj_head *head, struct sj_embeddings_writer **out)
{
    if (strcmp(head->kind, "embed/1"))
        return sj_fail(SJ_USAGE, "'%s': an HDF5 file of embeddings cannot hold '%s'", path, head->kind);
    struct sj_embeddings_writer *w = calloc(1, sizeof *w);
    if (!w)
        return sj_fail(SJ_SYSTEM, "no memory");
    int status = sj_head_copy(head, &w->head);
    if (!status)
        status = sj_h5_create(path, &w->h);
    if (!status)
        status = sj_h5_set_head(w->h, "head", w->head);
    if (!status)
        status = write_names(w);
    if (status) {
        sj_embeddings_abort(w);
        return status;
    }
    *out = w;
    return SJ_OK;
}

/* Makes the datasets, once the length of the vectors is known. */
static int make(struct sj_embeddings_writer *w, int64_t d)
{
    static const struct { const char *path; enum sj_h5_type type; } columns[] = {
        {"/key", SJ_H5_TEXT}, {"/class", SJ_H5_I32}, {"/role", SJ_H5_U8}, {"/position", SJ_H5_I64},
        {"/part", SJ_H5_I64}, {"/last", SJ_H5_U8}};
    int64_t rows[2] = {0, d}, none = 0, shapes[2] = {0, w->head->rank};
    int64_t fit = CHUNK_BYTES / ((d > 0 ? d : 1) * (int64_t)sizeof(float));
    w->chunk = fit > 1 ? fit : 1;
    int status = sj_h5_make(w->h, "/embedding", SJ_H5_F32, 2, rows, w->chunk);
    for (size_t i = 0; i < sizeof columns / sizeof *columns && !status; i++)
        status = sj_h5_make(w->h, columns[i].path, columns[i].type, 1, &none, 4096);
    if (!status && w->head->rank != 1)
        status = sj_h5_make(w->h, "/dims", SJ_H5_I64, 2, shapes, 4096);
    struct pending *p = &w->p;
    p->room = w->chunk;
    p->value = malloc((size_t)(w->chunk * d) * sizeof *p->value + 1);
    p->key = calloc((size_t)w->chunk, sizeof *p->key);
    p->class = malloc((size_t)w->chunk * sizeof *p->class);
    p->role = malloc((size_t)w->chunk);
    p->last = malloc((size_t)w->chunk);
    p->position = malloc((size_t)w->chunk * sizeof *p->position);
    p->part = malloc((size_t)w->chunk * sizeof *p->part);
    p->dims = malloc((size_t)(w->chunk * w->head->rank) * sizeof *p->dims);
    if (!p->value || !p->key || !p->class || !p->role || !p->last || !p->position || !p->part || !p->dims)
        return sj_fail(SJ_SYSTEM, "no memory");
    w->d = d;
    return status;
}

static int append(struct sj_embeddings_writer *w)
{
    struct pending *p = &w->p;
    const struct { const char *path; enum sj_h5_type type; const void *data; } columns[] = {
        {"/class", SJ_H5_I32, p->class}, {"/role", SJ_H5_U8, p->role}, {"/position", SJ_H5_I64, p->position},
        {"/part", SJ_H5_I64, p->part}, {"/last", SJ_H5_U8, p->last}};
    int status = p->rows ? sj_h5_append(w->h, "/embedding", SJ_H5_F32, p->rows, p->value) : SJ_OK;
    if (!status && p->n)
        status = sj_h5_append_text(w->h, "/key", p->n, (const char *const *)p->key);
    for (size_t i = 0; i < sizeof columns / sizeof *columns && !status && p->n; i++)
        status = sj_h5_append(w->h, columns[i].path, columns[i].type, p->n, columns[i].data);
    if (!status && p->n && w->head->rank != 1)
        status = sj_h5_append(w->h, "/dims", SJ_H5_I64, p->n, p->dims);
    for (int64_t i = 0; i < p->n; i++) {
        free(p->key[i]);
        p->key[i] = NULL;
    }
    p->n = p->rows = 0;
    return status;
}

/* The number of vectors of a record that fits the head and the records before it. */
static int count_rows(const struct sj_embeddings_writer *w, const struct sj_record *r, int64_t *rows)
{
    int64_t d = r->rank > 0 ? r->dims[r->rank - 1] : 0, n = d;
    for (int i = 0; i < r->rank - 1; i++)
        n *= r->dims[i];
    if (r->rank != w->head->rank || n < 1 || r->bytes != (size_t)n * sj_dtype_size(w->head->dtype)
        || strlen(r->key) > SJ_KEY_BYTES || r->class < SJ_CLASS_NONE || r->class >= w->head->classes
        || !sj_role_name(r->role))
        return sj_fail(SJ_USAGE, "'%s': the record '%s' does not fit the head of the file", sj_h5_path(w->h), r->key);
    if (w->d && d != w->d)
        return sj_fail(SJ_INPUT, "'%s': '%s' has vectors of %lld values, those before have %lld", sj_h5_path(w->h),
                       r->key, (long long)d, (long long)w->d);
    *rows = n / d;
    return SJ_OK;
}

int sj_embeddings_put(struct sj_embeddings_writer *w, const struct sj_record *r)
{
    int64_t rows = 0, done = 0;
    struct pending *p = &w->p;
    int status = count_rows(w, r, &rows);
    if (!status && !w->d)
        status = make(w, r->dims[r->rank - 1]);
    if (status)
        return status;
    if (!(p->key[p->n] = strdup(r->key)))
        return sj_fail(SJ_SYSTEM, "no memory");
    p->class[p->n] = r->class;
    p->role[p->n] = (uint8_t)r->role;
    p->last[p->n] = r->last != 0;
    p->position[p->n] = r->position;
    p->part[p->n] = r->part;
    memcpy(p->dims + p->n * r->rank, r->dims, (size_t)r->rank * sizeof *p->dims);
    p->n++;
    while (done < rows && !status) {
        int64_t now = rows - done < p->room - p->rows ? rows - done : p->room - p->rows;
        const char *from = (const char *)r->data + (size_t)(done * w->d) * sj_dtype_size(w->head->dtype);
        sj_dtype_to_f32(w->head->dtype, (size_t)(now * w->d), from, p->value + p->rows * w->d);
        p->rows += now;
        done += now;
        if (p->rows == p->room)
            status = append(w);
    }
    return status || p->n < p->room ? status : append(w);
}

int sj_embeddings_commit(struct sj_embeddings_writer *w)
{
    int status = w->d ? append(w) : make(w, 0);
    if (!status) {
        status = sj_h5_commit(w->h);
        w->h = NULL;
    }
    sj_embeddings_abort(w);
    return status;
}

void sj_embeddings_abort(struct sj_embeddings_writer *w)
{
    if (!w)
        return;
    struct pending *p = &w->p;
    for (int64_t i = 0; i < p->n; i++)
        free(p->key[i]);
    free(p->value);
    free(p->key);
    free(p->class);
    free(p->role);
    free(p->last);
    free(p->position);
    free(p->part);
    free(p->dims);
    sj_h5_close(w->h);
    sj_head_free(w->head);
    free(w);
}
