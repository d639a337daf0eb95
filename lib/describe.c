/* Heads and records as text and as JSON. */
#include "describe.h"

#include <math.h>

enum { BLOCK = 1024 };

struct sj_stats sj_stats_of(enum sj_dtype t, size_t n, const void *data)
{
    struct sj_stats s = {.min = INFINITY, .max = -INFINITY};
    const char *p = data;
    size_t size = sj_dtype_size(t), finite = 0;
    double sum = 0;
    float x[BLOCK];
    for (size_t at = 0, now; at < n; at += now) {
        now = n - at < BLOCK ? n - at : BLOCK;
        sj_dtype_to_f32(t, now, p + at * size, x);
        for (size_t i = 0; i < now; i++) {
            if (!isfinite(x[i])) {
                s.nan += isnan(x[i]);
                s.infinite += isinf(x[i]) != 0;
                continue;
            }
            finite++;
            sum += (double)x[i];
            s.min = fmin(s.min, (double)x[i]);
            s.max = fmax(s.max, (double)x[i]);
        }
    }
    s.mean = sum / (double)finite;
    if (!finite)
        s.min = s.mean = s.max = (double)NAN;
    return s;
}

/* -- text ---------------------------------------------------------------------------------------------------------- */
static void put_escaped(FILE *f, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '\\')
            fputs("\\\\", f);
        else if (c == '\t' || c == '\n' || c == '\r')
            fprintf(f, "\\%c", c == '\t' ? 't' : c == '\n' ? 'n' : 'r');
        else if (c < 32 || c == 127)
            fprintf(f, "\\%03o", (unsigned)c);
        else
            putc(c, f);
    }
}

static const char *class_name(const struct sj_head *head, int class)
{
    return class == SJ_CLASS_NONE ? NULL : head->class_name[class];
}

/* "# NAME JSON" */
static int put_json(FILE *f, const char *name, const sj_json *value)
{
    fprintf(f, "# %s ", name);
    return sj_json_line(f, value);
}

int sj_describe_head(FILE *f, const struct sj_head *head)
{
    fprintf(f, "# %s %s (", head->kind, sj_dtype_name(head->dtype));
    for (int i = 0; i < head->rank; i++)
        fprintf(f, "%s%s", i ? ", " : "", head->dim[i]);
    fputs(")\n", f);
    if (head->classes) {
        fputs("# classes", f);
        for (int i = 0; i < head->classes; i++) {
            putc(' ', f);
            put_escaped(f, head->class_name[i]);
        }
        putc('\n', f);
    }
    int status = sj_json_count(head->params) ? put_json(f, "params", head->params) : SJ_OK;
    for (size_t i = 0; i < sj_json_count(head->provenance) && !status; i++)
        status = put_json(f, "by", sj_json_at(head->provenance, i));
    fputs("key\trole\tclass\tposition\tpart\tlast\tdims\tmin\tmean\tmax\tnan\n", f);
    return status;
}

static void put_values(FILE *f, const struct sj_head *head, const struct sj_record *r)
{
    size_t size = sj_dtype_size(head->dtype), row = r->rank ? (size_t)r->dims[r->rank - 1] : 1;
    const char *p = r->data;
    for (size_t i = 0; i < r->bytes / size; i++) {
        float x;
        sj_dtype_to_f32(head->dtype, 1, p + i * size, &x);
        fprintf(f, "\t%.9g%s", (double)x, i % row == row - 1 ? "\n" : "");
    }
}

int sj_describe_record(FILE *f, const struct sj_head *head, const struct sj_record *r, int values)
{
    struct sj_stats s = sj_stats_of(head->dtype, r->bytes / sj_dtype_size(head->dtype), r->data);
    const char *class = class_name(head, r->class);
    put_escaped(f, r->key);
    fprintf(f, "\t%s\t", sj_role_name(r->role));
    put_escaped(f, class ? class : "-");
    fprintf(f, "\t%lld\t%lu\t%d\t", (long long)r->position, (unsigned long)r->part, r->last);
    for (int i = 0; i < r->rank; i++)
        fprintf(f, "%s%lld", i ? "x" : "", (long long)r->dims[i]);
    fprintf(f, "%s\t%.6g\t%.6g\t%.6g\t%lld\n", r->rank ? "" : "1", s.min, s.mean, s.max, (long long)s.nan);
    if (values)
        put_values(f, head, r);
    return ferror(f) ? sj_fail_errno("cannot write text") : SJ_OK;
}

/* -- JSON ---------------------------------------------------------------------------------------------------------- */
/* Dimension d and those behind it, from *p on. */
static sj_json *nested(const struct sj_head *head, const struct sj_record *r, int d, const char **p)
{
    if (d == r->rank) {
        float x;
        sj_dtype_to_f32(head->dtype, 1, *p, &x);
        *p += sj_dtype_size(head->dtype);
        return sj_json_real((double)x);
    }
    sj_json *list = sj_json_array();
    for (int64_t i = 0; i < r->dims[d]; i++)
        sj_json_append(list, nested(head, r, d + 1, p));
    return list;
}

int sj_describe_json(FILE *f, const struct sj_head *head, const struct sj_record *r, int values)
{
    struct sj_stats s = sj_stats_of(head->dtype, r->bytes / sj_dtype_size(head->dtype), r->data);
    const char *class = class_name(head, r->class), *p = r->data;
    sj_json *o = sj_json_object(), *dims = sj_json_array();
    for (int i = 0; i < r->rank; i++)
        sj_json_append(dims, sj_json_int(r->dims[i]));
    sj_json_set(o, "key", sj_json_string(r->key));
    sj_json_set(o, "role", sj_json_string(sj_role_name(r->role)));
    sj_json_set(o, "class", class ? sj_json_string(class) : sj_json_real((double)NAN));
    sj_json_set(o, "position", sj_json_int(r->position));
    sj_json_set(o, "part", sj_json_int(r->part));
    sj_json_set(o, "last", sj_json_bool(r->last));
    sj_json_set(o, "dims", dims);
    sj_json_set(o, "min", sj_json_real(s.min));
    sj_json_set(o, "mean", sj_json_real(s.mean));
    sj_json_set(o, "max", sj_json_real(s.max));
    sj_json_set(o, "nan", sj_json_int(s.nan));
    if (values)
        sj_json_set(o, "values", nested(head, r, 0, &p));
    int status = sj_json_line(f, o);
    sj_json_free(o);
    return status;
}
