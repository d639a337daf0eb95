#include "whole.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLOTS = 64, MOST_LINKS = 40 };

struct sj_whole {
    char *path, *temp;
    int fd;          /* the lock on temp: who holds it lives; -1: none */
    char *volatile *slot; /* NULL: none */
    int only_new;    /* nothing may be replaced */
    int in_place;    /* a device or named pipe: temp is path, nothing is renamed or removed */
    struct stat old; /* of the file that is replaced; st_mode 0: there is none */
    mode_t mode;     /* of the new one */
};

/* What a signal handler must find: the one place where process-wide state cannot be avoided. A slot holds a name or NULL;
 * blocks are added as they are needed and never freed. */
static struct block {
    char *volatile name[SLOTS];
    struct block *volatile next;
} pending, *with_room = &pending; /* all blocks before it are full */
static pid_t volatile owner; /* forked children must not remove their parent's files */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void remove_pending(void)
{
    if (owner != getpid())
        return;
    for (const struct block *b = &pending; b; b = b->next)
        for (int i = 0; i < SLOTS; i++)
            if (b->name[i])
                unlink(b->name[i]);
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

/* NULL: no memory. */
static char *volatile *free_slot(void)
{
    for (struct block *b = with_room;; b = b->next) {
        with_room = b;
        for (int i = 0; i < SLOTS; i++)
            if (!b->name[i])
                return &b->name[i];
        if (!b->next && !(b->next = calloc(1, sizeof *b)))
            return NULL;
    }
}

static int reserve_slot(struct sj_whole *w)
{
    pthread_mutex_lock(&lock);
    if (!owner)
        atexit(remove_pending);
    owner = getpid();
    w->slot = free_slot();
    if (w->slot)
        *w->slot = w->temp;
    pthread_mutex_unlock(&lock);
    return w->slot != NULL;
}

static void release(struct sj_whole *w)
{
    if (w->slot) {
        pthread_mutex_lock(&lock);
        *w->slot = NULL;
        with_room = &pending;
        pthread_mutex_unlock(&lock);
    }
    if (w->fd >= 0)
        close(w->fd);
    free(w->path);
    free(w->temp);
    free(w);
}

/* What a chain of symbolic links leads to, whether that is there or not; owned by the caller. NULL with errno. */
static char *follow(const char *path)
{
    char *at = strdup(path);
    for (int links = 0; at; links++) {
        char to[PATH_MAX], *next;
        ssize_t n = readlink(at, to, sizeof to - 1);
        if (n < 0)
            return at; /* no link: the end */
        to[n] = 0;
        char *slash = strrchr(at, '/');
        int folder = slash && *to != '/' ? (int)(slash + 1 - at) : 0; /* a link is relative to its folder */
        if (links == MOST_LINKS || asprintf(&next, "%.*s%s", folder, at, to) < 0) {
            free(at);
            errno = links == MOST_LINKS ? ELOOP : ENOMEM;
            return NULL;
        }
        free(at);
        at = next;
    }
    return at;
}

static const char mark[] = ".tmp"; /* then RANDOM characters */
enum { RANDOM = 6 };

/* Of the open file and not of the process, nor in the way of flock, which HDF5 uses. Where there are no locks files
 * have none, and none is ever taken for dead. */
static int lock_temp(int fd, int how)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int bad;
    while ((bad = fcntl(fd, how, &all)) && errno == EINTR)
        ;
    return !bad;
}

/* A new file that is locked and still has its name: between the two sj_whole_tidy may have taken it for left. */
static int open_temp(struct sj_whole *w, size_t size)
{
    struct stat st;
    for (;;) {
        snprintf(w->temp, size, "%s%sXXXXXX", w->path, mark);
        if ((w->fd = mkostemp(w->temp, O_CLOEXEC)) < 0)
            return sj_fail_errno("cannot write '%s'", w->path);
        (void)lock_temp(w->fd, F_OFD_SETLKW);
        if (fstat(w->fd, &st) || st.st_nlink)
            return SJ_OK;
        close(w->fd);
    }
}

/* Makes the temporary file, for our eyes only until it is whole. */
static int make_temp(struct sj_whole *w)
{
    size_t size = strlen(w->path) + sizeof mark + RANDOM;
    if (!(w->temp = malloc(size)))
        return sj_fail(SJ_SYSTEM, "cannot write '%s': no memory", w->path);
    int status = open_temp(w, size);
    if (status)
        return status;
    mode_t mask = umask(0);
    umask(mask);
    w->mode = w->old.st_mode ? w->old.st_mode & 0777 : 0666 & ~mask;
    if (reserve_slot(w))
        return SJ_OK;
    unlink(w->temp);
    return sj_fail(SJ_SYSTEM, "cannot write '%s': no memory", w->path);
}

