/* augment_own: what the files of the augmentation share. */
#ifndef SJ_AUGMENT_OWN_H
#define SJ_AUGMENT_OWN_H

#include "augment.h"
#include "rng.h"

/* -- augment_stems.c ----------------------------------------------------------------------------------------------- */
enum { SJ_STEM_BELLS = 2 };
struct sj_stem_change {
    float gain;      /* factor, with its sign */
    float tilt;      /* dB per octave */
    float floor;     /* noise that is added after the gain: its deviation, full scale 1; 0: none */
    float drive;     /* x becomes x / (1 + drive |x|); 0: as it is */
    struct {
        float hz, db, octaves; /* middle, height (0: none) and width of a bell */
    } bell[SJ_STEM_BELLS];
    uint32_t noise;  /* where the random numbers of `floor` start */
};

/* What is read of a track: samples first .. first + count-1, zero where it has none. */
struct sj_stretch {
    const struct sj_dataset *data;
    int64_t track, first, count;
};

/* target (count) = stem[0] changed, context (count) = the sum of stem[1 .. stems-1] changed; full scale 1. */
int sj_augment_stems(const struct sj_stretch *from, int stems, const int *stem, const struct sj_stem_change *change,
                     float *context, float *target);

/* -- augment_speed.c ----------------------------------------------------------------------------------------------- */
enum {
    SJ_SPEED_MOST = 1024,      /* an octave up */
    SJ_SPEED_HALF = 12,        /* zero crossings of the filter on either side */
    SJ_SPEED_TAPS = 2 * SJ_SPEED_HALF * SJ_SPEED_MOST / SJ_SPEED_ONE,
    SJ_SPEED_FINE = 512,       /* entries of the table per zero crossing */
    SJ_SPEED_TABLE = SJ_SPEED_HALF * SJ_SPEED_FINE + 2
};

/* table (SJ_SPEED_TABLE): one side of sin(pi u) / (pi u) under a Kaiser window that ends at SJ_SPEED_HALF. */
void sj_speed_table(float *table);
/* Taps of the filter of a speed, a multiple of 8. */
int sj_speed_taps(int speed);
/* filter (512, taps), a row for each 1/512 between two samples. */
void sj_speed_filter(const float *table, int speed, float *filter);
/* out (n) = in at a speed, for both signals: out[i] is the value at i speed/512, where in[taps/2 - 1] is at 0. */
void sj_speed_change(int speed, const float *filter, int64_t n, const float *const in[2], float *const out[2]);

/* -- augment_room.c ------------------------------------------------------------------------------------------------ */
struct sj_echo; /* belongs to one thread at a time */
int sj_echo_new(struct sj_echo **e);
void sj_echo_free(struct sj_echo *e); /* NULL is allowed */

/* x (n) as it sounds in a room that is drawn, from silence on; its energy stays about the same. */
void sj_augment_room(struct sj_echo *e, struct sj_rng *r, int64_t n, float *x);

/* -- augment_context.c: x (n), with all but the strength drawn ----------------------------------------------------- */
/* Levels above a threshold of 0 to 15 dB below that of x are brought nearer to it, by a ratio of 2 to 8; attack 2 to
 * 30 ms, release 50 to 300 ms. The level of the whole stays. */
void sj_augment_compress(struct sj_rng *r, int64_t n, float *x);
/* A low-pass of 2 to 7 kHz or a high-pass of 40 to 400 Hz, 12 dB an octave. */
void sj_augment_band(struct sj_rng *r, int64_t n, float *x);
/* White noise, most_db - 20 to most_db below the level of x. */
void sj_augment_noise(struct sj_rng *r, double most_db, int64_t n, float *x);
/* A codec and its quality. SJ_SYSTEM: it failed. */
int sj_augment_codec(struct sj_rng *r, int64_t n, float *x);

#endif
