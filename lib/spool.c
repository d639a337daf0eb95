#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 1 << 16, PAUSE_MS = 2 };

/* tee(2) waits for the first byte only: for the others there is nothing better than to look again. */
static size_t peek_pipe(int fd, unsigned char *bytes, size_t n)
{
    int copy[2];
    size_t got = 0;
    if (pipe2(copy, O_CLOEXEC))
        return 0;
    for (int ended = 0; !ended && got < n;) {
        struct pollfd look = {.fd = fd, .events = POLLIN};
        ended = poll(&look, 1, 0) > 0 && (look.revents & POLLHUP); /* if so, tee sees all that there will be */
        ssize_t k = tee(fd, copy[1], n, 0);
        if (k <= 0 || read(copy[0], bytes, (size_t)k) != k)
            break;
        got = (size_t)k;
        if (!ended && got < n)
            poll(NULL, 0, PAUSE_MS);
    }
    close(copy[0]);
    close(copy[1]);
    return got;
}

size_t sj_spool_peek(int fd, unsigned char *bytes, size_t n)
{
    struct stat st;
    if (fstat(fd, &st))
        return 0;
    if (S_ISFIFO(st.st_mode))
        return peek_pipe(fd, bytes, n);
    ssize_t got = S_ISSOCK(st.st_mode) ? recv(fd, bytes, n, MSG_PEEK | MSG_WAITALL) : 0;
    return got > 0 ? (size_t)got : 0;
}

/* A file that has no name. */
static int open_nameless(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd;
    size_t size = strlen(folder) + 16; /* a file system that cannot do that */
    char *path = malloc(size);
    if (!path)
        return -1;
    snprintf(path, size, "%s/sj-XXXXXX", folder);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    free(path);
    return fd;
}

/* Writes all; 0, or -1 with errno. */
static int put(int fd, const char *bytes, ssize_t n)
{
    while (n > 0) {
        ssize_t k = write(fd, bytes, (size_t)n);
        if (k < 0 && errno != EINTR)
            return -1;
        bytes += k > 0 ? k : 0;
        n -= k > 0 ? k : 0;
    }
    return 0;
}

static const char *spool_folder(void)
{
    const char *folder = getenv("TMPDIR");
    return folder && *folder ? folder : "/tmp";
}

int sj_spool_new(int *file)
{
    *file = open_nameless(spool_folder());
    return *file < 0 ? sj_fail_errno("cannot keep anything in '%s'", spool_folder()) : SJ_OK;
}

int sj_spool(int fd, const char *name, int64_t limit, int *file)
{
    const char *folder = spool_folder();
    char *block = malloc(BLOCK);
    int to = block ? open_nameless(folder) : -1, status = SJ_OK;
    int64_t all = 0;
    if (to < 0)
        status = sj_fail_errno("cannot keep '%s' in '%s'", name, folder);
    while (!status) {
        ssize_t n = read(fd, block, BLOCK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            status = sj_fail_errno("cannot read '%s'", name);
        if (n <= 0)
            break;
        if ((all += n) > limit)
            status = sj_fail(SJ_INPUT, "'%s' must be kept in '%s' to be read, and is longer than %lld MiB", name,
                             folder, (long long)(limit >> 20));
        else if (put(to, block, n))
            status = sj_fail_errno("cannot keep '%s' in '%s'", name, folder);
    }
    free(block);
    if (!status && lseek(to, 0, SEEK_SET))
        status = sj_fail_errno("cannot keep '%s' in '%s'", name, folder);
    if (status && to >= 0)
        close(to);
    if (!status)
        *file = to;
    return status;
}
