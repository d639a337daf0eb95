/* Reading and writing; what the shapes say about a model is in safetensors_shape.c. */
#include "safetensors_own.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "whole.h"

enum { HEADER_BYTES = 100000000 }; /* the format's own limit */

int sj_safetensors_is(const char *path)
{
    static const char ending[] = ".safetensors";
    size_t n = strlen(path), e = sizeof ending - 1;
    return n > e && !strcmp(path + n - e, ending);
}

/* -- writing ---------------------------------------------------------------------------------------------------------
 */

/* "encoder/norm.bias" as "encoder.norm.bias", or the target's. */
static void dotted(const struct sj_tensor *t, int target, char *name, size_t size)
{
    const char *rest = strchr(t->name, '/') + 1;
    snprintf(name, size, "%.*s.%s", (int)(rest - 1 - t->name), t->name, rest);
    if (target)
        snprintf(name, size, "target_encoder.%s", rest);
}

static void describe(sj_json *header, const struct sj_model *m, int target, int64_t *offset)
{
    for (int i = 0; i < (target ? m->layout.encoder_tensors : m->layout.tensors); i++) {
        const struct sj_tensor *t = &m->layout.tensor[i];
        sj_json *o = sj_json_object(), *shape = sj_json_array(), *range = sj_json_array();
        char name[112];
        dotted(t, target, name, sizeof name);
        for (int d = 0; d < t->rank; d++)
            sj_json_append(shape, sj_json_int(t->dims[d]));
        sj_json_append(range, sj_json_int(*offset));
        *offset += (int64_t)(t->count * sizeof(float));
        sj_json_append(range, sj_json_int(*offset));
        sj_json_set(o, "dtype", sj_json_string("F32"));
        sj_json_set(o, "shape", shape);
        sj_json_set(o, "data_offsets", range);
        sj_json_set(header, name, o);
    }
}

/* The header's text, padded with blanks to a multiple of 8. */
static int header_text(const struct sj_model *m, char **text)
{
    sj_json *header = sj_json_object(), *meta = sj_json_object(), *config = sj_config_to_json(&m->config);
    char *inner = NULL, *plain = NULL;
    int64_t offset = 0;
    int status = sj_json_text(config, &inner);
    if (!status) {
        sj_json_set(meta, "config", sj_json_string(inner));
        sj_json_set(meta, "id", sj_json_string(m->id));
        if (m->training)
            sj_json_set(meta, "training", sj_json_string(m->training));
        sj_json_set(header, "__metadata__", sj_json_keep(meta));
        describe(header, m, 0, &offset);
        describe(header, m, 1, &offset);
        status = sj_json_text(header, &plain);
    }
    if (!status) {
        size_t n = strlen(plain), padded = (n + 7) / 8 * 8;
        if ((*text = malloc(padded + 1))) {
            memset(*text, ' ', padded);
            memcpy(*text, plain, n);
            (*text)[padded] = 0;
        } else
            status = sj_fail(SJ_SYSTEM, "no memory for a header");
    }
    free(inner);
    free(plain);
    sj_json_free(config);
    sj_json_free(meta);
    sj_json_free(header);
    return status;
}

static void write_tensors(FILE *f, const struct sj_model *m, int target)
{
    for (int i = 0; i < (target ? m->layout.encoder_tensors : m->layout.tensors); i++) {
        const struct sj_tensor *t = &m->layout.tensor[i];
        fwrite((target ? m->target : m->weights) + t->offset, sizeof(float), t->count, f);
    }
}

int sj_safetensors_write(const char *path, const struct sj_model *m)
{
    struct sj_whole *w;
    char *text = NULL;
    int status = header_text(m, &text);
    if (!status)
        status = sj_whole_new(path, &w);
    if (status) {
        free(text);
        return status;
    }
    FILE *f = fopen(sj_whole_temp(w), "wb");
    uint64_t length = strlen(text);
    errno = 0;
    if (f) {
        fwrite(&length, sizeof length, 1, f);
        fwrite(text, 1, length, f);
        write_tensors(f, m, 0);
        write_tensors(f, m, 1);
    }
    if (!f || ferror(f) | fclose(f))
        status = sj_fail_errno("cannot write '%s'", path);
    if (status)
        sj_whole_discard(w);
    else
        status = sj_whole_commit(w);
    free(text);
    return status;
}

/* -- reading ---------------------------------------------------------------------------------------------------------
 */

/* The header of an open file; *data is where the values begin, *bytes how many there are. */
static int read_header(int fd, const char *path, sj_json **header, int64_t *data, int64_t *bytes)
{
    struct stat st;
    uint64_t length = 0;
    if (fstat(fd, &st))
        return sj_fail_errno("cannot read '%s'", path);
    if (pread(fd, &length, sizeof length, 0) != sizeof length || length > HEADER_BYTES ||
        (int64_t)length > st.st_size - (int64_t)sizeof length)
        return sj_fail(SJ_INPUT, "'%s' is no safetensors file, or truncated", path);
    char *text = malloc(length + 1);
    if (!text)
        return sj_fail(SJ_SYSTEM, "no memory for the header of '%s'", path);
    int status = SJ_OK;
    if (pread(fd, text, length, sizeof length) != (ssize_t)length)
        status = sj_fail_errno("cannot read '%s'", path);
    if (!status && (status = sj_json_parse(text, length, header)))
        status = sj_fail_at(status, "'%s'", path);
    free(text);
    *data = (int64_t)(sizeof length + length);
    *bytes = st.st_size - *data;
    return status;
}

