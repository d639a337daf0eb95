/* linear: linear maps of vectors, one for each class: from that of a mix to that of the stem that it lacks
 * (schemas/linear.md). */
#ifndef SJ_LINEAR_H
#define SJ_LINEAR_H

#include <stdint.h>

#include "ridge.h"
#include "stream.h"

struct sj_linear {
    char *path;               /* of its file, for messages; NULL where it was just learnt */
    struct sj_head *mix_head; /* of the mixes that it was learnt from */
    struct sj_head *head;     /* of their stems: what it predicts is like them. The same classes */
    int classes;              /* C */
    int64_t p, q;             /* values of a mix's vector, and of a stem's */
    int64_t *pairs;           /* (C) learnt from; 0: nothing was learnt of the class */
    double *ridge, *error, *variance;        /* (C) as struct sj_ridge, 0 where pairs is 0 */
    double *mean, *scale, *offset, *weight;  /* (C,p) (C,p) (C,q) (C,p,q) as struct sj_ridge */
    double *stem_mean, *stem_scale;          /* (q) of the stems of all classes: mean and standard deviation */
};

/* Makes room for maps of p to q values of the classes of head; the heads are copied. */
int sj_linear_new(const struct sj_head *mix_head, const struct sj_head *head, int64_t p, int64_t q,
                  struct sj_linear **l);
void sj_linear_free(struct sj_linear *l); /* NULL is allowed */

/* Learns from pairs: the records of role rest in `mixes` and those of role stem in `stems` (paths of embed/1 streams or
 * HDF5 files, one vector a record; other records are passed over) of the same key and class. ridge as sj_ridge_fit. A
 * class with fewer than SJ_RIDGE_PAIRS pairs is not learnt. SJ_INPUT: other classes; a mix or stem without a class, with
 * a value that is not finite, or twice there; a mix without its stem; no class has pairs enough. */
int sj_linear_fit(const char *mixes, const char *stems, double ridge, struct sj_linear **l);

/* The file appears whole or not at all. */
int sj_linear_write(const struct sj_linear *l, const char *path);
/* SJ_INPUT: it is no such file, or damaged: shapes that do not agree, values that are not finite, scales not above 0. */
int sj_linear_read(const char *path, struct sj_linear **l);

/* y (q) = offset + (x - mean) / scale W of the class, which must have been learnt; x (p). */
void sj_linear_apply(const struct sj_linear *l, int class, const float *x, float *y);

/* y (q) = (y - stem_mean) / stem_scale, so that every value counts when vectors are compared, however little it varies. */
void sj_linear_standardise(const struct sj_linear *l, float *y);
/* head (a copy of l->head) becomes that of such vectors, which compare with each other only: its model_id is another. */
int sj_linear_standard_head(const struct sj_linear *l, struct sj_head *head);

#endif
