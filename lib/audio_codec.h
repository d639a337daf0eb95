/* audio_codec: what a lossy codec leaves of a sound, by libsndfile's encoders and decoders, in memory. */
#ifndef SJ_AUDIO_CODEC_H
#define SJ_AUDIO_CODEC_H

#include <stdint.h>

#include "err.h"

/* Opus is not among them: it takes three times as long. */
enum sj_codec { SJ_CODEC_MP3, SJ_CODEC_VORBIS, SJ_CODECS };

/* SJ_SYSTEM, naming it, when this libsndfile lacks one of them. */
int sj_codec_check(void);

/* x (n) of one channel, full scale 1, is encoded and decoded: as long as before, and in place. strength: 0 (the best
 * quality; at 16 kHz about 70 kbit/s) to 1 (the worst, 20 kbit/s). SJ_SYSTEM. */
int sj_codec_pass(enum sj_codec codec, double strength, int rate_hz, int64_t n, float *x);

#endif
