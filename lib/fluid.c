#include "fluid.h"

#include <fluidsynth.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRUMS = 9, SIDES = 2, EFFECTS = 2, POLYPHONY = 64, NO_SEND = -1000 };

/* Channel `channel` of class c is the synthesizer's channel `channel * classes + c`, which it puts into the audio and
 * effects groups `c`. */
struct sj_fluid {
    int classes;
    fluid_settings_t *settings;
    fluid_synth_t *synth;
    float side[SJ_FLUID_CLASSES][SIDES][SJ_FLUID_MOST];
};

static void silent(int level, const char *message, void *data)
{
    (void)level;
    (void)message;
    (void)data;
}

static int set_up(struct sj_fluid *f)
{
    const struct {
        const char *name;
        int value;
    } whole[] = {{"synth.midi-channels", SJ_MIDI_CHANNELS * f->classes},
                 {"synth.audio-channels", f->classes},
                 {"synth.audio-groups", f->classes},
                 {"synth.effects-groups", f->classes},
                 {"synth.polyphony", POLYPHONY},
                 {"synth.cpu-cores", 1},
                 {"synth.threadsafe-api", 0},
                 {"synth.lock-memory", 0},
                 {"synth.dynamic-sample-loading", 0},
                 {"synth.reverb.active", 0},
                 {"synth.chorus.active", 0}};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (fluid_settings_setint(f->settings, whole[i].name, whole[i].value) != FLUID_OK)
            return sj_fail(SJ_SYSTEM, "libfluidsynth does not take %s = %d", whole[i].name, whole[i].value);
    if (fluid_settings_setnum(f->settings, "synth.sample-rate", SJ_FLUID_RATE_HZ) != FLUID_OK)
        return sj_fail(SJ_SYSTEM, "libfluidsynth does not take a rate of %d Hz", SJ_FLUID_RATE_HZ);
    return SJ_OK;
}

/* Whether the file begins as a sound font does: what else libfluidsynth tries prints. */
static int check_font(const char *path)
{
    enum { BEGIN = 12 };
    char begin[BEGIN];
    FILE *f = fopen(path, "rbe");
    if (!f)
        return sj_fail_errno("cannot read the sound font '%s'", path);
    size_t n = fread(begin, 1, BEGIN, f);
    fclose(f);
    return n == BEGIN && !memcmp(begin, "RIFF", 4) && !memcmp(begin + 8, "sfbk", 4)
               ? SJ_OK
               : sj_fail(SJ_INPUT, "'%s' is no sound font", path);
}

int sj_fluid_open(const char *font, int classes, struct sj_fluid **out)
{
    *out = NULL;
    if (classes < 1 || classes > SJ_FLUID_CLASSES)
        return sj_fail(SJ_USAGE, "%d classes: a sound font can render 1 to %d", classes, SJ_FLUID_CLASSES);
    int status = check_font(font);
    if (status)
        return status;
    for (int level = 0; level < LAST_LOG_LEVEL; level++) /* it would print; what matters comes back as a status */
        fluid_set_log_function(level, silent, NULL);
    struct sj_fluid *f = calloc(1, sizeof *f);
    if (!f || !(f->settings = new_fluid_settings())) {
        free(f);
        return sj_fail(SJ_SYSTEM, "no memory for a synthesizer");
    }
    f->classes = classes;
    status = set_up(f);
    if (!status && !(f->synth = new_fluid_synth(f->settings)))
        status = sj_fail(SJ_SYSTEM, "libfluidsynth makes no synthesizer");
    if (!status && fluid_synth_sfload(f->synth, font, 1) == FLUID_FAILED)
        status = sj_fail(SJ_INPUT, "'%s' cannot be read as a sound font", font);
    if (!status) {
        *out = f;
        return SJ_OK;
    }
    sj_fluid_close(f);
    return status;
}

void sj_fluid_close(struct sj_fluid *f)
{
    if (!f)
        return;
    delete_fluid_synth(f->synth);
    delete_fluid_settings(f->settings);
    free(f);
}

