/* Files, and looking into them. HDF5's defaults (superblock 0, no consistency flags) are kept, so that a file whose
 * writer is killed between two flushes still opens; h5_journal sees to those killed in one. */
#include "h5_journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/mman.h>
#include <unistd.h>

/* -- small helpers ------------------------------------------------------------------------------------------------ */

void sj_h5_quiet(void)
{
    H5dont_atexit(); /* every file is closed here; after a full disk the library's own exit handler crashes */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    errno = 0;
}

int sj_h5_bad(const struct sj_h5 *h, const char *path, const char *why)
{
    return sj_fail(SJ_INPUT, "'%s': '%s' %s", h->path, path, why);
}

int sj_h5_refused(const struct sj_h5 *h, const char *path)
{
    return errno ? sj_fail_errno("cannot write '%s' to '%s'", path, h->path)
                 : sj_fail(SJ_SYSTEM, "cannot write '%s' to '%s'", path, h->path);
}

static hid_t text_type(void)
{
    hid_t t = H5Tcopy(H5T_C_S1);
    if (t >= 0 && (H5Tset_size(t, H5T_VARIABLE) < 0 || H5Tset_cset(t, H5T_CSET_UTF8) < 0)) {
        H5Tclose(t);
        return -1;
    }
    return t;
}

hid_t sj_h5_memory_type(enum sj_h5_type t)
{
    switch (t) {
    case SJ_H5_F32: return H5Tcopy(H5T_NATIVE_FLOAT);
    case SJ_H5_F64: return H5Tcopy(H5T_NATIVE_DOUBLE);
    case SJ_H5_I16: return H5Tcopy(H5T_NATIVE_INT16);
    case SJ_H5_I32: return H5Tcopy(H5T_NATIVE_INT32);
    case SJ_H5_I64: return H5Tcopy(H5T_NATIVE_INT64);
    case SJ_H5_U8: return H5Tcopy(H5T_NATIVE_UINT8);
    case SJ_H5_TEXT: return text_type();
    case SJ_H5_OTHER: break;
    }
    return -1;
}

static enum sj_h5_type known_type(hid_t t)
{
    size_t size = H5Tget_size(t);
    switch (H5Tget_class(t)) {
    case H5T_FLOAT: return size == 4 ? SJ_H5_F32 : size == 8 ? SJ_H5_F64 : SJ_H5_OTHER;
    case H5T_INTEGER:
        if (H5Tget_sign(t) == H5T_SGN_NONE)
            return size == 1 ? SJ_H5_U8 : SJ_H5_OTHER;
        return size == 2 ? SJ_H5_I16 : size == 4 ? SJ_H5_I32 : size == 8 ? SJ_H5_I64 : SJ_H5_OTHER;
    case H5T_STRING: return SJ_H5_TEXT;
    default: return SJ_H5_OTHER;
    }
}

static int sync_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd);
    if (fd >= 0)
        close(fd);
    return failed ? sj_fail_errno("cannot write '%s'", path) : SJ_OK;
}

/* -- files -------------------------------------------------------------------------------------------------------- */

