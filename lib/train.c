/* Settings and schedules. */
#include "train.h"

#include <math.h>
#include <string.h>

struct sj_train_settings sj_train_defaults(void)
{
    struct sj_train_settings s = {.steps = 300000, .batch = 256, .warmup = -1, .rate = 3e-4, .decay = 0.05};
    s.beta1 = 0.9;
    s.beta2 = 0.95;
    s.eps = 1e-8;
    s.clip = 3;
    s.ema_start = 0.99995;
    s.ema_end = 0.99999;
    s.cosine = 1;
    s.other_classes = 1;
    s.targets = 1;
    s.crops = 1;
    return s;
}

static const char *const targets_names[] = {"average", "encoder", NULL};
static const char first_later[] = "contrastive-warmup"; /* the options from here on came later */

#define AT(field) NULL, offsetof(struct sj_train_settings, field)
const struct sj_option sj_train_options[] = {
    {SJ_INT, 0, "steps", AT(steps), "N", "steps of the whole training; 0 writes the model as it starts", 0, 1e12, NULL,
     NULL, 1, NULL},
    {SJ_INT, 'b', "batch", AT(batch), "N", "pairs of a step", 1, 1 << 20, NULL, NULL, 1, NULL},
    {SJ_INT, 0, "micro", AT(micro), "N", "pairs computed at a time", 0, 1 << 20, NULL,
     "on a CPU at most 16, on a device what its memory holds; the batch with a contrastive term", 1, NULL},
    {SJ_INT, 0, "frames", AT(frames), "N", "10 ms frames of a pair, a multiple of 16", 16, 65536, NULL,
     "800, or those of the stream", 1, NULL},
    {SJ_REAL, 0, "rate", AT(rate), "X", "largest learning rate for a batch of 256, to which it is proportional", 0, 1,
     NULL, NULL, 1, NULL},
    {SJ_INT, 0, "warmup", AT(warmup), "N", "steps in which the rate rises from 0, to fall as a cosine afterwards", 0,
     1e12, NULL, "a fifteenth of the steps", 1, NULL},
    {SJ_REAL, 0, "decay", AT(decay), "X", "weight decay of AdamW", 0, 1, NULL, NULL, 1, NULL},
    {SJ_REAL, 0, "beta1", AT(beta1), "X", "decay of AdamW's first moment", 0, 0.999999, NULL, NULL, 1, NULL},
    {SJ_REAL, 0, "beta2", AT(beta2), "X", "decay of AdamW's second moment", 0, 0.999999, NULL, NULL, 1, NULL},
    {SJ_REAL, 0, "epsilon", AT(eps), "X", "added to AdamW's divisor", 1e-30, 1, NULL, NULL, 1, NULL},
    {SJ_REAL, 0, "clip", AT(clip), "X", "largest norm of the gradient", 1e-6, 1e30, NULL, NULL, 1, NULL},
    {SJ_REAL, 0, "ema", AT(ema_start), "X", "rate of the target's moving average at the start", 0, 1, NULL, NULL, 1,
     NULL},
    {SJ_REAL, 0, "ema-end", AT(ema_end), "X", "and at the end, linear between", 0, 1, NULL, NULL, 1, NULL},
    {SJ_REAL, 0, "cosine", AT(cosine), "X", "weight of the distance between prediction and target", 0, 1e6, NULL, NULL,
     1, NULL},
    {SJ_REAL, 0, "contrastive", AT(contrastive), "X", "weight of a contrastive term over the batch", 0, 1e6, NULL, NULL,
     1, NULL},
    {SJ_REAL, 0, "temperature", AT(temperature), "X", "of the contrastive term", 1e-4, 100, NULL, "0.1", 1, NULL},
    {SJ_INT, 0, "contrastive-steps", AT(contrastive_steps), "N", "first steps, which have the contrastive term alone",
     0, 1e12, NULL, NULL, 1, NULL},
    {SJ_CHOICE, 0, "precision", AT(precision), "TYPE", "of matrix products; auto is bf16 where the hardware has it", 0,
     0, sj_precision_names, NULL, 1, NULL},
    {SJ_INT, 0, first_later, AT(contrastive_warmup), "N",
     "first steps, in which the encoder alone learns, mixes against stems", 0, 1e12, NULL, NULL, 1, NULL},
    {SJ_CHOICE, 0, "contrastive-targets", AT(contrastive_targets), "NAME",
     "what makes the targets of the contrastive term: the moving average or the trained encoder", 0, 0, targets_names,
     NULL, 1, NULL},
    {SJ_INT, 0, "targets", AT(targets), "N", "targets of a context, each a pair of the batch", 1, SJ_FEED_TARGETS, NULL,
     NULL, 1, NULL},
    {SJ_INT, 0, "crops", AT(crops), "N", "contexts in a row that are crops of one track, told apart by a contrastive term",
     1, 1 << 20, NULL, NULL, 1, NULL},
    {SJ_REAL, 0, "other-classes", AT(other_classes), "X", "weight of negatives of other classes", 0, 1, NULL, NULL, 1,
     NULL},
    {SJ_INT, 0, "contrastive-window", AT(window), "N",
     "frames of what the contrastive term compares, a multiple of 16; 0 is all of a pair", 0, 65536, NULL, NULL, 1, NULL},
    {.type = SJ_OPTION_NONE},
};

