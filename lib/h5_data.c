/* Datasets: whole, in boxes, growing; numbers and text. */
#include "h5_own.h"

#include <stdlib.h>
#include <string.h>

enum { worth_compressing = 1024 }; /* elements; smaller data sets would grow */

/* The number of elements; -1 when a damaged file claims more than there can be. */
static int64_t elements(int rank, const int64_t *dims)
{
    int64_t n = 1;
    for (int i = 0; i < rank; i++)
        if (dims[i] < 0 || __builtin_mul_overflow(n, dims[i], &n))
            return -1;
    return n;
}

/* A link creation list that makes the groups above a new dataset. */
static hid_t with_parents(void)
{
    hid_t p = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(p, 1);
    return p;
}

int sj_h5_make(struct sj_h5 *h, const char *path, enum sj_h5_type type, int rank, const int64_t *dims,
               int64_t extensible)
{
    if (rank < 0 || rank > SJ_H5_RANK || (extensible && rank < 1))
        return sj_fail(SJ_USAGE, "'%s' cannot have %d dimensions", path, rank);
    if (sj_h5_has(h, path))
        return sj_h5_bad(h, path, "exists already");
    hsize_t d[SJ_H5_RANK], limit[SJ_H5_RANK], chunk[SJ_H5_RANK];
    for (int i = 0; i < rank; i++) {
        d[i] = limit[i] = (hsize_t)dims[i];
        chunk[i] = dims[i] > 0 ? (hsize_t)dims[i] : 1;
    }
    hid_t layout = H5Pcreate(H5P_DATASET_CREATE), links = with_parents(), t = sj_h5_memory_type(type);
    H5Pset_obj_track_times(layout, 0); /* equal contents are equal files */
    if (extensible) {
        limit[0] = H5S_UNLIMITED;
        chunk[0] = (hsize_t)extensible;
        H5Pset_chunk(layout, rank, chunk);
    } else if (h->compress && type != SJ_H5_TEXT && elements(rank, dims) >= worth_compressing) {
        H5Pset_chunk(layout, rank, chunk);
        H5Pset_shuffle(layout);
        H5Pset_deflate(layout, 9);
    }
    hid_t space = H5Screate_simple(rank, d, limit);
    hid_t data = H5Dcreate2(h->file, path, t, space, links, layout, H5P_DEFAULT);
    int status = data < 0 ? sj_h5_refused(h, path) : SJ_OK;
    H5Dclose(data);
    H5Sclose(space);
    H5Tclose(t);
    H5Pclose(links);
    H5Pclose(layout);
    return status;
}

/* Moves the box start, count (NULL: everything) between the file and data. */
static int transfer(struct sj_h5 *h, const char *path, enum sj_h5_type type, int rank, const int64_t *start,
                    const int64_t *count, void *in, const void *out)
{
    hid_t data, space;
    int have;
    int64_t dims[SJ_H5_RANK];
    int status = sj_h5_open_data(h, path, &data, &space, &have, dims);
    if (status)
        return status;
    hid_t memory = H5S_ALL, file = H5S_ALL, t = sj_h5_memory_type(type);
    hsize_t first[SJ_H5_RANK], many[SJ_H5_RANK];
    int empty = 0;
    if (start) {
        int inside = have == rank;
        for (int i = 0; inside && i < rank; i++) {
            inside = start[i] >= 0 && count[i] >= 0 && start[i] <= dims[i] && count[i] <= dims[i] - start[i];
            first[i] = (hsize_t)start[i];
            many[i] = (hsize_t)count[i];
            empty |= !count[i];
        }
        if (!inside) {
            status = sj_h5_bad(h, path, "does not hold the part that is wanted");
            goto out;
        }
        if (!empty) {
            H5Sselect_hyperslab(space, H5S_SELECT_SET, first, NULL, many, NULL);
            memory = H5Screate_simple(rank, many, NULL);
            file = space;
        }
    }
    errno = 0;
    if (!empty && in && H5Dread(data, t, memory, file, H5P_DEFAULT, in) < 0)
        status = sj_h5_bad(h, path, "cannot be read: damaged, or not numbers");
    if (!empty && out && H5Dwrite(data, t, memory, file, H5P_DEFAULT, out) < 0)
        status = sj_h5_refused(h, path);
    if (memory != H5S_ALL)
        H5Sclose(memory);
out:
    H5Tclose(t);
    H5Sclose(space);
    H5Dclose(data);
    return status;
}

