/* excerpt: pieces of the stems of tracks as they are, at their own sample rate and with their channels, for people to
 * listen to (models hear lib/track.h's). */
#ifndef SJ_EXCERPT_H
#define SJ_EXCERPT_H

#include <stdint.h>

#include "err.h"
#include "layout.h"

enum { SJ_ENVELOPE_STEPS = 10 }; /* a second */

/* Whether the track, one of sj_layout_find's with so many classes in all, has stems: found[c] (classes) = 1 or 0.
 * SJ_INPUT: it is a single sound; or what is wrong with it. */
int sj_excerpt_classes(const struct sj_track *t, int classes, unsigned char *found);

/* How strong a stem is over time. */
struct sj_envelope {
    int rate_hz, channels; /* of its first file */
    double seconds;        /* the shortest of its files */
    float peak;            /* the largest magnitude, full scale 1 */
    int64_t steps;         /* of a tenth of a second, the last one perhaps shorter */
    double *energy;        /* (steps) mean over its time of the sum of squares of the mean of the channels */
};

/* Reads all files of a class of the track, which must have it. */
int sj_envelope_read(const struct sj_track *t, int class, struct sj_envelope *e);
void sj_envelope_free(struct sj_envelope *e); /* zeros are allowed */

/* The mean of energy over [start_s, start_s + seconds). */
double sj_envelope_mean(const struct sj_envelope *e, double start_s, double seconds);

/* An excerpt: `frames` frames at a rate, of 1 or 2 channels, from a time on. */
struct sj_excerpt {
    double start_s;
    int64_t frames;
    int channels, rate_hz;
};

/* out (frames,channels) += gain x the class's stem: resampled where its rate is another, one channel copied to two,
 * more than two (or two, where one is wanted) averaged; silence after its end. */
int sj_excerpt_add(const struct sj_track *t, int class, const struct sj_excerpt *e, float gain, float *out);

#endif
