/* h5: the HDF5 files of this project, typed and with one reason per failure. The only user of hdf5.h.
 *
 * Paths inside a file are absolute ("/weights/encoder/norm.weight"); missing parent groups are made when writing.
 * Types convert on the way in and out as HDF5 does (float64 files read into float memory); rank and counts must agree.
 * Every failure names the file and the object: SJ_INPUT for what the file holds, SJ_SYSTEM for what the system refuses.
 * HDF5's own error printing is off. Not thread-safe: one thread at a time in this module. */
#ifndef SJ_H5_H
#define SJ_H5_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum { SJ_H5_RANK = 8 };

enum sj_h5_type { SJ_H5_F32, SJ_H5_F64, SJ_H5_I16, SJ_H5_I32, SJ_H5_I64, SJ_H5_U8, SJ_H5_TEXT, SJ_H5_OTHER };

struct sj_h5;

/* Whether PATH starts with the HDF5 signature: 1 or 0; 0 also when it cannot be read. */
int sj_h5_is(const char *path);

/* Opens for reading. */
int sj_h5_open(const char *path, struct sj_h5 **h);

/* SJ_USAGE when PATH is there and no regular file: HDF5 seeks, so that devices, pipes and directories cannot hold
 * it. */
int sj_h5_want_file(const char *path);

/* Creates a new file under a temporary name in the same directory; it appears as PATH at sj_h5_commit, whole or not at
 * all. PATH as sj_h5_want_file wants it. */
int sj_h5_create(const char *path, struct sj_h5 **h);

/* The commit of a created file fails where PATH has come to be since: nothing is replaced. */
void sj_h5_only_new(struct sj_h5 *h);

/* Opens PATH for changes in place. SJ_SYSTEM when another program writes or reads it. A flush is all or nothing, also for a process that is killed in
 * the middle of it (h5_journal.h). */
int sj_h5_edit(const char *path, struct sj_h5 **h);

int sj_h5_flush(struct sj_h5 *h);  /* flush and fsync */
int sj_h5_commit(struct sj_h5 *h); /* flush, fsync, close, rename to its name; frees h also on failure (temporary
                                      removed) */
void sj_h5_close(struct sj_h5 *h); /* closes; a created file that was not committed is removed. NULL is allowed */
const char *sj_h5_path(const struct sj_h5 *h);
int sj_h5_still(const struct sj_h5 *h, const char *path); /* 1 or 0: PATH leads to the very file that is open */

/* -- looking ------------------------------------------------------------------------------------------------------ */
int sj_h5_has(struct sj_h5 *h, const char *path); /* 1 or 0: a group or dataset of this name */
int sj_h5_shape(struct sj_h5 *h, const char *path, enum sj_h5_type *type, int *rank, int64_t dims[SJ_H5_RANK]);
/* Calls visit(name, is_group, arg) for each member of a group in the order of names; stops at a non-zero value and
 * returns it. */
int sj_h5_list(struct sj_h5 *h, const char *group, int (*visit)(const char *name, int is_group, void *arg), void *arg);

/* -- datasets ----------------------------------------------------------------------------------------------------- */
/* Numbers that sj_h5_write writes from now on are compressed (bytes of equal weight together, deflate), for files that are
 * passed around. Every HDF5 program reads them. */
void sj_h5_compress(struct sj_h5 *h);
/* Writes a whole contiguous dataset. */
int sj_h5_write(struct sj_h5 *h, const char *path, enum sj_h5_type type, int rank, const int64_t *dims,
                const void *data);
/* Reads a whole dataset, which must have exactly `count` elements. */
int sj_h5_read(struct sj_h5 *h, const char *path, enum sj_h5_type type, int64_t count, void *data);
/* Reads the box start[], count[] of a dataset of that rank. */
int sj_h5_read_box(struct sj_h5 *h, const char *path, enum sj_h5_type type, int rank, const int64_t *start,
                   const int64_t *count, void *data);
/* Where the elements of a dataset lie: *offset bytes into the file, in one piece, in exactly the memory format of
 * `type`, so that pread gives them from any thread. SJ_INPUT when they do not (compressed, chunked, other type or byte
 * order, never written). */
int sj_h5_offset(struct sj_h5 *h, const char *path, enum sj_h5_type type, int64_t *offset);
/* Makes a dataset without data; extensible != 0: its first dimension may grow with sj_h5_append (chunked by
 * `extensible` rows). */
int sj_h5_make(struct sj_h5 *h, const char *path, enum sj_h5_type type, int rank, const int64_t *dims,
               int64_t extensible);
/* Appends `rows` along the first dimension of an extensible dataset. */
int sj_h5_append(struct sj_h5 *h, const char *path, enum sj_h5_type type, int64_t rows, const void *data);
/* Variable-length UTF-8 strings: whole vectors, and appending (dataset made with type SJ_H5_TEXT). read: *text is one
 * allocation of n pointers and their characters, owned by the caller (free). */
int sj_h5_write_text(struct sj_h5 *h, const char *path, int64_t n, const char *const *text);
int sj_h5_append_text(struct sj_h5 *h, const char *path, int64_t n, const char *const *text);
int sj_h5_read_text(struct sj_h5 *h, const char *path, int64_t *n, char ***text);
int sj_h5_delete(struct sj_h5 *h, const char *path);
/* Whether the name is there, though what it leads to may be damaged, as a program leaves it that dies in a flush. Its
 * parents must be sound. */
int sj_h5_has_link(struct sj_h5 *h, const char *path);
/* Renames such a one to /lost-N: it may be too damaged to be freed. */
int sj_h5_set_aside(struct sj_h5 *h, const char *path);

/* -- attributes of a group or dataset ----------------------------------------------------------------------------- */
int sj_h5_has_attr(struct sj_h5 *h, const char *path, const char *name);
/* Calls visit(name, arg) for each attribute in the order of names; stops at a non-zero value and returns it. */
int sj_h5_list_attrs(struct sj_h5 *h, const char *path, int (*visit)(const char *name, void *arg), void *arg);
int sj_h5_set_int(struct sj_h5 *h, const char *path, const char *name, int64_t value);
int sj_h5_set_real(struct sj_h5 *h, const char *path, const char *name, double value);
int sj_h5_set_text(struct sj_h5 *h, const char *path, const char *name, const char *value);
int sj_h5_get_int(struct sj_h5 *h, const char *path, const char *name, int64_t *value);
int sj_h5_get_real(struct sj_h5 *h, const char *path, const char *name, double *value);
/* *value is owned by the caller (free). Reads fixed and variable-length strings. */
int sj_h5_get_text(struct sj_h5 *h, const char *path, const char *name, char **value);

#endif
