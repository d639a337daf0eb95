/* A walk through the groups of an HDF5 file. */
#include "h5_show.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "h5.h"
#include "json.h"

enum { PATH = 1024, DEEP = 32 };

struct walk {
    struct sj_h5 *h;
    FILE *f;
    int json, depth;
    char path[PATH]; /* of the group being listed, with a "/" at its end */
};

static const char *const types[] = {[SJ_H5_F32] = "f32", [SJ_H5_F64] = "f64", [SJ_H5_I16] = "i16", [SJ_H5_I32] = "i32",
                                    [SJ_H5_I64] = "i64", [SJ_H5_U8] = "u8",   [SJ_H5_TEXT] = "text",
                                         [SJ_H5_OTHER] = "other"};

static int show_data(struct walk *w)
{
    enum sj_h5_type type;
    int rank;
    int64_t dims[SJ_H5_RANK];
    int status = sj_h5_shape(w->h, w->path, &type, &rank, dims);
    if (status)
        return status;
    if (!w->json) {
        fprintf(w->f, "%s\t%s\t", w->path, types[type]);
        for (int i = 0; i < rank; i++)
            fprintf(w->f, "%s%lld", i ? "x" : "", (long long)dims[i]);
        fputs(rank ? "\n" : "1\n", w->f);
        return SJ_OK;
    }
    sj_json *o = sj_json_object(), *list = sj_json_array();
    for (int i = 0; i < rank; i++)
        sj_json_append(list, sj_json_int(dims[i]));
    sj_json_set(o, "path", sj_json_string(w->path));
    sj_json_set(o, "type", sj_json_string(types[type]));
    sj_json_set(o, "dims", list);
    status = sj_json_line(w->f, o);
    sj_json_free(o);
    return status;
}

static int show_member(const char *name, int is_group, void *arg)
{
    struct walk *w = arg;
    size_t start = strlen(w->path);
    if (start + strlen(name) + 2 > sizeof w->path || w->depth == DEEP)
        return sj_fail(SJ_INPUT, "'%s' nests too deep at '%s'", sj_h5_path(w->h), w->path);
    snprintf(w->path + start, sizeof w->path - start, "%s%s", name, is_group ? "/" : "");
    w->depth++;
    int status = is_group ? sj_h5_list(w->h, w->path, show_member, w) : show_data(w);
    w->depth--;
    w->path[start] = '\0';
    return status;
}

static int show_attribute(const char *name, void *arg)
{
    struct walk *w = arg;
    char *text = NULL;
    int64_t whole = 0;
    double real = 0;
    sj_json *value;
    if (!sj_h5_get_int(w->h, "/", name, &whole))
        value = sj_json_int(whole);
    else if (!sj_h5_get_real(w->h, "/", name, &real))
        value = sj_json_real(real);
    else if (!sj_h5_get_text(w->h, "/", name, &text))
        value = sj_json_string(text);
    else
        value = sj_json_real((double)NAN); /* of another type: null */
    free(text);
    int status;
    if (w->json) {
        sj_json *o = sj_json_object();
        sj_json_set(o, "attribute", sj_json_string(name));
        sj_json_set(o, "value", value);
        status = sj_json_line(w->f, o);
        sj_json_free(o);
    } else {
        fprintf(w->f, "@%s\t", name);
        status = sj_json_line(w->f, value);
        sj_json_free(value);
    }
    return status;
}

int sj_h5_show(FILE *f, const char *path, int json)
{
    struct walk w = {.f = f, .json = json, .path = "/"};
    int status = sj_h5_open(path, &w.h);
    if (status)
        return status;
    status = sj_h5_list_attrs(w.h, "/", show_attribute, &w);
    if (!status)
        status = sj_h5_list(w.h, "/", show_member, &w);
    sj_h5_close(w.h);
    return status;
}
