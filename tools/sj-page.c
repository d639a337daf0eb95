/* sj-page: pages for a browser.   similarity curves + wave/1, or tables and figures -> sj-page -> HTML */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "curves.h"
#include "page.h"
#include "showing.h"
#include "sounds.h"
#include "tool.h"

static const char *curves, *report;
static int64_t pairs; /* 0: not given */
static double seconds;
enum { PAIRS = 8, SECONDS = 40 };

static const struct sj_option options[] = {
    {SJ_FILE, 0, "curves", &curves, 0, "FILE", "similarity over time shifts, of sj-align --curve: a page of figure 4",
     0, 0, NULL, NULL, 0, NULL},
    {SJ_INT, 'n', "pairs", &pairs, 0, "N", "with --curves: how many pairs get a curve of their own, and sound", 1, 1000,
     NULL, "8", 0, NULL},
    {SJ_REAL, 0, "seconds", &seconds, 0, "SECONDS", "with --curves: length of the sounds", 1, 600, NULL, "40", 0, NULL},
    {SJ_TEXT, 0, "report", &report, 0, "DIR", "all tables and figures in DIR", 0, 0, NULL, NULL, 0, NULL},
    {.type = SJ_OPTION_NONE},
};

static int check(struct sj_run *run)
{
    if (!curves == !report)
        return sj_fail(SJ_USAGE, "wants either --curves or --report");
    if (report && (pairs || seconds > 0 || run->n))
        return sj_fail(SJ_USAGE, "--report takes neither %s", run->n ? "streams nor --curves" : "-n nor --seconds");
    for (int i = 0; curves && !strcmp(curves, "-") && i < (run->n ? run->n : 1); i++)
        if (!run->n || !strcmp(run->operand[i], "-"))
            return sj_fail(SJ_USAGE, "curves and sounds cannot both be read from standard input");
    pairs = pairs ? pairs : PAIRS;
    seconds = seconds > 0 ? seconds : SECONDS;
    return SJ_OK;
}

/* -- figure 4 ------------------------------------------------------------------------------------------------------ */
struct alignment {
    struct sj_curves curves;
    int64_t *chosen, count;
    struct sj_sound *sound; /* (count) */
};

static sj_json *pair_json(const struct alignment *a, int64_t i)
{
    const struct sj_sound *s = &a->sound[i];
    sj_json *o = sj_curves_json(&a->curves, &a->curves.pair[a->chosen[i]]);
    sj_json_set(o, "rate_hz", sj_json_int(s->rate_hz));
    sj_json_set(o, "start_s", sj_json_real((double)s->start / (double)s->rate_hz));
    sj_json_set(o, "seconds", sj_json_real((double)s->samples / (double)s->rate_hz));
    return o;
}

/* What the page's script reads: the curves, and the sounds each in an element of its own, decoded when it is heard. */
static int fill_alignment(FILE *out, void *arg)
{
    const struct alignment *a = arg;
    sj_json *o = sj_json_object(), *list = sj_json_array();
    for (int64_t i = 0; i < a->count; i++)
        sj_json_append(list, pair_json(a, i));
    sj_json_set(o, "pairs", list);
    sj_json_set(o, "pairs_in_all", sj_json_int(a->curves.pairs));
    if (a->curves.all.n)
        sj_json_set(o, "all", sj_curves_json(&a->curves, &a->curves.all));
    if (!isnan(a->curves.random))
        sj_json_set(o, "random", sj_json_real(a->curves.random));
    int status = sj_page_json(out, "curves", o);
    sj_json_free(o);
    for (int64_t i = 0; i < a->count && !status; i++)
        for (int stem = 0; stem < 2; stem++) {
            const int16_t *x = stem ? a->sound[i].stem : a->sound[i].rest;
            fprintf(out, "<script type=\"text/plain\" id=\"%s-%lld\">", stem ? "stem" : "mix", (long long)i);
            sj_page_base64(out, x, (size_t)a->sound[i].samples * sizeof *x); /* little-endian, as all our data */
            fputs("</script>\n", out);
        }
    return status;
}

static int read_alignment(const struct sj_run *run, struct alignment *a)
{
    int status = sj_curves_read(curves, &a->curves);
    if (status)
        return status;
    a->chosen = calloc((size_t)pairs, sizeof *a->chosen);
    a->sound = calloc((size_t)pairs, sizeof *a->sound);
    if (!a->chosen || !a->sound)
        return sj_fail(SJ_SYSTEM, "no memory");
    if ((status = sj_curves_choose(&a->curves, pairs, a->chosen, &a->count)))
        return status;
    for (int64_t i = 0; i < a->count; i++) {
        a->sound[i].key = a->curves.pair[a->chosen[i]].query;
        a->sound[i].class = a->curves.pair[a->chosen[i]].class;
    }
    return sj_sounds_read(run->n, run->operand, seconds, a->count, a->sound);
}

static int write_alignment(const struct sj_run *run, FILE *out)
{
    struct alignment a = {0};
    int status = read_alignment(run, &a);
    if (!status)
        status = sj_page_write(out, "alignment", fill_alignment, &a);
    if (a.sound)
        sj_sounds_free(a.count, a.sound);
    free(a.sound);
    free(a.chosen);
    sj_curves_free(&a.curves);
    return status;
}

/* -- the program --------------------------------------------------------------------------------------------------- */
static int fill_report(FILE *out, void *arg)
{
    return sj_showing_write(out, arg);
}

static int write_report(const struct sj_run *run, FILE *out)
{
    struct sj_showing *s;
    int status = sj_showing_open(report, run->output, &s);
    if (status)
        return status;
    status = sj_page_write(out, "report", fill_report, s);
    sj_showing_close(s);
    return status;
}

static int run(struct sj_run *run)
{
    struct sj_report *r;
    int status = sj_report_open(run, &r);
    if (status)
        return status;
    FILE *out = sj_report_file(r);
    status = curves ? write_alignment(run, out) : write_report(run, out);
    return sj_report_close(r, status);
}

static const struct sj_tool tool = {
    .name = "sj-page",
    .summary = "pages for a browser, of curves with sound, or of tables and figures",
    .operands = "[FILE...]",
    .details = "--curves makes the interactive figure 4 of the curves and of wave/1 streams with the stems and rests\n"
               "that they speak of (sj-chunk --stems --mixes); --report gathers the tables and figures of a folder.\n"
               "A page is one file, works from the file system and asks nothing of the network.",
    .options = options,
    .common = SJ_TAKES_OUTPUT,
    .min_operands = 0,
    .max_operands = -1,
    .check = check,
    .run = run,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
