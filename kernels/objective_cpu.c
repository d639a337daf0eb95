/* objective_cpu: losses and the optimiser. */
#include "cpu_ops.h"
#include "vec.h"

enum { square_chunk = 1 << 16, adamw_chunk = 1 << 14 };
static const float norm_floor = 1e-12f, variance_eps = 1e-6f;

SJK_INLINE float at_least(float x, float floor)
{
    return x < floor ? floor : x;
}

SJK_INLINE float dot(int64_t n, const float *x, const float *y)
{
    vf s = vf_all(0);
    for (int64_t i = 0; i < n; i += VW)
        s += vf_get(x, SJK_F32, i, n - i) * vf_get(y, SJK_F32, i, n - i);
    return vf_sum(s);
}

/* Length of a vector; scaled, so that squares neither overflow nor vanish. */
static float length(int64_t n, const float *x)
{
    float s = dot(n, x, x);
    if (s > 1e-20f && s < 1e30f)
        return sqrtf(s);
    double wide = 0;
    for (int64_t i = 0; i < n; i++)
        wide += (double)x[i] * x[i];
    return (float)sqrt(wide);
}

/* One row of the cosine loss; returns its loss. */
static double cosine_row(int64_t D, const float *p, const float *t, float scale, float *dp)
{
    vf s = vf_all(0), v = vf_all(0), c = vf_all(0);
    for (int64_t d = 0; d < D; d += VW)
        s += vf_get(t, SJK_F32, d, D - d);
    float mean = vf_sum(s) / (float)D;
    for (int64_t d = 0; d < D; d += VW) {
        vf x = vf_get(t, SJK_F32, d, D - d) - mean;
        if (D - d < VW)
            x = vf_choose(vf_below(D - d), x, vf_all(0));
        v += x * x;
        c += x * vf_get(p, SJK_F32, d, D - d);
    }
    float var = vf_sum(v), r = 1 / sqrtf(var / (float)(D - 1) + variance_eps), np = length(D, p);
    float a = 1 / at_least(np, norm_floor), b = r / at_least(sqrtf(var) * r, norm_floor), cosine = vf_sum(c) * a * b;
    if (!dp)
        return 2 - 2 * (double)cosine;
    float f = -2 * scale * a, own = np < norm_floor ? 0 : a * cosine;
    for (int64_t d = 0; d < D; d += VW) {
        int64_t n = D - d;
        vf_put(dp, SJK_F32, d, n, ((vf_get(t, SJK_F32, d, n) - mean) * b - vf_get(p, SJK_F32, d, n) * own) * f);
    }
    return 2 - 2 * (double)cosine;
}

int cpu_cosine_loss(struct sjk *k, int64_t M, int64_t D, const float *p, const float *t, float scale, double *loss,
                    float *dp)
{
    if (M <= 0 || D <= 0)
        return 0;
    double *row = sjk_scratch(k, (size_t)M * sizeof *row);
    if (!row)
        return SJK_MEMORY;
#pragma omp parallel for num_threads(sjk_team(k, M *D))
    for (int64_t i = 0; i < M; i++)
        row[i] = cosine_row(D, p + i * D, t + i * D, scale, dp ? dp + i * D : NULL);
    for (int64_t i = 0; i < M; i++)
        *loss += row[i];
    return 0;
}

/* What the rows of the contrastive term share. */
struct contrast {
    int64_t B, E;
    const float *p, *t;
    const int32_t *group;
    float temperature, scale;
    const float *unit; /* 1 / |t_j| */
};

/* Row i; q has room for B + E values. Returns -log softmax_ii. */
static double contrast_row(const struct contrast *c, int64_t i, float *q, float *dp)
{
    const float *p = c->p + i * c->E;
    float np = length(c->E, p), a = 1 / at_least(np, norm_floor), top = -INFINITY, own = 0, *g = q + c->B;
    for (int64_t j = 0; j < c->B; j++) {
        q[j] = -INFINITY;
        if (j != i && c->group[j] == c->group[i])
            continue;
        q[j] = dot(c->E, p, c->t + j * c->E) * a * c->unit[j] / c->temperature;
        top = q[j] > top ? q[j] : top;
        if (j == i)
            own = q[j];
    }
    double sum = 0;
    for (int64_t j = 0; j < c->B; j++)
        sum += exp((double)q[j] - top);
    if (dp) {
        memset(g, 0, (size_t)c->E * sizeof *g);
        for (int64_t j = 0; j < c->B; j++) {
            float f = (float)((exp((double)q[j] - top) / sum - (j == i)) / c->temperature * c->unit[j]);
            for (int64_t e = 0; e < c->E; e++)
                g[e] += f * c->t[j * c->E + e];
        }
        float along = np < norm_floor ? 0 : dot(c->E, g, p) * a * a;
        for (int64_t e = 0; e < c->E; e++)
            dp[e] = c->scale * a * (g[e] - p[e] * along);
    }
    return log(sum) + top - own;
}

