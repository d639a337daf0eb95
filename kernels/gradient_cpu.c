/* gradient_cpu: gradients of weights, dW (N, K) = or += dy^T x over M rows, in products of bf16 pairs.
 *
 * Words are pairs of neighbouring rows. A step of rows of dy and x is packed once, by all threads, into panels of a few
 * columns; a task then is a panel of x, which stays in the core's own cache, against a block of the panels of dy, each
 * with its tile of dW in registers. An element of dW is summed by one thread in the order of the rows, however the tasks
 * are shared. */
#include "cpu_ops.h"
#include "tile.h"

#if defined(__AVX512BF16__)
enum {
    tile_n = 8, tile_v = 3, tile_k = tile_v * VW, /* of dW, in registers */
    step_words = 1024,
    pack_words = 16, /* of rows that one thread packs at a time */
    task_n = 384,
    ahead = 128,     /* columns fetched before their use */
    soon = 12        /* words, the same */
};

/* A step, whose panels are written past the caches: rows of dy (N) and x (K), packed into a (panels, words, tile_n) and b (panels, words, tile_k). Rows that an
 * odd number lacks are 0; what panels hold beyond the last column is multiplied, but kept nowhere. */
struct step {
    const uint16_t *dy, *x;
    float *dW;
    int add;
    int64_t N, K, rows, words;
    float *a, *b;
};

/* Values j .. j + 31 of row i of x (rows, width) with 0 where there are none; asks for those further on. */
SJK_INLINE __m512i values(const uint16_t *x, int64_t rows, int64_t width, int64_t i, int64_t j)
{
    const uint16_t *p = x + i * width + j;
    __mmask32 there = width - j >= 32 ? ~(__mmask32)0 : ((__mmask32)1 << (width - j)) - 1;
    __builtin_prefetch(p + ahead);
    return _mm512_maskz_loadu_epi16(i < rows ? there : 0, p);
}

/* Words from `first` of all columns of dy to panels of tile_n. */
SJK_INLINE void pack_dy(const struct step *s, int64_t first)
{
    int64_t last = sjk_min(first + pack_words, s->words), panel = s->words * tile_n;
    for (int64_t j = 0; j < s->N; j += 32)
        for (int64_t w = first; w < last; w++) {
            __m512i low, high;
            tile_pairs(values(s->dy, s->rows, s->N, 2 * w, j), values(s->dy, s->rows, s->N, 2 * w + 1, j), &low, &high);
            float *p = s->a + j / tile_n * panel + w * tile_n;
            _mm256_stream_si256((__m256i *)(void *)p, _mm512_castsi512_si256(low));
            _mm256_stream_si256((__m256i *)(void *)(p + panel), _mm512_extracti64x4_epi64(low, 1));
            _mm256_stream_si256((__m256i *)(void *)(p + 2 * panel), _mm512_castsi512_si256(high));
            _mm256_stream_si256((__m256i *)(void *)(p + 3 * panel), _mm512_extracti64x4_epi64(high, 1));
        }
}

/* The same of x to panels of tile_k. */
SJK_INLINE void pack_x(const struct step *s, int64_t first)
{
    int64_t last = sjk_min(first + pack_words, s->words);
    for (int64_t j = 0; j < s->K; j += 2 * VW)
        for (int64_t w = first; w < last; w++) {
            __m512i word[2];
            tile_pairs(values(s->x, s->rows, s->K, 2 * w, j), values(s->x, s->rows, s->K, 2 * w + 1, j), &word[0],
                       &word[1]);
            for (int64_t v = 0, k = j; v < 2 && k < s->K; v++, k += VW)
                _mm512_stream_si512((__m512i *)(void *)(s->b + (k / tile_k * s->words + w) * tile_k + k % tile_k), word[v]);
        }
}

/* dW (rows, columns; K) = or += a b over all words. */
SJK_INLINE void gradient_tile(int64_t words, const float *a, const float *b, int64_t rows, int64_t columns, float *dW,
                              int64_t K, int add)
{
    __m512 sum[tile_n][tile_v], c[tile_v];
#pragma GCC unroll 8
    for (int i = 0; i < tile_n; i++)
#pragma GCC unroll 3
        for (int v = 0; v < tile_v; v++)
            sum[i][v] = _mm512_setzero_ps();
    for (int64_t i = 0; add && i < rows; i++)
        for (int v = 0; v < tile_v; v++)
            __builtin_prefetch(dW + i * K + v * VW, 1, 3);
    for (int64_t w = 0; w < words; w++) {
#pragma GCC unroll 3
        for (int v = 0; v < tile_v; v++)
            c[v] = _mm512_loadu_ps(b + w * tile_k + v * VW), __builtin_prefetch(b + (w + soon) * tile_k + v * VW);
        __builtin_prefetch(a + (w + 2 * soon) * tile_n);
#pragma GCC unroll 8
        for (int i = 0; i < tile_n; i++) {
            __m512 one = _mm512_set1_ps(a[w * tile_n + i]);
#pragma GCC unroll 3
            for (int v = 0; v < tile_v; v++)
                sum[i][v] = _mm512_dpbf16_ps(sum[i][v], (__m512bh)one, (__m512bh)c[v]);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < tile_n; i++)
#pragma GCC unroll 3
        for (int v = 0; v < tile_v; v++)
            if (i < rows && v * VW < columns) {
                __mmask16 there = vf_below(columns - v * VW);
                float *y = dW + i * K + v * VW;
                _mm512_mask_storeu_ps(y, there, add ? _mm512_add_ps(_mm512_maskz_loadu_ps(there, y), sum[i][v]) : sum[i][v]);
            }
}

static void gradient_task(const struct step *s, int64_t n, int64_t k)
{
    for (int64_t i = n; i < sjk_min(n + task_n, s->N); i += tile_n)
        gradient_tile(s->words, s->a + i * s->words, s->b + k * s->words, sjk_min(s->N - i, tile_n),
                      sjk_min(s->K - k, tile_k), s->dW + i * s->K + k, s->K, s->add);
}

int cpu_weight_gradient(struct sjk *k, int64_t M, int64_t N, int64_t K, const void *dy, const void *x, float *dW,
                        int add)
{
    int64_t down = (N + task_n - 1) / task_n, wide = (K + tile_k - 1) / tile_k;
    int64_t words = sjk_min((M + 1) / 2, step_words), a = (N + 31) / 32 * 32 * words;
    float *room = sjk_scratch(k, (size_t)(a + wide * tile_k * words) * sizeof *room);
    if (!room)
        return SJK_MEMORY;
#pragma omp parallel num_threads(sjk_team(k, M * N / 64 * K))
    for (int64_t m = 0; m < M; m += 2 * step_words) {
        const int64_t rows = sjk_min(M - m, 2 * step_words);
        const struct step s = {.dy = (const uint16_t *)dy + m * N, .x = (const uint16_t *)x + m * K, .dW = dW,
                               .add = add || m, .N = N, .K = K, .rows = rows, .words = (rows + 1) / 2, .a = room, .b = room + a};
#pragma omp for schedule(dynamic, 1)
        for (int64_t w = 0; w < s.words; w += pack_words) {
            pack_dy(&s, w);
            pack_x(&s, w);
            _mm_sfence(); /* before others read it */
        }
#pragma omp for schedule(dynamic, 1)
        for (int64_t i = 0; i < down * wide; i++)
            gradient_task(&s, i % down * task_n, i / down * tile_k);
    }
    return 0;
}
#endif
