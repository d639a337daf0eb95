#include "excerpt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audio.h"
#include "resample.h"

enum { BLOCK = 8192 }; /* frames at a time */

/* -- which files --------------------------------------------------------------------------------------------------- */

int sj_excerpt_classes(const struct sj_track *t, int classes, unsigned char *found)
{
    struct sj_audio *a;
    memset(found, 0, (size_t)classes);
    if (t->status)
        return sj_fail(t->status, "%s", t->reason);
    for (int s = 0; s < t->stems; s++)
        found[t->stem[s].class] = 1;
    if (t->stems)
        return SJ_OK;
    int status = sj_audio_open(t->path, SJ_AUDIO_AUTO, &a);
    if (status)
        return status;
    const int channels = sj_audio_channels(a);
    sj_audio_close(a);
    if (t->layout == SJ_LAYOUT_FILE || channels != classes || (t->layout == SJ_LAYOUT_AUTO && classes <= 2))
        return sj_fail(SJ_INPUT, "'%s' is a single sound without stems", sj_track_name(t));
    memset(found, 1, (size_t)classes);
    return SJ_OK;
}

/* File n of a class; *channel: the one to take, or -1 for all. 0: there are no more. */
static int part_of(const struct sj_track *t, int class, int n, struct sj_part *part, int *channel)
{
    *channel = -1;
    for (int s = 0; s < t->stems; s++)
        if (t->stem[s].class == class && n < t->stem[s].parts) {
            *part = t->stem[s].part[n];
            return 1;
        }
    if (t->stems || n)
        return 0;
    *part = (struct sj_part){t->path, SJ_AUDIO_AUTO};
    *channel = class;
    return 1;
}

/* -- envelopes ----------------------------------------------------------------------------------------------------- */

static int reserve(struct sj_envelope *e, int64_t steps, int64_t *room)
{
    if (steps <= *room)
        return SJ_OK;
    const int64_t more = 2 * steps + 1024;
    double *energy = realloc(e->energy, (size_t)more * sizeof *energy);
    if (!energy)
        return sj_fail(SJ_SYSTEM, "no memory");
    memset(energy + *room, 0, (size_t)(more - *room) * sizeof *energy);
    e->energy = energy;
    *room = more;
    return SJ_OK;
}

/* Adds a file's energy; *frames: how many it has. */
static int add_file(struct sj_audio *a, int channel, struct sj_envelope *e, int64_t *room, int64_t *frames)
{
    const int n = sj_audio_channels(a);
    const double step = (double)sj_audio_rate_hz(a) / SJ_ENVELOPE_STEPS;
    float *x = malloc(sizeof *x * BLOCK * (size_t)n);
    int64_t got = 1;
    int status = x ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory to read '%s'", sj_audio_name(a));
    for (*frames = 0; got && !status; *frames += got) {
        if ((status = sj_audio_read(a, x, BLOCK, &got)))
            break;
        status = reserve(e, (int64_t)((double)(*frames + got) / step) + 1, room);
        for (int64_t i = 0; i < got && !status; i++) {
            float sum = 0;
            for (int c = 0; c < n; c++)
                sum += channel < 0 || c == channel ? x[i * n + c] : 0;
            const float v = channel < 0 ? sum / (float)n : sum;
            e->peak = fabsf(v) > e->peak ? fabsf(v) : e->peak;
            e->energy[(int64_t)((double)(*frames + i) / step)] += (double)v * v / step;
        }
    }
    free(x);
    return status;
}

int sj_envelope_read(const struct sj_track *t, int class, struct sj_envelope *e)
{
    struct sj_part part;
    int64_t room = 0;
    int channel, status = SJ_OK;
    *e = (struct sj_envelope){.seconds = INFINITY};
    for (int n = 0; !status && part_of(t, class, n, &part, &channel); n++) {
        struct sj_audio *a;
        int64_t frames;
        if ((status = sj_audio_open(part.path, part.stream, &a)))
            break;
        const int rate = sj_audio_rate_hz(a), channels = channel < 0 ? sj_audio_channels(a) : 1;
        e->rate_hz = n ? e->rate_hz : rate;
        e->channels = channels > e->channels ? channels : e->channels;
        status = add_file(a, channel, e, &room, &frames);
        e->seconds = fmin(e->seconds, (double)frames / rate);
        sj_audio_close(a);
    }
    if (status)
        sj_envelope_free(e);
    else
        e->steps = (int64_t)ceil(e->seconds * SJ_ENVELOPE_STEPS);
    return status;
}

void sj_envelope_free(struct sj_envelope *e)
{
    free(e->energy);
    *e = (struct sj_envelope){.energy = NULL};
}

