/* wav: WAV files, written whole or not at all (reading is lib/audio.h's). */
#ifndef SJ_WAV_H
#define SJ_WAV_H

#include <stdint.h>

#include "stream.h"

struct sj_wav;
struct sj_whole;

/* Starts PATH. format: SJ_F32 (IEEE float) or SJ_I16 (PCM; values are clipped). SJ_USAGE when rate or channels are not
 * positive. The file appears at sj_wav_commit. */
int sj_wav_create(const char *path, int64_t rate_hz, int channels, enum sj_dtype format, struct sj_wav **w);

/* Appends n frames of interleaved samples, full scale 1. SJ_USAGE beyond the 4 GiB that the format can hold. */
int sj_wav_write(struct sj_wav *w, const float *samples, int64_t n);

int sj_wav_commit(struct sj_wav *w); /* frees w also on failure */
/* The same, but the file appears when the caller commits *whole (whole.h). */
int sj_wav_finish(struct sj_wav *w, struct sj_whole **whole);
void sj_wav_abort(struct sj_wav *w); /* nothing appears; NULL is allowed */

#endif
