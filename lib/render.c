#include "render.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "resample.h"

enum { DRUMS = 9, BASS = 0, DRUM = 1, OTHER = 2, VOCALS = 3, PROGRAMS = 128, TAIL_S = 2 };

/* How this piece is played. */
struct playing {
    double tempo, cents, reverb_size, reverb_damp, reverb_level;
    int shift, send, kit;
    float gain[SJ_RENDER_CLASSES];
    int program[SJ_RENDER_CLASSES][SJ_MIDI_CHANNELS]; /* -1: as written */
    float family_chance;
};

static int voice_name(const char *name)
{
    static const char *const words[] = {"vocal", "vox", "voice", "melod", "lead", "sing", "choir", "lyric", "canto"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(name, words[i]))
            return 1;
    return 0;
}

static int class_of(const struct sj_midi *m, const struct sj_midi_event *e, int program)
{
    if (e->channel == DRUMS)
        return DRUM;
    if ((program >= 32 && program < 40) || program == 87)
        return BASS;
    if (voice_name(m->name[e->track]) || (program >= 52 && program <= 54) || program == 85 || program == 91)
        return VOCALS;
    return OTHER;
}

static void draw(struct sj_render_how *how, struct playing *p)
{
    static const int voices[] = {52, 53, 54, 85, 91, 80, 81, 65, 66, 40, 73, 71, 56, 68, 82, 22};
    static const int kits[] = {0, 8, 16, 24, 25, 32, 40, 48};
    struct sj_rng *r = &how->rng;
    *p = (struct playing){.tempo = 1, .send = 40};
    memset(p->program, -1, sizeof p->program);
    for (int c = 0; c < SJ_RENDER_CLASSES; c++)
        p->gain[c] = 1;
    if (!how->augment)
        return;
    p->tempo = pow(2, sj_rng_range(r, -0.25f, 0.25f));
    p->shift = (int)sj_rng_below(r, 12) - 6;
    p->cents = sj_rng_range(r, -30, 30);
    p->kit = kits[sj_rng_below(r, 8)];
    if (sj_rng_below(r, 10) < 7) {
        p->reverb_level = sj_rng_range(r, 0.1f, 0.9f);
        p->reverb_size = sj_rng_range(r, 0.1f, 0.9f);
        p->reverb_damp = sj_rng_range(r, 0, 0.8f);
        p->send = (int)sj_rng_below(r, 90) + 20;
    }
    for (int c = 0; c < how->classes; c++) {
        p->gain[c] = powf(10, sj_rng_range(r, -5, 5) / 20);
        for (int ch = 0; ch < SJ_MIDI_CHANNELS; ch++) {
            int other = (int)sj_rng_below(r, 8), any = (int)sj_rng_below(r, 112), change = sj_rng_below(r, 10) < 6;
            int voice = voices[sj_rng_below(r, sizeof voices / sizeof *voices)], far = sj_rng_below(r, 4) == 0;
            if (change)
                p->program[c][ch] = c == BASS ? 32 + other : c == VOCALS ? voice : far ? any : 256 + other;
        }
    }
}

/* Program changes of class c on channel ch, as they are played. */
static int played(const struct playing *p, int c, int ch, int program)
{
    int q = p->program[c][ch];
    return ch == DRUMS ? (p->kit ? p->kit : program) : q < 0 ? program : q >= 256 ? program / 8 * 8 + q - 256 : q;
}

struct pass {
    const struct sj_midi *m;
    struct sj_fluid *f;
    const struct sj_render_how *how;
    struct playing play;
    int program[SJ_MIDI_CHANNELS];
    float *raw[SJ_RENDER_CLASSES];
};

/* One event to whom it concerns: notes to their class, all else to every class. */
static void send(struct pass *s, const struct sj_midi_event *e)
{
    struct sj_midi_event x = *e;
    if (e->kind == SJ_MIDI_PROGRAM)
        s->program[e->channel] = e->a;
    if (e->kind <= SJ_MIDI_KEY_PRESSURE) {
        int key = e->a + (e->channel == DRUMS ? 0 : s->play.shift);
        x.a = (uint8_t)(key < 0 ? key + 12 : key > 127 ? key - 12 : key);
        if (e->kind == SJ_MIDI_ON) {
            sj_fluid_send(s->f, class_of(s->m, e, s->program[e->channel]), &x);
            return;
        }
    }
    for (int c = 0; c < s->how->classes; c++) {
        if (e->kind == SJ_MIDI_PROGRAM)
            x.a = (uint8_t)(played(&s->play, c, e->channel, e->a) & 127);
        sj_fluid_send(s->f, c, &x);
    }
}

static void start(struct pass *s)
{
    sj_fluid_reset(s->f);
    sj_fluid_detune(s->f, s->play.cents);
    sj_fluid_reverb(s->f, s->play.reverb_size, s->play.reverb_damp, s->play.reverb_level);
    for (int ch = 0; ch < SJ_MIDI_CHANNELS; ch++) {
        send(s, &(struct sj_midi_event){.kind = SJ_MIDI_PROGRAM, .channel = (uint8_t)ch});
        if (s->play.reverb_level > 0)
            send(s, &(struct sj_midi_event){.kind = SJ_MIDI_CONTROL, .channel = (uint8_t)ch, .a = 91,
                                            .b = (uint8_t)s->play.send});
    }
}

