/* The loop. */
#include "train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "checkpoint.h"
#include "progress.h"
#include "train_intake.h"
#include "train_valid.h"

/* Below this share of the spread that the targets had at first, they are said to collapse. */
static const double collapse_share = 0.1;

struct loop {
    struct sj_train *t;
    struct sj_learner *learner;
    int64_t micro;  /* pairs of a pass */
    int32_t *label; /* (2, micro): class and group of a pass */
    struct sj_intake *intake;
    struct sj_batch batch; /* labels of the batch to come, once it has been brought in */
    int brought;           /* it has; 0 before the first step */
    int bad;               /* or not: why, which matters when its step begins */
    char why[512];
    float *buffer; /* one arena, for checkpoints */
    struct sj_progress *progress;
    double began, saved; /* seconds: of the present interval of the log, of the last checkpoint */
    double waited;       /* seconds of the interval spent waiting for pairs */
    int64_t logged;      /* steps at the last line of the log */
    double first_spread;
    int collapsed;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void note(const struct loop *l, const char *text)
{
    sj_progress_clear(l->progress);
    if (l->t->note)
        l->t->note(l->t->note_arg, text);
}

/* -- one step ------------------------------------------------------------------------------------------------------ */

/* Waits until the batch that is read has come as far as the back end. */
static void bring(struct loop *l)
{
    double began = now_s();
    l->bad = sj_intake_send(l->intake, &l->batch);
    if (l->bad)
        snprintf(l->why, sizeof l->why, "%s", sj_reason());
    l->waited += now_s() - began;
    l->brought = 1;
}

/* The gradient of a batch. Meanwhile the next one is read. */
static int passes(struct loop *l, int64_t number)
{
    const struct sj_train_settings *s = l->t->settings;
    const struct sj_objective o = sj_train_objective(s, number);
    float *mel, *target_mel;
    int status = l->brought ? SJ_OK : sj_intake_read(l->intake);
    if (!status && !l->brought)
        bring(l);
    if (!status)
        status = l->bad ? sj_fail(l->bad, "%s", l->why) : sj_intake_take(l->intake);
    if (!status && number + 1 < s->steps)
        status = sj_intake_read(l->intake);
    sj_learner_input(l->learner, &mel, &target_mel);
    const int64_t contexts = s->batch / s->targets, count = l->micro / s->targets;
    for (int64_t i = 0; !status && i < contexts; i += count) {
        status = sj_intake_mel(l->intake, i, count, mel, target_mel);
        for (int64_t k = 0; k < l->micro; k++) {
            int64_t at = k / count * contexts + i + k % count;
            l->label[k] = l->batch.class[at];
            l->label[l->micro + k] = l->batch.group[at];
        }
        if (!status)
            status = sj_learner_pass(l->learner, &o, NULL, NULL, l->label, l->label + l->micro);
    }
    return status;
}

static int step(struct loop *l, int64_t number, struct sj_learned *r)
{
    const struct sj_train_settings *s = l->t->settings;
    int status = passes(l, number);
    if (!status && number + 1 < s->steps)
        bring(l);
    struct sj_update u = {.rate = sj_train_rate(s, number + 1),
                          .beta1 = s->beta1,
                          .beta2 = s->beta2,
                          .eps = s->eps,
                          .decay = s->decay,
                          .clip = s->clip,
                          .ema = sj_train_ema(s, number),
                          .step = number,
                          .alone = s->contrastive_warmup};
    return status ? status : sj_learner_update(l->learner, &u, r);
}

/* -- saying what happens ------------------------------------------------------------------------------------------- */

static int write_line(const struct loop *l, sj_json *line)
{
    int status = sj_json_line(l->t->log, line);
    sj_json_free(line);
    if (!status && (fflush(l->t->log) || ferror(l->t->log)))
        status = sj_fail_errno("cannot write the log");
    return status;
}

/* The collapse alarm: -1 where a pass has one sample, which says nothing. */
static int measure_spread(struct loop *l, double *spread)
{
    *spread = -1;
    if (l->micro < 2)
        return SJ_OK;
    int status = sj_learner_spread(l->learner, spread);
    if (status)
        return status;
    if (l->first_spread <= 0)
        l->first_spread = *spread;
    int low = *spread < collapse_share * l->first_spread;
    if (low && !l->collapsed)
        note(l, "the targets are becoming all the same: the training collapses");
    l->collapsed = low;
    return SJ_OK;
}

static int log_step(struct loop *l, int64_t done, const struct sj_learned *r)
{
    const struct sj_train_settings *s = l->t->settings;
    const struct sj_objective objective = sj_train_objective(s, done - 1);
    double spread, now = now_s(), rate = (double)((done - l->logged) * s->batch) / (now - l->began);
    if (!l->t->log || (done % l->t->log_every && done != s->steps))
        return SJ_OK;
    int status = measure_spread(l, &spread);
    if (status)
        return status;
    double waited = l->waited / (now - l->began);
    l->logged = done;
    l->began = now;
    l->waited = 0;
    sj_json *o = sj_json_object();
    sj_json_set(o, "step", sj_json_int(done));
    if (sj_train_has_loss(&objective))
        sj_json_set(o, "loss", sj_json_real(r->loss));
    if (objective.contrastive != 0) {
        sj_json_set(o, "contrastive", sj_json_real(r->contrastive));
        sj_json_set(o, "first", sj_json_real(r->first));
    }
    sj_json_set(o, "rate", sj_json_real(sj_train_rate(s, done)));
    sj_json_set(o, "gradient_norm", sj_json_real(r->gradient_norm));
    sj_json_set(o, "ema", sj_json_real(sj_train_ema(s, done - 1)));
    if (spread >= 0) {
        sj_json_set(o, "target_std", sj_json_real(spread));
        sj_json_set(o, "collapse", sj_json_bool(l->collapsed));
    }
    sj_json_set(o, "samples_per_s", sj_json_real(rate));
    sj_json_set(o, "waiting", sj_json_real(waited));
    sj_json_set(o, "eta_s", sj_json_real((double)((s->steps - done) * s->batch) / rate));
    return write_line(l, o);
}

static int fetch_model(struct loop *l)
{
    int status = sj_learner_get(l->learner, SJ_LEARNER_WEIGHTS, l->t->model->weights);
    return status ? status : sj_learner_get(l->learner, SJ_LEARNER_TARGET, l->t->model->target);
}

static int validate(struct loop *l, int64_t done)
{
    struct sj_retrieval r;
    if (!l->t->validation || (done % l->t->validate_every && done != l->t->settings->steps))
        return SJ_OK;
    int status = fetch_model(l), alone = done <= l->t->settings->contrastive_warmup;
    if (!status)
        status = sj_validation_run(l->t->validation, l->t->model, !alone, &r);
    if (status)
        return sj_fail_at(status, "validation");
    char text[128];
    snprintf(text, sizeof text, "step %lld: validation%s R@1 %.3f R@10 %.3f, mean rank %.3f", (long long)done,
             alone ? " of the encoder" : "", r.recall_1, r.recall_10, r.mean_rank);
    note(l, text);
    if (!l->t->log)
        return SJ_OK;
    sj_json *o = sj_json_object(), *v = sj_json_object();
    if (l->t->settings->contrastive_warmup)
        sj_json_set(v, "predicted", sj_json_bool(!alone));
    sj_json_set(v, "queries", sj_json_int(r.queries));
    sj_json_set(v, "recall_1", sj_json_real(r.recall_1));
    sj_json_set(v, "recall_5", sj_json_real(r.recall_5));
    sj_json_set(v, "recall_10", sj_json_real(r.recall_10));
    sj_json_set(v, "mean_rank", sj_json_real(r.mean_rank));
    sj_json_set(v, "median_rank", sj_json_real(r.median_rank));
    sj_json_set(o, "step", sj_json_int(done));
    sj_json_set(o, "validation", v);
    return write_line(l, o);
}

/* -- checkpoints --------------------------------------------------------------------------------------------------- */

static int save(struct loop *l, int64_t done)
{
    sj_json *json = sj_train_to_json(l->t->settings, l->t->seed);
    struct sj_checkpoint c = {.step = done};
    int status = sj_json_text(json, &c.settings);
    sj_json_free(json);
    if (!status && !(c.data = strdup(l->t->data)))
        status = sj_fail(SJ_SYSTEM, "no memory for a checkpoint");
    if (!status)
        status = sj_checkpoint_write(l->t->checkpoint, &c, &l->t->model->config, l->learner, l->buffer);
    sj_checkpoint_free(&c);
    l->saved = now_s();
    return status;
}

/* -- the loop ------------------------------------------------------------------------------------------------------ */

/* The largest pass of at most so many pairs, or of one context: whole contexts, and passes that make up a batch. */
static int64_t fitting(const struct sj_train_settings *s, int64_t most)
{
    int64_t n = most / s->targets * s->targets;
    while (n > s->targets && s->batch % n)
        n -= s->targets;
    return n > s->targets ? n : s->targets;
}

/* The learner with the passes that were asked for, or with the largest that suit the back end and its memory. */
static int open_learner(struct loop *l)
{
    const struct sj_train_settings *s = l->t->settings;
    const int most = l->t->k->ops->pass_samples;
    const int two = s->contrastive_warmup || s->contrastive_targets == SJ_CONTRASTIVE_ENCODER;
    const int whole = s->contrastive != 0 || s->contrastive_warmup;
    struct sj_learner_options o = {(enum sj_precision)s->precision, s->batch, s->micro, s->frames, SJ_RECOMPUTE_AUTO,
                                   two, s->targets, s->window};
    if (!s->micro)
        o.micro = fitting(s, whole || !most || s->batch < most ? s->batch : most);
    int status = sj_learner_new(l->t->k, l->t->model, &o, &l->learner);
    while (status == SJ_DEVICE && !most && !s->micro && !whole && o.micro > s->targets) {
        o.micro = fitting(s, o.micro - 1);
        status = sj_learner_new(l->t->k, l->t->model, &o, &l->learner);
    }
    l->micro = o.micro;
    size_t state, pass;
    if (!status && !(status = sj_learner_memory(l->t->k, &l->t->model->config, &o, &state, &pass))) {
        char text[128];
        snprintf(text, sizeof text, "passes of %lld pairs: %.2f GiB, and %.2f GiB for the weights", (long long)o.micro,
                 (double)pass / (1 << 30), (double)state / (1 << 30));
        note(l, text);
    }
    return status;
}

static int open_loop(struct loop *l)
{
    const struct sj_train_settings *s = l->t->settings;
    l->buffer = malloc(l->t->model->layout.total * sizeof(float));
    if (!l->buffer)
        return sj_fail(SJ_SYSTEM, "no memory for a checkpoint");
    int status = open_learner(l);
    if (!status && !(l->label = calloc(2 * (size_t)l->micro, sizeof *l->label)))
        status = sj_fail(SJ_SYSTEM, "no memory for a batch");
    if (!status)
        status = sj_intake_new(l->t->k, l->t->feed, &l->t->model->config.mel, s->batch / s->targets, s->frames,
                               &l->intake);
    if (!status && l->t->start)
        status = sj_checkpoint_load(l->t->checkpoint, l->learner, l->buffer);
    return status;
}

static void close_loop(struct loop *l)
{
    sj_progress_end(l->progress);
    sj_intake_free(l->intake);
    sj_learner_free(l->learner);
    free(l->buffer);
    free(l->label);
}

/* A stop that was asked for, between two steps. */
static int stop(struct loop *l, int64_t done)
{
    int status = l->t->checkpoint ? save(l, done) : SJ_OK;
    return status ? status : sj_fail(SJ_NO, "stopped after step %lld", (long long)done);
}

static int run(struct loop *l)
{
    const struct sj_train *t = l->t;
    const struct sj_train_settings *s = t->settings;
    l->began = l->saved = now_s();
    l->logged = t->start;
    l->progress = sj_progress_new(t->progress, "training", "steps", t->start, s->steps);
    for (int64_t done = t->start; done < s->steps;) {
        struct sj_learned r;
        int status = step(l, done, &r);
        if (status)
            return *t->stop ? stop(l, done) : status; /* an interrupt may also have cut the stream of pairs */
        char text[64];
        const struct sj_objective o = sj_train_objective(s, done);
        snprintf(text, sizeof text, "%s %.4f", sj_train_has_loss(&o) ? "loss" : "contrastive",
                 sj_train_has_loss(&o) ? r.loss : r.contrastive);
        sj_progress_show(l->progress, ++done, text);
        status = log_step(l, done, &r);
        if (!status)
            status = validate(l, done);
        if (!status && done < s->steps && *t->stop)
            return stop(l, done);
        if (!status && done < s->steps && t->checkpoint && now_s() - l->saved >= t->checkpoint_s)
            status = save(l, done);
        if (status)
            return status;
    }
    return fetch_model(l);
}

int sj_train_run(struct sj_train *t)
{
    struct loop l = {.t = t};
    int status = open_loop(&l);
    if (!status)
        status = run(&l);
    close_loop(&l);
    return status;
}
