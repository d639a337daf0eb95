#include "apart.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REASON = 1024, PAGE = 4096 };

/* What stands before the result in the shared memory. */
struct head {
    int done, status;
    char reason[REASON];
};

static size_t whole(size_t size)
{
    return size + PAGE;
}

/* Bytes of private memory that this process has. */
static size_t used_bytes(void)
{
    unsigned long total = 0, resident, shared, text, lib, data = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f)
        return 0;
    if (fscanf(f, "%lu %lu %lu %lu %lu %lu", &total, &resident, &shared, &text, &lib, &data) != 6)
        data = 0;
    fclose(f);
    return (size_t)data * (size_t)sysconf(_SC_PAGESIZE);
}

/* The child: no signal handler of the parent's, no file of its, and limits. */
static void work_here(int (*work)(void *arg, void *result), void *arg, struct head *h, int limit_s, size_t memory)
{
    static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++)
        signal(handled[i], SIG_DFL);
    struct rlimit cpu = {(rlim_t)limit_s, (rlim_t)limit_s + 1}, data = {memory, memory}, core = {0, 0};
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_DATA, &data);
    setrlimit(RLIMIT_CORE, &core);
    h->status = work(arg, (char *)h + PAGE);
    if (h->status)
        snprintf(h->reason, sizeof h->reason, "%s", sj_reason());
    h->done = 1;
    _exit(0);
}

static int verdict(const struct head *h, int state, int limit_s)
{
    if (h->done && WIFEXITED(state))
        return h->status ? sj_fail(h->status, "%s", h->reason) : SJ_OK;
    if (WIFSIGNALED(state) && (WTERMSIG(state) == SIGXCPU || WTERMSIG(state) == SIGKILL))
        return sj_fail(SJ_INPUT, "not done after %d s, or out of memory", limit_s);
    return sj_fail(SJ_INPUT, "the library that reads it crashed (%s)",
                   WIFSIGNALED(state) ? strsignal(WTERMSIG(state)) : "it exited");
}

int sj_apart(int (*work)(void *arg, void *result), void *arg, size_t size, int limit_s, size_t memory_bytes,
             void **result)
{
    *result = NULL;
    struct head *h = mmap(NULL, whole(size), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (h == MAP_FAILED)
        return sj_fail_errno("no memory for %zu bytes", size);
    size_t memory = used_bytes() + memory_bytes;
    pid_t parent = getpid(), child = fork();
    if (child < 0) {
        int status = sj_fail_errno("cannot start a process");
        munmap(h, whole(size));
        return status;
    }
    if (!child) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it has nobody to work for without its parent */
        if (getppid() != parent)
            _exit(1);
        work_here(work, arg, h, limit_s, memory);
    }
    int state;
    while (waitpid(child, &state, 0) < 0 && errno == EINTR)
        ;
    int status = verdict(h, state, limit_s);
    if (status)
        munmap(h, whole(size));
    else
        *result = (char *)h + PAGE;
    return status;
}

void sj_apart_free(void *result, size_t size)
{
    if (result)
        munmap((char *)result - PAGE, whole(size));
}
