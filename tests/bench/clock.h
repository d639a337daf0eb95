/* clock: medians of repeated work on a back end, timed on the host around sync. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sjk.h"

enum { clock_most = 512 };

static double clock_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int clock_by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double clock_median(double *seconds, int n)
{
    qsort(seconds, (size_t)n, sizeof *seconds, clock_by_value);
    return n ? seconds[n / 2] : 0;
}

/* Seconds of one run(arg): the median over `turns` turns of `each` runs, after two to warm up; -1 after a failure, whose
 * reason is on standard error. */
__attribute__((unused)) static double clock_run(struct sjk *k, int (*run)(void *arg), void *arg, int turns, int each)
{
    double seconds[clock_most];
    int bad = run(arg) || run(arg) || k->ops->sync(k);
    for (int i = 0; i < turns && i < clock_most && !bad; i++) {
        double from = clock_now_s();
        for (int j = 0; j < each && !bad; j++)
            bad = run(arg);
        bad = bad || k->ops->sync(k);
        seconds[i] = (clock_now_s() - from) / each;
    }
    if (bad)
        fprintf(stderr, "%s\n", sjk_reason(k));
    return bad ? -1 : clock_median(seconds, turns);
}

#endif
