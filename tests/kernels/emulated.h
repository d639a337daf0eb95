/* emulated: the own kernels of the CUDA back end, run on the host. */
#ifndef TESTS_EMULATED_H
#define TESTS_EMULATED_H

#ifdef __cplusplus
extern "C"
#endif
/* threads > 1: blocks and threads in descending order. Released with sjk_close. */
int emulated_open(int threads, struct sjk **);

#endif
