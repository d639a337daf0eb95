#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS = 128 };

/* The options of all tables and groups, flat, each with the address of its variable. */
struct flat {
    int n;
    struct {
        const struct sj_option *o;
        void *value;
    } at[OPTIONS];
};

static void flatten_table(struct flat *f, const struct sj_option *t, char *base)
{
    for (; t->type != SJ_OPTION_NONE; t++) {
        if (t->type == SJ_GROUP) {
            flatten_table(f, t->table, t->value);
        } else if (f->n < OPTIONS) {
            f->at[f->n].o = t;
            f->at[f->n++].value = t->value ? t->value : base + t->offset;
        }
    }
}

static void flatten(struct flat *f, const struct sj_option *const *tables)
{
    f->n = 0;
    for (; *tables; tables++)
        flatten_table(f, *tables, NULL);
}

static int out_of_range(const char *what, const char *text, double min, double max)
{
    if (isinf(max))
        return sj_fail(SJ_USAGE, "%s is '%s', must be at least %.12g", what, text, min);
    return sj_fail(SJ_USAGE, "%s is '%s', must be from %.12g to %.12g", what, text, min, max);
}

int sj_cli_int(const char *what, const char *text, double min, double max, int64_t *value)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end)
        return sj_fail(SJ_USAGE, "%s is '%s', must be a whole number", what, text);
    int limited = min != 0 || max != 0;
    if (errno == ERANGE || (limited && ((double)v < min || (double)v > max)))
        return out_of_range(what, text, limited ? min : -0x1p63, limited ? max : 0x1p63);
    *value = v;
    return SJ_OK;
}

int sj_cli_real(const char *what, const char *text, double min, double max, double *value)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !isfinite(v) || strpbrk(text, "xX")) /* nor 0x10 */
        return sj_fail(SJ_USAGE, "%s is '%s', must be a number", what, text);
    if ((min != 0 || max != 0) && (v < min || v > max))
        return out_of_range(what, text, min, max);
    *value = v;
    return SJ_OK;
}

int sj_cli_reals(const char *what, const char *text, double min, double max, int n, const char *things, double *value)
{
    const char *p = text;
    for (int i = 0; i < n; i++) {
        char one[64];
        size_t length = strcspn(p, ",");
        snprintf(one, sizeof one, "%.*s", (int)length, p);
        int status = sj_cli_real(what, one, min, max, &value[i]);
        if (status)
            return status;
        p += length;
        if ((*p == ',') != (i + 1 < n))
            return sj_fail(SJ_USAGE, "%s is '%s', must have one number for each of the %d %s", what, text, n, things);
        p += *p == ',';
    }
    return SJ_OK;
}

static int choose(const char *what, const struct sj_option *o, const char *text, int *value)
{
    char list[256] = "";
    for (int i = 0; o->choices[i]; i++) {
        if (!strcmp(o->choices[i], text)) {
            *value = i;
            return SJ_OK;
        }
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", o->choices[i]);
    }
    return sj_fail(SJ_USAGE, "%s is '%s', must be one of %s", what, text, list);
}

static int assign(const struct sj_option *o, void *value, const char *text)
{
    char what[64];
    snprintf(what, sizeof what, "--%s", o->name);
    switch (o->type) {
    case SJ_FLAG:
        *(int *)value = 1;
        return SJ_OK;
    case SJ_INT:
        return sj_cli_int(what, text, o->min, o->max, value);
    case SJ_REAL:
        return sj_cli_real(what, text, o->min, o->max, value);
    case SJ_TEXT:
    case SJ_FILE:
        *(const char **)value = text;
        return SJ_OK;
    case SJ_CHOICE:
        return choose(what, o, text, value);
    default:
        return sj_fail(SJ_USAGE, "%s: no such type of option", what);
    }
}

/* getopt_long accepts unique abbreviations, which would change meaning as options are added. */
static int spelled_out(const struct flat *f, const char *arg)
{
    if (strncmp(arg, "--", 2) || !arg[2])
        return 1;
    size_t n = strcspn(arg + 2, "=");
    for (int i = 0; i < f->n; i++)
        if (!strncmp(f->at[i].o->name, arg + 2, n) && !f->at[i].o->name[n])
            return 1;
    return 0;
}

