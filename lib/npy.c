/* NPY: a magic number, a Python dictionary as text, then the values. */
#include "npy.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "whole.h"

static const unsigned char magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

/* Magic, version, length of the text, text. HEADER, a multiple of 64, holds any shape; the text is filled up with
 * blanks. */
enum { HEADER = 256, START = 10, TEXT_MOST = 65536 };

/* -- writing ------------------------------------------------------------------------------------------------------- */
struct sj_npy_writer {
    FILE *f;
    char *path;
    struct sj_whole *whole;
    enum sj_dtype dtype;
    int rank;
    int64_t dims[SJ_RANK], rows;
    size_t count;     /* values of a row */
    float *converted; /* bf16: one row */
};

static int cannot(const struct sj_npy_writer *w)
{
    return sj_fail_errno("cannot write '%s'", w->path);
}

static int write_header(struct sj_npy_writer *w)
{
    const char *type = w->dtype == SJ_F16 ? "<f2" : w->dtype == SJ_I16 ? "<i2" : "<f4";
    char header[HEADER + 1], *text = header + START;
    const size_t room = HEADER - START + 1;
    int n = snprintf(text, room, "{'descr': '%s', 'fortran_order': False, 'shape': (%lld,", type, (long long)w->rows);
    for (int i = 0; i < w->rank; i++)
        n += snprintf(text + n, room - (size_t)n, " %lld%s", (long long)w->dims[i], i < w->rank - 1 ? "," : "");
    n += snprintf(text + n, room - (size_t)n, "), }");
    memset(text + n, ' ', room - 2 - (size_t)n);
    memcpy(header, magic, sizeof magic);
    header[6] = 1; /* version 1.0 */
    header[7] = 0;
    header[8] = (char)((HEADER - START) % 256);
    header[9] = (char)((HEADER - START) / 256);
    header[HEADER - 1] = '\n';
    return fwrite(header, HEADER, 1, w->f) == 1 ? SJ_OK : cannot(w);
}

int sj_npy_create(const char *path, enum sj_dtype dtype, int rank, const int64_t *dims, struct sj_npy_writer **out)
{
    if (rank < 0 || rank > SJ_RANK || !sj_dtype_name(dtype))
        return sj_fail(SJ_USAGE, "cannot write '%s': rank %d", path, rank);
    struct sj_npy_writer *w = calloc(1, sizeof *w);
    if (!w || !(w->path = strdup(path))) {
        free(w);
        return sj_fail(SJ_SYSTEM, "no memory");
    }
    w->dtype = dtype;
    w->rank = rank;
    w->count = 1;
    for (int i = 0; i < rank; i++) {
        w->dims[i] = dims[i];
        w->count *= (size_t)dims[i];
    }
    int status = SJ_OK;
    if (dtype == SJ_BF16 && !(w->converted = calloc(w->count, sizeof *w->converted)))
        status = sj_fail(SJ_SYSTEM, "no memory for %zu values", w->count);
    if (!status)
        status = sj_whole_new(path, &w->whole);
    if (!status && !(w->f = fopen(sj_whole_temp(w->whole), "wb")))
        status = cannot(w);
    if (!status)
        status = write_header(w);
    if (status)
        sj_npy_abort(w);
    else
        *out = w;
    return status;
}

int sj_npy_put(struct sj_npy_writer *w, const void *row)
{
    size_t size = sj_dtype_size(w->dtype);
    if (w->converted) {
        sj_dtype_to_f32(w->dtype, w->count, row, w->converted);
        row = w->converted;
        size = sizeof *w->converted;
    }
    if (fwrite(row, size, w->count, w->f) != w->count)
        return cannot(w);
    w->rows++;
    return SJ_OK;
}

/* Closes the file and frees; the temporary file stays with `whole`. */
static void release(struct sj_npy_writer *w)
{
    if (w->f)
        fclose(w->f);
    free(w->converted);
    free(w->path);
    free(w);
}

