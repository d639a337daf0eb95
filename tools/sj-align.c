/* sj-align: how well stems fit mixes at every shift.   embed/1 predictions x stems -> sj-align -> TSV or NDJSON */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "align.h"
#include "align_report.h"
#include "level.h"
#include "pairs.h"
#include "tool.h"

static const char *query;
static int curve;
static double max_lag_s = 32;
static int64_t random_pairs = 1000;

static const struct sj_option options[] = {
    {SJ_TEXT, 0, "query", &query, 0, "FILE", "the predictions, a stream or an HDF5 file", 0, 0, NULL, "standard input",
     0, NULL},
    {SJ_FLAG, 0, "curve", &curve, 0, NULL, "print the similarity at every shift", 0, 0, NULL, NULL, 0, NULL},
    {SJ_REAL, 0, "max-lag", &max_lag_s, 0, "SECONDS", "the largest shift, to either side", 0, 1e5, NULL, NULL, 0, NULL},
    {SJ_INT, 0, "random", &random_pairs, 0, "N", "pairs of frames of different tracks for the random level", 0, 1e7,
     NULL, NULL, 0, NULL},
    {.type = SJ_OPTION_NONE},
};

static int check(struct sj_run *run)
{
    int inputs = !query || !strcmp(query, "-");
    for (int i = 0; i < run->n; i++)
        inputs += !strcmp(run->operand[i], "-");
    return inputs > 1 ? sj_fail(SJ_USAGE, "predictions and stems cannot both be read from standard input") : SJ_OK;
}

/* A pair whose line waits for the random level. */
struct line {
    char *key;
    int class;
    struct sj_curve curve;
};

struct state {
    const struct sj_run *run;
    struct sj_pairs *pairs;
    struct sj_align_report report;
    struct sj_curve all;
    struct sj_level *level;
    struct line *line;
    int64_t lines, room;
};

static const char *class_name(const struct state *s, int class)
{
    return class == SJ_CLASS_NONE ? NULL : sj_pairs_head(s->pairs)->class_name[class];
}

/* A line that is empty yet, behind the others. */
static int add_line(struct state *s, const struct sj_sequence *q)
{
    if (s->lines == s->room) {
        const int64_t room = 2 * s->room + 64;
        struct line *more = realloc(s->line, (size_t)room * sizeof *more);
        if (!more)
            return sj_fail(SJ_SYSTEM, "no memory for %lld pairs", (long long)room);
        s->line = more;
        s->room = room;
    }
    struct line *l = &s->line[s->lines];
    *l = (struct line){.key = strdup(q->key), .class = q->class};
    if (!l->key)
        return sj_fail(SJ_SYSTEM, "no memory");
    s->lines++;
    return sj_curve_new(s->all.lags, &l->curve);
}

static int use_pair(struct state *s, const struct sj_sequence *q, const struct sj_sequence *stem)
{
    int status = add_line(s, q);
    if (status)
        return status;
    struct line *l = &s->line[s->lines - 1];
    status = sj_align_curve(stem->rows, stem->value, q->rows, q->value, q->d, s->run->threads, &l->curve);
    if (status)
        return status;
    sj_curve_add(&s->all, &l->curve);
    return sj_level_add(s->level, q, stem);
}

static int read_pairs(struct state *s)
{
    const struct sj_sequence *q, *stem;
    int status;
    while (!(status = sj_pairs_next(s->pairs, &q, &stem)) && q)
        if ((status = use_pair(s, q, stem)))
            break;
    return status;
}

static int print_lines(struct state *s)
{
    int64_t pairs;
    const double level = sj_level_mean(s->level, &pairs);
    const struct line all = {.key = (char[]){"all"}, .class = SJ_CLASS_NONE, .curve = s->all};
    int status = SJ_OK;
    sj_align_report_names(&s->report, curve);
    for (int64_t i = 0; i <= s->lines && !status; i++) {
        const struct line *l = i < s->lines ? &s->line[i] : &all;
        const char *class = class_name(s, l->class);
        status = curve ? sj_align_report_curve(&s->report, l->key, class, &l->curve)
                       : sj_align_report_peak(&s->report, l->key, class, &l->curve, level);
    }
    return curve && !status ? sj_align_report_level(&s->report, level, pairs) : status;
}

static int align(const struct sj_run *run, FILE *f)
{
    struct state s = {.run = run, .report = {.f = f, .json = run->json}};
    int status = sj_pairs_open(query, run->n, run->operand, &s.pairs, &s.report.step_s);
    if (!status)
        status = sj_curve_new((int64_t)floor(max_lag_s / s.report.step_s + 1e-9), &s.all);
    if (!status)
        status = sj_level_new(random_pairs, (uint64_t)run->seed, &s.level);
    if (!status)
        status = read_pairs(&s);
    if (!status)
        status = print_lines(&s);
    for (int64_t i = 0; i < s.lines; i++) {
        free(s.line[i].key);
        sj_curve_free(&s.line[i].curve);
    }
    free(s.line);
    sj_level_free(s.level);
    sj_curve_free(&s.all);
    sj_pairs_close(s.pairs);
    return status;
}

static int run(struct sj_run *run)
{
    struct sj_report *r;
    int status = sj_report_open(run, &r);
    return status ? status : sj_report_close(r, align(run, sj_report_file(r)));
}

static const struct sj_tool tool = {
    .name = "sj-align",
    .summary = "how well stems fit mixes at every shift in time",
    .operands = "STEMS...",
    .details = "Compares predictions (sj-predict --pool frame) with stems (sj-embed --pool frame) of the same key and\n"
               "class: the mean cosine of their frames at every shift, and the shift where it is largest.",
    .options = options,
    .common = SJ_TAKES_OUTPUT | SJ_TAKES_THREADS | SJ_TAKES_SEED | SJ_TAKES_JSON,
    .min_operands = 1,
    .max_operands = -1,
    .check = check,
    .run = run,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
