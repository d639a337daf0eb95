#include "output.h"

#include <stdlib.h>
#include <string.h>

struct sj_output {
    struct sj_writer *stream;
};

int sj_output_open(const char *path, const struct sj_head *head, struct sj_output **out)
{
    struct sj_output *o = calloc(1, sizeof *o);
    if (!o)
        return sj_fail(SJ_SYSTEM, "no memory");
    int status = sj_writer_open(path, head, &o->stream);
    if (status) {
        free(o);
        return status;
    }
    *out = o;
    return SJ_OK;
}

int sj_output_put(struct sj_output *out, const struct sj_record *record)
{
    return sj_writer_put(out->stream, record);
}

int sj_output_end(struct sj_output *out)
{
    int status = sj_writer_end(out->stream);
    free(out);
    return status;
}

void sj_output_abort(struct sj_output *out)
{
    if (!out)
        return;
    sj_writer_abort(out->stream);
    free(out);
}
