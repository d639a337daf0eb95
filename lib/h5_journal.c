#include "h5_journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"

enum { PAGE = 4096 };

struct page {
    uint64_t at; /* a multiple of PAGE */
    uint32_t before; /* checksum of what the file has there until the flush */
    unsigned char *bytes;
};

struct journal {
    H5FD_t pub;
    int fd;
    char *path, *beside; /* the file and its journal */
    haddr_t eoa, eof;    /* end of what HDF5 has allocated, and of the file as HDF5 sees it */
    int written;         /* whether HDF5 has changed anything: a file that it refused stays as it was */
    int failed;          /* a flush broke off in the file: who opens it next finishes it */
    size_t pages, room;
    struct page *page; /* by address */
    dev_t device;
    ino_t inode;
};

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

static int write_all(int fd, const void *from, size_t n, off_t at)
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

/* What lies behind the end is zero. */
static int read_all(int fd, void *to, size_t n, off_t at)
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

static char *journal_of(const char *path)
{
    char *name;
    return asprintf(&name, "%s.journal", path) < 0 ? NULL : name;
}

static int apply(int fd, size_t pages, const struct page *page, uint64_t size)
{
    for (size_t i = 0; i < pages; i++)
        if (write_all(fd, page[i].bytes, PAGE, (off_t)page[i].at))
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

/* The values are on disk before the journal, the journal before the file's pages, and those before it goes. */
static int commit(struct journal *j)
{
    if (!j->written || (!j->pages && j->eoa == j->eof))
        return 0;
    if (j->failed)
        return -1;
    struct head head = {.pages = j->pages, .size = j->eoa, .crc = checksum(j->pages, j->page)};
    memcpy(head.magic, magic, sizeof magic);
    int fd = fdatasync(j->fd) ? -1 : open(j->beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return -1;
    off_t at = sizeof head;
    int bad = write_all(fd, &head, sizeof head, 0);
    for (size_t i = 0; i < j->pages && !bad; i++, at += EACH) {
        const struct entry e = {j->page[i].at, j->page[i].before, 0};
        bad = write_all(fd, &e, sizeof e, at) || write_all(fd, j->page[i].bytes, PAGE, at + (off_t)sizeof e);
    }
    bad = bad || fdatasync(fd);
    if (close(fd) || bad) {
        unlink(j->beside);
        return -1;
    }
    if (apply(j->fd, j->pages, j->page, j->eoa)) { /* the journal stays: nothing is lost */
        j->failed = 1;
        return -1;
    }
    unlink(j->beside);
    for (size_t i = 0; i < j->pages; i++)
        free(j->page[i].bytes);
    j->pages = 0;
    j->eof = j->eoa;
    return 0;
}

/* The pages of the journal open as `from`, in *bytes too; *pages NULL when it is not whole: what it says was never
 * begun. */
static int read_journal(int from, struct head *head, struct page **pages, unsigned char **bytes)
{
    struct stat st;
    *pages = NULL;
    *bytes = NULL;
    if (fstat(from, &st) || read_all(from, head, sizeof *head, 0))
        return -1;
    if (memcmp(head->magic, magic, sizeof magic) || head->pages > (uint64_t)st.st_size / EACH ||
        sizeof *head + head->pages * EACH != (uint64_t)st.st_size)
        return 0;
    struct page *page = calloc(head->pages + 1, sizeof *page);
    int bad = !page || !(*bytes = malloc(head->pages * PAGE + 1));
    for (size_t i = 0; i < head->pages && !bad; i++) {
        struct entry e;
        const off_t at = (off_t)(sizeof *head + i * EACH);
        bad = read_all(from, &e, sizeof e, at) || read_all(from, *bytes + i * PAGE, PAGE, at + (off_t)sizeof e);
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
        if (read_all(fd, now, PAGE, (off_t)page[i].at) ||
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
        bad = apply(to, head.pages, page, head.size);
    free(bytes);
    free(page);
    if (other)
        return sj_fail(SJ_INPUT, "'%s' is of another state of '%s': remove it if the file is as you want it", name, path);
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
    char *name = journal_of(path);
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

/* -- pages in memory ---------------------------------------------------------------------------------------------- */

/* Where the page at `at` is or belongs. */
static size_t place(const struct journal *j, uint64_t at)
{
    size_t low = 0, high = j->pages;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (j->page[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The page at `at`, taken from the file when it is not in memory yet; NULL on failure. */
static unsigned char *keep(struct journal *j, uint64_t at)
{
    size_t i = place(j, at);
    if (i < j->pages && j->page[i].at == at)
        return j->page[i].bytes;
    if (j->pages == j->room) {
        size_t room = j->room ? 2 * j->room : 64;
        struct page *more = realloc(j->page, room * sizeof *more);
        if (!more)
            return NULL;
        j->page = more;
        j->room = room;
    }
    unsigned char *bytes = malloc(PAGE);
    if (!bytes || read_all(j->fd, bytes, PAGE, (off_t)at)) {
        free(bytes);
        return NULL;
    }
    memmove(j->page + i + 1, j->page + i, (j->pages - i) * sizeof *j->page);
    j->page[i] = (struct page){at, sj_crc32c(0, bytes, PAGE), bytes};
    j->pages++;
    return bytes;
}

/* Exchanges `n` bytes at `at` with the pages in memory: into them when `in`, else out of them. */
static void exchange(struct journal *j, uint64_t at, size_t n, const void *in, void *out)
{
    for (size_t i = place(j, at / PAGE * PAGE); i < j->pages && j->page[i].at < at + n; i++) {
        uint64_t first = j->page[i].at > at ? j->page[i].at : at, end = j->page[i].at + PAGE;
        size_t most = (size_t)((end < at + n ? end : at + n) - first);
        unsigned char *bytes = j->page[i].bytes + (first - j->page[i].at);
        if (in)
            memcpy(bytes, (const char *)in + (first - at), most);
        else
            memcpy((char *)out + (first - at), bytes, most);
    }
}

/* Values went into the file where it shares pages with bookkeeping: what those had before is now this. */
static int renew(struct journal *j, uint64_t at, size_t n)
{
    unsigned char now[PAGE];
    for (size_t i = place(j, at / PAGE * PAGE); i < j->pages && j->page[i].at < at + n; i++) {
        if (read_all(j->fd, now, PAGE, (off_t)j->page[i].at))
            return -1;
        j->page[i].before = sj_crc32c(0, now, PAGE);
    }
    return 0;
}

/* -- the driver --------------------------------------------------------------------------------------------------- */

static herr_t close_file(H5FD_t *file)
{
    struct journal *j = (struct journal *)file;
    int bad = commit(j);
    bad = close(j->fd) || bad;
    for (size_t i = 0; i < j->pages; i++)
        free(j->page[i].bytes);
    free(j->page);
    free(j->path);
    free(j->beside);
    free(j);
    return bad ? -1 : 0;
}

static H5FD_t *open_file(const char *name, unsigned flags, hid_t access, haddr_t most)
{
    struct stat st;
    struct journal *j = calloc(1, sizeof *j);
    (void)access;
    (void)most;
    if (!j)
        return NULL;
    int how = (flags & H5F_ACC_RDWR ? O_RDWR : O_RDONLY) | (flags & H5F_ACC_CREAT ? O_CREAT : 0) |
              (flags & H5F_ACC_TRUNC ? O_TRUNC : 0) | (flags & H5F_ACC_EXCL ? O_EXCL : 0);
    j->path = strdup(name);
    j->beside = journal_of(name);
    j->fd = j->path && j->beside ? open(name, how | O_CLOEXEC, 0666) : -1;
    if (j->fd < 0 || fstat(j->fd, &st)) {
        if (j->fd >= 0)
            close(j->fd);
        free(j->path);
        free(j->beside);
        free(j);
        return NULL;
    }
    j->eof = (haddr_t)st.st_size;
    j->device = st.st_dev;
    j->inode = st.st_ino;
    return &j->pub;
}

static int compare(const H5FD_t *a, const H5FD_t *b)
{
    const struct journal *x = (const struct journal *)a, *y = (const struct journal *)b;
    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static herr_t query(const H5FD_t *file, unsigned long *flags)
{
    (void)file;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_POSIX_COMPAT_HANDLE;
    return 0;
}

static haddr_t get_eoa(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const struct journal *)file)->eoa;
}

static herr_t set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t at)
{
    (void)type;
    ((struct journal *)file)->eoa = at;
    return 0;
}

static haddr_t get_eof(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const struct journal *)file)->eof;
}

static herr_t get_handle(H5FD_t *file, hid_t access, void **handle)
{
    (void)access;
    *handle = &((struct journal *)file)->fd;
    return 0;
}

static herr_t read_at(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t n, void *to)
{
    struct journal *j = (struct journal *)file;
    (void)type;
    (void)transfer;
    if (read_all(j->fd, to, n, (off_t)at))
        return -1;
    exchange(j, at, n, NULL, to);
    return 0;
}

static herr_t write_at(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t n, const void *from)
{
    struct journal *j = (struct journal *)file;
    (void)transfer;
    j->written = 1;
    if (type == H5FD_MEM_DRAW) {
        if (write_all(j->fd, from, n, (off_t)at) || renew(j, at, n))
            return -1;
    } else
        for (uint64_t page = at / PAGE * PAGE; page < at + n; page += PAGE)
            if (!keep(j, page))
                return -1;
    exchange(j, at, n, from, NULL); /* a page may hold both kinds */
    if (at + n > j->eof)
        j->eof = at + n;
    return 0;
}

static herr_t flush(H5FD_t *file, hid_t transfer, hbool_t closing)
{
    (void)transfer;
    (void)closing;
    return commit((struct journal *)file) ? -1 : 0;
}

/* The size is part of the commit. */
static herr_t truncate_file(H5FD_t *file, hid_t transfer, hbool_t closing)
{
    (void)file;
    (void)transfer;
    (void)closing;
    return 0;
}

static herr_t lock(H5FD_t *file, hbool_t writing)
{
    return flock(((struct journal *)file)->fd, (writing ? LOCK_EX : LOCK_SH) | LOCK_NB) ? -1 : 0;
}

static herr_t unlock(H5FD_t *file)
{
    return flock(((struct journal *)file)->fd, LOCK_UN) ? -1 : 0;
}

herr_t sj_h5_journal_use(hid_t access)
{
    static const H5FD_class_t driver = {
        .name = "sj_journal",
        .maxaddr = INT64_MAX,
        .fc_degree = H5F_CLOSE_WEAK,
        .open = open_file,
        .close = close_file,
        .cmp = compare,
        .query = query,
        .get_eoa = get_eoa,
        .set_eoa = set_eoa,
        .get_eof = get_eof,
        .get_handle = get_handle,
        .read = read_at,
        .write = write_at,
        .flush = flush,
        .truncate = truncate_file,
        .lock = lock,
        .unlock = unlock,
        .fl_map = H5FD_FLMAP_DICHOTOMY,
    };
    hid_t id = H5FDregister(&driver);
    herr_t e = id < 0 ? -1 : H5Pset_driver(access, id, NULL);
    if (id >= 0)
        H5FDunregister(id);
    return e;
}
