/* match_report: what is told of stems that fit a mix, as tables, lines for people, or NDJSON (schemas/reports.md). */
#ifndef SJ_MATCH_REPORT_H
#define SJ_MATCH_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include "facts.h"

/* NaN and NULL: not known. */
struct sj_match_line {
    int64_t rank;
    double score, offset_s;
    const char *class, *path;
    const struct sj_facts *stem, *mix;
};

void sj_match_report_names(FILE *f, int json);
int sj_match_report_line(FILE *f, int json, const struct sj_match_line *line);

enum { SJ_MATCH_CLASSES = 32 };

/* Why a stem fits, or does not. */
struct sj_match_why {
    struct sj_match_line line;           /* rank: among `others` + 1 */
    int64_t others;                      /* stems of the class in the index, without this one */
    double level, spread;                /* mean and standard deviation of their scores: the random level */
    double similarity;                   /* at the offset, frame by frame */
    int classes;
    const char *class[SJ_MATCH_CLASSES]; /* (classes) */
    double score[SJ_MATCH_CLASSES];      /* (classes) of the stem by what is predicted for each */
};
int sj_match_report_why(FILE *f, int json, const struct sj_match_why *why);

#endif