static void convert(const char *dtype, size_t n, const void *raw, float *out)
{
    const double *wide = raw;
    if (!strcmp(dtype, "F64"))
        for (size_t i = 0; i < n; i++)
            out[i] = (float)wide[i];
    else
        sj_dtype_to_f32(!strcmp(dtype, "F16") ? SJ_F16 : !strcmp(dtype, "BF16") ? SJ_BF16 : SJ_F32, n, raw, out);
}

/* out (t->count): the values of a tensor, which must have t's shape and be finite. */
static int read_tensor(const struct sj_safetensors *s, const char *name, const struct sj_tensor *t, float *out)
{
    int64_t from, dims[SJ_SAFETENSORS_RANK], n = 1;
    int rank, same;
    const char *dtype;
    size_t width;
    int status = sj_safetensors_shape(s, name, &rank, dims, &dtype, &width, &from);
    if (status)
        return status;
    same = rank == t->rank;
    for (int i = 0; same && i < rank; i++) {
        same = dims[i] == t->dims[i];
        n *= dims[i];
    }
    if (!same)
        return sj_fail(SJ_INPUT, "'%s': '%s' has not the shape that the others ask for", s->path, name);
    size_t bytes = (size_t)n * width;
    void *raw = malloc(bytes);
    if (!raw)
        return sj_fail(SJ_SYSTEM, "no memory for '%s' of '%s'", name, s->path);
    for (size_t at = 0; !status && at < bytes;) {
        ssize_t got = pread(s->fd, (char *)raw + at, bytes - at, s->data + from + (int64_t)at);
        if (got <= 0)
            status = sj_fail(SJ_INPUT, "'%s': '%s' is truncated", s->path, name);
        at += got > 0 ? (size_t)got : 0;
    }
    if (!status)
        convert(dtype, t->count, raw, out);
    free(raw);
    for (size_t i = 0; !status && i < t->count; i++)
        if (!isfinite(out[i]))
            status = sj_fail(SJ_INPUT, "'%s': '%s' holds a value that is not finite", s->path, name);
    return status;
}

static int read_tensors(const struct sj_safetensors *s, struct sj_model *m, int target)
{
    int status = SJ_OK;
    for (int i = 0; !status && i < (target ? m->layout.encoder_tensors : m->layout.tensors); i++) {
        const struct sj_tensor *t = &m->layout.tensor[i];
        char name[112];
        dotted(t, target, name, sizeof name);
        status = read_tensor(s, name, t, (target ? m->target : m->weights) + t->offset);
    }
    return status;
}

struct known {
    const struct sj_safetensors *s;
    const struct sj_layout *layout;
};

/* A tensor that belongs to a model, but not to one of these hyper-parameters. */
static int check_name(const char *key, const sj_json *value, void *arg)
{
    static const char *const parts[][2] = {{"encoder.", "encoder/"}, {"target_encoder.", "encoder/"},
                                           {"predictor.", "predictor/"}};
    const struct known *k = arg;
    char plain[112], name[112];
    (void)value;
    sj_safetensors_plain(key, plain, sizeof plain);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t n = strlen(parts[i][0]);
        if (strncmp(plain, parts[i][0], n))
            continue;
        snprintf(name, sizeof name, "%s%.90s", parts[i][1], plain + n);
        if (sj_tensor_find(k->layout, name) < 0 && !strstr(plain, "pos"))
            return sj_fail(SJ_INPUT, "'%s': '%.100s' is unknown to these hyper-parameters", k->s->path, key);
    }
    return SJ_OK;
}

static int check_id(const struct sj_safetensors *s, const struct sj_model *m)
{
    const char *id = sj_json_get_text(sj_json_get(s->header, "__metadata__"), "id");
    if (!id || !strcmp(id, m->id))
        return SJ_OK;
    return sj_fail(SJ_INPUT, "'%s': the weights are not those of the 'id' in its metadata: damaged, or edited without "
                   "removing it", s->path);
}

static int read_model(const struct sj_safetensors *s, struct sj_model **out)
{
    struct sj_config c;
    struct sj_model *m = NULL;
    const char *training = sj_json_get_text(sj_json_get(s->header, "__metadata__"), "training");
    int status = sj_safetensors_config(s, &c);
    if (!status)
        status = sj_model_blank(&c, &m);
    if (!status)
        status = read_tensors(s, m, 0);
    if (!status)
        status = sj_safetensors_extents(s);
    if (!status)
        status = sj_json_each(s->header, check_name, &(struct known){s, &m->layout});
    if (!status && sj_safetensors_has(s, "target_encoder.norm.weight"))
        status = read_tensors(s, m, 1);
    else if (!status)
        memcpy(m->target, m->weights, m->layout.encoder * sizeof(float));
    if (!status && training && !(m->training = strdup(training)))
        status = sj_fail(SJ_SYSTEM, "no memory for a model");
    if (!status) {
        sj_model_identify(m);
        status = check_id(s, m);
    }
    if (status)
        sj_model_free(m);
    else
        *out = m;
    return status;
}

int sj_safetensors_read(const char *path, struct sj_model **m)
{
    struct sj_safetensors s = {.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (s.fd < 0)
        return sj_fail_errno("cannot open '%s'", path);
    int status = read_header(s.fd, path, &s.header, &s.data, &s.bytes);
    if (!status)
        status = read_model(&s, m);
    sj_json_free(s.header);
    close(s.fd);
    return status;
}
