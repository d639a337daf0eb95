/* One row of a table per kind of file. */
#include "convert.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "join.h"
#include "npy.h"
#include "output.h"

struct sj_convert {
    const struct format *format;
    struct sj_output *output; /* the open one of these three */
    struct sj_join *join;
    struct sj_npy_writer *array;
    char *path;               /* arrays: opened at the first record, whose dims all must have */
    enum sj_dtype dtype;
    int rank;
    int64_t dims[SJ_RANK];
};

struct format {
    const char *ending;
    int (*open)(struct sj_convert *c, const char *path, const struct sj_head *head);
    int (*put)(struct sj_convert *c, const struct sj_record *record);
    int (*end)(struct sj_convert *c);
    void (*abort)(struct sj_convert *c);
};

static int output_open(struct sj_convert *c, const char *path, const struct sj_head *head)
{
    return sj_output_open(path, head, &c->output);
}

static int output_put(struct sj_convert *c, const struct sj_record *r)
{
    return sj_output_put(c->output, r);
}

static int output_end(struct sj_convert *c)
{
    return sj_output_end(c->output);
}

static void output_abort(struct sj_convert *c)
{
    sj_output_abort(c->output);
}

static int join_open(struct sj_convert *c, const char *path, const struct sj_head *head)
{
    return sj_join_open(path, head, &c->join);
}

static int join_put(struct sj_convert *c, const struct sj_record *r)
{
    return sj_join_put(c->join, r);
}

static int join_end(struct sj_convert *c)
{
    return sj_join_end(c->join);
}

static void join_abort(struct sj_convert *c)
{
    sj_join_abort(c->join);
}

static int array_open(struct sj_convert *c, const char *path, const struct sj_head *head)
{
    c->dtype = head->dtype;
    return (c->path = strdup(path)) ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
}

static int array_put(struct sj_convert *c, const struct sj_record *r)
{
    if (!c->array) {
        c->rank = r->rank;
        memcpy(c->dims, r->dims, sizeof c->dims);
        int status = sj_npy_create(c->path, c->dtype, r->rank, r->dims, &c->array);
        if (status)
            return status;
    }
    for (int i = 0; i < c->rank; i++)
        if (c->dims[i] != r->dims[i])
            return sj_fail(SJ_INPUT, "an array cannot hold '%s': dimension %d is %lld, was %lld", r->key, i,
                           (long long)r->dims[i], (long long)c->dims[i]);
    return sj_npy_put(c->array, r->data);
}

static int array_end(struct sj_convert *c)
{
    return c->array ? sj_npy_commit(c->array) : sj_fail(SJ_INPUT, "no record to write to '%s'", c->path);
}

static void array_abort(struct sj_convert *c)
{
    sj_npy_abort(c->array);
}

static const struct format formats[] = {
    {".sjt", output_open, output_put, output_end, output_abort}, /* also of standard output */
    {".h5", output_open, output_put, output_end, output_abort},
    {".npy", array_open, array_put, array_end, array_abort},
    {".wav", join_open, join_put, join_end, join_abort}, /* also of folders */
};
enum { SJT, H5, NPY, WAV, FORMATS };

static const struct format *format_of(const char *path)
{
    size_t n = strlen(path);
    struct stat st;
    if (sj_join_is_folder(path))
        return &formats[WAV];
    if (!strcmp(path, "-") || (!stat(path, &st) && !S_ISREG(st.st_mode)))
        return &formats[SJT];
    for (int i = 0; i < FORMATS; i++) {
        size_t k = strlen(formats[i].ending);
        if (n > k && !strcmp(path + n - k, formats[i].ending))
            return &formats[i];
    }
    return NULL;
}

int sj_convert_open(const char *path, const struct sj_head *head, struct sj_convert **out)
{
    const struct format *format = format_of(path);
    if (!format)
        return sj_fail(SJ_USAGE, "'%s' does not end in .sjt, .h5, .npy or .wav, nor is it a folder", path);
    struct sj_convert *c = calloc(1, sizeof *c);
    if (!c)
        return sj_fail(SJ_SYSTEM, "no memory");
    c->format = format;
    int status = format->open(c, path, head);
    if (status)
        free(c);
    else
        *out = c;
    return status;
}

int sj_convert_put(struct sj_convert *c, const struct sj_record *record)
{
    return c->format->put(c, record);
}

static void release(struct sj_convert *c)
{
    free(c->path);
    free(c);
}

int sj_convert_end(struct sj_convert *c)
{
    int status = c->format->end(c);
    release(c);
    return status;
}

void sj_convert_abort(struct sj_convert *c)
{
    if (!c)
        return;
    c->format->abort(c);
    release(c);
}
