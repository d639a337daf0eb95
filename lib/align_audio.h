/* align_audio: at which offset a recording of a stem fits a mix.
 *
 * Frames are one patch (160 ms) long, and an onset in the middle of one looks unlike one at its edge. So the stem is
 * heard FINE times, each time beginning a fraction of a patch later, which makes the offset as much finer; and each of
 * these in GRIDS places of the encoder's grid, silence before it, over which its frames are averaged: what the
 * encoder's positions put into a frame is then not that of the same place in the mix, and does not draw the offset to
 * 0 and to multiples of a chunk. Of all frames their mean over the recording is taken away (sj_align_remove). */
#ifndef SJ_ALIGN_AUDIO_H
#define SJ_ALIGN_AUDIO_H

#include "align.h"
#include "listen.h"

enum { SJ_ALIGN_FINE = 4, SJ_ALIGN_GRIDS = 5 };

/* What is less loud (loudness.h) is the noise of a stem in which nothing plays: its logarithms look like a sound. */
enum { SJ_ALIGN_FAINTEST_LUFS = -60 };

/* *curve (to be freed): the similarity of the stem to the prediction for a class[], of which there are `classes`, at
 * lags of *step_s; *best: which of them, the one whose curve rises highest. SJ_INPUT: a recording is too short or
 * too faint. */
int sj_align_audio(struct sj_listener *l, const char *mix, const char *stem, int64_t classes, const int32_t *class,
                   double max_lag_s, int threads, struct sj_curve *curve, int64_t *best, double *step_s);

#endif
