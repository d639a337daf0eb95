/* loudness: how loud a sound is to the ear, by ITU-R BS.1770-4: K-weighted, gated. */
#ifndef SJ_LOUDNESS_H
#define SJ_LOUDNESS_H

#include <stdint.h>

/* The integrated loudness in LUFS of x (frames,channels) f32, interleaved, full scale 1; all channels weigh 1. Blocks
 * of 0.4 s, a quarter apart; those below -70 LUFS and those 10 LU below the mean of the rest do not count. A sound
 * shorter than a block is one. Where no block counts, and where memory ends: -INFINITY. The filters are those of the
 * recommendation at 48 kHz, carried over to other rates by the bilinear transform. */
double sj_loudness(const float *x, int64_t frames, int channels, int rate_hz);

#endif
