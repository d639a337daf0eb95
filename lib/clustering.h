/* clustering: sj-knn --cluster and --assign: k-means of embeddings, saved on the way, written as a table. */
#ifndef SJ_CLUSTERING_H
#define SJ_CLUSTERING_H

#include <stdio.h>

#include "cli.h"
#include "tool.h"

struct sj_clustering_settings {
    int64_t clusters, restarts, iterations; /* 0: not given */
    double tolerance;                       /* negative: not given */
    const char *centroids;                  /* file to write, or NULL */
    double save_s;                          /* seconds between savings; negative: not given */
    int resume;
    const char *assign;                     /* file of centroids that are taken as they are, or NULL */
};

/* The values that say "not given". */
#define SJ_CLUSTERING_DEFAULTS {.tolerance = -1, .save_s = -1}
/* The options of a struct sj_clustering_settings, for an SJ_GROUP. */
extern const struct sj_option sj_clustering_options[];

/* Whether --cluster or --assign was given. */
int sj_clustering_wanted(const struct sj_clustering_settings *set);
/* Fills in what was not given. SJ_USAGE when options do not go together, also without --cluster. */
int sj_clustering_check(struct sj_clustering_settings *set, const struct sj_run *run);

/* Clusters the vectors of run's operands, memory_bytes of them in memory, and writes to f a line for each:
 *   key  class  start_s  end_s  cluster  distance [frequency]
 * (or, with run's --json, an object). SIGINT and SIGTERM save the state where there is a file for it, then end the
 * program. */
int sj_clustering_run(const struct sj_clustering_settings *set, struct sj_run *run, int64_t memory_bytes, FILE *f);

#endif
