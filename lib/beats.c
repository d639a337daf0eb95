#include "beats.h"

#include <aubio/aubio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fft.h"

/* aubio's periods come out about half a step too short: steps of 16 ms would make tempi 1.5 % too fast. */
enum { STEP = 128, SPAN = 1024, LEAST_S = 30, LEAST_BEATS = 4 };

struct tracker {
    aubio_tempo_t *tempo;
    fvec_t *in, *out;
};

static void close_tracker(struct tracker *t)
{
    sj_fft_planner_lock(); /* aubio has plans of its own */
    if (t->tempo)
        del_aubio_tempo(t->tempo);
    sj_fft_planner_unlock();
    if (t->in)
        del_fvec(t->in);
    if (t->out)
        del_fvec(t->out);
}

static int open_tracker(double rate_hz, struct tracker *t)
{
    sj_fft_planner_lock();
    t->tempo = new_aubio_tempo("default", SPAN, STEP, (uint_t)rate_hz);
    sj_fft_planner_unlock();
    t->in = new_fvec(STEP);
    t->out = new_fvec(1);
    return t->tempo && t->in && t->out ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for the beat tracker");
}

/* Beats in seconds from the start of the tracking, `passes` times the signal; room for one in each hop. */
static int64_t track(struct tracker *t, int64_t n, const float *signal, double rate_hz, int64_t passes, double *beat)
{
    int64_t beats = 0;
    for (int64_t at = 0; at < n * passes; at += STEP) {
        for (int i = 0; i < STEP; i++)
            t->in->data[i] = at + i < n * passes ? signal[(at + i) % n] : 0;
        aubio_tempo_do(t->tempo, t->in, t->out);
        if (t->out->data[0] != 0)
            beat[beats++] = (double)aubio_tempo_get_last(t->tempo) / rate_hz;
    }
    return beats;
}

static int compare(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static double median_interval(int64_t beats, const double *beat, double *interval)
{
    for (int64_t i = 1; i < beats; i++)
        interval[i - 1] = beat[i] - beat[i - 1];
    qsort(interval, (size_t)beats - 1, sizeof *interval, compare);
    return interval[(beats - 2) / 2];
}

/* How well the beats lie on a grid of this period: the length of the sum, and by its angle the first beat. */
static double fit(int64_t beats, const double *beat, double period, double *first)
{
    double re = 0, im = 0;
    for (int64_t i = 0; i < beats; i++) {
        const double turn = 2 * M_PI * beat[i] / period;
        re += cos(turn);
        im += sin(turn);
    }
    *first = atan2(im, re) / (2 * M_PI) * period;
    return hypot(re, im);
}

/* The best of the periods around `period`, so close to each other that over `length` seconds a grid moves from one to
 * the next by an eighth of a beat at most. */
static double refine(int64_t beats, const double *beat, double length, double period)
{
    const double ratio = 0.06;
    const int64_t steps = 1 + (int64_t)(8 * ratio * length / period);
    double best = period, most = -1, first;
    for (int64_t i = -steps; i <= steps; i++) {
        const double p = period * (1 + ratio * (double)i / (double)steps), how = fit(beats, beat, p, &first);
        if (how > most) {
            most = how;
            best = p;
        }
    }
    return best;
}

static void lay_grid(int64_t beats, double *beat, double *interval, double length, struct sj_beat_grid *g)
{
    const double longest = 60 / SJ_BEATS_LEAST_BPM;
    *g = (struct sj_beat_grid){.period_s = 60 / SJ_BEATS_DEFAULT_BPM};
    const double middle = beats >= LEAST_BEATS ? median_interval(beats, beat, interval) : 0;
    if (middle > 0) {
        for (int64_t i = 0; i < beats; i++)
            beat[i] = fmod(beat[i], length); /* from the start of its pass */
        g->own = 1;
        g->period_s = refine(beats, beat, length, middle);
        fit(beats, beat, g->period_s, &g->first_s);
        while (g->period_s > longest)
            g->period_s /= 2;
        while (g->period_s <= longest / 2)
            g->period_s *= 2;
        g->first_s -= g->period_s * floor(g->first_s / g->period_s + 0.5);
    }
    g->n = (int64_t)(length / g->period_s);
    g->n = g->n > 1 ? g->n : 1;
}

int sj_beats(int64_t n, const float *signal, double rate_hz, struct sj_beat_grid *grid)
{
    const int64_t passes = n > 0 ? (int64_t)ceil(LEAST_S * rate_hz / (double)n) : 0;
    const size_t room = (size_t)(n * passes / STEP) + 2;
    double *beat = malloc(room * sizeof *beat), *interval = malloc(room * sizeof *interval);
    struct tracker t = {0};
    int status = beat && interval ? open_tracker(rate_hz, &t) : sj_fail(SJ_SYSTEM, "no memory for beats");
    if (!status) {
        const int64_t beats = track(&t, n, signal, rate_hz, passes, beat);
        lay_grid(beats, beat, interval, (double)n / rate_hz, grid);
    }
    close_tracker(&t);
    free(beat);
    free(interval);
    return status;
}
