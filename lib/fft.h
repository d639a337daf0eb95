/* fft: real Fourier transforms in single precision, batches of one dimension and planes; correlation. The
 * only user of fftw3.h.
 *
 * Plans are made without measuring (FFTW_ESTIMATE, about 1 ms): for 400 samples measuring took 100 ms, for
 * nothing. */
#ifndef SJ_FFT_H
#define SJ_FFT_H

#include <stdint.h>

#include "err.h"

struct sj_fft;

/* `batch` transforms of `samples` real values each. Plans are made one at a time whatever the threads. SJ_SYSTEM
 * without memory. */
int sj_fft_new(int64_t samples, int64_t batch, struct sj_fft **f);
void sj_fft_free(struct sj_fft *f); /* NULL is allowed */

/* Where the transform reads: f32 (batch, samples), one frame after the other, owned by f, to be filled by the caller.
 * The transform may use it as scratch. */
float *sj_fft_in(struct sj_fft *f);

/* Where it writes: complex f32 (samples/2 + 1, batch), frame fastest, re and im interleaved; owned by f. */
const float *sj_fft_out(const struct sj_fft *f);

/* out[k, b] = sum over n of in[b, n] exp(-2 pi i k n / samples), not scaled. */
void sj_fft_run(struct sj_fft *f);

/* out[lags + j] = sum over i and k of a[i + j, k] b[i, k] for j = -lags .. lags, over the rows that both have;
 * in a f32 (n, d), b f32 (m, d); out f64 (2 lags + 1); n, m, d at least 1. Computed in double precision, all j at
 * once: d transforms of each, not n m products; the error is about 1e-14 of the largest sum. threads: the result
 * does not depend on them. SJ_USAGE: too long. SJ_SYSTEM: no memory. */
int sj_fft_correlate(int64_t n, const float *a, int64_t m, const float *b, int64_t d, int64_t lags, int threads,
                     double *out);

/* -- planes -------------------------------------------------------------------------------------------------------- */
struct sj_fft_plane;

/* Both directions, for planes of (rows, columns) real values. SJ_SYSTEM without memory. */
int sj_fft_plane_new(int64_t rows, int64_t columns, struct sj_fft_plane **p);
void sj_fft_plane_free(struct sj_fft_plane *p); /* NULL is allowed */

/* f32 (rows, columns), and complex f32 (rows, columns/2 + 1), re and im interleaved; owned by p. Each transform reads
 * the one, which it may use as scratch, and writes the other. */
float *sj_fft_plane_real(struct sj_fft_plane *p);
float *sj_fft_plane_spectrum(struct sj_fft_plane *p);

/* spectrum[u, v] = sum over y, x of real[y, x] exp(-2 pi i (u y / rows + v x / columns)), not scaled. */
void sj_fft_plane_forward(struct sj_fft_plane *p);
/* The inverse times rows x columns. */
void sj_fft_plane_inverse(struct sj_fft_plane *p);

/* The smallest length of at least n that transforms well: even, without prime factors above 5. */
int64_t sj_fft_length(int64_t n);

/* -- others' plans ------------------------------------------------------------------------------------------------- */
/* FFTW's planner has state of its own: where another library makes or frees plans, hold this meanwhile. */
void sj_fft_planner_lock(void);
void sj_fft_planner_unlock(void);

#endif
