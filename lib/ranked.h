/* ranked: what complete lists of neighbours, from whatever program, say about retrieval: the reports of retrieval.h
 * without the vectors. */
#ifndef SJ_RANKED_H
#define SJ_RANKED_H

#include <stdint.h>
#include <stdio.h>

#include "err.h"

struct sj_ranked;

/* Reads lists as sj_neighbours_merge does, all lines of them. SJ_INPUT names file and line. */
int sj_ranked_read(int n, const char *const *paths, struct sj_ranked **r);
void sj_ranked_free(struct sj_ranked *r); /* NULL is allowed */

/* As sj_retrieval_print; ranks are by the distances in the lists: 1 + the number of references that are strictly nearer
 * than the true one. Rows of classes are in the order of their names. SJ_INPUT names a query whose list does not hold
 * every reference that any list holds, or has no true reference or two. */
int sj_ranked_metrics(const struct sj_ranked *r, int per_class, int baselines, FILE *f, int json);

/* As sj_confusion_print, of the first of each list; classes, all that occur, in the order of their names. */
int sj_ranked_confusion(const struct sj_ranked *r, FILE *f, int json);

#endif
