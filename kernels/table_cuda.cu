/* table_cuda: the table of the CUDA back end, and opening it.
 *
 * How the back end is laid out
 *   cuda.h            what its sources share: launches, scratch, numbers that change in recorded work
 *   dev_cuda.cu       memory of the device; repeat_cuda.cu recorded work; inbox_cuda.cu host data on its way
 *   linear_cuda.cu    matrix products on cuBLASLt; attention_cuda.cu attention in bf16 on cuDNN
 *   the other *_cuda.cu  own kernels, one source per family of operations, which the tests also compile for the host
 * An operation that is added gets its kernel in the family's source, its declaration in cuda.h and its line below. */
#include "cuda.h"
#include "plugin.h"

#include <stdio.h>
#include <stdlib.h>

static const struct sjk_ops table = {
    .name = "cuda",
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
    .cosine_loss = cuda_cosine_loss,
    .infonce = cuda_infonce,
    .sum_squares = cuda_sum_squares,
    .adamw = cuda_adamw,
    .frames = cuda_frames,
    .log_mel = cuda_log_mel,
    .mel = cuda_mel,
    .top_k = cuda_top_k,
};

__global__ static void nothing(void)
{
}

static void close_cuda(struct sjk *k)
{
    struct sjk_cuda *own = cuda_own(k);
    cuda_settle(k);
    cudaStreamSynchronize(own->stream);
    cuda_repeat_close(k);
    if (own->lt)
        own->lt_free(own->lt);
    if (own->sdpa)
        own->sdpa_free(own->sdpa);
    cudaFree(own->scratch);
    if (own->arrival)
        cudaStreamDestroy(own->arrival);
    if (own->stream)
        cudaStreamDestroy(own->stream);
    free(own);
    free(k);
}

/* Whether the device can be used at all, else the status with the reason. */
static int examine(struct sjk *k)
{
    struct sjk_cuda *own = cuda_own(k);
    int driver = 0, devices = 0, need = CUDART_VERSION;
    cudaDeviceProp about;
    cudaFuncAttributes unused;
    if (cudaDriverGetVersion(&driver) != cudaSuccess || !driver)
        return sjk_fail(k, SJK_DEVICE, "no NVIDIA driver on this machine");
    if (driver / 1000 < need / 1000)
        return sjk_fail(k, SJK_DEVICE, "the NVIDIA driver supports CUDA %d.%d, %d.0 is needed", driver / 1000,
                        driver % 1000 / 10, need / 1000);
    cudaError_t error = cudaGetDeviceCount(&devices);
    if (error == cudaErrorNoDevice || (error == cudaSuccess && !devices))
        return sjk_fail(k, SJK_DEVICE, "no CUDA device on this machine");
    int status = cuda_check(k, error, "CUDA devices");
    if (!status && own->device >= devices)
        return sjk_fail(k, SJK_DEVICE, "no device %d: this machine has %d", own->device, devices);
    if (!status)
        status = cuda_check(k, cudaGetDeviceProperties(&about, own->device), "CUDA device");
    if (status)
        return status;
    own->capability = 10 * about.major + about.minor;
    own->multiprocessors = about.multiProcessorCount;
    snprintf(own->name, sizeof own->name, "%s", about.name);
    if (own->capability < 80)
        return sjk_fail(k, SJK_DEVICE, "device %d (%s) has compute capability %d.%d, 8.0 is needed", own->device,
                        own->name, about.major, about.minor);
    status = cuda_check(k, cudaSetDevice(own->device), own->name);
    if (!status && cudaFuncGetAttributes(&unused, (const void *)nothing) != cudaSuccess)
        return sjk_fail(k, SJK_DEVICE, "libsj-cuda.so was not built for device %d (%s, compute capability %d.%d): "
                        "CUDA_ARCHS", own->device, own->name, about.major, about.minor);
    return status;
}

static int open_cuda(int device, int threads, struct sjk **out, char *why, size_t size)
{
    struct sjk *k = (struct sjk *)calloc(1, sizeof *k);
    struct sjk_cuda *own = (struct sjk_cuda *)calloc(1, sizeof *own);
    *out = NULL;
    if (!k || !own) {
        free(k);
        free(own);
        snprintf(why, size, "no memory for a back end");
        return SJK_MEMORY;
    }
    k->ops = &table;
    k->threads = threads;
    k->own = own;
    own->own.close = close_cuda;
    own->own.has_bf16 = 1; /* since compute capability 8.0 */
    own->device = device;
    int status = examine(k);
    if (!status)
        status = cuda_check(k, cudaStreamCreateWithFlags(&own->stream, cudaStreamNonBlocking), "stream");
    if (!status)
        status = cuda_check(k, cudaStreamCreateWithFlags(&own->arrival, cudaStreamNonBlocking), "stream");
    if (!status) {
        *out = k;
        return 0;
    }
    snprintf(why, size, "%s", k->reason);
    if (own->stream)
        close_cuda(k);
    else {
        free(own);
        free(k);
    }
    return status;
}

/* The only export of the library. */
extern "C" {
extern const struct sjk_plugin sjk_cuda_plugin __attribute__((visibility("default")));
const struct sjk_plugin sjk_cuda_plugin = {SJ_VERSION, sizeof(struct sjk_ops), open_cuda};
}
