/* Retrieval metrics: hand-made cases, and the golden file where it is at hand. */
#include "metrics.h"

#include <stdlib.h>

#include "h5.h"
#include "sjk.h"
#include "tests/tap.h"

static void by_hand(void)
{
    const int64_t rank[] = {1, 5, 6, 11}, total[] = {20, 20, 20, 20}, one[] = {1, 4, 20, 20};
    struct sj_retrieval m;
    int status = sj_retrieval_of(4, rank, total, &m);
    ok(!status && m.queries == 4, "four ranks");
    is_near(m.recall_1, 0.25, 0, "R@1");
    is_near(m.recall_5, 0.5, 0, "R@5");
    is_near(m.recall_10, 0.75, 0, "R@10");
    is_near(m.mean_rank, 23 / 80.0, 1e-15, "mean rank");
    is_near(m.median_rank, 5 / 20.0, 0, "the median is the lower of the two in the middle");
    status = sj_retrieval_expected(4, one, total, &m);
    ok(!status, "expected of guessing among 1, 4, 20 and 20 of 20");
    is_near(m.recall_1, (1 + 1 / 4.0 + 2 / 20.0) / 4, 1e-15, "R@1");
    is_near(m.recall_10, (1 + 1 + 0.5 + 0.5) / 4, 1e-15, "R@10");
    is_near(m.mean_rank, (1 + 2.5 + 10.5 + 10.5) / 4 / 20, 1e-15, "mean rank");
    is_near(m.median_rank, 2.5 / 20, 1e-15, "median rank");
    ok(!sj_retrieval_of(0, NULL, NULL, &m) && m.queries == 0 && m.mean_rank == 0, "no queries");
    ok(sj_outcome_of(1, 1) == SJ_BOTH_RIGHT && sj_outcome_of(1, 0) == SJ_INSTRUMENT_RIGHT
           && sj_outcome_of(0, 1) == SJ_SONG_RIGHT && sj_outcome_of(0, 0) == SJ_BOTH_WRONG, "outcomes");
}

static void not_finite(struct sjk *k)
{
    float query[] = {1, 2, 3, 1, 2, 2.5f}, reference[] = {1, 2, 3, 3, NAN, 1};
    struct sj_retrieval m;
    is_int(sj_retrieval_metrics(k, 2, 3, query, reference, NULL, &m), SJ_INPUT, "NaN is refused");
    reference[4] = 1;
    is_int(sj_retrieval_metrics(k, 2, 3, query, reference, NULL, &m), SJ_OK, "finite values are not");
    is_near(m.recall_1, 0.5, 0, "the first finds its own, the second the first's");
}

static void golden(struct sjk *k, struct sj_h5 *h)
{
    enum sj_h5_type type;
    int rank, wrong = 0;
    int64_t dims[SJ_H5_RANK] = {0};
    static const char *const names[] = {"recall@1", "recall@5", "recall@10", "mean_rank", "median_rank"};
    int status = sj_h5_shape(h, "/retrieval/target", &type, &rank, dims);
    const int64_t n = dims[0], d = dims[1];
    float *target = malloc((size_t)(n * d) * sizeof *target),
          *prediction = malloc((size_t)(n * d) * sizeof *prediction);
    int64_t *want = malloc((size_t)n * sizeof *want), *got = malloc((size_t)n * sizeof *got);
    struct sj_retrieval m = {0};
    status = status ? status : sj_h5_read(h, "/retrieval/target", SJ_H5_F32, n * d, target);
    status = status ? status : sj_h5_read(h, "/retrieval/prediction", SJ_H5_F32, n * d, prediction);
    status = status ? status : sj_h5_read(h, "/retrieval/rank", SJ_H5_I64, n, want);
    status = status ? status : sj_retrieval_metrics(k, n, d, prediction, target, got, &m);
    for (int64_t i = 0; i < n && !status; i++)
        wrong += want[i] != got[i];
    ok(!status && n > 0 && !wrong, "golden ranks: %d of %d differ", wrong, (int)n);
    const double value[] = {m.recall_1, m.recall_5, m.recall_10, m.mean_rank, m.median_rank};
    for (int i = 0; i < 5 && !status; i++) {
        double expected = -1;
        status = sj_h5_get_real(h, "/retrieval", names[i], &expected);
        is_near(value[i], expected, 1e-6, names[i]);
    }
    free(target);
    free(prediction);
    free(want);
    free(got);
}

int main(void)
{
    const char *shared = getenv("SJ_SHARED");
    char path[1024], why[256];
    struct sj_h5 *h = NULL;
    struct sjk *k = NULL;
    by_hand();
    if (!ok(!sjk_open("cpu", 2, &k, why, sizeof why), "back end"))
        return done();
    not_finite(k);
    snprintf(path, sizeof path, "%s/golden/small.h5", shared ? shared : "../shared");
    if (sj_h5_open(path, &h))
        skip("golden ranks", "no shared golden file");
    else
        golden(k, h);
    sj_h5_close(h);
    sjk_close(k);
    return done();
}
