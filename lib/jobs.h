/* jobs: inputs worked on side by side, what they give used in order, bad ones passed over where that is wanted. */
#ifndef SJ_JOBS_H
#define SJ_JOBS_H

#include <stdint.h>

#include "ordered.h"
#include "stream.h"
#include "track.h"

/* What a job gives, with everything that it points to behind it: a record, or all stems of a track. */
struct sj_item {
    struct sj_record record;   /* its key is `key`, its data `data` */
    float *data;               /* owned, or NULL */
    int16_t *audio;            /* (stems,samples) owned, or NULL; full scale is 32768 */
    int stems;
    int32_t class[SJ_CLASSES]; /* (stems) ascending */
    int64_t samples, clipped;  /* clipped: how many samples went beyond full scale */
    char source[SJ_SOURCE];    /* sj_track_source */
    char key[];
};

struct sj_item *sj_item_new(const char *key); /* NULL: no memory, recorded */
void sj_item_drop(void *item);                /* NULL is allowed */

struct sj_jobs {
    struct sj_ordered_work work; /* threads, ahead, depth, first, jobs, run, arg; run gives struct sj_item */
    int keep_going;              /* a job that fails is passed over, all of it (depth must be 0) */
    int (*use)(void *to, const struct sj_item *item); /* in the caller's thread; what it returns beside SJ_OK ends it */
    void *to;
    void (*passed_over)(void *arg); /* under keep_going, for each: sj_reason() says why */
    void *passed_arg;
    int progress;                /* enum sj_progress_mode */
    const char *tool, *unit;     /* for the progress */
};

/* Runs them all: the first failure, of a job (unless passed over) or of use. */
int sj_jobs_run(const struct sj_jobs *jobs);

#endif
