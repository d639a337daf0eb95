/* spool: what comes through a pipe, looked at before it is read, or kept in a file where it can be sought. */
#ifndef SJ_SPOOL_H
#define SJ_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* The next bytes of a pipe or socket, which stay in it: up to n into `bytes`. Waits for them; returns how many there
 * are, fewer than n only when no more come or fd can only be read. */
size_t sj_spool_peek(int fd, unsigned char *bytes, size_t n);

/* Copies everything that comes from fd to a file without a name in $TMPDIR (else /tmp), which vanishes when *file is
 * closed, however the process ends. *file stands at its beginning; the caller closes it. SJ_SYSTEM names `name` and
 * the folder; SJ_INPUT: more than `limit` bytes. */
int sj_spool(int fd, const char *name, int64_t limit, int *file);

/* Such a file, empty, to read and write: for what does not fit in memory. SJ_SYSTEM names the folder. */
int sj_spool_new(int *file);

#endif
