/* probe_report: what probes found, as text with tabs between or one JSON object a line (schemas/reports.md). */
#ifndef SJ_PROBE_REPORT_H
#define SJ_PROBE_REPORT_H

#include <stdio.h>

#include "probe.h"
#include "probe_score.h"

/* A probe of one set of embeddings, for the report; its vectors (data->x) are not needed any more. */
struct sj_probe_finding {
    const char *source; /* the operand */
    struct sj_probe_data *data;
    struct sj_probe_result result;
    struct sj_probe_measures measures; /* of the test examples */
};

enum sj_probe_tables { SJ_PROBE_PER_CLASS = 1, SJ_PROBE_CONFUSION = 2 };

/* One line for each of n findings; then, with SJ_PROBE_PER_CLASS, a table with a line for each class, key, tag or
 * column; then, with SJ_PROBE_CONFUSION (class and key), how many test examples of each class were taken for which.
 * JSON: "table" is "result", "label" or "confusion". SJ_SYSTEM: no memory; errors of f show in ferror(f). */
int sj_probe_report(const struct sj_probe_labels *l, const struct sj_probe_settings *s, int n,
                    const struct sj_probe_finding *found, unsigned tables, FILE *f, int json);

#endif
