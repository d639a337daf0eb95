/* Tempo and grid of clicks, long and short, and of what has no beats. */
#include "beats.h"

#include <stdlib.h>
#include <string.h>

#include "rng.h"
#include "tests/tap.h"

enum { RATE = 16000 };

/* Clicks: noise that dies away, the first at first_s. */
static float *clicks(double length_s, double bpm, double first_s, int64_t *n)
{
    struct sj_rng r = sj_rng(3, 1);
    *n = (int64_t)(length_s * RATE);
    float *wave = calloc((size_t)*n, sizeof *wave), noise[800];
    sj_rng_normal(&r, noise, 800);
    for (double at = first_s; at < length_s; at += 60 / bpm)
        for (int64_t i = 0, from = (int64_t)(at * RATE); i < 800 && from + i < *n; i++)
            wave[from + i] += 0.2f * noise[i] * expf(-(float)i / 150);
    return wave;
}

/* By how much of a period the grid's beats lie beside a time. */
static double beside(const struct sj_beat_grid *g, double second)
{
    return fabs(remainder((second - g->first_s) / g->period_s, 1));
}

static void hears(double length_s, double bpm, double first_s, double want_bpm, double bound)
{
    int64_t n;
    float *wave = clicks(length_s, bpm, first_s, &n);
    struct sj_beat_grid g;
    ok(!sj_beats(n, wave, RATE, &g) && g.own, "%g s of %g beats a minute", length_s, bpm);
    is_near(60 / g.period_s, want_bpm, bound * want_bpm, "tempo");
    is_int(g.n, (int64_t)(length_s / g.period_s), "as many beats as there is room for");
    ok(g.first_s >= -g.period_s / 2 && g.first_s < g.period_s / 2, "the first is at its start: %.3f s", g.first_s);
    const double last = first_s + 60 / bpm * floor((length_s - first_s) / (60 / bpm));
    ok(beside(&g, first_s + 0.03) < 0.15 && beside(&g, last + 0.03) < 0.15,
       "clicks are on the grid: beside by %.2f and %.2f", beside(&g, first_s), beside(&g, last));
    free(wave);
}

static void has_none(const char *what, int64_t n, const float *wave)
{
    struct sj_beat_grid g;
    ok(!sj_beats(n, wave, RATE, &g) && !g.own, "%s has no beats", what);
    is_near(60 / g.period_s, SJ_BEATS_DEFAULT_BPM, 1e-9, "the grid that is then");
    ok(g.first_s >= 0 && g.first_s <= 0, "from the start on");
    is_int(g.n, n / RATE * 2 > 1 ? n / RATE * 2 : 1, "to the end");
}

int main(void)
{
    hears(60, 100, 0.2, 100, 2e-3);
    hears(60, 128, 0.05, 128, 2e-3);
    hears(7, 120, 0.3, 120, 0.008);
    hears(7, 93, 0.1, 93, 0.008);
    hears(6.8, 110, 0.25, 110, 0.008); /* heard five times, half a beat off each */
    hears(40, 70, 0.4, 140, 2e-3); /* in the octave from 80 on */
    float *silence = calloc(10 * RATE, sizeof *silence);
    has_none("silence", 10 * RATE, silence);
    has_none("a sample", 1, silence);
    has_none("nothing", 0, silence);
    free(silence);
    return done();
}
