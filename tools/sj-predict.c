/* sj-predict: the embedding of the stem that a mix lacks.   embed/1 -> sj-predict (model.h5) -> embed/1, or embeddings.h5 */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "net.h"
#include "output.h"
#include "pool.h"
#include "sjk.h"
#include "tool.h"
#include "whole.h"
#include "window.h"

static const char *model_path, *class_name = "record";
static int pooling = SJ_POOL_TOKEN, precision = SJ_PRECISION_AUTO;
static int64_t batch = 8;

static const struct sj_option options[] = {
    {SJ_TEXT, 'm', "model", &model_path, 0, "FILE", "the model", 0, 0, NULL, "$SJ_MODEL, then the installed one", 0, NULL},
    {SJ_TEXT, 0, "class", &class_name, 0, "NAME", "the class to predict, \"all\", or \"record\" for the one that each record says", 0, 0,
     NULL, NULL, 1, NULL},
    {SJ_CHOICE, 0, "pool", &pooling, 0, "HOW", "what to write", 0, 0, sj_pool_names, NULL, 1, NULL},
    {SJ_CHOICE, 0, "precision", &precision, 0, "TYPE", "of matrix products; auto is bf16 where the hardware has it", 0, 0,
     sj_precision_names, NULL, 1, NULL},
    {SJ_INT, 'b', "batch", &batch, 0, "N", "chunks computed together", 1, 4096, NULL, NULL, 0, NULL},
    {.type = SJ_OPTION_NONE},
};

struct state {
    struct sjk *k;
    struct sj_model *model;
    struct sj_net *net;
    struct sj_window *window;
    struct sj_pooler **pooler; /* one for each class that is predicted of a record */
    int poolers, first;        /* `first`: the class of pooler[0], or SJ_CLASS_NONE: the record's */
    int32_t *class;            /* (batch) */
    unsigned char *taken;      /* (batch) */
    int64_t *index;            /* (batch) */
    float *z, *y;              /* (batch, F, P, D) each; y once for every pooler and once more for a batch's result */
    int64_t chunk;
};

/* Which classes: pooler i predicts class first + i, or the record's when first is SJ_CLASS_NONE. */
static int choose_classes(struct state *s, const char *path)
{
    const struct sj_config *c = &s->model->config;
    s->poolers = 1;
    s->first = SJ_CLASS_NONE;
    if (!strcmp(class_name, "all")) {
        s->first = 0;
        s->poolers = (int)c->classes;
    } else if (strcmp(class_name, "record")) {
        s->first = sj_config_class(c, class_name);
        if (s->first == SJ_CLASS_NONE) {
            char list[512] = "";
            for (int64_t i = 0; i < c->classes; i++)
                snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", c->class_name[i]);
            return sj_fail(SJ_USAGE, "--class is '%s', but '%s' knows %s", class_name, path, list);
        }
    }
    return SJ_OK;
}

static int allocate(struct state *s)
{
    const struct sj_config *c = &s->model->config;
    s->chunk = c->frequencies * c->times * c->dim;
    s->pooler = calloc((size_t)s->poolers, sizeof(struct sj_pooler *));
    s->class = malloc((size_t)batch * sizeof *s->class);
    s->taken = malloc((size_t)batch);
    s->index = malloc((size_t)batch * sizeof *s->index);
    s->z = malloc((size_t)(batch * s->chunk) * sizeof *s->z);
    s->y = malloc((size_t)(batch * s->chunk * (s->poolers + 1)) * sizeof *s->y);
    if (!s->pooler || !s->class || !s->taken || !s->index || !s->z || !s->y)
        return sj_fail(SJ_SYSTEM, "no memory for a batch of %lld", (long long)batch);
    int status = SJ_OK;
    for (int i = 0; i < s->poolers && !status; i++)
        status = sj_pooler_new((enum sj_pool)pooling, c->frequencies, c->dim, &s->pooler[i]);
    return status;
}

static int want_text(const struct sj_run *run, const struct sj_head *in, const char *param, const char *wanted, const char *why)
{
    const char *has = sj_json_get_text(in->params, param);
    if (has && !strcmp(has, wanted))
        return SJ_OK;
    return sj_fail(SJ_INPUT, "'%s' has %s '%s' where '%s' is wanted: %s", run->in_name, param, has ? has : "(none)", wanted, why);
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
        status = sj_fail(SJ_INPUT, "'%s' holds layer %lld where the last, %lld, is wanted", run->in_name, (long long)layer,
                         (long long)m->config.depth);
    return status;
}

static int describe(struct sj_head *out, const struct sj_model *m)
{
    const char *names[SJ_CLASSES];
    for (int64_t i = 0; i < m->config.classes; i++)
        names[i] = m->config.class_name[i];
    sj_head_kind(out, "embed/1", sj_pool_dims((enum sj_pool)pooling), SJ_F32);
    sj_json_set(out->params, "pool", sj_json_string(sj_pool_names[pooling]));
    return sj_head_set_classes(out, (int)m->config.classes, names);
}

