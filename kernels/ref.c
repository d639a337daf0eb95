/* ref: the table of the reference back end: scalar, one thread, double accumulation. It defines what every other back
 * end computes. */
#include "ref.h"
#include "tables.h"

const struct sjk_ops sjk_ops_reference = {
    .name = "reference",
    SJK_HOST_MEMORY,
    .cast = ref_cast,
    .repeat = ref_repeat,
    .patches = ref_patches,
    .concat = ref_concat,
    .concat_backward = ref_concat_backward,
    .prepend = ref_prepend,
    .prepend_backward = ref_prepend_backward,
    .pool = ref_pool,
    .pool_backward = ref_pool_backward,
    .layernorm = ref_layernorm,
    .layernorm_backward = ref_layernorm_backward,
    .gelu = ref_gelu,
    .gelu_backward = ref_gelu_backward,
    .relu_backward = ref_relu_backward,
    .film = ref_film,
    .film_backward = ref_film_backward,
    .column_sum = ref_column_sum,
    .linear_new = ref_linear_new,
    SJK_HOST_LINEAR,
    .matmul_nt = ref_matmul_nt,
    .attention = ref_attention,
    .attention_backward = ref_attention_backward,
    .cosine_loss = ref_cosine_loss,
    .infonce = ref_infonce,
    .sum_squares = ref_sum_squares,
    .adamw = ref_adamw,
    .frames = ref_frames,
    .log_mel = ref_log_mel,
    .mel = ref_mel,
    .top_k = ref_top_k,
};
