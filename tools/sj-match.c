/* sj-match: which stems of an index fit a mix.   .sj, audio -> sj-match (model.h5) -> TSV or NDJSON, preview.wav */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "match.h"
#include "match_report.h"
#include "music_key.h"
#include "preview.h"
#include "sjk.h"
#include "sound.h"
#include "tool.h"
#include "whole.h"

enum { REFINED = 400 };
static const char *classes, *tempo, *keys, *preview, *explain;
static int64_t most = 10, shift = -1, picked = 1, refine = REFINED;
static double stretch_percent = -1, max_lag_s = 32;

static const struct sj_option options[] = {
    {SJ_TEXT, 0, "class", &classes, 0, "NAMES", "only stems of these classes, with commas between", 0, 0, NULL, NULL, 0,
     NULL},
    {SJ_INT, 'k', "neighbours", &most, 0, "N", "how many to list", 1, 1e6, NULL, NULL, 0, NULL},
    {SJ_INT, 0, "refine", &refine, 0, "N", "of so many, those best on average, compare what sounds when as well", 0, 1e6,
     NULL, NULL, 0, NULL},
    {SJ_TEXT, 0, "tempo", &tempo, 0, "LOW,HIGH", "only stems of tempi from LOW to HIGH beats a minute", 0, 0, NULL,
     NULL, 0, NULL},
    {SJ_TEXT, 0, "key", &keys, 0, "KEYS", "only stems in these keys, with commas between", 0, 0, NULL, NULL, 0, NULL},
    {SJ_REAL, 0, "stretch", &stretch_percent, 0, "PERCENT", "only stems whose tempo has to change by no more", 0, 50,
     NULL, "any", 0, NULL},
    {SJ_INT, 0, "shift", &shift, 0, "N", "only stems whose key has to shift by no more semitones", 0, 6, NULL, "any", 0,
     NULL},
    {SJ_REAL, 0, "max-lag", &max_lag_s, 0, "SECONDS", "the largest offset, to either side", 0, 1e5, NULL, NULL, 0,
     NULL},
    {SJ_TEXT, 0, "preview", &preview, 0, "FILE", "write the mix with a stem in it to FILE (WAV)", 0, 0, NULL, NULL, 0,
     NULL},
    {SJ_INT, 0, "pick", &picked, 0, "N", "with --preview: the N-th of the list", 1, 1e6, NULL, NULL, 0, NULL},
    {SJ_TEXT, 0, "explain", &explain, 0, "STEM", "say how STEM fits, instead of a list", 0, 0, NULL, NULL, 0, NULL},
    {.type = SJ_OPTION_NONE},
};

struct work {
    const struct sj_run *run;
    const char *folder, *mix;
    struct sj_shelf shelf;
    struct sj_model *model;
    struct sjk *k;
    struct sj_listener *l;
    struct sj_match_filter filter;
    struct sj_match *match;
    FILE *f;
};

static int check(struct sj_run *run)
{
    if (picked != 1 && !preview)
        return sj_fail(SJ_USAGE, "--pick is for --preview");
    if (picked > most)
        return sj_fail(SJ_USAGE, "--pick %lld is beyond the %lld of the list", (long long)picked, (long long)most);
    if (explain && (refine != REFINED || preview || tempo || keys || shift >= 0 || stretch_percent >= 0))
        return sj_fail(SJ_USAGE, "--explain takes neither --preview, --refine nor filters but --class");
    if (run->output && preview && !strcmp(run->output, preview))
        return sj_fail(SJ_USAGE, "-o and --preview are the same file");
    const size_t n = preview ? strlen(preview) : 0;
    if (preview && (n < 4 || strcasecmp(preview + n - 4, ".wav")))
        return sj_fail(SJ_USAGE, "--preview is '%s', which must end in .wav: it is written as that", preview);
    return sj_whole_apart(preview, run->operand[1]);
}

