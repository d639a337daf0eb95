/* knn: exact nearest neighbours, references in blocks (see scores.h for the distance). */
#ifndef SJ_KNN_H
#define SJ_KNN_H

#include <stdint.h>

#include "scores.h"

struct sj_knn;

struct sj_neighbour {
    int64_t index; /* of the reference */
    double distance;
};

/* Lists of the k >= 1 nearest references of each of `queries` queries, empty at first. */
int sj_knn_new(int64_t queries, int64_t k, struct sj_knn **n);
void sj_knn_free(struct sj_knn *n); /* NULL is allowed */

/* Merges the rows that s holds, row j being reference index[j]. Equal distances: the lower index first. */
void sj_knn_add(struct sj_knn *n, const struct sj_scores *s, const int64_t *index, sj_admit *admit, void *arg);

/* Query q's neighbours, the nearest first; returns how many (at most k). Borrowed until the next call of sj_knn_add. */
int64_t sj_knn_list(const struct sj_knn *n, int64_t q, const struct sj_neighbour **list);

#endif
