/* probe_data: the embeddings of the examples of a probe, as one matrix. */
#ifndef SJ_PROBE_DATA_H
#define SJ_PROBE_DATA_H

#include "probe_labels.h"

/* m of the examples of some labels, in their order: train, valid, test. */
struct sj_probe_data {
    int64_t m, d, count[SJ_PROBE_SPLITS];
    float *x;         /* (m, d) */
    int64_t *example; /* (m) in the labels */
    int64_t unlabelled; /* embeddings without a label, left out */
    int64_t missing;    /* examples without an embedding, left out; 0 unless `keep_going` */
};

/* Reads SOURCE once, each vector to its place:
 *   an embed/1 stream ("-": standard input) or HDF5 file of embeddings: one vector in a record, of the example's key;
 *   FILE.h5:/DATASET or an NPY array, (rows, d): where the labels have no rows, one row each in the order of the file.
 * Vectors without a label are left out and counted; so are, if keep_going, examples without a vector, else SJ_INPUT
 * names the first and their number. SJ_INPUT also: two vectors of a key that has a label; a value that is not finite;
 * a matrix of other rows than the labels; no example of a split left. */
int sj_probe_data_read(const char *source, const struct sj_probe_labels *l, int keep_going,
                       struct sj_probe_data **data);
void sj_probe_data_free(struct sj_probe_data *data); /* NULL is allowed */

#endif
