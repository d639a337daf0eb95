/* cut: a track as the records of a wave/1 stream. */
#ifndef SJ_CUT_H
#define SJ_CUT_H

#include <stdint.h>

#include "err.h"
#include "stream.h"
#include "track.h"

/* Calls put for every chunk of everything that is wanted of the track, in order; the record is borrowed during the
 * call, and what put returns beside SJ_OK ends it. A single sound has the track's key, as has the mix; stems and rests
 * have "track/class". names (how->classes). SJ_INPUT: as sj_track_signals; a signal too short, or a key too long. */
int sj_cut_track(const struct sj_track *t, const struct sj_track_how *how, const char *const *names,
                 int64_t chunk_frames, int (*put)(const struct sj_record *r, void *arg), void *arg);

/* The same of a track whose stems are in memory; path: for messages. */
int sj_cut_wave(const struct sj_wave *w, const char *key, const char *path, const struct sj_track_how *how,
                const char *const *names, int64_t chunk_frames, int (*put)(const struct sj_record *r, void *arg),
                void *arg);

#endif
