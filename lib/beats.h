/* beats: one tempo for a whole track, and its grid of beats. The only user of aubio.h: programs that call it link
 * libaubio (pipelines/build.mk). */
#ifndef SJ_BEATS_H
#define SJ_BEATS_H

#include <stdint.h>

#include "err.h"

/* The n beats of a track: beat b lies at first_s + b period_s and reaches to the next. */
struct sj_beat_grid {
    int64_t n;       /* at least 1 */
    double first_s;  /* -period_s/2 <= first_s < period_s/2 */
    double period_s;
    int own;         /* 0: the track shows no beats; the grid is that of SJ_BEATS_DEFAULT_BPM from its start on */
};

#define SJ_BEATS_DEFAULT_BPM 120.0
#define SJ_BEATS_LEAST_BPM 80.0 /* tempi are taken to be from here to less than twice this */

/* in signal f32 (n) at rate_hz. aubio's tracker ("default", windows of 64 ms every 8 ms) hears the signal again and
 * again until at least 30 s have passed, as it finds its tempo within 6 s at the earliest. The period is the median of
 * the intervals between its beats, made precise: of the periods within 6 % of it the one whose grid the beats t_j lie
 * on best, that of the largest | sum over j exp(2 pi i t_j / period) |; the angle of the sum gives the first beat. The
 * period is then halved or doubled into the octave above. The number of beats is the number of periods in the signal's
 * length, rounded down, so that it does not depend on where the first one lies. The same for any threads. SJ_SYSTEM
 * without memory. */
int sj_beats(int64_t n, const float *signal, double rate_hz, struct sj_beat_grid *grid);

#endif
