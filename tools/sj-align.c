/* sj-align: how well stems fit mixes at every shift.
 *   embed/1 predictions x stems -> sj-align -> TSV or NDJSON;   audio -> sj-align --audio (model.h5) -> the same */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "align.h"
#include "align_audio.h"
#include "align_report.h"
#include "level.h"
#include "pairs.h"
#include "room.h"
#include "sjk.h"
#include "tool.h"
#include "whole.h"

/* NULL or -1 stands for "not given" until check. */
static const char *query, *class_wanted, *model_path;
static int audio, curve, removed = -1;
static double max_lag_s = 32;
static int64_t random_pairs = -1;

static const struct sj_option options[] = {
    {SJ_FILE, 0, "query", &query, 0, "FILE", "the predictions, a stream or an HDF5 file", 0, 0, NULL, "standard input",
     0, NULL},
    {SJ_FLAG, 0, "curve", &curve, 0, NULL, "print the similarity at every shift", 0, 0, NULL, NULL, 0, NULL},
    {SJ_REAL, 0, "max-lag", &max_lag_s, 0, "SECONDS", "the largest shift, to either side", 0, 1e5, NULL, NULL, 0, NULL},
    {SJ_INT, 0, "random", &random_pairs, 0, "N", "pairs of frames of different tracks for the random level", 0, 1e7,
     NULL, "1000", 0, NULL},
    {SJ_CHOICE, 0, "remove", &removed, 0, "WHAT", "from the frames: nothing, what all of a key have in common, or "
     "those at the same place of a chunk", 0, 0, sj_remove_names, "none", 0, NULL},
    {SJ_FLAG, 0, "audio", &audio, 0, NULL, "compare two recordings, MIX and STEM", 0, 0, NULL, NULL, 0, NULL},
    {SJ_TEXT, 0, "class", &class_wanted, 0, "NAME", "with --audio: the class of the stem", 0, 0, NULL,
     "the one that fits best", 0, NULL},
    {SJ_FILE, 'm', "model", &model_path, 0, "FILE", "with --audio: the model", 0, 0, NULL,
     "$SJ_MODEL, then the installed one", 0, NULL},
    {.type = SJ_OPTION_NONE},
};

static int check(struct sj_run *run)
{
    const struct {
        const char *name;
        int given, audio;
    } use[] = {{"--query", query != NULL, 0},
               {"--random", random_pairs >= 0, 0},
               {"--remove", removed >= 0, 0},
               {"--seed", run->seed_given, 0},
               {"--class", class_wanted != NULL, 1},
               {"--model", model_path != NULL, 1},
               {"--backend", strcmp(run->backend, "auto") != 0, 1}};
    int inputs = !audio && !query;
    for (size_t i = 0; i < sizeof use / sizeof *use; i++)
        if (use[i].given && use[i].audio != audio)
            return sj_fail(SJ_USAGE, "%s does nothing %s --audio", use[i].name, audio ? "with" : "without");
    if (audio && run->n != 2)
        return sj_fail(SJ_USAGE, "--audio wants two recordings, a mix and a stem, not %d", run->n);
    inputs += query && !strcmp(query, "-");
    for (int i = 0; i < run->n; i++)
        inputs += !strcmp(run->operand[i], "-");
    if (inputs > 1)
        return sj_fail(SJ_USAGE, "%s cannot both be read from standard input",
                       audio ? "mix and stem" : "predictions and stems");
    random_pairs = random_pairs < 0 ? 1000 : random_pairs;
    removed = removed < 0 ? SJ_REMOVE_NONE : removed;
    return SJ_OK;
}

/* -- embeddings ---------------------------------------------------------------------------------------------------- */

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
    int status = sj_room(&s->line, sizeof *s->line, s->lines, &s->room);
    if (status)
        return status;
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
    int status = sj_pairs_open(query, run->n, run->operand, (enum sj_remove)removed, &s.pairs, &s.report.step_s);
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

/* -- recordings ---------------------------------------------------------------------------------------------------- */

/* The classes to try: the one that was asked for, or all. */
static int choose_classes(const struct sj_config *c, const char *model, int32_t *class, int64_t *classes)
{
    *classes = c->classes;
    for (int32_t i = 0; i < c->classes; i++)
        class[i] = i;
    if (!class_wanted)
        return SJ_OK;
    *classes = 1;
    class[0] = sj_config_class(c, class_wanted);
    if (class[0] != SJ_CLASS_NONE)
        return SJ_OK;
    char list[512] = "";
    for (int64_t i = 0; i < c->classes; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", c->class_name[i]);
    return sj_fail(SJ_USAGE, "--class is '%s', but '%s' knows %s", class_wanted, model, list);
}

static int print_audio(struct sj_listener *l, const struct sj_run *run, const char *model, FILE *f)
{
    const struct sj_config *config = sj_listener_config(l);
    const char *mix = run->operand[0], *stem = run->operand[1];
    struct sj_align_report report = {.f = f, .json = run->json};
    struct sj_curve c = {0};
    int32_t class[SJ_CLASSES];
    int64_t classes, best = 0;
    int status = choose_classes(config, model, class, &classes);
    if (!status)
        status = sj_align_audio(l, mix, stem, classes, class, max_lag_s, run->threads, &c, &best, &report.step_s);
    if (!status) {
        const char *name = config->class_name[class[best]];
        sj_align_report_names(&report, curve);
        status = curve ? sj_align_report_curve(&report, mix, name, &c)
                       : sj_align_report_peak(&report, mix, name, &c, NAN);
    }
    sj_curve_free(&c);
    return status;
}

static int align_audio(const struct sj_run *run, FILE *f)
{
    char path[4096];
    struct sj_model *m = NULL;
    struct sjk *k = NULL;
    struct sj_listener *l = NULL;
    int status = sj_model_path(model_path, path, sizeof path);
    if (!status)
        status = sj_whole_apart(run->output, path);
    if (!status)
        status = sj_model_read(path, &m);
    if (!status)
        status = sj_run_backend(run, &k);
    if (!status)
        status = sj_listener_new(k, m, SJ_PRECISION_AUTO, &l);
    if (!status)
        status = print_audio(l, run, path, f);
    sj_listener_free(l);
    if (k)
        sjk_close(k);
    sj_model_free(m);
    return status;
}

/* -- the program --------------------------------------------------------------------------------------------------- */

static int run(struct sj_run *run)
{
    struct sj_report *r;
    int status = sj_report_open(run, &r);
    return status ? status : sj_report_close(r, (audio ? align_audio : align)(run, sj_report_file(r)));
}

static const struct sj_tool tool = {
    .name = "sj-align",
    .summary = "how well stems fit mixes at every shift in time",
    .operands = "STEMS... | --audio MIX STEM",
    .details = "Compares predictions (sj-predict --pool frame) with stems (sj-embed --pool frame) of the same key\n"
               "and class: the mean cosine of their frames at every shift, and the shift where it is largest.\n"
               "With --audio it says at which offset a recording of a stem fits a mix: what belongs to the mix at\n"
               "time t is in the stem at t + offset.",
    .options = options,
    .common = SJ_TAKES_OUTPUT | SJ_TAKES_THREADS | SJ_TAKES_BACKEND | SJ_TAKES_SEED | SJ_TAKES_JSON,
    .min_operands = 1,
    .max_operands = -1,
    .check = check,
    .run = run,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
