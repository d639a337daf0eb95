/* probe_labels: what is known of the examples of a probe, from a table.
 *
 * Tab-separated text as table.h reads it, with the columns `key` (of the embedding, or any name of the example),
 * `split` (train, valid or test), one or more of labels, and `row` (optional: of a matrix, from 0). Others are
 * ignored. */
#ifndef SJ_PROBE_LABELS_H
#define SJ_PROBE_LABELS_H

#include <stdint.h>

#include "table.h"

enum sj_probe_task {
    SJ_PROBE_CLASS, /* one name of several */
    SJ_PROBE_KEY,   /* one of the 24 keys, as music_key.h reads them */
    SJ_PROBE_TAGS,  /* any number of names, with commas between; an empty field: none */
    SJ_PROBE_VALUE  /* numbers */
};
extern const char *const sj_probe_task_names[]; /* "class", "key", "tags", "value", NULL */

enum sj_probe_split { SJ_TRAIN, SJ_VALID, SJ_TEST };
enum { SJ_PROBE_SPLITS = 3 };
extern const char *const sj_probe_split_names[]; /* "train", "valid", "test", NULL */

/* n examples: all of train, then of valid, then of test, each in the order of the file. */
struct sj_probe_labels {
    enum sj_probe_task task;
    int64_t n, count[SJ_PROBE_SPLITS];
    int64_t C;     /* outputs: classes, keys, tags or columns */
    const char **name; /* (C): classes and tags by their bytes, keys by number, columns as asked for */
    const char **key;  /* (n) */
    int64_t *row;      /* (n): of the matrix; without a column of that name the number of the example in the file */
    int rows;          /* whether there is such a column */
    int32_t *class;    /* (n) class and key: index into name; else NULL */
    float *target;     /* (n, C) tags: 1 or 0; value: the numbers; else NULL */
    struct sj_table table; /* what the texts above lie in */
    char *columns;         /* they, too */
};

/* Reads PATH ("-": standard input) with the labels in `columns`: one name, or, where task is SJ_PROBE_VALUE, several
 * with commas between. SJ_INPUT names the line that is off: an unknown split, an empty or impossible label, a key or
 * row that came before; or says what the whole lacks: a column, examples of a split, two classes (a
 * positive and a negative example of some tag, two values) to train with. */
int sj_probe_labels_read(const char *path, enum sj_probe_task task, const char *columns, struct sj_probe_labels **l);
void sj_probe_labels_free(struct sj_probe_labels *l); /* NULL is allowed */

/* For qsort_r of numbers of examples, int64_t, with arg = the labels: by their keys, by their rows. */
int sj_probe_labels_by_key(const void *a, const void *b, void *arg);
int sj_probe_labels_by_row(const void *a, const void *b, void *arg);

/* The first example of a split. */
int64_t sj_probe_labels_first(const struct sj_probe_labels *l, enum sj_probe_split split);

#endif