/* raw (samples) of every class, at the synthesizer's rate. */
static int perform(struct pass *s, int64_t samples)
{
    const struct sj_midi *m = s->m;
    int64_t next = 0;
    start(s);
    for (int64_t at = 0; at < samples;) {
        for (; next < m->n; next++) {
            double t = (m->event[next].time_s - m->first_s) / s->play.tempo;
            if (t * SJ_FLUID_RATE_HZ >= (double)(at + SJ_FLUID_BLOCK))
                break;
            send(s, &m->event[next]);
        }
        int64_t until = samples;
        if (next < m->n) {
            double t = (m->event[next].time_s - m->first_s) / s->play.tempo * SJ_FLUID_RATE_HZ;
            until = t < (double)samples ? (int64_t)t / SJ_FLUID_BLOCK * SJ_FLUID_BLOCK : samples;
        }
        int64_t n = until - at < SJ_FLUID_BLOCK ? SJ_FLUID_BLOCK : until - at > SJ_FLUID_MOST ? SJ_FLUID_MOST : until - at;
        n = n < samples - at ? n : samples - at;
        float *to[SJ_RENDER_CLASSES];
        for (int c = 0; c < s->how->classes; c++)
            to[c] = s->raw[c] + at;
        int status = sj_fluid_render(s->f, (int)n, to);
        if (status)
            return status;
        at += n;
    }
    return SJ_OK;
}

static int halve(const float *in, int64_t n, float *out, int64_t room)
{
    struct sj_resample *r;
    int status = sj_resample_open(SJ_FLUID_RATE_HZ, SJ_RENDER_RATE_HZ, &r);
    int64_t taken = 0, made = 0;
    while (!status && made < room) {
        size_t used, gave;
        int over = taken >= n;
        status = sj_resample_process(r, over ? NULL : in + taken, (size_t)(n - taken), out + made, (size_t)(room - made),
                                     &used, &gave);
        taken += (int64_t)used;
        made += (int64_t)gave;
        if (over && !gave)
            break;
    }
    sj_resample_close(r);
    return status;
}

static float peak_of(const float *x, int64_t n)
{
    float most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
    return most;
}

/* One factor for all stems. */
static int level(struct sj_rendered *out, struct sj_render_how *how, const struct playing *p)
{
    float *sum = calloc((size_t)out->samples, sizeof *sum), most = 0;
    int sounding = 0;
    if (!sum)
        return sj_fail(SJ_SYSTEM, "no memory");
    for (int c = 0; c < out->classes; c++) {
        for (int64_t i = 0; i < out->samples; i++)
            sum[i] += out->signal[c][i] *= p->gain[c];
        float peak = peak_of(out->signal[c], out->samples);
        most = peak > most ? peak : most;
        sounding += peak > 1e-3f;
    }
    float all = peak_of(sum, out->samples);
    free(sum);
    most = all > most ? all : most;
    float factor = (how->augment ? sj_rng_range(&how->rng, 0.5f, 0.98f) : 0.9f) / most;
    if (sounding < 2)
        return sj_fail(SJ_INPUT, "fewer than two classes sound");
    for (int c = 0; c < out->classes; c++)
        for (int64_t i = 0; i < out->samples; i++)
            out->signal[c][i] *= factor;
    return SJ_OK;
}

int sj_render_midi(const struct sj_midi *m, struct sj_fluid *f, struct sj_render_how *how, struct sj_rendered *out)
{
    struct pass s = {.m = m, .f = f, .how = how};
    draw(how, &s.play);
    double seconds = (m->last_s - m->first_s) / s.play.tempo + TAIL_S;
    seconds = seconds < how->seconds ? seconds : how->seconds;
    int64_t raw = (int64_t)(seconds * SJ_FLUID_RATE_HZ) / SJ_FLUID_BLOCK * SJ_FLUID_BLOCK;
    *out = (struct sj_rendered){.samples = raw / 2, .classes = how->classes};
    int status = raw > 0 ? SJ_OK : sj_fail(SJ_INPUT, "nothing to hear");
    for (int c = 0; c < how->classes && !status; c++)
        if (!(s.raw[c] = calloc((size_t)raw, sizeof(float))) || !(out->signal[c] = calloc((size_t)raw / 2, sizeof(float))))
            status = sj_fail(SJ_SYSTEM, "no memory for %.0f s", seconds);
    if (!status)
        status = perform(&s, raw);
    for (int c = 0; c < how->classes && !status; c++)
        status = halve(s.raw[c], raw, out->signal[c], out->samples);
    if (!status)
        status = level(out, how, &s.play);
    for (int c = 0; c < how->classes; c++)
        free(s.raw[c]);
    if (status)
        sj_rendered_free(out);
    return status;
}

void sj_rendered_free(struct sj_rendered *r)
{
    for (int c = 0; c < r->classes; c++)
        free(r->signal[c]);
    *r = (struct sj_rendered){.samples = 0};
}
