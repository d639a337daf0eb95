#include "fft.h"

#include <fftw3.h>
#include <pthread.h>
#include <stdlib.h>

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
