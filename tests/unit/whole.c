/* Files that appear whole or not at all: commit, discard, exit, signals. */
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "whole.h"
#include "../tap.h"

static int exists(const char *path)
{
    return !access(path, F_OK);
}

static size_t leftovers(const char *dir)
{
    char pattern[256];
    glob_t g;
    snprintf(pattern, sizeof pattern, "%s/*tmp*", dir);
    size_t n = glob(pattern, 0, NULL, &g) ? 0 : g.gl_pathc;
    globfree(&g);
    return n;
}

static void in_child(const char *path, int sig, const char *name)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (!pid) {
        struct sj_whole *w;
        if (sig)
            signal(sig, SIG_DFL); /* what started the tests may have it ignored */
        sj_whole_signals();
        sj_whole_new(path, &w);
        if (sig)
            raise(sig);
        exit(7); /* NOLINT: atexit must run */
    }
    waitpid(pid, &status, 0);
    ok(sig ? WIFSIGNALED(status) && WTERMSIG(status) == sig : WIFEXITED(status) && WEXITSTATUS(status) == 7, "%s ends it", name);
}

static const char *in(const char *dir, const char *name)
{
    static char path[4][96];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
    return path[turn];
}

static int put(const char *path)
{
    struct sj_whole *w;
    int status = sj_whole_new(path, &w);
    return status ? status : sj_whole_commit(w);
}

static int mode(const char *path)
{
    struct stat st;
    return lstat(path, &st) || !S_ISREG(st.st_mode) ? -1 : (int)(st.st_mode & 07777);
}

static void links_and_modes(const char *dir)
{
    struct stat st;
    mkdir(in(dir, "sub"), 0777);
    /* link -> sub/second -> ../target, which is not there; then it is */
    ok(!symlink("sub/second", in(dir, "link")) && !symlink("../target", in(dir, "sub/second")), "links to nowhere");
    is_int(put(in(dir, "link")), SJ_OK, "are written through");
    is_int(mode(in(dir, "target")), 0644, "to what they lead to");
    chmod(in(dir, "target"), 0600);
    is_int(put(in(dir, "link")), SJ_OK, "again");
    is_int(mode(in(dir, "target")), 0600, "the mode of an existing file stays");
    ok(!lstat(in(dir, "link"), &st) && S_ISLNK(st.st_mode) && !lstat(in(dir, "sub/second"), &st) &&
       S_ISLNK(st.st_mode), "the links stay links");
    ok(!symlink("loop", in(dir, "loop")) && put(in(dir, "loop")) == SJ_SYSTEM, "links in a circle: %s", sj_reason());
    umask(077);
    is_int(put(in(dir, "private")), SJ_OK, "a new file under another umask");
    is_int(mode(in(dir, "private")), 0600, "has its mode");
    umask(022);
    if (geteuid()) {
        chmod(in(dir, "target"), 0400);
        is_int(put(in(dir, "target")), SJ_SYSTEM, "a file that may not be written to is not replaced");
    } else {
        ok(!chown(in(dir, "target"), 4321, 8765) && !put(in(dir, "link")) && !stat(in(dir, "target"), &st) &&
           st.st_uid == 4321 && st.st_gid == 8765 && mode(in(dir, "target")) == 0600, "root leaves a file its owner");
    }
    struct sj_whole *w;
    ok(!mkfifo(in(dir, "pipe"), 0600) && !symlink("pipe", in(dir, "to-pipe")) &&
       !sj_whole_new(in(dir, "to-pipe"), &w) && !strcmp(sj_whole_temp(w), in(dir, "to-pipe")) && !sj_whole_commit(w), "a named pipe is written to");
    ok(!lstat(in(dir, "pipe"), &st) && S_ISFIFO(st.st_mode), "and stays one");
    is_int(put("/dev/null"), SJ_OK, "a device");
    ok(!stat("/dev/null", &st) && S_ISCHR(st.st_mode), "stays one, too");
    is_int((long)leftovers(dir), 0, "nothing is left");
    static const char *const names[] = {"pipe", "to-pipe", "private", "loop", "target", "link", "sub/second"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in(dir, names[i]));
    rmdir(in(dir, "sub"));
}

static void make(const char *path)
{
    fclose(fopen(path, "w"));
}

