/* objective_cpu: losses and the optimiser. */
#include "cpu_ops.h"
#include "vec.h"

enum { square_chunk = 1 << 16 };
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

/* Both sides of the contrastive term: their centred units (B, E), and lengths before (B). */
struct contrast {
    int64_t B, E;
    const struct sjk_contrast *c;
    float *unit[2], *length[2];
    float *q, *g; /* (B, B): logits, and their gradient */
    double *loss; /* (2 B): of the rows, of the columns */
    int *hit;     /* (B) */
};

static float centred_unit(int64_t E, const float *x, float *u)
{
    double sum = 0;
    for (int64_t e = 0; e < E; e++)
        sum += x[e];
    float mean = (float)(sum / (double)E);
    for (int64_t e = 0; e < E; e++)
        u[e] = x[e] - mean;
    float n = length(E, u), a = 1 / at_least(n, norm_floor);
    for (int64_t e = 0; e < E; e++)
        u[e] *= a;
    return n;
}

static float logit(const struct contrast *s, int64_t i, int64_t j)
{
    const struct sjk_contrast *c = s->c;
    int apart = c->class_of && c->class_of[i] != c->class_of[j];
    if (i != j && (c->group[i] == c->group[j] || (apart && !(c->other > 0))))
        return -INFINITY;
    float q = dot(s->E, s->unit[0] + i * s->E, s->unit[1] + j * s->E) / c->temperature;
    return i != j && apart ? q + logf(c->other) : q;
}

/* -log softmax_i of q; g (a share of) its gradient, added where `add`. Both have B values, `step` apart. */
static double soften(const struct contrast *s, int64_t i, int64_t step, const float *q, int add, float *g)
{
    const double share = s->c->both ? 0.5 : 1;
    float top = -INFINITY;
    for (int64_t j = 0; j < s->B; j++)
        top = q[j * step] > top ? q[j * step] : top;
    double sum = exp((double)q[i * step] - top);
    for (int64_t j = 0; j < s->B; j++)
        sum += j == i ? 0 : exp((double)q[j * step] - top);
    for (int64_t j = 0; j < s->B; j++) {
        double part = share * (exp((double)q[j * step] - top) / sum - (j == i));
        g[j * step] = (float)(add ? (double)g[j * step] + part : part);
    }
    return share * (log(sum) + top - (double)q[i * step]);
}

static void contrast_row(const struct contrast *s, int64_t i)
{
    float *q = s->q + i * s->B;
    int64_t below = 0;
    for (int64_t j = 0; j < s->B; j++)
        q[j] = logit(s, i, j);
    for (int64_t j = 0; j < s->B; j++)
        below += q[j] < q[i];
    s->hit[i] = below == s->B - 1;
    s->loss[i] = soften(s, i, 1, q, 0, s->g + i * s->B);
}

/* dx (E) for row i of a side, from weights g, `step` apart, of the rows of the other side. */
static void contrast_gradient(const struct contrast *s, int side, int64_t i, const float *g, int64_t step, float *dx)
{
    const int64_t E = s->E;
    const float *u = s->unit[side] + i * E, n = s->length[side][i];
    memset(dx, 0, (size_t)E * sizeof *dx);
    for (int64_t j = 0; j < s->B; j++) {
        const float *v = s->unit[!side] + j * E, w = g[j * step];
        for (int64_t e = 0; e < E; e++)
            dx[e] += w * v[e];
    }
    vf sum = vf_all(0);
    for (int64_t e = 0; e < E; e += VW)
        sum += vf_get(dx, SJK_F32, e, E - e);
    float mean = vf_sum(sum) / (float)E, along = n < norm_floor ? 0 : dot(E, dx, u);
    float scale = s->c->scale / s->c->temperature / at_least(n, norm_floor);
    for (int64_t e = 0; e < E; e++)
        dx[e] = scale * (dx[e] - mean - along * u[e]);
}

/* Cuts the scratch memory; how much of it when there is none. */
static size_t contrast_room(struct contrast *s, char *room)
{
    size_t B = (size_t)s->B, BE = B * (size_t)s->E;
    s->loss = (void *)room;
    float *f = (void *)(room ? room + 2 * B * sizeof *s->loss : NULL);
    if (f) {
        for (int side = 0; side < 2; side++, f += BE + B) {
            s->unit[side] = f;
            s->length[side] = f + BE;
        }
        s->q = f;
        s->g = f + B * B;
        s->hit = (void *)(f + 2 * B * B);
    }
    return 2 * B * sizeof *s->loss + (2 * (BE + B) + 2 * B * B) * sizeof *f + B * sizeof *s->hit;
}

int cpu_infonce(struct sjk *k, int64_t B, int64_t E, const float *p, const float *t, const struct sjk_contrast *c,
                double *sums, float *dp, float *dt)
{
    struct contrast s = {.B = B, .E = E, .c = c};
    if (B <= 0 || E <= 0)
        return 0;
    char *room = sjk_scratch(k, contrast_room(&s, NULL));
    if (!room)
        return SJK_MEMORY;
    contrast_room(&s, room);
#pragma omp parallel num_threads(sjk_team(k, B *B *E))
    {
#pragma omp for
        for (int64_t i = 0; i < 2 * B; i++)
            s.length[i / B][i % B] = centred_unit(E, (i < B ? p : t) + i % B * E, s.unit[i / B] + i % B * E);
#pragma omp for
        for (int64_t i = 0; i < B; i++)
            contrast_row(&s, i);
#pragma omp for
        for (int64_t i = 0; i < B; i++)
            s.loss[B + i] = c->both ? soften(&s, i, B, s.q + i, 1, s.g + i) : 0;
#pragma omp for
        for (int64_t i = 0; i < 2 * B; i++)
            if (i < B ? dp != NULL : dt != NULL)
                contrast_gradient(&s, i >= B, i % B, i < B ? s.g + i * B : s.g + i - B, i < B ? 1 : B,
                                  (i < B ? dp : dt) + i % B * E);
    }
    for (int64_t i = 0; i < B; i++) {
        sums[0] += s.loss[i] + s.loss[B + i];
        sums[1] += s.hit[i];
    }
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
