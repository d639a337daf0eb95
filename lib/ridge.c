#include "ridge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GRID_FROM = -12, GRID_TO = 6 }; /* half decades */

struct work {
    int64_t n, p, q;
    double *z, *y;           /* (n,p) standardised, (n,q) about its mean */
    double *gram, *moment;   /* Z'Z (p,p), its upper triangle; Z'Y (p,q) */
    double *factor, *weight; /* U of U'U = Z'Z + ridge n I, upper (p,p); (p,q) */
    double *v, *residual;    /* (p), (q) */
};

static void axpy(int64_t n, double a, const double *restrict x, double *restrict y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

static double square(int64_t n, const double *x)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sum;
}

/* out (n,d) = x about its mean (d), which is written there. */
static void centre(int64_t n, int64_t d, const float *x, double *mean, double *out)
{
    memset(mean, 0, (size_t)d * sizeof *mean);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < d; j++)
            mean[j] += (double)x[i * d + j] / (double)n;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < d; j++)
            out[i * d + j] = (double)x[i * d + j] - mean[j];
}

/* z is scaled to deviations of 1; what differs from its mean by rounding alone becomes 0. */
static void standardise(const struct work *w, struct sj_ridge *r)
{
    memset(r->scale, 0, (size_t)w->p * sizeof *r->scale);
    for (int64_t i = 0; i < w->n; i++)
        for (int64_t j = 0; j < w->p; j++)
            r->scale[j] += w->z[i * w->p + j] * w->z[i * w->p + j] / (double)w->n;
    for (int64_t j = 0; j < w->p; j++) {
        const double std = sqrt(r->scale[j]);
        const int varies = std > 1e-12 * fabs(r->mean[j]);
        r->scale[j] = varies ? std : 1;
        for (int64_t i = 0; i < w->n; i++)
            w->z[i * w->p + j] = varies ? w->z[i * w->p + j] / std : 0;
    }
}

static void multiply(const struct work *w)
{
    const int64_t p = w->p, q = w->q;
    for (int64_t i = 0; i < w->n; i++)
        for (int64_t j = 0; j < p; j++) {
            const double a = w->z[i * p + j];
            axpy(p - j, a, w->z + i * p + j, w->gram + j * p + j);
            axpy(q, a, w->y + i * q, w->moment + j * q);
        }
}

/* Cholesky's factor; SJ_INPUT where a pivot is not above 0. */
static int factorise(const struct work *w, double ridge)
{
    const int64_t p = w->p;
    double *u = w->factor;
    memcpy(u, w->gram, (size_t)(p * p) * sizeof *u);
    for (int64_t j = 0; j < p; j++)
        u[j * p + j] += ridge * (double)w->n;
    for (int64_t j = 0; j < p; j++) {
        const double pivot = u[j * p + j];
        if (!(pivot > 0 && isfinite(pivot)))
            return sj_fail(SJ_INPUT, "the vectors are too large, or depend on each other too closely for the ridge %g",
                           ridge);
        for (int64_t k = j; k < p; k++)
            u[j * p + k] /= sqrt(pivot);
        for (int64_t i = j + 1; i < p; i++)
            axpy(p - i, -u[j * p + i], u + j * p + i, u + i * p + i);
    }
    return SJ_OK;
}

/* x (p,columns) = U'^-1 x. */
static void forward(const struct work *w, int64_t columns, double *x)
{
    const int64_t p = w->p;
    for (int64_t j = 0; j < p; j++) {
        for (int64_t c = 0; c < columns; c++)
            x[j * columns + c] /= w->factor[j * p + j];
        for (int64_t i = j + 1; columns > 1 && i < p; i++)
            axpy(columns, -w->factor[j * p + i], x + j * columns, x + i * columns);
        if (columns == 1)
            axpy(p - j - 1, -x[j], w->factor + j * p + j + 1, x + j + 1);
    }
}

/* x (p,columns) = U^-1 x. */
static void backward(const struct work *w, int64_t columns, double *x)
{
    const int64_t p = w->p;
    for (int64_t j = p - 1; j >= 0; j--) {
        for (int64_t i = j + 1; i < p; i++)
            axpy(columns, -w->factor[j * p + i], x + i * columns, x + j * columns);
        for (int64_t c = 0; c < columns; c++)
            x[j * columns + c] /= w->factor[j * p + j];
    }
}

static double leave_one_out(const struct work *w)
{
    double sum = 0;
    for (int64_t i = 0; i < w->n; i++) {
        const double *z = w->z + i * w->p;
        memcpy(w->residual, w->y + i * w->q, (size_t)w->q * sizeof *w->residual);
        for (int64_t j = 0; j < w->p; j++)
            axpy(w->q, -z[j], w->weight + j * w->q, w->residual);
        memcpy(w->v, z, (size_t)w->p * sizeof *w->v);
        forward(w, 1, w->v);
        const double left = 1 - 1 / (double)w->n - square(w->p, w->v);
        sum += square(w->q, w->residual) / (left * left);
    }
    return sum / ((double)w->n * (double)w->q);
}

static int solve(const struct work *w, double ridge, double *error)
{
    int status = factorise(w, ridge);
    if (status)
        return status;
    memcpy(w->weight, w->moment, (size_t)(w->p * w->q) * sizeof *w->weight);
    forward(w, w->q, w->weight);
    backward(w, w->q, w->weight);
    *error = leave_one_out(w);
    return isfinite(*error) ? SJ_OK : sj_fail(SJ_INPUT, "the leave-one-out error at the ridge %g is not finite", ridge);
}

/* Largest first: it needs the least of the numbers. Below one that cannot be solved none can. */
static int choose(const struct work *w, double *ridge)
{
    double best = INFINITY, error;
    int status = SJ_OK;
    for (int k = GRID_TO; k >= GRID_FROM && !status; k--) {
        status = solve(w, pow(10, 0.5 * k), &error);
        if (!status && error < best) {
            best = error;
            *ridge = pow(10, 0.5 * k);
        }
    }
    return isfinite(best) ? SJ_OK : status;
}

static int fit(struct work *w, const float *x, const float *y, double ridge, struct sj_ridge *r)
{
    centre(w->n, w->p, x, r->mean, w->z);
    centre(w->n, w->q, y, r->offset, w->y);
    standardise(w, r);
    multiply(w);
    r->variance = square(w->n * w->q, w->y) / ((double)w->n * (double)w->q);
    r->ridge = ridge;
    int status = ridge > 0 ? SJ_OK : choose(w, &r->ridge);
    if (!status)
        status = solve(w, r->ridge, &r->error);
    if (!status)
        memcpy(r->weight, w->weight, (size_t)(w->p * w->q) * sizeof *r->weight);
    return status;
}

int sj_ridge_fit(int64_t n, int64_t p, int64_t q, const float *x, const float *y, double ridge, struct sj_ridge *r)
{
    const size_t count = (size_t)(n * p + n * q + 2 * p * p + 2 * p * q + p + q);
    double *all = calloc(count, sizeof *all);
    if (!all)
        return sj_fail(SJ_SYSTEM, "no memory for a map of %lld to %lld values from %lld pairs", (long long)p,
                       (long long)q, (long long)n);
    struct work w = {.n = n, .p = p, .q = q, .z = all};
    w.y = w.z + n * p;
    w.gram = w.y + n * q;
    w.moment = w.gram + p * p;
    w.factor = w.moment + p * q;
    w.weight = w.factor + p * p;
    w.v = w.weight + p * q;
    w.residual = w.v + p;
    int status = fit(&w, x, y, ridge, r);
    free(all);
    return status;
}
