/* product_own: a matrix product for every size, alignment and pair of types, with its epilogue: what cuBLASLt does not
 * take. Each block makes a tile of 64 x 64 of the output, each thread 4 x 4 of it; operands go through shared memory
 * as f32. */
#include "product_cuda.h"

enum { tile = 64, depth = 16, side = 16, each = tile / side };

static __device__ float load(const void *p, int bf16, int64_t i)
{
    return bf16 ? __bfloat162float(((const __nv_bfloat16 *)p)[i]) : ((const float *)p)[i];
}

static __device__ float finished(float v, int epilogue)
{
    if (epilogue == SJK_GELU)
        return 0.5f * v * erfcf(v * -0.70710678f);
    return epilogue == SJK_RELU && v < 0 ? 0 : v;
}

/* to[d][i] = element (first_row + i, first_k + d) of a matrix (rows, k), 0 outside of it. */
static __device__ void load_tile(float (*to)[tile + 1], const void *x, int bf16, int turned, int64_t ld, int64_t rows,
                                 int64_t k, int64_t first_row, int64_t first_k, int thread)
{
    for (int i = thread; i < tile * depth; i += side * side) {
        int r = turned ? i % tile : i / depth, d = turned ? i / tile : i % depth;
        int64_t row = first_row + r, column = first_k + d;
        int inside = row < rows && column < k;
        to[d][r] = inside ? load(x, bf16, turned ? column * ld + row : row * ld + column) : 0;
    }
}

static __global__ void product(struct cuda_product p, int epilogue)
{
    __shared__ float a[depth][tile + 1], b[depth][tile + 1];
    float sum[each][each] = {};
    int thread = (int)threadIdx.x, ty = thread / side, tx = thread % side, bf16 = p.t == SJK_BF16;
    int64_t columns = (p.n + tile - 1) / tile;
    int64_t row = (int64_t)blockIdx.x / columns * tile, column = (int64_t)blockIdx.x % columns * tile;
    for (int64_t k = 0; k < p.k; k += depth) {
        load_tile(a, p.A, bf16, p.a_turned, p.lda, p.m, p.k, row, k, thread);
        load_tile(b, p.B, bf16, !p.b_turned, p.ldb, p.n, p.k, column, k, thread);
        float part[each][each] = {}; /* long sums stay exact enough */
        __syncthreads();
        for (int d = 0; d < depth; d++)
            for (int i = 0; i < each; i++)
                for (int j = 0; j < each; j++)
                    part[i][j] += a[d][i * side + ty] * b[d][j * side + tx];
        for (int i = 0; i < each; i++)
            for (int j = 0; j < each; j++)
                sum[i][j] += part[i][j];
        __syncthreads();
    }
    for (int i = 0; i < each; i++)
        for (int j = 0; j < each; j++) {
            int64_t r = row + i * side + ty, c = column + j * side + tx, at = r * p.ldd + c;
            if (r >= p.m || c >= p.n)
                continue;
            float v = finished(sum[i][j] + (p.bias ? p.bias[c] : 0), epilogue);
            v += p.C ? load(p.C, p.dt == SJK_BF16, at) : 0;
            if (p.dt == SJK_BF16)
                ((__nv_bfloat16 *)p.D)[at] = __float2bfloat16_rn(v);
            else
                ((float *)p.D)[at] = v;
        }
}

int cuda_product_own(struct sjk *k, const struct cuda_product *p, enum sjk_epilogue e)
{
    int64_t blocks = (p->m + tile - 1) / tile * ((p->n + tile - 1) / tile);
    if (blocks <= 0)
        return 0;
    if (blocks > INT32_MAX)
        return sjk_fail(k, SJK_BAD, "a matrix product of %lld x %lld is too large", (long long)p->m, (long long)p->n);
    return CUDA_LAUNCH(k, (unsigned)blocks, side * side, 0, product, *p, (int)e);
}

/* Blocks of 256 threads for n elements: each takes several when there are many. */
static unsigned blocks_of(size_t n)
{
    size_t blocks = (n + 255) / 256;
    return (unsigned)(blocks < 16384 ? blocks : 16384);
}

static __global__ void add_bias(size_t n, int64_t N, const float *bias, float *x)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x, step = (size_t)gridDim.x * blockDim.x;
    for (; i < n; i += step)
        x[i] += bias[i % (size_t)N];
}

int cuda_add_bias(struct sjk *k, int64_t M, int64_t N, const float *bias, float *x)
{
    size_t n = (size_t)(M * N);
    return n ? CUDA_LAUNCH(k, blocks_of(n), 256, 0, add_bias, n, N, bias, x) : 0;
}

/* A word of four bf16 or two f32 values, those below 0 cleared: as bits, from above -0 to -infinity. */
static __device__ uint64_t relu_word(uint64_t word, int bf16)
{
    uint64_t kept = 0;
    if (bf16)
        for (int i = 0; i < 64; i += 16) {
            uint64_t v = word >> i & 0xffff;
            kept |= (v > 0x8000 && v <= 0xff80 ? 0 : v) << i;
        }
    else
        for (int i = 0; i < 64; i += 32) {
            uint64_t v = word >> i & 0xffffffff;
            kept |= (v > 0x80000000 && v <= 0xff800000 ? 0 : v) << i;
        }
    return kept;
}

/* x = max(x, 0): `words` whole words, then single values from `rest` on. */
static __global__ void relu(size_t words, size_t rest, size_t n, int bf16, void *x)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x, step = (size_t)gridDim.x * blockDim.x;
    for (size_t w = i; w < words; w += step)
        ((uint64_t *)x)[w] = relu_word(((uint64_t *)x)[w], bf16);
    for (size_t v = rest + i; v < n; v += step)
        if (load(x, bf16, (int64_t)v) < 0) {
            if (bf16)
                ((__nv_bfloat16 *)x)[v] = __float2bfloat16_rn(0);
            else
                ((float *)x)[v] = 0;
        }
}

int cuda_relu(struct sjk *k, size_t n, enum sjk_type t, void *x)
{
    size_t each_word = 8 / sjk_type_size(t), words = (uintptr_t)x % 8 ? 0 : n / each_word;
    if (!n)
        return 0;
    return CUDA_LAUNCH(k, blocks_of(words ? words : n), 256, 0, relu, words, words * each_word, n, t == SJK_BF16, x);
}
