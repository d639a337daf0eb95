/* rotate_cpu: rotary positions, one token at a time. */
#include "cpu_ops.h"
#include "vec.h"

SJK_INLINE void turn_head(int64_t half, enum sjk_type t, const float *turn, float sign, void *qkv, int64_t at)
{
    for (int64_t e = 0; e < half; e += VW) {
        int64_t n = half - e;
        vf x = vf_get(qkv, t, at + e, n), y = vf_get(qkv, t, at + half + e, n);
        vf c = vf_get(turn, SJK_F32, e, n), s = vf_get(turn, SJK_F32, half + e, n) * sign;
        vf_put(qkv, t, at + e, n, c * x - s * y);
        vf_put(qkv, t, at + half + e, n, c * y + s * x);
    }
}

int cpu_rotate(struct sjk *k, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const float *turns, int back,
               void *qkv)
{
    const float sign = back ? -1 : 1;
#pragma omp parallel for num_threads(sjk_team(k, B *K *H *E * 2))
    for (int64_t i = 0; i < B * K; i++)
        for (int64_t h = 0; h < 2 * H; h++)
            if (t == SJK_BF16)
                turn_head(E / 2, SJK_BF16, turns + i % K * E, sign, qkv, (i * 3 * H + h) * E);
            else
                turn_head(E / 2, SJK_F32, turns + i % K * E, sign, qkv, (i * 3 * H + h) * E);
    return 0;
}
