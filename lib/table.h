/* table: tab-separated text as the programs write it (schemas/reports.md): a line of names, then lines of as many
 * fields. Lines end in LF or CR LF. In fields \t, \n and \\ stand for tab, newline and backslash. */
#ifndef SJ_TABLE_H
#define SJ_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include "err.h"

struct sj_table {
    int columns;
    int64_t rows;
    char **name; /* (columns) */
    char **cell; /* (rows, columns) */
    char *path;  /* for messages */
    char *text;  /* what name and cell point into */
};

/* Reads all of a file ("-": standard input). SJ_SYSTEM: it cannot be read; SJ_INPUT names the line that has another
 * number of fields or is cut short, or says that the file is empty or has a name twice. */
int sj_table_read(const char *path, struct sj_table *t);
void sj_table_free(struct sj_table *t); /* zeros are allowed */

/* The number of the column, or -1. */
int sj_table_find(const struct sj_table *t, const char *name);
/* The same for one that must be there: SJ_INPUT names file and column. */
int sj_table_column(const struct sj_table *t, const char *name, int *column);

const char *sj_table_text(const struct sj_table *t, int64_t row, int column);
/* A field as a number, in [min, max] unless both are 0: SJ_INPUT names file, line and column. */
int sj_table_real(const struct sj_table *t, int64_t row, int column, double min, double max, double *value);

/* Writes a field; NULL: "-". Failures show in ferror(f). */
void sj_table_put(FILE *f, const char *text);

#endif
