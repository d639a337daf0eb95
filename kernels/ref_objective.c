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

/* u = the rows of x without their means, at length 1; length: before that. */
static void centred_units(int64_t B, int64_t E, const float *x, double *u, double *length)
{
    for (int64_t i = 0; i < B; i++, x += E, u += E) {
        double mean = 0, square = 0;
        for (int64_t e = 0; e < E; e++)
            mean += x[e] / (double)E;
        for (int64_t e = 0; e < E; e++) {
            u[e] = x[e] - mean;
            square += u[e] * u[e];
        }
        length[i] = sqrt(square);
        for (int64_t e = 0; e < E; e++)
            u[e] /= at_least(length[i], norm_floor);
    }
}

static double weight_of(const struct sjk_contrast *c, int64_t i, int64_t j)
{
    if (i == j)
        return 1;
    return c->group[i] == c->group[j] ? 0 : c->class_of && c->class_of[i] != c->class_of[j] ? (double)c->other : 1;
}

static void contrast_logits(int64_t B, int64_t E, const struct sjk_contrast *c, const double *u, const double *v,
                            double *q)
{
    for (int64_t at = 0; at < B * B; at++) {
        const double *x = u + at / B * E, *y = v + at % B * E, weight = weight_of(c, at / B, at % B);
        double dot = 0;
        for (int64_t e = 0; e < E; e++)
            dot += x[e] * y[e];
        q[at] = weight > 0 ? dot / (double)c->temperature + log(weight) : -INFINITY;
    }
}

/* -log softmax_i of q; g += share * its gradient. Both have B values, `step` apart. */
static double soften(int64_t B, int64_t i, int64_t step, const double *q, double share, double *g)
{
    double top = -INFINITY;
    for (int64_t j = 0; j < B; j++)
        top = q[j * step] > top ? q[j * step] : top;
    double sum = exp(q[i * step] - top);
    for (int64_t j = 0; j < B; j++)
        sum += j == i ? 0 : exp(q[j * step] - top);
    for (int64_t j = 0; j < B; j++)
        g[j * step] += share * (exp(q[j * step] - top) / sum - (j == i));
    return share * (log(sum) + top - q[i * step]);
}

/* dx (E) = scale * the gradient for the row whose centred unit is u, from weights g, `step` apart, of the rows of v. */
static void contrast_gradient(int64_t B, int64_t E, const double *g, int64_t step, const double *v, const double *u,
                              double length, double scale, float *dx, double *room)
{
    double mean = 0, along = 0;
    for (int64_t e = 0; e < E; e++) {
        room[e] = 0;
        for (int64_t j = 0; j < B; j++)
            room[e] += g[j * step] * v[j * E + e];
        mean += room[e] / (double)E;
        along += room[e] * u[e];
    }
    along = length < norm_floor ? 0 : along;
    for (int64_t e = 0; e < E; e++)
        dx[e] = (float)(scale / at_least(length, norm_floor) * (room[e] - mean - along * u[e]));
}

int ref_infonce(struct sjk *k, int64_t B, int64_t E, const float *p, const float *t, const struct sjk_contrast *c,
                double *sums, float *dp, float *dt)
{
    if (B <= 0 || E <= 0)
        return 0;
    double *u = sjk_scratch(k, (size_t)(2 * B * E + 2 * B * B + 2 * B + E) * sizeof *u);
    if (!u)
        return SJK_MEMORY;
    double *v = u + B * E, *q = v + B * E, *g = q + B * B, *p_length = g + B * B, *t_length = p_length + B;
    double *room = t_length + B, share = c->both ? 0.5 : 1, scale = (double)c->scale / (double)c->temperature;
    centred_units(B, E, p, u, p_length);
    centred_units(B, E, t, v, t_length);
    contrast_logits(B, E, c, u, v, q);
    memset(g, 0, (size_t)(B * B) * sizeof *g);
    for (int64_t i = 0; i < B; i++) {
        int64_t below = 0;
        for (int64_t j = 0; j < B; j++)
            below += q[i * B + j] < q[i * B + i];
        sums[1] += below == B - 1;
        sums[0] += soften(B, i, 1, q + i * B, share, g + i * B);
        if (c->both)
            sums[0] += soften(B, i, B, q + i, share, g + i);
    }
    for (int64_t i = 0; i < B; i++) {
        if (dp)
            contrast_gradient(B, E, g + i * B, 1, v, u + i * E, p_length[i], scale, dp + i * E, room);
        if (dt)
            contrast_gradient(B, E, g + i, B, u, v + i * E, t_length[i], scale, dt + i * E, room);
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

int ref_adamw(struct sjk *k, const struct sjk_parameters *s, const struct sjk_adamw *a)
{
    float *p = s->p, *g = s->g, *m = s->m, *v = s->v, *ema = s->ema;
    for (size_t i = 0; i < s->n; i++) {
        double grad = (double)a->gradient_scale * g[i];
        double first = a->beta1 * (double)m[i] + (1 - (double)a->beta1) * grad;
        double second = a->beta2 * (double)v[i] + (1 - (double)a->beta2) * grad * grad;
        double step = (double)a->rate / a->correction1 * first / (sqrt(second / a->correction2) + a->eps);
        double w = p[i] * (1 - (double)a->rate * a->decay) - step;
        m[i] = (float)first;
        v[i] = (float)second;
        p[i] = (float)w;
        if (ema)
            ema[i] = (float)(a->ema_rate * (double)ema[i] + (1 - (double)a->ema_rate) * p[i]);
    }
    size_t done = 0;
    int status = 0;
    for (int i = 0; i < s->layers && !status; i++) {
        const struct sjk_layer *l = &s->layer[i];
        memset(g + done, 0, (l->at - done) * sizeof *g);
        status = sjk_layer_pack(k, s, l);
        done = l->at + (size_t)(l->linear->N * l->linear->K);
    }
    if (done < s->n)
        memset(g + done, 0, (s->n - done) * sizeof *g);
    return status;
}