int cpu_infonce(struct sjk *k, int64_t B, int64_t E, const float *p, const float *t, const int32_t *group,
                float temperature, float scale, double *loss, float *dp)
{
    if (B <= 0 || E <= 0)
        return 0;
    char *room = sjk_scratch(k, (size_t)B * (sizeof(double) + (size_t)(1 + B + E) * sizeof(float)));
    if (!room)
        return SJK_MEMORY;
    double *row = (void *)room;
    float *unit = (void *)(room + (size_t)B * sizeof *row), *q = unit + B;
    for (int64_t j = 0; j < B; j++)
        unit[j] = 1 / at_least(length(E, t + j * E), norm_floor);
    const struct contrast c = {B, E, p, t, group, temperature, scale, unit};
#pragma omp parallel for num_threads(sjk_team(k, B *B *E))
    for (int64_t i = 0; i < B; i++)
        row[i] = contrast_row(&c, i, q + i * (B + E), dp ? dp + i * E : NULL);
    for (int64_t i = 0; i < B; i++)
        *loss += row[i];
    return 0;
}

/* Sum of squares of n <= square_chunk values: f32 over stretches of 4096, then double. */
static double squares(int64_t n, const float *x)
{
    double s = 0;
    for (int64_t i = 0; i < n; i += 4096)
        s += dot(sjk_min(n - i, 4096), x + i, x + i);
    return s;
}

int cpu_sum_squares(struct sjk *k, size_t n, const float *x, double *sum)
{
    int64_t count = (int64_t)n, chunks = (count + square_chunk - 1) / square_chunk;
    double *part = sjk_scratch(k, (size_t)chunks * sizeof *part);
    if (!part)
        return SJK_MEMORY;
#pragma omp parallel for num_threads(sjk_team(k, count))
    for (int64_t c = 0; c < chunks; c++)
        part[c] = squares(sjk_min(count - c * square_chunk, square_chunk), x + c * square_chunk);
    for (int64_t c = 0; c < chunks; c++)
        *sum += part[c];
    return 0;
}

SJK_INLINE void adamw_values(int64_t n, float *p, float *g, float *m, float *v, float *ema, const struct sjk_adamw *a)
{
    float step = a->rate / a->correction1, keep = 1 - a->rate * a->decay, root = 1 / sqrtf(a->correction2);
    for (int64_t i = 0; i < n; i += VW) {
        int64_t w = n - i;
        vf grad = vf_get(g, SJK_F32, i, w) * a->gradient_scale;
        vf first = vf_get(m, SJK_F32, i, w) * a->beta1 + grad * (1 - a->beta1);
        vf second = vf_get(v, SJK_F32, i, w) * a->beta2 + grad * grad * (1 - a->beta2);
        vf x = vf_get(p, SJK_F32, i, w) * keep - first * step / (vf_sqrt(second) * root + a->eps);
        vf_put(m, SJK_F32, i, w, first);
        vf_put(v, SJK_F32, i, w, second);
        vf_put(p, SJK_F32, i, w, x);
        vf_put(g, SJK_F32, i, w, vf_all(0));
        if (ema)
            vf_put(ema, SJK_F32, i, w, vf_get(ema, SJK_F32, i, w) * a->ema_rate + x * (1 - a->ema_rate));
    }
}

int cpu_adamw(struct sjk *k, size_t n, float *p, float *g, float *m, float *v, float *ema, const struct sjk_adamw *a)
{
    int64_t count = (int64_t)n;
#pragma omp parallel for num_threads(sjk_team(k, count))
    for (int64_t i = 0; i < count; i += adamw_chunk)
        adamw_values(sjk_min(count - i, adamw_chunk), p + i, g + i, m + i, v + i, ema ? ema + i : NULL, a);
    return 0;
}
