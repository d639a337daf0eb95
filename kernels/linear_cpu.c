/* linear_cpu: the choice of a kind of linear layer. */
#include "cpu_ops.h"
#include "linear_dnnl.h"

int cpu_linear_new(struct sjk *k, int64_t N, int64_t K, enum sjk_type t, struct sjk_linear **out)
{
    return onednn_linear_new(k, N, K, t, out);
}
