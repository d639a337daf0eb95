/* mel: log-mel spectrograms (SPEC 2).
 *
 *   frame t of a wave x:  |FFT(x[hop t + i] window[i])|^2 -> triangular Slaney filters with area normalisation
 *                         -> (ln(band + floor) - mean) / std
 *
 * A `struct sj_mel` holds tables and scratch memory and belongs to one thread at a time; make one per thread. */
#ifndef SJ_MEL_H
#define SJ_MEL_H

#include <stdint.h>

#include "err.h"
#include "json.h"

struct sjk;
struct sj_mel;

struct sj_mel_settings {
    double sample_rate_hz;
    int64_t fft_samples, hop_samples; /* window length = FFT length */
    int64_t bands;
    double low_hz, high_hz;
    double floor;                     /* added to the band's power before the logarithm */
    double mean, std;                 /* normalisation */
};

/* 16 kHz, 400, 160, 80 bands of 50-8000 Hz, floor 2^-23, mean -9.453, std 3.569. */
struct sj_mel_settings sj_mel_defaults(void);

/* The settings as members of a stream's params ("mel_fft_samples", "mel_mean", ...), and back: SJ_INPUT when one is
 * absent. */
void sj_mel_to_params(const struct sj_mel_settings *s, sj_json *params);
int sj_mel_from_params(const sj_json *params, struct sj_mel_settings *s);

/* `k` is an open back end, borrowed: it must outlive the result and serve no other thread meanwhile.
 * SJ_USAGE for settings out of range: an odd or tiny FFT, high_hz above half the rate, std not above 0. */
int sj_mel_new(struct sjk *k, const struct sj_mel_settings *s, struct sj_mel **m);
void sj_mel_free(struct sj_mel *m); /* NULL is allowed */

/* Frames of a chunk of n samples that brings its own surroundings: (n - fft) / hop + 1, or 0 when n < fft. */
int64_t sj_mel_chunk_frames(const struct sj_mel *m, int64_t n);
/* out (bands, stride): columns 0 .. frames-1 from wave (n), whose sample 0 is where the first window starts; columns
 * frames .. stride-1 are 0. SJ_USAGE when stride < frames; SJ_INPUT when wave holds a value that is not finite. */
int sj_mel_chunk(struct sj_mel *m, int64_t n, const float *wave, float *out, int64_t stride);

/* Frames of a whole wave of n samples with frame t centred on sample hop t: 1 + n / hop. */
int64_t sj_mel_whole_frames(const struct sj_mel *m, int64_t n);
/* As sj_mel_chunk for a whole wave, reflected by fft/2 samples at both ends; n must exceed fft/2 (else SJ_INPUT). */
int sj_mel_whole(struct sj_mel *m, int64_t n, const float *wave, float *out, int64_t stride);

/* The filter bank in double precision, (bands, fft/2 + 1), for tests and other users; weights is the caller's. */
void sj_mel_filters(const struct sj_mel_settings *s, double *weights);

#endif
