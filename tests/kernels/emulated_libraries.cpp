/* emulated_libraries: what the host has instead of cuBLASLt and cuDNN: products are taken or not by their sizes, so that
 * layers are tested with the library and without it, attention never. */
#include "product_cuda.h"
#include "sdpa_cuda.h"

int cuda_product_lt(struct sjk *k, const struct cuda_product *p)
{
    if ((p->t == SJK_F32 && p->dt == SJK_BF16) || p->m % 8 == 0 || (p->bias && p->n % 2))
        return CUDA_PRODUCT_NONE;
    return cuda_product_own(k, p, SJK_STORE);
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
