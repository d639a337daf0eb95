/* page: self-contained HTML pages, made of templates (pipelines/pages; installed as share/sj/pages).
 *
 * A template is a whole page. Two kinds of lines in it (blanks around them do not count) are replaced:
 *     <!-- sj:data -->         by what a program has to show: elements with data for the page's script, or HTML
 *     <!-- sj:file NAME -->    by the file of this name beside the template, as a script between its tags */
#ifndef SJ_PAGE_H
#define SJ_PAGE_H

#include <stddef.h>
#include <stdio.h>

#include "err.h"
#include "json.h"

/* Writes the installed template pages/NAME.html to out, with what fill(out, arg) writes in place of its line.
 * Returns what fill returned. SJ_SYSTEM: the template, or a file in it, cannot be read; SJ_INPUT: it has not
 * exactly one line for data. I/O errors of out show in ferror(out). */
int sj_page_write(FILE *out, const char *name, int (*fill)(FILE *out, void *arg), void *arg);

/* The value as an element <script type="application/json" id="ID">, escaped so that nothing in it ends the element.
 * The page's script reads it by JSON.parse(document.getElementById("ID").textContent). */
int sj_page_json(FILE *out, const char *id, const sj_json *value);

/* The text as HTML, also good within a quoted attribute: < > & " ' are escaped; bytes that are no UTF-8, and control
 * characters, become U+FFFD. */
void sj_page_text(FILE *out, const char *text);

/* A table, scrolling sideways where it is wide; columns of numbers have the class "n", fields without a value ("-",
 * "absent" or empty) "none"; names have blanks for their "_" and % for a percent at their end. SJ_SYSTEM: no
 * memory. */
struct sj_table;
int sj_page_table(FILE *out, const struct sj_table *t);

/* n bytes in base64 (RFC 4648, padded), on one line without its end. */
void sj_page_base64(FILE *out, const void *data, size_t n);

#endif
