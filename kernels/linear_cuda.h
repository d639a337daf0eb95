/* linear_cuda: what a linear layer of the CUDA back end keeps. */
#ifndef SJK_LINEAR_CUDA_H
#define SJK_LINEAR_CUDA_H

#include "cuda.h"

/* Its weights as they are multiplied: (N, K) of its type. */
void *cuda_linear_weight(const struct sjk_linear *);

#endif
