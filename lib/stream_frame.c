/* Headers of streams: sealed by the writer, doubted by the reader. */
#include "stream_frame.h"

#include <string.h>

#include "crc32c.h"

void sj_frame_seal(struct sj_frame *f)
{
    memcpy(f->magic, SJ_FRAME_MAGIC, sizeof f->magic);
    f->header_crc = sj_crc32c(0, f, offsetof(struct sj_frame, header_crc));
}

/* HEAD and END use few fields: all others must be zero. */
static int only_uses(const struct sj_frame *f, struct sj_frame want)
{
    want.type = f->type;
    want.flags = f->flags;
    want.sequence = f->sequence;
    sj_frame_seal(&want);
    return !memcmp(&want, f, sizeof want);
}

static int check_record(const struct sj_frame *f)
{
    static const uint8_t zero[sizeof f->zero];
    if (f->key_bytes > SJ_KEY_BYTES)
        return sj_fail(SJ_INPUT, "a key of %lu bytes; %d are allowed", (unsigned long)f->key_bytes, SJ_KEY_BYTES);
    if (f->data_bytes > SJ_DATA_BYTES)
        return sj_fail(SJ_INPUT, "%llu bytes of data; %llu are allowed", (unsigned long long)f->data_bytes,
                       (unsigned long long)SJ_DATA_BYTES);
    if (f->rank > SJ_RANK)
        return sj_fail(SJ_INPUT, "rank %d; %d is allowed", f->rank, SJ_RANK);
    for (int i = f->rank; i < SJ_RANK; i++)
        if (f->dims[i])
            return sj_fail(SJ_INPUT, "dimension %d beyond rank %d", i, f->rank);
    if (memcmp(zero, f->zero, sizeof zero))
        return sj_fail(SJ_INPUT, "reserved bytes are not zero");
    return SJ_OK;
}

int sj_frame_check(const struct sj_frame *f, uint64_t sequence)
{
    if (f->header_crc != sj_crc32c(0, f, offsetof(struct sj_frame, header_crc)))
        return sj_fail(SJ_INPUT, "the checksum of the header is wrong");
    if (f->flags & SJ_FRAME_MUST_UNDERSTAND)
        return sj_fail(SJ_INPUT, "flags 0x%02x ask for a newer version", (unsigned)f->flags & SJ_FRAME_MUST_UNDERSTAND);
    if (f->sequence != sequence)
        return sj_fail(SJ_INPUT, "number %llu where %llu is due: something is missing or out of order",
                       (unsigned long long)f->sequence, (unsigned long long)sequence);
    if (!f->type || f->type > SJ_FRAME_END || (f->type == SJ_FRAME_HEAD) != !sequence)
        return sj_fail(SJ_INPUT, "frame type %d is out of place", f->type);
    if (f->type == SJ_FRAME_RECORD)
        return check_record(f);
    struct sj_frame head = {.data_bytes = f->data_bytes, .payload_crc = f->payload_crc};
    struct sj_frame end = {.position = (int64_t)sequence - 1};
    if (!only_uses(f, f->type == SJ_FRAME_HEAD ? head : end))
        return sj_fail(SJ_INPUT, "a field that %s does not use is not zero", f->type == SJ_FRAME_HEAD ? "HEAD" : "END");
    if (f->data_bytes > SJ_HEAD_BYTES)
        return sj_fail(SJ_INPUT, "a HEAD of %llu bytes; %d are allowed", (unsigned long long)f->data_bytes,
                       SJ_HEAD_BYTES);
    return SJ_OK;
}

const char *sj_frame_guess(const unsigned char *bytes, size_t n)
{
    static const struct {
        size_t at;
        const char *start, *name;
    } known[] = {{0, "\x89HDF\r\n\x1a\n", "an HDF5 file"},  {0, "\x93NUMPY", "a NumPy array"},
                 {8, "WAVE", "a WAV file"},                 {0, "fLaC", "a FLAC file"},
                 {0, "OggS", "an Ogg file"},                {0, "ID3", "an MP3 file"},
                 {0, "\xff\xfb", "an MP3 file"},            {8, "AIFF", "an AIFF file"},
                 {4, "ftyp", "an MP4 file"},                {0, "\x1f\x8b", "a gzip file"},
                 {0, "\x28\xb5\x2f\xfd", "a Zstandard file"}, {0, "\xfd" "7zXZ", "an xz file"},
                 {0, "PK\x03\x04", "a ZIP archive"},        {0, "SJT", "a stream of another version"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t length = strlen(known[i].start);
        if (n >= known[i].at + length && !memcmp(bytes + known[i].at, known[i].start, length))
            return known[i].name;
    }
    for (size_t i = 0; i < n; i++)
        if (bytes[i] == 127 || (bytes[i] < 32 && !strchr("\t\n\r\f", bytes[i])) || !bytes[i])
            return "binary data of an unknown kind";
    return "text";
}

int sj_record_check(const struct sj_head *head, const struct sj_record *r, int status)
{
    size_t key_bytes = strlen(r->key);
    if (key_bytes > SJ_KEY_BYTES)
        return sj_fail(status, "a key of %zu bytes; %d are allowed", key_bytes, SJ_KEY_BYTES);
    if (!sj_role_name(r->role))
        return sj_fail(status, "role %d is unknown", (int)r->role);
    if (r->class != SJ_CLASS_NONE && (r->class < 0 || r->class >= head->classes))
        return sj_fail(status, "class %d; there are %d", r->class, head->classes);
    if (r->last != 0 && r->last != 1)
        return sj_fail(status, "'last' is %d, not 0 or 1", r->last);
    if (r->rank != head->rank)
        return sj_fail(status, "rank %d; the head says %d", r->rank, head->rank);
    uint64_t bytes = sj_dtype_size(head->dtype);
    for (int i = 0; i < r->rank; i++) {
        if (r->dims[i] < 1 || (uint64_t)r->dims[i] > SJ_DATA_BYTES / bytes)
            return sj_fail(status, "dimension '%s' is %lld: out of range", head->dim[i], (long long)r->dims[i]);
        bytes *= (uint64_t)r->dims[i];
    }
    if (bytes != r->bytes)
        return sj_fail(status, "%zu bytes of data where the dimensions want %llu", r->bytes, (unsigned long long)bytes);
    return SJ_OK;
}
