/* probe: how well the labels of examples can be read off their embeddings (SPEC 8.6): a small network is trained on
 * frozen embeddings, once for each rate, and the one that is best on the validation examples is measured on the test
 * examples. */
#ifndef SJ_PROBE_H
#define SJ_PROBE_H

#include "cli.h"
#include "probe_data.h"

struct sjk;
struct sj_progress;

enum sj_probe_protocol { SJ_PROBE_MARBLE, SJ_PROBE_EVAR };
extern const char *const sj_probe_protocol_names[]; /* "marble", "evar", NULL */
enum { SJ_PROBE_RATES = 16, SJ_PROBE_HIDDEN = 512 };

/* How to train. What the protocols say, unless given:
 *           inputs        dropout  batch  rates                          epochs  patience  plateau
 *   marble  as they are   0.2      64     5e-5 1e-4 5e-4 1e-3 5e-3 1e-2  100     20        patience / 4, rounded up
 *   evar    standardised  0.5      128    3e-5                           200     20        never */
struct sj_probe_settings {
    int protocol;              /* enum sj_probe_protocol */
    int64_t epochs;            /* at most; 0: the protocol's */
    int64_t patience;          /* epochs without a better validation measure after which a training ends; 0: ... */
    int64_t plateau;           /* more than so many epochs without a better one halve the rate; 0: ..., -1: never */
    const char *rates_text;    /* "1e-3,1e-4"; NULL: ... */
    int rates;
    double rate[SJ_PROBE_RATES];
    double dropout;
    int64_t batch;
    int standardise;           /* inputs, with mean and deviation of the training examples */
    int equal_is_better;       /* whether an epoch as good as the best before takes its place */
};
/* The options of a struct sj_probe_settings, for an SJ_GROUP. */
extern const struct sj_option sj_probe_options[];
/* Fills in what the protocol says; SJ_USAGE when a value is off. */
int sj_probe_check(struct sj_probe_settings *s);

/* What is told of a run. */
struct sj_probe_watch {
    struct sj_progress *progress; /* or NULL; in epochs */
    int64_t done;                 /* epochs shown so far */
    void (*note)(void *arg, const char *text); /* a line for people after each rate, or NULL */
    void *note_arg;
};

struct sj_probe_result {
    double rate;    /* of the training that is best on the validation examples; of equal ones that of the lower loss */
    int64_t epoch;  /* its best, from 1 */
    double valid;   /* the measure there, first of sj_probe_measures */
    float *score;   /* (test examples, C): logits or, of the task value, estimates; the caller's to free */
};

/* Trains and tests. The result is a function of labels, data, settings and seed; on the CPU not of the threads. Values
 * are learned in units of their standard deviation, whatever the protocol. SJ_INPUT: the validation examples have no
 * measure (no tag with positive and negative ones), or training diverges at every rate. */
int sj_probe_train(struct sjk *k, const struct sj_probe_labels *l, const struct sj_probe_data *data,
                   const struct sj_probe_settings *s, uint64_t seed, struct sj_probe_watch *watch,
                   struct sj_probe_result *result);

#endif
