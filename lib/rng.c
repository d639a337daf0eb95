#include "rng.h"

#include <math.h>

enum { ROUNDS = 10 };
static const uint32_t multiply[2] = {0xD2511F53u, 0xCD9E8D57u};
static const uint32_t weyl[2] = {0x9E3779B9u, 0xBB67AE85u};

void sj_rng_block(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4])
{
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t p0 = (uint64_t)multiply[0] * c0, p1 = (uint64_t)multiply[1] * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += weyl[0];
        k1 += weyl[1];
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

struct sj_rng sj_rng(uint64_t seed, uint64_t stream)
{
    return (struct sj_rng){.seed = seed, .stream = stream};
}

/* The finaliser of SplitMix64 (Steele, Lea & Flood 2014). */
static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

uint64_t sj_rng_stream(uint64_t a, uint64_t b)
{
    return mix(mix(a + 0x9E3779B97F4A7C15u) + b);
}

uint32_t sj_rng_u32(struct sj_rng *r)
{
    if (!r->left) {
        sj_rng_block(r->seed, r->stream, r->next++, r->block);
        r->left = 4;
    }
    return r->block[4 - r->left--];
}

uint64_t sj_rng_u64(struct sj_rng *r)
{
    uint64_t low = sj_rng_u32(r);
    return low | (uint64_t)sj_rng_u32(r) << 32;
}

uint64_t sj_rng_below(struct sj_rng *r, uint64_t n)
{
    if (n == 0)
        return 0;
    __extension__ typedef unsigned __int128 wide;
    wide p = (wide)sj_rng_u64(r) * n;
    if ((uint64_t)p < n) { /* only here can the low half be one of the 2^64 mod n excess values */
        uint64_t excess = -n % n;
        while ((uint64_t)p < excess)
            p = (wide)sj_rng_u64(r) * n;
    }
    return (uint64_t)(p >> 64);
}

float sj_rng_float(struct sj_rng *r)
{
    return (float)(sj_rng_u32(r) >> 8) * 0x1p-24f;
}

double sj_rng_double(struct sj_rng *r)
{
    return (double)(sj_rng_u64(r) >> 11) * 0x1p-53;
}

float sj_rng_range(struct sj_rng *r, float low, float high)
{
    return low + (high - low) * sj_rng_float(r);
}

void sj_rng_normal(struct sj_rng *r, float *out, uint64_t n)
{
    for (uint64_t i = 0; i < n; i += 2) {
        double u = 1 - sj_rng_double(r), angle = 6.283185307179586 * sj_rng_double(r); /* u in (0, 1]: log is finite */
        double radius = sqrt(-2 * log(u));
        out[i] = (float)(radius * cos(angle));
        if (i + 1 < n)
            out[i + 1] = (float)(radius * sin(angle));
    }
}
