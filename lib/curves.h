/* curves: similarity of stems and predictions over time shifts, as sj-align --curve prints it (schemas/reports.md). */
#ifndef SJ_CURVES_H
#define SJ_CURVES_H

#include <stdint.h>

#include "json.h"
#include "table.h"

/* One pair's, or the mean's: rows first .. first + n - 1 of the table. */
struct sj_drawn {
    const char *query, *class; /* class "-": none; borrowed from the table */
    int64_t first, n;
};

struct sj_curves {
    struct sj_table table;
    struct sj_drawn *pair; /* (pairs) in the order of the file */
    int64_t pairs;
    struct sj_drawn all;   /* the mean of all pairs; n 0: none */
    double random;         /* the level of random pairs, or NaN */
    int lag, similarity, frames; /* columns */
};

/* SJ_INPUT: columns are missing, a number is off (similarities lie in -1 .. 1, or are "-" where
 * frames is 0), lags do not ascend, a pair's rows do not follow each other, or there is no pair. */
int sj_curves_read(const char *path, struct sj_curves *c);
void sj_curves_free(struct sj_curves *c); /* zeros are allowed */

/* chosen (n): the numbers, ascending, of *count pairs, n or all where there are no more, spread over the tracks (a key
 * up to its last slash) and, from track to track, over the classes. n at least 1. */
int sj_curves_choose(const struct sj_curves *c, int64_t n, int64_t *chosen, int64_t *count);

/* {"query", "class", "lag": [s], "similarity": [], "frames": []}. */
sj_json *sj_curves_json(const struct sj_curves *c, const struct sj_drawn *curve);

#endif
