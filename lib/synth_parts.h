/* synth_parts: what the files of the generator share. Dataflow:
 *
 *   seed, number -> traits -> score (chords, beats, notes of four parts) -> renderers -> room -> stems
 *
 * Only +, -, *, / and sqrt on doubles and floats are used, and the functions below instead of the C library's, so that
 * the samples are the same bits whatever library and processor they are made on. */
#ifndef SJ_SYNTH_PARTS_H
#define SJ_SYNTH_PARTS_H

#include "rng.h"
#include "synth.h"

enum { SJ_SYNTH_STEPS = 16 }; /* of a bar: sixteenth notes */
enum { SJ_SYNTH_BELLS = 5 };  /* peaks and dips of the equaliser */

enum sj_synth_bass_manner { BASS_LOCKED, BASS_PUMP, BASS_WALK, BASS_OCTAVES, BASS_LONG };
enum sj_synth_comp_manner { COMP_PAD, COMP_STABS, COMP_ARPEGGIO, COMP_STRUM, COMP_OFFBEAT };
enum sj_synth_instrument { TONE_KEYS, TONE_ORGAN, TONE_PLUCK, TONE_PAD, TONE_BRASS };
enum sj_synth_drum { DRUM_KICK, DRUM_SNARE, DRUM_HAT, DRUM_OPEN_HAT, DRUM_TOM, DRUM_CRASH, DRUM_COUNT };

/* Everything that the stems of one piece have in common. */
struct sj_synth_traits {
    uint64_t seed, number;
    /* harmony */
    int tonic, mode, sevenths; /* pitch class, index into the modes, 0 or 1 */
    int beats_per_chord;       /* 2, 4 or 8 */
    int form;                  /* 0: A B A B, 1: A A B B; four bars each */
    double tuning;             /* semitones */
    /* rhythm */
    int style, subdivision;    /* index into the styles; 2: swing of eighths, 4: of sixteenths */
    double tempo, swing, looseness_s, start_s;
    float syncopation, density;
    uint16_t groove[2], hits[2]; /* steps of kick and bass, and of the accompaniment, in sections A and B */
    int bass_manner, comp_manner, instrument;
    int comp_low, voice_center, contour[4]; /* registers in semitones; tones of an arpeggio */
    /* timbre family */
    float slope, odd, pluck, detune, drive, noise, attack, sustain, vibrato_hz;
    /* room and master */
    float reverb_s, wet, predelay_s, damping, tilt_db, lowpass_hz, level;
    float bell_hz[SJ_SYNTH_BELLS], bell_db[SJ_SYNTH_BELLS]; /* the colour of the room and of the desk */
};

struct sj_synth_note {
    double start_s;
    float length_s, pitch, velocity; /* pitch in semitones as MIDI (69 = A4), tuning not included; velocity 0..1 */
    int kind;                        /* drum, or 1 for the first note of a sung phrase */
};

struct sj_synth_part {
    struct sj_synth_note *notes;
    size_t count, capacity;
};

struct sj_synth_score {
    struct sj_synth_part parts[SJ_SYNTH_STEMS];
};

/* A style: what a kind of music fixes; the rest is drawn per piece. Patterns: probability of each step in ninths. */
struct sj_synth_style {
    const char *name;
    float tempo_low, tempo_high, swing_low, swing_high, sevenths, long_chords, short_chords, open_hats;
    int subdivision, bass[2], comp[3];
    const char *kick, *snare, *hat;
};

extern const struct sj_synth_style sj_synth_styles[];
extern const char *const sj_synth_modes[];
extern const int sj_synth_scales[][7]; /* semitones of the seven degrees above the tonic, by mode */

/* A stream of random numbers for one purpose in one piece. */
enum sj_synth_purpose { /* a stem or a number is added to the last five */
    FOR_TRAITS, FOR_CHORDS, FOR_BREAKS, FOR_PART = 10, FOR_PHRASES = 20, FOR_SOUND = 30, FOR_NOTES = 40, FOR_LEVEL = 50
};
struct sj_rng sj_synth_rng(const struct sj_synth_traits *t, int purpose);

/* 1 with probability p. */
int sj_synth_chance(struct sj_rng *r, float p);

void sj_synth_draw_traits(uint64_t seed, uint64_t number, struct sj_synth_traits *t);

/* Time of step 0..15 of bar 0.. in seconds, swing included. Steps beyond 15 run on into the next bar. */
double sj_synth_step_time(const struct sj_synth_traits *t, int bar, int step);

/* 1 where a bar belongs to a B section, else 0. */
int sj_synth_section(const struct sj_synth_traits *t, int bar);

/* Fills piece->chords and beats up to `seconds`. SJ_SYSTEM without memory. */
int sj_synth_write_chords(const struct sj_synth_traits *t, double seconds, struct sj_synth_piece *piece);

/* Fills score with the notes that begin before the piece's end. The caller releases it in any case. */
int sj_synth_write_score(const struct sj_synth_traits *t, const struct sj_synth_piece *piece,
                         struct sj_synth_score *score);
void sj_synth_score_free(struct sj_synth_score *score);

/* Renderers: add the part's notes to out[0..n-1]. */
int sj_synth_render_tones(const struct sj_synth_traits *t, int stem, const struct sj_synth_part *part, float *out,
                          int64_t n);
int sj_synth_render_drums(const struct sj_synth_traits *t, const struct sj_synth_part *part, float *out, int64_t n);
int sj_synth_render_voice(const struct sj_synth_traits *t, const struct sj_synth_part *part, float *out, int64_t n);

/* Saturation, equaliser, reverberation and level of the piece applied to one stem in place. */
int sj_synth_master(const struct sj_synth_traits *t, int stem, float *x, int64_t n);

/* A timbre: one period for every half octave of pitch, with no harmonic above 7.6 kHz. */
enum { SJ_SYNTH_TABLE = 1024, SJ_SYNTH_TABLES = 13, SJ_SYNTH_HARMONICS = 96 };
struct sj_synth_wave {
    float table[SJ_SYNTH_TABLES][SJ_SYNTH_TABLE + 1]; /* the last entry repeats the first */
};
/* strength[k-1]: amplitude of harmonic k. All tables are scaled alike, so timbre and loudness agree between them. */
void sj_synth_make_wave(const float strength[SJ_SYNTH_HARMONICS], struct sj_synth_wave *w);
/* The table for a tone of `hz`. */
const float *sj_synth_wave_for(const struct sj_synth_wave *w, double hz);

double sj_synth_sin(double turns);     /* sin(2 pi turns), error < 1e-9 for |turns| < 2^31 */
double sj_synth_exp2(double x);        /* 2^x, relative error < 1e-9, |x| < 1000 */
double sj_synth_hz(double pitch);      /* 440 2^((pitch - 69) / 12) */
double sj_synth_gain(double db);       /* 10^(db / 20) */
double sj_synth_decay(double seconds); /* factor per sample that falls by 60 dB in `seconds` */
double sj_synth_pole(double hz);       /* coefficient 1 - exp(-2 pi hz / rate) of a one-pole low-pass */

/* White noise in [-1, 1): one step of a 32-bit xorshift (Marsaglia 2003); *state is never 0. */
static inline float sj_synth_noise(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return (float)(int32_t)*state * 0x1p-31f;
}

#endif
