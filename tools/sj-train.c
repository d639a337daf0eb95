/* sj-train: learns a model.   dataset.h5... -> sj-train -> model.h5;   mel/1 of pairs -> sj-train -> model.h5 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "augment.h"
#include "condition.h"
#include "h5.h"
#include "sjk.h"
#include "stop.h"
#include "tool.h"
#include "train.h"
#include "train_source.h"
#include "train_valid.h"
#include "whole.h"

enum { SIZE_BASE = 2 };

static const char *const positions_names[] = {"absolute", "rotary", NULL};
static int size = SIZE_BASE, predictor, positions, resume, replace, dry_run;
static int64_t span = 800, dim, depth, heads, hidden = 1024, layers = 6, trf_dim = 512, trf_depth = 8, trf_heads = 16;
static double mean = NAN, std = NAN, checkpoint_s = 600, validate_s;
static int validate_pool;
static const char *const validate_pools[] = {"track", "aligned", NULL};
static const char *condition, *begin, *weight_list, *augment_spec, *checkpoint, *log_path, *validate_path;
static struct sj_augment augment;
static int64_t log_every, validate_every, validate_frames; /* 0: not given, until check */
static struct sj_train_settings settings;

static const struct sj_option options[] = {
    {SJ_CHOICE, 's', "size", &size, 0, "NAME", "of the encoder", 0, 0, sj_size_names, NULL, 1, NULL},
    {SJ_INT, 0, "dim", &dim, 0, "N", "width of the encoder", 4, 16384, NULL, "that of --size", 1, NULL},
    {SJ_INT, 0, "depth", &depth, 0, "N", "its blocks", 1, 256, NULL, "those of --size", 1, NULL},
    {SJ_INT, 0, "heads", &heads, 0, "N", "its attention heads", 1, 1024, NULL, "those of --size", 1, NULL},
    {SJ_CHOICE, 0, "predictor", &predictor, 0, "NAME", "kind of predictor", 0, 0, sj_predictor_names, NULL, 1, NULL},
    {SJ_FILE, 0, "condition", &condition, 0, "FILE", "vectors that say the classes, instead of a learnt table", 0, 0,
     NULL, NULL, 0, NULL},
    {SJ_CHOICE, 0, "positions", &positions, 0, "KIND", "how attention knows the places of patches", 0, 0,
     positions_names, NULL, 1, NULL},
    {SJ_INT, 0, "span", &span, 0, "N", "10 ms frames that it embeds at a time, a multiple of 16", 16, 65536, NULL, NULL, 1,
     NULL},
    {SJ_INT, 0, "hidden", &hidden, 0, "N", "mlp: width of the hidden layers", 1, 65536, NULL, NULL, 1, NULL},
    {SJ_INT, 0, "layers", &layers, 0, "N", "mlp: linear layers", 2, 64, NULL, NULL, 1, NULL},
    {SJ_INT, 0, "trf-dim", &trf_dim, 0, "N", "transformer: width", 4, 16384, NULL, NULL, 1, NULL},
    {SJ_INT, 0, "trf-depth", &trf_depth, 0, "N", "transformer: blocks", 1, 256, NULL, NULL, 1, NULL},
    {SJ_INT, 0, "trf-heads", &trf_heads, 0, "N", "transformer: attention heads", 1, 1024, NULL, NULL, 1, NULL},
    {SJ_FILE, 0, "init", &begin, 0, "FILE", "a model to begin with", 0, 0, NULL, "random weights", 0, NULL},
    {SJ_GROUP, 0, NULL, &settings, 0, NULL, NULL, 0, 0, NULL, NULL, 0, sj_train_options},
    {SJ_TEXT, 0, "weights", &weight_list, 0, "W,W...", "how often each data set is drawn", 0, 0, NULL,
     "all tracks alike", 1, NULL},
    {SJ_TEXT, 0, "augment", &augment_spec, 0, "NAME[=X],...", "what is changed at random in pairs, and how much", 0, 0,
     NULL, "nothing", 1, NULL},
    {SJ_REAL, 0, "mean", &mean, 0, "X", "of the mel normalisation, as in sj-mel", -1e6, 1e6, NULL,
     "-9.453, or that of the stream", 1, NULL},
    {SJ_REAL, 0, "std", &std, 0, "X", "the same", 1e-6, 1e6, NULL, "3.569, or that of the stream", 1, NULL},
    {SJ_TEXT, 0, "checkpoint", &checkpoint, 0, "FILE", "where to save the state of the training", 0, 0, NULL,
     "the output's name and '.checkpoint'", 0, NULL},
    {SJ_REAL, 0, "checkpoint-every", &checkpoint_s, 0, "SECONDS", "between checkpoints; 0: one after every step", 0,
     1e9, NULL, NULL, 0, NULL},
    {SJ_FLAG, 0, "resume", &resume, 0, NULL, "continue from the checkpoint, if there is one", 0, 0, NULL, NULL, 0,
     NULL},
    {SJ_FLAG, 0, "replace", &replace, 0, NULL, "with --resume: train anew in place of a finished model", 0, 0, NULL,
     NULL, 0, NULL},
    {SJ_FLAG, 0, "dry-run", &dry_run, 0, NULL, "only see whether the training can begin", 0, 0, NULL, NULL, 0, NULL},
    {SJ_TEXT, 0, "log", &log_path, 0, "FILE", "append one JSON object per interval; '-' is standard output", 0, 0, NULL,
     NULL, 0, NULL},
    {SJ_INT, 0, "log-every", &log_every, 0, "N", "steps of an interval", 1, 1e12, NULL, "10", 0, NULL},
    {SJ_TEXT, 0, "validate", &validate_path, 0, "FILE", "data set on whose tracks retrieval is measured", 0, 0, NULL,
     NULL, 0, NULL},
    {SJ_INT, 0, "validate-every", &validate_every, 0, "N", "steps between", 1, 1e12, NULL, "1000", 0, NULL},
    {SJ_REAL, 0, "validate-seconds", &validate_s, 0, "SECONDS", "used of each of its tracks", 0.1, 1e6, NULL, "16", 0,
     NULL},
    {SJ_INT, 0, "validate-frames", &validate_frames, 0, "N", "10 ms frames of the chunks they are cut into", 1, 1e6, NULL,
     "those of --span", 0, NULL},
    {SJ_CHOICE, 0, "validate-pool", &validate_pool, 0, "HOW", "what is compared, as --pool of sj-embed", 0, 0,
     validate_pools, NULL, 0, NULL},
    {.type = SJ_OPTION_NONE},
};

