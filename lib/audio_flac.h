/* audio_flac: FLAC files, written whole or not at all. */
#ifndef SJ_AUDIO_FLAC_H
#define SJ_AUDIO_FLAC_H

#include <stdint.h>

#include "err.h"

/* PATH = x (frames,channels) f32, interleaved, full scale 1, clipped and rounded to 16 bits. SJ_USAGE: more than 8
 * channels or a rate that FLAC does not have; SJ_SYSTEM names the path. */
int sj_flac_write(const char *path, const float *x, int64_t frames, int channels, int rate_hz);

#endif
