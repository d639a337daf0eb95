/* centroids: files of a clustering (schemas/centroids.md), finished or not. */
#ifndef SJ_CENTROIDS_H
#define SJ_CENTROIDS_H

#include "kmeans.h"
#include "stream.h"

/* What the file says beside the numbers of the state. */
struct sj_centroids {
    struct sj_kmeans_settings set;
    uint64_t seed;
    int64_t vectors, width; /* of the data: N, D */
    int64_t checksum;       /* its CRC-32C */
    struct sj_head *head;   /* of the embeddings */
    int complete;           /* all restarts are done */
    int64_t best;           /* the best restart, -1: none has ended */
    float *centroid;        /* (K, D) its centroids */
};

/* Writes PATH, whole or not at all: a finished clustering where size (K) is given, else one between two steps. */
int sj_centroids_write(const char *path, const struct sj_centroids *c, const struct sj_kmeans_state *state,
                       const int64_t *size);

/* Reads what PATH says, centroids as far as there are any; c is to be freed, also on failure. SJ_INPUT: damaged, or no
 * such file. */
int sj_centroids_read(const char *path, struct sj_centroids *c);
void sj_centroids_free(struct sj_centroids *c);

/* Fills in the state of a clustering of the settings, seed and data of `want`. SJ_USAGE names what PATH has other. */
int sj_centroids_resume(const char *path, const struct sj_centroids *want, struct sj_kmeans_state *state);

#endif
