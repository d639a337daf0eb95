/* Heads of streams: made, copied, compared, to JSON and back. */
#include "stream.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "wave/1": a name, a version. */
static int is_kind(const char *kind)
{
    size_t name = strspn(kind, "abcdefghijklmnopqrstuvwxyz_"), version = 0;
    if (name && kind[name] == '/')
        version = strspn(kind + name + 1, "0123456789");
    return version && !kind[name + 1 + version] && name + 1 + version < sizeof ((struct sj_head *)0)->kind;
}

static int set_kind(struct sj_head *head, const char *kind, int status)
{
    if (!kind || !is_kind(kind))
        return sj_fail(status, "'%.40s' is no kind of record: NAME/VERSION", kind ? kind : "");
    snprintf(head->kind, sizeof head->kind, "%s", kind);
    return SJ_OK;
}

/* Appends one dimension: `size` characters of name. */
static int add_dim(struct sj_head *head, const char *name, size_t size, int status)
{
    if (head->rank == SJ_RANK)
        return sj_fail(status, "more than %d dimensions", SJ_RANK);
    int valid = size > 0 && size < sizeof head->dim[0];
    for (size_t i = 0; valid && i < size; i++)
        valid = islower((unsigned char)name[i]) || isdigit((unsigned char)name[i]) || name[i] == '_';
    if (!valid)
        return sj_fail(status, "'%.*s' is no name of a dimension", (int)(size < 40 ? size : 40), name);
    memcpy(head->dim[head->rank], name, size);
    head->dim[head->rank++][size] = '\0';
    return SJ_OK;
}

static int head_alloc(struct sj_head **head)
{
    *head = calloc(1, sizeof **head);
    return *head ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for a head");
}

int sj_head_new(const char *kind, const char *dims, enum sj_dtype dtype, struct sj_head **out)
{
    struct sj_head *head;
    int status = head_alloc(&head);
    if (status)
        return status;
    if ((status = set_kind(head, kind, SJ_USAGE)))
        goto failed;
    for (const char *p = dims, *end; *dims && p; p = *end ? end + 1 : NULL) {
        end = p + strcspn(p, ",");
        if ((status = add_dim(head, p, (size_t)(end - p), SJ_USAGE)))
            goto failed;
    }
    head->dtype = dtype;
    if (!sj_dtype_name(dtype)) {
        status = sj_fail(SJ_USAGE, "element type %d is unknown", (int)dtype);
        goto failed;
    }
    head->params = sj_json_object();
    head->provenance = sj_json_array();
    if (!head->params || !head->provenance) {
        status = sj_fail(SJ_SYSTEM, "no memory for a head");
        goto failed;
    }
    *out = head;
    return SJ_OK;
failed:
    sj_head_free(head);
    return status;
}

static void free_classes(struct sj_head *head)
{
    for (int i = 0; i < head->classes; i++)
        free((char *)head->class_name[i]);
    head->classes = 0;
}

void sj_head_free(struct sj_head *head)
{
    if (!head)
        return;
    free_classes(head);
    sj_json_free(head->params);
    sj_json_free(head->provenance);
    free(head);
}

static int is_utf8(const char *text)
{
    sj_json *json = sj_json_string(text);
    int same = json && !strcmp(sj_json_as_text(json), text);
    sj_json_free(json);
    return same;
}

int sj_head_set_classes(struct sj_head *head, int n, const char *const *names)
{
    if (n < 0 || n > SJ_CLASSES)
        return sj_fail(SJ_INPUT, "%d classes; %d are allowed", n, SJ_CLASSES);
    for (int i = 0; i < n; i++) {
        if (!names[i] || !*names[i] || !is_utf8(names[i]))
            return sj_fail(SJ_INPUT, "class %d has no proper name", i);
        for (int k = 0; k < i; k++)
            if (!strcmp(names[i], names[k]))
                return sj_fail(SJ_INPUT, "class '%s' is named twice", names[i]);
    }
    char *copy[SJ_CLASSES];
    for (int i = 0; i < n; i++) {
        if (!(copy[i] = strdup(names[i]))) {
            while (i--)
                free(copy[i]);
            return sj_fail(SJ_SYSTEM, "no memory for class names");
        }
    }
    free_classes(head); /* only now: names may be the head's own */
    for (int i = 0; i < n; i++)
        head->class_name[i] = copy[i];
    head->classes = n;
    return SJ_OK;
}

int sj_head_class(const struct sj_head *head, const char *name)
{
    for (int i = 0; i < head->classes; i++)
        if (!strcmp(head->class_name[i], name))
            return i;
    return SJ_CLASS_NONE;
}

int sj_head_copy(const struct sj_head *from, struct sj_head **to)
{
    struct sj_head *head;
    int status = head_alloc(&head);
    if (status)
        return status;
    *head = *from;
    head->classes = 0;
    head->params = sj_json_copy(from->params);
    head->provenance = sj_json_copy(from->provenance);
    if (!head->params || !head->provenance)
        status = sj_fail(SJ_SYSTEM, "no memory for a head");
    if (!status)
        status = sj_head_set_classes(head, from->classes, from->class_name);
    if (status)
        sj_head_free(head);
    else
        *to = head;
    return status;
}

