/* music_key: the 24 major and minor keys: names, and how near an estimate is.
 *
 * A key is a number: the pitch class of its tonic (0 C, 1 C# or Db, .. 11 B), plus 12 where it is minor. */
#ifndef SJ_MUSIC_KEY_H
#define SJ_MUSIC_KEY_H

#include "err.h"

enum { SJ_MUSIC_KEYS = 24 };

/* "C:major" .. "B:minor", with sharps; NULL-terminated. */
extern const char *const sj_music_key_names[];

/* *key of a name as annotations have them: a letter A to G, any number of # and b, and a mode, with blanks, a colon or
 * nothing between: "C minor", "C:min", "Cm", "Bb major", "F#", "eb minor". Modes in any case (but M and m): "", M, maj,
 * major; m, min, minor. Others count by their third: ionian, lydian and mixolydian as major, dorian, phrygian, aeolian
 * and locrian as minor. A small letter alone, which some take for minor, is refused. SJ_INPUT: "'X' is no key". */
int sj_music_key_parse(const char *text, int *key);

/* MIREX's weighted score of an estimate: 1 the same key, 0.5 a fifth above it in the same mode, 0.3 its relative key,
 * 0.2 its parallel key, else 0. */
double sj_music_key_score(int reference, int estimate);

#endif
