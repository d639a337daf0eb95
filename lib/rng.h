/* rng: random numbers as a pure function of (seed, stream, counter).
 *
 * The generator is Philox4x32-10 (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
 * ten rounds of a keyed mixing of a 128-bit counter. The key is the seed; the counter's low half is the number of the
 * block, its high half the stream. So sample n of anything can be drawn without drawing the n-1 before it, and shards,
 * threads and resumed runs agree. Different streams of one seed, and different seeds, are independent.
 *
 *   struct sj_rng r = sj_rng(seed, stream);        one stream per thing that is drawn: a pair, a tensor, a piece
 *   size_t track = sj_rng_below(&r, tracks);
 *
 * Integers and uniforms are the same bits everywhere; normals are rounded to float from double arithmetic and the C
 * library's log, cos and sin. */
#ifndef SJ_RNG_H
#define SJ_RNG_H

#include <stdint.h>

/* A position in one stream; a plain value, so copying it forks it. Fields are the implementation's. */
struct sj_rng {
    uint64_t seed, stream, next; /* next: number of the block to make when `left` is 0 */
    uint32_t block[4];
    uint32_t left; /* words of `block` not yet handed out */
};

/* The generator itself: out[0..3] = block `counter` of (seed, stream). */
void sj_rng_block(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4]);

/* The start of stream `stream` of `seed`. */
struct sj_rng sj_rng(uint64_t seed, uint64_t stream);

/* A stream number made of two numbers, (purpose, index) for instance: a bijective mixing of a, offset by b, mixed. */
uint64_t sj_rng_stream(uint64_t a, uint64_t b);

uint32_t sj_rng_u32(struct sj_rng *r); /* 32 random bits: one word */
uint64_t sj_rng_u64(struct sj_rng *r); /* 64 random bits: two words, low one first */

/* Uniform in 0 .. n-1, exactly (Lemire 2019, multiply and reject). n = 0 gives 0. */
uint64_t sj_rng_below(struct sj_rng *r, uint64_t n);

float sj_rng_float(struct sj_rng *r);                            /* uniform in [0, 1): k 2^-24 */
double sj_rng_double(struct sj_rng *r);                          /* uniform in [0, 1): k 2^-53 */
float sj_rng_range(struct sj_rng *r, float low, float high);     /* low + (high - low) u, u in [0, 1) */

/* out[0..n-1] = independent normals of mean 0 and standard deviation 1 (Box & Muller 1958), two per two doubles. */
void sj_rng_normal(struct sj_rng *r, float *out, uint64_t n);

#endif
