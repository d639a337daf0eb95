#include "probe_score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "music_key.h"
#include "probe_metrics.h"

/* -- losses -------------------------------------------------------------------------------------------------------- */
/* Cross entropy of class c; dy (C) = softmax - one. */
static double class_loss(int64_t C, const float *y, int c, float *dy, double share)
{
    const int best = sj_best_class(C, y);
    const float most = y[best];
    double sum = 1; /* the best's own */
    for (int64_t i = 0; i < C; i++)
        sum += i == best ? 0 : exp((double)y[i] - (double)most);
    for (int64_t i = 0; i < C && dy; i++)
        dy[i] = (float)(share * (exp((double)y[i] - (double)most) / sum - (i == c)));
    return log(sum) + (double)most - (double)y[c];
}

static double tag_loss(int64_t C, const float *y, const float *target, float *dy, double share)
{
    double loss = 0;
    for (int64_t i = 0; i < C; i++) {
        const double v = y[i], t = target[i];
        loss += (v > 0 ? v : 0) - v * t + log1p(exp(-fabs(v)));
        if (dy)
            dy[i] = (float)(share * (1 / (1 + exp(-v)) - t));
    }
    return loss;
}

static double value_loss(int64_t C, const float *y, const float *target, const struct sj_probe_units *units, float *dy,
                         double share)
{
    double loss = 0;
    for (int64_t i = 0; i < C; i++) {
        const double e = (double)y[i] - ((double)target[i] - units->mean[i]) / units->deviation[i];
        loss += e * e;
        if (dy)
            dy[i] = (float)(share * 2 * e);
    }
    return loss;
}

double sj_probe_loss(const struct sj_probe_labels *l, int64_t n, const int64_t *example, const float *y,
                     const struct sj_probe_units *units, float *dy)
{
    const int64_t C = l->C;
    const double share = 1 / (double)(l->target ? n * C : n);
    double loss = 0;
    for (int64_t i = 0; i < n; i++) {
        const int64_t e = example[i];
        float *g = dy ? dy + i * C : NULL;
        if (!l->target)
            loss += class_loss(C, y + i * C, l->class[e], g, share);
        else if (l->task == SJ_PROBE_TAGS)
            loss += tag_loss(C, y + i * C, l->target + e * C, g, share);
        else
            loss += value_loss(C, y + i * C, l->target + e * C, units, g, share);
    }
    return share * loss;
}

/* -- measures ------------------------------------------------------------------------------------------------------ */
static const int64_t *examples_of(const struct sj_probe_data *data, enum sj_probe_split split)
{
    int64_t first = 0;
    for (int s = 0; s < (int)split; s++)
        first += data->count[s];
    return data->example + first;
}

float *sj_probe_truth(const struct sj_probe_labels *l, const struct sj_probe_data *data, enum sj_probe_split split)
{
    const int64_t *example = examples_of(data, split);
    float *truth = malloc((size_t)(data->count[split] * l->C) * sizeof *truth + 1);
    for (int64_t i = 0; i < data->count[split] && truth; i++)
        memcpy(truth + i * l->C, l->target + example[i] * l->C, (size_t)l->C * sizeof *truth);
    return truth;
}

static int measure_classes(const struct sj_probe_labels *l, const struct sj_probe_data *data,
                           enum sj_probe_split split, const float *score, struct sj_probe_measures *m)
{
    const int64_t *example = examples_of(data, split), n = data->count[split];
    unsigned char *seen = calloc((size_t)l->C, 1);
    double right = 0, weighted = 0;
    if (!seen)
        return sj_fail(SJ_SYSTEM, "no memory");
    for (int64_t i = 0; i < n; i++) {
        const int truth = l->class[example[i]], guess = sj_best_class(l->C, score + i * l->C);
        right += truth == guess;
        weighted += l->task == SJ_PROBE_KEY ? sj_music_key_score(truth, guess) : 0;
        m->measured += !seen[truth];
        seen[truth] = 1;
    }
    free(seen);
    m->first = (l->task == SJ_PROBE_KEY ? weighted : right) / (double)n;
    m->second = l->task == SJ_PROBE_KEY ? right / (double)n : NAN;
    return SJ_OK;
}

static int measure_outputs(const struct sj_probe_labels *l, const struct sj_probe_data *data,
                           enum sj_probe_split split, const float *score, struct sj_probe_measures *m)
{
    const int64_t n = data->count[split];
    float *truth = sj_probe_truth(l, data, split);
    double *first = calloc((size_t)l->C, 2 * sizeof *first), *second = first ? first + l->C : NULL;
    int status = truth && first ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    for (int64_t c = 0; c < l->C && !status; c++) {
        if (l->task == SJ_PROBE_TAGS) {
            status = sj_tag_measures(n, score + c, truth + c, l->C, &first[c], &second[c]);
        } else {
            first[c] = sj_r2(n, score + c, truth + c, l->C);
            second[c] = NAN;
        }
    }
    if (!status) {
        int64_t defined;
        m->second = sj_mean_defined(l->C, second, &defined);
        m->first = sj_mean_defined(l->C, first, &m->measured);
    }
    free(first);
    free(truth);
    return status;
}

int sj_probe_measure(const struct sj_probe_labels *l, const struct sj_probe_data *data, enum sj_probe_split split,
                     const float *score, struct sj_probe_measures *m)
{
    *m = (struct sj_probe_measures){0};
    return l->target ? measure_outputs(l, data, split, score, m) : measure_classes(l, data, split, score, m);
}
