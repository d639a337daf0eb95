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
        pthread_mutex_lock(&planner);
        f->plan = fftwf_plan_many_dft_r2c(1, &n, b, f->in, NULL, 1, n, f->out, NULL, b, 1, FFTW_ESTIMATE);
        pthread_mutex_unlock(&planner);
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
        pthread_mutex_lock(&planner);
        fftwf_destroy_plan(f->plan);
        pthread_mutex_unlock(&planner);
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
