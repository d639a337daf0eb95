#include "trial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "excerpt.h"
#include "loudness.h"
#include "rng.h"

const char *const sj_conditions[] = {"true", "retrieved", "random", NULL};

enum { PURPOSE_EXCERPT = 0x65786372, TRIES = 32, FADES_PER_S = 100 };
static const float SILENT = 1e-3f;       /* a stem that never exceeds this is not there */
static const double ENOUGH = 0.25;       /* of the mean energy */

/* -- where excerpts begin ------------------------------------------------------------------------------------------ */

/* Energy of an excerpt in terms of the mean over all. */
static double share(const struct sj_envelope *e, double start_s, double seconds)
{
    return sj_envelope_mean(e, start_s, seconds) / sj_envelope_mean(e, 0, e->seconds);
}

/* In whole milliseconds. */
static double draw_start(struct sj_rng *r, double song_s, double seconds)
{
    const int64_t places = (int64_t)floor((song_s - seconds) * 1000) + 1;
    return places > 1 ? (double)sj_rng_below(r, (uint64_t)places) / 1000 : 0;
}

/* A start where all of the envelopes have enough. first: tried before any other, unless negative. */
static double find_start(struct sj_rng *r, const struct sj_envelope *const *e, int n, double seconds, double first)
{
    double best = 0, most = -1, song_s = INFINITY;
    for (int i = 0; i < n; i++)
        song_s = fmin(song_s, e[i]->seconds);
    for (int k = 0; k < TRIES && most < ENOUGH; k++) {
        const int given = !k && first >= 0 && first + seconds <= song_s;
        const double start = given ? first : draw_start(r, song_s, seconds);
        double least = INFINITY;
        for (int i = 0; i < n; i++)
            least = fmin(least, share(e[i], start, seconds));
        if (least > most)
            most = least, best = start;
    }
    return best;
}

/* -- what sounds --------------------------------------------------------------------------------------------------- */

/* What is known of the songs of a trial. */
struct casting {
    const struct sj_songs *songs;
    const struct sj_query *query;
    struct sj_rng r;
    struct sj_envelope stem[SJ_CONDITIONS], rest;
};

static int has(const struct casting *c, int64_t track, int class)
{
    return c->songs->has[track * c->songs->classes + class];
}

static int read_stem(const struct casting *c, int64_t track, int class, struct sj_envelope *e)
{
    return sj_envelope_read(&c->songs->tracks->track[track], class, e);
}

/* rest = the sum of the other stems' energies. */
static int read_rest(struct casting *c)
{
    const int64_t track = c->query->track;
    struct sj_envelope *sum = &c->rest, e;
    for (int class = 0; class < c->songs->classes; class++) {
        if (class == c->query->class || !has(c, track, class))
            continue;
        int status = read_stem(c, track, class, &e);
        if (status)
            return status;
        if (!sum->energy) {
            *sum = e;
            continue;
        }
        for (int64_t s = 0; s < sum->steps && s < e.steps; s++)
            sum->energy[s] += e.energy[s];
        sum->steps = e.steps < sum->steps ? e.steps : sum->steps;
        sum->seconds = fmin(sum->seconds, e.seconds);
        sum->peak = fmaxf(sum->peak, e.peak);
        sum->channels = e.channels > sum->channels ? e.channels : sum->channels;
        sj_envelope_free(&e);
    }
    return SJ_OK;
}

static int nothing(const struct casting *c, const char *what)
{
    return sj_fail(SJ_NO, "'%s' without %s: %s", c->songs->tracks->track[c->query->track].key,
                   c->songs->class[c->query->class], what);
}

static int read_query(struct casting *c)
{
    int status = read_stem(c, c->query->track, c->query->class, &c->stem[SJ_TRUE]);
    if (!status && c->stem[SJ_TRUE].peak <= SILENT)
        return nothing(c, "the stem is silent");
    if (!status)
        status = read_rest(c);
    return status || c->rest.peak > SILENT ? status : nothing(c, "nothing sounds");
}

/* Whether a track's stem is to be heard. */
static int audition(struct casting *c, int64_t track, struct sj_envelope *e, int *heard)
{
    int status = read_stem(c, track, c->query->class, e);
    *heard = !status && e->peak > SILENT;
    if (!status && !*heard)
        sj_envelope_free(e);
    return status;
}

static int cast_retrieved(struct casting *c, struct sj_version *v)
{
    int heard = 0, status = SJ_OK;
    for (int i = 0; i < c->query->n && !heard && !status; i++) {
        v->track = c->query->candidate[i];
        v->rank = c->query->rank[i];
        status = audition(c, v->track, &c->stem[SJ_RETRIEVED], &heard);
    }
    return status || heard ? status : nothing(c, "what was retrieved is silent");
}

static int cast_random(struct casting *c, int64_t retrieved, struct sj_version *v)
{
    const int64_t all = c->songs->tracks->n;
    int64_t *from = malloc((size_t)(all + 1) * sizeof *from), n = 0;
    int heard = 0, status = from ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    for (int64_t t = 0; t < all && !status; t++)
        if (has(c, t, c->query->class) && t != c->query->track && t != retrieved)
            from[n++] = t;
    while (n && !heard && !status) {
        const int64_t at = (int64_t)sj_rng_below(&c->r, (uint64_t)n);
        v->track = from[at];
        from[at] = from[--n];
        status = audition(c, v->track, &c->stem[SJ_RANDOM], &heard);
    }
    free(from);
    return status || heard ? status : nothing(c, "no other song has such a stem");
}

/* -- sounds -------------------------------------------------------------------------------------------------------- */

