/* describe: heads and records as text for people and as JSON for programs. */
#ifndef SJ_DESCRIBE_H
#define SJ_DESCRIBE_H

#include <stdio.h>

#include "stream.h"

/* Of the values of one tensor. */
struct sj_stats {
    double min, mean, max; /* over the finite values; NaN when there are none */
    int64_t nan, infinite; /* how many values are */
};

struct sj_stats sj_stats_of(enum sj_dtype t, size_t n, const void *data);

/* "# embed/1 f32 (vector)" and further lines starting with "#": classes, parameters, provenance; then the line of
 * column names for sj_describe_record. Write errors show in ferror(f). */
int sj_describe_head(FILE *f, const struct sj_head *head);

/* One line of tab-separated fields: key, role, class, position, part, last, dims ("80x800"), min, mean, max, nan. In
 * the key, backslash and control characters are escaped as in C. values != 0: then a line for each row of the last
 * dimension. */
int sj_describe_record(FILE *f, const struct sj_head *head, const struct sj_record *record, int values);

/* The same as one JSON object; class by name or null; values as nested lists with null where not finite. */
int sj_describe_json(FILE *f, const struct sj_head *head, const struct sj_record *record, int values);

#endif