void sj_h5_compress(struct sj_h5 *h)
{
    h->compress = 1;
}

int sj_h5_write(struct sj_h5 *h, const char *path, enum sj_h5_type type, int rank, const int64_t *dims,
                const void *data)
{
    int status = sj_h5_make(h, path, type, rank, dims, 0);
    return status || !elements(rank, dims) ? status : transfer(h, path, type, 0, NULL, NULL, NULL, data);
}

int sj_h5_read(struct sj_h5 *h, const char *path, enum sj_h5_type type, int64_t count, void *data)
{
    enum sj_h5_type have;
    int rank;
    int64_t dims[SJ_H5_RANK], n;
    int status = sj_h5_shape(h, path, &have, &rank, dims);
    if (status)
        return status;
    if ((n = elements(rank, dims)) != count)
        return sj_fail(SJ_INPUT, "'%s': '%s' has %lld elements where %lld are wanted", h->path, path, (long long)n,
                       (long long)count);
    if (have == SJ_H5_TEXT)
        return sj_h5_bad(h, path, "is text where numbers are wanted");
    return count ? transfer(h, path, type, 0, NULL, NULL, data, NULL) : SJ_OK;
}

int sj_h5_read_box(struct sj_h5 *h, const char *path, enum sj_h5_type type, int rank, const int64_t *start,
                   const int64_t *count, void *data)
{
    return transfer(h, path, type, rank, start, count, data, NULL);
}

int sj_h5_offset(struct sj_h5 *h, const char *path, enum sj_h5_type type, int64_t *offset)
{
    hid_t data, space;
    int rank;
    int64_t dims[SJ_H5_RANK];
    int status = sj_h5_open_data(h, path, &data, &space, &rank, dims);
    if (status)
        return status;
    hid_t have = H5Dget_type(data), want = sj_h5_memory_type(type);
    haddr_t at = H5Dget_offset(data); /* undefined unless the layout is contiguous, which has no filters either */
    if (at == HADDR_UNDEF || H5Tequal(have, want) <= 0)
        status = sj_h5_bad(h, path, "is not stored in one piece of the type that is read");
    *offset = (int64_t)at;
    H5Tclose(want);
    H5Tclose(have);
    H5Sclose(space);
    H5Dclose(data);
    return status;
}

int sj_h5_append(struct sj_h5 *h, const char *path, enum sj_h5_type type, int64_t rows, const void *in)
{
    hid_t data, space;
    int rank;
    int64_t dims[SJ_H5_RANK], start[SJ_H5_RANK] = {0};
    int status = sj_h5_open_data(h, path, &data, &space, &rank, dims);
    if (status)
        return status;
    H5Sclose(space);
    hsize_t d[SJ_H5_RANK];
    for (int i = 0; i < rank; i++)
        d[i] = (hsize_t)dims[i];
    if (rank)
        d[0] += (hsize_t)rows;
    int fixed = !rank || H5Dset_extent(data, d) < 0;
    H5Dclose(data);
    if (fixed)
        return sj_h5_bad(h, path, "cannot grow");
    start[0] = dims[0];
    dims[0] = rows;
    return transfer(h, path, type, rank, start, dims, NULL, in);
}

int sj_h5_delete(struct sj_h5 *h, const char *path)
{
    if (!sj_h5_has(h, path))
        return sj_fail(SJ_INPUT, "'%s' has no '%s'", h->path, path);
    errno = 0;
    return H5Ldelete(h->file, path, H5P_DEFAULT) < 0 ? sj_h5_refused(h, path) : SJ_OK;
}

int sj_h5_set_aside(struct sj_h5 *h, const char *path)
{
    char lost[32] = "/lost-0";
    for (int n = 1; sj_h5_has_link(h, lost); n++)
        snprintf(lost, sizeof lost, "/lost-%d", n);
    errno = 0;
    return H5Lmove(h->file, path, h->file, lost, H5P_DEFAULT, H5P_DEFAULT) < 0 ? sj_h5_refused(h, path) : SJ_OK;
}

