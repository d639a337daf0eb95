/* The checksum against published answers, a bitwise definition, and its own portable form; prints its speed. */
#include "crc32c.h"

#include <stdlib.h>
#include <time.h>

#include "rng.h"
#include "tests/tap.h"

enum { BYTES = 20000, SPEED_BYTES = 1 << 20, REPEATS = 64 };

/* The definition: one bit at a time. */
static uint32_t bitwise(uint32_t crc, const unsigned char *p, size_t size)
{
    crc = ~crc;
    while (size--) {
        crc ^= *p++;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void known_answers(void)
{
    unsigned char b[48] = {0};
    is_int(sj_crc32c(0, "123456789", 9), 0xe3069283, "check value of the catalogue of CRCs");
    is_int(sj_crc32c(0, b, 0), 0, "nothing has CRC 0");
    is_int(sj_crc32c(0, b, 32), 0x8a9136aa, "32 zeros (RFC 3720, B.4)");
    memset(b, 0xff, 32);
    is_int(sj_crc32c(0, b, 32), 0x62a8ab43, "32 ones (RFC 3720, B.4)");
    for (int i = 0; i < 32; i++)
        b[i] = (unsigned char)i;
    is_int(sj_crc32c(0, b, 32), 0x46dd794e, "32 rising (RFC 3720, B.4)");
    for (int i = 0; i < 32; i++)
        b[i] = (unsigned char)(31 - i);
    is_int(sj_crc32c(0, b, 32), 0x113fdb5c, "32 falling (RFC 3720, B.4)");
    is_int(sj_crc32c_portable(0, "123456789", 9), 0xe3069283, "check value, portable");
}

static void every_length(const unsigned char *data)
{
    int fast = 1, slow = 1, parts = 1;
    for (size_t n = 0; n < BYTES; n += n < 300 ? 1 : 1 + n / 7) {
        for (size_t at = 0; at < 8; at += 3) {
            uint32_t want = bitwise(0, data + at, n);
            fast &= sj_crc32c(0, data + at, n) == want;
            slow &= sj_crc32c_portable(0, data + at, n) == want;
            parts &= sj_crc32c(sj_crc32c(0, data + at, n / 3), data + at + n / 3, n - n / 3) == want;
        }
    }
    ok(fast, "any length and alignment");
    ok(slow, "any length and alignment, portable");
    ok(parts, "in two parts");
}

static void speed(const char *name, uint32_t (*crc)(uint32_t, const void *, size_t), const unsigned char *data)
{
    double best = 1e9;
    uint32_t c = 0;
    for (int i = 0; i < REPEATS; i++) {
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        c = crc(c, data, SPEED_BYTES);
        clock_gettime(CLOCK_MONOTONIC, &b);
        best = fmin(best, (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec));
    }
    printf("# %s: %.2f GB/s (CRC %08x)\n", name, SPEED_BYTES / best * 1e-9, (unsigned)c);
}

int main(void)
{
    unsigned char *data = malloc(SPEED_BYTES);
    struct sj_rng r = sj_rng(1, 2);
    for (size_t i = 0; data && i < SPEED_BYTES; i++)
        data[i] = (unsigned char)sj_rng_u32(&r);
    known_answers();
    if (ok(data != NULL, "memory")) {
        every_length(data);
        speed("hardware", sj_crc32c, data);
        speed("portable", sj_crc32c_portable, data);
    }
    free(data);
    return done();
}
