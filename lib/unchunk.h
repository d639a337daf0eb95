/* unchunk: the chunks of wave/1 streams without their halos: which samples of a chunk are its own, and whether it
 * follows the one before (schemas/wave.md). */
#ifndef SJ_UNCHUNK_H
#define SJ_UNCHUNK_H

#include "stream.h"

struct sj_unchunk {
    int64_t rate_hz, hop, window, halo; /* of the head */
    int pairs;                          /* "pair,sample": every record is a whole of its own */
    /* of the key that is being read */
    char key[SJ_KEY_BYTES + 1];
    enum sj_role role;
    int class;
    int64_t next;                       /* the frame that is due */
    int open;                           /* more chunks of the key may follow */
};

/* SJ_INPUT where the head's parameters are absent or make no sense. */
int sj_unchunk_open(const struct sj_head *head, struct sj_unchunk *u);

/* The next record. *begins: it is the first of its key. Its own samples (of each of the two waves of a pair) are the *n
 * from sample u->halo on: from the centre of its first frame to that of the next record's first, or of its own last
 * frame where no record follows. So a track of T frames gives hop (T - 1) samples: chunks do not say how many of the up
 * to hop - 1 behind the last frame are the track's. SJ_INPUT where it is no whole number of frames, or not the one that
 * is due. */
int sj_unchunk_put(struct sj_unchunk *u, const struct sj_record *record, int *begins, int64_t *n);

#endif
