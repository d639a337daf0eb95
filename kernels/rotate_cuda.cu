/* rotate_cuda: rotary positions. A thread takes one pack of pairs. */
#include "device.h"

enum { threads = 256 };

template <typename T, int V>
static __global__ void turn_pairs(int64_t n, int64_t K, int64_t H, int64_t E, const float *__restrict__ turns,
                                  float sign, T *__restrict__ qkv)
{
    int64_t i = ((int64_t)blockIdx.x * threads + threadIdx.x) * V, half = E / 2;
    int64_t head = quotient(i, half), e = i - head * half, row = quotient(head, 2 * H);
    float x[V], y[V], c[V], s[V];
    if (i >= n)
        return;
    turns += (row - quotient(row, K) * K) * E + e;
    qkv += (row * 3 * H + head - row * 2 * H) * E + e;
    load<V>((const T *)qkv, x);
    load<V>((const T *)qkv + half, y);
    load<V>(turns, c);
    load<V>(turns + half, s);
    for (int j = 0; j < V; j++) {
        float a = x[j], b = y[j], d = s[j] * sign;
        x[j] = c[j] * a - d * b;
        y[j] = c[j] * b + d * a;
    }
    store<V>(qkv, x);
    store<V>(qkv + half, y);
}

template <typename T>
static int turn_as(struct sjk *k, int64_t n, int64_t K, int64_t H, int64_t E, const float *turns, float sign, T *qkv)
{
    enum { V = 16 / sizeof(T) };
    if (n <= 0)
        return 0;
    if (E % (2 * V) || !cuda_packs<V>(turns) || !cuda_packs<V>(qkv))
        return CUDA_LAUNCH(k, cuda_blocks(n, threads), threads, 0, (turn_pairs<T, 1>), n, K, H, E, turns, sign, qkv);
    return CUDA_LAUNCH(k, cuda_blocks(n, threads * V), threads, 0, (turn_pairs<T, V>), n, K, H, E, turns, sign, qkv);
}

int cuda_rotate(struct sjk *k, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const float *turns,
                int back, void *qkv)
{
    const int64_t n = B * K * 2 * H * (E / 2);
    const float sign = back ? -1.0f : 1.0f;
    return t == SJK_BF16 ? turn_as(k, n, K, H, E, turns, sign, (bf16 *)qkv)
                         : turn_as(k, n, K, H, E, turns, sign, (float *)qkv);
}
