/* instruments: which instruments of tracker modules belong to which class, from a table.
 *
 * Its column "path" has the end of a module's path, a column "CLASS_inst" for each class the numbers of its
 * instruments, from 0, with commas between them. Instruments that no column has belong to the class "other",
 * where there is one. */
#ifndef SJ_INSTRUMENTS_H
#define SJ_INSTRUMENTS_H

#include "tracker.h"

struct sj_instruments;

/* SJ_INPUT: no such table, or a class that is none of these. */
int sj_instruments_open(const char *path, int classes, const char *const *names, struct sj_instruments **t);
void sj_instruments_close(struct sj_instruments *t); /* NULL is allowed */

/* The groups of the module PATH: of the row with the longest path that it ends in, at the begin of a name. SJ_INPUT:
 * the table does not have it, or the row is off. */
int sj_instruments_find(const struct sj_instruments *t, const char *path, struct sj_tracker_groups *groups);

#endif
