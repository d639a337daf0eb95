#include "render.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "resample.h"

enum { DRUMS = 9, REVERB_SEND = 91, CHORUS_SEND = 93, OCTAVE = 12, KEYS = 128 };

struct pass {
    const struct sj_midi *m;
    struct sj_fluid *f;
    const struct sj_playing *p;
    struct sj_cast *cast;
    int classes, one; /* one: the synthesizer has one signal for all classes */
    int program[SJ_MIDI_CHANNELS];
    int64_t next; /* event */
    float *raw[SJ_FLUID_CLASSES]; /* (SJ_FLUID_MOST) at the synthesizer's rate */
    struct sj_resample *down[SJ_FLUID_CLASSES];
    int64_t made[SJ_FLUID_CLASSES]; /* samples of the output */
};

static uint8_t shifted(int key, int semitones)
{
    key += semitones;
    return (uint8_t)(key < 0 ? key + OCTAVE : key >= KEYS ? key - OCTAVE : key);
}

/* A note's start to its class, all else to every class: what it says about a channel holds wherever its notes go. */
static void send(struct pass *s, const struct sj_midi_event *e)
{
    struct sj_midi_event x = *e;
    if (e->kind == SJ_MIDI_CONTROL && (e->a == REVERB_SEND || e->a == CHORUS_SEND))
        return; /* the room is sj_playing's */
    if (e->kind == SJ_MIDI_PROGRAM)
        s->program[e->channel] = e->a;
    if (e->kind <= SJ_MIDI_KEY_PRESSURE && e->channel != DRUMS)
        x.a = shifted(e->a, s->p->shift);
    if (e->kind == SJ_MIDI_ON) {
        int class = sj_cast_class(s->cast, e->track, e->channel, s->program[e->channel]);
        if (class >= 0)
            sj_fluid_send(s->f, s->one ? 0 : class, &x);
        return;
    }
    for (int c = 0; c < (s->one ? 1 : s->classes); c++) {
        if (e->kind == SJ_MIDI_PROGRAM)
            x.a = (uint8_t)sj_playing_program(s->p, c, e->channel, e->a);
        sj_fluid_send(s->f, c, &x);
    }
}

static void start(struct pass *s)
{
    sj_fluid_reset(s->f);
    sj_fluid_detune(s->f, s->p->cents);
    sj_fluid_reverb(s->f, s->p->reverb_size, s->p->reverb_damp, s->p->reverb_level);
    for (int ch = 0; ch < SJ_MIDI_CHANNELS; ch++) {
        struct sj_midi_event depth = {.kind = SJ_MIDI_CONTROL, .channel = (uint8_t)ch, .a = REVERB_SEND,
                                      .b = (uint8_t)s->p->reverb_send};
        send(s, &(struct sj_midi_event){.kind = SJ_MIDI_PROGRAM, .channel = (uint8_t)ch});
        for (int c = 0; c < (s->one ? 1 : s->classes); c++)
            sj_fluid_send(s->f, c, &depth);
    }
}

/* Sends what comes before the block at `at` ends; the number of samples to the block of the next event. */
static int64_t advance(struct pass *s, int64_t at, int64_t samples)
{
    for (; s->next < s->m->n; s->next++) {
        double t = (s->m->event[s->next].time_s - s->m->first_s) / s->p->tempo * SJ_FLUID_RATE_HZ;
        if (t >= (double)samples)
            return samples - at;
        if (t >= (double)(at + SJ_FLUID_BLOCK))
            return (int64_t)t / SJ_FLUID_BLOCK * SJ_FLUID_BLOCK - at;
        send(s, &s->m->event[s->next]);
    }
    return samples - at;
}

/* Appends n samples at in (NULL: no more come) to x, of which *made of `samples` are there. */
static int append(struct sj_resample *r, const float *in, int64_t n, float *x, int64_t samples, int64_t *made)
{
    int64_t taken = 0;
    size_t used, gave = 1;
    int status = SJ_OK;
    while (!status && *made < samples && (in ? taken < n : gave > 0)) {
        status = sj_resample_process(r, in ? in + taken : NULL, (size_t)(n - taken), x + *made,
                                     (size_t)(samples - *made), &used, &gave);
        taken += (int64_t)used;
        *made += (int64_t)gave;
    }
    return status;
}