int sj_head_want(const struct sj_head *head, const char *name, const char *kind)
{
    if (strcmp(head->kind, kind))
        return sj_fail(SJ_INPUT, "'%s' carries '%s' where '%s' is wanted", name, head->kind, kind);
    return SJ_OK;
}

int sj_head_int(const struct sj_head *head, const char *param, int64_t *value)
{
    if (!sj_json_get_int(head->params, param, value))
        return sj_fail(SJ_INPUT, "the head of this '%s' stream lacks the whole number '%s'", head->kind, param);
    return SJ_OK;
}

int sj_head_real(const struct sj_head *head, const char *param, double *value)
{
    if (!sj_json_get_real(head->params, param, value))
        return sj_fail(SJ_INPUT, "the head of this '%s' stream lacks the number '%s'", head->kind, param);
    return SJ_OK;
}

int sj_head_to_json(const struct sj_head *head, sj_json **json)
{
    sj_json *o = sj_json_object(), *dims = sj_json_array(), *classes = sj_json_array();
    int status = SJ_OK;
    for (int i = 0; i < head->rank && !status; i++)
        status = sj_json_append(dims, sj_json_string(head->dim[i]));
    for (int i = 0; i < head->classes && !status; i++)
        status = sj_json_append(classes, sj_json_string(head->class_name[i]));
    status |= sj_json_set(o, "dims", dims) | sj_json_set(o, "classes", classes);
    status |= sj_json_set(o, "kind", sj_json_string(head->kind));
    status |= sj_json_set(o, "dtype", sj_json_string(sj_dtype_name(head->dtype)));
    status |= sj_json_set(o, "params", sj_json_copy(head->params));
    status |= sj_json_set(o, "provenance", sj_json_copy(head->provenance));
    if (status)
        sj_json_free(o);
    else
        *json = o;
    return status;
}

static const char *const members[] = {"kind", "dims", "dtype", "classes", "params", "provenance"};
enum { MEMBERS = sizeof members / sizeof *members };

static int known_member(const char *key, const sj_json *value, void *arg)
{
    (void)value, (void)arg;
    for (int i = 0; i < MEMBERS; i++)
        if (!strcmp(members[i], key))
            return SJ_OK;
    return sj_fail(SJ_INPUT, "unknown member '%.40s'", key);
}

static int check_members(const sj_json *json)
{
    for (int i = 0; i < MEMBERS; i++)
        if (!sj_json_get(json, members[i]))
            return sj_fail(SJ_INPUT, "no member '%s'", members[i]);
    if (!sj_json_is_array(sj_json_get(json, "dims")) || !sj_json_is_array(sj_json_get(json, "classes")) ||
        !sj_json_is_array(sj_json_get(json, "provenance")) || !sj_json_is_object(sj_json_get(json, "params")))
        return sj_fail(SJ_INPUT, "'dims', 'classes' and 'provenance' must be lists and 'params' an object");
    return sj_json_each(json, known_member, NULL);
}

static int read_classes(const sj_json *list, struct sj_head *head)
{
    const char *names[SJ_CLASSES];
    size_t n = sj_json_count(list);
    if (n > SJ_CLASSES)
        return sj_fail(SJ_INPUT, "%zu classes; %d are allowed", n, SJ_CLASSES);
    for (size_t i = 0; i < n; i++)
        names[i] = sj_json_as_text(sj_json_at(list, i));
    return sj_head_set_classes(head, (int)n, names);
}

int sj_head_from_json(const sj_json *json, struct sj_head **out)
{
    struct sj_head *head;
    int status = head_alloc(&head);
    if (status)
        return status;
    const sj_json *dims = sj_json_get(json, "dims");
    const char *dtype = sj_json_get_text(json, "dtype");
    if ((status = check_members(json)) || (status = set_kind(head, sj_json_get_text(json, "kind"), SJ_INPUT)))
        goto failed;
    for (size_t i = 0; i < sj_json_count(dims) && !status; i++) {
        const char *name = sj_json_as_text(sj_json_at(dims, i));
        status = add_dim(head, name ? name : "", name ? strlen(name) : 0, SJ_INPUT);
    }
    if (status || (status = read_classes(sj_json_get(json, "classes"), head)))
        goto failed;
    if (!dtype || sj_dtype_parse(dtype, &head->dtype)) {
        status = sj_fail(SJ_INPUT, "'%.40s' is no element type", dtype ? dtype : "");
        goto failed;
    }
    head->params = sj_json_copy(sj_json_get(json, "params"));
    head->provenance = sj_json_copy(sj_json_get(json, "provenance"));
    if (!head->params || !head->provenance) {
        status = sj_fail(SJ_SYSTEM, "no memory for a head");
        goto failed;
    }
    *out = head;
    return SJ_OK;
failed:
    sj_head_free(head);
    return status;
}
