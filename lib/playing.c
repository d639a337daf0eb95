#include "playing.h"

#include <math.h>
#include <string.h>

enum {
    DRUMS = 9,
    AS_WRITTEN = -1,
    FAMILY = 256, /* FAMILY + k: program k of 8 of the family that is written */
    MEMBERS = 8,
    MELODIC = 112 /* programs before the percussion and the noises */
};
#define CHANGED 0.6f /* how many channels of a class get another program */
#define FAR 0.25f    /* of those without programs to choose from: another family */
#define ROOMS 0.7f   /* how many pieces are in a room */

void sj_playing_plain(struct sj_playing *p)
{
    *p = (struct sj_playing){.tempo = 1, .peak = 0.9f};
    for (int c = 0; c < SJ_FLUID_CLASSES; c++) {
        p->gain[c] = 1;
        for (int ch = 0; ch < SJ_MIDI_CHANNELS; ch++)
            p->program[c][ch] = AS_WRITTEN;
    }
}

/* The program of one channel in one class. The same number of draws whatever comes of them. */
static int draw_program(struct sj_rng *r, const int *play, int n)
{
    float changed = sj_rng_float(r), far = sj_rng_float(r);
    int member = (int)sj_rng_below(r, MEMBERS), any = (int)sj_rng_below(r, MELODIC);
    int pick = (int)sj_rng_below(r, n ? (uint64_t)n : 1);
    if (changed >= CHANGED)
        return AS_WRITTEN;
    return n ? play[pick] : far < FAR ? any : FAMILY + member;
}

void sj_playing_draw(struct sj_rng *r, const struct sj_casting *casting, struct sj_playing *p)
{
    int classes = SJ_FLUID_CLASSES, n;
    sj_playing_plain(p);
    p->tempo = pow(2, sj_rng_range(r, -0.25f, 0.25f));
    p->shift = casting ? (int)sj_rng_below(r, 12) - 6 : (int)sj_rng_below(r, 7) - 3;
    p->cents = sj_rng_range(r, -30, 30);
    p->reverb_size = sj_rng_range(r, 0.1f, 0.9f);
    p->reverb_damp = sj_rng_range(r, 0, 0.8f);
    p->reverb_level = sj_rng_range(r, 0.1f, 0.9f);
    p->reverb_send = (int)sj_rng_below(r, 90) + 20;
    if (sj_rng_float(r) >= ROOMS)
        p->reverb_level = 0;
    p->peak = sj_rng_range(r, 0.5f, 0.98f);
    if (casting)
        (void)sj_casting_names(casting, &classes);
    for (int c = 0; c < classes; c++)
        p->gain[c] = powf(10, sj_rng_range(r, -5, 5) / 20);
    for (int c = 0; c < classes && casting; c++)
        for (int ch = 0; ch < SJ_MIDI_CHANNELS; ch++) {
            const int *play = sj_casting_play(casting, c, &n);
            p->program[c][ch] = draw_program(r, play, n);
        }
}

int sj_playing_program(const struct sj_playing *p, int class, int channel, int program)
{
    int q = p->program[class][channel];
    if (q < 0 || (channel == DRUMS && q >= FAMILY))
        return program;
    return q >= FAMILY ? program / MEMBERS * MEMBERS + q - FAMILY : q;
}
