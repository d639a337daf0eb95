/* emulated_faults: kernels with the mistakes that the emulation is there to find. */
#include "device.h"
#include "emulated.h"

static __global__ void one_leaves(float *x)
{
    if (threadIdx.x == 40)
        return;
    __syncthreads();
    x[threadIdx.x] = 1;
}

static __global__ void two_places(float *x)
{
    if (threadIdx.x < 32)
        __syncthreads();
    else {
        x[threadIdx.x] = 1;
        __syncthreads();
    }
}

static __global__ void warp_is_split(float *x)
{
    if (threadIdx.x != 33)
        x[threadIdx.x] = warp_sum(x[threadIdx.x]);
}

static __global__ void warp_waits_elsewhere(float *x)
{
    if (threadIdx.x != 33)
        x[threadIdx.x] = warp_sum(x[threadIdx.x]);
    else
        __syncthreads();
}

static __global__ void beyond_array(float *x)
{
    __shared__ float part[32];
    part[threadIdx.x] = 1;
    __syncthreads();
    x[threadIdx.x] = part[threadIdx.x ^ 1];
}

static __global__ void beyond_dynamic(float *x)
{
    CUDA_DYNAMIC_SHARED(float, part);
    part[threadIdx.x] = x[0];
    __syncthreads();
}

/* These two run through, with wrong results. */
static __global__ void no_barrier(float *x)
{
    __shared__ float part[64];
    part[threadIdx.x] = 1;
    x[threadIdx.x] = part[threadIdx.x ^ 32];
}

static __global__ void never_written(float *x)
{
    __shared__ float part[64];
    if (threadIdx.x < 63)
        part[threadIdx.x] = 1;
    __syncthreads();
    x[threadIdx.x] = part[threadIdx.x];
}

int emulated_fault(struct sjk *k, int i, const char **name)
{
    float x[64] = {0};
    int wrong = 0;
#define FAULT(n, kernel, text) \
    case n:                    \
        *name = text;          \
        if (k)                 \
            CUDA_LAUNCH(k, 1, 64, 63 * sizeof(float), kernel, x); \
        break
    switch (i) {
        FAULT(0, one_leaves, "a thread ends while others wait at a barrier");
        FAULT(1, two_places, "threads wait at two barriers");
        FAULT(2, warp_is_split, "a lane stays away from an exchange");
        FAULT(3, warp_waits_elsewhere, "a lane waits at a barrier, the others in an exchange");
        FAULT(4, beyond_array, "an index beyond shared memory");
        FAULT(5, beyond_dynamic, "writing behind dynamic shared memory");
        FAULT(6, no_barrier, "no barrier between writing and reading");
        FAULT(7, never_written, "shared memory that nobody wrote");
    default: return -1;
    }
#undef FAULT
    for (int j = 0; j < 64; j++)
        wrong |= x[j] != 1;
    return wrong;
}
