/* Reading one HDF5 file of embeddings: descriptions at once, vectors in blocks. */
#include <stdlib.h>
#include <string.h>

#include "embeddings_own.h"
#include "h5_head.h"

enum { BLOCK_BYTES = 4 << 20 }; /* read at a time when records are asked for one by one */

struct sj_embeddings_file {
    struct sj_h5 *h;
    struct sj_head *head;
    int64_t n, rows, d;
    char **key;
    int32_t *class;
    uint8_t *role, *last;
    int64_t *position, *part;
    int64_t *dims;        /* (n, rank), or NULL where records are single vectors */
    int64_t at, row;      /* the next record, and its first row */
    float *block;         /* rows first .. first+count-1 of the file */
    int64_t first, count;
    size_t block_room;
    void *converted;      /* one record as the head's dtype, where that is not f32 */
    struct sj_record record;
};

static int read_head(struct sj_embeddings_file *f)
{
    int status = sj_h5_get_head(f->h, "head", &f->head);
    if (status)
        return sj_fail_at(status, "'%s' is no file of embeddings", sj_h5_path(f->h));
    return sj_head_want(f->head, sj_h5_path(f->h), "embed/1");
}

/* A whole column, the caller's; NULL with *status set when that fails, or when *status was set before. */
static void *read_column(struct sj_embeddings_file *f, const char *path, enum sj_h5_type type, size_t size,
                         int64_t count, int *status)
{
    void *p = *status ? NULL : calloc((size_t)count + 1, size);
    if (!p && !*status)
        *status = sj_fail(SJ_SYSTEM, "no memory for '%s'", sj_h5_path(f->h));
    if (!*status)
        *status = sj_h5_read(f->h, path, type, count, p);
    return p;
}

static int read_columns(struct sj_embeddings_file *f)
{
    int status = sj_h5_read_text(f->h, "/key", &f->n, &f->key);
    f->class = read_column(f, "/class", SJ_H5_I32, sizeof *f->class, f->n, &status);
    f->role = read_column(f, "/role", SJ_H5_U8, sizeof *f->role, f->n, &status);
    f->last = read_column(f, "/last", SJ_H5_U8, sizeof *f->last, f->n, &status);
    f->position = read_column(f, "/position", SJ_H5_I64, sizeof *f->position, f->n, &status);
    f->part = read_column(f, "/part", SJ_H5_I64, sizeof *f->part, f->n, &status);
    if (f->head->rank != 1)
        f->dims = read_column(f, "/dims", SJ_H5_I64, sizeof *f->dims, f->n * f->head->rank, &status);
    return status;
}

/* The number of rows of record i, or -1 when its shape does not fit the file. */
static int64_t rows_of(const struct sj_embeddings_file *f, int64_t i)
{
    const int rank = f->head->rank;
    const int64_t longest = (int64_t)(SJ_DATA_BYTES / sizeof(float)), limit = f->d > 0 ? longest / f->d : 0;
    int64_t rows = 1;
    if (!f->dims)
        return limit > 0 ? 1 : -1;
    const int64_t *dims = f->dims + i * rank;
    for (int j = 0; j < rank - 1; j++)
        if (dims[j] < 1 || __builtin_mul_overflow(rows, dims[j], &rows))
            return -1;
    return dims[rank - 1] == f->d && rows <= limit ? rows : -1;
}

static int check_columns(const struct sj_embeddings_file *f)
{
    const char *path = sj_h5_path(f->h);
    int64_t rows = 0;
    for (int64_t i = 0; i < f->n; i++) {
        int64_t own = rows_of(f, i);
        if (f->class[i] < SJ_CLASS_NONE || f->class[i] >= f->head->classes || f->role[i] > SJ_ROLE_PREDICTION || own < 1
            || f->part[i] < 0 || f->part[i] > UINT32_MAX || f->last[i] > 1 || strlen(f->key[i]) > SJ_KEY_BYTES)
            return sj_fail(SJ_INPUT, "'%s': record %lld ('%.64s') is damaged", path, (long long)i, f->key[i]);
        rows += own;
    }
    return rows == f->rows ? SJ_OK
                           : sj_fail(SJ_INPUT, "'%s': '/embedding' has %lld rows where %lld are wanted", path,
                                     (long long)f->rows, (long long)rows);
}

