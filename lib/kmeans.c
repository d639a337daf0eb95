#include "kmeans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nearest.h"
#include "rng.h"
#include "sjk.h"

enum {
    PART = 1024,            /* rows of a partial sum */
    MOST_PRODUCTS = 1 << 24 /* of rows and centroids at a time */
};

struct sj_kmeans {
    struct sjk *k;
    struct sj_kmeans_rows rows;
    struct sj_kmeans_settings set;
    uint64_t seed;
    struct sj_kmeans_state state;
    struct sj_nearest *nearest;
    int64_t tries;     /* rows drawn for each centroid of a start */
    int known;         /* square holds the distances from the centroids chosen so far */
    double last;       /* inertia */
    int32_t *cluster;  /* (N) */
    double *square;    /* (N) */
    double *offer;     /* (tries, N) what square would become with each of the rows drawn */
    double *part;      /* partial sums of some of these */
    float *drawn;      /* (tries, D) */
    double *sum;       /* (K, D) */
    int64_t *size;     /* (K) */
};

/* -- making -------------------------------------------------------------------------------------------------------- */
static int64_t parts(const struct sj_kmeans *m)
{
    return (m->rows.n + PART - 1) / PART;
}

static int allocate(struct sj_kmeans *m)
{
    struct sj_kmeans_state *s = &m->state;
    const size_t N = (size_t)m->rows.n, K = (size_t)m->set.clusters, D = (size_t)m->rows.d;
    const size_t T = (size_t)m->tries, R = (size_t)m->set.restarts;
    s->centroid = calloc(K * D, sizeof *s->centroid);
    s->best_centroid = calloc(K * D, sizeof *s->best_centroid);
    s->inertia = calloc(R, sizeof *s->inertia);
    s->moves = calloc(R, sizeof *s->moves);
    m->cluster = malloc(N * sizeof *m->cluster);
    m->square = malloc(N * sizeof *m->square);
    m->offer = malloc(T * N * sizeof *m->offer);
    m->part = malloc((size_t)parts(m) * sizeof *m->part);
    m->drawn = malloc(T * D * sizeof *m->drawn);
    m->sum = malloc(K * D * sizeof *m->sum);
    m->size = malloc(K * sizeof *m->size);
    return s->centroid && s->best_centroid && s->inertia && s->moves && m->cluster && m->square && m->offer && m->part
                   && m->drawn && m->sum && m->size
               ? SJ_OK
               : sj_fail(SJ_SYSTEM, "no memory for %lld clusters of %lld vectors", (long long)K, (long long)N);
}

int sj_kmeans_new(struct sjk *k, const struct sj_kmeans_rows *rows, const struct sj_kmeans_settings *settings,
                  uint64_t seed, struct sj_kmeans **out)
{
    struct sj_kmeans *m = calloc(1, sizeof *m);
    if (!m)
        return sj_fail(SJ_SYSTEM, "no memory");
    *m = (struct sj_kmeans){.k = k, .rows = *rows, .set = *settings, .seed = seed, .last = NAN};
    m->state.best = -1;
    m->tries = 2 + (int64_t)log((double)settings->clusters);
    const int64_t most = m->tries > settings->clusters ? m->tries : settings->clusters;
    while (m->rows.block > 1 && m->rows.block * most > MOST_PRODUCTS)
        m->rows.block /= 2;
    const int64_t block = m->rows.block < rows->n ? m->rows.block : rows->n;
    int status = allocate(m);
    if (!status)
        status = sj_nearest_new(k, block, most, rows->d, &m->nearest);
    if (status) {
        sj_kmeans_free(m);
        return status;
    }
    *out = m;
    return SJ_OK;
}

void sj_kmeans_free(struct sj_kmeans *m)
{
    if (!m)
        return;
    sj_nearest_free(m->nearest);
    free(m->state.centroid);
    free(m->state.best_centroid);
    free(m->state.inertia);
    free(m->state.moves);
    free(m->cluster);
    free(m->square);
    free(m->offer);
    free(m->part);
    free(m->drawn);
    free(m->sum);
    free(m->size);
    free(m);
}

struct sj_kmeans_state *sj_kmeans_state(struct sj_kmeans *m)
{
    return &m->state;
}

double sj_kmeans_inertia(const struct sj_kmeans *m)
{
    return m->last;
}

/* -- sums ---------------------------------------------------------------------------------------------------------- */
/* The sum of x (N) by parts, whose sums stay in `part`. */
static double sum_parts(struct sj_kmeans *m, const double *x)
{
    const int64_t n = parts(m);
    double sum = 0;
#pragma omp parallel for num_threads(m->k->threads) schedule(static)
    for (int64_t p = 0; p < n; p++) {
        const int64_t end = (p + 1) * PART < m->rows.n ? (p + 1) * PART : m->rows.n;
        double s = 0;
        for (int64_t i = p * PART; i < end; i++)
            s += x[i];
        m->part[p] = s;
    }
    for (int64_t p = 0; p < n; p++)
        sum += m->part[p];
    return sum;
}

