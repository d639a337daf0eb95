/* search: the embeddings of some inputs against those of others, in blocks of both that fit a memory limit.
 *
 *   sj_search_open
 *   while sj_search_queries gives some:   (a block of queries: all of them when they fit)
 *       sj_search_pass(visit)             (all references, a block at a time)
 *   sj_search_close */
#ifndef SJ_SEARCH_H
#define SJ_SEARCH_H

#include <stdint.h>

#include "embeddings.h"
#include "scores.h"

struct sjk;
struct sj_search;

struct sj_search_settings {
    const char *classes;    /* references of these classes only: names with commas between; NULL: all */
    const char *role;       /* of this role only; NULL: all */
    const char *key;        /* whose key matches this pattern of fnmatch(3) only; NULL: all */
    int same_class;         /* a query finds references of its own class only */
    int exclude_same_track; /* a query finds no reference of its own track */
    int64_t memory_bytes;   /* for vectors and scores; keys and results come on top */
    int progress;           /* enum sj_progress_mode: of the passes with scores, together */
};

/* A block of references that passed the settings. */
struct sj_search_block {
    const struct sj_scores *scores; /* with the queries; NULL when the pass wants none */
    int64_t n;
    const float *vector;            /* (n, d) */
    const int64_t *index;           /* (n) number of each among all references, in the order of the inputs */
};

/* query: NULL or "-" is standard input. SJ_INPUT when the inputs do not match (classes, model, length), naming both; SJ_USAGE
 * where an empty name, a class that the references do not have or no role is among the settings. */
int sj_search_open(struct sjk *k, const struct sj_search_settings *set, const char *query, int n,
                   const char *const *references, struct sj_search **s);
void sj_search_close(struct sj_search *s); /* NULL is allowed */
const struct sj_head *sj_search_head(const struct sj_search *s); /* of the queries; the references have its classes */
int64_t sj_search_width(const struct sj_search *s);              /* d */

/* Reads the next block of queries; *n = 0 when there are no more. */
int sj_search_queries(struct sj_search *s, int64_t *n);
struct sj_embedding sj_search_query(const struct sj_search *s, int64_t q);
const float *sj_search_query_vector(const struct sj_search *s, int64_t q);

/* Visits all references once; stops at a status other than 0 and returns it. A second pass reads the inputs again. */
int sj_search_pass(struct sj_search *s, int with_scores, int (*visit)(void *arg, const struct sj_search_block *b),
                   void *arg);
/* Reference i by its index, once a pass has visited it; its key is borrowed until the next pass. */
struct sj_embedding sj_search_reference(const struct sj_search *s, int64_t i);

/* Whether query q may find row j of the block b, as sj_admit with arg = &(struct sj_search_admission){s, b}; pass
 * sj_search_admit(s) to sj_knn_add: NULL when there is nothing to ask. */
struct sj_search_admission {
    const struct sj_search *search;
    const struct sj_search_block *block;
};
sj_admit *sj_search_admit(const struct sj_search *s);

#endif
