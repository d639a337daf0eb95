#include "fft.h"

#include <fftw3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct sj_fft {
    fftwf_plan plan;
    float *in;
    fftwf_complex *out;
};

static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER; /* FFTW's planner has state of its own */

void sj_fft_planner_lock(void)
{
    pthread_mutex_lock(&planner);
}

void sj_fft_planner_unlock(void)
{
    pthread_mutex_unlock(&planner);
}

int sj_fft_new(int64_t samples, int64_t batch, struct sj_fft **out)
{
    if (samples < 1 || batch < 1 || samples > INT32_MAX / 16 / batch)
        return sj_fail(SJ_USAGE, "no transform of %lld times %lld samples", (long long)batch, (long long)samples);
    struct sj_fft *f = calloc(1, sizeof *f);
    int n = (int)samples, b = (int)batch, bins = n / 2 + 1;
    if (f) {
        f->in = fftwf_alloc_real((size_t)n * (size_t)b);
        f->out = fftwf_alloc_complex((size_t)bins * (size_t)b);
    }
    if (f && f->in && f->out) {
        sj_fft_planner_lock();
        f->plan = fftwf_plan_many_dft_r2c(1, &n, b, f->in, NULL, 1, n, f->out, NULL, b, 1, FFTW_ESTIMATE);
        sj_fft_planner_unlock();
    }
    if (!f || !f->plan) {
        sj_fft_free(f);
        return sj_fail(SJ_SYSTEM, "no memory for transforms of %lld times %lld samples", (long long)batch,
                       (long long)samples);
    }
    *out = f;
    return SJ_OK;
}

void sj_fft_free(struct sj_fft *f)
{
    if (!f)
        return;
    if (f->plan) {
        sj_fft_planner_lock();
        fftwf_destroy_plan(f->plan);
        sj_fft_planner_unlock();
    }
    fftwf_free(f->in);
    fftwf_free(f->out);
    free(f);
}

float *sj_fft_in(struct sj_fft *f)
{
    return f->in;
}

const float *sj_fft_out(const struct sj_fft *f)
{
    return (const float *)f->out;
}

void sj_fft_run(struct sj_fft *f)
{
    fftwf_execute(f->plan);
}

/* -- planes -------------------------------------------------------------------------------------------------------- */
struct sj_fft_plane {
    fftwf_plan forward, inverse;
    float *real;
    fftwf_complex *spectrum;
};

int sj_fft_plane_new(int64_t rows, int64_t columns, struct sj_fft_plane **out)
{
    if (rows < 1 || columns < 1 || columns > INT32_MAX / 16 / rows)
        return sj_fail(SJ_USAGE, "no transform of %lld times %lld values", (long long)rows, (long long)columns);
    struct sj_fft_plane *p = calloc(1, sizeof *p);
    const int r = (int)rows, c = (int)columns;
    if (p) {
        p->real = fftwf_alloc_real((size_t)r * (size_t)c);
        p->spectrum = fftwf_alloc_complex((size_t)r * (size_t)(c / 2 + 1));
    }
    if (p && p->real && p->spectrum) {
        sj_fft_planner_lock();
        p->forward = fftwf_plan_dft_r2c_2d(r, c, p->real, p->spectrum, FFTW_ESTIMATE);
        p->inverse = fftwf_plan_dft_c2r_2d(r, c, p->spectrum, p->real, FFTW_ESTIMATE);
        sj_fft_planner_unlock();
    }
    if (!p || !p->forward || !p->inverse) {
        sj_fft_plane_free(p);
        return sj_fail(SJ_SYSTEM, "no memory for transforms of %lld times %lld values", (long long)rows,
                       (long long)columns);
    }
    *out = p;
    return SJ_OK;
}

void sj_fft_plane_free(struct sj_fft_plane *p)
{
    if (!p)
        return;
    sj_fft_planner_lock();
    if (p->forward)
        fftwf_destroy_plan(p->forward);
    if (p->inverse)
        fftwf_destroy_plan(p->inverse);
    sj_fft_planner_unlock();
    fftwf_free(p->real);
    fftwf_free(p->spectrum);
    free(p);
}

float *sj_fft_plane_real(struct sj_fft_plane *p)
{
    return p->real;
}

float *sj_fft_plane_spectrum(struct sj_fft_plane *p)
{
    return (float *)p->spectrum;
}

void sj_fft_plane_forward(struct sj_fft_plane *p)
{
    fftwf_execute(p->forward);
}

void sj_fft_plane_inverse(struct sj_fft_plane *p)
{
    fftwf_execute(p->inverse);
}

int64_t sj_fft_length(int64_t n)
{
    for (n = n < 2 ? 2 : n + n % 2;; n += 2) {
        int64_t rest = n;
        for (int64_t f = 2; f <= 5; f++)
            while (rest % f == 0)
                rest /= f;
        if (rest == 1)
            return n;
    }
}

/* -- correlation, in double precision ------------------------------------------------------------------------------ */
enum { COLUMNS = 16 }; /* transformed together */

/* What one thread works with. */
struct lane {
    double *in;          /* (COLUMNS, size) */
    fftw_complex *a, *b; /* (COLUMNS, bins) */
};

