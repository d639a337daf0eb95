/* JSON values: canonical text, parsing and its refusals, borrowed and kept references. */
#include "json.h"

#include <stdlib.h>

#include "tests/tap.h"

static void is_json(sj_json *value, const char *want, const char *name)
{
    char *text = NULL;
    ok(!sj_json_text(value, &text), "%s has a text", name);
    is_text(text, want, name);
    free(text);
    sj_json_free(value);
}

static void values(void)
{
    is_json(sj_json_int(INT64_MIN), "-9223372036854775808", "the least integer");
    is_json(sj_json_real(0.1), "0.10000000000000001", "17 digits");
    is_json(sj_json_real(2), "2.0", "a whole real stays a real");
    is_json(sj_json_real((double)NAN), "null", "NaN");
    is_json(sj_json_real((double)INFINITY), "null", "infinity");
    is_json(sj_json_bool(7), "true", "a truth");
    is_json(sj_json_string("a\"\n\xc3\xa9"), "\"a\\\"\\n\xc3\xa9\"", "quotes, line ends, UTF-8");
    is_json(sj_json_string("a\xff\xc3\xa9\xed\xa0\x80z\xf0\x9f\x8e\xb5\xc3"),
            "\"a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xf0\x9f\x8e\xb5\xef\xbf\xbd\"",
            "bytes that are no UTF-8");
    char *text = NULL;
    is_int(sj_json_text(NULL, &text), SJ_SYSTEM, "no value, no text");
}

static int note_key(const char *key, const sj_json *value, void *arg)
{
    (void)value;
    strcat(arg, key);
    return strcmp(key, "k") ? 0 : 5;
}

static void objects(void)
{
    sj_json *o = sj_json_object(), *list = sj_json_array();
    for (const char *k = "zkab"; *k; k++)
        sj_json_set(o, (char[]){*k, 0}, sj_json_int(*k));
    sj_json_append(list, sj_json_real(1.5));
    sj_json_append(list, sj_json_string("x"));
    sj_json_set(o, "list", list);
    char keys[16] = "";
    is_int(sj_json_each(o, note_key, keys), 5, "a visit that stops");
    is_text(keys, "abk", "keys in byte order");
    int64_t i = 0;
    double r = 0;
    ok(sj_json_get_int(o, "a", &i) && i == 'a', "an integer");
    ok(sj_json_get_real(o, "b", &r) && r == 'b', "an integer as a real");
    ok(!sj_json_get_int(o, "list", &i) && !sj_json_get_int(o, "?", &i) && !sj_json_get_int(NULL, "a", &i),
       "no integer");
    ok(!sj_json_get_text(o, "a") && !sj_json_as_text(sj_json_at(list, 0)), "no text");
    is_text(sj_json_as_text(sj_json_at(list, 1)), "x", "a text in a list");
    ok(sj_json_count(o) == 5 && sj_json_count(list) == 2 && !sj_json_count(NULL) && !sj_json_at(list, 2),
       "counts and ends");
    ok(sj_json_set(o, "none", NULL) == SJ_SYSTEM && sj_json_append(list, NULL) == SJ_SYSTEM, "nothing cannot be put");
    sj_json *again = sj_json_keep(list);
    is_json(o, "{\"a\":97,\"b\":98,\"k\":107,\"list\":[1.5,\"x\"],\"z\":122}", "keys sorted");
    is_json(again, "[1.5,\"x\"]", "a kept value outlives its owner");
}

static void parsing(void)
{
    static const char *const bad[] = {"", "{", "{\"a\":1,\"a\":2}", "[1] 2", "[1,]", "nan", "{\"a\":\"\xff\"}",
                                      "\"\\u0000\"",
                                      "99999999999999999999", "1e999"};
    sj_json *a = NULL, *b = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        is_int(sj_json_parse(bad[i], strlen(bad[i]), &a), SJ_INPUT, bad[i]);
    ok(!sj_json_parse("[1,{\"x\":0.1}] junk", 13, &a), "parses as many bytes as told");
    char *text = NULL;
    ok(!sj_json_text(a, &text) && !sj_json_parse(text, strlen(text), &b) && sj_json_equal(a, b), "text and back");
    ok(!sj_json_equal(a, sj_json_at(a, 0)), "different values");
    free(text);
    sj_json_free(a);
    sj_json_free(b);
    char deep[6000];
    memset(deep, '[', sizeof deep);
    is_int(sj_json_parse(deep, sizeof deep, &a), SJ_INPUT, "nested too deep");
}

static void line(void)
{
    FILE *full = fopen("/dev/full", "w");
    sj_json *value = sj_json_int(1);
    if (!full) {
        skip("a line to a full device", "no /dev/full");
    } else {
        setbuf(full, NULL);
        is_int(sj_json_line(full, value), SJ_SYSTEM, "a line to a full device");
        fclose(full);
    }
    sj_json_free(value);
}

int main(void)
{
    values();
    objects();
    parsing();
    line();
    return done();
}
