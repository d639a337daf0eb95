/* whole: files that appear whole or not at all.
 *
 * A file is written under a temporary name in the directory of its final one, then synced and renamed. Temporaries are removed on
 * discard, at exit, and by SIGINT, SIGTERM and SIGHUP when sj_whole_signals was called (the signal is then raised again). */
#ifndef SJ_WHOLE_H
#define SJ_WHOLE_H

#include <stdio.h>

#include "err.h"

struct sj_whole;

/* Reserves a temporary name for PATH (created empty). SJ_SYSTEM names the path. Where PATH is a device or a named
 * pipe, that itself is written to; where it is a symbolic link, what it leads to is made or replaced. A file that
 * replaces another has its permissions and, where possible, its owner; one that may not be written to is not
 * replaced. A new file has mode 0666 & ~umask. */
int sj_whole_new(const char *path, struct sj_whole **w);
const char *sj_whole_temp(const struct sj_whole *w); /* the name to write to; borrowed */
/* fsync of file and directory, rename to the final name, free. On failure the temporary is removed; w is freed either
 * way. */
int sj_whole_commit(struct sj_whole *w);
/* From here on the commit fails where PATH has come to be: nothing is replaced. */
void sj_whole_only_new(struct sj_whole *w);
void sj_whole_discard(struct sj_whole *w); /* removes the temporary, frees; NULL is allowed */

/* PATH = what write(f, arg) writes, which returns a status; whole or not at all. */
int sj_whole_write(const char *path, int (*write)(FILE *f, void *arg), void *arg);

/* Removes the temporaries of PATH whose writers died without a chance to (SIGKILL, loss of power): those that nobody
 * has locked. What cannot be removed stays. Reads the whole directory: for outputs that are few. */
void sj_whole_tidy(const char *path);

/* For a file that is made under its own name: it is removed like a temporary (sj_whole_discard, exit, signals) until
 * sj_whole_keep, which frees g. NULL is allowed there. */
int sj_whole_guard(const char *path, struct sj_whole **g);
void sj_whole_keep(struct sj_whole *g);

/* What the symbolic links of PATH lead to, whether it is there or not: PATH itself when it is none. Owned by the
 * caller; NULL: SJ_SYSTEM, recorded. */
char *sj_whole_target(const char *path);

/* SJ_USAGE when writing PATH would replace OTHER: the same regular file, or, where neither is there yet, the same
 * name. NULL and "-" are no files. */
int sj_whole_apart(const char *path, const char *other);

/* Installs the handlers described above. For the tool driver. */
void sj_whole_signals(void);

#endif
