/* sampler: training pairs (SPEC 3; paper 3.1, 3.2) from data sets, pair n a pure function of (seed, n).
 *
 * A track is drawn uniformly (within its set), then a crop of it uniformly. A stem is active when its peak |amplitude|
 * in the crop exceeds 0.1. With fewer than two active stems another crop of the track is drawn, ten in all, then
 * another track. The target is uniform among the active stems; the size of the context is uniform in 1 .. other active
 * stems, its members are drawn without replacement, and the context is the plain sum of their waveforms. Tracks shorter
 * than the crop are padded with zeros at their end.
 *
 * Every function but open and close may be called from many threads at once. */
#ifndef SJ_SAMPLER_H
#define SJ_SAMPLER_H

#include <stdint.h>

#include "dataset.h"
#include "err.h"

enum {
    SJ_SAMPLER_BEFORE = 200,     /* reflected samples before the crop */
    SJ_SAMPLER_AFTER = 40,       /* and after it: frame f of 0 .. crop/160-1 sees samples 160f-200 .. 160f+199 */
    SJ_SAMPLER_TRACK_CROPS = 10, /* crops tried in a track */
    SJ_SAMPLER_STEMS = 256       /* the most stems of a track */
};

/* The range of a data set's weight. */
#define SJ_WEIGHT_MIN 1e-12
#define SJ_WEIGHT_MAX 1e12

struct sj_sampler;
struct sj_augment;

/* What is drawn, before any audio is read. */
struct sj_draw {
    int set;                      /* index of the data set */
    int64_t track;                /* in it */
    int64_t start;                /* first sample of the crop, 0 when the track is shorter */
    int target;                   /* stem of the track */
    int contexts;                 /* number of stems in the context */
    int context[SJ_SAMPLER_STEMS]; /* which, ascending */
    int others;                   /* active stems in neither: further targets */
    int other[SJ_SAMPLER_STEMS];  /* which, in random order */
};

struct sj_pair {
    const char *key; /* of the track; owned by the sampler */
    int class;       /* of the target */
};

/* Opens n sets. weights (n): how often each set is drawn, relative; NULL: all tracks of all sets alike. crop_samples: a
 * multiple of 160, at least 320 (8 s: 128000). SJ_INPUT: sets of different classes, or one without a crop of two active
 * stems. */
int sj_sampler_open(int n, const char *const *paths, const double *weights, uint64_t seed, int64_t crop_samples,
                    struct sj_sampler **s);
void sj_sampler_close(struct sj_sampler *s); /* NULL is allowed */
int64_t sj_sampler_width(const struct sj_sampler *s); /* samples of a waveform with its halo: 200 + crop + 40 */
const char *const *sj_sampler_classes(const struct sj_sampler *s, int *n);
const struct sj_dataset *sj_sampler_set(const struct sj_sampler *s, int set);
/* A number that tells the sets' tracks from others, wherever the files lie: of names, lengths, classes and peaks. out
 * tracks: of all sets. */
uint32_t sj_sampler_checksum(const struct sj_sampler *s, int64_t *tracks);

/* From here on `crops` pairs in a row, from each multiple of it, are crops of one track, where it has that many with two
 * active stems; before any is made. At first: 1. */
void sj_sampler_share(struct sj_sampler *s, int64_t crops);
int64_t sj_sampler_crops(const struct sj_sampler *s);

/* From here on pairs are changed at random as lib/augment.h says; before any is made. */
int sj_sampler_augment(struct sj_sampler *s, const struct sj_augment *how);

/* What pair n is. SJ_INPUT when 100,000 crops in a row had fewer than two active stems; SJ_INPUT, SJ_SYSTEM when
 * reading fails. */
int sj_sampler_draw(const struct sj_sampler *s, uint64_t n, struct sj_draw *draw);

/* Pair n: out context (width), target (width) f32, sample / 32768, changed where that is asked for, reflected at both
 * ends without the edge itself. */
int sj_sampler_pair(const struct sj_sampler *s, uint64_t n, float *context, float *target, struct sj_pair *pair);

/* The same with `targets` targets, each a waveform at target + k * stride, and pair (targets): that of pair n and then
 * others, active stems that are not in the context; where there are fewer, they come again. */
int sj_sampler_targets(const struct sj_sampler *s, uint64_t n, int targets, float *context, float *target,
                       int64_t stride, struct sj_pair *pair);

#endif
