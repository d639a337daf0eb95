#include "tool.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "idle.h"
#include "output.h"
#include "progress.h"
#include "sjk.h"
#include "whole.h"

/* The common options, with a place for the values that they parse into. */
struct common {
    const char *output, *backend;
    int quiet, verbose, json, progress, help, version;
    int64_t threads, seed;
    struct sj_option table[12];
};

static const char *const progress_modes[] = {"auto", "always", "never", NULL};

static void fill_common(struct common *c, unsigned takes)
{
    const struct { unsigned bit; struct sj_option o; } all[] = {
        {SJ_TAKES_OUTPUT, {SJ_TEXT, 'o', "output", &c->output, 0, "FILE", "write to FILE, whole or not at all", 0, 0,
                           NULL, takes & SJ_WANTS_OUTPUT ? "must be given" : "standard output", 0, NULL}},
        {SJ_TAKES_THREADS, {SJ_INT, 'j', "threads", &c->threads, 0, "N", "threads; results do not depend on it", 1,
                            4096, NULL, "all processors", 0, NULL}},
        {SJ_TAKES_BACKEND, {SJ_TEXT, 0, "backend", &c->backend, 0, "NAME", "auto, cpu or cuda[:N]", 0, 0, NULL, NULL, 0,
                            NULL}},
        {SJ_TAKES_SEED, {SJ_INT, 0, "seed", &c->seed, 0, "N", "seed of everything random", 0, INFINITY, NULL,
                         "0", 1, NULL}},
        {SJ_TAKES_PROGRESS, {SJ_CHOICE, 0, "progress", &c->progress, 0, "WHEN", "progress on standard error", 0, 0,
                             progress_modes, NULL, 0, NULL}},
        {SJ_TAKES_JSON, {SJ_FLAG, 0, "json", &c->json, 0, NULL, "text output as one JSON object a line", 0, 0,
                         NULL, NULL, 0, NULL}},
        {0, {SJ_FLAG, 'q', "quiet", &c->quiet, 0, NULL, "no messages but errors", 0, 0, NULL, NULL, 0, NULL}},
        {0, {SJ_FLAG, 'v', "verbose", &c->verbose, 0, NULL, "say more on standard error: the time and memory used", 0,
             0, NULL, NULL, 0, NULL}},
        {0, {SJ_FLAG, 'h', "help", &c->help, 0, NULL, "show this text", 0, 0, NULL, NULL, 0, NULL}},
        {0, {SJ_FLAG, 'V', "version", &c->version, 0, NULL, "show the version", 0, 0, NULL, NULL, 0, NULL}},
    };
    *c = (struct common){.backend = "auto", .seed = -1};
    int n = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!all[i].bit || takes & all[i].bit)
            c->table[n++] = all[i].o;
}

static const struct sj_option no_options[] = {{.type = SJ_OPTION_NONE}};

static int processors(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
}

static void print_help(const struct sj_tool *t, const struct sj_option *const *tables)
{
    printf("%s: %s\n\nusage: %s [options]%s%s\n\n", t->name, t->summary, t->name, *t->operands ? " " : "", t->operands);
    if (t->details)
        printf("%s\n\n", t->details);
    printf("options:\n");
    sj_cli_help(stdout, tables);
}

/* Whether everything said on standard output arrived: closes it. */
static int close_stdout(int status)
{
    errno = 0;
    int bad = ferror(stdout) | fflush(stdout);
    if (bad && !errno)
        errno = EIO;
    if (!bad && close(STDOUT_FILENO) && errno != EBADF)
        bad = 1;
    if (bad && !status)
        return sj_fail_errno("cannot write to standard output");
    return status;
}

static int count_operands(const struct sj_tool *t, int n)
{
    if (n < t->min_operands)
        return sj_fail(SJ_USAGE, "wants %s (see --help)", t->operands);
    if (t->max_operands >= 0 && n > t->max_operands)
        return sj_fail(SJ_USAGE, "takes at most %d operand%s (see --help)", t->max_operands,
                       t->max_operands == 1 ? "" : "s");
    return SJ_OK;
}

