#include "train_source.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h5.h"
#include "sjk.h"

struct sj_train_source {
    const struct sj_train_inputs *in;
    struct sj_sampler *sampler; /* from data sets */
    struct sj_reader *reader;   /* or from a stream */
    char *text;
};

void sj_train_source_close(struct sj_train_source *p)
{
    if (!p)
        return;
    sj_sampler_close(p->sampler);
    sj_reader_close(p->reader);
    free(p->text);
    free(p);
}

const char *sj_train_source_text(const struct sj_train_source *p)
{
    return p->text;
}

/* -- data sets ----------------------------------------------------------------------------------------------------- */

static int describe_sets(struct sj_train_source *p)
{
    int64_t tracks;
    const uint32_t crc = sj_sampler_checksum(p->sampler, &tracks);
    char changes[SJ_AUGMENT_TEXT] = "";
    if (p->in->augment)
        sj_augment_text(p->in->augment, changes);
    if (asprintf(&p->text, "%d data sets, %lld tracks, %08x, weights %s%s%s", p->in->n, (long long)tracks, crc,
                 p->in->weights ? p->in->weights : "none", p->in->augment ? ", augmented by " : "", changes) < 0)
        p->text = NULL;
    return p->text ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
}

static int open_sets(struct sj_train_source *p, struct sj_config *c, struct sj_train_settings *s)
{
    const struct sj_train_inputs *in = p->in;
    double *weight = in->weights ? malloc((size_t)in->n * sizeof *weight) : NULL;
    int status = in->weights && !weight ? sj_fail(SJ_SYSTEM, "no memory") : SJ_OK, n;
    if (weight)
        status = sj_cli_reals("--weights", in->weights, SJ_WEIGHT_MIN, SJ_WEIGHT_MAX, in->n, "sets", weight);
    if (!s->frames)
        s->frames = c->times * c->patch;
    if (!status)
        status = sj_sampler_open(in->n, in->path, weight, in->seed, s->frames * c->mel.hop_samples, &p->sampler);
    if (!status)
        sj_sampler_share(p->sampler, s->crops);
    if (!status && in->augment)
        status = sj_sampler_augment(p->sampler, in->augment);
    free(weight);
    if (status)
        return status;
    if (!isnan(in->mean))
        c->mel.mean = in->mean;
    if (!isnan(in->std))
        c->mel.std = in->std;
    const char *const *names = sj_sampler_classes(p->sampler, &n);
    status = sj_config_set_classes(c, n, names);
    return status ? sj_fail_at(status, "'%s'", in->path[0]) : describe_sets(p);
}

/* -- a stream ------------------------------------------------------------------------------------------------------ */

static int open_stream(struct sj_train_source *p, struct sj_config *c, struct sj_train_settings *s)
{
    const struct sj_train_inputs *in = p->in;
    if (in->weights || in->augment || !isnan(in->mean) || !isnan(in->std))
        return sj_fail(SJ_USAGE, "--weights, --augment, --mean and --std go with data sets");
    if (s->targets > 1)
        return sj_fail(SJ_USAGE, "--targets goes with data sets");
    if (s->crops > 1)
        return sj_fail(SJ_USAGE, "--crops goes with data sets");
    int status = sj_reader_open(in->n, in->path, &p->reader);
    if (status)
        return status;
    const struct sj_head *head = sj_reader_head(p->reader);
    const char *name = sj_reader_name(p->reader);
    int64_t frames = 0;
    sj_json *json = NULL;
    if ((status = sj_head_want(head, name, "mel/1")))
        return status;
    if (head->rank != 3 || strcmp(head->dim[0], "pair"))
        return sj_fail(SJ_INPUT, "'%s' carries chunks where pairs are wanted (see --pairs of sj-chunk)", name);
    if ((status = sj_mel_from_params(head->params, &c->mel)) ||
        (status = sj_head_int(head, "chunk_frames", &frames)) ||
        (status = sj_config_set_classes(c, head->classes, head->class_name)))
        return sj_fail_at(status, "'%s'", name);
    if (s->frames && s->frames != frames)
        return sj_fail(SJ_INPUT, "'%s' has pairs of %lld frames, not %lld", name, (long long)frames,
                       (long long)s->frames);
    s->frames = frames;
    if ((status = sj_head_to_json(head, &json)))
        return status;
    status = sj_json_text(json, &p->text);
    sj_json_free(json);
    return status;
}

/* -- either -------------------------------------------------------------------------------------------------------- */

static int are_sets(const struct sj_train_inputs *in)
{
    int sets = 0;
    for (int i = 0; i < in->n; i++)
        sets += sj_h5_is(in->path[i]);
    return in->n > 0 && sets == in->n;
}

int sj_train_source_open(const struct sj_train_inputs *in, struct sj_config *c, struct sj_train_settings *s,
                         struct sj_train_source **out)
{
    struct sj_train_source *p = calloc(1, sizeof *p);
    if (!p)
        return sj_fail(SJ_SYSTEM, "no memory");
    p->in = in;
    int status = are_sets(in) ? open_sets(p, c, s) : open_stream(p, c, s);
    if (status) {
        sj_train_source_close(p);
        return status;
    }
    *out = p;
    return SJ_OK;
}

int sj_train_source_feed(struct sj_train_source *p, const struct sjk *k, const struct sj_config *c,
                         const struct sj_train_settings *s, int threads, int64_t start, struct sj_feed **feed)
{
    int64_t contexts = s->batch / s->targets, first = start * contexts, last = s->steps * contexts;
    if (p->reader)
        return sj_feed_stream(p->reader, s->frames, contexts, first, last, feed);
    if (k->ops->mel) /* the back end analyses; the processors have nothing else to do */
        return sj_feed_sets(p->sampler, NULL, threads, contexts, (int)s->targets, first, feed);
    /* one analyses pairs faster than four cores learn from */
    return sj_feed_sets(p->sampler, &c->mel, 1 + threads / 4, contexts, (int)s->targets, first, feed);
}
