/* Stems read, each changed in level, sign and slope, and added up: four at a time, one in each lane of a vector. */
#include <complex.h>
#include <math.h>
#include <string.h>

#include "augment_own.h"

enum { LANES = 4, SECTIONS = 4, PIECE = 4096 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef uint32_t words __attribute__((vector_size(LANES * sizeof(uint32_t))));

/* A constant slope out of first-order sections two octaves apart, around 80 Hz to 5 kHz: the zero of each stands as far
 * from its pole, in octaves, as the slope asks for (Smith, "Spectral tilt filters", in: Filters as building blocks of
 * virtual analog synthesis). */
struct tilt {
    float gain, feed[SECTIONS], back[SECTIONS];
};

/* A pole or zero where the analogue one is: up to the end of the band that is nearer to the slope than the bilinear
 * transform. */
static double place(double hz)
{
    return -exp(-2 * 3.14159265358979323846 * hz / SJ_DATASET_RATE_HZ);
}

static struct tilt design(const struct sj_stem_change *c)
{
    struct tilt t = {.gain = c->gain};
    double complex z = cexp(-2 * 3.14159265358979323846 * 1000 / SJ_DATASET_RATE_HZ * I), response = 1;
    double slope = c->tilt / (20 * log10(2)), hz = 80;
    for (int k = 0; k < SECTIONS && c->tilt != 0; k++, hz *= 4) {
        double zero = place(hz * exp2(-slope)), pole = place(hz * exp2(slope));
        response *= (1 + zero * z) / (1 + pole * z);
        t.feed[k] = (float)(zero - pole);
        t.back[k] = (float)pole;
    }
    t.gain *= (float)(1 / cabs(response));
    return t;
}

/* A bell of Bristow-Johnson's cookbook, for a transposed second form. */
struct bell {
    float feed[3], back[2];
};

static struct bell design_bell(float hz, float db, float octaves)
{
    double A = exp10(db / 40.0), w = 2 * 3.14159265358979323846 * hz / SJ_DATASET_RATE_HZ;
    double alpha = sin(w) * sinh(log(2) / 2 * octaves * w / sin(w)), whole = 1 + alpha / A;
    float middle = (float)(-2 * cos(w) / whole);
    return (struct bell){{(float)((1 + alpha * A) / whole), middle, (float)((1 - alpha * A) / whole)},
                         {middle, (float)((1 - alpha / A) / whole)}};
}

/* The filters of a group of stems and their states. */
struct bank {
    int tilted, belled, driven, floored;
    float gain[LANES];
    lanes feed[SECTIONS], back[SECTIONS], state[SECTIONS];
    lanes bell[SJ_STEM_BELLS][5], memory[SJ_STEM_BELLS][2];
    lanes drive, makeup, floor;
    words seed;
};

/* White noise into every lane: the middle of three uniform numbers' sum, near enough to a normal one. */
static void add_floor(struct bank *b, int64_t n, float (*x)[PIECE])
{
    words seed = b->seed;
    for (int64_t i = 0; i < n; i++) {
        lanes sum = {0};
        for (int k = 0; k < 3; k++) {
            seed ^= seed << 13; /* Marsaglia's xorshift */
            seed ^= seed >> 17;
            seed ^= seed << 5;
            sum += __builtin_convertvector(seed >> 8, lanes) * (1.f / (1 << 24));
        }
        sum = (sum - 1.5f) * 2 * b->floor; /* a sum of three has the deviation 1/2 */
        for (int l = 0; l < LANES; l++)
            x[l][i] += sum[l];
    }
    b->seed = seed;
}

static void bells(struct bank *b, int64_t n, float (*x)[PIECE])
{
    struct bank at = *b;
    for (int64_t i = 0; i < n; i++) {
        lanes v = {x[0][i], x[1][i], x[2][i], x[3][i]};
        v += 1e-18f;
        for (int k = 0; k < SJ_STEM_BELLS; k++) {
            const lanes *c = at.bell[k], y = c[0] * v + at.memory[k][0];
            at.memory[k][0] = c[1] * v - c[3] * y + at.memory[k][1];
            at.memory[k][1] = c[2] * v - c[4] * y;
            v = y;
        }
        for (int l = 0; l < LANES; l++)
            x[l][i] = v[l];
    }
    *b = at;
}

static void drive(const struct bank *b, int64_t n, float (*x)[PIECE])
{
    for (int l = 0; l < LANES; l++)
        for (int64_t i = 0; i < n; i++)
            x[l][i] *= b->makeup[l] / (1 + b->drive[l] * fabsf(x[l][i]));
}

static void filter(struct bank *b, int64_t n, float (*x)[PIECE])
{
    struct bank at = *b; /* in registers: the samples could lie in *b, for all the compiler knows */
    for (int64_t i = 0; i < n; i++) {
        lanes v = {x[0][i], x[1][i], x[2][i], x[3][i]};
        v += 1e-18f; /* silence would become denormal numbers, which are slow */
        for (int k = 0; k < SECTIONS; k++) {
            lanes in = v;
            v += at.state[k];
            at.state[k] = at.feed[k] * in - at.back[k] * at.state[k];
        }
        for (int l = 0; l < LANES; l++)
            x[l][i] = v[l];
    }
    *b = at;
}

/* x (n) = samples from .. from + n-1 of a stem, with a gain. */
static int read_stem(const struct sj_stretch *s, int stem, float gain, int64_t from, int64_t n, float *x)
{
    const int64_t end = sj_dataset_track(s->data, s->track)->samples;
    const int64_t begin = from > 0 ? from : 0, stop = from + n < end ? from + n : end;
    int16_t pcm[PIECE];
    if (stop - begin < n)
        memset(x, 0, (size_t)n * sizeof *x);
    if (begin >= stop)
        return SJ_OK;
    int status = sj_dataset_read(s->data, s->track, stem, begin, stop - begin, pcm);
    for (int64_t i = begin; i < stop; i++)
        x[i - from] = (float)pcm[i - begin] * (gain / 32768);
    return status;
}

/* Lane l of a bank does what c says. */
static void set_lane(struct bank *b, int l, const struct sj_stem_change *c)
{
    struct tilt t = design(c);
    b->tilted |= c->tilt != 0;
    b->gain[l] = t.gain;
    for (int k = 0; k < SECTIONS; k++) {
        b->feed[k][l] = t.feed[k];
        b->back[k][l] = t.back[k];
    }
    for (int k = 0; k < SJ_STEM_BELLS; k++) {
        struct bell e = {{1, 0, 0}, {0, 0}};
        if (c->bell[k].db != 0)
            e = design_bell(c->bell[k].hz, c->bell[k].db, c->bell[k].octaves);
        b->belled |= c->bell[k].db != 0;
        for (int i = 0; i < 5; i++)
            b->bell[k][i][l] = i < 3 ? e.feed[i] : e.back[i - 3];
    }
    b->driven |= c->drive > 0;
    b->drive[l] = c->drive;
    b->makeup[l] = 1 + c->drive * 0.1f; /* what is at -20 dB stays there */
    b->floored |= c->floor > 0;
    b->floor[l] = c->floor;
    b->seed[l] = c->noise | 1;
}

static int add_group(const struct sj_stretch *s, int stems, const int *stem, const struct sj_stem_change *change,
                     float *const out[LANES])
{
    struct bank b = {0};
    float x[LANES][PIECE] = {{0}};
    for (int l = 0; l < stems; l++)
        set_lane(&b, l, &change[l]);
    int status = SJ_OK;
    for (int64_t at = 0; at < s->count && !status; at += PIECE) {
        const int64_t n = s->count - at < PIECE ? s->count - at : PIECE;
        for (int l = 0; l < stems && !status; l++)
            status = read_stem(s, stem[l], b.gain[l], s->first + at, n, x[l]);
        if (b.floored)
            add_floor(&b, n, x);
        if (b.driven)
            drive(&b, n, x);
        if (b.belled)
            bells(&b, n, x);
        if (b.tilted)
            filter(&b, n, x);
        for (int l = 0; l < stems; l++)
            for (int64_t i = 0; i < n; i++)
                out[l][at + i] += x[l][i];
    }
    return status;
}

int sj_augment_stems(const struct sj_stretch *from, int stems, const int *stem, const struct sj_stem_change *change,
                     float *context, float *target)
{
    int status = SJ_OK;
    memset(context, 0, (size_t)from->count * sizeof *context);
    memset(target, 0, (size_t)from->count * sizeof *target);
    for (int k = 0; k < stems && !status; k += LANES) {
        float *const out[LANES] = {k ? context : target, context, context, context};
        status = add_group(from, stems - k < LANES ? stems - k : LANES, stem + k, change + k, out);
    }
    return status;
}
