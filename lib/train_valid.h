/* train_valid: how well a model retrieves the missing stems of held-out tracks (SPEC 8.1), measured while it trains. */
#ifndef SJ_TRAIN_VALID_H
#define SJ_TRAIN_VALID_H

#include "metrics.h"
#include "model.h"
#include "net.h"

struct sj_validation;

/* Opens a data set, of whose tracks the first `seconds` will be used; tracks of one stem are left out. precision: as in
 * training. SJ_INPUT when its classes are not the model's or it has no query. */
int sj_validation_new(struct sjk *k, const struct sj_config *c, const char *dataset, double seconds,
                      enum sj_precision precision, struct sj_validation **v);
void sj_validation_free(struct sj_validation *v); /* NULL is allowed */

/* Retrieval with the model's present weights: context encoder and predictor (predict 0: the encoder alone) for queries,
 * target encoder for references. */
int sj_validation_run(struct sj_validation *v, const struct sj_model *m, int predict, struct sj_retrieval *r);

#endif
