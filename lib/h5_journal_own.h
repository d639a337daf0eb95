/* h5_journal_own: pages of a file, and the journal beside it; between h5_journal.c and h5_journal_file.c. */
#ifndef SJ_H5_JOURNAL_OWN_H
#define SJ_H5_JOURNAL_OWN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PAGE = 4096 };

struct page {
    uint64_t at; /* a multiple of PAGE */
    uint32_t before; /* checksum of what the file has there until the flush */
    unsigned char *bytes;
};

/* 0, or -1 with errno. */
int sj_journal_write(int fd, const void *from, size_t n, off_t at);
int sj_journal_read(int fd, void *to, size_t n, off_t at); /* what lies behind the end is zero */

/* The name of the journal of a file; the caller's. NULL: no memory. */
char *sj_journal_name(const char *path);
/* Writes the journal `name` that says: these pages, by address, then the size. It is on disk when this returns 0; on
 * failure there is none. */
int sj_journal_save(const char *name, size_t pages, const struct page *page, uint64_t size);
/* Does what it says in the file. */
int sj_journal_apply(int fd, size_t pages, const struct page *page, uint64_t size);

#endif
