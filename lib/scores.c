#include "scores.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sieve.h"
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
    /* where the back end has its own memory: scores stay there but for the best, and for whole lines where more is
     * asked for; rows come as unit vectors, so that the best scores are the best cosines */
    struct sj_sieve *sieve;
    unsigned char *fetched; /* (queries) the line is in `score` */
    int64_t *odd, odds;     /* rows of which the product says nothing */
    double largest_error;   /* of the others */
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
    s->fetched = malloc(Q + 1);
    s->odd = malloc(R * sizeof *s->odd + 1);
    int status = SJ_OK;
    if (!s->of_query || !s->of_row || !s->operand || !s->score || !s->scale || !s->error || !s->fetched || !s->odd)
        status = sj_fail(SJ_SYSTEM, "no memory for the scores of %lld times %lld vectors", (long long)queries,
                         (long long)rows);
    void *c = NULL;
    if (!status && ((status = k->ops->alloc(k, Q * D * size, &s->a)) || (status = k->ops->alloc(k, R * D * size, &s->b))
                    || (status = k->ops->alloc(k, Q * R * sizeof(float), &c))))
        sj_fail(status, "%s", sjk_reason(k));
    s->c = c;
    if (!status && k->ops->on_device)
        status = sj_sieve_new(k, queries, &s->sieve);
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
    sj_sieve_free(s->sieve);
    s->k->ops->free(s->k, s->a);
    s->k->ops->free(s->k, s->b);
    s->k->ops->free(s->k, s->c);
    free(s->of_query);
    free(s->of_row);
    free(s->operand);
    free(s->score);
    free(s->scale);
    free(s->error);
    free(s->fetched);
    free(s->odd);
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
 * in floats. A row that comes as a unit vector has length and scale 1. */
static void bound_error(struct sj_scores *s, int64_t j, double lost)
{
    const struct moments *m = &s->of_row[j];
    const double sum = (double)s->d * FLT_EPSILON, seen = 1 + s->query_lost;
    const double length = s->sieve ? 1 : m->length, scale = s->sieve ? 1 : m->scale;
    const int ordinary = m->scale > 0 && m->length > 1e-12 && m->length < 1e12;
    double error = scale * (s->query_lost * length + seen * lost + sum * seen * (length + lost));
    s->scale[j] = ordinary ? (float)scale : 0;
    s->error[j] = ordinary ? (float)(error + 1e-6 * (1 + scale * length)) : INFINITY;
}

/* The row as the product's operand; what it loses. */
static double put_row(struct sj_scores *s, int64_t j, float *unit)
{
    const float *x = s->row + j * s->d;
    const struct moments m = s->of_row[j];
    if (!s->sieve)
        return to_operand(s->type, s->d, x, operand_at(s, j));
    for (int64_t i = 0; i < s->d; i++)
        unit[i] = usable(&m) ? (float)((x[i] - m.mean) * m.scale) : 0;
    return to_operand(s->type, s->d, unit, operand_at(s, j)) + FLT_EPSILON;
}

static int put_rows(struct sj_scores *s, int64_t n, int64_t *first_bad)
{
    int64_t bad = n, missing = 0;
#pragma omp parallel num_threads(s->k->threads) reduction(min : bad) reduction(+ : missing)
    {
        float *unit = s->sieve ? malloc((size_t)s->d * sizeof *unit + 1) : NULL;
        missing += s->sieve && !unit;
#pragma omp for
        for (int64_t j = 0; j < n; j++) {
            s->of_row[j] = measure(s->d, s->row + j * s->d);
            if (!s->sieve || unit)
                bound_error(s, j, put_row(s, j, unit));
            if (!usable(&s->of_row[j]) && j < bad)
                bad = j;
        }
        free(unit);
    }
    *first_bad = bad;
    return missing ? sj_fail(SJ_SYSTEM, "no memory") : SJ_OK;
}

/* What the sieve needs to know of the rows. */
static void sum_up(struct sj_scores *s)
{
    s->odds = 0;
    s->largest_error = 0;
    memset(s->fetched, 0, (size_t)s->queries);
    for (int64_t j = 0; j < s->rows; j++)
        if (isinf(s->error[j]))
            s->odd[s->odds++] = j;
        else
            s->largest_error = fmax(s->largest_error, s->error[j]);
}

int sj_scores_rows(struct sj_scores *s, int64_t n, const float *row, int64_t *bad)
{
    int64_t first_bad;
    *bad = -1;
    if (n > s->most_rows)
        return sj_fail(SJ_SYSTEM, "no memory for %lld references", (long long)n);
    s->rows = n;
    s->row = row;
    int status = put_rows(s, n, &first_bad);
    if (!status && first_bad < n) {
        *bad = first_bad;
        return sj_fail(SJ_INPUT, "reference %lld is not finite", (long long)first_bad);
    }
    struct sjk *k = s->k;
    sum_up(s);
    if (!status)
        status = put_operand(s, n, s->b);
    if (!status && (status = k->ops->matmul_nt(k, s->queries, n, s->d, s->type, s->a, s->d, s->b, s->d, s->c, n)))
        return sj_fail(status, "%s", sjk_reason(k));
    if (!status && s->sieve)
        return sj_sieve_block(s->sieve, s->queries, n, s->c);
    if (!status && (status = k->ops->get(k, s->score, s->c, (size_t)(s->queries * n) * sizeof *s->score)))
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

/* The first row >= from that may have a cosine of at least `cut`: among the best and the odd ones, when no other can;
 * -1 when that is not certain. */
static int64_t next_of_sieve(const struct sj_scores *s, int64_t q, int64_t from, float cut)
{
    const float *score;
    const int64_t *row, count = sj_sieve_best(s->sieve, q, &score, &row);
    int64_t next = s->rows;
    if (count < s->rows && !(score[count - 1] + s->largest_error < cut))
        return -1;
    for (int64_t i = 0; i < count; i++)
        if (row[i] >= from && row[i] < next && !(score[i] * s->scale[row[i]] + s->error[row[i]] < cut))
            next = row[i];
    for (int64_t i = 0; i < s->odds; i++)
        if (s->odd[i] >= from && s->odd[i] < next)
            next = s->odd[i];
    return next;
}

/* Whether the line of scores of query q is on the host; fetches it. */
static int has_line(const struct sj_scores *s, int64_t q)
{
    const size_t at = (size_t)(q * s->rows);
    if (!s->sieve || s->fetched[q])
        return 1;
#pragma omp critical(sj_scores_line)
    s->fetched[q] = !s->k->ops->get(s->k, s->score + at, s->c + at, (size_t)s->rows * sizeof *s->score);
    return s->fetched[q];
}

int64_t sj_scores_next(const struct sj_scores *s, int64_t q, int64_t from, double limit)
{
    const float *score = s->score + q * s->rows, *scale = s->scale, *error = s->error, cut = cosine_at(limit);
    const int64_t n = s->rows;
    int64_t j = from;
    if (s->of_query[q].scale <= 0)
        return j;
    if (s->sieve && !s->fetched[q]) {
        int64_t next = next_of_sieve(s, q, from, cut);
        if (next >= 0)
            return next;
        if (!has_line(s, q)) /* then every row is asked for its distance */
            return j;
    }
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
    if (s->of_query[q].scale <= 0 || !has_line(s, q))
        return 0;
    return s->score[q * s->rows + j] * s->scale[j] - s->error[j] > cosine_at(limit);
}

double sj_scores_distance(const struct sj_scores *s, int64_t q, int64_t j)
{
    return distance(s->d, s->query + q * s->d, &s->of_query[q], s->row + j * s->d, &s->of_row[j]);
}
