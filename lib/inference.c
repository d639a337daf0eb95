#include "inference.h"

#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "model.h"
#include "sjk.h"
#include "whole.h"
#include "window.h"

enum { BATCH = 8, DEVICE_BATCH = 128 }; /* when nobody says: a device has room for more */

#define AT(field) NULL, offsetof(struct sj_inference_settings, field)
const struct sj_option sj_inference_options[] = {
    {SJ_FILE, 'm', "model", AT(model), "FILE", "the model", 0, 0, NULL, "$SJ_MODEL, then the installed one", 0, NULL},
    {SJ_CHOICE, 0, "pool", AT(pooling), "HOW", "what to write", 0, 0, sj_pool_names, NULL, 1, NULL},
    {SJ_CHOICE, 0, "precision", AT(precision), "TYPE", "of matrix products; auto is bf16 where the hardware has it", 0,
     0, sj_precision_names, NULL, 1, NULL},
    {SJ_INT, 'b', "batch", AT(batch), "N", "chunks computed together", 1, 4096, NULL,
     "8, on a device 128", 0, NULL},
    {.type = SJ_OPTION_NONE},
};

struct sj_inference {
    const struct sj_inference_settings *set;
    char path[4096]; /* of the model */
    struct sj_model *model;
    struct sj_inference_job job;
    int64_t batch; /* records computed together */
    struct sjk *k;
    struct sj_net *net;
    struct sj_window *window;          /* `room` records */
    struct sj_pooler **pooler;         /* (results) */
    unsigned char *taken;              /* (room) */
    int64_t *index;                    /* (batch) of the records of a batch in the window */
    const struct sj_record **record;   /* (batch) these */
    float *in;                         /* (batch, floats) their values */
    float *z;                          /* (batch, F, P, D) one result of each */
    float *results;                    /* (room, results, chunk) */
    enum sj_dtype type;                /* of the records */
    int64_t room, chunk;               /* chunk: the largest F P D */
};

/* -- the start ----------------------------------------------------------------------------------------------------- */

int sj_inference_open(const struct sj_run *run, const struct sj_head *in, const struct sj_inference_settings *settings,
                      struct sj_inference **out)
{
    struct sj_inference *i = *out = calloc(1, sizeof *i);
    if (!i)
        return sj_fail(SJ_SYSTEM, "no memory");
    i->set = settings;
    i->type = in->dtype;
    int status = sj_model_path(settings->model, i->path, sizeof i->path);
    if (!status)
        status = sj_whole_apart(run->output, i->path);
    if (!status)
        status = sj_model_read(i->path, &i->model);
    if (!status)
        status = sj_model_want_classes(&i->model->config, i->path, in->classes, in->class_name, run->in_name);
    return status;
}

const struct sj_model *sj_inference_model(const struct sj_inference *i)
{
    return i->model;
}

const char *sj_inference_path(const struct sj_inference *i)
{
    return i->path;
}

int sj_inference_ask(struct sj_inference *i, const char *condition, const char *name, int *class)
{
    struct sj_condition c;
    int status = sj_condition_read(condition, &c);
    if (!status)
        status = sj_condition_ask(&c, i->model, name, class);
    sj_condition_free(&c);
    return status;
}

static int allocate(struct sj_inference *i)
{
    const struct sj_config *c = &i->model->config;
    const int64_t batch = i->batch;
    i->room = i->job.batches * batch;
    i->chunk = c->frequencies * c->times * c->dim;
    i->pooler = calloc((size_t)i->job.results, sizeof *i->pooler);
    i->taken = malloc((size_t)i->room);
    i->index = malloc((size_t)batch * sizeof *i->index);
    i->record = malloc((size_t)batch * sizeof *i->record);
    i->in = malloc((size_t)(batch * i->job.floats) * sizeof *i->in);
    i->z = malloc((size_t)(batch * i->chunk) * sizeof *i->z);
    i->results = malloc((size_t)(i->room * i->job.results * i->chunk) * sizeof *i->results);
    if (!i->pooler || !i->taken || !i->index || !i->record || !i->in || !i->z || !i->results)
        return sj_fail(SJ_SYSTEM, "no memory for a batch of %lld", (long long)batch);
    int status = sj_window_new(i->room, i->job.floats, &i->window);
    for (int r = 0; r < i->job.results && !status; r++)
        status = sj_pooler_new((enum sj_pool)i->set->pooling, c->frequencies, c->dim, &i->pooler[r]);
    return status;
}

