/* pack_cpu: the weights of a linear layer as bf16 pairs in panels of columns, both directions in one pass over them.
 *
 * Results go past the caches: they are not read before the weights of all other layers are packed. */
#include "cpu_ops.h"
#include "tile.h"

#if defined(__AVX512BF16__)
enum {
    pack_rows = SJK_PACK_ROWS, pack_columns = 32, /* a tile in registers */
    ahead = 512                        /* columns fetched before their use */
};

/* Where a column begins in panels of `words` words. */
SJK_INLINE float *panel(const struct sjk_packing *p, float *packed, int64_t words, int64_t column)
{
    return packed + column / p->width * words * p->width + column % p->width;
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
        float *to = panel(p, p->forward, p->K / 2, n) + k / 2 * p->width;
        __m512 pairs[pack_rows];
        tile_transposed(row, VW, pairs);
#pragma GCC unroll 16
        for (int i = 0; i < pack_rows; i++)
            _mm512_stream_ps(to + i * p->width, pairs[i]);
    }
    if (p->backward) {
        float *left = panel(p, p->backward, p->N / 2, k), *right = panel(p, p->backward, p->N / 2, k + VW);
#pragma GCC unroll 8
        for (int64_t i = 0; i < pack_rows; i += 2) {
            __m512i low, high;
            tile_pairs(_mm512_load_si512(row + i * VW), _mm512_load_si512(row + (i + 1) * VW), &low, &high);
            _mm512_stream_si512((void *)(left + (n + i) / 2 * p->width), low);
            _mm512_stream_si512((void *)(right + (n + i) / 2 * p->width), high);
        }
    }
}

void cpu_pack_block(const struct sjk_packing *p, int64_t n, int64_t from, int64_t to)
{
    for (int64_t column = from; column < to; column += pack_columns)
        pack_tile(p, n, column);
}

void cpu_pack_end(void)
{
    _mm_sfence();
}

void cpu_pack(struct sjk *k, const struct sjk_packing *p)
{
#pragma omp parallel num_threads(sjk_team(k, p->N * p->K))
    {
#pragma omp for schedule(static) nowait
        for (int64_t n = 0; n < p->N; n += pack_rows)
            cpu_pack_block(p, n, 0, p->K);
        cpu_pack_end();
    }
}
#endif
