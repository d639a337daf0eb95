#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct sj_progress {
    const char *label, *unit;
    int64_t start, total;
    double began, drawn;
    int visible;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct sj_progress *sj_progress_new(int mode, const char *label, const char *unit, int64_t start, int64_t total)
{
    if (mode == SJ_PROGRESS_NEVER || (mode == SJ_PROGRESS_AUTO && !isatty(STDERR_FILENO)))
        return NULL;
    struct sj_progress *p = malloc(sizeof *p);
    if (p)
        *p = (struct sj_progress){label, unit, start, total, now_s(), 0, 0};
    return p;
}

static void draw_bar(double part)
{
    enum { WIDTH = 24 };
    char bar[WIDTH + 1];
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < (int)(part * WIDTH) ? '#' : '.';
    bar[WIDTH] = 0;
    fprintf(stderr, " [%s] %3.0f%%", bar, 100 * part);
}

static void print_time(double s)
{
    int64_t t = (int64_t)(s + 0.5);
    if (t >= 3600)
        fprintf(stderr, "%lld:%02d:%02d", (long long)(t / 3600), (int)(t / 60 % 60), (int)(t % 60));
    else
        fprintf(stderr, "%d:%02d", (int)(t / 60), (int)(t % 60));
}

void sj_progress_show(struct sj_progress *p, int64_t done, const char *note)
{
    double t = p ? now_s() : 0;
    if (!p || (t - p->drawn < 0.1 && done != p->total))
        return;
    p->drawn = t;
    p->visible = 1;
    double rate = (double)(done - p->start) / (t - p->began + 1e-9);
    fprintf(stderr, "\r\033[K%s", p->label);
    if (p->total > 0)
        draw_bar((double)done / (double)p->total);
    fprintf(stderr, " %lld", (long long)done);
    if (p->total > 0)
        fprintf(stderr, "/%lld", (long long)p->total);
    fprintf(stderr, " %s, %.3g/s", p->unit, rate);
    if (p->total > 0 && rate > 0) {
        fprintf(stderr, ", left ");
        print_time((double)(p->total - done) / rate);
    }
    if (note && *note)
        fprintf(stderr, ", %s", note);
    fflush(stderr);
}

void sj_progress_total(struct sj_progress *p, int64_t total)
{
    if (p)
        p->total = total;
}

void sj_progress_clear(struct sj_progress *p)
{
    if (!p || !p->visible)
        return;
    fprintf(stderr, "\r\033[K");
    p->visible = 0;
}

void sj_progress_end(struct sj_progress *p)
{
    if (p && p->visible)
        fputc('\n', stderr);
    free(p);
}
