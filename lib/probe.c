#include "probe.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe_net.h"
#include "probe_score.h"
#include "progress.h"
#include "rng.h"

/* -- settings ------------------------------------------------------------------------------------------------------ */
const char *const sj_probe_protocol_names[] = {"marble", "evar", NULL};

#define AT(field) NULL, offsetof(struct sj_probe_settings, field)
const struct sj_option sj_probe_options[] = {
    {SJ_CHOICE, 0, "protocol", AT(protocol), "NAME", "how to train", 0, 0, sj_probe_protocol_names, NULL, 1, NULL},
    {SJ_INT, 0, "epochs", AT(epochs), "N", "train so many epochs at most", 1, 1e6, NULL, "100, evar 200", 1, NULL},
    {SJ_INT, 0, "patience", AT(patience), "N", "end after N epochs that bring nothing better", 1, 1e6, NULL, "20", 1,
     NULL},
    {SJ_INT, 0, "plateau", AT(plateau), "N", "halve the rate after more than N of them", 1, 1e6, NULL,
     "a quarter of the patience, evar never", 1, NULL},
    {SJ_TEXT, 0, "rates", AT(rates_text), "R,R...", "learning rates to choose from", 0, 0, NULL,
     "5e-5,1e-4,5e-4,1e-3,5e-3,1e-2, evar 3e-5", 1, NULL},
    {.type = SJ_OPTION_NONE},
};
#undef AT

int sj_probe_check(struct sj_probe_settings *s)
{
    static const char *const usual[] = {"5e-5,1e-4,5e-4,1e-3,5e-3,1e-2", "3e-5"};
    const int evar = s->protocol == SJ_PROBE_EVAR;
    const char *text = s->rates_text ? s->rates_text : usual[evar];
    s->rates = 1;
    for (const char *p = text; *p; p++)
        s->rates += *p == ',';
    if (s->rates > SJ_PROBE_RATES)
        return sj_fail(SJ_USAGE, "--rates has %d rates: at most %d are possible", s->rates, SJ_PROBE_RATES);
    int status = sj_cli_reals("--rates", text, 1e-9, 10, s->rates, "rates", s->rate);
    s->dropout = evar ? 0.5 : 0.2;
    s->batch = evar ? 128 : 64;
    s->standardise = s->equal_is_better = evar;
    s->epochs = s->epochs ? s->epochs : evar ? 200 : 100;
    s->patience = s->patience ? s->patience : 20;
    s->plateau = s->plateau ? s->plateau : evar ? -1 : (s->patience + 3) / 4;
    return status;
}

/* -- a run --------------------------------------------------------------------------------------------------------- */
/* Streams of random numbers. */
enum { SHUFFLE = 3 };

struct run {
    struct sjk *k;
    const struct sj_probe_labels *l;
    const struct sj_probe_data *data;
    const struct sj_probe_settings *s;
    uint64_t seed;
    struct sj_probe_watch *watch;
    struct sj_probe_net *net;
    struct sj_probe_units units; /* (C) of values */
    double *mean, *deviation;
    float *shift, *scale; /* (d) of inputs, where they are standardised */
    int64_t *order;       /* (training examples) */
    int64_t *row, *example; /* (batch) of the matrix, of the labels */
    float *y, *dy;        /* (batch, C) */
    float *score;         /* (examples of the larger of valid and test, C) */
};

/* How a training stands, at its best so far. */
struct state {
    double rate; /* the first one */
    int64_t epoch;
    double valid, loss;
};

static int64_t first_of(const struct sj_probe_data *data, enum sj_probe_split split)
{
    int64_t first = 0;
    for (int s = 0; s < (int)split; s++)
        first += data->count[s];
    return first;
}

/* The inputs of the n rows of the matrix, as the net is to see them. */
static int put_inputs(struct run *r, int64_t n, const int64_t *row)
{
    const int64_t d = r->data->d;
    float *to = sj_probe_net_input(r->net);
    if (!to)
        return SJ_SYSTEM;
    for (int64_t i = 0; i < n; i++) {
        const float *from = r->data->x + row[i] * d;
        if (!r->shift)
            memcpy(to + i * d, from, (size_t)d * sizeof *to);
        for (int64_t j = 0; j < d && r->shift; j++)
            to[i * d + j] = (from[j] - r->shift[j]) * r->scale[j];
        r->example[i] = r->data->example[row[i]];
    }
    return SJ_OK;
}

