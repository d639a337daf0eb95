#include "probe_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "music_key.h"
#include "probe_metrics.h"

/* -- lines: named fields, in text or JSON -------------------------------------------------------------------------- */
/* A line being written; the first of a table in text is preceded by the names, which the same calls give. */
struct line {
    FILE *f;
    sj_json *json; /* NULL: text */
    int names;     /* text: write the names, not the values */
    int fields;
};

static void put_text(FILE *f, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\t' || *p == '\n' || *p == '\\')
            fputc('\\', f);
        fputc(*p == '\t' ? 't' : *p == '\n' ? 'n' : *p, f);
    }
}

static void line_begin(struct line *o, FILE *f, int json, const char *table, int names)
{
    *o = (struct line){.f = f, .json = json ? sj_json_object() : NULL, .names = names};
    if (json)
        sj_json_set(o->json, "table", sj_json_string(table));
}

/* Begins a field in text. */
static int text_field(struct line *o, const char *name)
{
    if (o->fields++)
        fputc('\t', o->f);
    if (o->names)
        put_text(o->f, name);
    return !o->names;
}

static void line_text(struct line *o, const char *name, const char *value)
{
    if (o->json)
        sj_json_set(o->json, name, sj_json_string(value));
    else if (text_field(o, name))
        put_text(o->f, value);
}

static void line_count(struct line *o, const char *name, int64_t value)
{
    if (o->json)
        sj_json_set(o->json, name, sj_json_int(value));
    else if (text_field(o, name))
        fprintf(o->f, "%lld", (long long)value);
}

/* In text with so many decimals, AS_IS: as %g. A value that is none is absent in JSON and "-" in text. */
enum { AS_IS = -1 };
static void line_real(struct line *o, const char *name, int decimals, double value)
{
    if (o->json && !isnan(value))
        sj_json_set(o->json, name, sj_json_real(value));
    if (o->json || !text_field(o, name))
        return;
    if (isnan(value))
        fputc('-', o->f);
    else if (decimals == AS_IS)
        fprintf(o->f, "%g", value);
    else
        fprintf(o->f, "%.*f", decimals, value);
}

static int line_end(struct line *o)
{
    if (!o->json) {
        fputc('\n', o->f);
        return SJ_OK;
    }
    int status = sj_json_line(o->f, o->json);
    sj_json_free(o->json);
    return status;
}

/* -- results ------------------------------------------------------------------------------------------------------- */
static const struct measure_names {
    const char *valid, *first, *second; /* second NULL: there is none */
    double unit;                        /* what 1 is written as */
    int decimals;
} measure_names[] = {
    [SJ_PROBE_CLASS] = {"valid_accuracy_percent", "accuracy_percent", NULL, 100, 2},
    [SJ_PROBE_KEY] = {"valid_mirex_percent", "mirex_percent", "accuracy_percent", 100, 2},
    [SJ_PROBE_TAGS] = {"valid_roc_auc_percent", "roc_auc_percent", "average_precision_percent", 100, 2},
    [SJ_PROBE_VALUE] = {"valid_r2", "r2", NULL, 1, 4},
};

static const int64_t *test_examples(const struct sj_probe_data *data)
{
    return data->example + data->count[SJ_TRAIN] + data->count[SJ_VALID];
}

/* What naming the label that most of the training examples have would give, of equal ones the first. */
static void line_always(struct line *o, const struct sj_probe_labels *l, const struct sj_probe_data *data,
                        const struct measure_names *m)
{
    const int64_t *test = test_examples(data);
    int64_t most = 0, of_most = -1;
    for (int64_t c = 0; c < l->C; c++) {
        int64_t n = 0;
        for (int64_t i = 0; i < data->count[SJ_TRAIN]; i++)
            n += l->class[data->example[i]] == c;
        most = n > of_most ? c : most;
        of_most = n > of_most ? n : of_most;
    }
    double sum = 0;
    for (int64_t i = 0; i < data->count[SJ_TEST]; i++) {
        const int truth = l->class[test[i]];
        sum += l->task == SJ_PROBE_KEY ? sj_music_key_score(truth, (int)most) : truth == most;
    }
    line_text(o, "always", l->name[most]);
    line_real(o, "always_percent", m->decimals, m->unit * sum / (double)data->count[SJ_TEST]);
}