/* Options that would do nothing are refused. */
static int check_contrastive(const struct sj_train_settings *s)
{
    int any = s->contrastive != 0 || s->contrastive_warmup;
    if (s->contrastive_steps && s->contrastive == 0)
        return sj_fail(SJ_USAGE, "--contrastive-steps goes with --contrastive");
    if (s->contrastive_targets && s->contrastive == 0)
        return sj_fail(SJ_USAGE, "--contrastive-targets goes with --contrastive");
    if (s->temperature > 0 && !any)
        return sj_fail(SJ_USAGE, "--temperature goes with --contrastive or --contrastive-warmup");
    if (s->other_classes != 1 && !any)
        return sj_fail(SJ_USAGE, "--other-classes goes with --contrastive or --contrastive-warmup");
    if (s->window && !any)
        return sj_fail(SJ_USAGE, "--contrastive-window goes with --contrastive or --contrastive-warmup");
    if (s->window && (s->window % 16 || s->frames % s->window))
        return sj_fail(SJ_USAGE, "--contrastive-window is %lld: not a multiple of 16 that divides %lld frames",
                       (long long)s->window, (long long)s->frames);
    if (s->crops > 1 && !any)
        return sj_fail(SJ_USAGE, "--crops goes with --contrastive or --contrastive-warmup");
    if (s->steps && s->contrastive_warmup > s->steps)
        return sj_fail(SJ_USAGE, "--contrastive-warmup is %lld, more than the %lld steps",
                       (long long)s->contrastive_warmup, (long long)s->steps);
    if (any && s->micro && s->micro != s->batch)
        return sj_fail(SJ_USAGE, "--contrastive%s needs the whole batch at a time: no --micro",
                       s->contrastive != 0 ? "" : "-warmup");
    return SJ_OK;
}

int sj_train_check(struct sj_train_settings *s)
{
    if (!s->frames)
        s->frames = 800;
    if (s->frames % 16)
        return sj_fail(SJ_USAGE, "--frames is %lld, must be a multiple of 16", (long long)s->frames);
    if (check_contrastive(s))
        return SJ_USAGE;
    if (!(s->temperature > 0))
        s->temperature = 0.1;
    if (s->cosine == 0 && s->contrastive == 0 && s->contrastive_warmup < s->steps)
        return sj_fail(SJ_USAGE, "--cosine and --contrastive are both 0");
    if (s->warmup < 0)
        s->warmup = s->steps / 15; /* 20,000 of 300,000 */
    if (s->steps && s->warmup > s->steps)
        return sj_fail(SJ_USAGE, "--warmup is %lld, more than the %lld steps", (long long)s->warmup,
                       (long long)s->steps);
    if (s->batch % s->targets || s->micro % s->targets)
        return sj_fail(SJ_USAGE, "--targets is %lld, which does not divide --%s %lld", (long long)s->targets,
                       s->batch % s->targets ? "batch" : "micro",
                       (long long)(s->batch % s->targets ? s->batch : s->micro));
    if (s->batch / s->targets % s->crops)
        return sj_fail(SJ_USAGE, "--crops is %lld, which does not divide the %lld contexts of a batch",
                       (long long)s->crops, (long long)(s->batch / s->targets));
    if (s->micro && s->batch % s->micro)
        return sj_fail(SJ_USAGE, "--micro is %lld, which does not divide the batch of %lld", (long long)s->micro,
                       (long long)s->batch);
    return SJ_OK;
}

static int is_default(const struct sj_option *f, const char *value)
{
    const struct sj_train_settings defaults = sj_train_defaults();
    size_t size = f->type == SJ_INT ? sizeof(int64_t) : f->type == SJ_REAL ? sizeof(double) : sizeof(int);
    return !memcmp((const char *)&defaults + f->offset, value, size);
}

sj_json *sj_train_to_json(const struct sj_train_settings *s, uint64_t seed)
{
    sj_json *o = sj_json_object();
    int later = 0;
    for (const struct sj_option *f = sj_train_options; f->type != SJ_OPTION_NONE; f++) {
        const char *value = (const char *)s + f->offset;
        later |= f->name == first_later;
        if (later && is_default(f, value))
            continue;
        if (f->type == SJ_INT)
            sj_json_set(o, f->name, sj_json_int(*(const int64_t *)(const void *)value));
        else if (f->type == SJ_REAL)
            sj_json_set(o, f->name, sj_json_real(*(const double *)(const void *)value));
        else
            sj_json_set(o, f->name, sj_json_string(f->choices[*(const int *)(const void *)value]));
    }
    sj_json_set(o, "seed", sj_json_int((int64_t)seed));
    return o;
}

struct sj_objective sj_train_objective(const struct sj_train_settings *s, int64_t step)
{
    struct sj_objective o = {.cosine = s->cosine,
                             .contrastive = s->contrastive,
                             .temperature = s->temperature,
                             .other = s->other_classes,
                             .two_sided = s->contrastive_targets == SJ_CONTRASTIVE_ENCODER};
    if (step < s->contrastive_warmup + s->contrastive_steps)
        o.cosine = 0;
    if (step < s->contrastive_warmup) {
        o.contrastive = 1;
        o.two_sided = o.alone = 1;
    }
    return o;
}

int sj_train_has_loss(const struct sj_objective *o)
{
    return o->cosine != 0 || !o->two_sided;
}

double sj_train_rate(const struct sj_train_settings *s, int64_t step)
{
    double peak = s->rate * (double)s->batch / 256;
    if (step < s->warmup)
        return s->warmup > 1 ? peak * (double)step / (double)(s->warmup - 1) : peak;
    double part = (double)(step - s->warmup) / (double)(s->steps > s->warmup ? s->steps - s->warmup : 1);
    return 0.5 * peak * (1 + cos(3.14159265358979323846 * part));
}

double sj_train_ema(const struct sj_train_settings *s, int64_t step)
{
    if (step < s->contrastive_warmup)
        return 0;
    return s->ema_start + (s->ema_end - s->ema_start) * (double)step / (double)s->steps;
}
