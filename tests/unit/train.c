/* The schedules of a training against SPEC 6, and the labels of batches. */
#include "train.h"

#include <stdlib.h>
#include <unistd.h>

#include "dataset.h"
#include "tests/folder.h"
#include "tests/tap.h"

/* Linear from 0 over the warm-up, then half a cosine down to 0; in long double, by the formulas alone. */
static void learning_rate(void)
{
    struct sj_train_settings s = sj_train_defaults();
    ok(!sj_train_check(&s) && s.warmup == 20000, "a fifteenth of the steps warms up");
    is_near(sj_train_rate(&s, 0), 0, 0, "from 0");
    is_near(sj_train_rate(&s, 1), 3e-4 / 19999, 1e-18, "in equal steps");
    is_near(sj_train_rate(&s, 10000), 3e-4 * 10000 / 19999, 1e-15, "half-way");
    is_near(sj_train_rate(&s, 19999), 3e-4, 1e-18, "to the largest");
    is_near(sj_train_rate(&s, 20000), 3e-4, 1e-18, "from which it falls");
    is_near(sj_train_rate(&s, 90000), 3e-4 * 0.5 * (1 + sqrt(0.5)), 1e-15, "a quarter of the way: cos 45");
    is_near(sj_train_rate(&s, 160000), 1.5e-4, 1e-15, "half-way: a half");
    is_near(sj_train_rate(&s, 230000), 3e-4 * 0.5 * (1 - sqrt(0.5)), 1e-15, "three quarters");
    is_near(sj_train_rate(&s, 300000), 0, 1e-18, "to 0");
    s.batch = 64;
    is_near(sj_train_rate(&s, 160000), 1.5e-4 / 4, 1e-15, "in proportion to the batch");
    s.warmup = 0;
    is_near(sj_train_rate(&s, 0), 3e-4 / 4, 1e-18, "without a warm-up from the largest");
    s.warmup = 1;
    is_near(sj_train_rate(&s, 0), 3e-4 / 4, 1e-18, "with one step of it too");
}

static void moving_average(void)
{
    struct sj_train_settings s = sj_train_defaults();
    sj_train_check(&s);
    is_near(sj_train_ema(&s, 0), 0.99995, 1e-15, "the average's rate at the start");
    is_near(sj_train_ema(&s, 75000), 0.99996, 1e-15, "is linear");
    is_near(sj_train_ema(&s, 150000), 0.99997, 1e-15, "half-way");
    is_near(sj_train_ema(&s, 300000), 0.99999, 1e-15, "to the end");
}

/* What the steps of a training with all of it minimise. */
static void objectives(void)
{
    struct sj_train_settings s = sj_train_defaults();
    s.steps = 100;
    struct sj_objective o = sj_train_objective(&s, 0);
    ok(o.cosine == 1 && o.contrastive == 0 && !o.two_sided && !o.alone && sj_train_has_loss(&o), "the paper's");
    s.contrastive_warmup = 10;
    s.contrastive_steps = 5;
    s.contrastive = 0.5;
    s.contrastive_targets = SJ_CONTRASTIVE_ENCODER;
    ok(!sj_train_check(&s), "all of it");
    o = sj_train_objective(&s, 9);
    ok(o.cosine == 0 && o.contrastive == 1 && o.two_sided && o.alone && sj_train_ema(&s, 9) == 0, "the warm-up");
    o = sj_train_objective(&s, 10);
    ok(o.cosine == 0 && o.contrastive == 0.5 && o.two_sided && !o.alone && !sj_train_has_loss(&o), "the term alone");
    ok(sj_train_ema(&s, 10) > 0.99995, "the average begins");
    o = sj_train_objective(&s, 15);
    ok(o.cosine == 1 && o.contrastive == 0.5 && o.two_sided && !o.alone && sj_train_has_loss(&o), "both");
}