int sj_npy_commit(struct sj_npy_writer *w)
{
    struct sj_whole *whole = w->whole;
    int status = fflush(w->f) || fseek(w->f, 0, SEEK_SET) ? cannot(w) : write_header(w);
    if (!status && fflush(w->f))
        status = cannot(w);
    release(w);
    if (!status)
        return sj_whole_commit(whole);
    sj_whole_discard(whole);
    return status;
}

void sj_npy_abort(struct sj_npy_writer *w)
{
    if (!w)
        return;
    struct sj_whole *whole = w->whole;
    release(w);
    sj_whole_discard(whole);
}

/* -- reading ------------------------------------------------------------------------------------------------------- */
enum npy_type { NPY_F2, NPY_F4, NPY_F8 };

struct sj_npy {
    FILE *f;
    char *path;
    enum npy_type type;
    int rank; /* of a row */
    int64_t dims[SJ_RANK], rows, next;
    size_t count; /* values of a row */
    void *raw;    /* one row as it lies in the file; f4 needs none */
};

int sj_npy_is(const char *path)
{
    unsigned char start[sizeof magic];
    FILE *f = fopen(path, "rb");
    int is = f && fread(start, sizeof start, 1, f) == 1 && !memcmp(start, magic, sizeof magic);
    if (f)
        fclose(f);
    return is;
}

/* What follows "'NAME':" in the header's dictionary; NULL when there is none. */
static const char *member(const char *text, const char *name)
{
    char quoted[24];
    snprintf(quoted, sizeof quoted, "'%s':", name);
    const char *p = strstr(text, quoted);
    if (p)
        for (p += strlen(quoted); isspace((unsigned char)*p);)
            p++;
    return p;
}

static int parse_shape(struct sj_npy *a, const char *p)
{
    int64_t shape[SJ_RANK];
    int rank = 0;
    if (!p || *p++ != '(')
        return sj_fail(SJ_INPUT, "'%s' has no shape in its header", a->path);
    while (*p && *p != ')') {
        char *end;
        long long value = strtoll(p, &end, 10);
        if (end == p || value < 0 || rank == SJ_RANK)
            return sj_fail(SJ_INPUT, "'%s' has a shape that is not understood", a->path);
        shape[rank++] = value;
        for (p = end; *p == ',' || *p == ' ';)
            p++;
    }
    if (rank < 2)
        return sj_fail(SJ_INPUT, "'%s' is an array of rank %d where rows are wanted: rank 2 to %d", a->path, rank,
                       SJ_RANK);
    uint64_t bytes = sizeof(double);
    a->rows = shape[0];
    a->rank = rank - 1;
    for (int i = 0; i < a->rank; i++) {
        a->dims[i] = shape[i + 1];
        if (a->dims[i] < 1 || (uint64_t)a->dims[i] > SJ_DATA_BYTES / bytes)
            return sj_fail(SJ_INPUT, "'%s' has a dimension of %lld: out of range", a->path, (long long)a->dims[i]);
        bytes *= (uint64_t)a->dims[i];
    }
    a->count = bytes / sizeof(double);
    return SJ_OK;
}

static int parse_header(struct sj_npy *a, const char *text)
{
    static const char *const types[] = {[NPY_F2] = "'<f2'", [NPY_F4] = "'<f4'", [NPY_F8] = "'<f8'"};
    const char *type = member(text, "descr"), *order = member(text, "fortran_order");
    int known = 0;
    for (int i = NPY_F2; i <= NPY_F8 && type && !known; i++) {
        known = !strncmp(type, types[i], strlen(types[i]));
        a->type = (enum npy_type)i;
    }
    if (!known)
        return sj_fail(SJ_INPUT, "'%s' holds values of type %.6s where '<f2', '<f4' or '<f8' is wanted", a->path,
                       type ? type : "?");
    if (!order || strncmp(order, "False", 5))
        return sj_fail(SJ_INPUT, "'%s' is in Fortran order where C order is wanted", a->path);
    return parse_shape(a, member(text, "shape"));
}

