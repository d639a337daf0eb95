/* film_cpu: feature-wise modulation, a chunk of columns of one sample at a time. */
#include "cpu_ops.h"
#include "vec.h"

enum { chunk = 256 }; /* columns; their sums stay in the first-level cache */

SJK_INLINE void row_forward(int64_t N, enum sjk_type t, const void *x, const float *film, int64_t at, void *y)
{
    for (int64_t j = 0; j < N; j += VW) {
        int64_t n = N - j;
        vf v = vf_get(x, t, at + j, n) * (vf_get(film, SJK_F32, j, n) + 1) + vf_get(film, SJK_F32, N + j, n);
        vf_put(y, t, at + j, n, vf_choose(vf_less(v, vf_all(0)), vf_all(0), v));
    }
}

int cpu_film(struct sjk *k, int64_t B, int64_t K, int64_t N, enum sjk_type t, const void *x, const float *film,
             int64_t ld, void *y)
{
#pragma omp parallel for num_threads(sjk_team(k, B *K *N))
    for (int64_t i = 0; i < B * K; i++)
        if (t == SJK_BF16)
            row_forward(N, SJK_BF16, x, film + i / K * ld, i * N, y);
        else
            row_forward(N, SJK_F32, x, film + i / K * ld, i * N, y);
    return 0;
}

/* Columns from `first` on of K rows. film, dfilm: of the sample. */
SJK_INLINE void chunk_backward(int64_t K, int64_t N, int64_t first, enum sjk_type t, const void *x, const void *y,
                               const float *film, int64_t at, void *dy, float *dfilm)
{
    int64_t end = sjk_min(N, first + chunk);
    float ds[chunk + VW] = {0}, da[chunk + VW] = {0};
    for (int64_t i = 0; i < K; i++, at += N)
        for (int64_t j = first; j < end; j += VW) {
            int64_t n = N - j, to = j - first;
            vf g = vf_choose(vf_less(vf_all(0), vf_get(y, t, at + j, n)), vf_get(dy, t, at + j, n), vf_all(0));
            vf_store(ds + to, vf_load(ds + to) + g * vf_get(x, t, at + j, n));
            vf_store(da + to, vf_load(da + to) + g);
            vf_put(dy, t, at + j, n, g * (vf_get(film, SJK_F32, j, n) + 1));
        }
    memcpy(dfilm + first, ds, (size_t)(end - first) * sizeof *ds);
    memcpy(dfilm + N + first, da, (size_t)(end - first) * sizeof *da);
}

int cpu_film_backward(struct sjk *k, int64_t B, int64_t K, int64_t N, enum sjk_type t, const void *x, const void *y,
                      const float *film, int64_t ld, void *dy, float *dfilm, float *dbias)
{
    int64_t chunks = (N + chunk - 1) / chunk;
#pragma omp parallel for num_threads(sjk_team(k, B *K *N))
    for (int64_t i = 0; i < B * chunks; i++) {
        int64_t b = i / chunks, first = i % chunks * chunk;
        if (t == SJK_BF16)
            chunk_backward(K, N, first, SJK_BF16, x, y, film + b * ld, b * K * N, dy, dfilm + b * ld);
        else
            chunk_backward(K, N, first, SJK_F32, x, y, film + b * ld, b * K * N, dy, dfilm + b * ld);
    }
    for (int64_t b = 0; b < B; b++)
        for (int64_t n = 0; n < N; n++)
            dbias[n] += dfilm[b * ld + N + n] * (film[b * ld + n] + 1);
    return 0;
}