static int read_filter(struct sj_match_filter *f)
{
    double range[2];
    char text[512], *rest = text, *one;
    int key, status = SJ_OK;
    *f = (struct sj_match_filter){.classes = explain ? NULL : classes, .shift = (int)shift,
                                  .stretch = stretch_percent < 0 ? NAN : stretch_percent / 100};
    if (tempo) {
        if ((status = sj_cli_reals("--tempo", tempo, 1, 1000, 2, "tempi", range)))
            return status;
        if (range[0] > range[1])
            return sj_fail(SJ_USAGE, "--tempo '%s' goes down", tempo);
        f->tempo_low = range[0];
        f->tempo_high = range[1];
    }
    if (!keys)
        return SJ_OK;
    if ((size_t)snprintf(text, sizeof text, "%s", keys) >= sizeof text)
        return sj_fail(SJ_USAGE, "--key is too long");
    while ((one = strsep(&rest, ","))) {
        if (sj_music_key_parse(one, &key))
            return sj_fail(SJ_USAGE, "--key: %s", sj_reason());
        f->key |= 1 << key;
    }
    return SJ_OK;
}

/* The index of a folder: in it, or it. */
static int open_shelf(struct work *w)
{
    char inside[PATH_MAX];
    int found, status;
    snprintf(inside, sizeof inside, "%s/.sj", w->folder);
    status = sj_shelf_read(inside, &w->shelf, &found);
    if (status || found)
        return status;
    sj_shelf_free(&w->shelf);
    status = sj_shelf_read(w->folder, &w->shelf, &found);
    if (!status && !found)
        return sj_fail(SJ_USAGE, "'%s' has no index: make one with sj index", w->folder);
    w->folder = w->shelf.root;
    return status;
}

static int full_path(const struct work *w, const char *name, char **path)
{
    const size_t n = strlen(w->folder);
    const int whole = !strcmp(name, ".");
    const char *slash = whole || (n && w->folder[n - 1] == '/') ? "" : "/";
    const int bytes = asprintf(path, "%s%s%s", w->folder, slash, whole ? "" : name);
    return bytes < 0 ? sj_fail(SJ_SYSTEM, "no memory") : SJ_OK;
}

/* What is written is no stem of the index, nor the index. */
static int is_apart(const struct work *w, const char *written)
{
    const struct sj_shelf *s = &w->shelf;
    char *path = NULL;
    if (!written)
        return SJ_OK;
    int status = asprintf(&path, "%s/index.h5", s->folder) < 0 ? sj_fail(SJ_SYSTEM, "no memory")
                                                               : sj_whole_apart(written, path);
    free(path);
    for (int64_t i = 0; i < s->stems && !status; i++) {
        const struct sj_shelf_stem *stem = &s->stem[i];
        const char *const name[] = {stem->name, s->track[stem->track].path};
        for (int k = 0; k < 2 && !status; k++) {
            path = NULL;
            if (!(status = full_path(w, name[k], &path)))
                status = sj_whole_apart(written, path);
            free(path);
        }
    }
    return status;
}

static int begin(struct work *w)
{
    int status = read_filter(&w->filter);
    if (!status)
        status = sj_match_hear(w->mix, &w->match);
    if (!status)
        status = open_shelf(w);
    if (!status)
        status = is_apart(w, preview);
    if (!status)
        status = is_apart(w, w->run->output);
    if (!status)
        status = sj_model_read(w->shelf.model, &w->model);
    if (!status && strcmp(w->model->id, w->shelf.id))
        status = sj_fail(SJ_INPUT, "the index was made by another model than '%s' is now: renew it with sj index",
                         w->shelf.model);
    if (!status)
        status = sj_run_backend(w->run, &w->k);
    if (!status)
        status = sj_listener_new(w->k, w->model, SJ_PRECISION_AUTO, &w->l);
    return status ? status : sj_match_predict(w->match, w->l, &w->shelf, &w->filter);
}

static void end(struct work *w)
{
    sj_match_close(w->match);
    sj_listener_free(w->l);
    if (w->k)
        sjk_close(w->k);
    sj_model_free(w->model);
    sj_shelf_free(&w->shelf);
}

/* -- the list ------------------------------------------------------------------------------------------------------ */