static int result_line(const struct sj_probe_labels *l, const struct sj_probe_settings *s,
                       const struct sj_probe_finding *p, int names, FILE *f, int json)
{
    const struct measure_names *m = &measure_names[l->task];
    struct line o;
    line_begin(&o, f, json, "result", names);
    line_text(&o, "embeddings", p->source);
    line_text(&o, "task", sj_probe_task_names[l->task]);
    line_text(&o, "protocol", sj_probe_protocol_names[s->protocol]);
    line_count(&o, "width", p->data->d);
    line_count(&o, "outputs", l->C);
    line_count(&o, "measured", p->measures.measured);
    for (int i = 0; i < SJ_PROBE_SPLITS; i++)
        line_count(&o, sj_probe_split_names[i], p->data->count[i]);
    line_count(&o, "unlabelled", p->data->unlabelled);
    line_count(&o, "missing", p->data->missing);
    line_real(&o, "rate", AS_IS, p->result.rate);
    line_count(&o, "epoch", p->result.epoch);
    line_real(&o, m->valid, m->decimals, m->unit * p->result.valid);
    line_real(&o, m->first, m->decimals, m->unit * p->measures.first);
    if (m->second)
        line_real(&o, m->second, m->decimals, m->unit * p->measures.second);
    if (!l->target)
        line_always(&o, l, p->data, m);
    return line_end(&o);
}

/* -- labels -------------------------------------------------------------------------------------------------------- */
/* counts (C, C): truth x guess, of the test examples. NULL: no memory. */
static int64_t *count_guesses(const struct sj_probe_labels *l, const struct sj_probe_finding *p)
{
    const int64_t *example = test_examples(p->data);
    int64_t *count = calloc((size_t)(l->C * l->C) + 1, sizeof *count);
    for (int64_t i = 0; i < p->data->count[SJ_TEST] && count; i++)
        count[l->class[example[i]] * l->C + sj_best_class(l->C, p->result.score + i * l->C)]++;
    return count;
}

/* How many examples of each split have output c; of a column of values: all. */
static void line_counts(struct line *o, const struct sj_probe_labels *l, const struct sj_probe_data *data, int64_t c)
{
    const int64_t *example = data->example;
    for (int s = 0; s < SJ_PROBE_SPLITS; s++) {
        int64_t n = 0;
        for (int64_t i = 0; i < data->count[s]; i++, example++)
            n += !l->target ? l->class[*example] == c
                 : l->task == SJ_PROBE_TAGS ? l->target[*example * l->C + c] > 0.5f
                                            : 1;
        line_count(o, sj_probe_split_names[s], n);
    }
}

static double ratio(double a, double b)
{
    return b > 0 ? 100 * a / b : NAN;
}

static void line_class(struct line *o, const struct sj_probe_labels *l, const int64_t *count, int64_t c)
{
    const double right = (double)count[c * l->C + c];
    double truth = 0, guess = 0, weighted = 0;
    for (int64_t i = 0; i < l->C; i++) {
        truth += (double)count[c * l->C + i];
        guess += (double)count[i * l->C + c];
        if (l->task == SJ_PROBE_KEY)
            weighted += (double)count[c * l->C + i] * sj_music_key_score((int)c, (int)i);
    }
    line_count(o, "predicted", (int64_t)guess);
    line_real(o, "precision_percent", 2, ratio(right, guess));
    line_real(o, "recall_percent", 2, ratio(right, truth));
    line_real(o, "f1_percent", 2, ratio(2 * right, truth + guess));
    if (l->task == SJ_PROBE_KEY)
        line_real(o, "mirex_percent", 2, ratio(weighted, truth));
}