struct state {
    struct sjk *k;
    struct sj_config config;
    struct sj_condition condition;
    struct sj_train_inputs inputs;
    struct sj_train_source *source;
    char *data; /* what tells the data from others */
    char *checkpoint; /* its path */
    struct sj_model *model;
    struct sj_feed *feed;
    struct sj_validation *validation;
    FILE *log;
    int64_t start;
    int finished; /* by an earlier run: nothing is left to do */
};

/* -- the start ----------------------------------------------------------------------------------------------------- */

static int configure(const struct sj_condition *vectors, struct sj_config *c)
{
    *c = sj_config_defaults();
    sj_config_size(c, size);
    c->dim = dim ? dim : c->dim;
    c->depth = depth ? depth : c->depth;
    c->heads = heads ? heads : c->heads;
    c->predictor = (enum sj_predictor)predictor;
    c->hidden = hidden;
    c->layers = layers;
    c->trf_dim = trf_dim;
    c->trf_depth = trf_depth;
    c->trf_heads = trf_heads;
    c->rotary = positions;
    if (span % c->patch)
        return sj_fail(SJ_USAGE, "--span is %lld, must be a multiple of %lld", (long long)span, (long long)c->patch);
    c->times = span / c->patch;
    c->condition = vectors->width;
    return sj_config_check(c);
}

/* How the model comes about, as JSON text of the caller; NULL: no memory. */
static char *training_text(const struct sj_run *run, const struct state *s)
{
    char *text = NULL;
    sj_json *how = sj_json_object();
    sj_json_set(how, "tool", sj_json_string(run->tool->name));
    sj_json_set(how, "version", sj_json_string(SJ_VERSION));
    sj_json_set(how, "settings", sj_train_to_json(&settings, (uint64_t)run->seed));
    sj_json_set(how, "data", sj_json_string(s->data));
    if (sj_json_text(how, &text))
        text = NULL;
    sj_json_free(how);
    return text;
}

/* What is at the output: the model that this very training leaves, one of the same settings from other data, which
 * makes room, or one that is not replaced unasked. */
static int look_at_output(const struct sj_run *run, struct state *s)
{
    if (replace || access(run->output, F_OK))
        return SJ_OK;
    char *ours = training_text(run, s);
    int status = ours ? sj_train_finished(run->output, &s->config, ours, &s->finished)
                      : sj_fail(SJ_SYSTEM, "no memory");
    free(ours);
    if (status != SJ_USAGE && status != SJ_INPUT)
        return status;
    char *why = strdup(sj_reason());
    status = why ? sj_fail(status, "%s: --replace trains anew in its place", why) : sj_fail(SJ_SYSTEM, "no memory");
    free(why);
    return status;
}

