#include "facts.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "beats.h"
#include "mash.h"
#include "music_key.h"

enum { PITCHES = SJ_MASH_PITCHES };

static const double profile[2][PITCHES] = {
    {0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400},
    {0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330},
};

/* Pearson's, of x and the profile whose tonic is at `tonic`. */
static double correlate(const double x[PITCHES], const double p[PITCHES], int tonic)
{
    double mx = 0, mp = 0, xx = 0, pp = 0, xp = 0;
    for (int i = 0; i < PITCHES; i++) {
        mx += x[i] / PITCHES;
        mp += p[i] / PITCHES;
    }
    for (int i = 0; i < PITCHES; i++) {
        const double a = x[i] - mx, b = p[(i + PITCHES - tonic) % PITCHES] - mp;
        xx += a * a;
        pp += b * b;
        xp += a * b;
    }
    return xx > 0 ? xp / sqrt(xx * pp) : NAN;
}

void sj_facts_key(const double chroma[12], int *key, double *correlation)
{
    *key = -1;
    *correlation = NAN;
    for (int k = 0; k < SJ_MUSIC_KEYS; k++) {
        const double r = correlate(chroma, profile[k / PITCHES], k % PITCHES);
        if (r > *correlation || (isnan(*correlation) && !isnan(r))) {
            *correlation = r;
            *key = k;
        }
    }
}

static int find_key(int64_t n, const float *signal, double rate_hz, const struct sj_beat_grid *grid, struct sj_facts *f)
{
    struct sj_mash_track t;
    double chroma[PITCHES] = {0};
    int status = sj_mash_features(n, signal, rate_hz, grid, &t);
    if (status)
        return status;
    for (int p = 0; p < PITCHES; p++)
        for (int64_t b = 0; b < t.beats; b++)
            chroma[p] += t.chroma[p * t.beats + b];
    sj_mash_track_free(&t);
    sj_facts_key(chroma, &f->key, &f->confidence);
    if (!(f->confidence >= SJ_FACTS_CLEAR))
        f->key = -1;
    return SJ_OK;
}

int sj_facts(int64_t n, const float *signal, double rate_hz, int pitched, struct sj_facts *f)
{
    struct sj_beat_grid grid;
    *f = (struct sj_facts){.seconds = (double)n / rate_hz, .tempo_bpm = NAN, .key = -1, .confidence = NAN};
    for (int64_t i = 0; i < n; i++)
        f->peak = fabsf(signal[i]) > f->peak ? fabsf(signal[i]) : f->peak;
    if (!(f->peak > 0))
        return SJ_OK;
    int status = sj_beats(n, signal, rate_hz, &grid);
    if (!status && grid.own)
        f->tempo_bpm = 60 / grid.period_s;
    return status || !pitched ? status : find_key(n, signal, rate_hz, &grid, f);
}

int sj_facts_pitched(const char *class_name)
{
    return !class_name || (strncasecmp(class_name, "drum", 4) && strncasecmp(class_name, "perc", 4));
}

double sj_facts_ratio(double to, double from)
{
    double ratio = to / from;
    while (ratio >= M_SQRT2)
        ratio /= 2;
    while (ratio < M_SQRT1_2)
        ratio *= 2;
    return ratio;
}

/* The tonic of the major key with the same notes. */
static int major_of(int key)
{
    return key < PITCHES ? key : (key + 3) % PITCHES;
}

int sj_facts_shift(int to, int from, int *known)
{
    *known = to >= 0 && from >= 0;
    if (!*known)
        return 0;
    const int up = (major_of(to) - major_of(from) + PITCHES) % PITCHES;
    return up > 6 ? up - PITCHES : up;
}
