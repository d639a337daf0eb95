/* page: self-contained HTML pages, made of templates (pipelines/pages; installed as share/sj/pages).
 *
 * A template is a whole page in which one line says
 *     <!-- sj:data -->
 * (blanks around it do not count). What a program has to show takes the place of that line: elements with data for the
 * page's script, or HTML. */
#ifndef SJ_PAGE_H
#define SJ_PAGE_H

#include <stddef.h>
#include <stdio.h>

#include "err.h"
#include "json.h"

/* Writes the installed template pages/NAME.html to out, with what fill(out, arg) writes in place of the marked line.
 * Returns what fill returned. SJ_SYSTEM: the template cannot be read; SJ_INPUT: it has not exactly one marked line.
 * I/O errors of out show in ferror(out). */
int sj_page_write(FILE *out, const char *name, int (*fill)(FILE *out, void *arg), void *arg);

/* The value as an element <script type="application/json" id="ID">, escaped so that nothing in it ends the element.
 * The page's script reads it by JSON.parse(document.getElementById("ID").textContent). */
int sj_page_json(FILE *out, const char *id, const sj_json *value);

/* The text as HTML, also good within a quoted attribute: < > & " ' are escaped; bytes that are no UTF-8, and control
 * characters, become U+FFFD. */
void sj_page_text(FILE *out, const char *text);

/* n bytes in base64 (RFC 4648, padded), on one line without its end. */
void sj_page_base64(FILE *out, const void *data, size_t n);

#endif