static void guarded(const char *dir)
{
    struct sj_whole *w;
    const char *path = in(dir, "part");
    make(path);
    sj_whole_guard(path, &w);
    sj_whole_keep(w);
    ok(exists(path), "what is kept is kept");
    sj_whole_guard(path, &w);
    sj_whole_discard(w);
    ok(!exists(path), "what is not is removed");
    make(path);
    fflush(stdout);
    pid_t pid = fork();
    if (!pid) {
        sj_whole_signals();
        sj_whole_guard(path, &w);
        raise(SIGTERM);
    }
    waitpid(pid, NULL, 0);
    ok(!exists(path), "by a signal, too");
}

/* A process that dies with a file half written (its temporary, in temp), or that waits so until *pid is killed. */
static void half_written(const char *path, int waits, pid_t *pid, char temp[128])
{
    int to[2];
    struct sj_whole *w;
    if (pipe(to) || (*pid = fork()) < 0)
        exit(1);
    if (!*pid) {
        if (sj_whole_new(path, &w) || write(to[1], sj_whole_temp(w), strlen(sj_whole_temp(w)) + 1) < 0)
            _exit(1);
        while (waits)
            pause();
        raise(SIGKILL);
    }
    if (read(to[0], temp, 127) < 1)
        exit(1);
    close(to[0]);
    close(to[1]);
    if (!waits)
        waitpid(*pid, NULL, 0);
}

/* What writers that were killed leave goes, nothing else. */
static void tidied(const char *dir)
{
    static const char *const others[] = {"out.tmpAbCdE", "out.tmpAbCdEfg", "out.tmpAb-dEf", "outer.tmpAbCdEf", "out"};
    enum { OTHERS = sizeof others / sizeof *others };
    char path[64], link[64], name[OTHERS][96], dead[128], living[128], folder[96];
    struct sj_whole *w;
    pid_t pid;
    snprintf(path, sizeof path, "%s/out", dir);
    snprintf(link, sizeof link, "%s/link", dir);
    snprintf(folder, sizeof folder, "%s/out.tmpFOLDER", dir);
    for (int i = 0; i < OTHERS; i++) {
        snprintf(name[i], sizeof name[i], "%s/%s", dir, others[i]);
        close(open(name[i], O_WRONLY | O_CREAT, 0600));
    }
    mkdir(folder, 0700);
    half_written(path, 0, &pid, dead);
    half_written(path, 1, &pid, living);
    sj_whole_new(path, &w);
    ok(exists(dead), "a writer that is killed leaves its temporary");
    if (symlink("out", link))
        exit(1);
    sj_whole_tidy(link);
    ok(!exists(dead), "it is found and removed");
    ok(exists(living) && exists(sj_whole_temp(w)), "those of the living stay");
    int there = exists(folder);
    for (int i = 0; i < OTHERS; i++)
        there += exists(name[i]);
    is_int(there, OTHERS + 1, "and whatever is not quite so called");
    is_int(sj_whole_commit(w), SJ_OK, "theirs can be committed");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    sj_whole_tidy(path);
    ok(!exists(living), "until they die, too");
    for (int i = 0; i < OTHERS; i++)
        unlink(name[i]);
    unlink(link);
    rmdir(folder);
}

int main(void)
{
    char dir[] = "/tmp/sj-whole-XXXXXX", path[64];
    struct sj_whole *w;
    struct stat st;
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/out", dir);
    umask(022);

    is_int(sj_whole_apart(path, path), SJ_USAGE, "one name twice");
    ok(!sj_whole_apart(path, dir) && !sj_whole_apart(path, NULL) && !sj_whole_apart("-", "-"), "different files");
    is_int(sj_whole_new(path, &w), SJ_OK, "a new file");
    ok(!exists(path) && exists(sj_whole_temp(w)), "is not there yet");
    is_int(sj_whole_commit(w), SJ_OK, "commits");
    ok(exists(path) && leftovers(dir) == 0, "is there");
    ok(!stat(path, &st) && (st.st_mode & 0777) == 0644, "with the mode that umask asks for");
    unlink(path);

    sj_whole_new(path, &w);
    sj_whole_discard(w);
    ok(!exists(path) && leftovers(dir) == 0, "discard leaves nothing");

    in_child(path, 0, "exit");
    in_child(path, SIGTERM, "SIGTERM");
    in_child(path, SIGINT, "SIGINT");
    ok(!exists(path) && leftovers(dir) == 0, "exit and signals leave nothing");

    links_and_modes(dir);
    guarded(dir);
    tidied(dir);

    snprintf(path, sizeof path, "%s/no/such", dir);
    is_int(sj_whole_new(path, &w), SJ_SYSTEM, "a missing directory is refused");
    is_int(sj_whole_new(dir, &w), SJ_SYSTEM, "a directory is refused");
    rmdir(dir);
    return done();
}
