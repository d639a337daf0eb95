/* synth: made-up multitrack pieces, for the demo, tests and benchmarks.
 *
 * A piece has four stems - bass, drums, other, vocals - that belong together as those of a recording do: one key, mode
 * and chord progression, one tempo and groove, one style, one family of timbres, one room and one master. Different
 * pieces differ in all of these. What is heard is meant to be enough to tell whose bass is whose; nothing else (no
 * constant tone, no offset, no floor of noise) marks a piece.
 *
 * A piece is a pure function of (seed, number, seconds): the same bits on every run. The first seconds of a longer
 * piece are not those of a shorter one, as levels are set from the whole. */
#ifndef SJ_SYNTH_H
#define SJ_SYNTH_H

#include <stddef.h>
#include <stdint.h>

enum { SJ_SYNTH_STEMS = 4, SJ_SYNTH_RATE = 16000 };
enum sj_synth_stem { SJ_SYNTH_BASS, SJ_SYNTH_DRUMS, SJ_SYNTH_OTHER, SJ_SYNTH_VOCALS };

/* Names of the stems in the order of `enum sj_synth_stem`. */
extern const char *const sj_synth_classes[SJ_SYNTH_STEMS];

struct sj_synth_chord {
    double start_s, end_s;
    int root;               /* pitch class 0..11, 0 = C */
    int tones, interval[4]; /* 3 or 4 tones, semitones above the root */
    char label[16];         /* Harte syntax: "F#:min7" */
};

struct sj_synth_beat {
    double time_s;
    int in_bar; /* 1..4 */
};

struct sj_synth_piece {
    uint64_t seed, number;
    int64_t samples;               /* of each stem, at SJ_SYNTH_RATE */
    float *stems[SJ_SYNTH_STEMS];  /* |x| < 1; the sum of the stems may exceed 1 */
    int tonic;                     /* pitch class 0..11, 0 = C */
    const char *mode;              /* "major", "minor", "dorian", "mixolydian" */
    char key[24];                  /* "F#:minor" */
    const char *style;             /* "rock", "funk", ... */
    double tempo_bpm;              /* beats of a 4/4 bar per minute, constant */
    double swing;                  /* place of the off-beat between its neighbours: 0.5 straight .. 0.68 */
    double tuning_cents;           /* offset of the piece from A4 = 440 Hz */
    size_t chord_count, beat_count;
    struct sj_synth_chord *chords; /* without gaps from the first beat to the end */
    struct sj_synth_beat *beats;
};

/* Makes piece `number` of `seed`, `seconds` long (0.1 .. 3600), into *out, which owns its memory: release it with
 * sj_synth_free. SJ_USAGE if `seconds` is out of range, SJ_SYSTEM without memory; then *out is empty. */
int sj_synth_make(uint64_t seed, uint64_t number, double seconds, struct sj_synth_piece *out);

/* Releases what `piece` owns and empties it; NULL and an empty piece do nothing. */
void sj_synth_free(struct sj_synth_piece *piece);

#endif