static int read_header(struct sj_npy *a)
{
    unsigned char start[12];
    if (fread(start, START, 1, a->f) != 1 || memcmp(start, magic, sizeof magic) || start[6] < 1 || start[6] > 3)
        return sj_fail(SJ_INPUT, "'%s' is no NPY file", a->path);
    size_t size = start[8] + 256u * start[9];
    if (start[6] > 1 && fread(start + START, 2, 1, a->f) == 1)
        size += (size_t)start[10] << 16 | (size_t)start[11] << 24;
    if (size > TEXT_MOST)
        return sj_fail(SJ_INPUT, "'%s' has a header of %zu bytes", a->path, size);
    char *text = calloc(size + 1, 1);
    if (!text)
        return sj_fail(SJ_SYSTEM, "no memory");
    int status = fread(text, 1, size, a->f) == size ? parse_header(a, text)
                                                     : sj_fail(SJ_INPUT, "'%s' ends within its header", a->path);
    free(text);
    return status;
}

static const size_t type_bytes[] = {[NPY_F2] = 2, [NPY_F4] = 4, [NPY_F8] = 8};

/* Behind the last row of a file there is nothing; where it is too short, the rows say so when they are read. */
static int check_end(const struct sj_npy *a)
{
    struct stat st;
    if (fstat(fileno(a->f), &st) || !S_ISREG(st.st_mode))
        return SJ_OK;
    const int64_t row = (int64_t)(a->count * type_bytes[a->type]), left = st.st_size - ftell(a->f);
    if (left / row < a->rows || left == a->rows * row)
        return SJ_OK;
    return sj_fail(SJ_INPUT, "'%s' has %lld bytes behind its last row", a->path, (long long)(left - a->rows * row));
}

int sj_npy_open(const char *path, struct sj_npy **out)
{
    struct sj_npy *a = calloc(1, sizeof *a);
    if (!a || !(a->path = strdup(path))) {
        free(a);
        return sj_fail(SJ_SYSTEM, "no memory");
    }
    int status = (a->f = fopen(path, "rb")) ? read_header(a) : sj_fail_errno("cannot read '%s'", path);
    if (!status)
        status = check_end(a);
    if (!status && a->type != NPY_F4 && !(a->raw = malloc(a->count * sizeof(double))))
        status = sj_fail(SJ_SYSTEM, "'%s': no memory for a row of %zu values", path, a->count);
    if (status)
        sj_npy_close(a);
    else
        *out = a;
    return status;
}

int64_t sj_npy_rows(const struct sj_npy *a)
{
    return a->rows;
}

int sj_npy_shape(const struct sj_npy *a, int64_t dims[SJ_RANK])
{
    memcpy(dims, a->dims, sizeof a->dims);
    return a->rank;
}

int sj_npy_next(struct sj_npy *a, float *row)
{
    if (a->next == a->rows)
        return sj_fail(SJ_USAGE, "'%s' has no more rows", a->path);
    if (fread(a->raw ? a->raw : row, type_bytes[a->type], a->count, a->f) != a->count)
        return ferror(a->f) ? sj_fail_errno("cannot read '%s'", a->path)
                            : sj_fail(SJ_INPUT, "'%s' ends early: in row %lld of %lld", a->path, (long long)a->next + 1,
                                      (long long)a->rows);
    a->next++;
    const double *wide = a->raw;
    if (a->type == NPY_F2)
        sj_dtype_to_f32(SJ_F16, a->count, a->raw, row);
    for (size_t i = 0; i < a->count && a->type == NPY_F8; i++)
        row[i] = (float)wide[i];
    return SJ_OK;
}

void sj_npy_close(struct sj_npy *a)
{
    if (!a)
        return;
    if (a->f)
        fclose(a->f);
    free(a->raw);
    free(a->path);
    free(a);
}
