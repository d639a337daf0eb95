/* dev_cuda: the device, its memory, what comes from it, and the reasons of its failures. */
#include "cuda.h"

#include <stdio.h>
#include <stdlib.h>

static double mib(size_t bytes)
{
    return (double)bytes / (1 << 20);
}

int cuda_check(struct sjk *k, cudaError_t error, const char *what)
{
    if (error == cudaSuccess)
        return 0;
    cudaGetLastError(); /* said once: the next call starts afresh, unless the device is lost */
    return sjk_fail(k, SJK_DEVICE, "%s: %s", what, cudaGetErrorString(error));
}

int cuda_memory(struct sjk *k, size_t bytes, void **p)
{
    size_t left = 0, total = 0;
    *p = NULL;
    if (!bytes || cudaMalloc(p, bytes) == cudaSuccess)
        return 0;
    cudaError_t error = cudaGetLastError();
    *p = NULL;
    if (error != cudaErrorMemoryAllocation)
        return cuda_check(k, error, "device memory");
    cudaMemGetInfo(&left, &total);
    return sjk_fail(k, SJK_DEVICE, "needs %.1f MiB more memory, %.1f MiB free of %.0f MiB on device %d (%s)",
                    mib(bytes), mib(left), mib(total), cuda_own(k)->device, cuda_own(k)->name);
}

void *cuda_scratch(struct sjk *k, size_t bytes)
{
    struct sjk_cuda *own = cuda_own(k);
    if (own->scratch && bytes <= own->scratch_size)
        return own->scratch;
    if (own->mode == CUDA_RECORD || own->mode == CUDA_REPLAY) {
        sjk_fail(k, SJK_DEVICE, "repeated work needs more scratch than the first time");
        return NULL;
    }
    size_t size = (bytes + 255) / 256 * 256 + 256;
    cuda_forget(k);
    cudaFree(own->scratch);
    own->scratch_size = cuda_memory(k, size, &own->scratch) ? 0 : size;
    return own->scratch;
}

int cuda_alloc(struct sjk *k, size_t bytes, void **p)
{
    cuda_settle(k);
    int status = cuda_memory(k, bytes, p);
    if (!status && bytes)
        status = cuda_check(k, cudaMemsetAsync(*p, 0, bytes, cuda_own(k)->stream), "clearing memory");
    return status;
}

/* The address may be given again: to work of the same key, but of another shape. */
void cuda_free(struct sjk *k, void *p)
{
    cuda_settle(k);
    if (p)
        cuda_repeat_close(k);
    cudaFree(p); /* waits for what uses it */
}

int cuda_get(struct sjk *k, void *host, const void *src, size_t bytes)
{
    struct sjk_cuda *own = cuda_own(k);
    cuda_settle(k);
    if (!bytes)
        return 0;
    int status = cuda_check(k, cudaMemcpyAsync(host, src, bytes, cudaMemcpyDeviceToHost, own->stream), "get");
    return status ? status : cuda_check(k, cudaStreamSynchronize(own->stream), "get");
}

int cuda_sync(struct sjk *k)
{
    cuda_settle(k);
    return cuda_check(k, cudaStreamSynchronize(cuda_own(k)->stream), "sync");
}

int cuda_copy(struct sjk *k, void *dst, const void *src, size_t bytes)
{
    if (!bytes || cuda_replays(k))
        return 0;
    return cuda_check(k, cudaMemcpyAsync(dst, src, bytes, cudaMemcpyDeviceToDevice, cuda_own(k)->stream), "copy");
}

int cuda_zero(struct sjk *k, void *dst, size_t bytes)
{
    if (!bytes || cuda_replays(k))
        return 0;
    return cuda_check(k, cudaMemsetAsync(dst, 0, bytes, cuda_own(k)->stream), "zero");
}

__global__ static void nothing(void)
{
}

static void close_device(struct sjk *k)
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

int cuda_open(int device, int threads, struct sjk **out, char *why, size_t size)
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
    k->ops = &sjk_ops_cuda;
    k->threads = threads;
    k->own = own;
    own->own.close = close_device;
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
        close_device(k);
    else {
        free(own);
        free(k);
    }
    return status;
}
