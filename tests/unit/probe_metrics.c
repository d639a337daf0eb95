/* Measures of a probe by hand; tests/probe.t compares them with scikit-learn. */
#include "probe_metrics.h"

#include "tests/tap.h"

static void tags(void)
{
    const float score[] = {0.9f, 0.8f, 0.7f, 0.6f}, truth[] = {1, 0, 1, 0}, all[] = {1, 1, 1, 1}, none[4] = {0},
                tied[] = {0.5f, 0.5f, 0.5f, 0.5f}, half[] = {1, 1, 0.5f, 0.5f},
                two[] = {0.9f, -1, 0.8f, -1, 0.7f, -1, 0.6f, -1};
    double auc = -1, ap = -1;
    ok(!sj_tag_measures(4, score, truth, 1, &auc, &ap), "four scores");
    is_near(auc, 0.75, 1e-15, "three pairs of four in order");
    is_near(ap, (1 + 2 / 3.0) / 2, 1e-15, "average precision");
    ok(!sj_tag_measures(4, tied, truth, 1, &auc, &ap) && auc == 0.5 && ap == 0.5, "all equal: chance");
    ok(!sj_tag_measures(4, half, truth, 1, &auc, &ap) && auc == 0.5, "a tie of a positive and a negative counts half");
    is_near(ap, 0.5, 1e-15, "their precision is that of the group");
    ok(!sj_tag_measures(4, score, all, 1, &auc, &ap) && isnan(auc) && ap == 1, "positives only: no area");
    ok(!sj_tag_measures(4, score, none, 1, &auc, &ap) && isnan(auc) && isnan(ap), "negatives only: neither");
    ok(!sj_tag_measures(0, score, none, 1, &auc, &ap) && isnan(auc) && isnan(ap), "nothing: neither");
    ok(!sj_tag_measures(2, two, two, 2, &auc, &ap) && isnan(auc) && ap == 1, "strides: both are above a half");
}

static void values(void)
{
    const float y[] = {1, 2, 3}, off[] = {1, 2, 4}, same[] = {0.1f, 0.1f, 0.1f}, near[] = {0.1f, 0.1f, 0.2f};
    is_near(sj_r2(3, y, y, 1), 1, 0, "R2 of the truth");
    is_near(sj_r2(3, off, y, 1), 0.5, 1e-15, "of an estimate");
    is_near(sj_r2(3, same, same, 1), 1, 0, "a column that does not vary: right");
    is_near(sj_r2(3, near, same, 1), 0, 0, "and wrong");
    is_near(sj_rms_error(3, off, y, 1), sqrt(1 / 3.0), 1e-15, "root of the mean squared error");
    ok(isnan(sj_r2(0, y, y, 1)) && isnan(sj_rms_error(0, y, y, 1)), "of nothing");
}

int main(void)
{
    const double some[] = {1, NAN, 3}, none[] = {NAN};
    const float score[] = {1, 3, 3, -1};
    int64_t defined = -1;
    tags();
    values();
    is_near(sj_mean_defined(3, some, &defined), 2, 0, "the mean of what is defined");
    is_int(defined, 2, "two");
    ok(isnan(sj_mean_defined(1, none, &defined)) && !defined, "none");
    is_int(sj_best_class(4, score), 1, "of equal scores the first");
    return done();
}
