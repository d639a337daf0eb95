/* audio: sound files as float frames. The only user of sndfile.h; MP3 goes through libmpg123, what libsndfile does
 * not know through ffmpeg. */
#ifndef SJ_AUDIO_H
#define SJ_AUDIO_H

#include <stdint.h>

#include "err.h"

enum { SJ_AUDIO_MIN_HZ = 1000, SJ_AUDIO_MAX_HZ = 1000000, SJ_AUDIO_AUTO = -1 };

struct sj_audio;

/* Opens PATH ("-": standard input). From a pipe WAV, AIFF, AU and MP3 are decoded as they come, anything else is kept
 * in a nameless file in $TMPDIR first, at most 16 GiB. stream: number of the audio stream of a container, decoded by
 * ffmpeg; SJ_AUDIO_AUTO: libsndfile, or else ffmpeg's first. SJ_INPUT names the file and what is wrong with it
 * (empty, not sound, 0 Hz, cut short); SJ_SYSTEM: cannot be opened, no ffmpeg. */
int sj_audio_open(const char *path, int stream, struct sj_audio **a);
int sj_audio_rate_hz(const struct sj_audio *a);
int sj_audio_channels(const struct sj_audio *a);
const char *sj_audio_name(const struct sj_audio *a); /* for messages: the path, or "standard input" */

/* Up to `frames` interleaved frames, full scale 1; *got = 0 at the end. SJ_INPUT: the file ends before the length
 * that its header states, holds a sample that is not finite, or ffmpeg stumbled. */
int sj_audio_read(struct sj_audio *a, float *out, int64_t frames, int64_t *got);
void sj_audio_close(struct sj_audio *a); /* NULL is allowed */

/* PATH = x (frames,channels) f32, interleaved, full scale 1, clipped and rounded to 16 bits: a FLAC file, whole or not
 * at all. SJ_USAGE: more than 8 channels or a rate that FLAC does not have; SJ_SYSTEM names the path. */
int sj_flac_write(const char *path, const float *x, int64_t frames, int channels, int rate_hz);

#endif
