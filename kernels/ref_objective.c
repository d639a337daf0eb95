/* Reference: losses and the optimiser. */
#include "ref.h"

static const double norm_floor = 1e-12, variance_eps = 1e-6;

static double norm(int64_t n, const float *x)
{
    double s = 0;
    for (int64_t i = 0; i < n; i++)
        s += (double)x[i] * x[i];
    return sqrt(s);
}

/* fmax would drop a NaN. */
static double at_least(double x, double floor)
{
    return x < floor ? floor : x;
}

/* Mean and 1/sqrt(unbiased variance + eps) of a row. */
static void standard(int64_t n, const float *x, double *mean, double *r)
{
    double m = 0, v = 0;
    for (int64_t i = 0; i < n; i++)
        m += x[i];
    m /= (double)n;
    for (int64_t i = 0; i < n; i++)
        v += (x[i] - m) * (x[i] - m);
    *mean = m;
    *r = 1 / sqrt(v / (double)(n - 1) + variance_eps);
}

int ref_cosine_loss(struct sjk *k, int64_t M, int64_t D, const float *p, const float *t, float scale, double *loss,
                    float *dp)
{
    (void)k;
    for (int64_t i = 0; i < M && D > 0; i++, p += D, t += D) {
        double mean, r, s2 = 0, dot = 0, np = norm(D, p);
        standard(D, t, &mean, &r);
        for (int64_t d = 0; d < D; d++) {
            double s = (t[d] - mean) * r;
            s2 += s * s;
            dot += s * p[d];
        }
        double a = 1 / at_least(np, norm_floor), b = 1 / at_least(sqrt(s2), norm_floor), c = dot * a * b;
        *loss += 2 - 2 * c;
        /* d cos / dp = (s b - p a c) a, where the second term vanishes under the clamp */
        for (int64_t d = 0; dp && d < D; d++) {
            double own = np < norm_floor ? 0 : p[d] * a * c;
            dp[i * D + d] = (float)(scale * -2 * a * ((t[d] - mean) * r * b - own));
        }
    }
    return 0;
}

/* Row i of the contrastive term: probabilities q[j] (0 where masked); returns -log softmax_ii. */
static double infonce_row(int64_t B, int64_t E, int64_t i, const float *p, const float *t, const double *unit,
                          const int32_t *group, double temperature, double *q)
{
    double top = -INFINITY, sum = 0, own = 0, np = at_least(norm(E, p + i * E), norm_floor);
    for (int64_t j = 0; j < B; j++) {
        q[j] = -INFINITY;
        if (j != i && group[j] == group[i])
            continue;
        double dot = 0;
        for (int64_t e = 0; e < E; e++)
            dot += (double)p[i * E + e] * t[j * E + e];
        q[j] = dot / np * unit[j] / temperature;
        top = q[j] > top ? q[j] : top;
        if (j == i)
            own = q[j];
    }
    for (int64_t j = 0; j < B; j++)
        sum += q[j] = exp(q[j] - top);
    for (int64_t j = 0; j < B; j++)
        q[j] /= sum;
    return log(sum) + top - own;
}

int ref_infonce(struct sjk *k, int64_t B, int64_t E, const float *p, const float *t, const int32_t *group,
                float temperature, float scale, double *loss, float *dp)
{
    double *unit = sjk_scratch(k, (size_t)(2 * B + E) * sizeof *unit);
    if (!unit)
        return SJK_MEMORY;
    double *q = unit + B, *g = q + B;
    for (int64_t j = 0; j < B; j++)
        unit[j] = 1 / at_least(norm(E, t + j * E), norm_floor);
    for (int64_t i = 0; i < B && E > 0; i++) {
        *loss += infonce_row(B, E, i, p, t, unit, group, temperature, q);
        if (!dp)
            continue;
        const float *row = p + i * E;
        double n = norm(E, row), a = 1 / at_least(n, norm_floor), along = 0;
        for (int64_t e = 0; e < E; e++) {
            g[e] = 0;
            for (int64_t j = 0; j < B; j++)
                g[e] += (q[j] - (j == i)) / temperature * unit[j] * t[j * E + e];
            along += g[e] * row[e] * a;
        }
        for (int64_t e = 0; e < E; e++)
            dp[i * E + e] = (float)(scale * a * (g[e] - (n < norm_floor ? 0 : row[e] * a * along)));
    }
    return 0;
}

int ref_sum_squares(struct sjk *k, size_t n, const float *x, double *sum)
{
    (void)k;
    double s = 0;
    for (size_t i = 0; i < n; i++)
        s += (double)x[i] * x[i];
    *sum += s;
    return 0;
}

int ref_adamw(struct sjk *k, size_t n, float *p, float *g, float *m, float *v, float *ema, const struct sjk_adamw *a)
{
    (void)k;
    for (size_t i = 0; i < n; i++) {
        double grad = (double)a->gradient_scale * g[i];
        double first = a->beta1 * (double)m[i] + (1 - (double)a->beta1) * grad;
        double second = a->beta2 * (double)v[i] + (1 - (double)a->beta2) * grad * grad;
        double step = (double)a->rate / a->correction1 * first / (sqrt(second / a->correction2) + a->eps);
        double w = p[i] * (1 - (double)a->rate * a->decay) - step;
        m[i] = (float)first;
        v[i] = (float)second;
        p[i] = (float)w;
        g[i] = 0;
        if (ema)
            ema[i] = (float)(a->ema_rate * (double)ema[i] + (1 - (double)a->ema_rate) * p[i]);
    }
    return 0;
}