static double patch_s(const struct work *w)
{
    const struct sj_config *c = &w->model->config;
    return (double)(c->patch * c->mel.hop_samples) / c->mel.sample_rate_hz;
}

static int write_row(struct work *w, int64_t rank, const struct sj_match_row *row)
{
    const struct sj_shelf_stem *s = &w->shelf.stem[row->stem];
    struct sj_match_line line = {.rank = rank, .score = row->score, .class = w->shelf.class_name[row->class],
                                 .offset_s = row->offset_s, .stem = &s->facts, .mix = sj_match_facts(w->match)};
    char *path = NULL;
    int status = full_path(w, s->name, &path);
    line.path = path;
    if (!status && preview && rank == picked)
        status = sj_preview(preview, w->mix, path, patch_s(w), &line.offset_s);
    if (!status)
        status = sj_match_report_line(w->f, w->run->json, &line);
    free(path);
    return status;
}

static int list(struct work *w)
{
    int64_t n;
    struct sj_match_row *row;
    int status = sj_match_rank(w->match, &n, &row);
    if (status)
        return status;
    if (!n)
        return sj_fail(SJ_NO, "no stem of the index passes the filters");
    if (preview && picked > n)
        return sj_fail(SJ_NO, "there are only %lld stems, not %lld", (long long)n, (long long)picked);
    const int64_t heard = refine > most ? refine : most, count = n < heard ? n : heard;
    status = sj_match_place(w->match, count, row, max_lag_s, w->run->threads);
    if (refine && !status)
        sj_match_refine(count, row);
    if (!status)
        sj_match_report_names(w->f, w->run->json);
    for (int64_t i = 0; i < count && i < most && !status; i++)
        status = write_row(w, i + 1, &row[i]);
    return status;
}

/* -- one stem ------------------------------------------------------------------------------------------------------ */

static int explain_stem(struct work *w)
{
    const struct sj_config *c = &w->model->config;
    const char *name[SJ_CLASSES];
    struct sj_match_why why;
    const int class = classes ? sj_config_class(c, classes) : SJ_CLASS_NONE;
    if (classes && class == SJ_CLASS_NONE)
        return sj_fail(SJ_USAGE, "--class is '%s', which the model does not know", classes);
    int status = sj_match_why(w->match, w->l, &w->shelf, explain, sj_match_find(&w->shelf, explain), class, max_lag_s,
                              w->run->threads, &why);
    if (status)
        return status;
    for (int i = 0; i < why.classes; i++)
        name[i] = c->class_name[i];
    const struct sj_match_line line = {.rank = why.rank, .score = why.score, .offset_s = why.offset_s,
                                       .class = c->class_name[why.class], .path = explain, .stem = &why.facts,
                                       .mix = sj_match_facts(w->match)};
    return sj_match_report_why(w->f, w->run->json, &line, name, &why);
}

/* -- the program --------------------------------------------------------------------------------------------------- */

static int run(struct sj_run *r)
{
    struct work w = {.run = r, .folder = r->operand[0], .mix = r->operand[1]};
    struct sj_report *report;
    int status = sj_report_open(r, &report);
    if (status)
        return status;
    w.f = sj_report_file(report);
    status = begin(&w);
    if (!status)
        status = explain ? explain_stem(&w) : list(&w);
    end(&w);
    return sj_report_close(report, status);
}

static const struct sj_tool tool = {
    .name = "sj-match",
    .summary = "which stems of an index fit a mix",
    .operands = "FOLDER MIX",
    .details = "Lists the stems of the index of FOLDER (sj-index) that fit MIX best: score, class, at which offset,\n"
               "tempo and key of both, by how many semitones to shift the stem and how much faster to play it, path.\n"
               "What belongs to the mix at time t is in the stem at t + offset.",
    .options = options,
    .common = SJ_TAKES_OUTPUT | SJ_TAKES_THREADS | SJ_TAKES_BACKEND | SJ_TAKES_JSON,
    .min_operands = 2,
    .max_operands = 2,
    .check = check,
    .run = run,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
