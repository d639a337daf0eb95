/* source: records from whatever holds them: streams, HDF5 files of embeddings, NumPy arrays. */
#ifndef SJ_SOURCE_H
#define SJ_SOURCE_H

#include "stream.h"

struct sj_source;

/* Opens n paths one after the other as one sequence ("-", or n = 0: a stream on standard input); their heads must be
 * equal. The paths are borrowed. The rows of a NumPy array (rows, ...) become embed/1 records of f32: of rank 1
 * "vector", 2 "time,vector", 3 "frequency,time,dim"; their key is the number of the row, counted from 0 through all
 * inputs. */
int sj_source_open(int n, const char *const *paths, struct sj_source **s);
const struct sj_head *sj_source_head(const struct sj_source *s); /* borrowed */
const char *sj_source_name(const struct sj_source *s);           /* of the input being read, for messages */
/* The next record, or *record = NULL at the end of the last input; borrowed until the next call. */
int sj_source_next(struct sj_source *s, const struct sj_record **record);
void sj_source_close(struct sj_source *s); /* NULL is allowed */

#endif