static int find_checkpoint(struct sj_run *run, struct state *s)
{
    if (asprintf(&s->checkpoint, "%s%s", checkpoint ? checkpoint : run->output, checkpoint ? "" : ".checkpoint") < 0)
        s->checkpoint = NULL;
    if (!s->checkpoint)
        return sj_fail(SJ_SYSTEM, "no memory");
    int there = !access(s->checkpoint, F_OK);
    if (there && !resume)
        return sj_fail(SJ_USAGE, "'%s' exists: --resume continues from it, removing it starts anew", s->checkpoint);
    int status = resume && !there ? look_at_output(run, s) : SJ_OK;
    if (status)
        return status;
    if (s->finished)
        sj_note(run, "'%s' is finished: %lld steps of this training", run->output, (long long)settings.steps);
    else if (resume && !there && (checkpoint || !access(run->output, F_OK))) /* where one may think otherwise */
        sj_note(run, "no '%s': starts from the beginning", s->checkpoint);
    if (!there)
        return SJ_OK;
    status = sj_train_resume(s->checkpoint, &s->config, &settings, (uint64_t)run->seed,
                                 s->data, &s->start);
    if (!status)
        sj_note(run, "continues after step %lld", (long long)s->start);
    return status;
}

/* Whether a file can be made there, found out before the training and not after it; what a training that was killed
 * left there goes. */
static int try_path(const char *path)
{
    struct sj_whole *w;
    int status = sj_whole_new(path, &w);
    if (!status) {
        sj_whole_tidy(path);
        sj_whole_discard(w);
    }
    return status;
}

static int open_log(struct state *s)
{
    if (!log_path)
        return SJ_OK;
    s->log = strcmp(log_path, "-") ? fopen(log_path, "a") : stdout;
    return s->log ? SJ_OK : sj_fail_errno("cannot write '%s'", log_path);
}

/* The model to start from, and what tells its data from others: the weights and classes' vectors it starts with are part
 * of them. */
static int first_model(const struct sj_run *run, struct state *s)
{
    const char *text = sj_train_source_text(s->source);
    char vectors[32] = "", weights[32] = "", id[17];
    uint32_t crc;
    int status = sj_model_new(&s->config, (uint64_t)run->seed, &s->model);
    if (!status && condition && !(status = sj_condition_train(&s->condition, s->model, &crc)))
        snprintf(vectors, sizeof vectors, ", vectors %08x", crc);
    if (!status && begin && !(status = sj_train_begin(begin, s->model, id)))
        snprintf(weights, sizeof weights, ", weights %s", id);
    if (status)
        return status;
    if (asprintf(&s->data, "%s%s%s", text, vectors, weights) < 0)
        s->data = NULL;
    return s->data ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
}

static int start(struct sj_run *run, struct state *s)
{
    int status = condition ? sj_condition_read(condition, &s->condition) : SJ_OK;
    if (!status)
        status = configure(&s->condition, &s->config);
    if (status || (status = try_path(run->output)) || (status = sj_run_backend(run, &s->k)))
        return status;
    settings.precision = sj_precision_type(s->k, (enum sj_precision)settings.precision) == SJK_BF16 ? SJ_PRECISION_BF16
                                                                                                    : SJ_PRECISION_F32;
    s->inputs = (struct sj_train_inputs){run->n, run->operand, weight_list, augment_spec ? &augment : NULL, mean, std,
                                         (uint64_t)run->seed};
    if ((status = sj_train_source_open(&s->inputs, &s->config, &settings, &s->source)) ||
        (status = sj_train_check(&settings)) || (status = first_model(run, s)) ||
        (status = find_checkpoint(run, s)) || s->finished || dry_run || (status = try_path(s->checkpoint)) ||
        (status = open_log(s)))
        return status;
    if (validate_path)
        status = sj_validation_new(s->k, &s->config, validate_path,
                                   &(struct sj_validation_settings){validate_s, validate_frames,
                                                                    validate_pool ? SJ_POOL_ALIGNED : SJ_POOL_TRACK,
                                                                    (enum sj_precision)settings.precision},
                                   &s->validation);
    return status ? status
                  : sj_train_source_feed(s->source, s->k, &s->config, &settings, run->threads, s->start, &s->feed);
}

/* -- the program --------------------------------------------------------------------------------------------------- */

static void say(void *run, const char *text)
{
    sj_note(run, "%s", text);
}

