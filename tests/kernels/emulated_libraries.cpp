/* emulated_libraries: what the host has instead of cuBLASLt and cuDNN: neither takes anything, so that the back end's
 * own products and attention are tested. */
#include "product_cuda.h"
#include "sdpa_cuda.h"

int cuda_product_lt(struct sjk *, const struct cuda_product *)
{
    return CUDA_PRODUCT_NONE;
}

int cuda_sdpa(struct sjk *, int64_t, int64_t, int64_t, int64_t, const void *, void *, float *)
{
    return CUDA_SDPA_NONE;
}

int cuda_sdpa_backward(struct sjk *, int64_t, int64_t, int64_t, int64_t, const void *, const void *, const float *,
                       const void *, void *)
{
    return CUDA_SDPA_NONE;
}

int cuda_alloc(struct sjk *k, size_t bytes, void **p)
{
    return sjk_cpu_alloc(k, bytes, p);
}

void cuda_free(struct sjk *k, void *p)
{
    sjk_cpu_free(k, p);
}
