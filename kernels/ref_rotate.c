/* Reference: rotary positions. */
#include "ref.h"

int ref_rotate(struct sjk *k, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const float *turns, int back,
               void *qkv)
{
    (void)k;
    for (int64_t i = 0; i < B * K * 2 * H; i++) { /* heads of queries and keys */
        int64_t row = i / (2 * H), at = (row * 3 * H + i % (2 * H)) * E;
        const float *turn = turns + row % K * E;
        for (int64_t e = 0; e < E / 2; e++) {
            double x = sjk_load(qkv, t, at + e), y = sjk_load(qkv, t, at + E / 2 + e);
            double c = turn[e], s = back ? -turn[E / 2 + e] : turn[E / 2 + e];
            sjk_store(qkv, t, at + e, (float)(c * x - s * y));
            sjk_store(qkv, t, at + E / 2 + e, (float)(c * y + s * x));
        }
    }
    return 0;
}
