/* match_report: what is told of stems that fit a mix, as tables, lines for people, or NDJSON (schemas/reports.md). */
#ifndef SJ_MATCH_REPORT_H
#define SJ_MATCH_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include "facts.h"
#include "match_why.h"

/* NaN and NULL: not known. */
struct sj_match_line {
    int64_t rank;
    double score, offset_s;
    const char *class, *path;
    const struct sj_facts *stem, *mix;
};

void sj_match_report_names(FILE *f, int json);
int sj_match_report_line(FILE *f, int json, const struct sj_match_line *line);

/* class_name (why->classes). line: the stem, with rank, score and offset of `why`. */
int sj_match_report_why(FILE *f, int json, const struct sj_match_line *line, const char *const *class_name,
                        const struct sj_match_why *why);

#endif
