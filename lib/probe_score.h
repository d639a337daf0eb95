/* probe_score: what the scores of a probe are worth: the loss that is trained, and the measures that are reported. */
#ifndef SJ_PROBE_SCORE_H
#define SJ_PROBE_SCORE_H

#include "probe_data.h"

/* Mean and deviation of what is to be estimated, (C) each; only for the task value. */
struct sj_probe_units {
    const double *mean, *deviation;
};

/* The mean loss of n examples, whose numbers in the labels are example (n), with scores y f32 (n, C), and (unless NULL)
 * its gradient dy (n, C). class, key: cross entropy of a softmax; tags: binary cross entropy, mean over tags; value:
 * squared error in the units given, in which y is too, mean over columns. */
double sj_probe_loss(const struct sj_probe_labels *l, int64_t n, const int64_t *example, const float *y,
                     const struct sj_probe_units *units, float *dy);

/* What a task is measured by. The first decides which network is best.
 *   class  accuracy
 *   key    MIREX's weighted score, accuracy
 *   tags   area under the curve, average precision: means of the tags where they are defined
 *   value  R2: mean over columns */
struct sj_probe_measures {
    double first, second; /* NaN: there is none */
    int64_t measured;     /* outputs that the examples can measure: classes among them, tags with a first measure */
};

/* Of the examples of a split, with scores f32 (count, C), those of the task value in units of the labels. */
int sj_probe_measure(const struct sj_probe_labels *l, const struct sj_probe_data *data, enum sj_probe_split split,
                     const float *score, struct sj_probe_measures *m);

/* The truth about the tags or values of a split's examples, f32 (count, C); the caller's to free. NULL: no memory. */
float *sj_probe_truth(const struct sj_probe_labels *l, const struct sj_probe_data *data, enum sj_probe_split split);

#endif
