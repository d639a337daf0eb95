/* labfile: annotations of what sounds when (.lab files, as Isophonics has them).
 *
 * One line for each part of a track, fields separated by blanks or tabs, times in seconds:
 *   start end label        or, of keys:   start end "Key" label
 * or, all lines alike, without ends: each part lasts to the beginning of the next, the last one for ever
 *   start label            or:            start "Key" label
 * Parts follow each other by their starts. Empty lines and lines that begin with # do not count. */
#ifndef SJ_LABFILE_H
#define SJ_LABFILE_H

#include <stdint.h>

#include "err.h"

struct sj_lab_part {
    double start_s, end_s; /* sounds from start_s on, until before end_s */
    const char *label;
    int64_t line;          /* from 1 */
};

struct sj_lab {
    int64_t n;
    struct sj_lab_part *part; /* (n) */
    char *text;               /* what the labels point into */
};

/* Reads all of a file. SJ_SYSTEM: it cannot be read; SJ_INPUT names the line that is off. A file
 * without lines is one of a track in which nothing is labelled. */
int sj_lab_read(const char *path, struct sj_lab *lab);
void sj_lab_free(struct sj_lab *lab); /* zeros are allowed */

/* The number of the part that sounds at a time, the later one where two overlap; -1: none. */
int64_t sj_lab_at(const struct sj_lab *lab, double time_s);

#endif
