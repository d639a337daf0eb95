/* Every operation of every CPU table against the reference, at awkward sizes: values within the stated bounds, NaN and
 * infinity where the reference has them, nothing written outside the outputs, inputs untouched, the same bits for any
 * number of threads. Each table runs in its own process, so that the matrix library keeps to its instructions too.
 *
 *   ops [TABLE [OP]]     all of the CPU, or one table (cuda: that of the first device), or one operation of it */
#include "op_test.h"

#include <sys/wait.h>
#include <unistd.h>

/* All operations of one table, in this process; prints one check each. */
static void one_table(const char *name, const char *only)
{
    char backend[32], why[256];
    struct tester t = {0};
    snprintf(backend, sizeof backend, "%s%s", strncmp(name, "cuda", 4) ? "cpu:" : "", name);
    if (sjk_open(backend, 1, &t.one, why, sizeof why) || sjk_open(backend, 3, &t.three, why, sizeof why) ||
        sjk_open("cpu:reference", 1, &t.reference, why, sizeof why)) {
        ok(0, "%s: %s", name, why);
        return;
    }
    for (int i = 0; i < op_count; i++)
        if (!only || !strcmp(only, op_table[i].name))
            test_op(&t, name, i);
    sjk_close(t.one);
    sjk_close(t.three);
    sjk_close(t.reference);
}

int main(int argc, char **argv)
{
    int n;
    const struct sjk_ops *const *table = sjk_cpu_tables(&n);
    if (argc > 1) {
        one_table(argv[1], argc > 2 ? argv[2] : NULL);
        return done();
    }
    for (int i = 0; i < n; i++) {
        int status = -1;
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            one_table(table[i]->name, NULL);
            fflush(stdout);
            _exit(tap_failed != 0);
        }
        if (child > 0)
            waitpid(child, &status, 0);
        tap_count += op_count;
        ok(status == 0, "%s: all operations agree with the reference", table[i]->name);
    }
    return done();
}
