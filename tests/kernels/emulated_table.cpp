/* emulated_table: the own kernels of the CUDA back end as a table of the host, "emulated". The libraries
 * are those of emulated_libraries.cpp. */
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
    o.on_device = 1;
    o.alloc = sjk_cpu_alloc;
    o.free = sjk_cpu_free;
    o.put = sjk_cpu_put;
    o.get = sjk_cpu_put;
    o.copy = sjk_cpu_copy;
    o.zero = sjk_cpu_zero;
    o.sync = sjk_cpu_sync;
    o.cast = cuda_cast;
    o.repeat = cuda_repeat;
    o.patches = cuda_patches;
    o.concat = cuda_concat;
    o.concat_backward = cuda_concat_backward;
    o.prepend = cuda_prepend;
    o.prepend_backward = cuda_prepend_backward;
    o.pool = cuda_pool;
    o.pool_backward = cuda_pool_backward;
    o.layernorm = cuda_layernorm;
    o.layernorm_backward = cuda_layernorm_backward;
    o.gelu = cuda_gelu;
    o.gelu_backward = cuda_gelu_backward;
    o.relu_backward = cuda_relu_backward;
    o.film = cuda_film;
    o.film_backward = cuda_film_backward;
    o.column_sum = cuda_column_sum;
    o.rotate = cuda_rotate;
    o.cosine_loss = cuda_cosine_loss;
    o.infonce = cuda_infonce;
    o.sum_squares = cuda_sum_squares;
    o.adamw = cuda_adamw;
    o.frames = cuda_frames;
    o.log_mel = cuda_log_mel;
    o.mel = cuda_mel;
    o.top_k = cuda_top_k;
    o.attention = cuda_attention;
    o.attention_backward = cuda_attention_backward;
    o.linear_new = cuda_linear_new;
    o.linear_free = cuda_linear_free;
    o.linear_pack = cuda_linear_pack;
    o.linear_forward = cuda_linear_forward;
    o.linear_forward_gelu = cuda_linear_forward_gelu;
    o.linear_backward_x = cuda_linear_backward_x;
    o.linear_backward_gelu = cuda_linear_backward_gelu;
    o.linear_backward_w = cuda_linear_backward_w;
    o.matmul_nt = cuda_matmul_nt;
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
