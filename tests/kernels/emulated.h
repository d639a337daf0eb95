/* emulated: the own kernels of the CUDA back end, run on the host. */
#ifndef TESTS_EMULATED_H
#define TESTS_EMULATED_H

struct sjk;

#ifdef __cplusplus
extern "C" {
#endif
/* threads > 1: blocks and threads in descending order. Released with sjk_close. */
int emulated_open(int threads, struct sjk **);

/* Runs faulty kernel i (k NULL: only names it): does not come back, or returns whether its results are wrong, or -1
 * when there are not so many. */
int emulated_fault(struct sjk *k, int i, const char **name);
#ifdef __cplusplus
}
#endif

#endif
