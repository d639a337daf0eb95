/* retrieval: reports of how well queries retrieve (SPEC 8.1, table 1; 8.2, figure 2), tab-separated or one JSON object
 * a line. Rates and ranks are in percent. */
#ifndef SJ_RETRIEVAL_H
#define SJ_RETRIEVAL_H

#include <stdio.h>

#include "search.h"

/* Table 1: the true reference of a query is the one of its key and class among those that the settings of s let pass.
 * Columns: row, queries, references, recall@1_percent, recall@5_percent, recall@10_percent, mean_rank_percent,
 * median_rank_percent. Rows: all; per_class: each class; baselines: chance, class-oracle. Where queries are restricted
 * to their class, references counts the most that a query may find. SJ_INPUT names a query without a true reference or
 * with two. */
int sj_retrieval_print(struct sj_search *s, int per_class, int baselines, FILE *f, int json);

/* Figure 2: what the nearest neighbour of each query is. */
struct sj_confusion;
int sj_confusion_new(const struct sj_head *head, struct sj_confusion **c); /* classes are those of head, copied */
void sj_confusion_free(struct sj_confusion *c);                             /* NULL is allowed */
/* The query must have a class. */
int sj_confusion_add(struct sj_confusion *c, struct sj_embedding query, struct sj_embedding nearest);
/* Two tables: by class of the query (and all) the shares of both_right, instrument_right, song_right and both_wrong in
 * percent; and how many queries of a class have a neighbour of each class ("-": none). JSON: objects with "table":
 * "outcome", "confusion". */
int sj_confusion_print(const struct sj_confusion *c, FILE *f, int json);

#endif
