/* What the stems of one piece have in common, drawn from the piece's own random streams. */
#include "synth_parts.h"

const char *const sj_synth_modes[] = {"major", "minor", "dorian", "mixolydian"};
enum { MODES = 4 };
const int sj_synth_scales[][7] = {
    {0, 2, 4, 5, 7, 9, 11}, {0, 2, 3, 5, 7, 8, 10}, {0, 2, 3, 5, 7, 9, 10}, {0, 2, 4, 5, 7, 9, 10}};

/* clang-format off */
const struct sj_synth_style sj_synth_styles[] = {
    /* name, tempo, swing, odds of sevenths, long chords, short chords, open hats; subdivision */
    {"ballad",    62,  84, 0.50f, 0.54f, 0.4f, 0.2f, 0.2f, 0.1f, 4,
     {BASS_LONG, BASS_LOCKED}, {COMP_PAD, COMP_ARPEGGIO, COMP_STRUM},
     "9000001060000300", "0000900000009000", "9080908090809080"},
    {"rock",     104, 152, 0.50f, 0.52f, 0.1f, 0.2f, 0.2f, 0.2f, 2,
     {BASS_PUMP, BASS_LOCKED}, {COMP_STRUM, COMP_STRUM, COMP_PAD},
     "9000013080900200", "0000900000009001", "9080908090809080"},
    {"funk",        92, 118, 0.50f, 0.60f, 0.7f, 0.4f, 0.1f, 0.3f, 4,
     {BASS_LOCKED, BASS_LOCKED}, {COMP_STABS, COMP_STABS, COMP_STRUM},
     "9004002050700300", "0000901201209003", "9797979797979797"},
    {"house",    116, 130, 0.50f, 0.57f, 0.5f, 0.3f, 0.1f, 0.9f, 4,
     {BASS_OCTAVES, BASS_LOCKED}, {COMP_STABS, COMP_PAD, COMP_ARPEGGIO},
     "9000900090009001", "0000900000009000", "1090109010901094"},
    {"reggae",    66,  88, 0.50f, 0.62f, 0.2f, 0.3f, 0.1f, 0.2f, 4,
     {BASS_LOCKED, BASS_LONG}, {COMP_OFFBEAT, COMP_OFFBEAT, COMP_OFFBEAT},
     "1000000190000001", "1000000090000010", "9081908190819081"},
    {"swing",    120, 180, 0.60f, 0.68f, 0.9f, 0.1f, 0.3f, 0.1f, 2,
     {BASS_WALK, BASS_WALK}, {COMP_STABS, COMP_PAD, COMP_STABS},
     "3020102030201020", "0010000200100030", "9000906090009060"},
    {"latin",      88, 124, 0.50f, 0.52f, 0.5f, 0.2f, 0.2f, 0.1f, 4,
     {BASS_LOCKED, BASS_OCTAVES}, {COMP_ARPEGGIO, COMP_STABS, COMP_STRUM},
     "9002900290029002", "9009009000909000", "9696969696969696"},
    {"hiphop",    74,  98, 0.50f, 0.66f, 0.6f, 0.5f, 0.0f, 0.2f, 4,
     {BASS_LOCKED, BASS_LONG}, {COMP_PAD, COMP_STABS, COMP_ARPEGGIO},
     "9003002060930200", "0000900000009001", "9494949494949494"},
};
/* clang-format on */
enum { STYLES = sizeof sj_synth_styles / sizeof sj_synth_styles[0] };

struct sj_rng sj_synth_rng(const struct sj_synth_traits *t, int purpose)
{
    return sj_rng(t->seed, sj_rng_stream(t->number, (uint64_t)purpose));
}

/* A pattern of a bar: each step on with the probability that the style gives it, off-beats more with syncopation. */
static uint16_t draw_groove(struct sj_rng *r, const struct sj_synth_style *style, float syncopation)
{
    unsigned mask = 0;
    for (int i = 0; i < SJ_SYNTH_STEPS; i++) {
        float p = (float)(style->kick[i] - '0') / 9;
        if (i % 4 && (style->subdivision == 4 || i % 2 == 0))
            p += (1 - p) * 0.25f * syncopation;
        mask |= (unsigned)sj_synth_chance(r, p) << i;
    }
    return (uint16_t)(mask ? mask : 1);
}

/* When the accompaniment strikes: on the beats when straight, between them when syncopated. */
static uint16_t draw_hits(struct sj_rng *r, int subdivision, float syncopation, float density)
{
    static const float weight[4] = {0.9f, 0.35f, 0.7f, 0.35f}; /* of a sixteenth by its place in the beat */
    unsigned mask = 0;
    for (int i = 0; i < SJ_SYNTH_STEPS; i++) {
        if (subdivision == 2 && i % 2)
            continue;
        float p = weight[i % 4] * (i % 4 ? 0.25f + syncopation : 1.1f - syncopation);
        mask |= (unsigned)sj_synth_chance(r, p * (0.35f + density)) << i;
    }
    return (uint16_t)(mask ? mask : 1u << (syncopation > 0.5f ? 2 : 0));
}

