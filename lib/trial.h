/* trial: one page of a listening test: an excerpt of a mix that lacks a stem, and the same with three stems of the
 * class that is missing: its own, the one that was retrieved for it, and one drawn at random. */
#ifndef SJ_TRIAL_H
#define SJ_TRIAL_H

#include <stdint.h>

#include "candidates.h"
#include "err.h"

enum sj_condition { SJ_TRUE, SJ_RETRIEVED, SJ_RANDOM, SJ_CONDITIONS };
extern const char *const sj_conditions[]; /* "true", "retrieved", "random", NULL */

#define SJ_TRIAL_LUFS (-23.0)     /* of the true mix */
#define SJ_TRIAL_PEAK_DBFS (-1.0) /* nothing is louder */
#define SJ_TRIAL_MOST_DB 20.0     /* change of level of a stem */

/* A stem that was added. */
struct sj_version {
    int64_t track;
    int64_t rank;            /* RETRIEVED: by the neighbours; else 0 */
    double start_s, gain_db; /* where its excerpt begins in its song; how its level was changed */
};

struct sj_trial {
    int64_t track;               /* of the mix */
    int class;                   /* that it lacks */
    double start_s, gain_db;     /* of the excerpt; common to all four sounds */
    int rate_hz, channels;
    int64_t frames;
    struct sj_version version[SJ_CONDITIONS];
    float *mix, *sound[SJ_CONDITIONS]; /* (frames,channels) without and with a stem */
};

/* Makes the trial of a query, at most so many seconds long: less where one of the songs is shorter.
 *
 * The excerpt begins at random where both the missing stem and the rest have at least a quarter of their mean energy
 * (else at the best of 32 draws); a candidate's at the same time if it has as much there, else at random where it has.
 * A candidate is brought to the loudness (BS.1770) that the true stem has in the excerpt, by at most 20 dB. One gain
 * for all four sounds brings the true mix to -23 LUFS, or less where a peak would exceed -1 dBFS. Their ends are faded
 * over 10 ms. The format is that of the missing stem: its rate, and two channels if it or the rest have them.
 * Candidates with nothing to be heard are passed over: the next in rank, the next drawn.
 *
 * What is random is drawn from stream `query` of the seed. SJ_NO: the stem or the rest is silent all through, or no
 * candidate is left, the reason says which. */
int sj_trial_make(const struct sj_songs *songs, const struct sj_query *query, double seconds, uint64_t seed,
                  uint64_t stream, struct sj_trial *t);
void sj_trial_free(struct sj_trial *t); /* zeros are allowed */

#endif
