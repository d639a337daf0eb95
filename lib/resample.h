/* resample: one channel from one sample rate to another, in a stream. The only user of soxr.h. */
#ifndef SJ_RESAMPLE_H
#define SJ_RESAMPLE_H

#include <stddef.h>

#include "err.h"

struct sj_resample;

/* Linear phase, no delay: sample k of the output is at time k / to_hz of the input. n samples become n * to_hz /
 * from_hz, rounded. Equal rates pass through unchanged. */
int sj_resample_open(int from_hz, int to_hz, struct sj_resample **r);

/* Takes up to n samples of `in` (*used) and gives up to `room` (*made); in NULL: no more comes, *made = 0 when all is
 * out. What is used and made depends on the counts only, so channels fed alike stay in step. */
int sj_resample_process(struct sj_resample *r, const float *in, size_t n, float *out, size_t room, size_t *used,
                        size_t *made);
void sj_resample_close(struct sj_resample *r); /* NULL is allowed */

#endif