int sj_inference_start(struct sj_inference *i, const struct sj_run *run, const struct sj_inference_job *job)
{
    i->job = *job;
    i->job.net.precision = (enum sj_precision)i->set->precision;
    int status = sj_run_backend(run, &i->k);
    if (status)
        return status;
    i->batch = i->set->batch ? i->set->batch : i->k->ops->on_device ? DEVICE_BATCH : BATCH;
    i->job.net.batch = i->batch;
    status = allocate(i);
    return status ? status : sj_net_new(i->k, i->model, &i->job.net, &i->net);
}

int64_t sj_inference_batch(const struct sj_inference *i)
{
    return i->batch;
}

void sj_inference_head(const struct sj_inference *i, struct sj_head *out)
{
    sj_head_kind(out, "embed/1", sj_pool_dims((enum sj_pool)i->set->pooling), SJ_F32);
    sj_json_set(out->params, "pool", sj_json_string(sj_pool_names[i->set->pooling]));
}

void sj_inference_free(struct sj_inference *i)
{
    if (!i)
        return;
    for (int r = 0; i->pooler && r < i->job.results; r++)
        sj_pooler_free(i->pooler[r]);
    free(i->pooler);
    sj_window_free(i->window);
    sj_net_free(i->net);
    sjk_close(i->k);
    sj_model_free(i->model);
    free(i->taken);
    free(i->index);
    free(i->record);
    free(i->in);
    free(i->z);
    free(i->results);
    free(i);
}

/* -- batches ------------------------------------------------------------------------------------------------------- */

/* Every result of the n records index[], which are of one shape, at its place in `results`. */
static int compute(struct sj_inference *i, int64_t n)
{
    const struct sj_inference_job *job = &i->job;
    const struct sj_config *c = &i->model->config;
    const struct sj_record *first = sj_window_at(i->window, i->index[0]);
    const int64_t size = c->frequencies * (first->dims[1] / job->unit) * c->dim;
    const size_t values = first->bytes / sj_dtype_size(i->type);
    int status = SJ_OK;
    for (int64_t b = 0; b < n; b++) {
        i->record[b] = sj_window_at(i->window, i->index[b]);
        sj_dtype_to_f32(i->type, values, i->record[b]->data, i->in + (size_t)b * values);
    }
    for (int r = 0; r < job->results && !status; r++) {
        status = job->compute(job->arg, i->net, n, i->record, i->in, r, i->z);
        for (int64_t b = 0; b < n && !status; b++)
            memcpy(i->results + (i->index[b] * job->results + r) * i->chunk, i->z + b * size,
                   (size_t)size * sizeof *i->z);
    }
    return status;
}

static int emit(struct sj_inference *i, struct sj_output *out, int64_t at)
{
    const struct sj_inference_job *job = &i->job;
    int status = SJ_OK;
    for (int r = 0; r < job->results && !status; r++) {
        struct sj_record like = *sj_window_at(i->window, at);
        if (job->label)
            job->label(job->arg, r, &like);
        status = sj_pooler_put(i->pooler[r], &like, like.dims[1] / job->unit,
                               i->results + (at * job->results + r) * i->chunk, out);
    }
    return status;
}

static int flush(struct sj_inference *i, struct sj_output *out)
{
    int64_t count = sj_window_count(i->window), n;
    int status = SJ_OK;
    memset(i->taken, 0, (size_t)i->room);
    while (!status && (n = sj_window_alike(i->window, 1, i->batch, i->taken, i->index)))
        status = compute(i, n);
    for (int64_t at = 0; at < count && !status; at++)
        status = emit(i, out, at);
    sj_window_clear(i->window);
    return status;
}

int sj_inference_put(struct sj_inference *i, const struct sj_run *run, const struct sj_record *r)
{
    int status = sj_window_add(i->window, r);
    return status ? status : sj_window_full(i->window) ? flush(i, run->out) : SJ_OK;
}

int sj_inference_end(struct sj_inference *i, const struct sj_run *run)
{
    int status = flush(i, run->out);
    for (int r = 0; r < i->job.results && !status; r++)
        status = sj_pooler_end(i->pooler[r]);
    return status;
}
