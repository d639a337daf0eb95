/* sj-embed: embeddings of spectrograms.   mel/1 -> sj-embed (model.h5) -> embed/1, or embeddings.h5 */
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

static const char *model_path;
static int pooling = SJ_POOL_TOKEN, network = SJ_NETWORK_CONTEXT, precision = SJ_PRECISION_AUTO;
static int64_t layer, batch = 8;

static const struct sj_option options[] = {
    {SJ_TEXT, 'm', "model", &model_path, 0, "FILE", "the model", 0, 0, NULL, "$SJ_MODEL, then the installed one", 0, NULL},
    {SJ_CHOICE, 0, "pool", &pooling, 0, "HOW", "what to write", 0, 0, sj_pool_names, NULL, 1, NULL},
    {SJ_CHOICE, 0, "network", &network, 0, "WHICH", "the encoder that is trained, or its moving average", 0, 0, sj_network_names, NULL,
     1, NULL},
    {SJ_INT, 0, "layer", &layer, 0, "N", "the output of block N; 0 is the last", 0, 1000, NULL, NULL, 1, NULL},
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
    struct sj_pooler *pooler;
    unsigned char *taken; /* (window) */
    int64_t *index;       /* (batch) */
    float *mel;           /* (batch, bands, frames) */
    float *z;             /* (window, F, P, D), each record at its place */
    int64_t room, bands, frames, chunk;
};

/* A window of several batches, so that the short last chunks of tracks find others of their length. */
enum { BATCHES = 4 };

static int allocate(struct state *s)
{
    const struct sj_config *c = &s->model->config;
    s->bands = c->mel.bands;
    s->frames = c->times * c->patch;
    s->chunk = c->frequencies * c->times * c->dim;
    s->room = BATCHES * batch;
    s->taken = malloc((size_t)s->room);
    s->index = malloc((size_t)batch * sizeof *s->index);
    s->mel = malloc((size_t)(batch * s->bands * s->frames) * sizeof *s->mel);
    s->z = malloc((size_t)(s->room * s->chunk + batch * s->chunk) * sizeof *s->z);
    if (!s->taken || !s->index || !s->mel || !s->z)
        return sj_fail(SJ_SYSTEM, "no memory for a batch of %lld", (long long)batch);
    return SJ_OK;
}

static int want_front_end(const struct sj_run *run, const struct sj_head *in, const struct sj_config *c)
{
    struct sj_mel_settings s;
    int status = sj_mel_from_params(in->params, &s);
    if (status)
        return sj_fail_at(status, "'%s'", run->in_name);
    sj_json *a = sj_json_object(), *b = sj_json_object();
    sj_mel_to_params(&s, a);
    sj_mel_to_params(&c->mel, b);
    if (!sj_json_equal(a, b))
        status = sj_fail(SJ_INPUT, "'%s' has mel settings other than the model's (mean %g std %g, where the model has %g %g)", run->in_name,
                         s.mean, s.std, c->mel.mean, c->mel.std);
    sj_json_free(a);
    sj_json_free(b);
    return status;
}

static void describe(struct sj_head *out, const struct sj_model *m)
{
    sj_head_kind(out, "embed/1", sj_pool_dims((enum sj_pool)pooling), SJ_F32);
    sj_json_set(out->params, "model_id", sj_json_string(m->id));
    sj_json_set(out->params, "pool", sj_json_string(sj_pool_names[pooling]));
    sj_json_set(out->params, "network", sj_json_string(sj_network_names[network]));
    sj_json_set(out->params, "layer", sj_json_int(layer ? layer : m->config.depth));
    sj_json_set(out->params, "dim", sj_json_int(m->config.dim));
    sj_json_set(out->params, "frequencies", sj_json_int(m->config.frequencies));
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
    const struct sj_config *c = &s->model->config;
    if (in->rank != 2)
        return sj_fail(SJ_INPUT, "'%s' carries pairs, which are for training; chunks are wanted", run->in_name);
    if (layer > c->depth)
        return sj_fail(SJ_USAGE, "--layer is %lld, but '%s' has %lld blocks", (long long)layer, path, (long long)c->depth);
    if ((status = sj_model_want_classes(c, path, in->classes, in->class_name, run->in_name)) ||
        (status = want_front_end(run, in, c)) || (status = sj_run_backend(run, &s->k)) || (status = allocate(s)))
        return status;
    const struct sj_net_options o = {.network = (enum sj_network)network, .encoder = 1,
                                     .precision = (enum sj_precision)precision, .batch = batch};
    if ((status = sj_net_new(s->k, s->model, &o, &s->net)) ||
        (status = sj_window_new(s->room, s->bands * s->frames, &s->window)) ||
        (status = sj_pooler_new((enum sj_pool)pooling, c->frequencies, c->dim, &s->pooler)))
        return status;
    describe(out, s->model);
    return SJ_OK;
}

