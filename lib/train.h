/* train: the training of a model (SPEC 6): schedules, steps, checkpoints, log, validation. */
#ifndef SJ_TRAIN_H
#define SJ_TRAIN_H

#include <signal.h>
#include <stdio.h>

#include "cli.h"
#include "model.h"
#include "net.h"
#include "net_train.h"
#include "train_feed.h"

/* Whose embeddings of the targets the contrastive term compares predictions with. */
enum sj_contrastive_targets { SJ_CONTRASTIVE_AVERAGE, SJ_CONTRASTIVE_ENCODER };

/* What is learned and how: everything here changes the result. */
struct sj_train_settings {
    int64_t steps, batch, micro; /* micro: samples of a pass; 0: as suits the back end */
    int64_t warmup;              /* steps; -1: a fifteenth of them */
    double rate;                 /* per 256 samples of a batch */
    double beta1, beta2, eps, decay, clip;
    double ema_start, ema_end;
    double cosine, contrastive, temperature; /* temperature 0: 0.1 */
    int64_t contrastive_steps;  /* after the warm-up of the encoder, the first that have the contrastive term alone */
    int precision;              /* enum sj_precision */
    int64_t contrastive_warmup; /* the first steps, in which the encoder alone learns, by the contrastive term */
    int contrastive_targets;    /* enum sj_contrastive_targets */
    double other_classes;       /* weight of negatives of other classes */
    int64_t targets;            /* of a context: batch / targets contexts are drawn for a step */
    int64_t crops;              /* contexts in a row that are crops of one track */
    int64_t window;             /* frames of what the contrastive term compares; 0: all of a pair */
    int64_t frames;            /* T of a training pair; 0: 800 */
};

/* SPEC 6's values. */
struct sj_train_settings sj_train_defaults(void);
/* The options of a struct sj_train_settings, for an SJ_GROUP. */
extern const struct sj_option sj_train_options[];
/* Fills in warmup, frames and temperature, once; SJ_USAGE when values do not fit together. */
int sj_train_check(struct sj_train_settings *s);
/* As JSON, in a fixed order, with the seed: two trainings with equal texts do the same steps. Options after the
 * first version are left out at their defaults, so that what was made before is known again. New reference. */
sj_json *sj_train_to_json(const struct sj_train_settings *s, uint64_t seed);

/* What step `step` (0-based) minimises. */
struct sj_objective sj_train_objective(const struct sj_train_settings *s, int64_t step);
/* Whether the distance between prediction and target is computed then, and so a loss known. */
int sj_train_has_loss(const struct sj_objective *o);
/* Learning rate of step `step` (0-based): linear over `warmup` steps, then cosine to 0 (SPEC 6). */
double sj_train_rate(const struct sj_train_settings *s, int64_t step);
/* Rate of the moving average after step `step`: linear from ema_start to ema_end, and 0 while the encoder alone learns,
 * so that the target is the encoder when that ends. */
double sj_train_ema(const struct sj_train_settings *s, int64_t step);

/* The finished steps of a checkpoint. SJ_USAGE, naming what differs, unless it is of this training. */
int sj_train_resume(const char *path, const struct sj_config *config, const struct sj_train_settings *settings,
                    uint64_t seed, const char *data, int64_t *step);

/* finished = 1 when the model in the file is what the training `ours` (JSON text, as in a model) makes, 0 when that is
 * of other data. SJ_USAGE, naming what differs, where it was made with other settings or hyper-parameters; SJ_INPUT. */
int sj_train_finished(const char *path, const struct sj_config *config, const char *ours, int *finished);

/* Gives the model the trained weights of a finished one, and its target encoder; the vectors that say its classes stay.
 * out id: of the finished one. SJ_USAGE, naming what differs, unless the hyper-parameters, but the span, are the same;
 * SJ_INPUT. */
int sj_train_begin(const char *path, struct sj_model *model, char id[17]);

struct sj_validation;

/* A training: everything is borrowed. */
struct sj_train {
    struct sjk *k;
    struct sj_model *model; /* in: start values; out: the result */
    const struct sj_train_settings *settings;
    uint64_t seed;
    struct sj_feed *feed;                      /* gives pairs from start * batch on */
    const char *data;                          /* what the pairs are drawn from, for the checkpoint */
    int64_t start;                             /* finished steps of the checkpoint that is resumed, else 0 */
    const char *checkpoint;                    /* file to write, or NULL; read when start > 0 */
    double checkpoint_s;                       /* seconds between checkpoints; 0: after every step */
    FILE *log;                                 /* NDJSON, or NULL */
    int64_t log_every;                         /* steps */
    struct sj_validation *validation;          /* or NULL */
    int64_t validate_every;                    /* steps */
    int progress;                              /* enum sj_progress_mode */
    volatile sig_atomic_t *stop;               /* not 0: write a checkpoint after the present step and return SJ_NO */
    void (*note)(void *arg, const char *text); /* a line for people, or NULL */
    void *note_arg;
};

/* Trains until settings->steps are done (SJ_OK, model filled, checkpoint left as it is), *stop is set (SJ_NO), or
 * something fails: SJ_INPUT also when the loss is not finite. */
int sj_train_run(struct sj_train *t);

#endif