static int begin(struct sj_run *run, const struct sj_head *in, struct sj_head *out)
{
    struct state *s = run->state = calloc(1, sizeof *s);
    const char *path;
    int status = s ? sj_model_path(model_path, &path) : sj_fail(SJ_SYSTEM, "no memory");
    if (!status)
        status = sj_whole_apart(run->output, path);
    if (status || (status = sj_model_read(path, &s->model)))
        return status;
    if ((status = choose_classes(s, path)) || (status = want_tokens(run, in, s->model)) ||
        (status = sj_model_want_classes(&s->model->config, path, in->classes, in->class_name, run->in_name)) ||
        (status = sj_run_backend(run, &s->k)) || (status = allocate(s)))
        return status;
    const struct sj_net_options o = {.predictor = 1, .precision = (enum sj_precision)precision, .batch = batch};
    if ((status = sj_net_new(s->k, s->model, &o, &s->net)) || (status = sj_window_new(batch, s->chunk, &s->window)))
        return status;
    return describe(out, s->model);
}

/* Predicts class `which` of pooler i for the n records index[], each result at its record's place in y. */
static int predict(struct state *s, int64_t n, int i)
{
    const struct sj_config *c = &s->model->config;
    int64_t P = sj_window_at(s->window, s->index[0])->dims[1], floats = c->frequencies * P * c->dim;
    float *y = s->y + batch * s->chunk * s->poolers;
    for (int64_t b = 0; b < n; b++) {
        const struct sj_record *r = sj_window_at(s->window, s->index[b]);
        memcpy(s->z + b * floats, r->data, (size_t)floats * sizeof *s->z);
        s->class[b] = s->first == SJ_CLASS_NONE ? r->class : s->first + i;
    }
    int status = sj_net_predict(s->net, n, P, s->z, s->class, y);
    for (int64_t b = 0; b < n && !status; b++)
        memcpy(s->y + (s->index[b] * s->poolers + i) * s->chunk, y + b * floats, (size_t)floats * sizeof *y);
    return status;
}

static int emit(struct sj_run *run, int64_t i)
{
    struct state *s = run->state;
    const struct sj_record *r = sj_window_at(s->window, i);
    int status = SJ_OK;
    for (int k = 0; k < s->poolers && !status; k++) {
        struct sj_record like = *r;
        like.role = SJ_ROLE_PREDICTION;
        like.class = s->first == SJ_CLASS_NONE ? r->class : s->first + k;
        status = sj_pooler_put(s->pooler[k], &like, r->dims[1], s->y + (i * s->poolers + k) * s->chunk, run->out);
    }
    return status;
}

static int flush(struct sj_run *run)
{
    struct state *s = run->state;
    int64_t n;
    int status = SJ_OK;
    memset(s->taken, 0, (size_t)batch);
    while (!status && (n = sj_window_alike(s->window, 1, batch, s->taken, s->index)))
        for (int i = 0; i < s->poolers && !status; i++)
            status = predict(s, n, i);
    for (int64_t i = 0; i < sj_window_count(s->window) && !status; i++)
        status = emit(run, i);
    sj_window_clear(s->window);
    return status;
}

static int record(struct sj_run *run, const struct sj_record *r)
{
    struct state *s = run->state;
    const struct sj_config *c = &s->model->config;
    if (r->rank != 3 || r->dims[0] != c->frequencies || r->dims[1] < 1 || r->dims[1] > c->times || r->dims[2] != c->dim)
        return sj_fail(SJ_INPUT, "'%s': '%s' does not hold tokens of this model", run->in_name, r->key);
    if (s->first == SJ_CLASS_NONE && r->class == SJ_CLASS_NONE && c->predictor != SJ_PREDICTOR_MLP_NONE)
        return sj_fail(SJ_INPUT, "'%s': '%s' says no class to predict: use --class", run->in_name, r->key);
    int status = sj_window_add(s->window, r);
    return status ? status : sj_window_full(s->window) ? flush(run) : SJ_OK;
}

static int end(struct sj_run *run)
{
    struct state *s = run->state;
    int status = flush(run);
    for (int i = 0; i < s->poolers && !status; i++)
        status = sj_pooler_end(s->pooler[i]);
    return status;
}

static void cleanup(struct sj_run *run)
{
    struct state *s = run->state;
    if (!s)
        return;
    for (int i = 0; s->pooler && i < s->poolers; i++)
        sj_pooler_free(s->pooler[i]);
    free(s->pooler);
    sj_window_free(s->window);
    sj_net_free(s->net);
    sjk_close(s->k);
    sj_model_free(s->model);
    free(s->class);
    free(s->taken);
    free(s->index);
    free(s->z);
    free(s->y);
    free(s);
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
    .begin = begin,
    .record = record,
    .end = end,
    .cleanup = cleanup,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
