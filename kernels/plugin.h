/* plugin: the CUDA back end, a library of its own (libsj-cuda.so) that is loaded when it is asked for. */
#ifndef SJK_PLUGIN_H
#define SJK_PLUGIN_H

#include "sjk.h"

/* What the library exports under the name SJK_PLUGIN_SYMBOL. Version and the size of the table tell a library of
 * another build. */
struct sjk_plugin {
    char version[32];
    size_t table; /* sizeof(struct sjk_ops) */
    int (*open)(int device, int threads, struct sjk **, char *why, size_t size); /* as sjk_open */
};

#define SJK_PLUGIN_SYMBOL "sjk_cuda_plugin"

/* Opens "cuda" or "cuda:N" as sjk_open. The library is $SJ_CUDA_PLUGIN, else lib/sj/libsj-cuda.so in one of the two
 * folders above the program's, else in SJ_LIBDIR/sj. Once loaded it stays. */
int sjk_plugin_open(const char *backend, int threads, struct sjk **, char *why, size_t size);

/* Whether it is worth trying: the library is there, and a driver that has a device. Fast where not. */
int sjk_plugin_promises(void);

#endif
