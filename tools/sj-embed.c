/* sj-embed: embeddings of spectrograms.   mel/1 -> sj-embed (model.h5) -> embed/1, or embeddings.h5 */
#include <stdlib.h>
#include <string.h>

#include "inference.h"
#include "model.h"
#include "tool.h"

static struct sj_inference_settings settings;
static int network = SJ_NETWORK_CONTEXT;
static int64_t layer;

static const struct sj_option options[] = {
    {SJ_GROUP, 0, NULL, &settings, 0, NULL, NULL, 0, 0, NULL, NULL, 0, sj_inference_options},
    {SJ_CHOICE, 0, "network", &network, 0, "WHICH", "the encoder that is trained, or its moving average", 0, 0,
     sj_network_names, NULL, 1, NULL},
    {SJ_INT, 0, "layer", &layer, 0, "N", "the output of block N; 0 is the last", 0, 1000, NULL, NULL, 1, NULL},
    {.type = SJ_OPTION_NONE},
};

/* A window of several batches, so that the short last chunks of tracks find others of their length. */
enum { BATCHES = 4 };

struct front_end {
    const char *name; /* of the input */
    const sj_json *own; /* of the model */
};

/* SJ_INPUT for the first setting that differs. */
static int same_setting(const char *key, const sj_json *theirs, void *arg)
{
    const struct front_end *f = arg;
    double a = 0, b = 0;
    if (sj_json_equal(theirs, sj_json_get(f->own, key)))
        return SJ_OK;
    sj_json *box = sj_json_object();
    sj_json_set(box, "value", sj_json_keep(theirs));
    sj_json_get_real(box, "value", &a);
    sj_json_get_real(f->own, key, &b);
    sj_json_free(box);
    return sj_fail(SJ_INPUT, "'%s' has other mel settings than the model: its '%s' is %g, not %g", f->name, key, a, b);
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
    status = sj_json_each(a, same_setting, &(struct front_end){run->in_name, b});
    sj_json_free(a);
    sj_json_free(b);
    return status;
}

static int encode(void *arg, struct sj_net *net, int64_t n, const struct sj_record *const *record, const float *mel,
                  int r, float *z)
{
    (void)arg, (void)r;
    return sj_net_encode(net, n, record[0]->dims[1], mel, (int)layer, z);
}

static void describe(const struct sj_inference *i, struct sj_head *out)
{
    const struct sj_model *m = sj_inference_model(i);
    sj_inference_head(i, out);
    sj_json_set(out->params, "model_id", sj_json_string(m->id));
    sj_json_set(out->params, "network", sj_json_string(sj_network_names[network]));
    sj_json_set(out->params, "layer", sj_json_int(layer ? layer : m->config.depth));
    sj_json_set(out->params, "dim", sj_json_int(m->config.dim));
    sj_json_set(out->params, "frequencies", sj_json_int(m->config.frequencies));
}

/* Chunks longer than the model takes at a time are cut into pieces of that length, which are chunks of their own. */
struct work {
    struct sj_inference *i;
    int64_t pieces; /* of a whole chunk */
    size_t value;   /* bytes */
    char *piece;    /* (bands, frames of a piece), of the input's type */
};

static int prepare_pieces(struct work *w, const struct sj_run *run, const struct sj_head *in, struct sj_head *out)
{
    const struct sj_config *c = &sj_inference_model(w->i)->config;
    const int64_t most = c->times * c->patch;
    int64_t frames;
    int status = sj_head_int(in, "chunk_frames", &frames);
    if (status)
        return sj_fail_at(status, "'%s'", run->in_name);
    w->pieces = frames < 1 ? 1 : (frames + most - 1) / most;
    w->value = sj_dtype_size(in->dtype);
    w->piece = malloc((size_t)(c->mel.bands * most) * w->value);
    if (w->pieces > 1)
        sj_json_set(out->params, "chunk_frames", sj_json_int(most));
    return w->piece ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for a chunk");
}

static int begin(struct sj_run *run, const struct sj_head *in, struct sj_head *out)
{
    struct work *w = run->state = calloc(1, sizeof *w);
    if (!w)
        return sj_fail(SJ_SYSTEM, "no memory");
    int status = sj_inference_open(run, in, &settings, &w->i);
    if (status)
        return status;
    struct sj_inference *i = w->i;
    const struct sj_config *c = &sj_inference_model(i)->config;
    if (in->rank != 2)
        return sj_fail(SJ_INPUT, "'%s' carries pairs, which are for training; chunks are wanted", run->in_name);
    if (layer > c->depth)
        return sj_fail(SJ_USAGE, "--layer is %lld, but '%s' has %lld blocks", (long long)layer, sj_inference_path(i),
                       (long long)c->depth);
    const struct sj_inference_job job = {
        .net = {.network = (enum sj_network)network, .encoder = 1},
        .batches = BATCHES,
        .floats = c->mel.bands * c->times * c->patch,
        .unit = c->patch,
        .results = 1,
        .compute = encode,
    };
    if ((status = want_front_end(run, in, c)) || (status = sj_inference_start(i, run, &job)) ||
        (status = prepare_pieces(w, run, in, out)))
        return status;
    describe(i, out);
    return SJ_OK;
}

/* The frames from .. from+count-1 of a chunk, as a chunk. */
static int put_piece(struct work *w, const struct sj_run *run, const struct sj_record *r, int64_t number, int64_t from,
                     int64_t count)
{
    const size_t bytes = (size_t)count * w->value;
    struct sj_record piece = *r;
    for (int64_t b = 0; b < r->dims[0]; b++)
        memcpy(w->piece + (size_t)b * bytes, (const char *)r->data + (size_t)(b * r->dims[1] + from) * w->value, bytes);
    piece.data = w->piece;
    piece.dims[1] = count;
    piece.bytes = (size_t)r->dims[0] * bytes;
    piece.part = (uint32_t)(r->part * w->pieces + number);
    piece.position = r->position + from;
    piece.last = r->last && from + count == r->dims[1];
    return sj_inference_put(w->i, run, &piece);
}

static int record(struct sj_run *run, const struct sj_record *r)
{
    struct work *w = run->state;
    const struct sj_config *c = &sj_inference_model(w->i)->config;
    const int64_t bands = c->mel.bands, patch = c->patch, most = c->times * patch;
    int status = SJ_OK;
    if (r->dims[0] != bands || r->dims[1] < patch || r->dims[1] % patch || r->dims[1] > most * w->pieces)
        return sj_fail(SJ_INPUT, "'%s': '%s' has %lld bands and %lld frames, wanted %lld bands and whole patches of "
                       "%lld frames up to %lld", run->in_name, r->key, (long long)r->dims[0], (long long)r->dims[1],
                       (long long)bands, (long long)patch, (long long)(most * w->pieces));
    for (int64_t at = 0, n = 0; at < r->dims[1] && !status; at += most, n++)
        status = put_piece(w, run, r, n, at, r->dims[1] - at < most ? r->dims[1] - at : most);
    return status;
}

static int end(struct sj_run *run)
{
    return sj_inference_end(((struct work *)run->state)->i, run);
}

static void cleanup(struct sj_run *run)
{
    struct work *w = run->state;
    if (!w)
        return;
    sj_inference_free(w->i);
    free(w->piece);
    free(w);
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
