/* decode: a sound file as 16 kHz signals ("lanes"): its mixdown, the mean of its channels, or all of them. */
#ifndef SJ_DECODE_H
#define SJ_DECODE_H

#include <stdint.h>

#include "err.h"

enum { SJ_DECODE_HZ = 16000 };

struct sj_decode;

/* path, stream: as sj_audio_open. apart: a file of exactly so many channels has a lane per channel, any other file (and
 * 0) one lane. Memory does not grow with the length. */
int sj_decode_open(const char *path, int stream, int apart, struct sj_decode **d);
int sj_decode_channels(const struct sj_decode *d);
int sj_decode_lanes(const struct sj_decode *d);

/* lane[i] (want) = the next samples of lane i; *got < want only at the end, then 0. SJ_INPUT as sj_audio_read, and when
 * the file ends without a sample. */
int sj_decode_read(struct sj_decode *d, int64_t want, float *const *lane, int64_t *got);
void sj_decode_close(struct sj_decode *d); /* NULL is allowed */

#endif