/* out (its samples) of every signal, from `raw` samples of the synthesizer's. */
static int perform(struct pass *s, int64_t raw, struct sj_rendered *out)
{
    int status = SJ_OK;
    start(s);
    for (int64_t at = 0; at < raw && !status;) {
        int64_t n = advance(s, at, raw);
        n = n < SJ_FLUID_MOST ? n : SJ_FLUID_MOST;
        for (int c = 0; c < out->classes; c++)
            memset(s->raw[c], 0, (size_t)n * sizeof(float));
        status = sj_fluid_render(s->f, (int)n, s->raw);
        for (int c = 0; c < out->classes && !status; c++)
            status = append(s->down[c], s->raw[c], n, out->signal[c], out->samples, &s->made[c]);
        at += n;
    }
    for (int c = 0; c < out->classes && !status; c++)
        status = append(s->down[c], NULL, 0, out->signal[c], out->samples, &s->made[c]);
    return status;
}

int sj_render_convert(const float *in, int64_t n, int from_hz, float *out, int64_t samples)
{
    struct sj_resample *r;
    int64_t made = 0;
    int status = sj_resample_open(from_hz, SJ_RENDER_RATE_HZ, &r);
    if (status)
        return status;
    status = append(r, in, n, out, samples, &made);
    if (!status)
        status = append(r, NULL, 0, out, samples, &made);
    sj_resample_close(r);
    for (; made < samples; made++)
        out[made] = 0;
    return status;
}

static float peak_of(const float *x, int64_t n)
{
    float most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
    return most;
}

static void scale(float *x, int64_t n, float by)
{
    for (int64_t i = 0; i < n; i++)
        x[i] *= by;
}

int sj_render_level(struct sj_rendered *r, const struct sj_playing *p, float *full)
{
    float *sum = calloc((size_t)r->samples + 1, sizeof *sum), most = full ? peak_of(full, r->samples) : 0;
    float peak[SJ_FLUID_CLASSES];
    int sounding = 0;
    if (!sum)
        return sj_fail(SJ_SYSTEM, "no memory for %lld samples", (long long)r->samples);
    for (int c = 0; c < r->classes; c++) {
        scale(r->signal[c], r->samples, p->gain[c]);
        for (int64_t i = 0; i < r->samples; i++)
            sum[i] += r->signal[c][i];
        peak[c] = peak_of(r->signal[c], r->samples);
        most = fmaxf(peak[c], most);
    }
    most = fmaxf(peak_of(sum, r->samples), most);
    free(sum);
    float factor = isfinite(most) && most > 0 ? p->peak / most : 0;
    for (int c = 0; c < r->classes; c++)
        sounding += peak[c] * factor >= SJ_RENDER_AUDIBLE;
    if (sounding < 2)
        return sj_fail(SJ_INPUT, "fewer than two classes sound");
    for (int c = 0; c < r->classes; c++)
        scale(r->signal[c], r->samples, factor);
    if (full)
        scale(full, r->samples, factor);
    return SJ_OK;
}

int sj_render_midi(const struct sj_midi *m, const struct sj_casting *casting, struct sj_fluid *f,
                   const struct sj_playing *p, double seconds, struct sj_rendered *out)
{
    struct pass s = {.m = m, .f = f, .p = p, .one = sj_fluid_classes(f) == 1};
    (void)sj_casting_names(casting, &s.classes);
    double length = (m->last_s - m->first_s) / p->tempo + SJ_RENDER_TAIL_S;
    length = length < seconds ? length : seconds;
    int64_t raw = (int64_t)(length * SJ_FLUID_RATE_HZ) / SJ_FLUID_BLOCK * SJ_FLUID_BLOCK;
    *out = (struct sj_rendered){.samples = raw * SJ_RENDER_RATE_HZ / SJ_FLUID_RATE_HZ,
                                .classes = s.one ? 1 : s.classes};
    int status = raw > 0 ? sj_cast_new(casting, m, &s.cast) : sj_fail(SJ_INPUT, "too short");
    for (int c = 0; c < out->classes && !status; c++) {
        s.raw[c] = malloc(SJ_FLUID_MOST * sizeof(float));
        out->signal[c] = calloc((size_t)out->samples, sizeof(float));
        status = s.raw[c] && out->signal[c] ? sj_resample_open(SJ_FLUID_RATE_HZ, SJ_RENDER_RATE_HZ, &s.down[c])
                                            : sj_fail(SJ_SYSTEM, "no memory for %.0f s", length);
    }
    if (!status)
        status = perform(&s, raw, out);
    for (int c = 0; c < out->classes; c++) {
        sj_resample_close(s.down[c]);
        free(s.raw[c]);
    }
    sj_cast_free(s.cast);
    if (status)
        sj_rendered_free(out);
    return status;
}

void sj_rendered_free(struct sj_rendered *r)
{
    for (int c = 0; c < SJ_FLUID_CLASSES; c++)
        free(r->signal[c]);
    *r = (struct sj_rendered){.samples = 0};
}
