#include "scores.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sjk.h"

enum { LANES = 8 }; /* partial sums: vectors for the compiler, and the same result on every machine */

/* What makes a vector x comparable: x^ = (x - mean) * scale. */
struct moments {
    double mean, scale; /* scale 0: a constant vector */
    double length;      /* |x| */
};

struct sj_scores {
    struct sjk *k;
    enum sjk_type type;   /* of the product's operands */
    int64_t most_queries, most_rows, d, queries, rows;
    const float *query, *row; /* borrowed */
    struct moments *of_query, *of_row;
    void *operand;        /* on the host: vectors as `type` on their way to the back end */
    void *a, *b;          /* in the back end: queries (queries, d), rows (rows, d) */
    float *c;             /* in the back end: a b^T (queries, rows) */
    float *score;         /* on the host */
    /* |cosine - score * scale| <= error, all of the row; infinite where the product says nothing */
    float *scale, *error;
    double query_lost;    /* the largest |x^ - what the product sees of it| among the queries */
};

/* -- vectors ------------------------------------------------------------------------------------------------------- */
static double total(const double *lane)
{
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/* Sums of differences from the first value: a large mean costs no precision, a constant vector gives exactly 0. */
static struct moments measure(int64_t d, const float *x)
{
    double sum[LANES] = {0}, square[LANES] = {0};
    const double origin = d ? x[0] : 0;
    int64_t i = 0;
    for (; i + LANES <= d; i += LANES)
        for (int l = 0; l < LANES; l++) {
            double v = x[i + l] - origin;
            sum[l] += v;
            square[l] += v * v;
        }
    for (; i < d; i++) {
        double v = x[i] - origin;
        sum[0] += v;
        square[0] += v * v;
    }
    double n = (double)d, s = total(sum), deviation = total(square) - s * s / n; /* d * variance */
    struct moments m = {.mean = origin + s / n};
    /* layer norm divides by sqrt(variance + 1e-5), the normalisation then by max(length, 1e-12) */
    if (deviation > 0)
        m.scale = 1 / fmax(sqrt(deviation), 1e-12 * sqrt(deviation / n + 1e-5));
    m.length = sqrt(fmax(deviation, 0) + n * m.mean * m.mean);
    return m;
}

static double distance(int64_t d, const float *a, const struct moments *ma, const float *b, const struct moments *mb)
{
    double sum[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= d; i += LANES)
        for (int l = 0; l < LANES; l++) {
            double v = (a[i + l] - ma->mean) * ma->scale - (b[i + l] - mb->mean) * mb->scale;
            sum[l] += v * v;
        }
    for (; i < d; i++) {
        double v = (a[i] - ma->mean) * ma->scale - (b[i] - mb->mean) * mb->scale;
        sum[0] += v * v;
    }
    return rint(sqrt(total(sum)) * SJ_DISTANCE_STEPS) / SJ_DISTANCE_STEPS; /* the double nearest to the decimal */
}

double sj_vector_distance(int64_t d, const float *a, const float *b)
{
    struct moments ma = measure(d, a), mb = measure(d, b);
    return distance(d, a, &ma, b, &mb);
}

/* y (d) = x as the product's type; returns a bound of |x - y| for vectors of ordinary length. */
static double to_operand(enum sjk_type type, int64_t d, const float *x, void *y)
{
    float lost[LANES] = {0}, sum = (float)d * FLT_MIN; /* of squares, where they are too small for a float */
    uint16_t *narrow = y;
    if (type == SJK_F32) {
        memcpy(y, x, (size_t)d * sizeof *x);
        return 0;
    }
    for (int64_t i = 0; i < d; i += LANES) {
        int64_t n = d - i < LANES ? d - i : LANES;
        for (int64_t l = 0; l < n; l++) {
            uint32_t u;
            float kept;
            memcpy(&u, x + i + l, sizeof u);
            u = (u + 0x7fff + (u >> 16 & 1)) & 0xffff0000; /* to nearest even */
            narrow[i + l] = (uint16_t)(u >> 16);
            memcpy(&kept, &u, sizeof kept);
            kept -= x[i + l];
            lost[l] += kept * kept;
        }
    }
    for (int l = 0; l < LANES; l++)
        sum += lost[l];
    return sqrt(sum) * (1 + (double)d * FLT_EPSILON);
}

/* -- making -------------------------------------------------------------------------------------------------------- */
double sj_scores_bytes(int64_t queries, int64_t rows, int64_t d)
{
    double q = (double)queries, r = (double)rows, operand = sizeof(float) * (double)d;
    return q * operand + 2 * r * operand + 2 * q * r * sizeof(float) + (q + r) * sizeof(struct moments) + 8 * r;
}

int sj_scores_new(struct sjk *k, int64_t queries, int64_t rows, int64_t d, struct sj_scores **out)
{
    struct sj_scores *s = calloc(1, sizeof *s);
    if (!s)
        return sj_fail(SJ_SYSTEM, "no memory");
    const size_t Q = (size_t)queries, R = (size_t)rows, D = (size_t)d, most = Q > R ? Q : R;
    *s = (struct sj_scores){
        .k = k, .type = sjk_has_bf16(k) ? SJK_BF16 : SJK_F32, .most_queries = queries, .most_rows = rows, .d = d};
    const size_t size = sjk_type_size(s->type);
    s->of_query = malloc(Q * sizeof *s->of_query + 1);
    s->of_row = malloc(R * sizeof *s->of_row + 1);
    s->operand = malloc(most * D * size + 1);
    s->score = malloc(Q * R * sizeof *s->score + 1);
    s->scale = malloc(R * sizeof *s->scale + 1);
    s->error = malloc(R * sizeof *s->error + 1);
    int status = SJ_OK;
    if (!s->of_query || !s->of_row || !s->operand || !s->score || !s->scale || !s->error)
        status = sj_fail(SJ_SYSTEM, "no memory for the scores of %lld times %lld vectors", (long long)queries,
                         (long long)rows);
    void *c = NULL;
    if (!status && ((status = k->ops->alloc(k, Q * D * size, &s->a)) || (status = k->ops->alloc(k, R * D * size, &s->b))
                    || (status = k->ops->alloc(k, Q * R * sizeof(float), &c))))
        sj_fail(status, "%s", sjk_reason(k));
    s->c = c;
    if (status) {
        sj_scores_free(s);
        return status;
    }
    *out = s;
    return SJ_OK;
}

void sj_scores_free(struct sj_scores *s)
{
    if (!s)
        return;
    s->k->ops->free(s->k, s->a);
    s->k->ops->free(s->k, s->b);
    s->k->ops->free(s->k, s->c);
    free(s->of_query);
    free(s->of_row);
    free(s->operand);
    free(s->score);
    free(s->scale);
    free(s->error);
    free(s);
}

/* -- blocks -------------------------------------------------------------------------------------------------------- */
static char *operand_at(const struct sj_scores *s, int64_t i)
{
    return (char *)s->operand + (size_t)(i * s->d) * sjk_type_size(s->type);
}

static int usable(const struct moments *m)
{
    return isfinite(m->mean) && isfinite(m->length);
}

static int put_operand(struct sj_scores *s, int64_t n, void *to)
{
    int status = s->k->ops->put(s->k, to, s->operand, (size_t)(n * s->d) * sjk_type_size(s->type));
    return status ? sj_fail(status, "%s", sjk_reason(s->k)) : SJ_OK;
}

int sj_scores_queries(struct sj_scores *s, int64_t n, const float *query, int64_t *bad)
{
    float *unit = malloc((size_t)s->d * sizeof *unit + 1);
    *bad = -1;
    if (!unit || n > s->most_queries) {
        free(unit);
        return sj_fail(SJ_SYSTEM, "no memory for %lld queries", (long long)n);
    }
    s->queries = n;
    s->rows = 0;
    s->query = query;
    s->query_lost = 0;
    for (int64_t q = 0; q < n && *bad < 0; q++) {
        const float *x = query + q * s->d;
        const struct moments m = s->of_query[q] = measure(s->d, x);
        for (int64_t i = 0; i < s->d; i++)
            unit[i] = (float)((x[i] - m.mean) * m.scale);
        s->query_lost = fmax(s->query_lost, to_operand(s->type, s->d, unit, operand_at(s, q)) + FLT_EPSILON);
        if (!usable(&m))
            *bad = q;
    }
    free(unit);
    return *bad < 0 ? put_operand(s, n, s->a) : sj_fail(SJ_INPUT, "query %lld is not finite", (long long)*bad);
}

/* The cosine of a row r is scale * (x^ . r), x^ having mean 0. The product sees x^ and r with errors (Cauchy-Schwarz),
 * and adds in floats in some order (at most 2^-23 of the lengths for each of the d terms); the rest is for what follows
 * in floats. */
static void bound_error(struct sj_scores *s, int64_t j, double lost)
{
    const struct moments *m = &s->of_row[j];
    const double sum = (double)s->d * FLT_EPSILON, seen = 1 + s->query_lost;
    const int ordinary = m->scale > 0 && m->length > 1e-12 && m->length < 1e12;
    double error = m->scale * (s->query_lost * m->length + seen * lost + sum * seen * (m->length + lost));
    s->scale[j] = ordinary ? (float)m->scale : 0;
    s->error[j] = ordinary ? (float)(error + 1e-6 * (1 + m->scale * m->length)) : INFINITY;
}

int sj_scores_rows(struct sj_scores *s, int64_t n, const float *row, int64_t *bad)
{
    int64_t first_bad = n;
    *bad = -1;
    if (n > s->most_rows)
        return sj_fail(SJ_SYSTEM, "no memory for %lld references", (long long)n);
    s->rows = n;
    s->row = row;
#pragma omp parallel for num_threads(s->k->threads) reduction(min : first_bad)
    for (int64_t j = 0; j < n; j++) {
        s->of_row[j] = measure(s->d, row + j * s->d);
        bound_error(s, j, to_operand(s->type, s->d, row + j * s->d, operand_at(s, j)));
        if (!usable(&s->of_row[j]) && j < first_bad)
            first_bad = j;
    }
    if (first_bad < n) {
        *bad = first_bad;
        return sj_fail(SJ_INPUT, "reference %lld is not finite", (long long)first_bad);
    }
    struct sjk *k = s->k;
    int status = put_operand(s, n, s->b);
    if (!status && ((status = k->ops->matmul_nt(k, s->queries, n, s->d, s->type, s->a, s->d, s->b, s->d, s->c, n))
                    || (status = k->ops->get(k, s->score, s->c, (size_t)(s->queries * n) * sizeof *s->score))))
        sj_fail(status, "%s", sjk_reason(k));
    return status;
}

int64_t sj_scores_query_count(const struct sj_scores *s)
{
    return s->queries;
}

int64_t sj_scores_row_count(const struct sj_scores *s)
{
    return s->rows;
}

int sj_scores_threads(const struct sj_scores *s)
{
    return s->k->threads;
}

/* -- asking -------------------------------------------------------------------------------------------------------- */
/* The cosine at a distance; -inf for any. */
static float cosine_at(double limit)
{
    return (float)(1 - limit * limit / 2);
}

int64_t sj_scores_next(const struct sj_scores *s, int64_t q, int64_t from, double limit)
{
    const float *score = s->score + q * s->rows, *scale = s->scale, *error = s->error, cut = cosine_at(limit);
    const int64_t n = s->rows;
    int64_t j = from;
    if (s->of_query[q].scale <= 0)
        return j;
    for (; j + 2 * LANES <= n; j += 2 * LANES) { /* most stretches hold nothing */
        int below = 0;
        for (int l = 0; l < 2 * LANES; l++)
            below += score[j + l] * scale[j + l] + error[j + l] < cut;
        if (below < 2 * LANES)
            break;
    }
    while (j < n && score[j] * scale[j] + error[j] < cut)
        j++;
    return j;
}

int sj_scores_nearer(const struct sj_scores *s, int64_t q, int64_t j, double limit)
{
    const float low = s->score[q * s->rows + j] * s->scale[j] - s->error[j];
    return s->of_query[q].scale > 0 && low > cosine_at(limit);
}

double sj_scores_distance(const struct sj_scores *s, int64_t q, int64_t j)
{
    return distance(s->d, s->query + q * s->d, &s->of_query[q], s->row + j * s->d, &s->of_row[j]);
}
