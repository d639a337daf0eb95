/* tables: the operation tables of the CPU, one per instruction set (table_cpu.c). */
#ifndef SJK_TABLES_H
#define SJK_TABLES_H

#include "cpu.h"

extern const struct sjk_ops sjk_ops_reference, sjk_ops_portable, sjk_ops_avx2, sjk_ops_avx512, sjk_ops_avx512bf16;
extern const struct sjk_rows cpu_rows_portable, cpu_rows_avx2, cpu_rows_avx512, cpu_rows_avx512bf16;

#endif
