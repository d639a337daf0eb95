/* tool: what every program shares: common options, help, inputs, output, messages, exit status.
 *
 * A program is a struct sj_tool and `int main(...) { return sj_tool_main(&tool, argc, argv); }`. It has either
 * `run`, or the filter verbs begin/record/end, which the driver calls for the streams named as operands (or standard
 * input). */
#ifndef SJ_TOOL_H
#define SJ_TOOL_H

#include <stdint.h>

#include "cli.h"
#include "err.h"
#include "stream.h"

struct sjk;
struct sj_output;

/* Which common options a program takes beside -q -v -h -V. */
enum sj_common {
    SJ_TAKES_OUTPUT = 1,    /* -o, --output FILE */
    SJ_TAKES_THREADS = 2,   /* -j, --threads N */
    SJ_TAKES_BACKEND = 4,   /* --backend auto|cpu|cuda[:N] */
    SJ_TAKES_SEED = 8,      /* --seed N */
    SJ_TAKES_PROGRESS = 16, /* --progress auto|always|never */
    SJ_TAKES_JSON = 32,     /* --json */
    SJ_WANTS_OUTPUT = 64    /* with SJ_TAKES_OUTPUT, for its help: nothing goes to standard output without -o */
};

struct sj_run {
    const struct sj_tool *tool;
    const char *output; /* NULL: standard output */
    int quiet, verbose, json;
    int threads;        /* at least 1 */
    const char *backend;
    int64_t seed;
    int seed_given;     /* whether --seed was on the command line */
    int progress;       /* enum sj_progress_mode */
    int n;              /* operands */
    const char *const *operand;
    void *state;        /* the program's own */
    struct sj_output *out;         /* filters: where record writes; made by the driver after begin */
    const struct sj_head *in_head; /* filters: of the input */
    const char *in_name;           /* filters: of the input, for messages */
    int no_stream;                 /* filters: set by check: this run writes a report, not a stream */
};

struct sj_tool {
    const char *name;      /* "sj-mel" */
    const char *summary;   /* one line */
    const char *operands;  /* "[FILE...]" as in the usage line */
    const char *details;   /* further lines of --help, or NULL */
    const struct sj_option *options; /* the program's own, or NULL */
    unsigned common;       /* enum sj_common bits */
    int min_operands, max_operands;  /* max -1: any number */
    int (*check)(struct sj_run *);   /* options together, before any input is read; or NULL */
    int (*run)(struct sj_run *);     /* the whole program; or NULL for a filter */
    const char *kind;                /* filters: the input's kind, "wave/1" */
    /* Fills in the output's head, which arrives with the input's classes, params and provenance (own entry appended)
     * and kind and dims to be set with sj_head_kind. *out may be set to NULL: the filter writes no stream. */
    int (*begin)(struct sj_run *, const struct sj_head *in, struct sj_head *out);
    int (*record)(struct sj_run *, const struct sj_record *);
    int (*end)(struct sj_run *);     /* after the last record, before the END mark; or NULL */
    void (*cleanup)(struct sj_run *); /* frees state, whatever happened; or NULL */
    int no_stream;                   /* filters: 1 when they write no stream (begin gets out NULL) */
};

/* The whole life of a program; the value for main to return. */
int sj_tool_main(const struct sj_tool *tool, int argc, char **argv);

/* Kind and dimensions of a head that begin fills in: ("mel/1", "mel,frame", SJ_F32). */
void sj_head_kind(struct sj_head *head, const char *kind, const char *dims, enum sj_dtype dtype);

/* Appends {"tool", "version", "options"} of this run to a head's provenance (programs with `run`). */
void sj_run_provenance(const struct sj_run *run, struct sj_head *head);

/* The same as the text of a list of one, for files: the caller frees it. */
int sj_run_provenance_text(const struct sj_run *run, char **text);

/* Opens the back end that --backend and -j ask for. */
int sj_run_backend(const struct sj_run *run, struct sjk **k);

/* A line for people on standard error unless -q: "sj-mel: TEXT". */
void sj_note(const struct sj_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text reports: opens -o (whole or not at all) or standard output; sj_report_close checks that everything was
 * written. With status != 0 the file is discarded. Returns status, or the failure to write. */
struct sj_report;
int sj_report_open(const struct sj_run *run, struct sj_report **r);
FILE *sj_report_file(struct sj_report *r);
int sj_report_close(struct sj_report *r, int status);

#endif
