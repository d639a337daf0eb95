/* sums_cuda: the second pass of sums over rows. */
#include "device.h"

enum { sums_rows = 16 };

struct totals {
    float *a, *b, *c;
};

/* One warp's width of columns a block, sums_rows threads each. */
static __global__ void add_sums(int64_t blocks, int64_t N, const float *__restrict__ part, struct totals total)
{
    __shared__ double all[sums_rows][32];
    int64_t j = (int64_t)blockIdx.x * 32 + threadIdx.x, ld = gridDim.y * N;
    float *out = blockIdx.y == 0 ? total.a : blockIdx.y == 1 ? total.b : total.c;
    double s = 0;
    part += blockIdx.y * N;
    for (int64_t b = threadIdx.y; j < N && b < blocks; b += sums_rows)
        s += part[b * ld + j];
    all[threadIdx.y][threadIdx.x] = s;
    __syncthreads();
    if (threadIdx.y || j >= N || !out)
        return;
    s = out[j];
    for (int i = 0; i < sums_rows; i++)
        s += all[i][threadIdx.x];
    out[j] = (float)s;
}

int cuda_add_sums(struct sjk *k, int64_t blocks, int count, int64_t N, const float *part, float *a, float *b, float *c)
{
    const struct totals total = {a, b, c};
    const dim3 grid(cuda_blocks(N, 32), (unsigned)count), block(32, sums_rows);
    return CUDA_LAUNCH(k, grid, block, 0, add_sums, blocks, N, part, total);
}