void sj_head_kind(struct sj_head *head, const char *kind, const char *dims, enum sj_dtype dtype)
{
    snprintf(head->kind, sizeof head->kind, "%s", kind);
    head->dtype = dtype;
    head->rank = 0;
    for (const char *p = dims; *p && head->rank < SJ_RANK; p += *p == ',') {
        size_t n = strcspn(p, ",");
        snprintf(head->dim[head->rank++], sizeof head->dim[0], "%.*s", (int)n, p);
        p += n;
    }
}

static sj_json *provenance_entry(const struct sj_run *run, const struct sj_option *common)
{
    const struct sj_option *tables[] = {run->tool->options ? run->tool->options : no_options, common, NULL};
    sj_json *entry = sj_json_object();
    sj_json_set(entry, "tool", sj_json_string(run->tool->name));
    sj_json_set(entry, "version", sj_json_string(SJ_VERSION));
    sj_json_set(entry, "options", sj_cli_provenance(tables));
    return entry;
}

static sj_json *entry_of(const struct sj_run *run)
{
    int64_t seed = run->seed;
    const struct sj_option common[] = {
        {.type = run->tool->common & SJ_TAKES_SEED ? SJ_INT : SJ_OPTION_NONE, .name = "seed", .value = &seed,
         .changes_output = 1},
        {.type = SJ_OPTION_NONE}};
    return provenance_entry(run, common);
}

void sj_run_provenance(const struct sj_run *run, struct sj_head *head)
{
    sj_json_append(head->provenance, entry_of(run));
}

int sj_run_provenance_text(const struct sj_run *run, char **text)
{
    sj_json *list = sj_json_array();
    sj_json_append(list, entry_of(run));
    int status = sj_json_text(list, text);
    sj_json_free(list);
    return status;
}

int sj_run_backend(const struct sj_run *run, struct sjk **k)
{
    char why[512];
    int status = sjk_open(run->backend, run->threads, k, why, sizeof why);
    return status ? sj_fail(status, "%s", why) : SJ_OK;
}

void sj_note(const struct sj_run *run, const char *format, ...)
{
    if (run->quiet)
        return;
    va_list ap;
    va_start(ap, format);
    fprintf(stderr, "%s: ", run->tool->name);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
}

/* The head of a filter's output: everything that travels with the data, this run appended. */
static int derive_head(const struct sj_run *run, const struct sj_head *in, struct sj_head **out)
{
    int status = sj_head_copy(in, out);
    if (!status)
        sj_run_provenance(run, *out);
    return status;
}

static int filter_records(struct sj_run *run, struct sj_reader *in)
{
    const struct sj_record *record;
    int status;
    while (!(status = sj_reader_next(in, &record)) && record) {
        run->in_name = sj_reader_name(in);
        if ((status = run->tool->record(run, record)))
            return status;
    }
    if (!status && run->tool->end)
        status = run->tool->end(run);
    return status;
}

static int filter(struct sj_run *run)
{
    const struct sj_tool *t = run->tool;
    struct sj_reader *in = NULL;
    struct sj_head *head = NULL;
    int status = sj_reader_open(run->n, run->operand, &in);
    if (status)
        return status;
    run->in_head = sj_reader_head(in);
    run->in_name = sj_reader_name(in);
    if ((status = sj_head_want(run->in_head, run->in_name, t->kind)))
        goto out;
    if (!t->no_stream && !run->no_stream && (status = derive_head(run, run->in_head, &head)))
        goto out;
    if ((status = t->begin(run, run->in_head, head)))
        goto out;
    if (head && (status = sj_output_open(run->output, head, &run->out)))
        goto out;
    status = filter_records(run, in);
    if (!status && run->out) {
        status = sj_output_end(run->out);
        run->out = NULL;
    }
out:
    sj_output_abort(run->out);
    sj_head_free(head);
    sj_reader_close(in);
    return status;
}

/* What -v says at the end of every program. */
static void note_cost(const struct sj_run *run, const struct timespec *began)
{
    struct timespec now;
    struct rusage used;
    clock_gettime(CLOCK_MONOTONIC, &now);
    getrusage(RUSAGE_SELF, &used);
    sj_note(run, "%.2f s, of processors %.2f s, at most %ld MiB of memory",
            (double)(now.tv_sec - began->tv_sec) + 1e-9 * (double)(now.tv_nsec - began->tv_nsec),
            (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec), used.ru_maxrss >> 10);
}