int sj_h5_has_link(struct sj_h5 *h, const char *path)
{
    sj_h5_quiet();
    return H5Lexists(h->file, path, H5P_DEFAULT) > 0;
}

/* -- text --------------------------------------------------------------------------------------------------------- */

int sj_h5_write_text(struct sj_h5 *h, const char *path, int64_t n, const char *const *text)
{
    return sj_h5_write(h, path, SJ_H5_TEXT, 1, &n, text);
}

int sj_h5_append_text(struct sj_h5 *h, const char *path, int64_t n, const char *const *text)
{
    return sj_h5_append(h, path, SJ_H5_TEXT, n, text);
}

/* One allocation: n pointers, then the characters they point to. */
static char **pack_text(int64_t n, char *const *pointers, const char *fixed, size_t width)
{
    size_t bytes = 0, count = (size_t)n;
    for (size_t i = 0; i < count; i++) {
        const char *s = pointers ? pointers[i] : fixed + i * width;
        bytes += (s ? strlen(s) : 0) + 1;
    }
    char **all = malloc(count * sizeof *all + bytes + 1);
    if (!all)
        return NULL;
    char *to = (char *)(all + count);
    for (size_t i = 0; i < count; i++) {
        const char *s = pointers ? pointers[i] : fixed + i * width;
        size_t length = s ? strlen(s) : 0;
        all[i] = to;
        memcpy(to, s ? s : "", length);
        to[length] = 0;
        to += length + 1;
    }
    return all;
}

/* Strings of the dataset's own kind: of variable length, or of `width - 1` characters. */
static int read_strings(struct sj_h5 *h, const char *path, hid_t data, hid_t space, size_t n, char ***text)
{
    int status = SJ_OK;
    hid_t have = H5Dget_type(data), t = H5Tcopy(H5T_C_S1);
    int variable = H5Tis_variable_str(have) > 0;
    size_t width = variable ? sizeof(char *) : H5Tget_size(have) + 1;
    H5Tset_size(t, variable ? H5T_VARIABLE : width);
    H5Tset_cset(t, H5Tget_cset(have));
    char *raw = width < (size_t)1 << 20 ? calloc(n + 1, width) : NULL;
    *text = NULL;
    if (H5Tget_class(have) != H5T_STRING)
        status = sj_h5_bad(h, path, "is not text");
    else if (!raw)
        status = sj_fail(SJ_SYSTEM, "no memory for '%s' of '%s'", path, h->path);
    else if (n && H5Dread(data, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw) < 0)
        status = sj_h5_bad(h, path, "cannot be read: damaged");
    else if (!(*text = pack_text((int64_t)n, variable ? (char **)(void *)raw : NULL, raw, width)))
        status = sj_fail(SJ_SYSTEM, "no memory for '%s' of '%s'", path, h->path);
    if (variable && raw && n && !status)
        H5Dvlen_reclaim(t, space, H5P_DEFAULT, raw);
    free(raw);
    H5Tclose(t);
    H5Tclose(have);
    return status;
}

/* Whether so many elements can lie in what the file stores for them: a damaged file may claim billions and store none.
 * Compression makes a thousandth of equal bytes, at the most. */
static int is_stored(hid_t data, int64_t n)
{
    enum { RATIO = 1100, SLACK = 4096 };
    hid_t type = H5Dget_type(data);
    double bytes = (double)n * (double)H5Tget_size(type);
    H5Tclose(type);
    return bytes <= (double)H5Dget_storage_size(data) * RATIO + SLACK;
}

int sj_h5_read_text(struct sj_h5 *h, const char *path, int64_t *n, char ***text)
{
    hid_t data, space;
    int rank;
    int64_t dims[SJ_H5_RANK];
    int status = sj_h5_open_data(h, path, &data, &space, &rank, dims);
    if (status)
        return status;
    *n = elements(rank, dims);
    status = *n > INT32_MAX || *n < 0 ? sj_h5_bad(h, path, "has too many strings")
             : !is_stored(data, *n)   ? sj_h5_bad(h, path, "claims more strings than the file holds")
                                      : read_strings(h, path, data, space, (size_t)*n, text);
    H5Sclose(space);
    H5Dclose(data);
    return status;
}
