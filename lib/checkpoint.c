#include "checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "h5.h"

static const char kind[] = "sj-checkpoint/2";

static const struct {
    const char *path;
    enum sj_learner_part part;
} arenas[] = {
    {"/weights", SJ_LEARNER_WEIGHTS},
    {"/target", SJ_LEARNER_TARGET},
    {"/first", SJ_LEARNER_FIRST},
    {"/second", SJ_LEARNER_SECOND},
};
enum { ARENAS = sizeof arenas / sizeof *arenas };

void sj_checkpoint_free(struct sj_checkpoint *c)
{
    free(c->settings);
    free(c->data);
    *c = (struct sj_checkpoint){0};
}

static int64_t checksum(int64_t n, const float *x)
{
    return sj_crc32c(0, x, (size_t)n * sizeof *x);
}

static int write_all(struct sj_h5 *h, const struct sj_checkpoint *c, const char *config, struct sj_learner *l,
                     float *buffer)
{
    int status = sj_h5_set_text(h, "/", "kind", kind);
    if (!status)
        status = sj_h5_set_int(h, "/", "step", c->step);
    if (!status)
        status = sj_h5_set_text(h, "/", "config", config);
    if (!status)
        status = sj_h5_set_text(h, "/", "settings", c->settings);
    if (!status)
        status = sj_h5_set_text(h, "/", "data", c->data);
    for (int i = 0; !status && i < ARENAS; i++) {
        int64_t n = (int64_t)sj_learner_size(l, arenas[i].part);
        status = sj_learner_get(l, arenas[i].part, buffer);
        if (!status)
            status = sj_h5_write(h, arenas[i].path, SJ_H5_F32, 1, &n, buffer);
        if (!status)
            status = sj_h5_set_int(h, arenas[i].path, "crc32c", checksum(n, buffer));
    }
    return status;
}

int sj_checkpoint_write(const char *path, const struct sj_checkpoint *c, const struct sj_config *config,
                        struct sj_learner *l, float *buffer)
{
    struct sj_h5 *h;
    char *text;
    sj_json *json = sj_config_to_json(config);
    int status = sj_json_text(json, &text);
    sj_json_free(json);
    if (status)
        return status;
    status = sj_h5_create(path, &h);
    if (!status) {
        status = write_all(h, c, text, l, buffer);
        if (status)
            sj_h5_close(h);
        else
            status = sj_h5_commit(h);
    }
    free(text);
    return status;
}

static int read_config(struct sj_h5 *h, struct sj_config *config)
{
    char *text;
    sj_json *json;
    int status = sj_h5_get_text(h, "/", "config", &text);
    if (status)
        return status;
    status = sj_json_parse(text, strlen(text), &json);
    if (!status) {
        status = sj_config_from_json(json, config);
        sj_json_free(json);
    }
    free(text);
    return status ? sj_fail_at(status, "'%s'", sj_h5_path(h)) : SJ_OK;
}

int sj_checkpoint_read(const char *path, struct sj_checkpoint *c, struct sj_config *config)
{
    struct sj_h5 *h;
    char *found = NULL;
    *c = (struct sj_checkpoint){0};
    int status = sj_h5_open(path, &h);
    if (status)
        return status;
    if (!sj_h5_has_attr(h, "/", "kind") || sj_h5_get_text(h, "/", "kind", &found) || strcmp(found, kind))
        status = sj_fail(SJ_INPUT, "'%s' is not a checkpoint", path);
    free(found);
    if (!status)
        status = sj_h5_get_int(h, "/", "step", &c->step);
    if (!status)
        status = sj_h5_get_text(h, "/", "settings", &c->settings);
    if (!status)
        status = sj_h5_get_text(h, "/", "data", &c->data);
    if (!status)
        status = read_config(h, config);
    sj_h5_close(h);
    if (status)
        sj_checkpoint_free(c);
    return status;
}

int sj_checkpoint_load(const char *path, struct sj_learner *l, float *buffer)
{
    struct sj_h5 *h;
    int status = sj_h5_open(path, &h);
    if (status)
        return status;
    for (int i = 0; !status && i < ARENAS; i++) {
        const int64_t n = (int64_t)sj_learner_size(l, arenas[i].part);
        int64_t crc = 0;
        status = sj_h5_read(h, arenas[i].path, SJ_H5_F32, n, buffer);
        if (!status)
            status = sj_h5_get_int(h, arenas[i].path, "crc32c", &crc);
        if (!status && crc != checksum(n, buffer))
            status = sj_fail(SJ_INPUT, "'%s' is damaged: '%s' is not as it was written", path, arenas[i].path);
        if (!status)
            status = sj_learner_put(l, arenas[i].part, buffer);
    }
    sj_h5_close(h);
    return status;
}