static float peak_of(const float *x, int64_t n)
{
    float peak = 0;
    for (int64_t i = 0; i < n; i++)
        peak = fmaxf(peak, fabsf(x[i]));
    return peak;
}

static void finish(float *x, const struct sj_trial *t, double gain)
{
    const int64_t fade = t->frames < t->rate_hz / FADES_PER_S ? t->frames : t->rate_hz / FADES_PER_S;
    for (int64_t i = 0; i < t->frames; i++) {
        const int64_t edge = i < t->frames - 1 - i ? i : t->frames - 1 - i;
        const double level = edge < fade ? gain * ((double)edge + 0.5) / (double)fade : gain;
        for (int c = 0; c < t->channels; c++)
            x[i * t->channels + c] *= (float)level;
    }
}

/* The stems by themselves, in `sound`, then the mix. */
static int read_sounds(const struct casting *c, struct sj_trial *t)
{
    const struct sj_track *track = c->songs->tracks->track;
    const size_t bytes = (size_t)t->frames * (size_t)t->channels * sizeof(float);
    struct sj_excerpt e = {t->start_s, t->frames, t->channels, t->rate_hz};
    int status = (t->mix = calloc(1, bytes + 1)) ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for a trial");
    for (int class = 0; class < c->songs->classes && !status; class++)
        if (class != t->class && has(c, t->track, class))
            status = sj_excerpt_add(&track[t->track], class, &e, 1, t->mix);
    for (int v = 0; v < SJ_CONDITIONS && !status; v++) {
        e.start_s = t->version[v].start_s;
        status = (t->sound[v] = calloc(1, bytes + 1)) ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for a trial");
        if (!status)
            status = sj_excerpt_add(&track[t->version[v].track], t->class, &e, 1, t->sound[v]);
    }
    return status;
}

static void mix_sounds(struct sj_trial *t)
{
    const int64_t n = t->frames * t->channels;
    const double want = sj_loudness(t->sound[SJ_TRUE], t->frames, t->channels, t->rate_hz);
    float peak = peak_of(t->mix, n);
    for (int v = 0; v < SJ_CONDITIONS; v++) {
        const double have = sj_loudness(t->sound[v], t->frames, t->channels, t->rate_hz);
        const double db = isfinite(want) && isfinite(have) ? want - have : 0;
        t->version[v].gain_db = fmax(-SJ_TRIAL_MOST_DB, fmin(SJ_TRIAL_MOST_DB, db));
        const float gain = (float)pow(10, t->version[v].gain_db / 20);
        for (int64_t i = 0; i < n; i++)
            t->sound[v][i] = t->mix[i] + gain * t->sound[v][i];
        peak = fmaxf(peak, peak_of(t->sound[v], n));
    }
    const double level = sj_loudness(t->sound[SJ_TRUE], t->frames, t->channels, t->rate_hz);
    const double room = SJ_TRIAL_PEAK_DBFS - 20 * log10(peak > 0 ? peak : 1);
    t->gain_db = fmin(isfinite(level) ? SJ_TRIAL_LUFS - level : 0, room);
    finish(t->mix, t, pow(10, t->gain_db / 20));
    for (int v = 0; v < SJ_CONDITIONS; v++)
        finish(t->sound[v], t, pow(10, t->gain_db / 20));
}

/* -- trials -------------------------------------------------------------------------------------------------------- */

static void place_excerpts(struct casting *c, double seconds, struct sj_trial *t)
{
    const struct sj_envelope *const own[] = {&c->stem[SJ_TRUE], &c->rest};
    t->rate_hz = c->stem[SJ_TRUE].rate_hz;
    t->channels = c->stem[SJ_TRUE].channels > 1 || c->rest.channels > 1 ? 2 : 1;
    seconds = fmin(seconds, c->rest.seconds);
    for (int v = 0; v < SJ_CONDITIONS; v++)
        seconds = fmin(seconds, c->stem[v].seconds);
    t->frames = (int64_t)floor(seconds * t->rate_hz + 1e-6);
    t->start_s = find_start(&c->r, own, 2, seconds, -1);
    for (int v = 0; v < SJ_CONDITIONS; v++) {
        const struct sj_envelope *const one[] = {&c->stem[v]};
        t->version[v].start_s = v == SJ_TRUE ? t->start_s : find_start(&c->r, one, 1, seconds, t->start_s);
    }
}

int sj_trial_make(const struct sj_songs *songs, const struct sj_query *query, double seconds, uint64_t seed,
                  uint64_t stream, struct sj_trial *t)
{
    struct casting c = {.songs = songs, .query = query, .r = sj_rng(seed, sj_rng_stream(PURPOSE_EXCERPT, stream))};
    *t = (struct sj_trial){.track = query->track, .class = query->class};
    t->version[SJ_TRUE].track = query->track;
    int status = read_query(&c);
    if (!status)
        status = cast_retrieved(&c, &t->version[SJ_RETRIEVED]);
    if (!status)
        status = cast_random(&c, t->version[SJ_RETRIEVED].track, &t->version[SJ_RANDOM]);
    if (!status) {
        place_excerpts(&c, seconds, t);
        status = read_sounds(&c, t);
    }
    if (!status)
        mix_sounds(t);
    for (int v = 0; v < SJ_CONDITIONS; v++)
        sj_envelope_free(&c.stem[v]);
    sj_envelope_free(&c.rest);
    if (status)
        sj_trial_free(t);
    return status;
}

void sj_trial_free(struct sj_trial *t)
{
    free(t->mix);
    for (int v = 0; v < SJ_CONDITIONS; v++)
        free(t->sound[v]);
    *t = (struct sj_trial){.mix = NULL};
}
