/* facts: what a musician asks about a recording before anything else: how long, how loud, how fast, in which key; and
 * how far another one would have to be changed to go with it. Programs that call sj_facts link libaubio (beats.h). */
#ifndef SJ_FACTS_H
#define SJ_FACTS_H

#include <stdint.h>

#include "err.h"

/* NaN and -1 stand for "not known". */
struct sj_facts {
    double seconds, peak; /* of full scale 1 */
    double tempo_bpm;     /* 80 .. 160 (beats.h); NaN: no beats are heard */
    int key;              /* music_key.h; -1: nothing that the chroma says clearly */
    double confidence;    /* of the key: the correlation with its profile, -1 .. 1; NaN for silence */
};

/* signal f32 (n) at rate_hz. Tempo: that of lib/beats. Key: the chroma of lib/mash, averaged over the track, correlated
 * with the 24 rotations of Temperley's profiles (Music and Probability, 2007, chapter 6: how often each degree sounds in
 * the pieces of Kostka and Payne's workbook); the probe-tone ratings of Krumhansl and Kessler (1982) took keys for those
 * of other notes far more often. A key below SJ_FACTS_CLEAR is not told. pitched 0: no key is looked for (drums). SJ_SYSTEM without memory. */
#define SJ_FACTS_CLEAR 0.5
int sj_facts(int64_t n, const float *signal, double rate_hz, int pitched, struct sj_facts *f);

/* What of 12 weights of pitch classes from C is nearest by correlation: *key, and how near. -1, NaN where all are
 * equal. */
void sj_facts_key(const double chroma[12], int *key, double *correlation);

/* Whether a class of this name has pitches: not drums and percussion. */
int sj_facts_pitched(const char *class_name);

/* The speed that makes a candidate of tempo `from` as fast as `to`: to / from, or twice or half of it where that is
 * nearer to 1. NaN where one is not known. */
double sj_facts_ratio(double to, double from);

/* By how many semitones, -5 .. 6, a candidate in key `from` has to be shifted to share the notes of `to`; relative keys
 * (C major, A minor) do. *known = 0 where one is not known. */
int sj_facts_shift(int to, int from, int *known);

#endif
