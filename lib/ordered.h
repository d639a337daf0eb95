/* ordered: jobs on several threads, whose results come out in the order of one thread.
 *
 * Job k hands on any number of items (sj_ordered_give); the consumer takes the items of job 0, then those of job 1 ...
 * The jobs ahead of the consumer are limited, as are the items waiting in each, so memory is bounded. */
#ifndef SJ_ORDERED_H
#define SJ_ORDERED_H

#include <stdint.h>

#include "err.h"

struct sj_ordered;
struct sj_ordered_job; /* what a job gives its items to */

struct sj_ordered_work {
    int threads;   /* that work, beside the consumer */
    int ahead;     /* jobs started beyond the consumer's, at least `threads` for all to be busy */
    int depth;     /* items waiting in a job; 0: no limit */
    int64_t first; /* number of the first job */
    int64_t jobs;  /* how many; -1: without end */
    int (*run)(void *arg, int64_t job, struct sj_ordered_job *to); /* on any thread; its failure ends the job */
    void (*drop)(void *item); /* frees an item that nobody took */
    void *arg;
};

int sj_ordered_open(const struct sj_ordered_work *work, struct sj_ordered **o);

/* From inside a job: passes the item on, waiting while the queue is full. SJ_NO when the consumer has closed: the item
 * is dropped and the job should return. */
int sj_ordered_give(struct sj_ordered_job *to, void *item);

/* The consumer: the next item of the current job, or *item = NULL at the job's end, where its status (and reason) is
 * returned and the next job becomes the current one. */
int sj_ordered_take(struct sj_ordered *o, void **item);

/* Waits until the current job has ended (depth 0). When it failed its items are dropped, its status is returned with
 * the reason, and the next job becomes the current one; else nothing changes. */
int sj_ordered_settle(struct sj_ordered *o);

void sj_ordered_close(struct sj_ordered *o); /* stops the jobs; NULL is allowed */

#endif
