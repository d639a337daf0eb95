/* whole: files that appear whole or not at all.
 *
 * A file is written under a temporary name in the directory of its final one, then synced and renamed. Temporaries are removed on
 * discard, at exit, and by SIGINT, SIGTERM and SIGHUP when sj_whole_signals was called (the signal is then raised again). */
#ifndef SJ_WHOLE_H
#define SJ_WHOLE_H

#include "err.h"

struct sj_whole;

/* Reserves a temporary name for PATH (created empty, mode 0666 & ~umask). SJ_SYSTEM names the path. Where PATH is a device or a
 * named pipe, that itself is written to; where it is a symbolic link, what it points to is replaced. */
int sj_whole_new(const char *path, struct sj_whole **w);
const char *sj_whole_temp(const struct sj_whole *w); /* the name to write to; borrowed */
/* fsync of file and directory, rename to the final name, free. On failure the temporary is removed; w is freed either way. */
int sj_whole_commit(struct sj_whole *w);
void sj_whole_discard(struct sj_whole *w); /* removes the temporary, frees; NULL is allowed */

/* SJ_USAGE when writing PATH would replace OTHER: the same regular file, or, where neither is there yet, the same name. NULL and "-"
 * are no files. */
int sj_whole_apart(const char *path, const char *other);

/* Installs the handlers described above. For the tool driver. */
void sj_whole_signals(void);

#endif
