/* Reference: feature-wise modulation. */
#include "ref.h"

int ref_film(struct sjk *k, int64_t B, int64_t K, int64_t N, enum sjk_type t, const void *x, const float *film,
             int64_t ld, void *y)
{
    (void)k;
    for (int64_t b = 0; b < B; b++)
        for (int64_t i = b * K; i < (b + 1) * K; i++)
            for (int64_t n = 0; n < N; n++) {
                double v = sjk_load(x, t, i * N + n) * (1.0 + film[b * ld + n]) + film[b * ld + N + n];
                sjk_store(y, t, i * N + n, v < 0 ? 0 : (float)v);
            }
    return 0;
}

int ref_film_backward(struct sjk *k, int64_t B, int64_t K, int64_t N, enum sjk_type t, const void *x, const void *y,
                      const float *film, int64_t ld, void *dy, float *dfilm, float *dbias)
{
    (void)k;
    for (int64_t n = 0; n < N; n++) {
        double bias = 0;
        for (int64_t b = 0; b < B; b++) {
            double scale = 1.0 + film[b * ld + n], ds = 0, da = 0;
            for (int64_t i = b * K; i < (b + 1) * K; i++) {
                double g = sjk_load(y, t, i * N + n) > 0 ? sjk_load(dy, t, i * N + n) : 0;
                sjk_store(dy, t, i * N + n, (float)(g * scale));
                ds += g * sjk_load(x, t, i * N + n);
                da += g;
            }
            bias += da * scale;
            dfilm[b * ld + n] = (float)ds;
            dfilm[b * ld + N + n] = (float)da;
        }
        dbias[n] = (float)(dbias[n] + bias);
    }
    return 0;
}
