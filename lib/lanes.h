/* lanes: a ring of slots, worked on by several threads at once, taken back in the order in which they were handed in.
 *
 *   for each input:   when sj_lanes_full, take back the oldest slot with sj_lanes_take and use its result;
 *                     fill slot sj_lanes_free_slot; sj_lanes_start
 *   at the end:       sj_lanes_take until sj_lanes_running is 0
 * Threads that have nothing to do sleep. With one thread the work is done in sj_lanes_start, on the calling thread. */
#ifndef SJ_LANES_H
#define SJ_LANES_H

#include "err.h"

struct sj_lanes;

/* work(arg, slot, lane): lane, from 0 to threads - 1, is never in two calls at once. */
int sj_lanes_new(int threads, int slots, void (*work)(void *arg, int slot, int lane), void *arg, struct sj_lanes **l);
void sj_lanes_free(struct sj_lanes *l); /* waits for what is being worked on, drops the rest; NULL is allowed */

int sj_lanes_running(struct sj_lanes *l);   /* slots handed in and not taken back */
int sj_lanes_full(struct sj_lanes *l);      /* no slot is free */
int sj_lanes_ready(struct sj_lanes *l);     /* the oldest slot handed in has been worked on: taking it does not wait */
int sj_lanes_free_slot(struct sj_lanes *l); /* the number of the slot to fill next */
void sj_lanes_start(struct sj_lanes *l);    /* hands it in */
int sj_lanes_take(struct sj_lanes *l);      /* waits for the oldest slot handed in; its number */

#endif
