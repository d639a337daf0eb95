/* Files that appear whole or not at all: commit, discard, exit, signals. */
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
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
        sj_whole_signals();
        sj_whole_new(path, &w);
        if (sig)
            raise(sig);
        exit(7); /* NOLINT: atexit must run */
    }
    waitpid(pid, &status, 0);
    ok(sig ? WIFSIGNALED(status) && WTERMSIG(status) == sig : WIFEXITED(status) && WEXITSTATUS(status) == 7, "%s ends it", name);
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

    snprintf(path, sizeof path, "%s/no/such", dir);
    is_int(sj_whole_new(path, &w), SJ_SYSTEM, "a missing directory is refused");
    is_int(sj_whole_new(dir, &w), SJ_SYSTEM, "a directory is refused");
    rmdir(dir);
    return done();
}
