/* match: which stems of an index fit a mix, and where.
 *
 *   score of a stem    cos(normal(mean over frames of prediction(mix, class)), its vector): shelf.h; class: its own, or
 *                      where it has none the one of those wanted that scores highest
 *                      refined: the mean of that and the similarity at the offset
 *   offset             the lag at which its frames are most similar to the predicted ones (fit.h), in steps of a time
 *                      patch, 160 ms: what belongs to the mix at time t is in the stem at t + offset */
#ifndef SJ_MATCH_H
#define SJ_MATCH_H

#include <stdint.h>

#include "listen.h"
#include "shelf.h"

struct sj_match;

struct sj_match_filter {
    const char *classes;            /* NULL: all, or names with commas between */
    double tempo_low, tempo_high;   /* bpm; 0, 0: any. What has no tempo is left out */
    int key;                        /* bit k: key k is wanted; 0: any. What has no key is left out */
    double stretch;                 /* NaN: any, or the largest | ratio - 1 |; what has no tempo stays */
    int shift;                      /* -1: any, or the most semitones up or down; what has no key stays */
};

struct sj_match_row {
    int64_t stem; /* of the index */
    int class;    /* that it was scored by */
    double score;
    double offset_s, similarity; /* NaN until known */
};

/* What is quieter, of full scale 1, is no stem to match. */
#define SJ_MATCH_SILENT 0.001
#define SJ_MATCH_LEAST_S 1.0 /* what is shorter is a snippet: neither mix nor stem */

/* Reads the mix and starts to find its facts, on a thread of its own, while the caller reads index and model. SJ_INPUT,
 * SJ_SYSTEM as sj_sound_read. Whatever the status, *m may be closed afterwards. */
int sj_match_hear(const char *mix, struct sj_match **m);

/* Finds what the classes wanted predict, and waits for the facts. l, s and filter are borrowed. SJ_USAGE: a class that
 * the model does not know; SJ_INPUT as sj_listen_mix. */
int sj_match_predict(struct sj_match *m, struct sj_listener *l, const struct sj_shelf *s,
                     const struct sj_match_filter *filter);
void sj_match_close(struct sj_match *m); /* NULL is allowed */

const struct sj_facts *sj_match_facts(const struct sj_match *m); /* of the mix, after sj_match_predict */

/* All stems that pass the filter, best first; equal ones in the order of the index. Borrowed until m is closed. */
int sj_match_rank(struct sj_match *m, int64_t *n, struct sj_match_row **row);

/* Whether a stem is loud and long enough to fit anything. */
int sj_match_heard(const struct sj_shelf_stem *s);

/* Refines the scores of n rows, whose similarities are known, and sorts them again. */
void sj_match_refine(int64_t n, struct sj_match_row *row);

/* The score of a vector as sj_shelf_normal leaves it, for a class. NaN where the class was not asked for. */
double sj_match_score(const struct sj_match *m, const float *vector, int class);

/* Finds offset and similarity of n rows, by the classes that they were scored by. SJ_INPUT: as sj_shelf_frames;
 * SJ_SYSTEM, SJ_DEVICE: no memory. */
int sj_match_place(struct sj_match *m, int64_t n, struct sj_match_row *row, double max_lag_s, int threads);
/* The same of a stem with frames f32 (rows, width), which are changed. */
int sj_match_place_frames(struct sj_match *m, int64_t rows, float *frames, double max_lag_s, int threads,
                          struct sj_match_row *row);

#endif
