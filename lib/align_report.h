/* align_report: what sj-align prints (schemas/reports.md), tab-separated or one JSON object a line. */
#ifndef SJ_ALIGN_REPORT_H
#define SJ_ALIGN_REPORT_H

#include <stdio.h>

#include "align.h"

struct sj_align_report {
    FILE *f;
    int json;
    double step_s; /* from one lag to the next */
};

/* A line of names; JSON has none. */
void sj_align_report_names(const struct sj_align_report *r, int curve);

/* class NULL: none. level NaN: none. */
int sj_align_report_peak(const struct sj_align_report *r, const char *key, const char *class, const struct sj_curve *c,
                         double level);

/* The lines of a curve: key, class, lag_s, similarity, frames; lags without frames are left out. */
int sj_align_report_curve(const struct sj_align_report *r, const char *key, const char *class,
                          const struct sj_curve *c);
/* The line of the random level, without a lag; frames is the number of pairs. */
int sj_align_report_level(const struct sj_align_report *r, double level, int64_t pairs);

#endif
