/* Streams that are cut, altered or lie: every one is refused, with what is wrong. */
#include "tests/streams.h"
#include "tests/tap.h"

#include "stream_frame.h"

enum { RECORDS = 3 };

static const char *const files[] = {"good", "bad", NULL};
static char good[64], bad[64];
static unsigned char *stream;
static size_t size;

static int status_of(const void *bytes, size_t n)
{
    const char *path = bad;
    int records;
    uint32_t sum;
    streams_save(bad, bytes, n);
    return streams_read(1, &path, &records, &sum);
}

static struct sj_frame frame_at(const unsigned char *bytes)
{
    struct sj_frame f;
    memcpy(&f, bytes, sizeof f);
    return f;
}

static size_t payload_of(const struct sj_frame *f)
{
    return sj_padded(f->key_bytes) + sj_padded(f->data_bytes);
}

/* Where frame i starts: 0 HEAD, 1 .. RECORDS, RECORDS + 1 END. */
static size_t start_of(int i)
{
    size_t at = 0;
    while (i--) {
        struct sj_frame f = frame_at(stream + at);
        at += SJ_FRAME_BYTES + payload_of(&f);
    }
    return at;
}

static void cuts(void)
{
    int refused = 1, early = 1, counted = 1;
    for (size_t n = 0; n < size; n++) {
        refused &= status_of(stream, n) == SJ_INPUT;
        early &= strstr(sj_reason(), n ? "ends early: no END mark after record " : "is empty") != NULL;
        counted &= n != size - 1 || strstr(sj_reason(), "after record 3") != NULL;
    }
    ok(refused, "cut after each of %zu bytes", size);
    ok(early && counted, "says: %s", sj_reason());
    is_int(status_of(stream, size), SJ_OK, "uncut");
}

static void flips(void)
{
    int refused = 1;
    unsigned char *copy = malloc(size);
    memcpy(copy, stream, size);
    for (size_t i = 0; i < size; i++) {
        for (int mask = 1; mask < 256; mask += 127) { /* 0x01, 0x80, 0xff */
            copy[i] ^= (unsigned char)mask;
            if (status_of(copy, size) != SJ_INPUT)
                refused = ok(0, "byte %zu altered by %02x", i, (unsigned)mask);
            copy[i] = stream[i];
        }
    }
    ok(refused, "each byte altered");
    free(copy);
}

/* Replaces the header of frame `i` by f with its checksum right, and reads. */
static int status_with(int i, struct sj_frame f)
{
    unsigned char *copy = malloc(size);
    memcpy(copy, stream, size);
    sj_frame_seal(&f);
    memcpy(copy + start_of(i), &f, sizeof f);
    int status = status_of(copy, size);
    free(copy);
    return status;
}

/* Stores `byte` at `at` of frame i's payload with both checksums right, and reads. */
static int status_with_byte(int i, size_t at, unsigned char byte)
{
    unsigned char *copy = malloc(size);
    memcpy(copy, stream, size);
    struct sj_frame f = frame_at(copy + start_of(i));
    unsigned char *payload = copy + start_of(i) + SJ_FRAME_BYTES;
    payload[at] = byte;
    f.payload_crc = sj_crc32c(0, payload, payload_of(&f));
    sj_frame_seal(&f);
    memcpy(copy + start_of(i), &f, sizeof f);
    int status = status_of(copy, size);
    free(copy);
    return status;
}

