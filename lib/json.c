/* JSON through jansson. */
#include "json.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DUMP_FLAGS = JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17) };

/* Length of the well-formed UTF-8 character at s (no overlong forms, no surrogates), or 0. */
static size_t utf8_length(const unsigned char *s)
{
    static const struct {
        unsigned char first, last, low, high; /* range of the first byte, then of the second */
        size_t length;
    } form[] = {{0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
                {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
                {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (size_t i = 0; i < sizeof form / sizeof *form; i++) {
        if (*s < form[i].first || *s > form[i].last)
            continue;
        if (form[i].length > 1 && (s[1] < form[i].low || s[1] > form[i].high))
            return 0;
        for (size_t k = 2; k < form[i].length; k++)
            if ((s[k] & 0xc0) != 0x80)
                return 0;
        return form[i].length;
    }
    return 0;
}

/* A copy with U+FFFD for every byte that is no UTF-8: file names may be anything, JSON may not. */
static char *repaired(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    char *copy = malloc(3 * strlen(text) + 1), *out = copy;
    while (copy && *s) {
        size_t n = utf8_length(s);
        memcpy(out, n ? (const char *)s : "\xef\xbf\xbd", n ? n : 3);
        out += n ? n : 3;
        s += n ? n : 1;
    }
    if (copy)
        *out = '\0';
    return copy;
}

sj_json *sj_json_object(void) { return json_object(); }

sj_json *sj_json_array(void) { return json_array(); }

sj_json *sj_json_string(const char *text)
{
    json_t *value = json_string(text);
    if (!value && text) {
        char *valid = repaired(text);
        value = json_string(valid);
        free(valid);
    }
    return value;
}

sj_json *sj_json_int(int64_t value) { return json_integer(value); }

sj_json *sj_json_real(double value) { return isfinite(value) ? json_real(value) : json_null(); }

sj_json *sj_json_bool(int value) { return json_boolean(value); }

sj_json *sj_json_keep(const sj_json *value) { return json_incref((json_t *)value); }

sj_json *sj_json_copy(const sj_json *value) { return json_deep_copy(value); }

void sj_json_free(sj_json *value) { json_decref(value); }

int sj_json_set(sj_json *object, const char *key, sj_json *value)
{
    return json_object_set_new(object, key, value) ? sj_fail(SJ_SYSTEM, "no memory for '%s'", key) : SJ_OK;
}

int sj_json_append(sj_json *array, sj_json *value)
{
    return json_array_append_new(array, value) ? sj_fail(SJ_SYSTEM, "no memory for a list") : SJ_OK;
}

const sj_json *sj_json_get(const sj_json *object, const char *key) { return json_object_get(object, key); }

const sj_json *sj_json_at(const sj_json *array, size_t i) { return json_array_get(array, i); }

size_t sj_json_count(const sj_json *value) { return json_array_size(value) + json_object_size(value); }

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int sj_json_each(const sj_json *object, int (*visit)(const char *key, const sj_json *value, void *arg), void *arg)
{
    size_t n = json_object_size(object), i = 0;
    const char **keys = calloc(n + 1, sizeof *keys);
    int stop = keys ? 0 : sj_fail(SJ_SYSTEM, "no memory");
    if (!keys)
        return stop;
    for (void *it = json_object_iter((json_t *)object); it; it = json_object_iter_next((json_t *)object, it))
        keys[i++] = json_object_iter_key(it);
    qsort(keys, n, sizeof *keys, by_bytes);
    for (i = 0; i < n && !stop; i++)
        stop = visit(keys[i], json_object_get(object, keys[i]), arg);
    free(keys);
    return stop;
}

const char *sj_json_as_text(const sj_json *value) { return json_string_value(value); }

const char *sj_json_get_text(const sj_json *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

int sj_json_get_int(const sj_json *object, const char *key, int64_t *value)
{
    const json_t *v = json_object_get(object, key);
    if (json_is_integer(v))
        *value = json_integer_value(v);
    return json_is_integer(v);
}

int sj_json_get_real(const sj_json *object, const char *key, double *value)
{
    const json_t *v = json_object_get(object, key);
    if (json_is_number(v))
        *value = json_number_value(v);
    return json_is_number(v);
}

int sj_json_is_null(const sj_json *value) { return json_is_null(value); }

int sj_json_is_object(const sj_json *value) { return json_is_object(value); }

int sj_json_is_array(const sj_json *value) { return json_is_array(value); }

int sj_json_equal(const sj_json *a, const sj_json *b) { return json_equal(a, b); }

int sj_json_parse(const char *text, size_t size, sj_json **value)
{
    json_error_t e;
    *value = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
    return *value ? SJ_OK : sj_fail(SJ_INPUT, "bad JSON in line %d: %s", e.line, e.text);
}

int sj_json_text(const sj_json *value, char **text)
{
    *text = json_dumps(value, DUMP_FLAGS);
    return *text ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for JSON text");
}

int sj_json_line(FILE *f, const sj_json *value)
{
    char *text = NULL;
    int status = sj_json_text(value, &text);
    if (!status && (fputs(text, f) == EOF || putc('\n', f) == EOF))
        status = sj_fail_errno("cannot write JSON");
    free(text);
    return status;
}
