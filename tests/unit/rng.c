/* The generator against its published answers, the draws against what they promise. */
#include "rng.h"

#include "tests/tap.h"

enum { DRAWS = 60000 };

static void known_answers(void)
{
    /* from the kat_vectors of the authors' Random123 library: counter (4), key (2), result (4) */
    static const uint32_t kat[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
         0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0,
         0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
    };
    for (int i = 0; i < 3; i++) {
        const uint32_t *k = kat[i];
        uint32_t out[4];
        sj_rng_block(k[4] | (uint64_t)k[5] << 32, k[2] | (uint64_t)k[3] << 32, k[0] | (uint64_t)k[1] << 32, out);
        ok(!memcmp(out, k + 6, sizeof out), "philox4x32-10 known answer %d", i);
    }
}

static void streams(void)
{
    struct sj_rng r = sj_rng(7, 9);
    int same = 1;
    for (uint64_t b = 0; b < 3; b++) {
        uint32_t want[4];
        sj_rng_block(7, 9, b, want);
        for (int i = 0; i < 4; i++)
            same &= sj_rng_u32(&r) == want[i];
    }
    ok(same, "a stream hands out its blocks in order");
    struct sj_rng a = sj_rng(7, 9), fork = a, other = sj_rng(7, 10), seed = sj_rng(8, 9);
    uint64_t x = sj_rng_u64(&a);
    ok(x == sj_rng_u64(&fork), "a copy continues like the original");
    ok(x != sj_rng_u64(&other) && x != sj_rng_u64(&seed), "other streams and seeds differ");
    ok(sj_rng_stream(1, 2) != sj_rng_stream(2, 1), "stream numbers keep the order of their parts");
}

static void integers(void)
{
    struct sj_rng r = sj_rng(1, 0);
    int count[7] = {0}, inside = 1;
    for (int i = 0; i < DRAWS; i++) {
        uint64_t k = sj_rng_below(&r, 7);
        inside &= k < 7;
        count[k % 7]++;
    }
    double chi2 = 0, want = DRAWS / 7.0;
    for (int i = 0; i < 7; i++)
        chi2 += (count[i] - want) * (count[i] - want) / want;
    ok(inside, "below(7) stays below 7");
    ok(chi2 < 22.5, "below(7) is uniform: chi-squared %.1f with 6 degrees of freedom", chi2);
    is_int((long long)sj_rng_below(&r, 1), 0, "below(1) is 0");
    is_int((long long)sj_rng_below(&r, 0), 0, "below(0) is 0");
    /* at n = 3 * 2^62 a quarter of the words are excess; taken modulo n they would double the lowest third */
    const uint64_t third = (uint64_t)1 << 62;
    int low = 0;
    for (int i = 0; i < DRAWS; i++)
        low += sj_rng_below(&r, 3 * third) < third;
    is_near(low / (double)DRAWS, 1 / 3.0, 0.01, "below(3 * 2^62) is uniform");
}

static void reals(void)
{
    struct sj_rng r = sj_rng(2, 0);
    double sum = 0, low = 1, high = 0;
    for (int i = 0; i < DRAWS; i++) {
        double u = i % 2 ? (double)sj_rng_float(&r) : sj_rng_double(&r);
        sum += u;
        low = fmin(low, u);
        high = fmax(high, u);
    }
    ok(low >= 0 && low < 1e-3 && high < 1 && high > 0.999, "uniforms fill [0, 1)");
    is_near(sum / DRAWS, 0.5, 0.005, "uniforms have mean 1/2");
    float v = sj_rng_range(&r, -2, 3);
    ok(v >= -2 && v < 3, "range stays inside");

    static float x[DRAWS + 1];
    x[DRAWS] = 42;
    sj_rng_normal(&r, x, DRAWS - 1);
    ok(x[DRAWS - 1] == 0 && x[DRAWS] == 42, "an odd number of normals writes no more");
    double m1 = 0, m2 = 0, m4 = 0, pairs = 0;
    for (int i = 0; i + 1 < DRAWS; i++) {
        double a = x[i];
        m1 += a / DRAWS;
        m2 += a * a / DRAWS;
        m4 += a * a * a * a / DRAWS;
        pairs += a * x[i + 1] / DRAWS;
    }
    is_near(m1, 0, 0.02, "normals have mean 0");
    is_near(m2, 1, 0.03, "normals have variance 1");
    is_near(m4, 3, 0.2, "normals have fourth moment 3");
    is_near(pairs, 0, 0.02, "neighbouring normals are uncorrelated");
}

int main(void)
{
    known_answers();
    streams();
    integers();
    reals();
    return done();
}
