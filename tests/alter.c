/* alter FILE.h5 PATH value|nan|delete|shape: spoils one dataset (PATH@NAME value: one attribute), for tests of tests.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h5.h"

/* The element in the middle of a dataset becomes a number clearly off, or NaN. */
static int change(struct sj_h5 *h, const char *path, int nan_)
{
    enum sj_h5_type type;
    int rank;
    int64_t dims[SJ_H5_RANK], n = 1, middle = 0;
    int status = sj_h5_shape(h, path, &type, &rank, dims);
    for (int i = 0; !status && i < rank; i++) {
        middle = middle * dims[i] + dims[i] / 2;
        n *= dims[i];
    }
    double *x = malloc((size_t)n * sizeof *x), largest = 0;
    if (!status)
        status = x ? sj_h5_read(h, path, SJ_H5_F64, n, x) : SJ_SYSTEM;
    for (int64_t i = 0; !status && i < n; i++)
        largest = fmax(largest, fabs(x[i]));
    if (!status)
        x[middle] = nan_ ? NAN : 1 + 2 * largest;
    if (!status)
        status = sj_h5_delete(h, path);
    if (!status)
        status = sj_h5_write(h, path, SJ_H5_F64, rank, dims, x);
    free(x);
    return status;
}

/* A dataset of as many zeros in one more dimension. */
static int reshape(struct sj_h5 *h, const char *path)
{
    enum sj_h5_type type;
    int rank;
    int64_t dims[SJ_H5_RANK], n = 1;
    int status = sj_h5_shape(h, path, &type, &rank, dims);
    for (int i = 0; !status && i < rank; i++)
        n *= dims[i];
    if (!status)
        status = sj_h5_delete(h, path);
    double *x = calloc((size_t)n + 1, sizeof *x);
    dims[rank] = 1;
    if (!status)
        status = x ? sj_h5_write(h, path, type, rank + 1, dims, x) : SJ_SYSTEM;
    free(x);
    return status;
}

int main(int argc, char **argv)
{
    struct sj_h5 *h;
    if (argc != 4)
        return SJ_USAGE;
    int status = sj_h5_edit(argv[1], &h);
    char *attribute = strchr(argv[2], '@');
    if (!status && attribute) {
        *attribute = 0;
        status = sj_h5_set_real(h, argv[2], attribute + 1, 0.123);
    } else if (!status && !strcmp(argv[3], "delete"))
        status = sj_h5_delete(h, argv[2]);
    else if (!status && !strcmp(argv[3], "shape"))
        status = reshape(h, argv[2]);
    else if (!status)
        status = change(h, argv[2], !strcmp(argv[3], "nan"));
    if (!status)
        status = sj_h5_commit(h);
    if (status)
        fprintf(stderr, "alter: %s\n", sj_reason());
    return status;
}
