/* Embeddings from several inputs, HDF5 files and streams, as one sequence. */
#include "embeddings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embeddings_own.h"
#include "h5.h"

struct sj_embeddings {
    int n, next;          /* of the paths: how many, which comes next */
    const char **path;
    struct sj_head *head; /* of the first input */
    const char *name;     /* of the input being read */
    struct sj_embeddings_file *file; /* the open input is one of the two, or neither */
    struct sj_reader *stream;
    const struct sj_record *ahead;   /* the next record of `stream` where it was looked at already */
    int64_t width;        /* of the vectors of a block; 0: no record seen */
    char *keys;           /* of the block read last from a stream */
    size_t keys_used, keys_room;
    size_t *key_at;       /* where in `keys` each begins */
    int64_t key_at_room;
};

static int is_stdin(const char *path)
{
    return !strcmp(path, "-");
}

static void close_input(struct sj_embeddings *e)
{
    sj_embeddings_file_close(e->file);
    sj_reader_close(e->stream);
    e->file = NULL;
    e->stream = NULL;
    e->ahead = NULL;
}

static const struct sj_head *input_head(const struct sj_embeddings *e)
{
    return e->file ? sj_embeddings_file_head(e->file) : sj_reader_head(e->stream);
}

/* Whether the open input continues what the first began. */
static int continues(const struct sj_embeddings *e)
{
    const struct sj_head *a = e->head, *b = input_head(e);
    int same = a->rank == b->rank && a->dtype == b->dtype;
    for (int i = 0; i < a->rank && same; i++)
        same = !strcmp(a->dim[i], b->dim[i]);
    if (!same)
        return sj_fail(SJ_INPUT, "'%s' holds other records (dimensions or type) than '%s'", e->name, e->path[0]);
    return sj_embeddings_match(a, e->path[0], b, e->name);
}

static int open_next(struct sj_embeddings *e)
{
    const char *path = e->path[e->next++];
    int h5 = !is_stdin(path) && sj_h5_is(path);
    close_input(e);
    e->name = path;
    int status = h5 ? sj_embeddings_file_open(path, &e->file) : sj_reader_open(1, &path, &e->stream);
    if (!status && !h5)
        e->name = sj_reader_name(e->stream);
    if (!status)
        status = sj_head_want(input_head(e), e->name, "embed/1");
    if (!status && !e->head)
        return sj_head_copy(input_head(e), &e->head);
    return status ? status : continues(e);
}

int sj_embeddings_open(int n, const char *const *paths, struct sj_embeddings **out)
{
    struct sj_embeddings *e = calloc(1, sizeof *e);
    if (e)
        e->path = calloc((size_t)n + 1, sizeof *e->path);
    if (!e || !e->path) {
        free(e);
        return sj_fail(SJ_SYSTEM, "no memory");
    }
    e->n = n > 0 ? n : 1;
    e->path[0] = "-";
    for (int i = 0; i < n; i++)
        e->path[i] = paths[i];
    int status = open_next(e);
    if (status) {
        sj_embeddings_close(e);
        return status;
    }
    *out = e;
    return SJ_OK;
}

void sj_embeddings_close(struct sj_embeddings *e)
{
    if (!e)
        return;
    close_input(e);
    sj_head_free(e->head);
    free(e->keys);
    free(e->key_at);
    free(e->path);
    free(e);
}

const struct sj_head *sj_embeddings_head(const struct sj_embeddings *e)
{
    return e->head;
}

const char *sj_embeddings_name(const struct sj_embeddings *e)
{
    return e->name;
}

int sj_embeddings_rewind(struct sj_embeddings *e)
{
    for (int i = 0; i < e->n; i++)
        if (is_stdin(e->path[i]))
            return sj_fail(SJ_USAGE, "standard input cannot be read twice: give a file");
    e->next = 0;
    return open_next(e);
}

int64_t sj_embeddings_count(const struct sj_embeddings *e)
{
    int64_t n = 0, dims[SJ_H5_RANK];
    for (int i = 0; i < e->n; i++) {
        struct sj_h5 *h;
        enum sj_h5_type type;
        int rank = 0;
        if (is_stdin(e->path[i]) || !sj_h5_is(e->path[i]) || sj_h5_open(e->path[i], &h))
            return -1;
        int status = sj_h5_shape(h, "/key", &type, &rank, dims);
        sj_h5_close(h);
        if (status || rank != 1)
            return -1;
        n += dims[0];
    }
    return n;
}

/* Opens inputs until one has a record left: *more = 1; *more = 0 after the last. */
static int find_record(struct sj_embeddings *e, int *more)
{
    for (;;) {
        int status = SJ_OK;
        *more = 1;
        if ((e->file && sj_embeddings_file_left(e->file)) || e->ahead)
            return SJ_OK;
        if (e->stream)
            status = sj_reader_next(e->stream, &e->ahead);
        if (status || e->ahead)
            return status;
        *more = 0;
        if (e->next == e->n)
            return SJ_OK;
        if ((status = open_next(e)))
            return status;
    }
}

int sj_embeddings_next(struct sj_embeddings *e, const struct sj_record **record)
{
    int more, status = find_record(e, &more);
    *record = NULL;
    if (status || !more)
        return status;
    if (e->file)
        return sj_embeddings_file_next(e->file, record);
    *record = e->ahead;
    e->ahead = NULL;
    return SJ_OK;
}

