/* net_train: one model being trained on a back end (SPEC 6): parameters, gradients, moments and target in one arena
 * each, activations of one pass in another, all allocated by sj_learner_new; a step allocates nothing.
 *
 *   for each step: for each of batch/micro passes: sj_learner_pass(...);  sj_learner_update(...)
 *
 * Dims: B pairs of a pass, Q targets of a context (a context and one of its targets are a pair), T frames, K tokens,
 * D width. */
#ifndef SJ_NET_TRAIN_H
#define SJ_NET_TRAIN_H

#include "net.h"

struct sj_learner;

/* Whether the inputs of linear layers that follow a normalisation or GELU are kept for the way back or computed again
 * there: a third of the memory against a few passes over it; the bits are the same. AUTO: again where a pass that keeps
 * them would take more than 8 GiB. */
enum sj_recompute { SJ_RECOMPUTE_AUTO, SJ_RECOMPUTE_NEVER, SJ_RECOMPUTE_ALWAYS };

struct sj_learner_options {
    enum sj_precision precision;
    int64_t batch, micro; /* pairs of a step, and of a pass: micro divides batch */
    int64_t frames;       /* T of every mel: as many as the model embeds at a time, or a multiple of that, W times it: then
                             each is computed as W pieces, and the contrastive term compares averages over all of them */
    enum sj_recompute recompute;
    int two_sided; /* 1: room for passes whose targets the trained encoder makes, about twice the memory */
    int64_t targets; /* Q, which divides micro; 0 is 1 */
    int64_t window;  /* frames of what the contrastive term compares: averages over windows, which divide T (one span);
                        0: over all of it */
};

/* What a pass minimises: cosine * SPEC 6's loss + contrastive * InfoNCE between the predictions and the targets of the
 * pass, both averaged over time patches (F D values each) and compared as SPEC 8.1 does. Not each other's negatives are
 * samples of the same group and, where the predictor is told classes, of the same class. With windows the term is the
 * mean over them, each compared with the same window of the others: where in a spectrogram it stands tells nothing. */
struct sj_objective {
    double cosine;      /* 1: the paper's */
    double contrastive; /* 0: none; else micro must equal batch */
    double temperature;
    double other;  /* weight of negatives of other classes, 0 .. 1 */
    int two_sided; /* 1: the targets of the contrastive term are those of the trained encoder, which learns from both
                      sides (and the term counts both ways); 0: those of the moving average */
    int alone;     /* 1: the encoder alone learns, by the contrastive term: two-sided, embeddings of the context in the
                      place of predictions, groups whatever the class */
};

struct sj_update {
    double rate; /* learning rate of this step */
    double beta1, beta2, eps, decay;
    double clip;  /* largest gradient norm; infinity: none */
    double ema;   /* target = ema target + (1 - ema) encoder */
    int64_t step; /* 0-based number of this step, for the bias correction of the moments */
    int64_t alone; /* first steps in which the encoder alone is updated: the predictor's moments count from there on */
};

struct sj_learned {
    double loss, contrastive; /* means over the batch before the update, without their weights; a loss that no pass
                                 wanted (cosine 0 and two-sided) is 0 */
    double first;             /* share of the batch whose prediction is nearest to its own target among the negatives */
    double gradient_norm;     /* before clipping */
};

/* Copies what it needs from m; k is borrowed. SJ_USAGE for options out of range. */
int sj_learner_new(struct sjk *k, const struct sj_model *m, const struct sj_learner_options *o, struct sj_learner **l);
void sj_learner_free(struct sj_learner *l);          /* NULL is allowed */

/* What sj_learner_new would allocate on the back end: the state and the activations of a pass (the packed weights are
 * the back end's). */
int sj_learner_memory(const struct sjk *k, const struct sj_config *c, const struct sj_learner_options *o,
                      size_t *state_bytes, size_t *pass_bytes);

/* Where a pass finds its spectrograms f32, mel (micro/Q, 80, T) and target_mel (Q, micro/Q, 80, T), in the back end's
 * memory, for callers that have them there. */
void sj_learner_input(struct sj_learner *l, float **mel, float **target_mel);

/* Adds to the gradient that of one pass: mel and target_mel f32 as at sj_learner_input (NULL: as they are there), class
 * (Q, micro/Q) and group (the same, 0 .. batch-1; NULL: all different), all host. SJ_USAGE when a class is out of
 * range. */
int sj_learner_pass(struct sj_learner *l, const struct sj_objective *o, const float *mel, const float *target_mel,
                    const int32_t *class, const int32_t *group);

/* Ends a step: clips, AdamW, moving average, gradient back to zero. SJ_INPUT, with nothing changed, when the loss or
 * the gradient is not finite. */
int sj_learner_update(struct sj_learner *l, const struct sj_update *u, struct sj_learned *r);

/* How far the targets of the last pass are from being all the same (collapse, 0): standardised as vectors of F D
 * values, sqrt of the mean squared distance from their mean, in 0 .. 1. */
int sj_learner_spread(struct sj_learner *l, double *spread);

/* -- state -------------------------------------------------------------------------------------------------------- */
enum sj_learner_part {
    SJ_LEARNER_WEIGHTS,
    SJ_LEARNER_TARGET,
    SJ_LEARNER_FIRST,
    SJ_LEARNER_SECOND,
    SJ_LEARNER_GRADIENT
};

/* Elements of a part: the layout's total, or for the target its encoder part. */
size_t sj_learner_size(const struct sj_learner *l, enum sj_learner_part part);
/* Copies a whole part to or from the host, between steps. Putting weights or target also packs them. */
int sj_learner_get(struct sj_learner *l, enum sj_learner_part part, float *host);
int sj_learner_put(struct sj_learner *l, enum sj_learner_part part, const float *host);

#endif
