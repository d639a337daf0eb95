/* norm_cpu: LayerNorm, one row at a time in the first-level cache. */
#include "cpu_ops.h"
#include "sums.h"
#include "vec.h"

static const float layernorm_eps = 1e-5f;

/* Mean and 1/sqrt(var + eps) of a row, in two passes. */
SJK_INLINE void row_stat(int64_t D, const float *x, float stat[2])
{
    vf s = vf_all(0), v = vf_all(0);
    for (int64_t d = 0; d < D; d += VW)
        s += vf_get(x, SJK_F32, d, D - d);
    float mean = vf_sum(s) / (float)D;
    for (int64_t d = 0; d < D; d += VW) {
        vf c = vf_get(x, SJK_F32, d, D - d) - mean;
        if (D - d < VW)
            c = vf_choose(vf_below(D - d), c, vf_all(0));
        v += c * c;
    }
    stat[0] = mean;
    stat[1] = 1 / sqrtf(vf_sum(v) / (float)D + layernorm_eps);
}

SJK_INLINE void row_forward(int64_t D, const float *x, const float *gamma, const float *beta, void *y, enum sjk_type t,
                            int64_t at, const float stat[2])
{
    for (int64_t d = 0; d < D; d += VW) {
        int64_t n = D - d;
        vf c = (vf_get(x, SJK_F32, d, n) - stat[0]) * stat[1];
        vf_put(y, t, at + d, n, c * vf_get(gamma, SJK_F32, d, n) + vf_get(beta, SJK_F32, d, n));
    }
}

int cpu_layernorm(struct sjk *k, int64_t M, int64_t D, const float *x, const float *gamma, const float *beta, void *y,
                  enum sjk_type yt, float *stat)
{
    if (D <= 0)
        return 0;
#pragma omp parallel for num_threads(sjk_team(k, M *D))
    for (int64_t i = 0; i < M; i++) {
        float s[2];
        row_stat(D, x + i * D, s);
        if (yt == SJK_BF16)
            row_forward(D, x + i * D, gamma, beta, y, SJK_BF16, i * D, s);
        else
            row_forward(D, x + i * D, gamma, beta, y, SJK_F32, i * D, s);
        if (stat)
            memcpy(stat + 2 * i, s, sizeof s);
    }
    return 0;
}

/* Everything of layernorm_backward that its rows share. */
struct backward {
    int64_t D, width; /* of a row, of a row of sums */
    const float *x, *gamma, *stat;
    const void *dy;
    float *dx;
    int accumulate, sum_dx;
    enum sjk_type ct;
    void *copy;
};

/* Row i; adds to the block's sums: of dgamma, dbeta and dx, `width` each. */
SJK_INLINE void row_backward(const struct backward *w, enum sjk_type t, int64_t i, float *sum)
{
    int64_t D = w->D, at = i * D;
    float mean = w->stat[2 * i], r = w->stat[2 * i + 1];
    vf a = vf_all(0), b = vf_all(0);
    for (int64_t d = 0; d < D; d += VW) {
        int64_t n = D - d;
        vf g = vf_get(w->dy, t, at + d, n), c = (vf_get(w->x, SJK_F32, at + d, n) - mean) * r;
        if (n < VW)
            c = vf_choose(vf_below(n), c, vf_all(0));
        vf_store(sum + d, vf_load(sum + d) + g * c);
        vf_store(sum + w->width + d, vf_load(sum + w->width + d) + g);
        g *= vf_get(w->gamma, SJK_F32, d, n);
        a += g;
        b += g * c;
    }
    float ma = vf_sum(a) / (float)D, mb = vf_sum(b) / (float)D;
    for (int64_t d = 0; d < D; d += VW) {
        int64_t n = D - d;
        vf g = vf_get(w->dy, t, at + d, n) * vf_get(w->gamma, SJK_F32, d, n);
        vf c = (vf_get(w->x, SJK_F32, at + d, n) - mean) * r;
        vf dx = (g - ma - c * mb) * r;
        if (w->accumulate)
            dx += vf_get(w->dx, SJK_F32, at + d, n);
        vf_put(w->dx, SJK_F32, at + d, n, dx);
        if (w->copy && w->ct == SJK_BF16)
            vf_put(w->copy, SJK_BF16, at + d, n, dx);
        else if (w->copy)
            vf_put(w->copy, SJK_F32, at + d, n, dx);
        if (w->sum_dx)
            vf_store(sum + 2 * w->width + d, vf_load(sum + 2 * w->width + d) + dx);
    }
}

int cpu_layernorm_backward(struct sjk *k, int64_t M, int64_t D, const float *x, const float *gamma, const float *stat,
                           const void *dy, enum sjk_type dyt, float *dx, int accumulate, enum sjk_type ct,
                           void *dx_copy, float *dgamma, float *dbeta, float *dsum)
{
    if (M <= 0 || D <= 0)
        return 0;
    const struct backward w = {.D = D, .width = sums_width(D), .x = x, .gamma = gamma, .stat = stat, .dy = dy, .dx = dx,
                               .accumulate = accumulate, .sum_dx = dsum != NULL, .ct = ct, .copy = dx_copy};
    int64_t rows = sjk_block_rows(M), blocks = sjk_blocks(M);
    float *sum = sjk_scratch(k, (size_t)(blocks * 3 * w.width) * sizeof *sum);
    if (!sum)
        return SJK_MEMORY;
#pragma omp parallel for num_threads(sjk_team(k, M *D))
    for (int64_t b = 0; b < blocks; b++) {
        float *own = sum + b * 3 * w.width;
        memset(own, 0, (size_t)(3 * w.width) * sizeof *own);
        for (int64_t i = b * rows; i < sjk_min((b + 1) * rows, M); i++)
            if (dyt == SJK_BF16)
                row_backward(&w, SJK_BF16, i, own);
            else
                row_backward(&w, SJK_F32, i, own);
    }
    sums_add(k, blocks, D, 3 * w.width, sum, dgamma);
    sums_add(k, blocks, D, 3 * w.width, sum + w.width, dbeta);
    if (dsum)
        sums_add(k, blocks, D, 3 * w.width, sum + 2 * w.width, dsum);
    return 0;
}