static int line_output(struct line *o, const struct sj_probe_labels *l, const struct sj_probe_finding *p,
                       const float *truth, int64_t c)
{
    const int64_t n = p->data->count[SJ_TEST], C = l->C;
    const float *score = p->result.score + c;
    double auc = NAN, ap = NAN;
    if (l->task == SJ_PROBE_VALUE) {
        line_real(o, "r2", 4, sj_r2(n, score, truth + c, C));
        line_real(o, "rms_error", AS_IS, sj_rms_error(n, score, truth + c, C));
        return SJ_OK;
    }
    int status = sj_tag_measures(n, score, truth + c, C, &auc, &ap);
    line_real(o, "roc_auc_percent", 2, 100 * auc);
    line_real(o, "average_precision_percent", 2, 100 * ap);
    return status;
}

static int label_lines(const struct sj_probe_labels *l, const struct sj_probe_finding *p, int names, FILE *f, int json)
{
    int64_t *count = l->target ? NULL : count_guesses(l, p);
    float *truth = l->target ? sj_probe_truth(l, p->data, SJ_TEST) : NULL;
    int status = count || truth ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for a report");
    for (int64_t c = names ? -1 : 0; c < l->C && !status; c++) {
        struct line o;
        const int64_t shown = c < 0 ? 0 : c;
        line_begin(&o, f, json, "label", c < 0);
        line_text(&o, "embeddings", p->source);
        line_text(&o, "label", l->name[shown]);
        line_counts(&o, l, p->data, shown);
        if (count)
            line_class(&o, l, count, shown);
        else
            status = line_output(&o, l, p, truth, shown);
        const int ended = line_end(&o);
        status = status ? status : ended;
    }
    free(count);
    free(truth);
    return status;
}

/* -- confusion ----------------------------------------------------------------------------------------------------- */
static int confusion_lines(const struct sj_probe_labels *l, const struct sj_probe_finding *p, int names, FILE *f,
                           int json)
{
    int64_t *count = count_guesses(l, p);
    int status = count ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for a report");
    for (int64_t c = names ? -1 : 0; c < l->C && !status; c++) {
        const int64_t *of = count + (c < 0 ? 0 : c) * l->C;
        sj_json *guesses = json ? sj_json_object() : NULL;
        struct line o;
        line_begin(&o, f, json, "confusion", c < 0);
        line_text(&o, "embeddings", p->source);
        line_text(&o, "label", l->name[c < 0 ? 0 : c]);
        for (int64_t i = 0; i < l->C; i++)
            if (json)
                sj_json_set(guesses, l->name[i], sj_json_int(of[i]));
            else
                line_count(&o, l->name[i], of[i]);
        if (json)
            sj_json_set(o.json, "predicted", guesses);
        status = line_end(&o);
    }
    free(count);
    return status;
}

int sj_probe_report(const struct sj_probe_labels *l, const struct sj_probe_settings *s, int n,
                    const struct sj_probe_finding *found, unsigned tables, FILE *f, int json)
{
    int status = json ? SJ_OK : result_line(l, s, found, 1, f, 0);
    for (int i = 0; i < n && !status; i++)
        status = result_line(l, s, &found[i], 0, f, json);
    if (tables & SJ_PROBE_PER_CLASS && !json)
        fputc('\n', f);
    for (int i = 0; i < n && !status && tables & SJ_PROBE_PER_CLASS; i++)
        status = label_lines(l, &found[i], !i && !json, f, json);
    if (tables & SJ_PROBE_CONFUSION && !json)
        fputc('\n', f);
    for (int i = 0; i < n && !status && tables & SJ_PROBE_CONFUSION; i++)
        status = confusion_lines(l, &found[i], !i && !json, f, json);
    return status;
}
