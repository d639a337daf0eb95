/* candidates: which stems a model found for which songs, from the lines of sj-knn, and in which order songs become the
 * trials of a listening test. */
#ifndef SJ_CANDIDATES_H
#define SJ_CANDIDATES_H

#include <stdint.h>

#include "err.h"
#include "layout.h"

/* The songs that are there, and the stems that each has. */
struct sj_songs {
    const struct sj_tracks *tracks; /* borrowed */
    int classes;
    const char *const *class;       /* (classes) names, borrowed */
    unsigned char *has;             /* (tracks, classes) 1: the track has a stem of the class. A bad one has none */
};

enum { SJ_CANDIDATES = 16 }; /* kept for a query */

/* A mix that lacks one class, and the tracks whose stems of that class were found for it: of other songs, the nearest
 * first, each once. */
struct sj_query {
    int64_t track;
    int class, n;
    int64_t candidate[SJ_CANDIDATES], rank[SJ_CANDIDATES]; /* (n) tracks, and what their lines say */
};

struct sj_queries {
    int64_t n;
    struct sj_query *query; /* (n) in the order of the file; those without candidates are left out */
};

/* Reads the lines of sj-knn in PATH ("-": standard input). Neighbours of another class or of the query's own song, and
 * what belongs to bad tracks, are passed over. SJ_INPUT names file and line: a query without a class, a key that is no
 * stem of these songs. */
int sj_queries_read(const char *path, const struct sj_songs *songs, struct sj_queries *q);
void sj_queries_free(struct sj_queries *q); /* zeros are allowed */

/* A place in the test: the queries to try for it, one after the other. */
struct sj_place {
    int class;
    int64_t n, *query; /* (n) */
};

/* place (trials) for a test with as many places for every class that is asked for as for any other (the first ones have
 * one more where the division leaves some). What is tried first is drawn at random by the seed, so that songs come
 * as rarely twice as can be. SJ_INPUT: too few queries of a class. Freed with sj_places_free. */
int sj_places_draw(const struct sj_queries *q, const struct sj_songs *songs, int64_t trials, uint64_t seed,
                   struct sj_place **place);
void sj_places_free(struct sj_place *place, int64_t trials); /* NULL is allowed */

#endif
