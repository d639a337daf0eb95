/* kmeans: k-means clustering (Lloyd 1982) of rows that are read in blocks, step by step, so that it can be saved
 * between any two steps and continued to the same bits.
 *
 * A start chooses K of the rows: the first uniformly, each further one as greedy k-means++ (Arthur & Vassilvitskii
 * 2007): of 2 + floor(ln K) rows, each drawn with probability proportional to its squared distance from the nearest
 * row chosen so far, the one that leaves the least sum of squared distances. An iteration assigns every row to its
 * nearest centroid (of equally near ones the first), sums up the squared distances (the inertia), and moves each
 * centroid to the mean of its rows. A centroid without rows takes the row that is farthest from its own centroid, among
 * those that share theirs; where these have no distance it stays. A restart ends when the inertia falls by at most
 * `tolerance` times itself and no centroid had to take a row, or after `iterations` moves; the best of `restarts` is
 * kept, of equal ones the first.
 *
 * Rows and centroids are f32; distances, sums and means are double, added in the order of the rows. The result is a
 * function of rows, settings and seed: not of threads, blocks or the back end. Dims: N rows, K centroids, D values. */
#ifndef SJ_KMEANS_H
#define SJ_KMEANS_H

#include <stdint.h>

#include "err.h"

struct sjk;

struct sj_kmeans_settings {
    int64_t clusters, restarts, iterations; /* K; each at least 1 */
    double tolerance;                       /* 0: until no row changes its cluster */
};

/* Where the rows come from. */
struct sj_kmeans_rows {
    int64_t n, d;  /* N, D */
    int64_t block; /* the most rows of one read */
    int (*read)(void *arg, int64_t first, int64_t n, const float **x); /* borrowed until the next call */
    void *arg;
};

/* Everything that the next step depends on. Between two steps it may be saved, and put back into a new one. */
struct sj_kmeans_state {
    int64_t restart;   /* 0-based; `restarts` when all are done */
    int64_t chosen;    /* centroids of this restart's start so far; K: it is complete */
    int64_t iteration; /* moves of the centroids so far */
    double before;     /* inertia before the last move */
    int64_t best;      /* the best restart so far, -1: none has ended */
    float *centroid;   /* (K, D) the first `chosen` of this restart */
    float *best_centroid; /* (K, D) */
    double *inertia;      /* (restarts) of those that ended */
    int64_t *moves;       /* (restarts) their iterations */
};

struct sj_kmeans;

/* Settings and rows are copied, k borrowed. SJ_SYSTEM, SJ_DEVICE. */
int sj_kmeans_new(struct sjk *k, const struct sj_kmeans_rows *rows, const struct sj_kmeans_settings *settings,
                  uint64_t seed, struct sj_kmeans **m);
void sj_kmeans_free(struct sj_kmeans *m); /* NULL is allowed */

/* The state: to be read at any time between steps, to be filled in before the first one only. */
struct sj_kmeans_state *sj_kmeans_state(struct sj_kmeans *m);

/* One more centroid of a start, or one iteration: at most two readings of all rows. Only while restart <
 * restarts. SJ_INPUT: fewer rows than clusters. */
int sj_kmeans_step(struct sj_kmeans *m);
/* Inertia of the last iteration; NAN before the first. */
double sj_kmeans_inertia(const struct sj_kmeans *m);

/* The best centroids and what belongs to each, when all restarts are done or a best centroid was put in. */
struct sj_kmeans_result {
    const float *centroid;  /* (K, D) */
    const int32_t *cluster; /* (N) */
    const double *square;   /* (N) squared distance from its centroid */
    const int64_t *size;    /* (K) rows of each */
    double inertia;
};
/* All of it belongs to m, until its next step. */
int sj_kmeans_result(struct sj_kmeans *m, struct sj_kmeans_result *r);

#endif