struct correlation {
    int size, bins, lanes;
    fftw_plan forward, backward;
    struct lane *lane;
    fftw_complex *block; /* (blocks, bins): what each block of columns adds */
    double *back;        /* (size) */
};

static int prepare(struct correlation *c, int64_t blocks)
{
    const size_t bins = (size_t)c->bins, size = (size_t)c->size;
    int filled = 1;
    c->lane = calloc((size_t)c->lanes, sizeof *c->lane);
    c->block = fftw_alloc_complex((size_t)blocks * bins);
    c->back = fftw_alloc_real(size);
    for (int l = 0; l < c->lanes && c->lane; l++) {
        c->lane[l] = (struct lane){fftw_alloc_real(COLUMNS * size), fftw_alloc_complex(COLUMNS * bins),
                                   fftw_alloc_complex(COLUMNS * bins)};
        filled = filled && c->lane[l].in && c->lane[l].a && c->lane[l].b;
    }
    if (!c->lane || !filled || !c->block || !c->back)
        return sj_fail(SJ_SYSTEM, "no memory for a correlation of %d", c->size);
    pthread_mutex_lock(&planner);
    c->forward = fftw_plan_many_dft_r2c(1, &c->size, COLUMNS, c->lane->in, NULL, 1, c->size, c->lane->a, NULL, 1,
                                        c->bins, FFTW_ESTIMATE);
    c->backward = fftw_plan_dft_c2r_1d(c->size, c->block, c->back, FFTW_ESTIMATE);
    pthread_mutex_unlock(&planner);
    return c->forward && c->backward ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for a correlation of %d", c->size);
}

static void release(struct correlation *c)
{
    pthread_mutex_lock(&planner);
    if (c->forward)
        fftw_destroy_plan(c->forward);
    if (c->backward)
        fftw_destroy_plan(c->backward);
    pthread_mutex_unlock(&planner);
    for (int l = 0; l < c->lanes && c->lane; l++) {
        fftw_free(c->lane[l].in);
        fftw_free(c->lane[l].a);
        fftw_free(c->lane[l].b);
    }
    free(c->lane);
    fftw_free(c->block);
    fftw_free(c->back);
}

/* The spectra of columns first .. of x (n, d); those past d are zero. */
static void transform(const struct correlation *c, const struct lane *l, int64_t n, const float *x, int64_t d,
                      int64_t first, fftw_complex *out)
{
    const int64_t columns = d - first < COLUMNS ? d - first : COLUMNS;
    memset(l->in, 0, (size_t)COLUMNS * (size_t)c->size * sizeof *l->in);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < columns; k++)
            l->in[k * c->size + i] = x[i * d + first + k];
    fftw_execute_dft_r2c(c->forward, l->in, out);
}

/* sum = sum over the columns of A times the conjugate of B. */
static void multiply(const struct correlation *c, const struct lane *l, fftw_complex *sum)
{
    memset(sum, 0, (size_t)c->bins * sizeof *sum);
    for (int64_t k = 0; k < COLUMNS; k++)
        for (int64_t w = 0; w < c->bins; w++) {
            const double *a = l->a[k * c->bins + w], *b = l->b[k * c->bins + w];
            sum[w][0] += a[0] * b[0] + a[1] * b[1];
            sum[w][1] += a[1] * b[0] - a[0] * b[1];
        }
}

int sj_fft_correlate(int64_t n, const float *a, int64_t m, const float *b, int64_t d, int64_t lags, int threads,
                     double *out)
{
    const int64_t longest = n > m ? n : m, within = lags < longest ? lags : longest - 1; /* beyond, no row is in both */
    const int64_t blocks = (d + COLUMNS - 1) / COLUMNS;
    if (n < 1 || m < 1 || d < 1 || lags < 0 || longest > INT32_MAX / 64 || d > INT32_MAX / 64)
        return sj_fail(SJ_USAGE, "no correlation of %lld and %lld rows of %lld values", (long long)n, (long long)m,
                       (long long)d);
    struct correlation c = {.size = (int)sj_fft_length(longest + within), .lanes = threads > 1 ? threads : 1};
    c.bins = c.size / 2 + 1;
    int status = prepare(&c, blocks);
    if (!status) {
        int lane = 0; /* the number of the next thread */
#pragma omp parallel num_threads(c.lanes)
        {
            struct lane *l;
#pragma omp critical
            l = &c.lane[lane++];
#pragma omp for schedule(static)
            for (int64_t i = 0; i < blocks; i++) {
                transform(&c, l, n, a, d, i * COLUMNS, l->a);
                transform(&c, l, m, b, d, i * COLUMNS, l->b);
                multiply(&c, l, c.block + i * c.bins);
            }
        }
        for (int64_t i = 1; i < blocks; i++)
            for (int64_t w = 0; w < c.bins; w++) {
                c.block[w][0] += c.block[i * c.bins + w][0];
                c.block[w][1] += c.block[i * c.bins + w][1];
            }
        fftw_execute(c.backward);
        for (int64_t j = -lags; j <= lags; j++)
            out[lags + j] = j < -within || j > within ? 0 : c.back[j < 0 ? j + c.size : j] / c.size;
    }
    release(&c);
    return status;
}
