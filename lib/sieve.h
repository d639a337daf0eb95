/* sieve: the best scores of each query in a block, found where the scores are, so that they need not leave a device. */
#ifndef SJ_SIEVE_H
#define SJ_SIEVE_H

#include <stdint.h>

#include "err.h"

struct sjk;
struct sj_sieve;

/* For blocks of at most `queries` queries; k is borrowed. */
int sj_sieve_new(struct sjk *k, int64_t queries, struct sj_sieve **s);
void sj_sieve_free(struct sj_sieve *s); /* NULL is allowed */

/* Takes scores f32 (queries, n) in the back end's memory. */
int sj_sieve_block(struct sj_sieve *s, int64_t queries, int64_t n, const float *score);

/* The best scores of query q, descending, and their rows; rows not named have none above the last. Returns how many. */
int64_t sj_sieve_best(const struct sj_sieve *s, int64_t q, const float **score, const int64_t **row);

#endif
