/* dataset_own: what reading and writing of data sets share (schemas/dataset.md). */
#ifndef SJ_DATASET_OWN_H
#define SJ_DATASET_OWN_H

#include <stdint.h>

#include "dataset.h"
#include "h5.h"

#define SJ_DATASET_KIND "sj-dataset/1"
enum { SJ_DATASET_NAME = 64 };

/* "/track/00000012/audio": of track t; member NULL: its group. */
void sj_dataset_member(char name[SJ_DATASET_NAME], int64_t t, const char *member);

/* Refuses a file that is not a data set of this kind. *classes is owned by the caller (one free), NULL on failure. */
int sj_dataset_check(struct sj_h5 *h, int64_t *n, char ***classes);

/* SJ_INPUT when there are tracks behind the first `tracks`: one is missing. */
int sj_dataset_check_end(struct sj_h5 *h, int64_t tracks);

#endif