/* Adds the rows to the sums of their clusters. Each thread has columns of its own, so that every sum is added up in the
 * order of the rows. */
static void add_rows(struct sj_kmeans *m, int64_t n, const float *x, const int32_t *cluster)
{
    const int64_t d = m->rows.d, threads = m->k->threads;
    for (int64_t i = 0; i < n; i++)
        m->size[cluster[i]]++;
#pragma omp parallel for num_threads(m->k->threads) schedule(static)
    for (int64_t t = 0; t < threads; t++) {
        const int64_t from = t * d / threads, to = (t + 1) * d / threads;
        for (int64_t i = 0; i < n; i++) {
            double *sum = m->sum + cluster[i] * d;
            const float *row = x + i * d;
            for (int64_t j = from; j < to; j++)
                sum[j] += row[j];
        }
    }
}

/* Finds the nearest of n centroids for every row; sums: also those of the clusters. */
static int assign(struct sj_kmeans *m, int64_t n, const float *centroid, int sums)
{
    const struct sj_kmeans_rows *r = &m->rows;
    int status = sj_nearest_centroids(m->nearest, n, centroid);
    memset(m->size, 0, (size_t)m->set.clusters * sizeof *m->size);
    memset(m->sum, 0, (size_t)(m->set.clusters * r->d) * sizeof *m->sum);
    for (int64_t first = 0; first < r->n && !status; first += r->block) {
        const int64_t rows = r->n - first < r->block ? r->n - first : r->block;
        const float *x;
        if (!(status = r->read(r->arg, first, rows, &x)))
            status = sj_nearest_find(m->nearest, rows, x, m->cluster + first, m->square + first);
        if (!status && sums)
            add_rows(m, rows, x, m->cluster + first);
        for (int64_t i = 0; i < rows && !status && !sums; i++)
            m->size[m->cluster[first + i]]++;
    }
    return status;
}

/* -- the start ----------------------------------------------------------------------------------------------------- */
/* Row i, not to be chosen again, where `part` has the sums of `square`: the first at which these, added up, exceed
 * `mark`. */
static int64_t row_at(const struct sj_kmeans *m, double mark)
{
    const int64_t n = parts(m);
    int64_t p = 0, last = 0;
    while (p + 1 < n && m->part[p] <= mark)
        mark -= m->part[p++];
    const int64_t end = (p + 1) * PART < m->rows.n ? (p + 1) * PART : m->rows.n;
    for (int64_t i = p * PART; i < end; i++) {
        if (m->square[i] <= 0)
            continue;
        last = i;
        if (m->square[i] > mark)
            return i;
        mark -= m->square[i];
    }
    return last; /* rounding went past the end */
}

static int fetch(struct sj_kmeans *m, int64_t row, float *to)
{
    const float *x;
    int status = m->rows.read(m->rows.arg, row, 1, &x);
    if (!status)
        memcpy(to, x, (size_t)m->rows.d * sizeof *to);
    return status;
}

/* Draws rows; returns how many are to be compared: one where there is nothing to choose by. */
static int draw(struct sj_kmeans *m, int64_t *count)
{
    struct sj_rng r = sj_rng(m->seed, sj_rng_stream((uint64_t)m->state.restart, (uint64_t)m->state.chosen));
    const double sum = m->state.chosen ? sum_parts(m, m->square) : 0;
    int status = SJ_OK;
    *count = sum > 0 ? m->tries : 1;
    for (int64_t t = 0; t < *count && !status; t++) {
        int64_t row = sum > 0 ? row_at(m, sum * sj_rng_double(&r)) : (int64_t)sj_rng_below(&r, (uint64_t)m->rows.n);
        status = fetch(m, row, m->drawn + t * m->rows.d);
    }
    return status;
}

/* What square becomes with each of the rows drawn. */
static int compare(struct sj_kmeans *m, int64_t count)
{
    const struct sj_kmeans_rows *r = &m->rows;
    int status = sj_nearest_centroids(m->nearest, count, m->drawn);
    for (int64_t first = 0; first < r->n && !status; first += r->block) {
        const int64_t rows = r->n - first < r->block ? r->n - first : r->block;
        const float *x;
        if (!(status = r->read(r->arg, first, rows, &x)))
            status = sj_nearest_closer(m->nearest, rows, x, m->square + first, m->offer + first, r->n);
    }
    return status;
}

