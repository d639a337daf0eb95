/* fit: where stems fit a mix best: the similarities of all frames with all, several stems at a time, as matrix products.
 *
 *   of a shift   the sum of cos(z[i + j], p[i]) over the frames that overlap, divided by the frames of the shorter: a few
 *                frames at an end are alike by chance
 *   of a stem    the largest of them, and its shift j in frames; of equal ones the least shift
 *
 * z: the frames of a stem, p: those predicted from the mix (align.h), of both their mean over the recording taken away.
 * Products are f32. */
#ifndef SJ_FIT_H
#define SJ_FIT_H

#include <stdint.h>

#include "err.h"

struct sjk;
struct sj_fit;

struct sj_fit_stem {
    int64_t rows;
    float *frames;     /* f32 (rows, d), which are changed */
    int64_t lag;       /* the result; 0 and -inf before */
    double similarity;
};

/* Predictions p f32 (m, d), copied; shifts of -lags .. lags frames. k is borrowed. SJ_SYSTEM, SJ_DEVICE: no memory. */
int sj_fit_new(struct sjk *k, int64_t m, int64_t d, const float *p, int64_t lags, struct sj_fit **f);
void sj_fit_free(struct sj_fit *f); /* NULL is allowed */
int sj_fit_run(struct sj_fit *f, int64_t n, struct sj_fit_stem *stem, int threads);

#endif
