/* mash: how well tracks go together by harmony and spectral balance, the baseline of SPEC 8.1 (AutoMashupper, Davies et
 * al. 2014). */
#ifndef SJ_MASH_H
#define SJ_MASH_H

#include <stdint.h>

#include "beats.h"
#include "err.h"

enum { SJ_MASH_PITCHES = 12, SJ_MASH_BANDS = 3, SJ_MASH_SHIFTS = 6 };
#define SJ_MASH_BALANCE 0.2                 /* the weight of spectral balance */
#define SJ_MASH_MOST (1 + SJ_MASH_BALANCE)  /* no mashability is larger */
#define SJ_MASH_LEAST_S 3.0                 /* shorter candidates go with nothing */

/* -- features ------------------------------------------------------------------------------------------------------ */
struct sj_mash_track {
    int64_t beats;  /* at least 1 */
    double length_s;
    float *chroma;  /* (SJ_MASH_PITCHES, beats), from C: mean magnitude */
    float *energy;  /* (SJ_MASH_BANDS, beats): mean weighted power */
};

/* in signal f32 (n) at rate_hz; on failure *t is empty. Spectra of Hann windows of 4096 samples every 512; a window
 * belongs to the beat that its centre lies in, those before the first or behind the last beat to these.
 *   chroma: the sum of the magnitudes of the bins from 65.4 to 2093 Hz (C2 to C7) by the nearest pitch class, A4 at
 *           440 Hz
 *   energy: the sum of the powers of the bins in 0-220, 220-1760 and from 1760 Hz on, weighted for equal loudness by
 *           the A-weighting of IEC 61672 */
int sj_mash_features(int64_t n, const float *signal, double rate_hz, const struct sj_beat_grid *grid,
                     struct sj_mash_track *t);
void sj_mash_track_free(struct sj_mash_track *t);

/* The A-weighting's factor on powers at a frequency; 1 at 1 kHz. */
double sj_mash_loudness(double hz);

/* -- scores -------------------------------------------------------------------------------------------------------- */
/* X is the query, of Bx beats, Y the candidate, of By; beats behind the end of either are 0, offsets are cyclic with
 * the length L = max(Bx, By). One struct belongs to one thread at a time. */
struct sj_mash;

/* For tracks of at most this many beats. SJ_SYSTEM without memory. */
int sj_mash_new(int64_t beats, struct sj_mash **m);
void sj_mash_free(struct sj_mash *m); /* NULL is allowed */

/* What comparisons want of the chroma of a track: f32 (sj_mash_transform_size). */
int64_t sj_mash_transform_size(const struct sj_mash *m);
void sj_mash_transform(struct sj_mash *m, const struct sj_mash_track *t, float *transform);

/* out h (SJ_MASH_PITCHES, L) for key shifts r and offsets k in beats, by the transforms of both:
 *   h[r, k] = sum over p, b of X[p, b] Y[(p + r) mod 12, (b + k) mod L] / (|X| |Y|), 0 where a norm is 0. */
void sj_mash_harmony(struct sj_mash *m, const struct sj_mash_track *x, const float *x_transform,
                     const struct sj_mash_track *y, const float *y_transform, float *h);

/* l[k] = 1 - std over the bands of the mean over the beats b < Bx of e[., b] / sum of e[., b], where
 *   e[., b] = energy X[., b] + energy Y[., (b + k) mod L];
 * beats without energy are left out of the mean; 0 where all are. */
float sj_mash_balance(struct sj_mash *m, const struct sj_mash_track *x, const struct sj_mash_track *y, int64_t k);

/* Mashability, 0 .. SJ_MASH_MOST: the largest over the offsets k of max over r of h[r, k] + SJ_MASH_BALANCE l[k], with
 * r from -shifts to shifts (0 .. SJ_MASH_SHIFTS, which are all). -1 where the candidate is shorter than the query or
 * than SJ_MASH_LEAST_S: it goes with nothing, and ranks last. */
double sj_mash_score(struct sj_mash *m, const struct sj_mash_track *x, const float *x_transform,
                     const struct sj_mash_track *y, const float *y_transform, int shifts);

#endif
