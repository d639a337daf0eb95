/* preview: a mix with a stem in it, to be listened to. */
#ifndef SJ_PREVIEW_H
#define SJ_PREVIEW_H

#include "err.h"

/* PATH (WAV of 16 bits, whole or not at all) = mix(t) + stem(t + *offset_s), as long as the mix and at its rate, mono
 * where both are, else stereo (sounds of more channels are mixed down). Where the sum goes beyond full scale all of it
 * is made quieter. Before that *offset_s, known to a time patch, is made precise: of the offsets within slack_s of it the
 * one at which the onsets of both coincide best, to 10 ms (the largest sum of products of how much the energy, in dB,
 * rises from one 10 ms to the next). mix and stem: sound.h. SJ_INPUT: one cannot be read. */
int sj_preview(const char *path, const char *mix, const char *stem, double slack_s, double *offset_s);

#endif
