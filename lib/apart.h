/* apart: work on doubtful input done in a process of its own, which may crash, hang or want too much memory. */
#ifndef SJ_APART_H
#define SJ_APART_H

#include <stddef.h>

#include "err.h"

/* Calls work(arg, result) in a child process and waits for it; result: `size` bytes of zeros that both share, which the
 * caller gives back with sj_apart_free. Returns what work returned, with its reason; SJ_INPUT where the child died,
 * took more than `limit_s` seconds of CPU time, or memory_bytes beyond what the process has. work must not write
 * files. */
int sj_apart(int (*work)(void *arg, void *result), void *arg, size_t size, int limit_s, size_t memory_bytes,
             void **result);
void sj_apart_free(void *result, size_t size); /* NULL is allowed */

#endif
