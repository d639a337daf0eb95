/* dev_cuda: memory of the device, what goes to and comes from it, and the reasons of its failures. */
#include "cuda.h"

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

void cuda_free(struct sjk *k, void *p)
{
    cuda_settle(k);
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
