/* tune: which part of a MIDI file carries the tune. */
#ifndef SJ_TUNE_H
#define SJ_TUNE_H

#include "err.h"
#include "midi.h"

/* Of the parts (track, channel) with a note for which may(arg, track, channel, program) says 1: the one that is most
 * like a sung line, or -1, -1 where none is. May is called for every note.
 *
 * Wanted: at least 24 notes, at least 70 % of them begun alone (30 ms after the one before, with at most
 * one still sounding: singers' notes overlap when they are played), a mean key of 52 to 84, 0.3 to
 * 8 notes a second while it plays, sounding for at least a quarter of the piece. Score: the share of the piece (capped
 * at 0.7) plus 0.02 for each semitone that the mean key lies above 60 (to 72). */
int sj_tune_find(const struct sj_midi *m, int (*may)(void *arg, int track, int channel, int program), void *arg,
                 int *track, int *channel);

#endif
