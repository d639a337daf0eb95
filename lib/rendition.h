/* rendition: one rendering of a piece, made in a process of its own: no file that it is given can do more harm than not
 * to be rendered. */
#ifndef SJ_RENDITION_H
#define SJ_RENDITION_H

#include <stddef.h>
#include <stdint.h>

#include "casting.h"
#include "fluid.h"
#include "instruments.h"
#include "pieces.h"

enum { SJ_RENDITION_FONTS = 32 };

struct sj_rendition_how {
    const struct sj_casting *casting;
    const struct sj_instruments *instruments; /* NULL: modules cannot be rendered */
    int fonts;                                /* loaded; 0: MIDI files cannot be rendered */
    const char *font_path[SJ_RENDITION_FONTS];
    struct sj_fluid *font[SJ_RENDITION_FONTS]; /* with as many classes as the casting */
    double seconds;                            /* most of a piece */
    int augment;                               /* drawn from seed; else as written, through the first font */
    uint64_t seed;
    int full;                                  /* also the full render */
};

/* In memory of its own: given back with sj_rendition_free. full scale is 32768. */
struct sj_rendition {
    int64_t samples;  /* 0 from sj_rendition_look */
    double seconds;   /* from sj_rendition_look: of the piece as written */
    int stems;        /* that sound */
    int32_t class[SJ_FLUID_CLASSES]; /* (stems) ascending */
    int full;         /* whether the full render comes after the stems */
    size_t bytes;     /* of all this */
    int16_t audio[];  /* (stems [+ 1], samples) */
};

/* Renders piece p; take: which of several renderings that differ. Thread-safe. SJ_INPUT says why it cannot be. */
int sj_rendition_make(const struct sj_rendition_how *how, const struct sj_piece *p, uint64_t take,
                      struct sj_rendition **r);
/* Only looks what is in it: seconds and classes (with notes; of a module, with instruments). */
int sj_rendition_look(const struct sj_rendition_how *how, const struct sj_piece *p, struct sj_rendition **r);
void sj_rendition_free(struct sj_rendition *r); /* NULL is allowed */

#endif
