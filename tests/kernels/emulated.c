/* The own kernels of the CUDA back end, compiled for the host (emulation.h), against the reference.
 *
 *   emulated [OP]     all, or one operation */
#include "emulated.h"
#include "op_test.h"

#include <sys/wait.h>
#include <unistd.h>

/* Whether the emulation finds fault i, in a process of its own. */
static int found(struct sjk *k, int i)
{
    const char *name;
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        fclose(stderr);
        _exit(emulated_fault(k, i, &name) ? 42 : 0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status != 0;
}

int main(int argc, char **argv)
{
    struct tester t = {.most = 34000}; /* for time */
    char why[256];
    const char *name;
    if (sjk_open("cpu:reference", 1, &t.reference, why, sizeof why) || emulated_open(1, &t.one) ||
        emulated_open(3, &t.three)) {
        ok(0, "%s", why);
        return done();
    }
    for (int i = 0; i < op_count; i++) {
        name = op_table[i].name;
        if (argc < 2 || !strcmp(argv[1], name))
            test_op(&t, "emulated", i);
    }
    for (int i = 0; argc < 2 && emulated_fault(NULL, i, &name) >= 0; i++)
        ok(found(t.one, i) && found(t.three, i), "found: %s", name);
    sjk_close(t.one);
    sjk_close(t.three);
    sjk_close(t.reference);
    return done();
}
