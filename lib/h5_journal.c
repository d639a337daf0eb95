#include "h5_journal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"
#include "h5_journal_own.h"

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

/* The values are on disk before the journal, the journal before the file's pages, and those before it goes. */
static int commit(struct journal *j)
{
    if (!j->written || (!j->pages && j->eoa == j->eof))
        return 0;
    if (j->failed)
        return -1;
    if (fdatasync(j->fd) || sj_journal_save(j->beside, j->pages, j->page, j->eoa))
        return -1;
    if (sj_journal_apply(j->fd, j->pages, j->page, j->eoa)) { /* the journal stays: nothing is lost */
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
    if (!bytes || sj_journal_read(j->fd, bytes, PAGE, (off_t)at)) {
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
        if (sj_journal_read(j->fd, now, PAGE, (off_t)j->page[i].at))
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
    j->beside = sj_journal_name(name);
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
    if (sj_journal_read(j->fd, to, n, (off_t)at))
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
        if (sj_journal_write(j->fd, from, n, (off_t)at) || renew(j, at, n))
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
