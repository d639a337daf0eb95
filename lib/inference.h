/* inference: what the programs that run a model over records share: finding and reading the model, the back end, the
 * network, batches of records of equal length, pooling, and the options of all that.
 *
 *   begin     sj_inference_open, the program's own checks, sj_inference_start, sj_inference_head
 *   record    sj_inference_put
 *   end       sj_inference_end
 *   cleanup   sj_inference_free
 *
 * Dims: F frequency patches, P time patches of a record, D width of the model. */
#ifndef SJ_INFERENCE_H
#define SJ_INFERENCE_H

#include "net.h"
#include "pool.h"
#include "tool.h"

struct sj_inference_settings {
    const char *model; /* of -m, or NULL: see sj_model_path */
    int pooling;       /* enum sj_pool */
    int precision;     /* enum sj_precision */
    int64_t batch;     /* records computed together; 0: as suits the back end */
};
/* The options of a struct sj_inference_settings, for an SJ_GROUP. */
extern const struct sj_option sj_inference_options[];

struct sj_inference;

/* Finds and reads the model. SJ_USAGE when there is none, or -o would replace it; SJ_INPUT when it is none, or its
 * classes are not those of `in`. settings is borrowed. Whatever the status, *i may be freed afterwards. */
int sj_inference_open(const struct sj_run *run, const struct sj_head *in, const struct sj_inference_settings *settings,
                      struct sj_inference **i);
void sj_inference_free(struct sj_inference *i); /* NULL is allowed */
const struct sj_model *sj_inference_model(const struct sj_inference *i);
int64_t sj_inference_batch(const struct sj_inference *i); /* the most records of a call of compute, after start */
const char *sj_inference_path(const struct sj_inference *i); /* of the model, for messages */

/* Before start: *class = the index in the model of the class `name` of a file of vectors, which is added behind the
 * model's own when it is none of them; as sj_condition_read and sj_condition_ask. */
int sj_inference_ask(struct sj_inference *i, const char *condition, const char *name, int *class);

/* What a program computes of each record: `results` embeddings, each pooled by itself. */
struct sj_inference_job {
    struct sj_net_options net; /* precision and batch are taken from the settings */
    int64_t batches;           /* of records are held together, so that short ones find others of their length */
    int64_t floats;            /* of the largest record */
    int64_t unit;              /* P of a record: its second dimension divided by this */
    int results;               /* at least 1 */
    /* z f32 (n, F, P, D) = result r of n records of one shape, whose values f32 lie one after the other in `in`. */
    int (*compute)(void *arg, struct sj_net *net, int64_t n, const struct sj_record *const *record, const float *in,
                   int r, float *z);
    /* What result r is: sets role and class of `like`, which has those of the record. NULL: they stay. */
    void (*label)(void *arg, int r, struct sj_record *like);
    void *arg;
};

/* Opens back end and network, reserves memory. The job is copied. */
int sj_inference_start(struct sj_inference *i, const struct sj_run *run, const struct sj_inference_job *job);
/* Fills in kind, dimensions and "pool" of the output's head. */
void sj_inference_head(const struct sj_inference *i, struct sj_head *out);

/* Takes a record, of rank 2 or more; once enough are together, writes their results to run->out in their order. */
int sj_inference_put(struct sj_inference *i, const struct sj_run *run, const struct sj_record *r);
/* The results of the records still held. SJ_INPUT when a track that is pooled lacks its end. */
int sj_inference_end(struct sj_inference *i, const struct sj_run *run);

#endif
