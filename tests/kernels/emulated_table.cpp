/* emulated_table: the own kernels of the CUDA back end as a table of the host, "emulated": NULL where the device would
 * call a library. */
#include "cuda.h"
#include "emulated.h"

#include <stdlib.h>

static void close_emulated(struct sjk *k)
{
    struct sjk_cuda *own = cuda_own(k);
    free(own->scratch);
    free(own->slot);
    free(own);
    free(k);
}

static struct sjk_ops make_table(void)
{
    struct sjk_ops o = {};
    o.name = "emulated";
    o.alloc = sjk_cpu_alloc;
    o.free = sjk_cpu_free;
    o.put = sjk_cpu_put;
    o.get = sjk_cpu_put;
    o.copy = sjk_cpu_copy;
    o.zero = sjk_cpu_zero;
    o.sync = sjk_cpu_sync;
    o.layernorm = cuda_layernorm;
    o.layernorm_backward = cuda_layernorm_backward;
    return o;
}

int emulated_open(int threads, struct sjk **out)
{
    static const struct sjk_ops table = make_table();
    struct sjk *k = (struct sjk *)calloc(1, sizeof *k);
    struct sjk_cuda *own = (struct sjk_cuda *)calloc(1, sizeof *own);
    if (!k || !own)
        abort();
    k->ops = &table;
    k->threads = threads;
    k->own = own;
    own->own.close = close_emulated;
    *out = k;
    return 0;
}
