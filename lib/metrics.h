/* metrics: how well queries retrieve their true references (SPEC 8.1, 8.2).
 *
 * The rank of a query is 1 + the number of references nearer than its true one (equal distances do not count); the
 * normalised rank is the rank divided by the number of references. The median is the lower of the two middle values. */
#ifndef SJ_METRICS_H
#define SJ_METRICS_H

#include <stdint.h>

#include "scores.h"

struct sjk;
struct sj_ranks;

/* Shares and normalised ranks, all from 0 to 1. */
struct sj_retrieval {
    int64_t queries;
    double recall_1, recall_5, recall_10; /* share of the queries with a rank of at most 1, 5, 10 */
    double mean_rank, median_rank;        /* normalised */
};

/* -- ranks, references in blocks ----------------------------------------------------------------------------------- */
/* distance (queries): of each query's true reference, copied. */
int sj_ranks_new(int64_t queries, const double *distance, struct sj_ranks **r);
void sj_ranks_free(struct sj_ranks *r); /* NULL is allowed */
/* Counts the rows that s holds, the true references among them. */
void sj_ranks_add(struct sj_ranks *r, const struct sj_scores *s, sj_admit *admit, void *arg);
const int64_t *sj_ranks_rank(const struct sj_ranks *r);  /* (queries) */
const int64_t *sj_ranks_total(const struct sj_ranks *r); /* (queries) references that each query was allowed to find */

/* -- summaries ----------------------------------------------------------------------------------------------------- */
/* Of n queries with these ranks among these numbers of references; n = 0 gives zeros. */
int sj_retrieval_of(int64_t n, const int64_t *rank, const int64_t *total, struct sj_retrieval *m);
/* What is expected of a uniformly random rank among `among[i]` of the total[i] references of query i: all of them is
 * chance, those of the right class an oracle of the class. */
int sj_retrieval_expected(int64_t n, const int64_t *among, const int64_t *total, struct sj_retrieval *m);

/* All of it at once: row i of query f32 (n, d) should retrieve row i of reference f32 (n, d). rank (n) may be NULL.
 * SJ_INPUT when a value is not finite. */
int sj_retrieval_metrics(struct sjk *k, int64_t n, int64_t d, const float *query, const float *reference, int64_t *rank,
                         struct sj_retrieval *m);

/* -- figure 2: what the nearest neighbour is ----------------------------------------------------------------------- */
enum sj_outcome { SJ_BOTH_RIGHT, SJ_INSTRUMENT_RIGHT, SJ_SONG_RIGHT, SJ_BOTH_WRONG };
enum { SJ_OUTCOMES = 4 };
enum sj_outcome sj_outcome_of(int same_class, int same_track);

#endif
