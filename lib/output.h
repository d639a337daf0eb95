/* output: where a program's records go, chosen by the ending of -o: a stream, or (".h5", embeddings) an HDF5 file. */
#ifndef SJ_OUTPUT_H
#define SJ_OUTPUT_H

#include "stream.h"

struct sj_output;

/* PATH NULL: standard output. SJ_USAGE when the ending cannot hold this kind. The head is copied. */
int sj_output_open(const char *path, const struct sj_head *head, struct sj_output **out);
int sj_output_put(struct sj_output *out, const struct sj_record *record);
int sj_output_end(struct sj_output *out);    /* the file appears; frees out also on failure */
void sj_output_abort(struct sj_output *out); /* nothing appears; NULL is allowed */

#endif
