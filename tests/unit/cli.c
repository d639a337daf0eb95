/* Option tables: what parses, what is refused and with which words. */
#include <stddef.h>
#include <stdlib.h>

#include "cli.h"
#include "../tap.h"

struct inner { double rate_hz; };
static const struct sj_option inner_table[] = {
    {.type = SJ_REAL, .name = "rate", .offset = offsetof(struct inner, rate_hz), .placeholder = "HZ", .help = "h", .min = 1, .max = 9,
     .changes_output = 1},
    {.type = SJ_OPTION_NONE}};

struct values { int flag, choice; int64_t n; const char *text; struct inner inner; };

static int parse(struct values *v, int argc, const char *const *argv, int *first)
{
    static const char *const colours[] = {"red", "green", NULL};
    const struct sj_option table[] = {
        {.type = SJ_FLAG, .letter = 'f', .name = "flag", .value = &v->flag, .help = "h", .changes_output = 1},
        {.type = SJ_INT, .letter = 'n', .name = "number", .value = &v->n, .placeholder = "N", .help = "h", .min = 0, .max = 100},
        {.type = SJ_TEXT, .name = "text", .value = &v->text, .placeholder = "T", .help = "h"},
        {.type = SJ_CHOICE, .name = "colour", .value = &v->choice, .placeholder = "C", .help = "h", .choices = colours},
        {.type = SJ_GROUP, .table = inner_table, .value = &v->inner},
        {.type = SJ_OPTION_NONE}};
    const struct sj_option *tables[] = {table, NULL};
    char *args[8] = {(char *)"sj-x"};
    for (int i = 0; i < argc; i++)
        args[i + 1] = (char *)argv[i];
    int status = sj_cli_parse(tables, argc + 1, args, first);
    if (!status) {
        char *text;
        sj_json *p = sj_cli_provenance(tables);
        if (!sj_json_text(p, &text)) {
            ok(strstr(text, "\"rate\"") && !strstr(text, "number"), "provenance holds what changes the output: %s", text);
            free(text);
        }
        sj_json_free(p);
    }
    return status;
}

#define PARSE(v, first, ...) parse(v, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), (const char *[]){__VA_ARGS__}, first)

static void refused(const char *reason, const char *a, const char *b)
{
    struct values v = {.inner = {2}};
    int first;
    int status = b ? PARSE(&v, &first, a, b) : PARSE(&v, &first, a);
    is_int(status, SJ_USAGE, "refused");
    is_text(sj_reason(), reason, a);
}

int main(void)
{
    struct values v = {.inner = {2}};
    int first = 0;
    is_int(PARSE(&v, &first, "-f", "in", "-n7", "--rate=3.5", "--colour", "green"), SJ_OK, "parses");
    ok(v.flag && v.n == 7 && v.inner.rate_hz == 3.5 && v.choice == 1, "letters, values, groups, choices");
    is_int(first, 6, "operands move to the end");
    refused("--number is '101', must be from 0 to 100", "-n", "101");
    refused("--number is '7x', must be a whole number", "--number", "7x");
    refused("--number is '99999999999999999999', must be from 0 to 100", "--number", "99999999999999999999");
    refused("--rate is 'nan', must be a number", "--rate", "nan");
    refused("--colour is 'blue', must be one of red, green", "--colour", "blue");
    refused("unknown option '--nosuch' (see --help)", "--nosuch", NULL);
    refused("unknown option '--numb' (see --help)", "--numb", "3");
    refused("unknown option '-z' (see --help)", "-z", NULL);
    refused("option '--text' wants a value", "--text", NULL);
    refused("option '--flag' takes no value", "--flag=1", NULL);
    return done();
}
