/* points: the vectors of embeddings, each a row of one matrix that need not fit in memory.
 *
 * A record of one vector is one row, a record of frames (time,vector) a row for each time, a record of tokens
 * (frequency,time,dim) a row for each token, in the order of its values. Rows stay in memory where all of them fit;
 * else HDF5 files are read again in blocks, and streams go into a file without a name in $TMPDIR (else /tmp). Keys,
 * positions and shapes of the records are always kept. */
#ifndef SJ_POINTS_H
#define SJ_POINTS_H

#include <stdint.h>

#include "embeddings.h"

struct sj_points;

/* Reads n paths (as sj_embeddings_open) once, and keeps the vectors if they take at most memory_bytes. SJ_INPUT: as
 * reading embeddings, records of different lengths, a value that is not finite (naming file and key). SJ_USAGE: too
 * little memory for blocks. SJ_SYSTEM. */
int sj_points_open(int n, const char *const *paths, int64_t memory_bytes, struct sj_points **p);
void sj_points_close(struct sj_points *p); /* NULL is allowed */

const struct sj_head *sj_points_head(const struct sj_points *p); /* of the first input; borrowed */
const char *sj_points_name(const struct sj_points *p);           /* of the first input, for messages */
int64_t sj_points_count(const struct sj_points *p);              /* N rows */
int64_t sj_points_width(const struct sj_points *p);              /* D values of each; 0 where there is none */
uint32_t sj_points_checksum(const struct sj_points *p);          /* CRC-32C of all values */
int64_t sj_points_block(const struct sj_points *p);              /* the most rows of one call, a multiple of 64 */

/* *x (n, D) f32 = rows first .. first+n-1, n <= sj_points_block; borrowed until the next call. */
int sj_points_rows(struct sj_points *p, int64_t first, int64_t n, const float **x);

/* Where a row comes from. */
struct sj_point {
    struct sj_embedding of; /* its record; the key is borrowed until sj_points_close */
    double start_s, end_s;  /* in the track: a time patch is 160 ms; NAN where a record has no time */
    int64_t frequency;      /* of a token, 0 the lowest; -1: none */
};
struct sj_point sj_points_at(const struct sj_points *p, int64_t row);

#endif
