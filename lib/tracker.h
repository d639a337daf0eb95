/* tracker: tracker modules (MOD, XM, IT, S3M and others) to sound, one signal per group of instruments. The only user
 * of xmp.h. */
#ifndef SJ_TRACKER_H
#define SJ_TRACKER_H

#include <stddef.h>
#include <stdint.h>

#include "playing.h"
#include "render.h"

enum { SJ_TRACKER_INSTRUMENTS = 512 };

/* Which class every instrument (from 0) belongs to; -1: none, it sounds in no signal. */
struct sj_tracker_groups {
    int classes;
    int8_t class[SJ_TRACKER_INSTRUMENTS];
};

/* Whether the bytes are a module that can be played. */
int sj_tracker_is(const void *data, size_t size);

/* How long it plays until it ends or repeats, and which classes have instruments: class (stems) ascending. SJ_INPUT. */
int sj_tracker_look(const void *data, size_t size, const struct sj_tracker_groups *groups, double *seconds,
                    int32_t class[SJ_FLUID_CLASSES], int *stems);

/* The signals of the groups, at most `seconds`, played as p says: the tempo, and the pitch of everything. Samples that
 * instruments of two groups share sound in the first of these. full (or NULL): the same of all instruments from a pass
 * of its own (samples), owned by the caller. SJ_INPUT. */
int sj_tracker_render(const void *data, size_t size, const struct sj_tracker_groups *groups, const struct sj_playing *p,
                      double seconds, struct sj_rendered *out, float **full);

#endif
