/* What ties a training to the files it goes on from: its checkpoint, the model it begins with. */
#include <stdlib.h>
#include <string.h>

#include "checkpoint.h"
#include "train.h"

/* Whether two JSON objects are equal; SJ_USAGE names the first member that differs. A setting that one of them does not
 * have is at its default there. */
struct difference {
    const sj_json *ours;
    const char *file;
};

static int visit_member(const char *key, const sj_json *theirs, void *arg)
{
    const struct difference *d = arg;
    const sj_json *ours = sj_json_get(d->ours, key);
    if (ours && sj_json_equal(ours, theirs))
        return SJ_OK;
    char *a = NULL, *b = NULL;
    int status = sj_json_text(theirs, &a) || (ours && sj_json_text(ours, &b)) ? SJ_SYSTEM : SJ_OK;
    if (!status)
        status = sj_fail(SJ_USAGE, "'%s' was made with '%s' %s, not %s", d->file, key, a, b ? b : "(none)");
    free(a);
    free(b);
    return status;
}

/* A member of ours that they do not have. */
static int visit_ours(const char *key, const sj_json *ours, void *arg)
{
    const struct difference *d = arg;
    char *text = NULL;
    if (sj_json_get(d->ours, key))
        return SJ_OK;
    int status = sj_json_text(ours, &text);
    if (!status)
        status = sj_fail(SJ_USAGE, "'%s' was made without '%s' %s", d->file, key, text);
    free(text);
    return status;
}

static int want_same(const char *file, sj_json *theirs, sj_json *ours)
{
    int status = sj_json_each(theirs, visit_member, &(struct difference){ours, file});
    if (!status)
        status = sj_json_each(ours, visit_ours, &(struct difference){theirs, file});
    sj_json_free(theirs);
    sj_json_free(ours);
    return status;
}

/* What is wrong with data that differ. Of streams the texts are their heads: the first parameter that differs, or that
 * they were made in another way. */
static int other_data(const char *path, const char *theirs, const char *ours)
{
    sj_json *a = NULL, *b = NULL;
    int status = SJ_OK;
    if (*theirs != '{' || *ours != '{')
        return sj_fail(SJ_USAGE, "'%s' was made from other data: %s, not %s", path, theirs, ours);
    if (!sj_json_parse(theirs, strlen(theirs), &a) && !sj_json_parse(ours, strlen(ours), &b) &&
        sj_json_get(a, "params") && sj_json_get(b, "params"))
        status = want_same(path, sj_json_copy(sj_json_get(a, "params")), sj_json_copy(sj_json_get(b, "params")));
    sj_json_free(a);
    sj_json_free(b);
    return status ? status : sj_fail(SJ_USAGE, "'%s' was made from pairs of another provenance (see sj-view)", path);
}

/* The reason, and what to do about it. */
static int anew(int status)
{
    char *why = strdup(sj_reason());
    status = why ? sj_fail(status, "%s: removing it starts anew", why) : sj_fail(SJ_SYSTEM, "no memory");
    free(why);
    return status;
}

int sj_train_resume(const char *path, const struct sj_config *config, const struct sj_train_settings *settings,
                    uint64_t seed, const char *data, int64_t *step)
{
    struct sj_checkpoint c;
    struct sj_config theirs;
    sj_json *json = NULL;
    int status = sj_checkpoint_read(path, &c, &theirs);
    if (status)
        return status;
    status = want_same(path, sj_config_to_json(&theirs), sj_config_to_json(config));
    if (!status)
        status = sj_json_parse(c.settings, strlen(c.settings), &json);
    if (!status)
        status = want_same(path, json, sj_train_to_json(settings, seed));
    if (!status && strcmp(c.data, data))
        status = other_data(path, c.data, data);
    if (!status && c.step < 1)
        status = sj_fail(SJ_INPUT, "'%s' is damaged: it has no steps", path);
    *step = c.step;
    sj_checkpoint_free(&c);
    return status == SJ_USAGE ? anew(status) : status;
}

/* Whether a model is of the training `ours`, of other data, or (SJ_USAGE, SJ_INPUT) of none that is like it. */
static int compare_model(const struct sj_model *m, const char *path, const struct sj_config *config, const char *ours,
                         int *finished)
{
    sj_json *a = NULL, *b = NULL;
    if (!m->training)
        return sj_fail(SJ_USAGE, "'%s' does not say how it was trained", path);
    int status = want_same(path, sj_config_to_json(&m->config), sj_config_to_json(config));
    if (!status)
        status = sj_json_parse(m->training, strlen(m->training), &a);
    if (!status)
        status = sj_json_parse(ours, strlen(ours), &b);
    if (!status)
        status = want_same(path, sj_json_copy(sj_json_get(a, "settings")), sj_json_copy(sj_json_get(b, "settings")));
    *finished = !status && !strcmp(m->training, ours);
    sj_json_free(a);
    sj_json_free(b);
    return status;
}

int sj_train_finished(const char *path, const struct sj_config *config, const char *ours, int *finished)
{
    struct sj_model *m;
    int status = sj_model_read(path, &m);
    if (status)
        return status;
    status = compare_model(m, path, config, ours, finished);
    sj_model_free(m);
    return status;
}

int sj_train_begin(const char *path, struct sj_model *model, char id[17])
{
    struct sj_model *theirs;
    int status = sj_model_read(path, &theirs);
    if (status)
        return status;
    theirs->config.times = model->config.times; /* places are computed, not learnt: any span has the same weights */
    status = want_same(path, sj_config_to_json(&theirs->config), sj_config_to_json(&model->config));
    if (!status) {
        memcpy(model->weights, theirs->weights, model->layout.trained * sizeof *model->weights);
        memcpy(model->target, theirs->target, model->layout.encoder * sizeof *model->target);
        memcpy(id, theirs->id, sizeof theirs->id);
    }
    sj_model_free(theirs);
    return status;
}