int sj_whole_new(const char *path, struct sj_whole **out)
{
    struct stat st;
    int exists = !stat(path, &st);
    if (exists && S_ISDIR(st.st_mode))
        return sj_fail(SJ_SYSTEM, "cannot write '%s': it is a directory", path);
    if (exists && access(path, W_OK)) /* a folder that may be written to does not make its files so */
        return sj_fail_errno("cannot write '%s'", path);
    struct sj_whole *w = calloc(1, sizeof *w);
    if (!w)
        return sj_fail(SJ_SYSTEM, "cannot write '%s': no memory", path);
    w->fd = -1;
    w->in_place = exists && !S_ISREG(st.st_mode);
    if (exists && !w->in_place)
        w->old = st;
    w->path = w->in_place ? strdup(path) : follow(path); /* what a link leads to is replaced, not the link */
    int status = w->path ? SJ_OK : sj_fail_errno("cannot write '%s'", path);
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

/* Permissions and, where that is allowed, owner of the file that is replaced; or what umask leaves. */
static int set_mode(const struct sj_whole *w)
{
    int given = w->old.st_mode && (w->old.st_uid != geteuid() || w->old.st_gid != getegid());
    if (given && chown(w->temp, w->old.st_uid, w->old.st_gid))
        given = 0; /* another's file in a folder of ours: the new one is ours */
    return chmod(w->temp, w->mode);
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

void sj_whole_only_new(struct sj_whole *w)
{
    w->only_new = 1;
}

/* Not every file system can rename without replacing. */
static int give_name(const struct sj_whole *w)
{
    if (!w->only_new)
        return rename(w->temp, w->path);
    int bad = renameat2(AT_FDCWD, w->temp, AT_FDCWD, w->path, RENAME_NOREPLACE);
    if (!bad || (errno != EINVAL && errno != ENOSYS))
        return bad;
    return link(w->temp, w->path) ? -1 : unlink(w->temp);
}

int sj_whole_commit(struct sj_whole *w)
{
    if (w->in_place) {
        release(w);
        return SJ_OK;
    }
    if (sync_path(w->temp, O_RDONLY) || set_mode(w) || give_name(w)) {
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

int sj_whole_write(const char *path, int (*write)(FILE *f, void *arg), void *arg)
{
    struct sj_whole *w;
    int status = sj_whole_new(path, &w);
    if (status)
        return status;
    FILE *f = fopen(sj_whole_temp(w), "w");
    status = f ? write(f, arg) : sj_fail_errno("cannot write '%s'", path);
    if (f && (ferror(f) | fclose(f)) && !status)
        status = sj_fail_errno("cannot write '%s'", path);
    if (!status)
        return sj_whole_commit(w);
    sj_whole_discard(w);
    return status;
}

int sj_whole_guard(const char *path, struct sj_whole **out)
{
    struct sj_whole *w = calloc(1, sizeof *w);
    if (w)
        w->fd = -1;
    if (!w || !(w->path = strdup(path)) || !(w->temp = strdup(path)) || !reserve_slot(w)) {
        if (w)
            release(w);
        return sj_fail(SJ_SYSTEM, "cannot write '%s': no memory", path);
    }
    *out = w;
    return SJ_OK;
}

void sj_whole_keep(struct sj_whole *w)
{
    if (w)
        release(w);
}

char *sj_whole_target(const char *path)
{
    char *target = follow(path);
    if (!target)
        (void)sj_fail_errno("cannot write '%s'", path);
    return target;
}

static int is_temp(const char *name, const char *of)
{
    const size_t n = strlen(of), m = strlen(mark);
    if (strncmp(name, of, n) || strncmp(name + n, mark, m) || strlen(name + n + m) != RANDOM)
        return 0;
    for (const char *p = name + n + m; *p; p++)
        if (!isalnum((unsigned char)*p))
            return 0;
    return 1;
}

/* A lock that can be had is nobody's: its holder died, or has given the file its name, so that this one is gone. */
static void remove_left(int folder, const char *name)
{
    struct stat st;
    int fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && lock_temp(fd, F_OFD_SETLK))
        unlinkat(folder, name, 0);
    close(fd);
}

void sj_whole_tidy(const char *path)
{
    char *target = follow(path);
    if (!target)
        return;
    char *slash = strrchr(target, '/');
    const char *name = slash ? slash + 1 : target;
    char *folder = slash ? strndup(target, (size_t)(slash + 1 - target)) : strdup(".");
    DIR *d = folder ? opendir(folder) : NULL;
    for (const struct dirent *e; d && (e = readdir(d));)
        if (is_temp(e->d_name, name))
            remove_left(dirfd(d), e->d_name);
    if (d)
        closedir(d);
    free(folder);
    free(target);
}

void sj_whole_discard(struct sj_whole *w)
{
    if (!w)
        return;
    if (!w->in_place)
        unlink(w->temp);
    release(w);
}
