#include "fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "align.h"
#include "sjk.h"

enum { ROWS = 4096, SCORES = 1 << 22 }; /* the most frames of stems, and similarities, of one product */

struct sj_fit {
    struct sjk *k;
    int64_t m, d, lags;
    int64_t room;           /* frames of stems in one product */
    float *x, *s;           /* host: (room, d), (room, m) */
    float *mix, *px, *ps;   /* back end: (m, d), last frame first; as x, as s */
};

static int fail(const struct sj_fit *f, int status)
{
    return status ? sj_fail(status, "%s", sjk_reason(f->k)) : SJ_OK;
}

static int alloc(struct sj_fit *f, int64_t rows, int64_t columns, float **p)
{
    void *memory = NULL;
    int e = f->k->ops->alloc(f->k, (size_t)(rows * columns) * sizeof **p, &memory);
    *p = memory;
    return fail(f, e);
}

int sj_fit_new(struct sjk *k, int64_t m, int64_t d, const float *p, int64_t lags, struct sj_fit **out)
{
    struct sj_fit *f = calloc(1, sizeof *f);
    float *mix = malloc((size_t)(m * d) * sizeof *mix);
    int status = f && mix ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for %lld frames", (long long)m);
    if (!status) {
        const int64_t room = SCORES / m;
        *f = (struct sj_fit){.k = k, .m = m, .d = d, .lags = lags, .room = room > ROWS ? ROWS : room > 1 ? room : 1};
        f->x = malloc((size_t)(f->room * d) * sizeof *f->x);
        f->s = malloc((size_t)(f->room * m) * sizeof *f->s);
        if (!f->x || !f->s)
            status = sj_fail(SJ_SYSTEM, "no memory for %lld frames", (long long)m);
    }
    for (int64_t i = 0; i < m && !status; i++)
        memcpy(mix + (m - 1 - i) * d, p + i * d, (size_t)d * sizeof *mix);
    if (!status)
        status = sj_align_remove(m, d, 1, mix);
    if (!status) {
        sj_align_unit(m, d, mix);
        (void)((status = alloc(f, m, d, &f->mix)) || (status = alloc(f, f->room, d, &f->px)) ||
               (status = alloc(f, f->room, m, &f->ps)) ||
               (status = fail(f, k->ops->put(k, f->mix, mix, (size_t)(m * d) * sizeof *mix))));
    }
    free(mix);
    if (status)
        sj_fit_free(f);
    else
        *out = f;
    return status;
}

void sj_fit_free(struct sj_fit *f)
{
    if (!f)
        return;
    float *const part[] = {f->mix, f->px, f->ps};
    for (int i = 0; i < 3; i++)
        if (part[i])
            f->k->ops->free(f->k, part[i]);
    free(f->x);
    free(f->s);
    free(f);
}

/* s = the similarities of `rows` frames in x. */
static int multiply(struct sj_fit *f, int64_t rows)
{
    const struct sjk_ops *o = f->k->ops;
    int e;
    (void)((e = o->put(f->k, f->px, f->x, (size_t)(rows * f->d) * sizeof *f->x)) ||
           (e = o->matmul_nt(f->k, rows, f->m, f->d, SJK_F32, f->px, f->d, f->mix, f->d, f->ps, f->m)) ||
           (e = o->get(f->k, f->s, f->ps, (size_t)(rows * f->m) * sizeof *f->s)));
    return fail(f, e);
}

/* sum (2 lags + 1) += the similarities s (m) of frame i of a stem: lag i - j goes with the mix's frame j, and s has the
 * last one first. */
static void add_row(const struct sj_fit *f, int64_t i, const float *s, double *sum)
{
    const int64_t first = f->lags + i - (f->m - 1); /* where s[0] belongs */
    const int64_t from = first < 0 ? -first : 0, end = 2 * f->lags + 1 - first, to = end < f->m ? end : f->m;
    for (int64_t c = from; c < to; c++)
        sum[first + c] += s[c];
}

static void find_peak(const struct sj_fit *f, const double *sum, struct sj_fit_stem *stem)
{
    const double frames = (double)(f->m < stem->rows ? f->m : stem->rows);
    for (int64_t far = 0; far <= f->lags; far++)
        for (int side = 1; side >= -1; side -= 2) {
            const double s = sum[f->lags + side * far] / frames;
            if (s > stem->similarity) {
                stem->similarity = s;
                stem->lag = side * far;
            }
        }
}

/* Where each stem begins in the row of all frames (n + 1). */
static int prepare(const struct sj_fit *f, int64_t n, struct sj_fit_stem *stem, int threads, int64_t *start)
{
    int failed = 0;
    start[0] = 0;
    for (int64_t i = 0; i < n; i++)
        start[i + 1] = start[i] + stem[i].rows;
#pragma omp parallel for num_threads(threads) schedule(dynamic) reduction(| : failed)
    for (int64_t i = 0; i < n; i++) {
        stem[i].lag = 0;
        stem[i].similarity = -INFINITY;
        failed |= sj_align_remove(stem[i].rows, f->d, 1, stem[i].frames) != SJ_OK;
        sj_align_unit(stem[i].rows, f->d, stem[i].frames);
    }
    return failed ? sj_fail(SJ_SYSTEM, "no memory for frames") : SJ_OK;
}

int sj_fit_run(struct sj_fit *f, int64_t n, struct sj_fit_stem *stem, int threads)
{
    const int64_t values = 2 * f->lags + 1;
    int64_t *start = malloc((size_t)(n + 1) * sizeof *start);
    double *sum = calloc((size_t)(n * values) + 1, sizeof *sum);
    int status = start && sum ? prepare(f, n, stem, threads, start) : sj_fail(SJ_SYSTEM, "no memory for frames");
    for (int64_t at = 0; !status && at < start[n]; at += f->room) {
        const int64_t end = at + f->room < start[n] ? at + f->room : start[n];
#pragma omp parallel for num_threads(threads) schedule(dynamic)
        for (int64_t i = 0; i < n; i++) {
            const int64_t a = start[i] > at ? start[i] : at, b = start[i + 1] < end ? start[i + 1] : end;
            if (a < b)
                memcpy(f->x + (a - at) * f->d, stem[i].frames + (a - start[i]) * f->d,
                       (size_t)((b - a) * f->d) * sizeof *f->x);
        }
        if ((status = multiply(f, end - at)))
            break;
#pragma omp parallel for num_threads(threads) schedule(dynamic)
        for (int64_t i = 0; i < n; i++) {
            const int64_t a = start[i] > at ? start[i] : at, b = start[i + 1] < end ? start[i + 1] : end;
            for (int64_t row = a; row < b; row++)
                add_row(f, row - start[i], f->s + (row - at) * f->m, sum + i * values);
        }
    }
    for (int64_t i = 0; i < n && !status; i++)
        find_peak(f, sum + i * values, &stem[i]);
    free(start);
    free(sum);
    return status;
}