static int choose(struct sj_kmeans *m)
{
    struct sj_kmeans_state *s = &m->state;
    const int64_t n = m->rows.n, d = m->rows.d;
    int64_t count, best = 0;
    double least = INFINITY;
    int status = SJ_OK;
    if (s->chosen && !m->known) /* it was put in */
        status = assign(m, s->chosen, s->centroid, 0);
    if (!s->chosen)
        for (int64_t i = 0; i < n; i++)
            m->square[i] = INFINITY;
    if (status || (status = draw(m, &count)) || (status = compare(m, count)))
        return status;
    for (int64_t t = 0; t < count; t++) {
        const double sum = count > 1 ? sum_parts(m, m->offer + t * n) : 0;
        if (sum < least) {
            least = sum;
            best = t;
        }
    }
    memcpy(m->square, m->offer + best * n, (size_t)n * sizeof *m->square);
    memcpy(s->centroid + s->chosen * d, m->drawn + best * d, (size_t)d * sizeof *s->centroid);
    s->chosen++;
    m->known = 1;
    return SJ_OK;
}

/* -- iterations ---------------------------------------------------------------------------------------------------- */
/* The row that is farthest from its centroid, of those that do not have it for themselves; -1: all are at 0. */
static int64_t farthest(const struct sj_kmeans *m)
{
    int64_t far = -1;
    for (int64_t i = 0; i < m->rows.n; i++)
        if (m->square[i] > (far < 0 ? 0 : m->square[far]) && m->size[m->cluster[i]] > 1)
            far = i;
    return far;
}

/* Gives the centroids that have no rows the farthest row each, as long as there is one. *filled: how many. */
static int fill_empty(struct sj_kmeans *m, int64_t *filled)
{
    const int64_t d = m->rows.d;
    *filled = 0;
    for (int64_t c = 0; c < m->set.clusters; c++) {
        const float *x;
        if (m->size[c])
            continue;
        const int64_t far = farthest(m);
        int status = far < 0 ? SJ_OK : m->rows.read(m->rows.arg, far, 1, &x);
        if (status || far < 0)
            return status;
        const int32_t own = m->cluster[far];
        for (int64_t j = 0; j < d; j++) {
            m->sum[own * d + j] -= x[j];
            m->sum[c * d + j] = x[j];
        }
        m->size[own]--;
        m->size[c] = 1;
        m->cluster[far] = (int32_t)c;
        m->square[far] = 0;
        ++*filled;
    }
    return SJ_OK;
}

static void move(struct sj_kmeans *m)
{
    const int64_t d = m->rows.d;
    for (int64_t c = 0; c < m->set.clusters; c++)
        for (int64_t j = 0; j < d && m->size[c]; j++)
            m->state.centroid[c * d + j] = (float)(m->sum[c * d + j] / (double)m->size[c]);
    m->state.before = m->last;
    m->state.iteration++;
}

static void end_restart(struct sj_kmeans *m)
{
    struct sj_kmeans_state *s = &m->state;
    const size_t size = (size_t)(m->set.clusters * m->rows.d) * sizeof *s->centroid;
    s->inertia[s->restart] = m->last;
    s->moves[s->restart] = s->iteration;
    if (s->best < 0 || m->last < s->inertia[s->best]) {
        s->best = s->restart;
        memcpy(s->best_centroid, s->centroid, size);
    }
    s->restart++;
    s->chosen = s->iteration = 0;
    s->before = 0;
}

static int iterate(struct sj_kmeans *m)
{
    struct sj_kmeans_state *s = &m->state;
    int64_t filled = 0;
    int status = assign(m, s->chosen, s->centroid, 1);
    m->known = 0;
    if (status)
        return status;
    m->last = sum_parts(m, m->square);
    if (s->iteration < m->set.iterations)
        status = fill_empty(m, &filled);
    if (status)
        return status;
    if (s->iteration == m->set.iterations
        || (s->iteration && !filled && s->before - m->last <= m->set.tolerance * m->last))
        end_restart(m);
    else
        move(m);
    return SJ_OK;
}

int sj_kmeans_step(struct sj_kmeans *m)
{
    if (m->rows.n < m->set.clusters)
        return sj_fail(SJ_INPUT, "%lld vectors are too few for %lld clusters", (long long)m->rows.n,
                       (long long)m->set.clusters);
    return m->state.chosen < m->set.clusters ? choose(m) : iterate(m);
}

int sj_kmeans_result(struct sj_kmeans *m, struct sj_kmeans_result *r)
{
    int status = assign(m, m->set.clusters, m->state.best_centroid, 0);
    m->known = 0;
    *r = (struct sj_kmeans_result){m->state.best_centroid, m->cluster, m->square, m->size, 0};
    if (!status)
        r->inertia = sum_parts(m, m->square);
    return status;
}