static void draw_rhythm(struct sj_rng *r, struct sj_synth_traits *t)
{
    const struct sj_synth_style *s = &sj_synth_styles[t->style];
    t->tempo = s->tempo_low + (s->tempo_high - s->tempo_low) * sj_rng_double(r);
    t->swing = s->swing_low + (s->swing_high - s->swing_low) * sj_rng_double(r);
    t->subdivision = s->subdivision;
    t->start_s = sj_rng_double(r) * 60 / t->tempo;
    t->looseness_s = 0.001 + 0.009 * sj_rng_double(r);
    t->syncopation = sj_rng_float(r);
    t->density = sj_rng_float(r);
    for (int i = 0; i < 2; i++) {
        t->groove[i] = draw_groove(r, s, t->syncopation);
        t->hits[i] = draw_hits(r, s->subdivision, t->syncopation, t->density);
    }
    t->bass_manner = s->bass[sj_rng_below(r, 2)];
    t->comp_manner = s->comp[sj_rng_below(r, 3)];
    t->comp_low = (int)sj_rng_below(r, 13);
    t->voice_center = 52 + (int)sj_rng_below(r, 18);
    for (int i = 0; i < 4; i++)
        t->contour[i] = (int)sj_rng_below(r, 5);
}

static void draw_harmony(struct sj_rng *r, struct sj_synth_traits *t)
{
    static const int mode_of[10] = {0, 0, 0, 0, 1, 1, 1, 2, 2, 3};
    const struct sj_synth_style *s = &sj_synth_styles[t->style];
    t->tonic = (int)sj_rng_below(r, 12);
    t->mode = mode_of[sj_rng_below(r, 10)];
    t->sevenths = sj_synth_chance(r, s->sevenths);
    float u = sj_rng_float(r);
    t->beats_per_chord = u < s->long_chords ? 8 : u < s->long_chords + s->short_chords ? 2 : 4;
    t->form = (int)sj_rng_below(r, 2);
    t->tuning = sj_rng_range(r, -0.35f, 0.35f);
}

static void draw_sound(struct sj_rng *r, struct sj_synth_traits *t)
{
    static const int fits[5][3] = { /* instruments for each manner of accompaniment */
        [COMP_PAD] = {TONE_PAD, TONE_ORGAN, TONE_BRASS},     [COMP_STABS] = {TONE_KEYS, TONE_BRASS, TONE_ORGAN},
        [COMP_ARPEGGIO] = {TONE_PLUCK, TONE_KEYS, TONE_PAD}, [COMP_STRUM] = {TONE_PLUCK, TONE_KEYS, TONE_PLUCK},
        [COMP_OFFBEAT] = {TONE_ORGAN, TONE_PLUCK, TONE_KEYS}};
    t->instrument = fits[t->comp_manner][sj_rng_below(r, 3)];
    t->slope = sj_rng_range(r, 0.5f, 2.2f);
    t->odd = sj_synth_chance(r, 0.4f) ? sj_rng_range(r, 0.5f, 0.95f) : sj_rng_range(r, 0, 0.2f);
    t->pluck = sj_rng_range(r, 0.08f, 0.45f);
    t->detune = sj_synth_chance(r, 0.5f) ? sj_rng_range(r, 4, 18) : sj_rng_range(r, 0, 3);
    t->drive = sj_synth_chance(r, 0.4f) ? sj_rng_range(r, 1, 6) : sj_rng_range(r, 0.1f, 0.6f);
    t->noise = sj_rng_float(r);
    t->attack = sj_rng_range(r, 0.4f, 2.5f);
    t->sustain = sj_rng_float(r);
    t->vibrato_hz = sj_rng_range(r, 4.2f, 6.8f);
    float size = sj_rng_float(r);
    t->reverb_s = 0.15f + 2.6f * size * size;
    float wet = sj_rng_float(r);
    t->wet = 0.03f + 0.5f * wet * wet;
    t->predelay_s = sj_rng_range(r, 0.002f, 0.04f);
    t->damping = sj_rng_range(r, 0.1f, 0.7f);
    t->tilt_db = sj_rng_range(r, -7, 7);
    t->lowpass_hz = 2200 * (float)sj_synth_exp2(1.8 * sj_rng_double(r)); /* up to 7.6 kHz */
    t->level = sj_rng_range(r, 0.4f, 0.95f);
    for (int i = 0; i < SJ_SYNTH_BELLS; i++) { /* spread over 120 Hz .. 6 kHz */
        t->bell_hz[i] = 120 * (float)sj_synth_exp2(1.13 * i + 1.1 * sj_rng_double(r));
        t->bell_db[i] = sj_rng_range(r, -10, 10);
    }
}

void sj_synth_draw_traits(uint64_t seed, uint64_t number, struct sj_synth_traits *t)
{
    *t = (struct sj_synth_traits){.seed = seed, .number = number};
    struct sj_rng r = sj_synth_rng(t, FOR_TRAITS);
    t->style = (int)sj_rng_below(&r, STYLES);
    draw_rhythm(&r, t);
    draw_harmony(&r, t);
    draw_sound(&r, t);
}

double sj_synth_step_time(const struct sj_synth_traits *t, int bar, int step)
{
    /* swing moves the middle of a beat (or of each half of it); the steps around it are stretched with it */
    int group = t->subdivision == 2 ? 4 : 2, half = group / 2, inside = step % group;
    double place = inside <= half ? t->swing * inside / half : t->swing + (1 - t->swing) * (inside - half) / half;
    return t->start_s + (bar * 4.0 + (step / group + place) * group / 4.0) * 60 / t->tempo;
}

int sj_synth_section(const struct sj_synth_traits *t, int bar)
{
    int part = bar / 4 % 4;
    return t->form ? part >= 2 : part % 2;
}
