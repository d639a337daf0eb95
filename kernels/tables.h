/* tables: the operation tables of the CPU, one per instruction set (table_cpu.c). */
#ifndef SJK_TABLES_H
#define SJK_TABLES_H

#include "cpu.h"

/* What all of them have: memory of the host's, and layers that say themselves how they are computed. */
#define SJK_HOST_MEMORY                                                                                               \
    .pass_samples = 16, .alloc = sjk_cpu_alloc, .free = sjk_cpu_free, .put = sjk_cpu_put, .get = sjk_cpu_put,         \
    .copy = sjk_cpu_copy, .zero = sjk_cpu_zero, .sync = sjk_cpu_sync, .begin = sjk_cpu_begin, .end = sjk_cpu_end,     \
    .inbox_new = sjk_cpu_inbox_new, .inbox_free = sjk_cpu_inbox_free, .inbox_host = sjk_cpu_inbox_host,               \
    .inbox_send = sjk_cpu_inbox_send, .inbox_take = sjk_cpu_inbox_take
#define SJK_HOST_LINEAR                                                                                               \
    .linear_free = sjk_linear_free, .linear_pack = sjk_linear_pack, .linear_forward = sjk_linear_forward,             \
    .linear_forward_gelu = sjk_linear_forward_gelu, .linear_backward_x = sjk_linear_backward_x,                       \
    .linear_backward_gelu = sjk_linear_backward_gelu, .linear_backward_w = sjk_linear_backward_w

extern const struct sjk_ops sjk_ops_reference, sjk_ops_portable, sjk_ops_avx2, sjk_ops_avx512, sjk_ops_avx512bf16;
extern const struct sjk_rows cpu_rows_portable, cpu_rows_avx2, cpu_rows_avx512, cpu_rows_avx512bf16;

#endif
