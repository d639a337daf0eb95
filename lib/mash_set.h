/* mash_set: the tracks of wave/1 streams and what is compared of them (mash.h), computed side by side. */
#ifndef SJ_MASH_SET_H
#define SJ_MASH_SET_H

#include "labels.h"
#include "mash.h"
#include "stream.h"

struct sj_mash_set {
    int64_t n;
    struct sj_head *head;        /* of the streams */
    struct sj_labels *label;     /* (n) in the order of the input */
    struct sj_mash_track *track; /* (n) */
    int64_t room;
    int64_t most_beats;          /* of a track */
    int64_t beatless;            /* tracks without beats of their own */
};

/* The streams of n paths, one after the other ("-" or n = 0: standard input). SJ_INPUT unless they hold tracks in
 * chunks at 16 kHz. progress: enum sj_progress_mode; label: for it. *s is to be freed whatever is returned. */
int sj_mash_set_read(int n, const char *const *paths, int threads, int progress, const char *label,
                     struct sj_mash_set *s);
void sj_mash_set_free(struct sj_mash_set *s);
const char *sj_mash_set_class(const struct sj_mash_set *s, int64_t i); /* its name, NULL: none */

#endif
