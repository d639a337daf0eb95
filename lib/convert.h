/* convert: records into the kind of file that a name ends in. */
#ifndef SJ_CONVERT_H
#define SJ_CONVERT_H

#include "stream.h"

struct sj_convert;

/* PATH "-", a device, a named pipe, or ending in ".sjt": a stream; ".h5": embeddings; ".npy": one array (n, dims...),
 * records of equal dims; ".wav" or a folder: sound (lib/join.h). SJ_USAGE for another ending, or one that cannot hold
 * this kind. Nothing appears before sj_convert_end, but in a folder, where each file appears when it is complete. */
int sj_convert_open(const char *path, const struct sj_head *head, struct sj_convert **c);
int sj_convert_put(struct sj_convert *c, const struct sj_record *record);
int sj_convert_end(struct sj_convert *c);    /* frees c also on failure */
void sj_convert_abort(struct sj_convert *c); /* NULL is allowed */

#endif
