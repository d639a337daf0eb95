/* showing: the results of the experiments in one folder, as one page of HTML.
 *
 * Looked at are the files that lie directly in the folder. Those named ID.EXT or ID-NAME.EXT belong to the section ID,
 * one of table1 figure2 figure3 figure4 figure5 table3:
 *   .tsv   a table; of more than 20 rows folded up, of more than 100 a link to the file
 *   .svg   a figure; .png too, where there is no .svg of the same name
 *   .txt   a note under the table of the same name, or else the figure
 *   .html  a page that is linked to; for figure3 also listening-test/index.html
 * A section without any is shown as absent. provenance.tsv, with the columns name and value, is the footer. */
#ifndef SJ_SHOWING_H
#define SJ_SHOWING_H

#include <stdio.h>

#include "err.h"

struct sj_showing;

/* Finds what is there. SJ_SYSTEM: the folder cannot be read; SJ_USAGE: writing `output` (NULL: nothing) would replace a
 * file that is shown or linked to. */
int sj_showing_open(const char *folder, const char *output, struct sj_showing **s);
/* Reads and writes all of it. Links are relative to the folder, tables and figures within the page. SJ_INPUT: a table
 * is damaged, a figure is no SVG or PNG. */
int sj_showing_write(FILE *out, const struct sj_showing *s);
void sj_showing_close(struct sj_showing *s); /* NULL is allowed */

#endif
