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

static const char *classes, *tempo, *keys, *preview, *explain;
static int64_t most = 10, shift = -1, picked = 1, refine = 100;
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
    if (explain && (refine != 100 || preview || tempo || keys || shift >= 0 || stretch_percent >= 0))
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

/* Where a stem fits. */
static int find_offset(struct work *w, struct sj_match_row *row)
{
    const struct sj_shelf_stem *s = &w->shelf.stem[row->stem];
    float *frames = NULL;
    int status = sj_shelf_frames(&w->shelf, s, &frames);
    if (!status)
        status = sj_match_offset(w->match, s->rows, frames, row->class, max_lag_s, w->run->threads, &row->offset_s,
                                 &row->similarity);
    free(frames);
    return status;
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
    for (int64_t i = 0; i < count && !status; i++)
        status = find_offset(w, &row[i]);
    if (refine && !status)
        sj_match_refine(count, row);
    if (!status)
        sj_match_report_names(w->f, w->run->json);
    for (int64_t i = 0; i < count && i < most && !status; i++)
        status = write_row(w, i + 1, &row[i]);
    return status;
}

/* -- one stem ------------------------------------------------------------------------------------------------------ */

/* The number of the stem at a path, or -1: it is not in the index. */
static int64_t find_stem(const struct work *w, const char *path)
{
    char real[PATH_MAX], part[PATH_MAX], *colon;
    snprintf(part, sizeof part, "%s", path);
    colon = strrchr(part, ':');
    if (!realpath(path, real)) {
        if (!colon)
            return -1;
        *colon = 0;
        if (!realpath(part, real) || strlen(real) + strlen(colon + 1) + 2 > sizeof real)
            return -1;
        snprintf(real + strlen(real), sizeof real - strlen(real), ":%s", colon + 1);
    }
    const size_t n = strlen(w->shelf.root);
    const char *name = real + n + (n > 1);
    if (strncmp(real, w->shelf.root, n) || (n > 1 && real[n] != '/'))
        return -1;
    for (int64_t i = 0; i < w->shelf.stems; i++)
        if (!strcmp(w->shelf.stem[i].name, name))
            return i;
    return -1;
}

/* What the index does not have of a stem: facts, vector f32 (width) and frames f32 (rows, width), the caller's. */
struct heard {
    struct sj_facts facts;
    float *vector, *frame;
    int64_t rows;
};

static int hear(struct work *w, const char *path, int class, struct heard *h)
{
    const int64_t d = w->shelf.width;
    float *wave = NULL;
    int64_t n = 0;
    int status = sj_sound_read(path, &wave, &n);
    h->vector = calloc((size_t)d, sizeof *h->vector);
    if (!status) {
        h->rows = sj_listener_rows(w->l, n);
        h->frame = malloc((size_t)(h->rows * d) * sizeof *h->frame);
    }
    if (!status && (!h->frame || !h->vector))
        status = sj_fail(SJ_SYSTEM, "no memory for '%s'", path);
    if (!status && (status = sj_listen_stem(w->l, n, wave, h->frame)))
        sj_fail_at(status, "'%s'", path);
    for (int64_t i = 0; i < h->rows * d && !status; i++)
        h->vector[i % d] += h->frame[i] / (float)h->rows;
    if (!status) {
        sj_shelf_normal(d, h->vector);
        status = sj_facts(n, wave, w->model->config.mel.sample_rate_hz,
                          sj_facts_pitched(class < 0 ? NULL : w->shelf.class_name[class]), &h->facts);
    }
    free(wave);
    return status;
}

static void compare(const struct work *w, int64_t self, int class, struct sj_match_why *why)
{
    double sum = 0, square = 0;
    why->line.rank = 1;
    for (int64_t i = 0; i < w->shelf.stems; i++) {
        const struct sj_shelf_stem *s = &w->shelf.stem[i];
        if (i == self || s->class != class || s->facts.peak < SJ_MATCH_SILENT ||
            s->facts.seconds < SJ_MATCH_LEAST_S)
            continue;
        const double score = sj_match_score(w->match, w->shelf.vector + i * w->shelf.width, class);
        why->line.rank += score > why->line.score;
        why->others++;
        sum += score;
        square += score * score;
    }
    why->level = sum / (double)why->others;
    why->spread = sqrt(fmax(0, square / (double)why->others - why->level * why->level));
}

/* What the index knows of a stem. */
static int recall(struct work *w, int64_t self, struct heard *h)
{
    const struct sj_shelf_stem *s = &w->shelf.stem[self];
    const size_t bytes = (size_t)w->shelf.width * sizeof *h->vector;
    h->facts = s->facts;
    h->rows = s->rows;
    h->vector = malloc(bytes);
    if (!h->vector)
        return sj_fail(SJ_SYSTEM, "no memory for '%s'", s->name);
    memcpy(h->vector, w->shelf.vector + self * w->shelf.width, bytes);
    return sj_shelf_frames(&w->shelf, s, &h->frame);
}

static int explain_stem(struct work *w)
{
    const struct sj_config *c = &w->model->config;
    const int64_t self = find_stem(w, explain);
    struct sj_match_why why = {.classes = (int)(c->classes < SJ_MATCH_CLASSES ? c->classes : SJ_MATCH_CLASSES)};
    struct heard h = {.vector = NULL};
    int class = classes ? sj_config_class(c, classes) : self >= 0 ? w->shelf.stem[self].class : SJ_CLASS_NONE;
    if (classes && class == SJ_CLASS_NONE)
        return sj_fail(SJ_USAGE, "--class is '%s', which the model does not know", classes);
    int status = self >= 0 ? recall(w, self, &h) : hear(w, explain, class, &h);
    const int any = class == SJ_CLASS_NONE;
    if (!status && h.facts.peak < SJ_MATCH_SILENT)
        status = sj_fail(SJ_INPUT, "'%s' is silent: it fits nothing", explain);
    for (int i = 0; i < why.classes && !status; i++) {
        why.class[i] = c->class_name[i];
        why.score[i] = sj_match_score(w->match, h.vector, i);
        class = any && (class == SJ_CLASS_NONE || why.score[i] > why.score[class]) ? i : class;
    }
    if (!status) {
        why.line = (struct sj_match_line){.score = why.score[class], .offset_s = NAN, .class = c->class_name[class],
                                          .path = explain, .stem = &h.facts, .mix = sj_match_facts(w->match)};
        compare(w, self, class, &why);
        status = sj_match_offset(w->match, h.rows, h.frame, class, max_lag_s, w->run->threads, &why.line.offset_s,
                                 &why.similarity);
    }
    if (!status)
        status = sj_match_report_why(w->f, w->run->json, &why);
    free(h.vector);
    free(h.frame);
    return status;
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
