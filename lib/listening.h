/* listening: the folder of a listening test, as schemas/listening.md describes it. */
#ifndef SJ_LISTENING_H
#define SJ_LISTENING_H

#include <stdint.h>

#include "err.h"
#include "json.h"
#include "trial.h"

struct sj_listening {
    const char *folder;            /* what the files are written into */
    const struct sj_songs *songs;
    int64_t trials;                /* how many there will be */
    int64_t per_listener;          /* trials that a listener gets */
    double listen_s;               /* of every sound, before it may be rated */
    uint64_t seed;
};

/* Makes the folder and audio/ in it, where they are missing, and removes what an earlier test wrote into them: index.html
 * first, then the other files of which sj_listening_put and sj_listening_end write the like. What else lies there
 * stays. */
int sj_listening_begin(const struct sj_listening *l);

/* Writes the sounds of trial `number` (from 0) into audio/: FLAC files, and the script that the page gets them from.
 * *entry: its object in trials.json. May be called from several threads. */
int sj_listening_put(const struct sj_listening *l, int64_t number, const struct sj_trial *t, sj_json **entry);

/* trials (trials): the entries, which it frees; provenance: of the program. Writes trials.json, webmushra.yaml and,
 * last, index.html: its presence says that the folder is complete. */
int sj_listening_end(const struct sj_listening *l, sj_json **trials, const char *provenance);

#endif