int sj_cli_parse(const struct sj_option *const *tables, int argc, char **argv, int *first)
{
    struct flat f;
    struct option longs[OPTIONS + 1] = {{0}};
    char shorts[2 * OPTIONS + 2] = ":";
    flatten(&f, tables);
    for (int i = 0, s = 1; i < f.n; i++) {
        const struct sj_option *o = f.at[i].o;
        longs[i] = (struct option){o->name, o->type == SJ_FLAG ? no_argument : required_argument, NULL, 256 + i};
        if (o->letter)
            shorts[s++] = o->letter;
        if (o->letter && o->type != SJ_FLAG)
            shorts[s++] = ':';
    }
    opterr = 0;
    optind = 0;
    for (int c; (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        const char *arg = argv[optind - 1];
        if (c == ':')
            return sj_fail(SJ_USAGE, "option '%s' wants a value", arg);
        if (c == '?') {
            if (optopt >= 256)
                return sj_fail(SJ_USAGE, "option '--%s' takes no value", f.at[optopt - 256].o->name);
            if (optopt)
                return sj_fail(SJ_USAGE, "unknown option '-%c' (see --help)", optopt);
            return sj_fail(SJ_USAGE, "unknown option '%s' (see --help)", arg);
        }
        int i = c - 256;
        if (c < 256)
            for (i = 0; f.at[i].o->letter != c;)
                i++;
        else if (!spelled_out(&f, optarg == arg ? argv[optind - 2] : arg))
            return sj_fail(SJ_USAGE, "unknown option '%s' (see --help)", optarg == arg ? argv[optind - 2] : arg);
        int status = assign(f.at[i].o, f.at[i].value, optarg);
        if (status)
            return status;
    }
    *first = optind;
    return SJ_OK;
}

static int is_text(const struct sj_option *o)
{
    return o->type == SJ_TEXT || o->type == SJ_FILE;
}

int sj_cli_files(const struct sj_option *const *tables, int (*visit)(void *arg, const char *name), void *arg)
{
    struct flat f;
    int status = 0;
    flatten(&f, tables);
    for (int i = 0; i < f.n && !status; i++)
        if (f.at[i].o->type == SJ_FILE && *(const char *const *)f.at[i].value)
            status = visit(arg, *(const char *const *)f.at[i].value);
    return status;
}

static void print_default(char *text, size_t size, const struct sj_option *o, const void *value)
{
    text[0] = 0;
    if (o->fallback)
        snprintf(text, size, "%s", o->fallback);
    else if (o->type == SJ_INT)
        snprintf(text, size, "%lld", (long long)*(const int64_t *)value);
    else if (o->type == SJ_REAL)
        snprintf(text, size, "%.10g", *(const double *)value);
    else if (is_text(o) && *(const char *const *)value)
        snprintf(text, size, "%s", *(const char *const *)value);
    else if (o->type == SJ_CHOICE)
        snprintf(text, size, "%s", o->choices[*(const int *)value]);
}

static void print_option(FILE *f, const struct sj_option *o, const void *value)
{
    char head[80], was[64];
    int n = o->letter ? snprintf(head, sizeof head, "  -%c, --%s", o->letter, o->name)
                      : snprintf(head, sizeof head, "      --%s", o->name);
    if (o->type != SJ_FLAG)
        snprintf(head + n, sizeof head - (size_t)n, " %s", o->placeholder);
    fprintf(f, "%-30s%s%s", head, strlen(head) < 30 ? "" : "\n                              ", o->help);
    if (o->type == SJ_CHOICE)
        for (int i = 0; o->choices[i]; i++)
            fprintf(f, "%s%s", i ? ", " : ": ", o->choices[i]);
    if ((o->min != 0 || o->max != 0) && !isinf(o->max))
        fprintf(f, o->type == SJ_INT ? ", %.0f to %.0f" : ", %.12g to %.12g", o->min, o->max);
    print_default(was, sizeof was, o, value);
    fprintf(f, "%s%s%s\n", *was ? " [" : "", was, *was ? "]" : "");
}

void sj_cli_help(FILE *out, const struct sj_option *const *tables)
{
    struct flat f;
    flatten(&f, tables);
    for (int i = 0; i < f.n; i++)
        print_option(out, f.at[i].o, f.at[i].value);
}

sj_json *sj_cli_provenance(const struct sj_option *const *tables)
{
    struct flat f;
    sj_json *json = sj_json_object();
    flatten(&f, tables);
    for (int i = 0; i < f.n; i++) {
        const struct sj_option *o = f.at[i].o;
        const void *v = f.at[i].value;
        if (!o->changes_output)
            continue;
        if (o->type == SJ_FLAG && *(const int *)v)
            sj_json_set(json, o->name, sj_json_bool(1));
        else if (o->type == SJ_INT)
            sj_json_set(json, o->name, sj_json_int(*(const int64_t *)v));
        else if (o->type == SJ_REAL)
            sj_json_set(json, o->name, sj_json_real(*(const double *)v));
        else if (is_text(o) && *(const char *const *)v)
            sj_json_set(json, o->name, sj_json_string(*(const char *const *)v));
        else if (o->type == SJ_CHOICE)
            sj_json_set(json, o->name, sj_json_string(o->choices[*(const int *)v]));
    }
    return json;
}
