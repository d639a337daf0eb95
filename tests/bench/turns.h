/* turns: the protocol of run.py: "ready", then for every line read one repetition and its seconds. */
#ifndef BENCH_TURNS_H
#define BENCH_TURNS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double turns_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The place of a name in a NULL-terminated list; its length when absent. */
__attribute__((unused)) static int name_index(const char *const *names, const char *name)
{
    int i = 0;
    while (names[i] && strcmp(names[i], name))
        i++;
    return i;
}

/* Calls job(arg) twice to warm up, then once a line; job returns 0, or non-zero after saying why on standard error. */
static int take_turns(int (*job)(void *arg), void *arg)
{
    char line[64];
    if (job(arg) || job(arg))
        return 1;
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        double t = turns_now_s();
        if (job(arg))
            return 1;
        printf("%.6f\n", turns_now_s() - t);
        fflush(stdout);
    }
    return 0;
}

#endif
