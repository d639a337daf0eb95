#include "output.h"

#include <stdlib.h>
#include <string.h>

#include "embeddings.h"

/* One of the two is open. */
struct sj_output {
    struct sj_writer *stream;
    struct sj_embeddings_writer *file;
};

static int ends_in_h5(const char *path)
{
    size_t n = path ? strlen(path) : 0;
    return n > 3 && !strcmp(path + n - 3, ".h5");
}

/* An ending that promises another format than a stream's. */
static int ends_in_other(const char *path)
{
    static const char *const other[] = {"npy",    "npz", "wav", "flac", "json",
                                        "ndjson", "tsv", "csv", "txt",  "safetensors"};
    const char *dot = path ? strrchr(path, '.') : NULL;
    for (size_t i = 0; dot && i < sizeof other / sizeof *other; i++)
        if (!strcmp(dot + 1, other[i]))
            return 1;
    return 0;
}

int sj_output_open(const char *path, const struct sj_head *head, struct sj_output **out)
{
    if (ends_in_other(path))
        return sj_fail(SJ_USAGE, "'%s' would hold a stream, not what its ending says: write .sjt or .h5, then "
                       "convert with sj-view", path);
    struct sj_output *o = calloc(1, sizeof *o);
    if (!o)
        return sj_fail(SJ_SYSTEM, "no memory");
    int status = ends_in_h5(path) ? sj_embeddings_create(path, head, &o->file) : sj_writer_open(path, head, &o->stream);
    if (status) {
        free(o);
        return status;
    }
    *out = o;
    return SJ_OK;
}

int sj_output_put(struct sj_output *out, const struct sj_record *record)
{
    return out->file ? sj_embeddings_put(out->file, record) : sj_writer_put(out->stream, record);
}

int sj_output_end(struct sj_output *out)
{
    int status = out->file ? sj_embeddings_commit(out->file) : sj_writer_end(out->stream);
    free(out);
    return status;
}

void sj_output_abort(struct sj_output *out)
{
    if (!out)
        return;
    if (out->file)
        sj_embeddings_abort(out->file);
    else
        sj_writer_abort(out->stream);
    free(out);
}
