/* mp3: MPEG audio as float frames. The only user of mpg123.h.
 *
 * libsndfile decodes MP3 with the same library, but lets it print what it thinks of a damaged file. */
#ifndef SJ_MP3_H
#define SJ_MP3_H

#include <stdint.h>

#include "err.h"

struct sj_mp3;

/* Reads on from where fd stands; a pipe will do. fd is borrowed until the close. SJ_INPUT: there is no MPEG audio
 * frame. */
int sj_mp3_open(int fd, const char *name, struct sj_mp3 **m);
int sj_mp3_rate_hz(const struct sj_mp3 *m);
int sj_mp3_channels(const struct sj_mp3 *m);
/* The length by the file's own tag, or estimated from its size; -1: not known. */
int64_t sj_mp3_frames(const struct sj_mp3 *m);

/* Up to `frames` interleaved frames, full scale 1; *got = 0 at the end. SJ_INPUT: more of the file is damaged than
 * can be passed over, or it changes its rate or channels. */
int sj_mp3_read(struct sj_mp3 *m, float *out, int64_t frames, int64_t *got);
void sj_mp3_close(struct sj_mp3 *m); /* NULL is allowed */

#endif
