/* ffmpeg: audio that only an ffmpeg process can decode, as a pipe of AU sound (32-bit float), which states rate and
 * channels and has no limit of length. */
#ifndef SJ_FFMPEG_H
#define SJ_FFMPEG_H

#include "err.h"

struct sj_ffmpeg;

/* Starts ffmpeg on audio stream `stream` (0: the first) of the file; messages call it `name`. SJ_SYSTEM when ffmpeg
 * is not installed. */
int sj_ffmpeg_open(const char *path, const char *name, int stream, struct sj_ffmpeg **p);

/* The reading end of its output; the caller does not close it. */
int sj_ffmpeg_fd(const struct sj_ffmpeg *p);

/* After the output's end, or when no more of it is wanted: whether ffmpeg was content; closes the reading end.
 * SJ_INPUT with the first line of what it said. Once. */
int sj_ffmpeg_finish(struct sj_ffmpeg *p);

/* Stops the process if it still runs and frees. NULL is allowed. */
void sj_ffmpeg_close(struct sj_ffmpeg *p);

#endif
