/* retrieval_own: ranks gathered from anywhere, and their table. Between retrieval*.c and ranked.c alone. */
#ifndef SJ_RETRIEVAL_OWN_H
#define SJ_RETRIEVAL_OWN_H

#include <stdint.h>
#include <stdio.h>

#include "err.h"

/* What is known of the queries so far. */
struct sj_gathered {
    int64_t n, room;
    int64_t *rank, *total; /* of the true reference, and among how many */
    int *class;
};

int sj_gathered_add(struct sj_gathered *g, int64_t rank, int64_t total, int class);
void sj_gathered_free(struct sj_gathered *g);

/* Table 1, see sj_retrieval_print. of_class (classes + 1): references of each class + 1. */
int sj_gathered_print(const struct sj_gathered *g, int classes, const char *const *name, const int64_t *of_class,
                      int per_class, int baselines, FILE *f, int json);

#endif
