/* Reference: LayerNorm, GELU, ReLU and the column sums that bias gradients are. */
#include "ref.h"

static const double layernorm_eps = 1e-5;

int ref_layernorm(struct sjk *k, int64_t M, int64_t D, const float *x, const float *gamma, const float *beta, void *y,
                  enum sjk_type yt, float *stat)
{
    (void)k;
    for (int64_t i = 0; i < M && D > 0; i++) {
        const float *row = x + i * D;
        double mean = 0, var = 0;
        for (int64_t d = 0; d < D; d++)
            mean += row[d];
        mean /= (double)D;
        for (int64_t d = 0; d < D; d++)
            var += (row[d] - mean) * (row[d] - mean);
        double r = 1 / sqrt(var / (double)D + layernorm_eps);
        for (int64_t d = 0; d < D; d++)
            sjk_store(y, yt, i * D + d, (float)((row[d] - mean) * r * gamma[d] + beta[d]));
        if (stat) {
            stat[2 * i] = (float)mean;
            stat[2 * i + 1] = (float)r;
        }
    }
    return 0;
}

/* One row: the gradient with respect to x, with the two sums over the row that it needs. */
static void layernorm_row(int64_t D, const float *x, const float *gamma, const float *stat, const void *dy,
                          enum sjk_type t, size_t at, float *dx, int accumulate)
{
    double mean = stat[0], r = stat[1], a = 0, b = 0;
    for (int64_t d = 0; d < D; d++) {
        double w = (double)sjk_load(dy, t, at + d) * gamma[d];
        a += w;
        b += w * (x[d] - mean) * r;
    }
    a /= (double)D;
    b /= (double)D;
    for (int64_t d = 0; d < D; d++) {
        double g = r * ((double)sjk_load(dy, t, at + d) * gamma[d] - a - (x[d] - mean) * r * b);
        dx[d] = (float)((accumulate ? dx[d] : 0) + g);
    }
}

int ref_layernorm_backward(struct sjk *k, int64_t M, int64_t D, const float *x, const float *gamma, const float *stat,
                           const void *dy, enum sjk_type dyt, float *dx, int accumulate, enum sjk_type ct,
                           void *dx_copy, float *dgamma, float *dbeta, float *dsum)
{
    for (int64_t i = 0; i < M; i++)
        layernorm_row(D, x + i * D, gamma, stat + 2 * i, dy, dyt, i * D, dx + i * D, accumulate);
    for (int64_t d = 0; d < D; d++) {
        double g = 0, b = 0, s = 0;
        for (int64_t i = 0; i < M; i++) {
            double v = sjk_load(dy, dyt, i * D + d);
            g += v * ((double)x[i * D + d] - stat[2 * i]) * stat[2 * i + 1];
            b += v;
            s += dx[i * D + d];
        }
        dgamma[d] = (float)(dgamma[d] + g);
        dbeta[d] = (float)(dbeta[d] + b);
        if (dsum)
            dsum[d] = (float)(dsum[d] + s);
    }
    return dx_copy ? ref_cast(k, (size_t)(M * D), dx, SJK_F32, dx_copy, ct) : 0;
}

int ref_gelu(struct sjk *k, int64_t M, int64_t N, enum sjk_type t, const void *x, void *y)
{
    (void)k;
    for (int64_t i = 0; i < M * N; i++) {
        double v = sjk_load(x, t, i);
        sjk_store(y, t, i, (float)(v / 2 * (1 + erf(v * M_SQRT1_2))));
    }
    return 0;
}

int ref_gelu_backward(struct sjk *k, int64_t M, int64_t N, enum sjk_type t, const void *x, void *dy, float *dbias)
{
    (void)k;
    const double density = 0.39894228040143267794; /* 1 / sqrt(2 pi) */
    for (int64_t n = 0; n < N; n++) {
        double sum = 0;
        for (int64_t i = n; i < M * N; i += N) {
            double v = sjk_load(x, t, i);
            double slope = (1 + erf(v * M_SQRT1_2)) / 2 + v * density * exp(-v * v / 2);
            float g = (float)(sjk_load(dy, t, i) * slope);
            sjk_store(dy, t, i, g);
            sum += g;
        }
        dbias[n] = (float)(dbias[n] + sum);
    }
    return 0;
}

int ref_relu_backward(struct sjk *k, int64_t M, int64_t N, enum sjk_type t, const void *y, void *dy, float *dbias)
{
    (void)k;
    for (int64_t n = 0; n < N; n++) {
        double sum = 0;
        for (int64_t i = n; i < M * N; i += N) {
            float g = sjk_load(y, t, i) > 0 ? sjk_load(dy, t, i) : 0;
            sjk_store(dy, t, i, g);
            sum += g;
        }
        dbias[n] = (float)(dbias[n] + sum);
    }
    return 0;
}

int ref_column_sum(struct sjk *k, int64_t M, int64_t N, enum sjk_type t, const void *x, float *sum)
{
    (void)k;
    for (int64_t n = 0; n < N; n++) {
        double s = 0;
        for (int64_t i = n; i < M * N; i += N)
            s += sjk_load(x, t, i);
        sum[n] = (float)(sum[n] + s);
    }
    return 0;
}