/* -- vectors in blocks --------------------------------------------------------------------------------------------- */
int sj_embeddings_width(struct sj_embeddings *e, int64_t *d)
{
    int more = 0, status = SJ_OK;
    if (e->head->rank != 1)
        return sj_fail(SJ_INPUT, "'%s' holds more than one vector in a record where one is wanted (pooled by track)",
                       e->name);
    if (!e->width && !(status = find_record(e, &more)) && more)
        e->width = e->file ? sj_embeddings_file_width(e->file) : e->ahead->dims[0];
    *d = e->width;
    return status;
}

/* Copies the key of record i of the block to where it stays until the next block. */
static int keep_key(struct sj_embeddings *e, int64_t i, const char *key)
{
    size_t size = strlen(key) + 1;
    if (e->keys_used + size > e->keys_room) {
        size_t room = 2 * (e->keys_used + size);
        char *p = realloc(e->keys, room);
        if (!p)
            return sj_fail(SJ_SYSTEM, "no memory");
        e->keys = p;
        e->keys_room = room;
    }
    memcpy(e->keys + e->keys_used, key, size);
    e->key_at[i] = e->keys_used;
    e->keys_used += size;
    return SJ_OK;
}

static int room_for_keys(struct sj_embeddings *e, int64_t n)
{
    if (n <= e->key_at_room)
        return SJ_OK;
    size_t *p = realloc(e->key_at, (size_t)n * sizeof *p);
    if (!p)
        return sj_fail(SJ_SYSTEM, "no memory");
    e->key_at = p;
    e->key_at_room = n;
    return SJ_OK;
}

/* A block from the open stream. */
static int stream_block(struct sj_embeddings *e, int64_t most, float *out, struct sj_embedding *info, int64_t *got)
{
    int64_t n = 0;
    int status = room_for_keys(e, most);
    e->keys_used = 0;
    while (n < most && !status && e->ahead) {
        const struct sj_record *r = e->ahead;
        if (r->dims[0] != e->width)
            return sj_fail(SJ_INPUT, "'%s': '%s' has %lld values, those before have %lld", e->name, r->key,
                           (long long)r->dims[0], (long long)e->width);
        sj_dtype_to_f32(e->head->dtype, (size_t)e->width, r->data, out + n * e->width);
        status = keep_key(e, n, r->key);
        info[n++] = (struct sj_embedding){NULL, r->role, r->class};
        e->ahead = NULL;
        if (!status)
            status = sj_reader_next(e->stream, &e->ahead);
    }
    for (int64_t i = 0; i < n; i++) /* only now do the keys no longer move */
        info[i].key = e->keys + e->key_at[i];
    *got = n;
    return status;
}

int sj_embeddings_block(struct sj_embeddings *e, int64_t most, float *out, struct sj_embedding *info, int64_t *got)
{
    int64_t d = 0;
    int more = 0, status = sj_embeddings_width(e, &d);
    *got = 0;
    if (!status)
        status = find_record(e, &more);
    if (status || !more)
        return status;
    if (!e->file)
        return stream_block(e, most, out, info, got);
    if (sj_embeddings_file_width(e->file) != d)
        return sj_fail(SJ_INPUT, "'%s' has vectors of %lld values, those before have %lld", e->name,
                       (long long)sj_embeddings_file_width(e->file), (long long)d);
    return sj_embeddings_file_block(e->file, most, out, info, got);
}

/* -- comparing ----------------------------------------------------------------------------------------------------- */
static void list_classes(const struct sj_head *h, char *text, size_t size)
{
    snprintf(text, size, "%s", h->classes ? "" : "none");
    for (int i = 0; i < h->classes; i++) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s", i ? ", " : "", h->class_name[i]);
    }
}

int sj_embeddings_match_classes(const struct sj_head *a, const char *a_name, const struct sj_head *b, const char *b_name)
{
    int same = a->classes == b->classes;
    for (int i = 0; i < a->classes && same; i++)
        same = !strcmp(a->class_name[i], b->class_name[i]);
    if (!same) {
        char in_a[256], in_b[256];
        list_classes(a, in_a, sizeof in_a);
        list_classes(b, in_b, sizeof in_b);
        return sj_fail(SJ_INPUT, "'%s' has the classes %s; '%s' has %s", a_name, in_a, b_name, in_b);
    }
    return SJ_OK;
}

int sj_embeddings_match(const struct sj_head *a, const char *a_name, const struct sj_head *b, const char *b_name)
{
    int status = sj_embeddings_match_classes(a, a_name, b, b_name);
    if (status)
        return status;
    const char *of_a = sj_json_get_text(a->params, "model_id"), *of_b = sj_json_get_text(b->params, "model_id");
    if (!!of_a != !!of_b || (of_a && strcmp(of_a, of_b)))
        return sj_fail(SJ_INPUT, "'%s' comes from the model %s; '%s' from %s", a_name, of_a ? of_a : "(none)", b_name,
                       of_b ? of_b : "(none)");
    return SJ_OK;
}

size_t sj_key_track(const char *key)
{
    const char *slash = strrchr(key, '/');
    return slash ? (size_t)(slash - key) : strlen(key);
}
