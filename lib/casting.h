/* casting: which class the notes of a MIDI file belong to, by rules from a data file (schemas/render/).
 *
 * A line is "class TAB by TAB what"; '#' starts a comment. The first rule that fits a note decides:
 *
 *   program   its program, 1..128, "33-40" or "1,5-8"; not on channel 10, whose programs are sets of drums
 *   channel   its channel, 1..16
 *   name      the name of its track: the shell's patterns, without regard to case, '_' and '-' being blanks
 *   melody    "*": it is of the part that carries the tune, where no rule before this one finds the class in the piece
 *   any       "*"
 *
 * A note that no rule fits, or of the class "@none", is left out. Classes are numbered in the order in which they first
 * appear. "play" is no rule: the programs from which one is drawn for the class when a piece is to sound different.
 *
 * The part that carries the tune: of the pairs of track and channel, not drums nor of a class that a rule gives a name
 * of its own by program or channel, the one with mostly one note at a time, in the range and at the pace of a voice,
 * that sounds for the largest part of the piece, the higher the better. */
#ifndef SJ_CASTING_H
#define SJ_CASTING_H

#include "err.h"
#include "midi.h"

enum { SJ_CASTING_RULES = 256, SJ_CASTING_NONE = -1, SJ_CASTING_PROGRAMS = 128 };

struct sj_casting;

/* rules: a file, or the name of installed rules ("gm"). SJ_INPUT (file and line), SJ_SYSTEM. */
int sj_casting_open(const char *rules, struct sj_casting **c);
void sj_casting_close(struct sj_casting *c); /* NULL is allowed */
const char *const *sj_casting_names(const struct sj_casting *c, int *n); /* 1 .. SJ_FLUID_CLASSES */
/* The programs (0..127) to draw from for a class, *n of them, 0: any of the family; borrowed. */
const int *sj_casting_play(const struct sj_casting *c, int class, int *n);

/* The rules on one file, which must outlive it. */
struct sj_cast;
int sj_cast_new(const struct sj_casting *c, const struct sj_midi *m, struct sj_cast **cast);
void sj_cast_free(struct sj_cast *cast); /* NULL is allowed */
/* The class of a note of (track, channel) under a program 0..127, or SJ_CASTING_NONE. */
int sj_cast_class(const struct sj_cast *cast, int track, int channel, int program);

#endif
