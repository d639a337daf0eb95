/* neighbours: lists of neighbours as text, one line each, tab-separated under a line of names or as JSON objects; and
 * the merging of lists that parts of the references gave.
 *
 *   query  query_class  rank  reference  class  distance  more
 * Lines of a query follow each other by rank from 1; a query that may find no reference has one line of rank 0. Class
 * names are "-" where there is none; tab, newline and backslash in keys are written \t, \n and \\ (tab-separated
 * only); lines may end in CR LF. A distance of "inf", in JSON null, is that of a reference that does not go with the
 * query at all: the last. "more" is 1 where another line follows and 0 in the last line of all, so that a text that was
 * cut shows it, wherever that was; lines without it are refused. */
#ifndef SJ_NEIGHBOURS_H
#define SJ_NEIGHBOURS_H

#include <stdint.h>
#include <stdio.h>

#include "err.h"

/* One line; the texts are borrowed. */
struct sj_neighbour_line {
    const char *query, *query_class; /* class NULL: none */
    int64_t rank;                    /* 0: no neighbour, what follows says nothing */
    const char *reference, *class;
    double distance;                 /* any number, or INFINITY */
};

/* Writes such lines, each of them ended when the next one comes. I/O errors show in ferror(f). */
struct sj_neighbours_writer {
    FILE *f;
    int json, open; /* open: a line that was not ended */
    struct json_t *held; /* its object, with json */
};
void sj_neighbours_begin(struct sj_neighbours_writer *w, FILE *f, int json); /* f is borrowed; puts the names */
int sj_neighbours_write(struct sj_neighbours_writer *w, const struct sj_neighbour_line *line);
/* Once, whatever happened. SJ_OK: ends the last line as the last; another status stays, and the text shows that it is
 * cut. */
int sj_neighbours_end(struct sj_neighbours_writer *w, int status);

/* A file of such lines, in either form, line by line. */
struct sj_neighbours;
int sj_neighbours_open(const char *path, struct sj_neighbours **in); /* "-": standard input; path is borrowed */
/* *line = the next one, its texts borrowed until the next call, or NULL at the end. SJ_INPUT names the file and the
 * line that is off, and a file that ends early or lists no query; whether ranks follow each other is not looked at. */
int sj_neighbours_next(struct sj_neighbours *in, const struct sj_neighbour_line **line);
int64_t sj_neighbours_number(const struct sj_neighbours *in); /* of the line read last, from 1 */
void sj_neighbours_close(struct sj_neighbours *in);           /* NULL is allowed */

/* Reads the lists of n files, which must name the same queries in the same order, each from another part of the
 * references, and passes on for each query the k nearest of all; of equal distances those of the earlier file first.
 * When each file was made with at least this k, the result is that of all references together. A query that finds none
 * is passed on once, with rank 0. Stops when visit returns other than SJ_OK. SJ_INPUT names the file and the line that
 * is off. */
int sj_neighbours_merge(int n, const char *const *paths, int64_t k,
                        int (*visit)(void *arg, const struct sj_neighbour_line *line), void *arg);

#endif
