/* pack_cpu: the weights of a linear layer as bf16 pairs in panels of columns, both directions in one pass over them.
 *
 * Results go past the caches: they are not read before the weights of all other layers are packed. */
#include "cpu_ops.h"
#include "tile.h"

#if defined(__AVX512BF16__)
enum {
    pack_rows = 16, pack_columns = 32, /* a tile in registers */
    ahead = 512                        /* columns fetched before their use */
};

/* Where panels of `width` columns with `pairs` pairs each begin. */
SJK_INLINE float *panel(uint16_t *packed, int64_t width, int64_t pairs, int64_t column)
{
    return (float *)(void *)packed + column / width * pairs * width + column % width;
}

/* The tile of W at row n and column k to either side's panels. */
SJK_INLINE void pack_tile(const struct sjk_packing *p, int64_t n, int64_t k)
{
    __attribute__((aligned(64))) float row[pack_rows * VW];
#pragma GCC unroll 16
    for (int i = 0; i < pack_rows; i++) {
        const float *w = p->W + (n + i) * p->K + k;
        __builtin_prefetch(w + ahead);
        __builtin_prefetch(w + ahead + VW);
        _mm512_store_si512(row + i * VW, (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(w + VW), _mm512_loadu_ps(w)));
    }
    if (p->forward) {
        int64_t width = p->forward_width;
        float *to = panel(p->forward, width, p->K / 2, n) + k / 2 * width;
        __m512 pairs[pack_rows];
        tile_transposed(row, VW, pairs);
#pragma GCC unroll 16
        for (int i = 0; i < pack_rows; i++)
            _mm512_stream_ps(to + i * width, pairs[i]);
    }
    if (p->backward) {
        int64_t width = p->backward_width;
        float *left = panel(p->backward, width, p->N / 2, k), *right = panel(p->backward, width, p->N / 2, k + VW);
#pragma GCC unroll 8
        for (int64_t i = 0; i < pack_rows; i += 2) {
            __m512i low, high;
            tile_pairs(_mm512_load_si512(row + i * VW), _mm512_load_si512(row + (i + 1) * VW), &low, &high);
            _mm512_stream_si512((void *)(left + (n + i) / 2 * width), low);
            _mm512_stream_si512((void *)(right + (n + i) / 2 * width), high);
        }
    }
}

void cpu_pack(struct sjk *k, const struct sjk_packing *p)
{
#pragma omp parallel num_threads(sjk_team(k, p->N * p->K))
    {
#pragma omp for schedule(static) nowait
        for (int64_t n = 0; n < p->N; n += pack_rows)
            for (int64_t column = 0; column < p->K; column += pack_columns)
                pack_tile(p, n, column);
        _mm_sfence(); /* before others read it */
    }
}
#endif