/* *loss: mean over the epoch; not a number when training diverges. */
static int train_epoch(struct run *r, int64_t epoch, double rate, double *loss)
{
    const int64_t n = r->data->count[SJ_TRAIN];
    struct sj_rng rng = sj_rng(r->seed, sj_rng_stream(SHUFFLE, (uint64_t)epoch));
    int status = SJ_OK;
    for (int64_t i = 0; i < n; i++)
        r->order[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t j = (int64_t)sj_rng_below(&rng, (uint64_t)i + 1), swap = r->order[i];
        r->order[i] = r->order[j];
        r->order[j] = swap;
    }
    *loss = 0;
    for (int64_t at = 0; at < n && !status && isfinite(*loss); at += r->s->batch) {
        const int64_t rows = n - at < r->s->batch ? n - at : r->s->batch;
        if (!(status = put_inputs(r, rows, r->order + at)))
            status = sj_probe_net_forward(r->net, rows, r->s->dropout, r->y);
        if (status)
            break;
        *loss += sj_probe_loss(r->l, rows, r->example, r->y, &r->units, r->dy) * (double)rows / (double)n;
        status = sj_probe_net_step(r->net, rows, r->dy, rate);
    }
    return status;
}

/* Scores of a split's examples, in the units of the labels; *loss: their mean loss, not a number when a score is
 * none. */
static int score_split(struct run *r, enum sj_probe_split split, double *loss)
{
    const int64_t n = r->data->count[split], C = r->l->C, first = first_of(r->data, split);
    int status = SJ_OK;
    *loss = 0;
    for (int64_t at = 0; at < n && !status; at += r->s->batch) {
        const int64_t rows = n - at < r->s->batch ? n - at : r->s->batch;
        float *y = r->score + at * C;
        for (int64_t i = 0; i < rows; i++)
            r->row[i] = first + at + i;
        if (!(status = put_inputs(r, rows, r->row)))
            status = sj_probe_net_forward(r->net, rows, 0, y);
        if (status)
            break;
        *loss += sj_probe_loss(r->l, rows, r->example, y, &r->units, NULL) * (double)rows / (double)n;
        for (int64_t i = 0; i < rows * C; i++) {
            *loss = isfinite(y[i]) ? *loss : NAN;
            y[i] = r->mean ? (float)(y[i] * r->deviation[i % C] + r->mean[i % C]) : y[i];
        }
    }
    return status;
}

static void show(struct run *r, int64_t epochs, double rate, double best)
{
    char note[64];
    r->watch->done += epochs;
    snprintf(note, sizeof note, "rate %g: %.4f", rate, best);
    sj_progress_show(r->watch->progress, r->watch->done, note);
}

static void tell(struct run *r, const struct state *now, int64_t epochs, int diverged)
{
    char text[160];
    if (!r->watch->note)
        return;
    sj_progress_clear(r->watch->progress);
    if (diverged)
        snprintf(text, sizeof text, "rate %g: diverged in epoch %lld", now->rate, (long long)epochs);
    else
        snprintf(text, sizeof text, "rate %g: %.4f in epoch %lld of %lld", now->rate, now->valid,
                 (long long)now->epoch, (long long)epochs);
    r->watch->note(r->watch->note_arg, text);
}

static int better(const struct state *a, const struct state *b)
{
    return a->valid > b->valid || (a->valid == b->valid && a->loss < b->loss);
}

/* One training. Where it becomes better than the best of those before, the net keeps its weights. */
static int train_rate(struct run *r, double first_rate, struct state *best)
{
    const struct sj_probe_settings *s = r->s;
    struct state now = {first_rate, 0, -INFINITY, INFINITY};
    double rate = first_rate, loss = 0;
    int64_t idle = 0, worse = 0, epoch = 0; /* epochs without a better one: for the end, for the rate */
    int diverged = 0, status = sj_probe_net_reset(r->net, r->seed);
    while (epoch < s->epochs && idle < s->patience && !diverged && !status) {
        struct sj_probe_measures m = {0};
        epoch++;
        status = train_epoch(r, epoch, rate, &loss);
        if (!status && !(diverged = !isfinite(loss)))
            status = score_split(r, SJ_VALID, &loss);
        if (status || (diverged |= !isfinite(loss)))
            break;
        status = sj_probe_measure(r->l, r->data, SJ_VALID, r->score, &m);
        if (m.first > now.valid || (s->equal_is_better && m.first == now.valid)) {
            now = (struct state){first_rate, epoch, m.first, loss};
            idle = worse = 0;
            if (!status && (better(&now, best) || (best->rate == first_rate && s->equal_is_better))) {
                *best = now;
                status = sj_probe_net_keep(r->net);
            }
        } else {
            idle++;
            worse++;
        }
        if (s->plateau >= 0 && worse > s->plateau) {
            rate /= 2;
            worse = 0;
        }
        show(r, 1, first_rate, now.valid);
    }
    if (!status) {
        show(r, s->epochs - epoch + diverged, first_rate, now.valid);
        tell(r, &now, epoch, diverged);
    }
    return status;
}

