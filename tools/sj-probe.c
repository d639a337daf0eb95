/* sj-probe: what labels embeddings hold.   embed/1 or any matrix (labels.tsv) -> sj-probe -> TSV or NDJSON */
#include <stdlib.h>
#include <string.h>

#include "probe_report.h"
#include "progress.h"
#include "sjk.h"
#include "tool.h"

static const char *labels, *label = "label";
static int task, per_class, confusion, keep_going;
static struct sj_probe_settings settings;

static const struct sj_option options[] = {
    {SJ_FILE, 0, "labels", &labels, 0, "FILE", "what is known: a table with the columns key, split and label", 0, 0,
     NULL, "must be given", 0, NULL},
    {SJ_CHOICE, 't', "task", &task, 0, "NAME", "what a label is", 0, 0, sj_probe_task_names, NULL, 0, NULL},
    {SJ_TEXT, 0, "label", &label, 0, "NAME,...", "the column of labels; several for values", 0, 0, NULL, NULL, 0, NULL},
    {SJ_GROUP, 0, NULL, &settings, 0, NULL, NULL, 0, 0, NULL, NULL, 0, sj_probe_options},
    {SJ_FLAG, 0, "per-class", &per_class, 0, NULL, "also a table with a line for each class, key, tag or column", 0, 0,
     NULL, NULL, 0, NULL},
    {SJ_FLAG, 0, "confusion", &confusion, 0, NULL, "also how often each class or key is taken for which", 0, 0, NULL,
     NULL, 0, NULL},
    {SJ_FLAG, 'k', "keep-going", &keep_going, 0, NULL, "leave out labels without an embedding, count them, exit 1", 0,
     0, NULL, NULL, 0, NULL},
    {.type = SJ_OPTION_NONE},
};

static int check(struct sj_run *run)
{
    int inputs = labels && !strcmp(labels, "-");
    for (int i = 0; i < run->n; i++)
        inputs += !strcmp(run->operand[i], "-");
    if (!labels)
        return sj_fail(SJ_USAGE, "--labels must be given");
    if (confusion && task != SJ_PROBE_CLASS && task != SJ_PROBE_KEY)
        return sj_fail(SJ_USAGE, "--confusion is for the tasks class and key");
    if (inputs > 1)
        return sj_fail(SJ_USAGE, "only one input can be read from standard input");
    return sj_probe_check(&settings);
}

/* -- a run --------------------------------------------------------------------------------------------------------- */
struct probing {
    struct sj_run *run;
    struct sjk *k;
    struct sj_probe_labels *labels;
    struct sj_probe_finding *found; /* one for each operand */
    struct sj_probe_watch watch;
    int64_t missing;
    const char *source; /* of the probe at work */
};

static void note_rate(void *arg, const char *text)
{
    const struct probing *p = arg;
    sj_note(p->run, "%s: %s", p->source, text);
}

/* Probes one operand; its vectors are gone afterwards. */
static int probe(struct probing *p, int i)
{
    struct sj_probe_finding *f = &p->found[i];
    f->source = p->source = p->run->operand[i];
    int status = sj_probe_data_read(f->source, p->labels, keep_going, &f->data);
    if (status)
        return status;
    status = sj_probe_train(p->k, p->labels, f->data, &settings, (uint64_t)p->run->seed, &p->watch, &f->result);
    if (status)
        return sj_fail_at(status, "'%s'", f->source);
    free(f->data->x);
    f->data->x = NULL;
    p->missing += f->data->missing;
    return sj_probe_measure(p->labels, f->data, SJ_TEST, f->result.score, &f->measures);
}

static int probe_all(struct probing *p, FILE *out)
{
    struct sj_run *run = p->run;
    const unsigned tables = (per_class ? SJ_PROBE_PER_CLASS : 0) | (confusion ? SJ_PROBE_CONFUSION : 0);
    int status = sj_run_backend(run, &p->k);
    if (!status)
        status = sj_probe_labels_read(labels, (enum sj_probe_task)task, label, &p->labels);
    if (!status && !(p->found = calloc((size_t)run->n, sizeof *p->found)))
        status = sj_fail(SJ_SYSTEM, "no memory");
    if (!status)
        p->watch.progress = sj_progress_new(run->progress, "probing", "epochs", 0,
                                            run->n * settings.rates * settings.epochs);
    for (int i = 0; i < run->n && !status; i++)
        status = probe(p, i);
    sj_progress_end(p->watch.progress);
    return status ? status : sj_probe_report(p->labels, &settings, run->n, p->found, tables, out, run->json);
}

static int run(struct sj_run *run)
{
    struct probing p = {.run = run, .watch = {.note = run->verbose ? note_rate : NULL, .note_arg = &p}};
    struct sj_report *r;
    int status = sj_report_open(run, &r);
    if (status)
        return status;
    status = probe_all(&p, sj_report_file(r));
    for (int i = 0; i < run->n && p.found; i++) {
        sj_probe_data_free(p.found[i].data);
        free(p.found[i].result.score);
    }
    free(p.found);
    sj_probe_labels_free(p.labels);
    if (p.k)
        sjk_close(p.k);
    status = sj_report_close(r, status);
    if (!status && p.missing)
        return sj_fail(SJ_NO, "%lld labels without an embedding were left out", (long long)p.missing);
    return status;
}

static const struct sj_tool tool = {
    .name = "sj-probe",
    .summary = "how well labels can be read off embeddings",
    .operands = "EMBEDDINGS...",
    .details = "Trains a small network on each of the EMBEDDINGS (embed/1 streams or HDF5 files pooled by track; or\n"
               "FILE.h5:/DATASET or FILE.npy, with a row for each line of labels) and prints how it does on examples\n"
               "kept apart: one line each, so that models and layers can be compared.",
    .options = options,
    .common = SJ_TAKES_OUTPUT | SJ_TAKES_THREADS | SJ_TAKES_BACKEND | SJ_TAKES_SEED | SJ_TAKES_PROGRESS | SJ_TAKES_JSON,
    .min_operands = 1,
    .max_operands = -1,
    .check = check,
    .run = run,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
