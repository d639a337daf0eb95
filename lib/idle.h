/* idle: worker threads that have nothing to do sleep instead of spinning.
 *
 * libgomp's threads spin for milliseconds between parallel regions, which takes the processor from the other stages
 * of a pipeline and from the reader threads of a training (measured on two processors: 13.2 s of processor time
 * where 5.0 s do). It reads its settings before main, so the only way to change them from inside is to start the
 * program again with them set. */
#ifndef SJ_IDLE_H
#define SJ_IDLE_H

/* Runs this program again with GOMP_SPINCOUNT set, unless that or OMP_WAIT_POLICY is set already (then, or when it
 * cannot, returns). To be called first in main. */
void sj_idle_sleeps(char **argv);

#endif
