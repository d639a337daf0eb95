/* The journal beside a file: how it is written, and how the file is brought to what it says. */
#include "h5_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"
#include "h5_journal_own.h"

/* A journal: this, then the pages, each an entry and its bytes. */
struct head {
    char magic[8];
    uint64_t pages, size; /* size: of the file afterwards */
    uint32_t crc, unused; /* of all that follows */
};
struct entry {
    uint64_t at;
    uint32_t before, unused;
};
static const char magic[8] = "sjpages2";
enum { EACH = PAGE + sizeof(struct entry) };

/* -- whole reads and writes --------------------------------------------------------------------------------------- */

int sj_journal_write(int fd, const void *from, size_t n, off_t at)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = pwrite(fd, (const char *)from + done, n - done, at + (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        done += (size_t)got;
    }
    return 0;
}

int sj_journal_read(int fd, void *to, size_t n, off_t at)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(fd, (char *)to + done, n - done, at + (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (!got) {
            memset((char *)to + done, 0, n - done);
            return 0;
        }
        done += (size_t)got;
    }
    return 0;
}

/* -- journals ----------------------------------------------------------------------------------------------------- */

char *sj_journal_name(const char *path)
{
    char *name;
    return asprintf(&name, "%s.journal", path) < 0 ? NULL : name;
}

int sj_journal_apply(int fd, size_t pages, const struct page *page, uint64_t size)
{
    for (size_t i = 0; i < pages; i++)
        if (sj_journal_write(fd, page[i].bytes, PAGE, (off_t)page[i].at))
            return -1;
    return ftruncate(fd, (off_t)size) || fdatasync(fd) ? -1 : 0; /* the last page may stick out */
}

static uint32_t checksum(size_t pages, const struct page *page)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < pages; i++) {
        const struct entry e = {page[i].at, page[i].before, 0};
        crc = sj_crc32c(crc, &e, sizeof e);
        crc = sj_crc32c(crc, page[i].bytes, PAGE);
    }
    return crc;
}

int sj_journal_save(const char *name, size_t pages, const struct page *page, uint64_t size)
{
    struct head head = {.pages = pages, .size = size, .crc = checksum(pages, page)};
    memcpy(head.magic, magic, sizeof magic);
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return -1;
    off_t at = sizeof head;
    int bad = sj_journal_write(fd, &head, sizeof head, 0);
    for (size_t i = 0; i < pages && !bad; i++, at += EACH) {
        const struct entry e = {page[i].at, page[i].before, 0};
        bad = sj_journal_write(fd, &e, sizeof e, at) || sj_journal_write(fd, page[i].bytes, PAGE, at + (off_t)sizeof e);
    }
    bad = bad || fdatasync(fd);
    if (!close(fd) && !bad)
        return 0;
    unlink(name);
    return -1;
}

/* The pages of the journal open as `from`, in *bytes too; *pages NULL when it is not whole: what it says was never
 * begun. */
static int read_journal(int from, struct head *head, struct page **pages, unsigned char **bytes)
{
    struct stat st;
    *pages = NULL;
    *bytes = NULL;
    if (fstat(from, &st) || sj_journal_read(from, head, sizeof *head, 0))
        return -1;
    if (memcmp(head->magic, magic, sizeof magic) || head->pages > (uint64_t)st.st_size / EACH ||
        sizeof *head + head->pages * EACH != (uint64_t)st.st_size)
        return 0;
    struct page *page = calloc(head->pages + 1, sizeof *page);
    int bad = !page || !(*bytes = malloc(head->pages * PAGE + 1));
    for (size_t i = 0; i < head->pages && !bad; i++) {
        struct entry e;
        const off_t at = (off_t)(sizeof *head + i * EACH);
        bad = sj_journal_read(from, &e, sizeof e, at) ||
              sj_journal_read(from, *bytes + i * PAGE, PAGE, at + (off_t)sizeof e);
        page[i] = (struct page){e.at, e.before, *bytes + i * PAGE};
    }
    if (!bad && checksum(head->pages, page) == head->crc)
        *pages = page;
    else
        free(page);
    return bad ? -1 : 0;
}

/* Whether the file has at each page what was there before the flush, or what the flush was to bring. */
static int fits(int fd, const struct head *head, const struct page *page)
{
    unsigned char now[PAGE];
    for (size_t i = 0; i < head->pages; i++) {
        const uint64_t left = head->size > page[i].at ? head->size - page[i].at : 0; /* behind it nothing is kept */
        if (sj_journal_read(fd, now, PAGE, (off_t)page[i].at) ||
            (sj_crc32c(0, now, PAGE) != page[i].before && memcmp(now, page[i].bytes, left < PAGE ? left : PAGE)))
            return 0;
    }
    return 1;
}

/* Applies the journal open as `from` to the file open as `to`, which is locked. */
static int replay(int from, const char *name, int to, const char *path)
{
    struct head head;
    struct page *page;
    unsigned char *bytes;
    int bad = read_journal(from, &head, &page, &bytes), other = page && !fits(to, &head, page);
    if (!bad && page && !other)
        bad = sj_journal_apply(to, head.pages, page, head.size);
    free(bytes);
    free(page);
    if (other)
        return sj_fail(SJ_INPUT, "'%s' is of another state of '%s': remove it if the file is as you want it", name,
                       path);
    if (bad)
        return sj_fail_errno("cannot finish in '%s' what '%s' says", path, name);
    return unlink(name) && errno != ENOENT ? sj_fail_errno("cannot remove '%s'", name) : SJ_OK;
}

/* Whether the name still leads to the file open as fd. Journals are removed by those who hold the lock. */
static int still(int fd, const char *name)
{
    struct stat a, b;
    return !fstat(fd, &a) && !stat(name, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int sj_h5_journal_recover(const char *path)
{
    char *name = sj_journal_name(path);
    int from = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (from < 0) {
        int status = !name ? sj_fail(SJ_SYSTEM, "no memory to open '%s'", path)
                           : errno == ENOENT ? SJ_OK : sj_fail_errno("cannot read '%s'", name);
        free(name);
        return status;
    }
    int to = open(path, O_RDWR | O_CLOEXEC), status = SJ_OK;
    if (to < 0)
        status = sj_fail_errno("cannot finish in '%s' what '%s' says", path, name);
    else if (!flock(to, LOCK_EX | LOCK_NB) && still(from, name)) /* else its writer lives, or another finished it */
        status = replay(from, name, to, path);
    if (to >= 0)
        close(to);
    close(from);
    free(name);
    return status;
}