int sj_h5_is(const char *path)
{
    static const char signature[8] = {'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
    char head[8];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = pread(fd, head, sizeof head, 0); /* fails on a pipe, which stays untouched */
    close(fd);
    return n == sizeof head && !memcmp(head, signature, sizeof head);
}

static struct sj_h5 *new_handle(const char *path)
{
    struct sj_h5 *h = calloc(1, sizeof *h);
    if (h && !(h->path = strdup(path))) {
        free(h);
        h = NULL;
    }
    if (h)
        h->file = -1;
    return h;
}

static void free_handle(struct sj_h5 *h)
{
    free(h->path);
    free(h);
}

/* How files are written, with a journal when they are changed in place. Metadata stay in memory until a flush, so that
 * what lies on disk between flushes is what the last one left. Values go to disk as they are written, so that a full
 * disk shows there: found in closing a dataset it would crash the library. */
static hid_t write_access(int in_place)
{
    hid_t p = H5Pcreate(H5P_FILE_ACCESS);
    H5AC_cache_config_t c = {.version = H5AC__CURR_CACHE_CONFIG_VERSION};
    if (p >= 0 && H5Pget_mdc_config(p, &c) >= 0) {
        c.evictions_enabled = 0;
        c.incr_mode = H5C_incr__off;
        c.flash_incr_mode = H5C_flash_incr__off;
        c.decr_mode = H5C_decr__off;
        H5Pset_mdc_config(p, &c);
        H5Pset_sieve_buf_size(p, 0);
        H5Pset_cache(p, 0, 0, 0, 0);
        if (in_place)
            sj_h5_journal_use(p);
    }
    return p;
}

static int open_as(const char *path, unsigned flags, struct sj_h5 **out)
{
    sj_h5_quiet();
    int fd = open(path, (flags == H5F_ACC_RDONLY ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (fd < 0)
        return sj_fail_errno("cannot open '%s'", path);
    close(fd);
    int status = sj_h5_journal_recover(path);
    if (status)
        return status;
    struct sj_h5 *h = new_handle(path);
    if (!h)
        return sj_fail(SJ_SYSTEM, "no memory to open '%s'", path);
    hid_t access = flags == H5F_ACC_RDONLY ? H5P_DEFAULT : write_access(1);
    errno = 0;
    h->file = H5Fopen(path, flags, access);
    int busy = errno == EAGAIN || errno == EWOULDBLOCK; /* HDF5 locks the files that it writes */
    if (access != H5P_DEFAULT)
        H5Pclose(access);
    if (h->file < 0) {
        free_handle(h);
        if (busy)
            return sj_fail(SJ_SYSTEM, "'%s' is in use by another program", path);
        return sj_h5_is(path) ? sj_fail(SJ_INPUT, "'%s' is truncated or damaged", path)
                              : sj_fail(SJ_INPUT, "'%s' is not an HDF5 file", path);
    }
    *out = h;
    return SJ_OK;
}

int sj_h5_open(const char *path, struct sj_h5 **h)
{
    sj_h5_quiet(); /* before H5F_ACC_RDONLY, which is a macro that opens the library */
    return open_as(path, H5F_ACC_RDONLY, h);
}

int sj_h5_edit(const char *path, struct sj_h5 **h)
{
    sj_h5_quiet();
    return open_as(path, H5F_ACC_RDWR, h);
}

int sj_h5_still(const struct sj_h5 *h, const char *path)
{
    int *fd;
    struct stat a, b;
    return H5Fget_vfd_handle(h->file, H5P_DEFAULT, (void **)&fd) >= 0 && !fstat(*fd, &a) && !stat(path, &b) &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int sj_h5_want_file(const char *path)
{
    struct stat st;
    if (stat(path, &st) || S_ISREG(st.st_mode))
        return SJ_OK;
    return sj_fail(SJ_USAGE, "cannot write '%s': it is a %s, where a regular file is wanted", path,
                   S_ISDIR(st.st_mode) ? "directory" : S_ISFIFO(st.st_mode) ? "named pipe"
                   : S_ISSOCK(st.st_mode) ? "socket" : "device");
}

int sj_h5_create(const char *path, struct sj_h5 **out)
{
    sj_h5_quiet();
    int status = sj_h5_want_file(path);
    if (status)
        return status;
    struct sj_h5 *h = new_handle(path);
    if (!h)
        return sj_fail(SJ_SYSTEM, "no memory to create '%s'", path);
    status = sj_whole_new(path, &h->whole);
    if (!status) {
        hid_t p = write_access(0);
        H5Pset_file_locking(p, 0, 1); /* it is locked (whole.c), and on NFS one lock is in the way of another */
        errno = 0;
        h->file = H5Fcreate(sj_whole_temp(h->whole), H5F_ACC_TRUNC, H5P_DEFAULT, p);
        H5Pclose(p);
        if (h->file < 0) {
            status = sj_fail_errno("cannot create '%s'", path);
            sj_whole_discard(h->whole);
        }
    }
    if (status) {
        free_handle(h);
        return status;
    }
    *out = h;
    return SJ_OK;
}

void sj_h5_only_new(struct sj_h5 *h)
{
    sj_whole_only_new(h->whole);
}

int sj_h5_flush(struct sj_h5 *h)
{
    sj_h5_quiet();
    if (H5Fflush(h->file, H5F_SCOPE_GLOBAL) < 0)
        return sj_h5_refused(h, "/");
    return sync_file(h->whole ? sj_whole_temp(h->whole) : h->path);
}

/* Closes a file that nobody will see: what HDF5 still has to write goes to memory, which cannot be full as a disk can.
 * (A close that fails would keep the descriptor, and so the space of the unlinked file.) */
static void abandon(struct sj_h5 *h)
{
    int *fd, nowhere = memfd_create("sj-h5", MFD_CLOEXEC);
    if (nowhere >= 0) {
        if (H5Fget_vfd_handle(h->file, H5P_DEFAULT, (void **)&fd) >= 0)
            dup3(nowhere, *fd, O_CLOEXEC);
        close(nowhere);
    }
    H5Fclose(h->file);
    h->file = -1;
    sj_whole_discard(h->whole);
    h->whole = NULL;
}

int sj_h5_commit(struct sj_h5 *h)
{
    int status = sj_h5_flush(h);
    errno = 0;
    if (status && h->whole)
        abandon(h);
    else if (H5Fclose(h->file) < 0 && !status)
        status = sj_h5_refused(h, "/");
    h->file = -1;
    if (status)
        sj_whole_discard(h->whole);
    else if (h->whole)
        status = sj_whole_commit(h->whole);
    free_handle(h);
    return status;
}

void sj_h5_close(struct sj_h5 *h)
{
    if (!h)
        return;
    sj_h5_quiet();
    if (h->whole)
        abandon(h);
    else
        H5Fclose(h->file);
    free_handle(h);
}

const char *sj_h5_path(const struct sj_h5 *h)
{
    return h->path;
}

/* -- looking ------------------------------------------------------------------------------------------------------ */

int sj_h5_has(struct sj_h5 *h, const char *path)
{
    sj_h5_quiet();
    char part[1024];
    size_t n = strlen(path);
    if (n >= sizeof part || path[0] != '/')
        return 0;
    for (size_t i = 1; i <= n; i++) /* HDF5 answers for the last link only when those before it exist */
        if (i > 1 && (i == n || path[i] == '/')) {
            memcpy(part, path, i);
            part[i] = 0;
            if (H5Lexists(h->file, part, H5P_DEFAULT) <= 0 || H5Oexists_by_name(h->file, part, H5P_DEFAULT) <= 0)
                return 0;
        }
    return 1;
}

int sj_h5_open_data(struct sj_h5 *h, const char *path, hid_t *data, hid_t *space, int *rank,
                    int64_t dims[SJ_H5_RANK])
{
    if (!sj_h5_has(h, path))
        return sj_fail(SJ_INPUT, "'%s' has no '%s'", h->path, path);
    if ((*data = H5Dopen2(h->file, path, H5P_DEFAULT)) < 0)
        return sj_h5_bad(h, path, "is not a dataset");
    *space = H5Dget_space(*data);
    int r = H5Sget_simple_extent_ndims(*space);
    hsize_t d[H5S_MAX_RANK] = {0};
    if (r < 0 || r > SJ_H5_RANK || H5Sget_simple_extent_dims(*space, d, NULL) < 0) {
        H5Sclose(*space);
        H5Dclose(*data);
        return sj_h5_bad(h, path, "has too many dimensions");
    }
    for (int i = 0; i < r; i++)
        dims[i] = (int64_t)d[i];
    if (H5Sget_simple_extent_type(*space) == H5S_NULL) {
        r = 1;
        dims[0] = 0;
    }
    *rank = r;
    return SJ_OK;
}

int sj_h5_shape(struct sj_h5 *h, const char *path, enum sj_h5_type *type, int *rank, int64_t dims[SJ_H5_RANK])
{
    hid_t data, space;
    int status = sj_h5_open_data(h, path, &data, &space, rank, dims);
    if (status)
        return status;
    hid_t t = H5Dget_type(data);
    *type = t < 0 ? SJ_H5_OTHER : known_type(t);
    H5Tclose(t);
    H5Sclose(space);
    H5Dclose(data);
    return SJ_OK;
}

struct listing {
    int (*visit)(const char *name, int is_group, void *arg);
    void *arg;
    int result;
};

static herr_t visit_link(hid_t group, const char *name, const H5L_info_t *info, void *arg)
{
    (void)info;
    struct listing *l = arg;
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    int is_group = object >= 0 && H5Iget_type(object) == H5I_GROUP;
    if (object >= 0)
        H5Oclose(object);
    l->result = l->visit(name, is_group, l->arg);
    return l->result != 0;
}

int sj_h5_list(struct sj_h5 *h, const char *group, int (*visit)(const char *name, int is_group, void *arg), void *arg)
{
    if (!sj_h5_has(h, group))
        return sj_fail(SJ_INPUT, "'%s' has no '%s'", h->path, group);
    struct listing l = {visit, arg, 0};
    hsize_t at = 0;
    hid_t g = H5Gopen2(h->file, group, H5P_DEFAULT);
    if (g < 0)
        return sj_h5_bad(h, group, "is not a group");
    herr_t e = H5Literate(g, H5_INDEX_NAME, H5_ITER_INC, &at, visit_link, &l);
    H5Gclose(g);
    return e < 0 && !l.result ? sj_h5_bad(h, group, "cannot be listed") : l.result;
}
