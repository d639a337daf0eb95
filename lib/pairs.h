/* pairs: the predictions of some embeddings with the stems that others hold, by key and class (SPEC 8.4).
 *
 * Both are read once, side by side. A stem that comes before its prediction is kept in a file without a name in
 * $TMPDIR; in memory there is one pair at a time. */
#ifndef SJ_PAIRS_H
#define SJ_PAIRS_H

#include "sequence.h"

struct sj_pairs;

/* What is taken from the frames before their lengths are divided out (sj_align_remove): nothing; what all frames of a
 * key have in common; what those at the same place in its chunks have. */
enum sj_remove { SJ_REMOVE_NONE, SJ_REMOVE_MEAN, SJ_REMOVE_PLACE };
extern const char *const sj_remove_names[]; /* "none", "mean", "place", NULL */

/* query NULL: standard input. *step_s: from one frame to the next. SJ_INPUT unless both hold frames of one model. */
int sj_pairs_open(const char *query, int n, const char *const *stems, enum sj_remove what, struct sj_pairs **p,
                  double *step_s);
const struct sj_head *sj_pairs_head(const struct sj_pairs *p); /* of the queries; borrowed */

/* The next prediction and the first stem of its key and class that no prediction had, frames of length 1; *query = NULL
 * at the end, when all inputs have been read to their ends. Both are borrowed until the next call. SJ_INPUT: a
 * prediction without a stem, a query that is no prediction, a stem that is one, no pair at all; as
 * sj_sequence_next. */
int sj_pairs_next(struct sj_pairs *p, const struct sj_sequence **query, const struct sj_sequence **stem);
void sj_pairs_close(struct sj_pairs *p); /* NULL is allowed */

#endif
