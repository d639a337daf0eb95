/* sj-predict: the embedding of the stem that a mix lacks.
 *   embed/1 -> sj-predict (model.h5) -> embed/1, or embeddings.h5 */
#include <stdlib.h>
#include <string.h>

#include "inference.h"
#include "model.h"
#include "tool.h"

static struct sj_inference_settings settings;
static const char *class_name = "record", *condition;

static const struct sj_option options[] = {
    {SJ_GROUP, 0, NULL, &settings, 0, NULL, NULL, 0, 0, NULL, NULL, 0, sj_inference_options},
    {SJ_TEXT, 0, "class", &class_name, 0, "NAME", "the class to predict, \"all\", or \"record\" for the one that each "
     "record says", 0, 0, NULL, NULL, 1, NULL},
    {SJ_FILE, 0, "condition", &condition, 0, "FILE", "vectors of classes, of which --class names one", 0, 0, NULL, NULL,
     0, NULL},
    {.type = SJ_OPTION_NONE},
};

struct state {
    struct sj_inference *inference;
    int classes, first; /* predicts the classes first, first + 1, ... of each record; SJ_CLASS_NONE: the record's */
    int known;          /* classes of the model; one more may have been added, which records cannot name */
    int32_t *class;     /* (batch) */
};

static int choose_classes(struct state *s)
{
    const struct sj_config *c = &sj_inference_model(s->inference)->config;
    s->classes = 1;
    s->first = SJ_CLASS_NONE;
    s->known = (int)c->classes;
    if (condition)
        return sj_inference_ask(s->inference, condition, class_name, &s->first);
    if (!strcmp(class_name, "all")) {
        s->first = 0;
        s->classes = (int)c->classes;
    } else if (strcmp(class_name, "record")) {
        s->first = sj_config_class(c, class_name);
        if (s->first == SJ_CLASS_NONE) {
            char list[512] = "";
            for (int64_t i = 0; i < c->classes; i++)
                snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", c->class_name[i]);
            return sj_fail(SJ_USAGE, "--class is '%s', but '%s' knows %s", class_name, sj_inference_path(s->inference),
                           list);
        }
    }
    return SJ_OK;
}

static int class_of(const struct state *s, const struct sj_record *r, int i)
{
    return s->first == SJ_CLASS_NONE ? r->class : s->first + i;
}

static int want_text(const struct sj_run *run, const struct sj_head *in, const char *param, const char *wanted,
                     const char *why)
{
    const char *has = sj_json_get_text(in->params, param);
    if (has && !strcmp(has, wanted))
        return SJ_OK;
    return sj_fail(SJ_INPUT, "'%s' has %s '%s' where '%s' is wanted: %s", run->in_name, param, has ? has : "(none)",
                   wanted, why);
}

/* What the predictor was trained on: tokens of the last layer of this model's context encoder. */
static int want_tokens(const struct sj_run *run, const struct sj_head *in, const struct sj_model *m)
{
    int64_t layer = 0;
    int status = want_text(run, in, "pool", "token", "use sj-embed --pool token");
    if (!status)
        status = want_text(run, in, "model_id", m->id, "the predictor belongs to another model");
    if (!status)
        status = want_text(run, in, "network", "context", "the predictor was trained on the context encoder");
    if (!status)
        status = sj_head_int(in, "layer", &layer);
    if (!status && layer != m->config.depth)
        status = sj_fail(SJ_INPUT, "'%s' holds layer %lld where the last, %lld, is wanted", run->in_name,
                         (long long)layer, (long long)m->config.depth);
    return status;
}

static int predict(void *arg, struct sj_net *net, int64_t n, const struct sj_record *const *record, const float *z,
                   int i, float *y)
{
    const struct state *s = arg;
    for (int64_t b = 0; b < n; b++)
        s->class[b] = class_of(s, record[b], i);
    return sj_net_predict(net, n, record[0]->dims[1], z, s->class, y);
}

static void label(void *arg, int i, struct sj_record *like)
{
    like->role = SJ_ROLE_PREDICTION;
    int class = class_of(arg, like, i);
    like->class = class < ((const struct state *)arg)->known ? class : SJ_CLASS_NONE;
}

static int describe(const struct state *s, struct sj_head *out)
{
    const struct sj_config *c = &sj_inference_model(s->inference)->config;
    const char *names[SJ_CLASSES];
    for (int n = 0; n < s->known; n++)
        names[n] = c->class_name[n];
    sj_inference_head(s->inference, out);
    return sj_head_set_classes(out, s->known, names);
}

static int begin(struct sj_run *run, const struct sj_head *in, struct sj_head *out)
{
    struct state *s = run->state = calloc(1, sizeof *s);
    int status = s ? sj_inference_open(run, in, &settings, &s->inference) : sj_fail(SJ_SYSTEM, "no memory");
    if (status)
        return status;
    const struct sj_model *m = sj_inference_model(s->inference);
    if ((status = choose_classes(s)) || (status = want_tokens(run, in, m)))
        return status;
    const struct sj_inference_job job = {
        .net = {.predictor = 1},
        .batches = 1,
        .floats = m->config.frequencies * m->config.times * m->config.dim,
        .unit = 1,
        .results = s->classes,
        .compute = predict,
        .label = label,
        .arg = s,
    };
    if ((status = sj_inference_start(s->inference, run, &job)))
        return status;
    int64_t batch = sj_inference_batch(s->inference);
    if (!(s->class = malloc((size_t)batch * sizeof *s->class)))
        return sj_fail(SJ_SYSTEM, "no memory for a batch of %lld", (long long)batch);
    return describe(s, out);
}

static int record(struct sj_run *run, const struct sj_record *r)
{
    const struct state *s = run->state;
    const struct sj_config *c = &sj_inference_model(s->inference)->config;
    if (r->rank != 3 || r->dims[0] != c->frequencies || r->dims[1] < 1 || r->dims[1] > c->times || r->dims[2] != c->dim)
        return sj_fail(SJ_INPUT, "'%s': '%s' does not hold tokens of this model", run->in_name, r->key);
    if (s->first == SJ_CLASS_NONE && r->class == SJ_CLASS_NONE && c->predictor != SJ_PREDICTOR_MLP_NONE)
        return sj_fail(SJ_INPUT, "'%s': '%s' says no class to predict: use --class", run->in_name, r->key);
    return sj_inference_put(s->inference, run, r);
}

static int end(struct sj_run *run)
{
    const struct state *s = run->state;
    return sj_inference_end(s->inference, run);
}

static void cleanup(struct sj_run *run)
{
    struct state *s = run->state;
    if (!s)
        return;
    sj_inference_free(s->inference);
    free(s->class);
    free(s);
}

static int check(struct sj_run *run)
{
    (void)run;
    if (condition && (!strcmp(class_name, "all") || !strcmp(class_name, "record")))
        return sj_fail(SJ_USAGE, "--condition wants the --class of FILE to predict");
    return SJ_OK;
}

static const struct sj_tool tool = {
    .name = "sj-predict",
    .summary = "the embedding of the stem that a mix lacks",
    .operands = "[FILE...]",
    .details = "Reads embed/1 tokens of mixes (sj-embed --pool token), writes embed/1 predictions for a class.\n"
               "With -o NAME.h5 the predictions go into an HDF5 file.",
    .options = options,
    .common = SJ_TAKES_OUTPUT | SJ_TAKES_THREADS | SJ_TAKES_BACKEND,
    .max_operands = -1,
    .kind = "embed/1",
    .check = check,
    .begin = begin,
    .record = record,
    .end = end,
    .cleanup = cleanup,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
