/* h5_head: the head of a stream kept in an HDF5 file, as JSON text in an attribute of its root: what was computed, from
 * what and how stays with the values. */
#ifndef SJ_H5_HEAD_H
#define SJ_H5_HEAD_H

#include "h5.h"
#include "stream.h"

/* Sets attribute `name`. */
int sj_h5_set_head(struct sj_h5 *h, const char *name, const struct sj_head *head);
/* Reads it: *head is the caller's (sj_head_free). SJ_INPUT, naming the attribute, when it is missing or no
 * head. */
int sj_h5_get_head(struct sj_h5 *h, const char *name, struct sj_head **head);

#endif
