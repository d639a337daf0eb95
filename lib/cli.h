/* cli: option tables. One table gives the parser, the range errors, the text of --help and what the manual must say. */
#ifndef SJ_CLI_H
#define SJ_CLI_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "err.h"
#include "json.h"

enum sj_option_type {
    SJ_OPTION_NONE, /* ends a table */
    SJ_FLAG,        /* int: 0, or 1 when given */
    SJ_INT,         /* int64_t */
    SJ_REAL,        /* double */
    SJ_TEXT,        /* const char *, borrowed from argv */
    SJ_FILE,        /* the same, naming a file that is read: -o must not replace it */
    SJ_CHOICE,      /* int: index into choices */
    SJ_GROUP        /* another table: the options of an algorithm, beside the algorithm */
};

struct sj_option {
    enum sj_option_type type;
    char letter;                /* 0: none */
    const char *name;           /* without the dashes */
    void *value;                /* the variable; its initial value is the default. In a group: NULL, see offset */
    size_t offset;              /* in a group: of the field inside the struct that the group's `value` points to */
    const char *placeholder;    /* "N", "SECONDS", "FILE": with the unit where there is one */
    const char *help;           /* lower case, no full stop */
    double min, max;            /* inclusive range of SJ_INT and SJ_REAL; both 0: none */
    const char *const *choices; /* SJ_CHOICE: NULL-terminated */
    const char *fallback;       /* what --help prints as the default where the variable cannot say it */
    int changes_output;         /* recorded in the provenance of streams */
    const struct sj_option *table; /* SJ_GROUP */
};

/* Parses argv by the tables (NULL-terminated list), permuting operands to the end as getopt_long does; *first is the
 * index of the first operand. SJ_USAGE names the option and what is wrong with it. Abbreviated long options are
 * refused. */
int sj_cli_parse(const struct sj_option *const *tables, int argc, char **argv, int *first);

/* The aligned option lines of --help. */
void sj_cli_help(FILE *f, const struct sj_option *const *tables);

/* Calls visit(arg, name) for the file that each SJ_FILE option names; stops at a value other than 0 and returns it. */
int sj_cli_files(const struct sj_option *const *tables, int (*visit)(void *arg, const char *name), void *arg);

/* {"name": value} of every option marked changes_output (flags and unset texts only when set). New reference. */
sj_json *sj_cli_provenance(const struct sj_option *const *tables);

/* Parsing of one number, whole text, in [min, max] unless both are 0: SJ_USAGE naming `what`. */
int sj_cli_int(const char *what, const char *text, double min, double max, int64_t *value);
int sj_cli_real(const char *what, const char *text, double min, double max, double *value);

/* n such numbers with commas between them, one for each of the n `things` ("sets", for the message). */
int sj_cli_reals(const char *what, const char *text, double min, double max, int n, const char *things, double *value);

#endif
