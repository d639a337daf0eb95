/* emulation: as much of CUDA as the own kernels use, for the host, so that the same sources are tested without a
 * device.
 *
 * Blocks run one after the other, and in a block one warp after the other, each up to the next barrier. Threads are
 * coroutines: each runs until it waits for others (a barrier or an exchange in its warp) or ends. So a value that is
 * read before the barrier that should come first, or overwritten after one that is missing, is wrong in one of two
 * orders: ascending, or descending for a back end with more than one thread. Shared memory starts as NaN
 * in the first blocks that run.
 *
 * Aborts with the kernel's name when threads of a block end or wait elsewhere while others wait at a barrier, when the
 * lanes of a warp do not all meet in an exchange, when what lies behind dynamic shared memory was written, and when a
 * grid or block is out of range. The kernels are compiled with checks of the bounds of arrays, which trap. */
#ifndef TESTS_EMULATION_H
#define TESTS_EMULATION_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __shared__ __attribute__((section("emulated_shared"))) static

static inline int __popc(unsigned x)
{
    return __builtin_popcount(x);
}

typedef int cudaError_t;
typedef void *cudaStream_t;

struct dim3 {
    unsigned x, y, z;
    dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};

struct emulated_place {
    unsigned x, y, z;
};
extern struct emulated_place threadIdx, blockIdx, blockDim, gridDim;

struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(16) uint4 {
    unsigned x, y, z, w;
};

static inline float2 make_float2(float x, float y)
{
    return float2{x, y};
}

struct __nv_bfloat16 {
    uint16_t bits;
};

static inline __nv_bfloat16 __float2bfloat16_rn(float x)
{
    return __nv_bfloat16{sjk_to_bf16(x)};
}

static inline float __bfloat162float(__nv_bfloat16 x)
{
    return sjk_from_bf16(x.bits);
}

static inline float rsqrtf(float x)
{
    return 1 / sqrtf(x);
}

#define __expf(x) expf(x)

static inline void sincospif(float x, float *s, float *c)
{
    double turn = remainder((double)x, 2) * M_PI;
    *s = (float)sin(turn);
    *c = (float)cos(turn);
}

template <typename T> static inline T __ldg(const T *p)
{
    return *p;
}

/* Waiting; `line` tells one place from another. */
void emulated_barrier(int line);
int emulated_barrier_or(int line, int value);
void emulated_exchange(int line, unsigned mask, uint64_t mine, uint64_t all[32]);
void *emulated_dynamic_shared(void);

#define __syncthreads() emulated_barrier(__LINE__)
#define __syncthreads_or(value) emulated_barrier_or(__LINE__, (value))
#define __syncwarp() emulated_syncwarp(__LINE__)
#define __shfl_xor_sync(mask, x, lanes) emulated_shuffle(__LINE__, (mask), (x), emulated_lane() ^ (lanes))
#define __shfl_sync(mask, x, lane) emulated_shuffle(__LINE__, (mask), (x), (lane))
#define __ballot_sync(mask, x) emulated_ballot(__LINE__, (mask), (x))
#define CUDA_DYNAMIC_SHARED(type, name) type *name = static_cast<type *>(emulated_dynamic_shared())

static inline int emulated_lane(void)
{
    return (int)((threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32);
}

static inline void emulated_syncwarp(int line)
{
    uint64_t all[32];
    emulated_exchange(line, 0xffffffffu, 0, all);
}

template <typename T> static inline T emulated_shuffle(int line, unsigned mask, T x, int from)
{
    uint64_t mine = 0, all[32];
    static_assert(sizeof x <= sizeof mine, "too wide for an exchange");
    memcpy(&mine, &x, sizeof x);
    emulated_exchange(line, mask, mine, all);
    memcpy(&x, &all[from & 31], sizeof x);
    return x;
}

static inline unsigned emulated_ballot(int line, unsigned mask, int x)
{
    uint64_t all[32];
    unsigned set = 0;
    emulated_exchange(line, mask, x != 0, all);
    for (int i = 0; i < 32; i++)
        set |= (unsigned)all[i] << i;
    return set;
}

/* Runs call(data) for every thread of the grid; `order` < 0: the last block and thread first. */
void emulated_run(const char *kernel, dim3 grid, dim3 block, size_t shared, int order, void (*call)(void *),
                  void *data);

template <typename F> static inline int emulated_launch(const char *kernel, dim3 grid, dim3 block, size_t shared,
                                                        int order, F body)
{
    emulated_run(kernel, grid, block, shared, order, [](void *data) { (*static_cast<F *>(data))(); }, &body);
    return 0;
}

#define CUDA_LAUNCH(k, grid, block, shared, kernel, ...)                                          \
    emulated_launch(#kernel, (grid), (block), (shared), (k)->threads > 1 ? -1 : 1, [=]() mutable { \
        kernel(__VA_ARGS__);                                                                      \
    })

#endif
