/* audio_form: what the first bytes of a sound file say, where libsndfile does not look or does not complain. */
#ifndef SJ_AUDIO_FORM_H
#define SJ_AUDIO_FORM_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum sj_audio_form {
    SJ_FORM_SEEKS,   /* needs seeking to be read, or to see whether it is whole: Ogg, Wave64, CAF, FLAC; unknown */
    SJ_FORM_PLAIN,   /* a head that states a length, then the sound: WAV, AIFF, AU; libsndfile reads it from a pipe */
    SJ_FORM_MP3      /* begins with an MPEG audio frame */
};

enum { SJ_FORM_HEAD = 4 }; /* bytes that sj_audio_form looks at */

/* By the first n bytes; fewer than SJ_FORM_HEAD: SJ_FORM_SEEKS. */
enum sj_audio_form sj_audio_form(const unsigned char *head, size_t n);

/* The same for a regular file, past any ID3v2 tags at its beginning. */
enum sj_audio_form sj_audio_form_of_file(int fd);

/* SJ_INPUT when the file has fewer than the bytes that its header states (WAV, RF64, AIFF, AU, Wave64) or
 * the sizes of its parts (MP4, Matroska). size: of the regular file fd. */
int sj_audio_form_check(int fd, const char *name, int64_t size);

#endif
