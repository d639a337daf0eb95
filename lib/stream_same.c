/* Whether two heads say the same, and if not, where they first differ. */
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 256 };

/* The first difference found: where ("params.mean"), and the two values (NULL: absent). */
struct difference {
    const sj_json *a, *b;
    char where[SIZE];
};

static int compare(const sj_json *a, const sj_json *b, struct difference *d, const char *step);

static int compare_member(const char *key, const sj_json *value, void *arg)
{
    struct difference *d = arg;
    char step[64];
    snprintf(step, sizeof step, ".%.60s", key);
    (void)value;
    return compare(sj_json_get(d->a, key), sj_json_get(d->b, key), d, step);
}

/* 1 and *d filled in when a and b differ; d->where is extended by `step` only then. */
static int compare(const sj_json *a, const sj_json *b, struct difference *d, const char *step)
{
    if (a && b && sj_json_equal(a, b))
        return 0;
    size_t used = strlen(d->where);
    snprintf(d->where + used, SIZE - used, "%s", step);
    d->a = a;
    d->b = b;
    if (sj_json_is_object(a) && sj_json_is_object(b))
        return sj_json_each(a, compare_member, d) || sj_json_each(b, compare_member, d) || 1;
    if (!sj_json_is_array(a) || !sj_json_is_array(b) || sj_json_count(a) != sj_json_count(b))
        return 1;
    for (size_t i = 0; i < sj_json_count(a); i++) {
        char index[32];
        snprintf(index, sizeof index, "[%zu]", i);
        if (compare(sj_json_at(a, i), sj_json_at(b, i), d, index))
            break;
    }
    return 1;
}

static char *text_of(const sj_json *value)
{
    char *text = NULL;
    if (value && sj_json_text(value, &text))
        return NULL;
    return value ? text : strdup("absent");
}

int sj_head_same(const struct sj_head *a, const char *name_a, const struct sj_head *b, const char *name_b)
{
    static const char *const order[] = {"kind", "dims", "dtype", "classes", "params", "provenance"};
    sj_json *ja = NULL, *jb = NULL;
    struct difference d = {.where = ""};
    int status = sj_head_to_json(a, &ja), different = 0;
    if (!status)
        status = sj_head_to_json(b, &jb);
    for (size_t i = 0; i < sizeof order / sizeof *order && !status && !different; i++)
        different = compare(sj_json_get(ja, order[i]), sj_json_get(jb, order[i]), &d, order[i]);
    if (different) {
        char *was = text_of(d.a), *is = text_of(d.b);
        status = sj_fail(SJ_INPUT, "'%s' does not go with '%s': %s is %.80s, not %.80s", name_b, name_a, d.where,
                         is ? is : "?", was ? was : "?");
        free(was);
        free(is);
    }
    sj_json_free(ja);
    sj_json_free(jb);
    return status;
}
