#include "ffmpeg.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct sj_ffmpeg {
    pid_t pid;    /* 0: reaped */
    int out, log; /* log: a file in memory, so that a talkative process cannot block on it */
    char *path, *name; /* name: for messages */
};

/* "file:" keeps names with a colon from being read as protocols. -xerror: a damaged packet is an error, not a click.
 * */
static int spawn(struct sj_ffmpeg *p, int stream, int write_end)
{
    char *input, map[32];
    if (asprintf(&input, "file:%s", p->path) < 0)
        return ENOMEM;
    snprintf(map, sizeof map, "0:a:%d", stream);
    const char *argv[] = {"ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", input, "-map", map,
                          "-f", "au", "-c:a", "pcm_f32be", "pipe:1", NULL};
    posix_spawn_file_actions_t fds;
    posix_spawnattr_t how;
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_init(&how);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_init(&fds);
    posix_spawn_file_actions_addopen(&fds, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&fds, write_end, 1);
    posix_spawn_file_actions_adddup2(&fds, p->log, 2);
    posix_spawn_file_actions_addclosefrom_np(&fds, 3); /* a data set being written must not stay locked by a decoder */
    int e = posix_spawnp(&p->pid, argv[0], &fds, &how, (char *const *)(void *)argv, environ);
    posix_spawn_file_actions_destroy(&fds);
    posix_spawnattr_destroy(&how);
    free(input);
    return e;
}

int sj_ffmpeg_open(const char *path, const char *name, int stream, struct sj_ffmpeg **out)
{
    int fd[2] = {-1, -1}, e = ENOMEM;
    struct sj_ffmpeg *p = calloc(1, sizeof *p);
    if (!p || !(p->path = strdup(path)) || !(p->name = strdup(name)) ||
        (p->log = memfd_create("ffmpeg", MFD_CLOEXEC)) < 0 || pipe2(fd, O_CLOEXEC)) {
        if (p && p->log > 0)
            close(p->log);
        if (p)
            free(p->path), free(p->name);
        free(p);
        return sj_fail(SJ_SYSTEM, "cannot start ffmpeg for '%s': out of memory or files", name);
    }
    p->out = fd[0];
    fcntl(fd[0], F_SETPIPE_SZ, 1 << 20); /* fewer switches between the two processes; a refusal does no harm */
    e = spawn(p, stream, fd[1]);
    close(fd[1]);
    if (e) {
        p->pid = 0;
        sj_ffmpeg_close(p);
        if (e == ENOENT)
            return sj_fail(SJ_SYSTEM, "'%s' needs the ffmpeg program, which is not installed", name);
        errno = e;
        return sj_fail_errno("cannot start ffmpeg for '%s'", name);
    }
    *out = p;
    return SJ_OK;
}

int sj_ffmpeg_fd(const struct sj_ffmpeg *p)
{
    return p->out;
}

/* The first line of the log without what ffmpeg puts before the message: "[mov @ 0x5581] ", "file:NAME: ". */
static void first_complaint(const struct sj_ffmpeg *p, char *line, size_t size)
{
    ssize_t n = pread(p->log, line, size - 1, 0);
    line[n > 0 ? n : 0] = 0;
    line[strcspn(line, "\n")] = 0;
    char *message = line, *end;
    if (*message == '[' && (end = strstr(message, "] ")))
        message = end + 2;
    size_t named = strlen(p->path);
    if (!strncmp(message, "file:", 5) && !strncmp(message + 5, p->path, named) &&
        !strncmp(message + 5 + named, ": ", 2))
        message += 5 + named + 2;
    memmove(line, message, strlen(message) + 1);
}

int sj_ffmpeg_finish(struct sj_ffmpeg *p)
{
    int how;
    close(p->out); /* or a process with more to say would wait for a reader for ever */
    p->out = -1;
    while (waitpid(p->pid, &how, 0) < 0)
        if (errno != EINTR)
            return sj_fail_errno("lost the ffmpeg process of '%s'", p->name);
    p->pid = 0;
    if ((WIFEXITED(how) && !WEXITSTATUS(how)) || (WIFSIGNALED(how) && WTERMSIG(how) == SIGPIPE))
        return SJ_OK;
    char line[512];
    first_complaint(p, line, sizeof line);
    if (WIFSIGNALED(how))
        return sj_fail(SJ_SYSTEM, "ffmpeg was killed by signal %d while decoding '%s'", WTERMSIG(how), p->name);
    return sj_fail(SJ_INPUT, "'%s' cannot be decoded (ffmpeg: %s)", p->name, line);
}

void sj_ffmpeg_close(struct sj_ffmpeg *p)
{
    if (!p)
        return;
    if (p->out >= 0)
        close(p->out);
    close(p->log);
    if (p->pid) {
        kill(p->pid, SIGKILL);
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    free(p->path);
    free(p->name);
    free(p);
}
