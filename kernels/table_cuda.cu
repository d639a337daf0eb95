/* table_cuda: the table of the CUDA back end, and what its library exports.
 *
 * How the back end is laid out
 *   cuda.h            what its sources share: launches, scratch, numbers that change in recorded work
 *   dev_cuda.cu       the device and its memory; repeat_cuda.cu recorded work; inbox_cuda.cu host data on its way
 *   linear_cuda.cu    matrix products on cuBLASLt; attention_cuda.cu attention in bf16 on cuDNN
 *   the other *_cuda.cu  own kernels, one source per family of operations, which the tests also compile for the host
 * An operation that is added gets its kernel in the family's source, its declaration in cuda.h and its line below. */
#include "cuda.h"
#include "plugin.h"

extern "C" const struct sjk_ops sjk_ops_cuda = {
    .name = "cuda",
    .on_device = 1,
    .pass_samples = 0,
    .alloc = cuda_alloc,
    .free = cuda_free,
    .put = cuda_put,
    .get = cuda_get,
    .copy = cuda_copy,
    .zero = cuda_zero,
    .sync = cuda_sync,
    .begin = cuda_begin,
    .end = cuda_end,
    .inbox_new = cuda_inbox_new,
    .inbox_free = cuda_inbox_free,
    .inbox_host = cuda_inbox_host,
    .inbox_send = cuda_inbox_send,
    .inbox_take = cuda_inbox_take,
    .cast = cuda_cast,
    .repeat = cuda_repeat,
    .patches = cuda_patches,
    .concat = cuda_concat,
    .concat_backward = cuda_concat_backward,
    .prepend = cuda_prepend,
    .prepend_backward = cuda_prepend_backward,
    .pool = cuda_pool,
    .pool_backward = cuda_pool_backward,
    .layernorm = cuda_layernorm,
    .layernorm_backward = cuda_layernorm_backward,
    .gelu = cuda_gelu,
    .gelu_backward = cuda_gelu_backward,
    .relu_backward = cuda_relu_backward,
    .film = cuda_film,
    .film_backward = cuda_film_backward,
    .column_sum = cuda_column_sum,
    .linear_new = cuda_linear_new,
    .linear_free = cuda_linear_free,
    .linear_pack = cuda_linear_pack,
    .linear_forward = cuda_linear_forward,
    .linear_forward_gelu = cuda_linear_forward_gelu,
    .linear_backward_x = cuda_linear_backward_x,
    .linear_backward_gelu = cuda_linear_backward_gelu,
    .linear_backward_w = cuda_linear_backward_w,
    .matmul_nt = cuda_matmul_nt,
    .attention = cuda_attention,
    .attention_backward = cuda_attention_backward,
    .rotate = cuda_rotate,
    .cosine_loss = cuda_cosine_loss,
    .infonce = cuda_infonce,
    .sum_squares = cuda_sum_squares,
    .adamw = cuda_adamw,
    .frames = cuda_frames,
    .log_mel = cuda_log_mel,
    .mel = cuda_mel,
    .top_k = cuda_top_k,
};

/* The only export of the library. */
extern "C" {
extern const struct sjk_plugin sjk_cuda_plugin __attribute__((visibility("default")));
const struct sjk_plugin sjk_cuda_plugin = {SJ_VERSION, sizeof(struct sjk_ops), cuda_open};
}
