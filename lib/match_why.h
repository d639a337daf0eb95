/* match_why: how one stem fits a mix, beside the others of its class in an index.
 *
 * Every score here is a refined one (match.h), so that the rank is that of sj-match where it refines them all. */
#ifndef SJ_MATCH_WHY_H
#define SJ_MATCH_WHY_H

#include "match.h"

struct sj_match_why {
    struct sj_facts facts;               /* of the stem */
    int class;                           /* asked for, or the stem's own, or the one that it fits best as */
    int64_t rank, others;                /* rank among the others, stems of the class in the index without this one, + 1 */
    double score, offset_s, similarity;  /* as that class; similarity: at the offset, frame by frame */
    double level, spread;                /* mean and standard deviation of the others' scores: the random level */
    int classes;
    double score_as[SJ_CLASSES];         /* (classes) of the stem by what is predicted for each */
};

/* Number of the stem at `path` in the index, or -1: it has no such stem. */
int64_t sj_match_find(const struct sj_shelf *s, const char *path);

/* The stem at `path`, which is number self of the index, or in none: -1. class: SJ_CLASS_NONE, or by which to score it.
 * m has predictions of all classes. SJ_INPUT: the sound, or frames of the index, cannot be read, or it is silent. */
int sj_match_why(struct sj_match *m, struct sj_listener *l, const struct sj_shelf *s, const char *path, int64_t self,
                 int class, double max_lag_s, int threads, struct sj_match_why *why);

#endif
