/* spectra: log-mel spectrograms where the back end computes them itself (its table has `mel`), with all of the batch at
 * once. lib/mel uses it; so does what has its waveforms in the back end's memory already. */
#ifndef SJ_SPECTRA_H
#define SJ_SPECTRA_H

#include "mel.h"

struct sj_spectra;

/* k is borrowed and must outlive the result. */
int sj_spectra_new(struct sjk *k, const struct sj_mel_settings *s, struct sj_spectra **p);
void sj_spectra_free(struct sj_spectra *p); /* NULL is allowed */

/* out f32 (B, bands, T) = spectrograms of wave (B, n), int16 / 32768 when i16, else f32; both in the back end's memory.
 * Frame 0 begins with sample `start`: 0 for a chunk that brings its own surroundings, -fft/2 for a whole wave, which is
 * mirrored beyond its ends. */
int sj_spectra_run(struct sj_spectra *p, int64_t B, int64_t n, const void *wave, int i16, int64_t start, int64_t T,
                   float *out);

/* The same of one wave f32 (n) of the host, out (bands, stride) of the host, whose columns past T stay as they are. */
int sj_spectra_host(struct sj_spectra *p, int64_t n, const float *wave, int64_t start, int64_t T, float *out,
                    int64_t stride);

#endif
