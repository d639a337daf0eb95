/* json: JSON values for stream heads, provenance, reports and logs. The only user of jansson.h.
 *
 * Values are reference counted: functions that return a new value give the caller one reference (sj_json_free releases
 * it); sj_json_get borrows; set and append take over the reference given to them, also on failure. Where memory ends,
 * the functions that make values return NULL, which every function here accepts: set and append then return SJ_SYSTEM
 * and sj_json_text(NULL) does. */
#ifndef SJ_JSON_H
#define SJ_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "err.h"

struct json_t;
typedef struct json_t sj_json;

sj_json *sj_json_object(void);
sj_json *sj_json_array(void);
sj_json *sj_json_string(const char *text); /* bytes that are no UTF-8 become U+FFFD */
sj_json *sj_json_int(int64_t value);
int sj_json_is_null(const sj_json *value); /* the value null; NULL is none */
sj_json *sj_json_real(double value);       /* NaN and infinity, which JSON lacks, become null */
sj_json *sj_json_bool(int value);
sj_json *sj_json_keep(const sj_json *value); /* one more reference */
sj_json *sj_json_copy(const sj_json *value); /* a new value, members too */
void sj_json_free(sj_json *value);

int sj_json_set(sj_json *object, const char *key, sj_json *value); /* key in UTF-8 */
int sj_json_append(sj_json *array, sj_json *value);

const sj_json *sj_json_get(const sj_json *object, const char *key); /* NULL when absent */
const sj_json *sj_json_at(const sj_json *array, size_t i);          /* NULL past the end */
size_t sj_json_count(const sj_json *array_or_object);               /* 0 for anything else */
/* Calls visit(key, value, arg) for each member, keys in byte order; stops at non-zero and returns it. */
int sj_json_each(const sj_json *object, int (*visit)(const char *key, const sj_json *value, void *arg), void *arg);
const char *sj_json_get_text(const sj_json *object, const char *key);        /* NULL when absent or no string */
const char *sj_json_as_text(const sj_json *value);                             /* NULL when no string */
int sj_json_get_int(const sj_json *object, const char *key, int64_t *value); /* 1 found (an integer), else 0 */
int sj_json_get_real(const sj_json *object, const char *key, double *value); /* 1 found (any number), else 0 */
int sj_json_is_object(const sj_json *value);
int sj_json_is_array(const sj_json *value);
int sj_json_equal(const sj_json *a, const sj_json *b);

/* Parses `size` bytes (no NUL needed). SJ_INPUT with line and reason; duplicate keys and trailing text are errors. */
int sj_json_parse(const char *text, size_t size, sj_json **value);
/* Canonical text: compact, keys sorted, reals with 17 digits. Owned by the caller (free). */
int sj_json_text(const sj_json *value, char **text);
/* The same, as one line to f; SJ_SYSTEM when f cannot be written; buffered errors show in ferror(f). */
int sj_json_line(FILE *f, const sj_json *value);

#endif