double sj_envelope_mean(const struct sj_envelope *e, double start_s, double seconds)
{
    double sum = 0;
    int64_t from = (int64_t)(start_s * SJ_ENVELOPE_STEPS), to = (int64_t)ceil((start_s + seconds) * SJ_ENVELOPE_STEPS);
    to = to > e->steps ? e->steps : to;
    for (int64_t s = from; s < to; s++)
        sum += e->energy[s];
    return to > from ? sum / (double)(to - from) : 0;
}

/* -- excerpts ------------------------------------------------------------------------------------------------------ */

/* A file on its way into an excerpt. */
struct reading {
    struct sj_audio *a;
    int channel;                       /* the one to take, or -1 */
    int lanes;                         /* of the excerpt: its channels */
    struct sj_resample *resample[2];
    float *frames, *lane[2], *out[2];  /* (BLOCK,channels), (BLOCK) each */
};

static void end_reading(struct reading *r)
{
    for (int l = 0; l < 2; l++) {
        sj_resample_close(r->resample[l]);
        free(r->lane[l]);
        free(r->out[l]);
    }
    free(r->frames);
    sj_audio_close(r->a);
}

static int begin_reading(struct reading *r, const struct sj_part *part, int rate_hz)
{
    int status = sj_audio_open(part->path, part->stream, &r->a);
    if (status)
        return status;
    r->frames = malloc(sizeof(float) * BLOCK * (size_t)sj_audio_channels(r->a));
    for (int l = 0; l < r->lanes && !status; l++) {
        r->lane[l] = malloc(sizeof(float) * BLOCK);
        r->out[l] = malloc(sizeof(float) * BLOCK);
        status = r->frames && r->lane[l] && r->out[l]
                     ? sj_resample_open(sj_audio_rate_hz(r->a), rate_hz, &r->resample[l])
                     : sj_fail(SJ_SYSTEM, "no memory to read '%s'", part->path);
    }
    return status;
}

/* frames (n,channels) -> lane. */
static void spread(struct reading *r, int64_t n)
{
    const int channels = sj_audio_channels(r->a);
    for (int l = 0; l < r->lanes; l++)
        for (int64_t i = 0; i < n; i++) {
            const float *x = r->frames + i * channels;
            float sum = 0;
            for (int c = 0; c < channels; c++)
                sum += x[c];
            r->lane[l][i] = r->channel >= 0                    ? x[r->channel]
                            : channels == 2 && r->lanes == 2 ? x[l]
                                                              : sum / (float)channels;
        }
}

/* Resamples n frames (0: the end) of the lanes from `at` on and adds them. */
static int add_lanes(struct reading *r, int64_t n, const struct sj_excerpt *e, float gain, float *out, int64_t *done)
{
    for (size_t at = 0, used, made = 1; *done < e->frames && (n ? at < (size_t)n : made > 0); at += used) {
        int64_t room = e->frames - *done < BLOCK ? e->frames - *done : BLOCK;
        for (int l = 0; l < r->lanes; l++) {
            int status = sj_resample_process(r->resample[l], n ? r->lane[l] + at : NULL, (size_t)n - at, r->out[l],
                                             (size_t)room, &used, &made);
            if (status)
                return status;
            for (size_t i = 0; i < made; i++)
                out[(*done + (int64_t)i) * r->lanes + l] += gain * r->out[l][i];
        }
        *done += (int64_t)made;
    }
    return SJ_OK;
}

static int add_part(const struct sj_part *part, int channel, const struct sj_excerpt *e, float gain, float *out)
{
    struct reading r = {.channel = channel, .lanes = e->channels};
    int64_t done = 0, got = 1;
    int status = begin_reading(&r, part, e->rate_hz);
    int64_t skip = status ? 0 : llround(e->start_s * sj_audio_rate_hz(r.a));
    while (!status && got && done < e->frames) {
        const int64_t want = skip > 0 && skip < BLOCK ? skip : BLOCK;
        if ((status = sj_audio_read(r.a, r.frames, want, &got)))
            break;
        if (skip > 0 && got) {
            skip -= got;
            continue;
        }
        spread(&r, got);
        status = add_lanes(&r, got, e, gain, out, &done);
    }
    end_reading(&r);
    return status;
}

int sj_excerpt_add(const struct sj_track *t, int class, const struct sj_excerpt *e, float gain, float *out)
{
    struct sj_part part;
    int channel, status = SJ_OK;
    for (int n = 0; !status && part_of(t, class, n, &part, &channel); n++)
        status = add_part(&part, channel, e, gain, out);
    return status;
}