/* Encodes the n records index[] of equal length, each result at its record's place in z. */
static int encode(struct state *s, int64_t n)
{
    const struct sj_config *c = &s->model->config;
    int64_t T = sj_window_at(s->window, s->index[0])->dims[1], floats = s->bands * T;
    int64_t out = c->frequencies * (T / c->patch) * c->dim;
    float *z = s->z + s->room * s->chunk; /* the batch's own place */
    for (int64_t i = 0; i < n; i++)
        memcpy(s->mel + i * floats, sj_window_at(s->window, s->index[i])->data, (size_t)floats * sizeof *s->mel);
    int status = sj_net_encode(s->net, n, T, s->mel, (int)layer, z);
    for (int64_t i = 0; i < n && !status; i++)
        memcpy(s->z + s->index[i] * s->chunk, z + i * out, (size_t)out * sizeof *z);
    return status;
}

static int flush(struct sj_run *run)
{
    struct state *s = run->state;
    int64_t count = sj_window_count(s->window), n;
    int status = SJ_OK;
    memset(s->taken, 0, (size_t)s->room);
    while (!status && (n = sj_window_alike(s->window, 1, batch, s->taken, s->index)))
        status = encode(s, n);
    for (int64_t i = 0; i < count && !status; i++) {
        const struct sj_record *r = sj_window_at(s->window, i);
        status = sj_pooler_put(s->pooler, r, r->dims[1] / s->model->config.patch, s->z + i * s->chunk, run->out);
    }
    sj_window_clear(s->window);
    return status;
}

static int record(struct sj_run *run, const struct sj_record *r)
{
    struct state *s = run->state;
    int64_t patch = s->model->config.patch;
    if (r->dims[0] != s->bands || r->dims[1] < patch || r->dims[1] % patch || r->dims[1] > s->frames)
        return sj_fail(SJ_INPUT, "'%s': '%s' has %lld bands and %lld frames, wanted %lld bands and whole patches of %lld frames up to %lld",
                       run->in_name, r->key, (long long)r->dims[0], (long long)r->dims[1], (long long)s->bands, (long long)patch,
                       (long long)s->frames);
    int status = sj_window_add(s->window, r);
    return status ? status : sj_window_full(s->window) ? flush(run) : SJ_OK;
}

static int end(struct sj_run *run)
{
    struct state *s = run->state;
    int status = flush(run);
    return status ? status : sj_pooler_end(s->pooler);
}

static void cleanup(struct sj_run *run)
{
    struct state *s = run->state;
    if (!s)
        return;
    sj_pooler_free(s->pooler);
    sj_window_free(s->window);
    sj_net_free(s->net);
    sjk_close(s->k);
    sj_model_free(s->model);
    free(s->taken);
    free(s->index);
    free(s->mel);
    free(s->z);
    free(s);
}

static const struct sj_tool tool = {
    .name = "sj-embed",
    .summary = "embeddings of spectrograms",
    .operands = "[FILE...]",
    .details = "Reads mel/1, writes embed/1: of each chunk its tokens or its frames, or of each track one vector.\n"
               "With -o NAME.h5 the embeddings go into an HDF5 file.",
    .options = options,
    .common = SJ_TAKES_OUTPUT | SJ_TAKES_THREADS | SJ_TAKES_BACKEND,
    .max_operands = -1,
    .kind = "mel/1",
    .begin = begin,
    .record = record,
    .end = end,
    .cleanup = cleanup,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
