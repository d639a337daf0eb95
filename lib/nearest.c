#include "nearest.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "sjk.h"

enum { LANES = 8 }; /* partial sums: vectors for the compiler, and the same result on every machine */

struct sj_nearest {
    struct sjk *k;
    int64_t most_rows, most, d;
    int64_t n;             /* centroids */
    const float *centroid; /* borrowed */
    double *length;        /* (n) |c|, an upper bound */
    double *squared;       /* (n) |c|^2 */
    float *a, *b, *c;      /* in the back end: rows (N, D), centroids (K, D), products (N, K) */
    float *product;        /* on the host */
};

static double total(const double *lane)
{
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

double sj_square_distance(int64_t d, const float *a, const float *b)
{
    double sum[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= d; i += LANES)
        for (int l = 0; l < LANES; l++) {
            double v = (double)a[i + l] - (double)b[i + l];
            sum[l] += v * v;
        }
    for (; i < d; i++) {
        double v = (double)a[i] - (double)b[i];
        sum[0] += v * v;
    }
    return total(sum);
}

/* At least |x|, and hardly more; infinite beyond what a float holds. */
static double length_of(int64_t d, const float *x)
{
    float sum[LANES] = {0};
    double all[LANES];
    int64_t i = 0;
    for (; i + LANES <= d; i += LANES)
        for (int l = 0; l < LANES; l++)
            sum[l] += x[i + l] * x[i + l];
    for (; i < d; i++)
        sum[0] += x[i] * x[i];
    for (int l = 0; l < LANES; l++)
        all[l] = sum[l];
    return sqrt(total(all) + (double)d * FLT_MIN) * (1 + (double)d * FLT_EPSILON);
}

/* -- making -------------------------------------------------------------------------------------------------------- */
static int device(const struct sj_nearest *s, int e)
{
    return e ? sj_fail(e, "%s", sjk_reason(s->k)) : SJ_OK;
}

static int allocate(struct sj_nearest *s, float **p, int64_t values)
{
    void *room = NULL;
    int e = s->k->ops->alloc(s->k, (size_t)values * sizeof **p, &room);
    *p = room;
    return device(s, e);
}

int sj_nearest_new(struct sjk *k, int64_t rows, int64_t centroids, int64_t d, struct sj_nearest **out)
{
    struct sj_nearest *s = calloc(1, sizeof *s);
    if (!s)
        return sj_fail(SJ_SYSTEM, "no memory");
    *s = (struct sj_nearest){.k = k, .most_rows = rows, .most = centroids, .d = d};
    s->length = malloc((size_t)centroids * sizeof *s->length);
    s->squared = malloc((size_t)centroids * sizeof *s->squared);
    s->product = malloc((size_t)(rows * centroids) * sizeof *s->product);
    int status = SJ_OK;
    if (!s->length || !s->squared || !s->product)
        status = sj_fail(SJ_SYSTEM, "no memory for %lld times %lld distances", (long long)rows, (long long)centroids);
    if (!status)
        status = allocate(s, &s->a, rows * d);
    if (!status)
        status = allocate(s, &s->b, centroids * d);
    if (!status)
        status = allocate(s, &s->c, rows * centroids);
    if (status) {
        sj_nearest_free(s);
        return status;
    }
    *out = s;
    return SJ_OK;
}

void sj_nearest_free(struct sj_nearest *s)
{
    if (!s)
        return;
    s->k->ops->free(s->k, s->a);
    s->k->ops->free(s->k, s->b);
    s->k->ops->free(s->k, s->c);
    free(s->length);
    free(s->squared);
    free(s->product);
    free(s);
}

int sj_nearest_centroids(struct sj_nearest *s, int64_t n, const float *centroid)
{
    s->n = n;
    s->centroid = centroid;
    for (int64_t j = 0; j < n; j++) {
        const float *c = centroid + j * s->d;
        double sum[LANES] = {0};
        for (int64_t i = 0; i < s->d; i++)
            sum[i % LANES] += (double)c[i] * c[i];
        s->squared[j] = total(sum);
        s->length[j] = sqrt(s->squared[j]) * (1 + 1e-9);
    }
    return device(s, s->k->ops->put(s->k, s->b, centroid, (size_t)(n * s->d) * sizeof *centroid));
}

/* -- asking -------------------------------------------------------------------------------------------------------- */
static int multiply(struct sj_nearest *s, int64_t n, const float *x)
{
    const struct sjk_ops *o = s->k->ops;
    int e;
    (void)((e = o->put(s->k, s->a, x, (size_t)(n * s->d) * sizeof *x)) ||
           (e = o->matmul_nt(s->k, n, s->n, s->d, SJK_F32, s->a, s->d, s->b, s->d, s->c, s->n)) ||
           (e = o->get(s->k, s->product, s->c, (size_t)(n * s->n) * sizeof *s->product)));
    return device(s, e);
}

/* |x - c|^2 - |x|^2 = |c|^2 - 2 x c. The product adds in floats in some order: at most 2^-23 of the lengths for each
 * of the D terms, and what is too small for a float; the rest is for what is rounded in double. */
struct estimate {
    double value, error; /* error infinite where the product says nothing */
};

static struct estimate estimate(const struct sj_nearest *s, double length, int64_t j, float product)
{
    const double d = (double)s->d, lengths = length * s->length[j];
    if (!isfinite(product) || !isfinite(lengths))
        return (struct estimate){0, INFINITY};
    return (struct estimate){s->squared[j] - 2 * (double)product,
                             2 * d * (FLT_EPSILON * lengths + 2 * FLT_MIN) + 1e-12 * (s->squared[j] + lengths)};
}

static void find_row(const struct sj_nearest *s, const float *x, const float *product, int32_t *cluster,
                     double *square)
{
    const double length = length_of(s->d, x);
    double least = INFINITY; /* of what the values may be at most */
    *square = INFINITY;
    *cluster = 0;
    for (int64_t j = 0; j < s->n; j++) {
        const struct estimate e = estimate(s, length, j, product[j]);
        least = e.value + e.error < least ? e.value + e.error : least;
    }
    for (int64_t j = 0; j < s->n; j++) {
        const struct estimate e = estimate(s, length, j, product[j]);
        if (e.value - e.error > least)
            continue;
        const double exact = sj_square_distance(s->d, x, s->centroid + j * s->d);
        if (exact < *square) {
            *square = exact;
            *cluster = (int32_t)j;
        }
    }
}

int sj_nearest_find(struct sj_nearest *s, int64_t n, const float *x, int32_t *cluster, double *square)
{
    int status = multiply(s, n, x);
    if (status)
        return status;
#pragma omp parallel for num_threads(s->k->threads) schedule(static)
    for (int64_t i = 0; i < n; i++)
        find_row(s, x + i * s->d, s->product + i * s->n, &cluster[i], &square[i]);
    return SJ_OK;
}

static void closer_row(const struct sj_nearest *s, const float *x, const float *product, double limit, double *out,
                       int64_t stride)
{
    const double length = length_of(s->d, x), own = length * length;
    for (int64_t j = 0; j < s->n; j++) {
        const struct estimate e = estimate(s, length, j, product[j]);
        out[j * stride] = limit;
        /* `own` is at least |x|^2, by less than this much */
        if (e.value + own - e.error - 4 * own * (double)s->d * FLT_EPSILON - 2 * (double)s->d * FLT_MIN >= limit)
            continue;
        const double exact = sj_square_distance(s->d, x, s->centroid + j * s->d);
        out[j * stride] = exact < limit ? exact : limit;
    }
}

int sj_nearest_closer(struct sj_nearest *s, int64_t n, const float *x, const double *limit, double *out,
                      int64_t stride)
{
    int status = multiply(s, n, x);
    if (status)
        return status;
#pragma omp parallel for num_threads(s->k->threads) schedule(static)
    for (int64_t i = 0; i < n; i++)
        closer_row(s, x + i * s->d, s->product + i * s->n, limit[i], out + i, stride);
    return SJ_OK;
}