static int keep_apart(void *output, const char *input)
{
    return sj_whole_apart(output, input);
}

static int run_tool(const struct sj_tool *t, const struct common *c, int n, char **operands)
{
    struct sj_run run = {.tool = t, .output = c->output, .quiet = c->quiet, .verbose = c->verbose, .json = c->json,
                         .threads = c->threads ? (int)c->threads : processors(), .backend = c->backend,
                         .seed = c->seed < 0 ? 0 : c->seed, .seed_given = c->seed >= 0,
                         .progress = c->quiet ? SJ_PROGRESS_NEVER : c->progress, .n = n,
                         .operand = (const char *const *)operands};
    struct timespec began;
    clock_gettime(CLOCK_MONOTONIC, &began);
    int status = count_operands(t, n);
    for (int i = 0; i < n && !status; i++)
        status = sj_whole_apart(run.output, run.operand[i]);
    if (!status && t->options)
        status = sj_cli_files((const struct sj_option *const[]){t->options, NULL}, keep_apart, (void *)run.output);
    if (!status && t->check)
        status = t->check(&run);
    if (!status)
        status = t->run ? t->run(&run) : filter(&run);
    if (t->cleanup)
        t->cleanup(&run);
    if (run.verbose)
        note_cost(&run, &began);
    return status;
}

/* On one line, whatever the names in it: control characters become '?'. */
static void print_reason(const char *name)
{
    char text[4096];
    int n = snprintf(text, sizeof text, "%s: %s", name, sj_reason());
    for (int i = 0; i < n && text[i]; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            text[i] = '?';
    fprintf(stderr, "%s\n", text);
}

int sj_tool_main(const struct sj_tool *t, int argc, char **argv)
{
    struct common c;
    int first = argc;
    if (t->common & SJ_TAKES_THREADS)
        sj_idle_sleeps(argv);
    fill_common(&c, t->common);
    const struct sj_option *tables[] = {t->options ? t->options : no_options, c.table, NULL};
    int status = sj_cli_parse(tables, argc, argv, &first);
    sj_whole_signals();
    if (!status && c.help)
        fill_common(&c, t->common), print_help(t, tables);
    else if (!status && c.version)
        printf("%s (sj) %s\n", t->name, SJ_VERSION);
    else if (!status)
        status = run_tool(t, &c, argc - first, argv + first);
    status = close_stdout(status);
    if (status > SJ_NO || (status == SJ_NO && *sj_reason()))
        print_reason(t->name);
    return status;
}

/* -- text reports -------------------------------------------------------------------------------------------------- */
struct sj_report {
    FILE *f;
    struct sj_whole *whole; /* NULL: standard output */
    const char *path;
};

int sj_report_open(const struct sj_run *run, struct sj_report **out)
{
    struct sj_report *r = calloc(1, sizeof *r);
    if (!r)
        return sj_fail(SJ_SYSTEM, "no memory");
    r->path = run->output;
    r->f = stdout;
    if (run->output && strcmp(run->output, "-")) {
        int status = sj_whole_new(run->output, &r->whole);
        if (!status && !(r->f = fopen(sj_whole_temp(r->whole), "w"))) {
            status = sj_fail_errno("cannot write '%s'", run->output);
            sj_whole_discard(r->whole);
        }
        if (status) {
            free(r);
            return status;
        }
    }
    *out = r;
    return SJ_OK;
}

FILE *sj_report_file(struct sj_report *r)
{
    return r->f;
}

int sj_report_close(struct sj_report *r, int status)
{
    if (r->whole) {
        errno = 0;
        int bad = ferror(r->f) | fclose(r->f);
        if (bad && !status)
            status = sj_fail_errno("cannot write '%s'", r->path);
        if (status)
            sj_whole_discard(r->whole);
        else
            status = sj_whole_commit(r->whole);
    }
    free(r);
    return status;
}