int sj_embeddings_file_open(const char *path, struct sj_embeddings_file **out)
{
    enum sj_h5_type type;
    int rank = 0;
    int64_t dims[SJ_H5_RANK] = {0};
    struct sj_embeddings_file *f = calloc(1, sizeof *f);
    if (!f)
        return sj_fail(SJ_SYSTEM, "no memory");
    int status = sj_h5_open(path, &f->h);
    if (!status)
        status = read_head(f);
    if (!status)
        status = sj_h5_shape(f->h, "/embedding", &type, &rank, dims);
    if (!status && (rank != 2 || f->head->rank < 1))
        status = sj_fail(SJ_INPUT, "'%s': '/embedding' is no matrix", path);
    f->rows = dims[0];
    f->d = dims[1];
    if (!status)
        status = read_columns(f);
    if (!status)
        status = check_columns(f);
    if (status) {
        sj_embeddings_file_close(f);
        return status;
    }
    *out = f;
    return SJ_OK;
}

void sj_embeddings_file_close(struct sj_embeddings_file *f)
{
    if (!f)
        return;
    free(f->key);
    free(f->class);
    free(f->role);
    free(f->last);
    free(f->position);
    free(f->part);
    free(f->dims);
    free(f->block);
    free(f->converted);
    sj_head_free(f->head);
    sj_h5_close(f->h);
    free(f);
}

const struct sj_head *sj_embeddings_file_head(const struct sj_embeddings_file *f)
{
    return f->head;
}

int64_t sj_embeddings_file_left(const struct sj_embeddings_file *f)
{
    return f->n - f->at;
}

int64_t sj_embeddings_file_width(const struct sj_embeddings_file *f)
{
    return f->d;
}

/* *p = rows row .. row+count-1, from the block in memory, which is read anew where it does not hold them. */
static int fetch(struct sj_embeddings_file *f, int64_t row, int64_t count, const float **p)
{
    if (row < f->first || row + count > f->first + f->count) {
        int64_t most = BLOCK_BYTES / (f->d * (int64_t)sizeof(float)), left = f->rows - row;
        most = most < count ? count : most < left ? most : left;
        size_t bytes = (size_t)(most * f->d) * sizeof(float);
        if (bytes > f->block_room) {
            free(f->block);
            f->block = malloc(bytes);
            f->block_room = f->block ? bytes : 0;
            f->count = 0;
            if (!f->block)
                return sj_fail(SJ_SYSTEM, "no memory for '%s'", sj_h5_path(f->h));
        }
        const int64_t start[2] = {row, 0}, box[2] = {most, f->d};
        f->first = row;
        f->count = 0;
        int status = sj_h5_read_box(f->h, "/embedding", SJ_H5_F32, 2, start, box, f->block);
        if (status)
            return status;
        f->count = most;
    }
    *p = f->block + (row - f->first) * f->d;
    return SJ_OK;
}

int sj_embeddings_file_next(struct sj_embeddings_file *f, const struct sj_record **record)
{
    *record = NULL;
    if (f->at == f->n)
        return SJ_OK;
    const int64_t i = f->at, rows = rows_of(f, i);
    const float *value = NULL;
    int status = fetch(f, f->row, rows, &value);
    if (status)
        return status;
    struct sj_record *r = &f->record;
    *r = (struct sj_record){.key = f->key[i],
                            .role = (enum sj_role)f->role[i],
                            .class = f->class[i],
                            .position = f->position[i],
                            .part = (uint32_t)f->part[i],
                            .last = f->last[i],
                            .rank = f->head->rank,
                            .data = value,
                            .bytes = (size_t)(rows * f->d) * sj_dtype_size(f->head->dtype)};
    if (f->dims)
        memcpy(r->dims, f->dims + i * r->rank, (size_t)r->rank * sizeof *r->dims);
    else
        r->dims[0] = f->d;
    if (f->head->dtype != SJ_F32) {
        void *p = realloc(f->converted, r->bytes);
        if (!p)
            return sj_fail(SJ_SYSTEM, "no memory for '%s'", sj_h5_path(f->h));
        f->converted = p;
        sj_dtype_from_f32(f->head->dtype, (size_t)(rows * f->d), value, p);
        r->data = p;
    }
    f->at++;
    f->row += rows;
    *record = r;
    return SJ_OK;
}

int sj_embeddings_file_block(struct sj_embeddings_file *f, int64_t most, float *out, struct sj_embedding *info,
                             int64_t *got)
{
    int64_t n = most < f->n - f->at ? most : f->n - f->at;
    const int64_t start[2] = {f->at, 0}, box[2] = {n, f->d};
    *got = 0;
    int status = n ? sj_h5_read_box(f->h, "/embedding", SJ_H5_F32, 2, start, box, out) : SJ_OK;
    for (int64_t i = 0; i < n && !status; i++)
        info[i] = (struct sj_embedding){f->key[f->at + i], (enum sj_role)f->role[f->at + i], f->class[f->at + i]};
    if (status)
        return status;
    f->at += n;
    f->row += n;
    *got = n;
    return SJ_OK;
}
