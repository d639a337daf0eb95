/* Mutated streams: whatever comes in, the reader must neither crash nor read what is not there, and what it accepts
 * must be written and read again unchanged. stream_fuzz [SEED [ITERATIONS]] */
#include <time.h>

#include "tests/streams.h"
#include "tests/tap.h"

#include "stream_frame.h"

enum { ROOM = 1 << 16, SECONDS = 5 };

static const char *const files[] = {"seed", "bad", "again", NULL};
static char seed_path[64], bad[64], again[64];

/* A value that is often special. */
static uint64_t odd_value(struct sj_rng *r)
{
    static const uint64_t odd[] = {0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 127, 128, 255, 256, 4096, 4097, 0x7fff, 0x8000,
                                   0xffff, 0x10000, 0x100000, 0x100001, 0x7fffffff, 0x80000000, 0xffffffff,
                                   (uint64_t)1 << 32, (uint64_t)1 << 62, INT64_MAX, (uint64_t)1 << 63, UINT64_MAX};
    return sj_rng_below(r, 4) ? odd[sj_rng_below(r, sizeof odd / sizeof *odd)] : sj_rng_u64(r);
}

/* Sets one field of the header at p, of 1, 2, 4 or 8 bytes. */
static void set_field(struct sj_rng *r, unsigned char *p)
{
    static const unsigned char field[][2] = {{4, 2}, {6, 2}, {8, 8}, {16, 4}, {20, 2}, {22, 2}, {24, 8}, {32, 8},
                                             {40, 4}, {44, 2}, {46, 2}, {48, 1}, {49, 1}, {56, 8}, {64, 8}, {112, 8},
                                             {120, 4}};
    uint64_t value = odd_value(r);
    size_t i = (size_t)sj_rng_below(r, sizeof field / sizeof *field);
    memcpy(p + field[i][0], &value, field[i][1]);
}

/* Walks the frames as far as they make sense and puts the checksums right, so that what lies behind them is reached. */
static void reseal(unsigned char *bytes, size_t size)
{
    for (size_t at = 0; at + SJ_FRAME_BYTES <= size;) {
        struct sj_frame f;
        memcpy(&f, bytes + at, sizeof f);
        size_t room = size - at - SJ_FRAME_BYTES;
        size_t payload = 0;
        if (f.data_bytes <= ROOM && f.key_bytes <= ROOM)
            payload = sj_padded(f.key_bytes) + sj_padded(f.data_bytes);
        payload = payload < room ? payload : room;
        f.payload_crc = sj_crc32c(0, bytes + at + SJ_FRAME_BYTES, payload);
        sj_frame_seal(&f);
        memcpy(bytes + at, &f, sizeof f);
        at += SJ_FRAME_BYTES + payload;
    }
}

/* A few mutations; the new size. */
static size_t mutate(struct sj_rng *r, unsigned char *bytes, size_t size)
{
    for (uint64_t i = 0, n = 1 + sj_rng_below(r, 3); i < n && size > SJ_FRAME_BYTES; i++) {
        size_t at = (size_t)sj_rng_below(r, size), to = (size_t)sj_rng_below(r, size);
        size_t frame = at & ~(size_t)(SJ_ALIGN - 1);
        size_t length = (size_t)sj_rng_below(r, 4 * SJ_ALIGN);
        length = length < size - at ? length : size - at;
        switch (sj_rng_below(r, 6)) {
        case 0: bytes[at] ^= (unsigned char)(1u << sj_rng_below(r, 8)); break;
        case 1: bytes[at] = (unsigned char)odd_value(r); break;
        case 2: size = at; break;
        case 3: memmove(bytes + to, bytes + at, length < size - to ? length : size - to); break;
        case 4: /* cut out aligned bytes */
            length &= ~(size_t)(SJ_ALIGN - 1);
            length = length < size - frame ? length : size - frame;
            memmove(bytes + frame, bytes + frame + length, size - frame - length);
            size -= length;
            break;
        default:
            if (frame + SJ_FRAME_BYTES <= size)
                set_field(r, bytes + frame);
        }
    }
    if (sj_rng_below(r, 4))
        reseal(bytes, size);
    return size;
}

/* Copies what `path` holds to `again`; the status of the reader. *equal: what was accepted reads the same again. */
static int copy_stream(const char *path, int *equal)
{
    struct sj_reader *in;
    struct sj_writer *out = NULL;
    const struct sj_record *rec;
    const char *copy = again;
    int n, m, wrote = 1;
    uint32_t a, b;
    *equal = 1;
    int status = sj_reader_open(1, &path, &in);
    if (status)
        return status;
    wrote = !sj_writer_open(again, sj_reader_head(in), &out);
    while (!(status = sj_reader_next(in, &rec)) && rec)
        wrote = wrote && !sj_writer_put(out, rec);
    sj_reader_close(in);
    if (status || !wrote) {
        sj_writer_abort(out);
        *equal = wrote;
        return status;
    }
    *equal = !sj_writer_end(out) && !streams_read(1, &path, &n, &a) && !streams_read(1, &copy, &m, &b) && n == m &&
         a == b;
    return status;
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    long iterations = argc > 2 ? strtol(argv[2], NULL, 10) : 20000;
    struct sj_head *head = streams_head(SJ_F16, 2);
    unsigned char *original, *bytes = malloc(ROOM);
    size_t size;
    if (!ok(head && bytes && streams_begin(), "a temporary folder"))
        return done();
    streams_path(seed_path, "seed");
    streams_path(bad, "bad");
    streams_path(again, "again");
    is_int(streams_write(seed_path, head, 6, 0), SJ_OK, "a stream to start from");
    original = streams_load(seed_path, &size);

    long i, accepted = 0, kept = 1, statuses = 1;
    time_t end = time(NULL) + SECONDS;
    for (i = 0; i < iterations && (argc > 2 || time(NULL) < end); i++) {
        struct sj_rng r = sj_rng(seed, (uint64_t)i);
        int equal;
        memcpy(bytes, original, size);
        streams_save(bad, bytes, mutate(&r, bytes, size));
        int status = copy_stream(bad, &equal);
        accepted += !status;
        if (!equal)
            kept = ok(0, "seed %llu, iteration %ld: accepted, but not the same again", (unsigned long long)seed, i);
        if (status && status != SJ_INPUT)
            statuses = ok(0, "seed %llu, iteration %ld: status %d, %s", (unsigned long long)seed, i, status,
                          sj_reason());
    }
    printf("# %ld mutations, %ld still streams\n", i, accepted);
    ok(kept, "what is accepted reads the same again");
    ok(statuses, "what is not accepted is bad input");
    ok(accepted > 0 && accepted < i / 2, "some mutations are harmless, most are not");
    free(original);
    free(bytes);
    sj_head_free(head);
    ok(streams_end(files) || argc > 2, "nothing else is left behind");
    return done();
}
