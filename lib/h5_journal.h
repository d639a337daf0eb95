/* h5_journal: an HDF5 file driver whose flush is all or nothing.
 *
 * HDF5 overwrites its bookkeeping in place, in many small writes: a process killed among them leaves a file that does
 * not open, or lacks what was there. This driver keeps the bookkeeping in memory, page by page. A flush writes the
 * pages to FILE.journal first, then to the file, then removes the journal; whoever opens the file next finishes what a
 * whole journal says and drops one that is not whole. A journal knows what was in the pages before: beside a file with
 * anything else there it changes nothing. Values (raw data) go to the file at once: they lie where nothing was before.
 * A file to which nothing was written stays as it was, to the byte. The files are ordinary HDF5 files. */
#ifndef SJ_H5_JOURNAL_H
#define SJ_H5_JOURNAL_H

#include "h5_own.h"

/* Makes the file access property list `access` use the driver. Returns < 0 on failure. */
herr_t sj_h5_journal_use(hid_t access);

/* Finishes what the journal beside `path` says, unless somebody has the file open for writing. SJ_OK when there is no
 * journal; SJ_INPUT when it is of another state of the file. */
int sj_h5_journal_recover(const char *path);

#endif
