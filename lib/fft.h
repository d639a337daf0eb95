/* fft: batches of real Fourier transforms in single precision. The only user of fftw3.h.
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

#endif
