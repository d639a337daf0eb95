/* open: choosing, opening and closing a back end. */
#include "cpu.h"
#include "plugin.h"
#include "tables.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

const char *sjk_reason(const struct sjk *k)
{
    return k->reason;
}

/* Each set of instructions includes the ones before it. */
const struct sjk_ops *const *sjk_cpu_tables(int *n)
{
    static const struct sjk_ops *const all[] = {&sjk_ops_reference, &sjk_ops_portable, &sjk_ops_avx2, &sjk_ops_avx512,
                                                &sjk_ops_avx512bf16};
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                 __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    int bf16 = avx512 && __builtin_cpu_supports("avx512bf16");
    *n = 2 + avx2 + avx512 + bf16;
    return all;
}

int sjk_has_bf16(const struct sjk *k)
{
    return ((const struct sjk_own *)k->own)->has_bf16;
}

/* The place of a table in sjk_cpu_tables ("": the best), or -1. */
static int cpu_table(const char *name)
{
    int n;
    const struct sjk_ops *const *table = sjk_cpu_tables(&n);
    for (int i = n - 1; i >= 0; i--)
        if (!*name || !strcmp(table[i]->name, name))
            return i;
    return -1;
}

/* The place of the table that `backend` names, or -1 with the reason and *status set. */
static int choose(const char *backend, int *status, char *why, size_t size)
{
    static const char *const known[] = {"portable", "avx2", "avx512", "avx512bf16", "reference"};
    const char *name = NULL;
    if (!strcmp(backend, "auto") || !strcmp(backend, "cpu"))
        name = "";
    else if (!strncmp(backend, "cpu:", 4))
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (!strcmp(backend + 4, known[i]))
                name = known[i];
    *status = name ? SJK_DEVICE : SJK_BAD;
    int at = name ? cpu_table(name) : -1;
    if (!name)
        snprintf(why, size, "unknown back end '%s'", backend);
    else if (at < 0)
        snprintf(why, size, "back end '%s': this processor lacks the instructions", backend);
    return at;
}

static void close_cpu(struct sjk *k)
{
    struct sjk_cpu *own = k->own;
    if (own->dnnl)
        own->dnnl_free(own->dnnl);
    free(own->scratch);
    free(own);
    free(k);
}

int sjk_open(const char *backend, int threads, struct sjk **out, char *why, size_t size)
{
    static const struct sjk_rows *const rows[] = {NULL, &cpu_rows_portable, &cpu_rows_avx2, &cpu_rows_avx512,
                                                  &cpu_rows_avx512bf16};
    int status, n;
    *out = NULL;
    if (threads < 0) {
        snprintf(why, size, "%d threads", threads);
        return SJK_BAD;
    }
    threads = threads ? threads : omp_get_num_procs();
    if (!strcmp(backend, "cuda") || !strncmp(backend, "cuda:", 5))
        return sjk_plugin_open(backend, threads, out, why, size);
    if (!strcmp(backend, "auto") && sjk_plugin_promises() && !sjk_plugin_open("cuda", threads, out, why, size))
        return 0;
    int at = choose(backend, &status, why, size);
    if (at < 0)
        return status;
    struct sjk *k = calloc(1, sizeof *k);
    struct sjk_cpu *own = calloc(1, sizeof *own);
    if (!k || !own) {
        free(k);
        free(own);
        snprintf(why, size, "no memory for a back end");
        return SJK_MEMORY;
    }
    k->ops = sjk_cpu_tables(&n)[at];
    k->threads = threads;
    k->own = own;
    own->own.close = close_cpu;
    own->own.has_bf16 = !strcmp(k->ops->name, "avx512bf16");
    own->rows = rows[at];
    *out = k;
    return 0;
}

void sjk_close(struct sjk *k)
{
    if (k)
        ((struct sjk_own *)k->own)->close(k);
}
