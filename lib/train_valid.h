/* train_valid: how well a model retrieves the missing stems of held-out tracks (SPEC 8.1), measured while it trains. */
#ifndef SJ_TRAIN_VALID_H
#define SJ_TRAIN_VALID_H

#include "metrics.h"
#include "model.h"
#include "net.h"
#include "pool.h"

struct sj_validation;

struct sj_validation_settings {
    double seconds;              /* used of each track, from its beginning; pool aligned: or the shortest's length */
    int64_t frames;              /* of 10 ms, of the chunks they are cut into: at most a model's patches * 16 */
    enum sj_pool pool;           /* track or aligned: what is compared */
    enum sj_precision precision; /* as in training */
};

/* Opens a data set; tracks of one stem are left out. SJ_INPUT when its classes are not the model's or it has no query;
 * SJ_USAGE: chunks that the model does not take. */
int sj_validation_new(struct sjk *k, const struct sj_config *c, const char *dataset,
                      const struct sj_validation_settings *settings, struct sj_validation **v);
void sj_validation_free(struct sj_validation *v); /* NULL is allowed */

/* Retrieval with the model's present weights: context encoder and predictor (predict 0: the encoder alone) for queries,
 * target encoder for references. */
int sj_validation_run(struct sj_validation *v, const struct sj_model *m, int predict, struct sj_retrieval *r);

#endif
