#include "probe_metrics.h"

#include <math.h>
#include <stdlib.h>

int sj_best_class(int64_t C, const float *score)
{
    int best = 0;
    for (int64_t c = 1; c < C; c++)
        if (score[c] > score[best])
            best = (int)c;
    return best;
}

/* -- tags ---------------------------------------------------------------------------------------------------------- */
struct scored {
    float score;
    int positive;
};

static int by_score(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    return (x->score < y->score) - (x->score > y->score);
}

int sj_tag_measures(int64_t N, const float *score, const float *truth, int64_t stride, double *auc, double *ap)
{
    struct scored *s = malloc((size_t)N * sizeof *s + 1);
    double positives = 0, true_above = 0, false_above = 0, pairs = 0, precision = 0;
    if (!s)
        return sj_fail(SJ_SYSTEM, "no memory for %lld scores", (long long)N);
    for (int64_t i = 0; i < N; i++) {
        s[i] = (struct scored){score[i * stride], truth[i * stride] > 0.5f};
        positives += s[i].positive;
    }
    qsort(s, (size_t)N, sizeof *s, by_score);
    for (int64_t i = 0; i < N;) { /* groups of equal scores */
        double t = 0, f = 0;
        const float group = s[i].score;
        for (; i < N && s[i].score == group; i++) {
            t += s[i].positive;
            f += !s[i].positive;
        }
        pairs += f * (true_above + t / 2);
        true_above += t;
        false_above += f;
        precision += t * true_above / (true_above + false_above);
    }
    free(s);
    *auc = positives > 0 && positives < (double)N ? pairs / (positives * ((double)N - positives)) : NAN;
    *ap = positives > 0 ? precision / positives : NAN;
    return SJ_OK;
}

/* -- values -------------------------------------------------------------------------------------------------------- */
static double squared_error(int64_t N, const float *estimate, const float *truth, int64_t stride)
{
    double sum = 0;
    for (int64_t i = 0; i < N; i++) {
        const double e = (double)truth[i * stride] - (double)estimate[i * stride];
        sum += e * e;
    }
    return sum;
}

double sj_r2(int64_t N, const float *estimate, const float *truth, int64_t stride)
{
    const double error = squared_error(N, estimate, truth, stride);
    double mean = 0, variance = 0;
    int constant = 1; /* seen by the values: the mean of equal ones may be off by a rounding */
    for (int64_t i = 0; i < N; i++) {
        mean += (double)truth[i * stride] / (double)N;
        constant &= truth[i * stride] == truth[0];
    }
    for (int64_t i = 0; i < N; i++)
        variance += ((double)truth[i * stride] - mean) * ((double)truth[i * stride] - mean);
    if (!N)
        return NAN;
    return constant ? error == 0 : 1 - error / variance;
}

double sj_rms_error(int64_t N, const float *estimate, const float *truth, int64_t stride)
{
    return N ? sqrt(squared_error(N, estimate, truth, stride) / (double)N) : NAN;
}

double sj_mean_defined(int64_t n, const double *value, int64_t *defined)
{
    double sum = 0;
    *defined = 0;
    for (int64_t i = 0; i < n; i++)
        if (!isnan(value[i])) {
            sum += value[i];
            ++*defined;
        }
    return *defined ? sum / (double)*defined : NAN;
}
