/* Records from several inputs, each opened by what it is. */
#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embeddings.h"
#include "h5.h"
#include "npy.h"

struct sj_source {
    int n, next; /* of the paths: how many, which comes next */
    const char *const *path;
    const char *name, *first_name;
    struct sj_head *head;       /* of the first input */
    struct sj_reader *stream;   /* the open input is one of these three, or none */
    struct sj_embeddings *file;
    struct sj_npy *array;
    int64_t rows_left, row;     /* of the array; of all arrays */
    float *values;              /* of the row */
    char key[24];
    struct sj_record record;
};

static void close_input(struct sj_source *s)
{
    sj_reader_close(s->stream);
    sj_embeddings_close(s->file);
    sj_npy_close(s->array);
    free(s->values);
    s->stream = NULL;
    s->file = NULL;
    s->array = NULL;
    s->values = NULL;
}

static int open_array(struct sj_source *s, struct sj_head **head)
{
    static const char *const dims[] = {"", "vector", "time,vector", "frequency,time,dim"};
    int status = sj_npy_open(s->name, &s->array);
    if (status)
        return status;
    struct sj_record *r = &s->record;
    *r = (struct sj_record){.key = s->key, .role = SJ_ROLE_STEM, .class = SJ_CLASS_NONE, .last = 1};
    r->rank = sj_npy_shape(s->array, r->dims);
    if (r->rank > 3)
        return sj_fail(SJ_INPUT, "'%s' is an array of rank %d; embeddings have rank 2 to 4", s->name, r->rank + 1);
    r->bytes = sizeof *s->values;
    for (int i = 0; i < r->rank; i++)
        r->bytes *= (size_t)r->dims[i];
    if (!(s->values = malloc(r->bytes)))
        return sj_fail(SJ_SYSTEM, "'%s': no memory for a row of %zu bytes", s->name, r->bytes);
    r->data = s->values;
    s->rows_left = sj_npy_rows(s->array);
    return sj_head_new("embed/1", dims[r->rank], SJ_F32, head);
}

static int open_next(struct sj_source *s)
{
    struct sj_head *head = NULL;
    int status;
    close_input(s);
    s->name = s->path[s->next++];
    int standard = !strcmp(s->name, "-");
    if (!standard && sj_npy_is(s->name))
        status = open_array(s, &head);
    else if (!standard && sj_h5_is(s->name))
        status = sj_embeddings_open(1, &s->name, &s->file);
    else
        status = sj_reader_open(1, &s->name, &s->stream);
    if (status)
        return status;
    if (standard)
        s->name = "standard input";
    if (!head && (status = sj_head_copy(s->file ? sj_embeddings_head(s->file) : sj_reader_head(s->stream), &head)))
        return status;
    if (s->head) {
        status = sj_head_same(s->head, s->first_name, head, s->name);
        sj_head_free(head);
        return status;
    }
    s->head = head;
    s->first_name = s->name;
    return SJ_OK;
}

int sj_source_open(int n, const char *const *paths, struct sj_source **out)
{
    static const char *const standard[] = {"-"};
    for (int i = 0; i < n; i++) /* a name misspelt should not be noticed after hours */
        if (strcmp(paths[i], "-") && access(paths[i], R_OK))
            return sj_fail_errno("cannot read '%s'", paths[i]);
    struct sj_source *s = calloc(1, sizeof *s);
    if (!s)
        return sj_fail(SJ_SYSTEM, "no memory");
    s->n = n ? n : 1;
    s->path = n ? paths : standard;
    int status = open_next(s);
    if (status)
        sj_source_close(s);
    else
        *out = s;
    return status;
}

const struct sj_head *sj_source_head(const struct sj_source *s)
{
    return s->head;
}

const char *sj_source_name(const struct sj_source *s)
{
    return s->name;
}

static int next_row(struct sj_source *s, const struct sj_record **record)
{
    *record = NULL;
    if (!s->rows_left)
        return SJ_OK;
    int status = sj_npy_next(s->array, s->values);
    if (status)
        return status;
    snprintf(s->key, sizeof s->key, "%lld", (long long)s->row++);
    s->rows_left--;
    *record = &s->record;
    return SJ_OK;
}

int sj_source_next(struct sj_source *s, const struct sj_record **record)
{
    for (;;) {
        int status = s->stream ? sj_reader_next(s->stream, record)
                     : s->file ? sj_embeddings_next(s->file, record)
                               : next_row(s, record);
        if (status || *record || s->next == s->n)
            return status;
        if ((status = open_next(s)))
            return status;
    }
}

void sj_source_close(struct sj_source *s)
{
    if (!s)
        return;
    close_input(s);
    sj_head_free(s->head);
    free(s);
}