/* Writes the model, with how it came about. */
static int finish(struct sj_run *run, struct state *s)
{
    s->model->training = training_text(run, s);
    int status = s->model->training ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    if (!status)
        status = sj_model_write(run->output, s->model);
    if (!status)
        unlink(s->checkpoint);
    return status;
}

static int train(struct sj_run *run, struct state *s)
{
    struct sj_train t = {
        .k = s->k,
        .model = s->model,
        .settings = &settings,
        .seed = (uint64_t)run->seed,
        .feed = s->feed,
        .data = s->data,
        .start = s->start,
        .checkpoint = s->checkpoint,
        .checkpoint_s = checkpoint_s,
        .log = s->log,
        .log_every = log_every,
        .validation = s->validation,
        .validate_every = validate_every,
        .progress = run->progress,
        .stop = sj_stop_catch(),
        .note = say,
        .note_arg = run,
    };
    int status = sj_train_run(&t);
    if (!status)
        return finish(run, s);
    if (status == SJ_NO && *t.stop) {
        sj_note(run, "%s; --resume continues", sj_reason());
        sj_stop_end();
    }
    return status;
}

/* Options that would do nothing are refused; the others get their defaults. */
static int check_given(void)
{
    if (replace && !resume)
        return sj_fail(SJ_USAGE, "--replace goes with --resume: without it a model is replaced");
    if (!log_path && log_every)
        return sj_fail(SJ_USAGE, "--log-every goes with --log");
    const char *idle = validate_every ? "every" : validate_s > 0 ? "seconds" : validate_frames ? "frames" : "pool";
    if (!validate_path && (validate_every || validate_s > 0 || validate_frames || validate_pool))
        return sj_fail(SJ_USAGE, "--validate-%s goes with --validate", idle);
    log_every = log_every ? log_every : 10;
    validate_every = validate_every ? validate_every : 1000;
    validate_s = validate_s > 0 ? validate_s : 16;
    validate_frames = validate_frames ? validate_frames : span;
    return SJ_OK;
}

/* No file is written twice, or over what is read, and models and checkpoints go where HDF5 can be. */
static int check(struct sj_run *run)
{
    if (!run->output || !strcmp(run->output, "-"))
        return sj_fail(SJ_USAGE, "-o FILE is wanted: where the model goes");
    if (sj_h5_want_file(run->output) || (checkpoint && sj_h5_want_file(checkpoint)))
        return SJ_USAGE;
    if (check_given() || (augment_spec && sj_augment_parse(augment_spec, &augment)))
        return SJ_USAGE;
    const char *written[] = {run->output, checkpoint, log_path};
    for (int i = 0; i < 3; i++) {
        int status = sj_whole_apart(written[i], validate_path);
        if (!status)
            status = sj_whole_apart(written[i], condition);
        if (!status)
            status = sj_whole_apart(written[i], begin);
        for (int j = 0; j < i && !status; j++)
            status = sj_whole_apart(written[i], written[j]);
        for (int j = 0; j < run->n && !status; j++)
            status = sj_whole_apart(written[i], run->operand[j]);
        if (status)
            return status;
    }
    return SJ_OK;
}

static int work(struct sj_run *run)
{
    struct state s = {0};
    int status = start(run, &s);
    if (!status && !s.finished && !dry_run)
        status = train(run, &s);
    if (s.log && s.log != stdout && fclose(s.log) && !status)
        status = sj_fail_errno("cannot write '%s'", log_path);
    sj_feed_free(s.feed);
    sj_validation_free(s.validation);
    sj_model_free(s.model);
    sj_train_source_close(s.source);
    sjk_close(s.k);
    sj_condition_free(&s.condition);
    free(s.checkpoint);
    free(s.data);
    return status;
}

static const struct sj_tool tool = {
    .name = "sj-train",
    .summary = "learns a model",
    .operands = "[FILE...]",
    .details =
        "Learns from the data sets (HDF5) or from the streams of training pairs named, or from a stream on standard\n"
        "input, and writes the model to the FILE of -o. SIGINT and SIGTERM save a checkpoint first.",
    .options = options,
    .common =
        SJ_TAKES_OUTPUT | SJ_WANTS_OUTPUT | SJ_TAKES_THREADS | SJ_TAKES_BACKEND | SJ_TAKES_SEED | SJ_TAKES_PROGRESS,
    .max_operands = -1,
    .check = check,
    .run = work,
};

int main(int argc, char **argv)
{
    settings = sj_train_defaults();
    return sj_tool_main(&tool, argc, argv);
}
