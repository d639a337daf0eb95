/* cooccur: how often two things fall into the same cluster (SPEC 8.5).
 *
 * Items carry one of M combinations (a key with a chord) and lie in one cluster. With n_c(a) the number of items of
 * combination a in cluster c, the co-occurrences of a and b are the sum over c of
 *   product:  n_c(a) n_c(b)         pairs of an item of a with one of b that share a cluster
 *   minimum:  min(n_c(a), n_c(b))   items of one that find a partner of the other in their cluster
 * The similarity is that divided by the geometric mean of those of a with a and of b with b: 1 when a and b are spread
 * over the clusters alike (product: in the same proportions), 0 when they share none. */
#ifndef SJ_COOCCUR_H
#define SJ_COOCCUR_H

#include <stdint.h>

#include "err.h"

enum sj_cooccur_count { SJ_COOCCUR_PRODUCT, SJ_COOCCUR_MINIMUM };
extern const char *const sj_cooccur_counts[]; /* "product", "minimum", NULL */

struct sj_cooccur_item {
    int32_t combination; /* 0 .. M-1 */
    int32_t cluster;     /* from 0 */
};

struct sj_cooccur {
    int64_t n;            /* combinations in the matrix */
    int32_t *combination; /* (n) the most frequent first; of equally frequent ones that of the lower number */
    int64_t *count;       /* (n) items of each */
    int64_t *value;       /* (n, n) co-occurrences */
};

/* Of the `most` most frequent of M combinations among N items, which are sorted by cluster. SJ_SYSTEM; SJ_INPUT where
 * the numbers become too large. */
int sj_cooccur_of(int64_t N, struct sj_cooccur_item *item, int32_t M, int64_t most, enum sj_cooccur_count how,
                  struct sj_cooccur *c);
void sj_cooccur_free(struct sj_cooccur *c); /* zeros are allowed */

double sj_cooccur_similarity(const struct sj_cooccur *c, int64_t a, int64_t b);

#endif
