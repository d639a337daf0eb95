/* sdpa: attention in bf16 by cuDNN, as far as it goes. Arguments as attention and attention_backward of sjk.h. */
#ifndef SJK_SDPA_CUDA_H
#define SJK_SDPA_CUDA_H

#include "cuda.h"

enum { CUDA_SDPA_NONE = -1 };

/* 0; CUDA_SDPA_NONE where cuDNN does not take the shape or the addresses (all are to be multiples of 16 bytes), nothing
 * done; or a status with its reason. The plans of a shape are made at its first use. With SJ_DETERMINISTIC set
 * (product_cuda.h) the gradient has the same bits on every run. */
int cuda_sdpa(struct sjk *, int64_t B, int64_t K, int64_t H, int64_t E, const void *qkv, void *out, float *stat);
int cuda_sdpa_backward(struct sjk *, int64_t B, int64_t K, int64_t H, int64_t E, const void *qkv, const void *out,
                       const float *stat, const void *dout, void *dqkv);

#endif
