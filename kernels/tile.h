/* tile: small matrix products in a core's own cache, for attention.
 *
 * Operands are matrices of 32-bit words. In f32 a word is one value; with dp it is a pair of bf16 values next to each
 * other along the sum, which the processor multiplies and adds pairwise. A product is then C (m, n) = A (m, w) B (w, n)
 * over w words either way, with C in f32. */
#ifndef SJK_TILE_H
#define SJK_TILE_H

#include "vec.h"

#if defined(__AVX512F__)
enum { tile_rows = 6, tile_vectors = 4 }; /* accumulators that fit the registers */
#else
enum { tile_rows = 6, tile_vectors = 2 };
#endif

/* A matrix of words: element (i, j) at p[i * row + j * column]. */
struct words {
    const float *p;
    int64_t row, column;
};

SJK_INLINE vf tile_step(int dp, vf sum, float a, vf b)
{
#if defined(__AVX512BF16__)
    if (dp)
        return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_ps(a), (__m512bh)b);
#endif
    (void)dp;
    return sum + a * b;
}

SJK_INLINE void tile(int dp, int rows, int vectors, int64_t w, struct words A, const float *B, int64_t ldb, float *C,
                     int64_t ldc, int add)
{
    vf sum[tile_rows][tile_vectors], b[tile_vectors];
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            sum[r][v] = add ? vf_load(C + r * ldc + v * VW) : vf_all(0);
    for (int64_t k = 0; k < w; k++) {
        const float *a = A.p + k * A.column;
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            b[v] = vf_load(B + k * ldb + v * VW);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++)
                sum[r][v] = tile_step(dp, sum[r][v], a[r * A.row], b[v]);
    }
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            vf_store(C + r * ldc + v * VW, sum[r][v]);
}

SJK_INLINE void tile_of(int dp, int rows, int vectors, int64_t w, struct words A, const float *B, int64_t ldb, float *C,
                        int64_t ldc, int add)
{
    switch (rows) {
    case 1: tile(dp, 1, vectors, w, A, B, ldb, C, ldc, add); break;
    case 2: tile(dp, 2, vectors, w, A, B, ldb, C, ldc, add); break;
    case 3: tile(dp, 3, vectors, w, A, B, ldb, C, ldc, add); break;
    case 4: tile(dp, 4, vectors, w, A, B, ldb, C, ldc, add); break;
    case 5: tile(dp, 5, vectors, w, A, B, ldb, C, ldc, add); break;
    default: tile(dp, 6, vectors, w, A, B, ldb, C, ldc, add); break;
    }
}

SJK_INLINE void tile_all(int dp, int64_t m, int64_t n, int64_t w, struct words A, const float *B, int64_t ldb,
                              float *C, int64_t ldc, int add)
{
    for (int64_t j = 0; j < n; j += tile_vectors * VW)
        for (int64_t i = 0; i < m; i += tile_rows) {
            int rows = (int)sjk_min(m - i, tile_rows), vectors = (int)sjk_min((n - j) / VW, tile_vectors);
            struct words a = {A.p + i * A.row, A.row, A.column};
            float *c = C + i * ldc + j;
            switch (vectors) {
            case 1: tile_of(dp, rows, 1, w, a, B + j, ldb, c, ldc, add); break;
            case 2: tile_of(dp, rows, 2, w, a, B + j, ldb, c, ldc, add); break;
            case 3: tile_of(dp, rows, tile_vectors < 3 ? tile_vectors : 3, w, a, B + j, ldb, c, ldc, add); break;
            default: tile_of(dp, rows, tile_vectors, w, a, B + j, ldb, c, ldc, add); break;
            }
        }
}

/* Once for either kind of word, not inlined into every caller. */
static __attribute__((noinline)) void tile_all_values(int64_t m, int64_t n, int64_t w, struct words A, const float *B,
                                                      int64_t ldb, float *C, int64_t ldc, int add)
{
    tile_all(0, m, n, w, A, B, ldb, C, ldc, add);
}

static __attribute__((noinline, unused)) void tile_all_pairs(int64_t m, int64_t n, int64_t w, struct words A,
                                                             const float *B, int64_t ldb, float *C, int64_t ldc,
                                                             int add)
{
    tile_all(1, m, n, w, A, B, ldb, C, ldc, add);
}

/* C (m, n; ldc) = A (m, w) B (w, n; ldb), or += when add; n is a multiple of VW. */
SJK_INLINE void tile_multiply(int dp, int64_t m, int64_t n, int64_t w, struct words A, const float *B, int64_t ldb,
                              float *C, int64_t ldc, int add)
{
    if (dp)
        tile_all_pairs(m, n, w, A, B, ldb, C, ldc, add);
    else
        tile_all_values(m, n, w, A, B, ldb, C, ldc, add);
}

/* How many words hold n values along the sum. */
SJK_INLINE int64_t tile_words(int dp, int64_t n)
{
    return dp ? (n + 1) / 2 : n;
}

