/* classmap: which class a file, folder or instrument name belongs to, from a data file (schemas/classes/).
 *
 * A line is "pattern TAB class"; '#' starts a comment. Patterns are the shell's; case does not matter and '_' and '-'
 * are blanks. The first pattern that fits decides. Classes are numbered in the order in which they first appear. Two
 * classes are special: "@mix" (the mixture of all stems) and "@none" (left out). The pattern "*" stands for whatever
 * else is a stem of a track. */
#ifndef SJ_CLASSMAP_H
#define SJ_CLASSMAP_H

#include "err.h"

enum {
    SJ_CLASS_MIX = -2,      /* the name of a mixture */
    SJ_CLASS_LEFT_OUT = -3, /* a stem that is not used */
    SJ_CLASS_UNKNOWN = -4   /* no pattern fits */
};

struct sj_classmap;

/* map: a file, or the name of an installed map ("moisesdb"), or NULL for "four" (bass, drums, other, vocals).
 * classes: "bass,drums,..." fixes the numbering and which classes the map may name; without a map the names themselves
 * are the patterns; NULL: as in the map. SJ_USAGE, SJ_INPUT (file and line). */
int sj_classmap_open(const char *map, const char *classes, struct sj_classmap **m);
void sj_classmap_close(struct sj_classmap *m); /* NULL is allowed */
const char *const *sj_classmap_names(const struct sj_classmap *m, int *n);
/* The class of a stem called `name`, or SJ_CLASS_MIX, _LEFT_OUT or _UNKNOWN. */
int sj_classmap_find(const struct sj_classmap *m, const char *name);
/* The same without the pattern "*": for names that may not be those of stems. */
int sj_classmap_recognise(const struct sj_classmap *m, const char *name);
/* The class whose very name this is, or SJ_CLASS_UNKNOWN. */
int sj_classmap_exact(const struct sj_classmap *m, const char *name);

#endif