/* -- preparation --------------------------------------------------------------------------------------------------- */
/* Mean and scale 1 / deviation of the training examples' inputs; of one that does not vary the scale is 1. */
static int standardise(struct run *r)
{
    const int64_t d = r->data->d, n = r->data->count[SJ_TRAIN];
    double *sum = calloc((size_t)d, sizeof *sum);
    r->shift = calloc((size_t)d, sizeof *r->shift);
    r->scale = calloc((size_t)d, sizeof *r->scale);
    if (!sum || !r->shift || !r->scale) {
        free(sum);
        return sj_fail(SJ_SYSTEM, "no memory for a probe");
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < d; j++)
            sum[j] += r->data->x[i * d + j];
    for (int64_t j = 0; j < d; j++) {
        r->shift[j] = (float)(sum[j] / (double)n);
        sum[j] = 0;
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < d; j++) {
            const double e = (double)r->data->x[i * d + j] - (double)r->shift[j];
            sum[j] += e * e;
        }
    for (int64_t j = 0; j < d; j++)
        r->scale[j] = sum[j] > 0 ? (float)sqrt((double)n / sum[j]) : 1;
    free(sum);
    return SJ_OK;
}

/* The units of values: mean and deviation of the training examples. */
static int set_units(struct run *r)
{
    const int64_t C = r->l->C, n = r->data->count[SJ_TRAIN];
    r->units = (struct sj_probe_units){r->mean = calloc((size_t)C, sizeof *r->mean),
                                       r->deviation = calloc((size_t)C, sizeof *r->deviation)};
    if (!r->mean || !r->deviation)
        return sj_fail(SJ_SYSTEM, "no memory for a probe");
    for (int64_t c = 0; c < C; c++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            r->mean[c] += (double)r->l->target[r->data->example[i] * C + c] / (double)n;
        for (int64_t i = 0; i < n; i++) {
            const double e = (double)r->l->target[r->data->example[i] * C + c] - r->mean[c];
            sum += e * e;
        }
        r->deviation[c] = sum > 0 ? sqrt(sum / (double)n) : 1;
    }
    return SJ_OK;
}

static int prepare(struct run *r)
{
    const int64_t *count = r->data->count, C = r->l->C, batch = r->s->batch;
    const int64_t most = count[SJ_VALID] > count[SJ_TEST] ? count[SJ_VALID] : count[SJ_TEST];
    int status = sj_probe_net_new(r->k, r->data->d, SJ_PROBE_HIDDEN, C, batch, &r->net);
    r->order = calloc((size_t)count[SJ_TRAIN], sizeof *r->order);
    r->row = calloc((size_t)batch, sizeof *r->row);
    r->example = calloc((size_t)batch, sizeof *r->example);
    r->dy = calloc((size_t)(batch * C), sizeof *r->dy);
    r->y = calloc((size_t)(batch * C), sizeof *r->y);
    r->score = calloc((size_t)(most * C), sizeof *r->score);
    if (!status && (!r->order || !r->row || !r->example || !r->dy || !r->y || !r->score))
        status = sj_fail(SJ_SYSTEM, "no memory for a probe");
    if (!status && r->s->standardise)
        status = standardise(r);
    if (!status && r->l->task == SJ_PROBE_VALUE)
        status = set_units(r);
    return status;
}

/* Whether the validation examples can tell one network from another: with scores that are all 0, they have a
 * measure. */
static int want_measure(const struct run *r)
{
    struct sj_probe_measures m;
    int status = sj_probe_measure(r->l, r->data, SJ_VALID, r->score, &m);
    if (!status && isnan(m.first))
        return sj_fail(SJ_INPUT, "no tag has positive and negative examples in the split 'valid'");
    return status;
}

static void release(struct run *r)
{
    sj_probe_net_free(r->net);
    free(r->mean);
    free(r->deviation);
    free(r->shift);
    free(r->scale);
    free(r->order);
    free(r->row);
    free(r->example);
    free(r->dy);
    free(r->y);
    free(r->score);
}

int sj_probe_train(struct sjk *k, const struct sj_probe_labels *l, const struct sj_probe_data *data,
                   const struct sj_probe_settings *s, uint64_t seed, struct sj_probe_watch *watch,
                   struct sj_probe_result *result)
{
    struct run r = {.k = k, .l = l, .data = data, .s = s, .seed = seed, .watch = watch};
    struct state best = {0, 0, -INFINITY, INFINITY};
    double loss;
    int status = prepare(&r);
    if (!status)
        status = want_measure(&r);
    for (int i = 0; i < s->rates && !status; i++)
        status = train_rate(&r, s->rate[i], &best);
    if (!status && !best.epoch)
        status = sj_fail(SJ_INPUT, "training diverges at every rate");
    if (!status)
        status = sj_probe_net_restore(r.net);
    if (!status)
        status = score_split(&r, SJ_TEST, &loss);
    if (!status && !isfinite(loss))
        status = sj_fail(SJ_INPUT, "the scores of the test examples are not finite");
    if (!status) {
        *result = (struct sj_probe_result){best.rate, best.epoch, best.valid, r.score};
        r.score = NULL;
    }
    release(&r);
    return status;
}