#define LIE(i, field, value, words) /* a header whose checksum is right and whose field lies */ \
    do { \
        struct sj_frame lie = frame_at(stream + start_of(i)); \
        lie.field = value; \
        int status = status_with(i, lie); \
        ok(status == SJ_INPUT && strstr(sj_reason(), words), "%s: %d, %s", #field " = " #value, status, sj_reason()); \
    } while (0)

static void lies(void)
{
    struct sj_frame f = frame_at(stream + start_of(2));
    f.flags = 0x8100;
    is_int(status_with(2, f), SJ_OK, "unknown flags that may be ignored");
    LIE(2, flags, 1, "flags 0x01 ask for a newer version");
    LIE(2, type, 4, "frame type 4 is out of place");
    LIE(2, type, 0, "out of place");
    LIE(2, type, SJ_FRAME_HEAD, "out of place");
    LIE(2, type, SJ_FRAME_END, "does not use");
    LIE(0, type, SJ_FRAME_RECORD, "out of place");
    LIE(2, sequence, 1, "number 1 where 2 is due");
    LIE(2, sequence, UINT64_MAX, "is due");
    LIE(2, key_bytes, SJ_KEY_BYTES + 1, "key of 4097 bytes");
    LIE(2, key_bytes, UINT32_MAX, "a key of");
    LIE(2, key_bytes, 0, "the checksum of the data");
    LIE(2, dtype, SJ_F32, "the head says i16");
    LIE(2, rank, 3, "the head says 2");
    LIE(2, rank, 9, "rank 9");
    LIE(2, data_bytes, SJ_DATA_BYTES, "where the dimensions want");
    LIE(2, data_bytes, SJ_DATA_BYTES + 1, "are allowed");
    LIE(2, data_bytes, UINT64_MAX, "are allowed");
    LIE(2, dims[0], 0, "'dim0' is 0");
    LIE(2, dims[0], UINT64_MAX, "'dim0' is -1");
    LIE(2, dims[1], (uint64_t)1 << 62, "out of range");
    LIE(2, dims[7], 1, "beyond rank");
    LIE(2, role, 4, "role 4");
    LIE(2, class, 2, "class 2; there are 2");
    LIE(2, class, 0xfffe, "class 65534");
    LIE(2, last, 2, "'last' is 2");
    LIE(2, zero[6], 1, "reserved");
    LIE(2, payload_crc, 0, "the checksum of the data");
    LIE(0, data_bytes, SJ_HEAD_BYTES + 1, "a HEAD of 1048577 bytes");
    LIE(0, data_bytes, SJ_HEAD_BYTES, "ends early");
    LIE(0, rank, 1, "does not use");
    LIE(RECORDS + 1, position, RECORDS - 1, "does not use");
    LIE(RECORDS + 1, data_bytes, 64, "does not use");
    f = frame_at(stream + start_of(2));
    f.dims[0] = (uint64_t)1 << 15;
    f.dims[1] = (uint64_t)1 << 15;
    f.data_bytes = SJ_DATA_BYTES;
    ok(status_with(2, f) == SJ_INPUT && strstr(sj_reason(), "ends early"), "two gigabytes promised: %s", sj_reason());
}

static void payloads(void)
{
    struct sj_frame f = frame_at(stream + start_of(2));
    ok(f.key_bytes > 1 && f.key_bytes % 64 && f.data_bytes % 64, "a record with padding");
    is_int(status_with_byte(2, 0, 'q'), SJ_OK, "another key");
    is_int(status_with_byte(2, 1, 0), SJ_INPUT, sj_reason());
    is_int(status_with_byte(2, f.key_bytes, 1), SJ_INPUT, "padding of the key");
    is_int(status_with_byte(2, sj_padded(f.key_bytes), 99), SJ_OK, "another value");
    is_int(status_with_byte(2, sj_padded(f.key_bytes) + f.data_bytes, 1), SJ_INPUT, "padding of the data");
    f = frame_at(stream);
    is_int(status_with_byte(0, f.data_bytes, 1), SJ_INPUT, "padding of the head");
    is_int(status_with_byte(0, 0, 'x'), SJ_INPUT, sj_reason());
}

static void no_streams(void)
{
    static const struct { const char *bytes; size_t n; const char *want; } other[] = {
        {"hello, world\n", 13, "it looks like text"}, {"\x89HDF\r\n\x1a\n", 8, "an HDF5 file"},
        {"RIFF....WAVEfmt ", 16, "a WAV file"},       {"S\0\0\0", 4, "binary data of an unknown kind"},
        {"SJT2", 4, "a stream of another version"},   {"", 0, "is empty"}, {"SJ", 2, "ends early"}};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        ok(status_of(other[i].bytes, other[i].n) == SJ_INPUT && strstr(sj_reason(), other[i].want), "%s", sj_reason());
    const char *path = streams_folder;
    int n;
    uint32_t sum;
    is_int(streams_read(1, &path, &n, &sum), SJ_INPUT, "a folder");
    path = "/nowhere/at-all";
    is_int(streams_read(1, &path, &n, &sum), SJ_SYSTEM, "a file that is not there");
    const char *both[] = {good, path};
    ok(streams_read(2, both, &n, &sum) == SJ_SYSTEM && !n, "one that is not there is noticed before reading");
}

static void failures_stay(void)
{
    const char *path = bad;
    struct sj_reader *r;
    const struct sj_record *rec;
    streams_save(bad, stream, size - 1);
    if (sj_reader_open(1, &path, &r))
        return;
    for (int i = 0; i < RECORDS; i++)
        sj_reader_next(r, &rec);
    ok(sj_reader_next(r, &rec) == SJ_INPUT && !rec && sj_reader_next(r, &rec) == SJ_INPUT && !rec, "a failure stays");
    sj_reader_close(r);
}

int main(void)
{
    struct sj_head *head = streams_head(SJ_I16, 2);
    if (!ok(head && streams_begin(), "a temporary folder"))
        return done();
    streams_path(good, "good");
    streams_path(bad, "bad");
    is_int(streams_write(good, head, RECORDS, 0), SJ_OK, "a small stream");
    stream = streams_load(good, &size);
    cuts();
    flips();
    lies();
    payloads();
    no_streams();
    failures_stay();
    free(stream);
    sj_head_free(head);
    ok(streams_end(files), "nothing else is left behind");
    return done();
}
