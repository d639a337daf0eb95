/* align: how well a stem fits a mix, at every shift of one against the other (SPEC 8.4, figure 4).
 *
 *   s(j) = mean over frames i of cos(z[i + j], p[i])
 *
 * z: the frames of the stem, p: the frames predicted from the mix; one frame per time patch (160 ms), its frequencies
 * side by side. A frame is a vector as the model gives it, neither centred nor layer-normalised - the layer norm of
 * section 4.1 belongs to retrieval -: only its length is divided out. (sj_align_remove takes away more, for those who
 * look for an offset.) The mean goes over the i for which both frames exist, so it is over fewer frames the larger |j|
 * is. Where j > 0 the stem is late: what the mix wants now sounds j frames later in the stem. */
#ifndef SJ_ALIGN_H
#define SJ_ALIGN_H

#include <stdint.h>

#include "err.h"

/* Sums of cosines, and how many they are, of the lags -lags .. lags; lag j at [lags + j]. Curves of several pairs add
 * up, so that their mean is over stems and frames. */
struct sj_curve {
    int64_t lags;
    double *sum;
    int64_t *frames;
};

int sj_curve_new(int64_t lags, struct sj_curve *c); /* all 0; SJ_SYSTEM: no memory */
void sj_curve_free(struct sj_curve *c);             /* an empty curve is allowed */

/* x (n, d): from row i is taken the mean of the rows that are i modulo `period`. period 1: what all have in common; the
 * number of frames in a chunk: also what the encoder's positions, which begin anew with every chunk, put into them.
 * SJ_SYSTEM: no memory. */
int sj_align_remove(int64_t n, int64_t d, int64_t period, float *x);

/* x (n, d): every row divided by its length; a row of zeros stays. */
void sj_align_unit(int64_t n, int64_t d, float *x);

/* c = the curve of stem z (n, d) and prediction p (m, d), rows of length 1, by Fourier transforms. c has been made by
 * sj_curve_new. Error of a mean: below 1e-6 (the rows are rounded to f32). */
int sj_align_curve(int64_t n, const float *z, int64_t m, const float *p, int64_t d, int threads, struct sj_curve *c);

void sj_curve_add(struct sj_curve *all, const struct sj_curve *c); /* of as many lags */
double sj_curve_at(const struct sj_curve *c, int64_t lag);         /* s(lag); NaN where there is no frame */

/* Where a curve is highest, among the lags at which at least half as many frames overlap as at any: means over few
 * frames are high by chance. Of equal values the least shift. */
struct sj_peak {
    int64_t lag;
    double similarity;
    int has_next;           /* whether there is another local maximum among those lags */
    int64_t next_lag;       /* the highest of them: beyond where the curve has fallen on either side of the peak */
    double next_similarity;
};

struct sj_peak sj_curve_peak(const struct sj_curve *c); /* of a curve with at least one frame */

#endif
