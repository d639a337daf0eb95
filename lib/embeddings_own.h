/* embeddings_own: reading one HDF5 file of embeddings. Not for users of embeddings.h. */
#ifndef SJ_EMBEDDINGS_OWN_H
#define SJ_EMBEDDINGS_OWN_H

#include "embeddings.h"

struct sj_embeddings_file;

/* Opens and checks everything but the vectors. SJ_INPUT names the file and what is wrong. */
int sj_embeddings_file_open(const char *path, struct sj_embeddings_file **f);
void sj_embeddings_file_close(struct sj_embeddings_file *f); /* NULL is allowed */
const struct sj_head *sj_embeddings_file_head(const struct sj_embeddings_file *f);
/* The next record, or *record = NULL at the end; borrowed until the next call. */
int sj_embeddings_file_next(struct sj_embeddings_file *f, const struct sj_record **record);
/* Up to `most` one-vector records as rows of out; keys live as long as the file is open. */
int sj_embeddings_file_block(struct sj_embeddings_file *f, int64_t most, float *out, struct sj_embedding *info,
                             int64_t *got);
int64_t sj_embeddings_file_left(const struct sj_embeddings_file *f); /* records not yet read */
int64_t sj_embeddings_file_width(const struct sj_embeddings_file *f); /* values of a vector */

#endif