static void options(void)
{
    struct sj_train_settings s = sj_train_defaults();
    ok(!sj_train_check(&s) && s.temperature == 0.1 && s.frames == 800, "defaults");
    s = sj_train_defaults();
    s.temperature = 0.2;
    ok(sj_train_check(&s) == SJ_USAGE, "%s", sj_reason());
    s.contrastive = 1;
    ok(!sj_train_check(&s) && s.temperature == 0.2, "with its term it is taken");
}

/* A set of n tracks, all alike, each with a tone in three stems. */
static int make_set(const char *path, int n)
{
    enum { SAMPLES = 40000 };
    static int16_t audio[3 * SAMPLES];
    static const int32_t class[] = {0, 1, 2};
    struct sj_dataset_writer *w;
    for (int i = 0; i < 3 * SAMPLES; i++)
        audio[i] = (int16_t)(i % 100 * 200 - 10000);
    int status = sj_dataset_writer_open(path, 3, (const char *const[]){"low", "high", "top"}, "[]", &w);
    for (int t = 0; t < n && !status; t++) {
        char key[16];
        snprintf(key, sizeof key, "track %d", t);
        status = sj_dataset_writer_add(w, key, key, 3, class, SAMPLES, audio);
    }
    return status ? status : sj_dataset_writer_close(w, SJ_OK);
}

/* Pairs of one track are one group, numbered by the first of them. */
static void groups(void)
{
    enum { B = 12, CROP = 16000 };
    struct sj_sampler *s;
    struct sj_feed *f;
    struct sj_batch batch;
    const char *path = in_dir("set.h5");
    if (!ok(!make_set(path, 3) && !sj_sampler_open(1, &path, NULL, 7, CROP, &s) &&
                !sj_feed_sets(s, NULL, 2, B, 1, 5, &f),
            "a feed"))
        exit(1);
    void *memory = malloc(sj_feed_bytes(f));
    float *wave = malloc(2 * sizeof *wave * (size_t)sj_sampler_width(s));
    char key[B][16];
    int wrong = 0, repeated = 0;
    sj_feed_start(f, memory);
    ok(!sj_feed_wait(f, &batch), "a batch");
    for (int i = 0; i < B; i++) {
        struct sj_pair pair;
        int first = i;
        wrong += sj_sampler_pair(s, (uint64_t)(5 + i), wave, wave + sj_sampler_width(s), &pair) != SJ_OK;
        snprintf(key[i], sizeof key[i], "%s", pair.key);
        for (int j = i - 1; j >= 0; j--)
            if (!strcmp(key[j], key[i]))
                first = j;
        repeated += first != i;
        wrong += batch.group[i] != first || batch.class[i] != pair.class;
    }
    ok(!wrong && repeated >= B - 3, "%d pairs of tracks that were there already, %d of them wrong", repeated, wrong);
    free(memory);
    sj_feed_free(f);
    if (!ok(!sj_feed_sets(s, NULL, 2, B, 2, 5, &f) && sj_feed_targets(f) == 2, "a feed of two targets"))
        exit(1);
    memory = malloc(sj_feed_bytes(f));
    sj_feed_start(f, memory);
    ok(!sj_feed_wait(f, &batch), "a batch of it");
    const int64_t w = sj_sampler_width(s);
    float *two = malloc(3 * sizeof *two * (size_t)w), *given = memory;
    for (int i = 0; i < B; i++) {
        struct sj_pair pair[2];
        wrong += sj_sampler_targets(s, (uint64_t)(5 + i), 2, two, two + w, w, pair) != SJ_OK;
        for (int k = 0; k < 3; k++)
            wrong += memcmp(two + k * w, given + (k * B + i) * w, (size_t)w * sizeof *two) != 0;
        for (int k = 0; k < 2; k++)
            wrong += batch.class[k * B + i] != pair[k].class || batch.group[k * B + i] != batch.group[i];
    }
    ok(!wrong, "contexts, then first targets, then second ones");
    free(two);
    free(wave);
    free(memory);
    sj_feed_free(f);
    sj_sampler_close(s);
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    learning_rate();
    moving_average();
    objectives();
    options();
    groups();
    return done();
}
