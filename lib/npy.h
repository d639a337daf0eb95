/* npy: NumPy's array files (its "NPY format" specification, versions 1 to 3), as rows of equal shape. */
#ifndef SJ_NPY_H
#define SJ_NPY_H

#include <stdint.h>

#include "stream.h"

/* -- writing ------------------------------------------------------------------------------------------------------- */
struct sj_npy_writer;

/* Starts an array of shape (n, dims[0], ..., dims[rank-1]), n being the number of rows put; bf16, which NumPy lacks, is
 * written as f32. The file appears as PATH at sj_npy_commit. */
int sj_npy_create(const char *path, enum sj_dtype dtype, int rank, const int64_t *dims, struct sj_npy_writer **w);
int sj_npy_put(struct sj_npy_writer *w, const void *row); /* one row, of the dtype given */
int sj_npy_commit(struct sj_npy_writer *w);               /* frees w also on failure */
void sj_npy_abort(struct sj_npy_writer *w);               /* nothing appears; NULL is allowed */

/* -- reading ------------------------------------------------------------------------------------------------------- */
struct sj_npy;

/* Whether PATH starts as NumPy's array files do: 1 or 0; 0 also when it cannot be read. */
int sj_npy_is(const char *path);

/* Opens an array of little-endian f2, f4 or f8 in C order and of rank 2 to 8; SJ_INPUT says what it is otherwise. */
int sj_npy_open(const char *path, struct sj_npy **a);
int64_t sj_npy_rows(const struct sj_npy *a);
int sj_npy_shape(const struct sj_npy *a, int64_t dims[SJ_RANK]); /* of a row; returns its rank, 1 to 7 */
/* The next row as f32 (product of dims); SJ_INPUT when the file is shorter than its header says. */
int sj_npy_next(struct sj_npy *a, float *row);
void sj_npy_close(struct sj_npy *a); /* NULL is allowed */

#endif