/* y (rows, tile_words(n)): rows of n values of type t, `stride` elements apart, as words along the row. */
SJK_INLINE void tile_along(int dp, int64_t rows, int64_t n, const void *x, enum sjk_type t, int64_t stride, float *y)
{
    int64_t w = tile_words(dp, n);
    for (int64_t i = 0; i < rows; i++) {
        const uint16_t *pairs = (const uint16_t *)x + i * stride;
        int64_t whole = dp ? n / 2 : n; /* words */
        for (int64_t j = 0; j < whole; j += VW)
            vf_put(y, SJK_F32, i * w + j, whole - j,
                   dp ? vf_get(pairs, SJK_F32, j, whole - j) : vf_get(x, t, i * stride + j, n - j));
        uint32_t last = whole < w ? pairs[n - 1] : 0;
        if (whole < w)
            memcpy(y + i * w + whole, &last, sizeof last);
    }
}

/* y (tile_words(rows), ld): the same rows as words across them; ld >= n is a multiple of VW, the rest is 0. */
SJK_INLINE void tile_across(int dp, int64_t rows, int64_t n, const void *x, enum sjk_type t, int64_t stride, float *y,
                            int64_t ld)
{
    for (int64_t i = 0; i < tile_words(dp, rows); i++)
        for (int64_t j = 0; j < ld; j += VW) {
            int64_t left = n - j > 0 ? n - j : 0, at = (dp ? 2 * i : i) * stride + j;
            vf low = left ? vf_get(x, t, at, left) : vf_all(0);
            if (dp) {
                vf high = left && 2 * i + 1 < rows ? vf_get(x, t, at + stride, left) : vf_all(0);
                low = (vf)((vu)high | (vu)low >> 16);
            }
            vf_store(y + i * ld + j, low);
        }
}

#if defined(__AVX512F__)
/* y (16) = transpose of the rows of x (16, ldx): pairs of rows, then of pairs, are interleaved within quarters of the
 * vectors, then the quarters change places. */
SJK_INLINE void tile_transposed(const float *x, int64_t ldx, __m512 *y)
{
    __m512 r[16], t[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++)
        r[i] = _mm512_loadu_ps(x + i * ldx);
#pragma GCC unroll 8
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4)
#pragma GCC unroll 2
        for (int j = 0; j < 2; j++) {
            __m512d low = _mm512_castps_pd(t[i + j]), high = _mm512_castps_pd(t[i + j + 2]);
            r[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
            r[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
        }
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        __m512 a = _mm512_shuffle_f32x4(r[j], r[j + 4], 0x88), b = _mm512_shuffle_f32x4(r[j], r[j + 4], 0xdd);
        __m512 c = _mm512_shuffle_f32x4(r[j + 8], r[j + 12], 0x88), d = _mm512_shuffle_f32x4(r[j + 8], r[j + 12], 0xdd);
        y[j] = _mm512_shuffle_f32x4(a, c, 0x88);
        y[j + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
        y[j + 8] = _mm512_shuffle_f32x4(a, c, 0xdd);
        y[j + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
}
#endif

#if defined(__AVX512BF16__)
/* The words that 32 values of two rows make, the first 16 in *low, the others in *high. */
SJK_INLINE void tile_pairs(__m512i row, __m512i next, __m512i *low, __m512i *high)
{
    static const uint16_t order[32] = {0, 32, 1, 33, 2,  34, 3,  35, 4,  36, 5,  37, 6,  38, 7,  39,
                                       8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
    __m512i first = _mm512_loadu_si512(order);
    *low = _mm512_permutex2var_epi16(row, first, next);
    *high = _mm512_permutex2var_epi16(row, _mm512_add_epi16(first, _mm512_set1_epi16(16)), next);
}
#endif

/* y (columns, ld) = transpose of x (rows, columns) of words; ld >= rows, the rest is 0. */
SJK_INLINE void tile_transpose(int64_t rows, int64_t columns, const float *x, float *y, int64_t ld)
{
    for (int64_t j = 0; j < columns; j++)
        memset(y + j * ld + rows, 0, (size_t)(ld - rows) * sizeof *y);
    int64_t i0 = 0, j0 = 0;
#if defined(__AVX512F__)
    i0 = rows / 16 * 16, j0 = columns / 16 * 16;
    for (int64_t i = 0; i < i0; i += 16)
        for (int64_t j = 0; j < j0; j += 16) {
            __m512 row[16];
            tile_transposed(x + i * columns + j, columns, row);
#pragma GCC unroll 16
            for (int r = 0; r < 16; r++)
                _mm512_storeu_ps(y + (j + r) * ld + i, row[r]);
        }
#endif
    for (int64_t j = 0; j < columns; j++)
        for (int64_t i = j < j0 ? i0 : 0; i < rows; i++)
            memcpy(y + j * ld + i, x + i * columns + j, sizeof *y); /* words of bf16 pairs are no floats */
}

#endif
