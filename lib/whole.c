#include "whole.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_FILES = 16 };

struct sj_whole {
    char *path, *temp;
    int slot;
    int in_place; /* a device or named pipe: temp is path, nothing is renamed or removed */
};

/* What a signal handler must find: the one place where process-wide state cannot be avoided. A slot holds a name or NULL. */
static char *volatile pending[OPEN_FILES];
static pid_t volatile owner; /* forked children must not remove their parent's files */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void remove_pending(void)
{
    if (owner != getpid())
        return;
    for (int i = 0; i < OPEN_FILES; i++)
        if (pending[i])
            unlink(pending[i]);
}

static void on_signal(int sig)
{
    remove_pending();
    signal(sig, SIG_DFL);
    raise(sig);
}

void sj_whole_signals(void)
{
    static const int sigs[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof sigs / sizeof *sigs; i++) {
        struct sigaction old, act = {.sa_handler = on_signal};
        sigaction(sigs[i], NULL, &old);
        if (old.sa_handler != SIG_IGN) /* as under nohup */
            sigaction(sigs[i], &act, NULL);
    }
}

static int reserve_slot(struct sj_whole *w)
{
    pthread_mutex_lock(&lock);
    if (!owner)
        atexit(remove_pending);
    owner = getpid();
    for (w->slot = 0; w->slot < OPEN_FILES && pending[w->slot]; w->slot++)
        ;
    if (w->slot < OPEN_FILES)
        pending[w->slot] = w->temp;
    pthread_mutex_unlock(&lock);
    return w->slot < OPEN_FILES;
}

static void release(struct sj_whole *w)
{
    if (w->slot < OPEN_FILES)
        pending[w->slot] = NULL;
    free(w->path);
    free(w->temp);
    free(w);
}

/* Makes the temporary file. */
static int make_temp(struct sj_whole *w)
{
    size_t size = strlen(w->path) + 16;
    if (!(w->temp = malloc(size)))
        return sj_fail(SJ_SYSTEM, "cannot write '%s': no memory", w->path);
    snprintf(w->temp, size, "%s.tmpXXXXXX", w->path);
    int fd = mkstemp(w->temp);
    if (fd < 0)
        return sj_fail_errno("cannot write '%s'", w->path);
    mode_t mask = umask(0);
    umask(mask);
    fchmod(fd, 0666 & ~mask);
    close(fd);
    if (reserve_slot(w))
        return SJ_OK;
    unlink(w->temp);
    return sj_fail(SJ_SYSTEM, "cannot write '%s': too many unfinished files", w->path);
}

int sj_whole_new(const char *path, struct sj_whole **out)
{
    struct stat st;
    int exists = !stat(path, &st);
    if (exists && S_ISDIR(st.st_mode))
        return sj_fail(SJ_SYSTEM, "cannot write '%s': it is a directory", path);
    struct sj_whole *w = calloc(1, sizeof *w);
    if (!w)
        return sj_fail(SJ_SYSTEM, "cannot write '%s': no memory", path);
    w->slot = OPEN_FILES;
    w->in_place = exists && !S_ISREG(st.st_mode);
    if (exists && !w->in_place)
        w->path = realpath(path, NULL); /* what a symbolic link points to is replaced, not the link */
    if (!w->path)
        w->path = strdup(path);
    int status = w->path ? SJ_OK : sj_fail(SJ_SYSTEM, "cannot write '%s': no memory", path);
    if (!status && w->in_place && !(w->temp = strdup(path)))
        status = sj_fail(SJ_SYSTEM, "cannot write '%s': no memory", path);
    if (!status && !w->in_place)
        status = make_temp(w);
    if (status)
        release(w);
    else
        *out = w;
    return status;
}

const char *sj_whole_temp(const struct sj_whole *w)
{
    return w->temp;
}

int sj_whole_apart(const char *path, const char *other)
{
    struct stat a, b;
    if (!path || !other || !strcmp(path, "-") || !strcmp(other, "-"))
        return SJ_OK;
    int there = !stat(path, &a), both = there && !stat(other, &b);
    int same = both ? S_ISREG(a.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino : !there && !strcmp(path, other);
    return same ? sj_fail(SJ_USAGE, "writing '%s' would replace '%s', which this run uses", path, other) : SJ_OK;
}

static int sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int bad = fsync(fd), e = errno;
    close(fd);
    errno = e;
    return bad && e != EINVAL ? -1 : 0; /* some file systems have nothing to sync for a directory */
}

int sj_whole_commit(struct sj_whole *w)
{
    if (w->in_place) {
        release(w);
        return SJ_OK;
    }
    if (sync_path(w->temp, O_RDONLY) || rename(w->temp, w->path)) {
        int status = sj_fail_errno("cannot write '%s'", w->path);
        unlink(w->temp);
        release(w);
        return status;
    }
    char *slash = strrchr(w->path, '/');
    if (slash)
        slash[slash == w->path] = 0;
    int status = SJ_OK;
    if (sync_path(slash ? w->path : ".", O_RDONLY | O_DIRECTORY))
        status = sj_fail_errno("cannot sync the directory '%s'", slash ? w->path : ".");
    release(w);
    return status;
}

void sj_whole_discard(struct sj_whole *w)
{
    if (!w)
        return;
    if (!w->in_place)
        unlink(w->temp);
    release(w);
}