int sj_fluid_classes(const struct sj_fluid *f)
{
    return f->classes;
}

void sj_fluid_reset(struct sj_fluid *f)
{
    fluid_synth_system_reset(f->synth);
    fluid_synth_set_interp_method(f->synth, -1, FLUID_INTERP_LINEAR); /* a fifth faster; its error is 32 dB below */
    for (int v = 0; v < SJ_MIDI_CHANNELS * f->classes; v++) {
        fluid_synth_set_channel_type(f->synth, v, v / f->classes == DRUMS ? CHANNEL_TYPE_DRUM : CHANNEL_TYPE_MELODIC);
        fluid_synth_bank_select(f->synth, v, v / f->classes == DRUMS ? 128 : 0);
        fluid_synth_program_change(f->synth, v, 0);
    }
}

void sj_fluid_send(struct sj_fluid *f, int class, const struct sj_midi_event *e)
{
    int v = e->channel * f->classes + class;
    switch (e->kind) { /* what fails (a note off without its note) is nothing for the caller to know */
    case SJ_MIDI_OFF: fluid_synth_noteoff(f->synth, v, e->a); break;
    case SJ_MIDI_ON: fluid_synth_noteon(f->synth, v, e->a, e->b); break;
    case SJ_MIDI_KEY_PRESSURE: fluid_synth_key_pressure(f->synth, v, e->a, e->b); break;
    case SJ_MIDI_CONTROL: fluid_synth_cc(f->synth, v, e->a, e->b); break;
    case SJ_MIDI_PROGRAM: fluid_synth_program_change(f->synth, v, e->a); break;
    case SJ_MIDI_PRESSURE: fluid_synth_channel_pressure(f->synth, v, e->a); break;
    case SJ_MIDI_BEND: fluid_synth_pitch_bend(f->synth, v, e->a | e->b << 7); break;
    default: break;
    }
}

void sj_fluid_detune(struct sj_fluid *f, double cents)
{
    for (int v = 0; v < SJ_MIDI_CHANNELS * f->classes; v++)
        fluid_synth_set_gen(f->synth, v, GEN_FINETUNE, (float)cents);
}

void sj_fluid_reverb(struct sj_fluid *f, double size, double damp, double level)
{
    for (int v = 0; v < SJ_MIDI_CHANNELS * f->classes; v++) { /* what no effect takes need not be mixed */
        fluid_synth_set_gen(f->synth, v, GEN_REVERBSEND, level > 0 ? 0 : NO_SEND);
        fluid_synth_set_gen(f->synth, v, GEN_CHORUSSEND, NO_SEND);
    }
    fluid_synth_reverb_on(f->synth, -1, level > 0);
    if (!(level > 0))
        return;
    fluid_synth_set_reverb_group_roomsize(f->synth, -1, size);
    fluid_synth_set_reverb_group_damp(f->synth, -1, damp);
    fluid_synth_set_reverb_group_width(f->synth, -1, 0.5);
    fluid_synth_set_reverb_group_level(f->synth, -1, level);
}

int sj_fluid_render(struct sj_fluid *f, int n, float *const *signal)
{
    float *dry[SIDES * SJ_FLUID_CLASSES], *wet[SIDES * EFFECTS * SJ_FLUID_CLASSES];
    for (int c = 0; c < f->classes; c++)
        for (int s = 0; s < SIDES; s++) {
            dry[SIDES * c + s] = memset(f->side[c][s], 0, (size_t)n * sizeof(float));
            for (int e = 0; e < EFFECTS; e++)
                wet[(EFFECTS * c + e) * SIDES + s] = f->side[c][s];
        }
    if (fluid_synth_process(f->synth, n, SIDES * EFFECTS * f->classes, wet, SIDES * f->classes, dry) != FLUID_OK)
        return sj_fail(SJ_SYSTEM, "libfluidsynth gives up");
    for (int c = 0; c < f->classes; c++)
        for (int i = 0; i < n; i++)
            signal[c][i] += 0.5f * (f->side[c][0][i] + f->side[c][1][i]);
    return SJ_OK;
}
