/* table_cpu: the table of one instruction set. This file and every other kernels/ *_cpu.c is compiled once per set.
 *
 * How the back ends are laid out
 *   sjk.h           the contract: what every operation computes, with dims, types and error bounds
 *   open.c          the choice of a table, memory
 *   ref_*.c, ref.c  the definition: scalar, double accumulation
 *   *_cpu.c         one source per family of operations on vec.h's vectors; cpu_ops.h declares them and adds the suffix
 *   *_dnnl.c        matrix products on oneDNN, compiled once; they take a set's inner loops from its cpu_rows
 *
 * To add an operation, in one commit
 *   1. sjk.h: a member of struct sjk_ops; the comment says the formula, dims, types, what is added to and what is
 *      written, what may be NULL, and the bound when it is not the usual one.
 *   2. ref_TOPIC.c and ref.h: the formula in double, one output at a time; a line in ref.c's table. Sizes of 0 do
 *      nothing; arguments that callers may get wrong are refused with sjk_fail.
 *   3. tests/kernels/op_table.h: a call and a row: the shape, type and role of each buffer and awkward sizes. The
 *      operation is now tested (tests/kernels/ops): bounds, NaN and infinity, guards, threads. When it has a gradient,
 *      a row in tests/kernels/gradients.c.
 *   4. TOPIC_cpu.c and cpu_ops.h: the fast version, and its line below. Until there is one, name the reference's.
 *      Loops over rows are shared by sjk_team(k, work) threads; a sum over rows goes by sjk_block_rows, each block on
 *      one thread, then over the blocks in order (sums.h), so that the bits do not depend on the threads.
 *   5. tests/bench/kernels.c: a row at the model's shape. tests/kernels/threads.c: one, when it sums over rows.
 *   6. TOPIC_cuda.cu, cuda.h and table_cuda.cu: the device's version; tests/kernels/emulated_table.cpp tests it here.
 * What only some sets have goes behind #if on the compiler's own macros, as the bf16 products of tile.h. */
#include "cpu_ops.h"
#include "linear_dnnl.h"
#include "tables.h"

const struct sjk_ops SJK_FOR_ISA(sjk_ops) = {
    .name = SJK_TEXT(SJK_ISA),
    SJK_HOST_MEMORY,
    .cast = cpu_cast,
    .repeat = cpu_repeat,
    .patches = cpu_patches,
    .concat = cpu_concat,
    .concat_backward = cpu_concat_backward,
    .prepend = cpu_prepend,
    .prepend_backward = cpu_prepend_backward,
    .pool = cpu_pool,
    .pool_backward = cpu_pool_backward,
    .layernorm = cpu_layernorm,
    .layernorm_backward = cpu_layernorm_backward,
    .gelu = cpu_gelu,
    .gelu_backward = cpu_gelu_backward,
    .relu_backward = cpu_relu_backward,
    .film = cpu_film,
    .film_backward = cpu_film_backward,
    .column_sum = cpu_column_sum,
    .linear_new = cpu_linear_new,
    SJK_HOST_LINEAR,
    .matmul_nt = onednn_matmul_nt,
    .attention = cpu_attention,
    .attention_backward = cpu_attention_backward,
    .rotate = cpu_rotate,
    .cosine_loss = cpu_cosine_loss,
    .infonce = cpu_infonce,
    .sum_squares = cpu_sum_squares,
    .adamw = cpu_adamw,
    .frames = cpu_frames,
    .log_mel = cpu_log_mel,
    .top_k = cpu_top_k,
};
