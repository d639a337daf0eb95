/* harte: the labels of keys and chords in annotations (Harte et al., "Symbolic representation of musical chords", ISMIR
 * 2005), reduced to smaller vocabularies.
 *
 * A chord is ROOT[:SHORTHAND][(DEGREES)][/BASS]: "A", "F#:min7", "G:7(#9)", "C:(1,5)", "Bb:maj/3"; N or X is none. A
 * key is TONIC[:MODE], or as music_key.h reads it: "D", "C:minor", "G:mixolydian"; Silence, N or X is none. */
#ifndef SJ_HARTE_H
#define SJ_HARTE_H

#include <stddef.h>

#include "err.h"

enum { SJ_HARTE_BYTES = 16 };

enum sj_chords {
    SJ_CHORDS_MAJMIN, /* C:maj or C:min, by the third; none without a third */
    SJ_CHORDS_TRIADS, /* C:maj min dim aug sus4 sus2 5 1, by third and fifth */
    SJ_CHORDS_FULL    /* as it stands */
};
extern const char *const sj_chords_names[]; /* "majmin", "triads", "full", NULL */

enum sj_keys {
    SJ_KEYS_MAJMIN, /* C:major or C:minor, other modes by their third; none where the mode has none ("modal") */
    SJ_KEYS_FULL    /* as it stands */
};
extern const char *const sj_keys_names[]; /* "majmin", "full", NULL */

/* *out = the label in the vocabulary, NULL: none; it may be the label itself, or in `name`. Roots are written C, C#,
 * D .. B, but where labels stay as they are. SJ_INPUT: "'X' is no chord". */
int sj_chord_reduce(const char *label, enum sj_chords vocabulary, char name[SJ_HARTE_BYTES], const char **out);
int sj_key_reduce(const char *label, enum sj_keys vocabulary, const char **out);

#endif
