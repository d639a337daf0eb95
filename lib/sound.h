/* sound: one signal in memory, by its name: a file, or one stem of a file or folder that holds several. */
#ifndef SJ_SOUND_H
#define SJ_SOUND_H

#include <stdint.h>

#include "err.h"

/* The file's mixdown at 16 kHz, f32 (n), the caller's. Where there is no such file, "PATH:CLASS" is the stem of that
 * class of the track at PATH (layout.h: a file with a channel per class, a .stem.mp4, a folder of stems; by the class
 * map "four"). SJ_INPUT, SJ_SYSTEM: as sj_decode_open; SJ_INPUT: PATH has no such stem. */
int sj_sound_read(const char *path, float **wave, int64_t *n);

#endif
