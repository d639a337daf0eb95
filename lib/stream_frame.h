/* stream_frame: the fixed header before every payload, as it lies in a stream (schemas/stream.md); for stream_*.c. */
#ifndef SJ_STREAM_FRAME_H
#define SJ_STREAM_FRAME_H

#include <assert.h>
#include <stddef.h>

#include "stream.h"

enum { SJ_FRAME_HEAD = 1, SJ_FRAME_RECORD = 2, SJ_FRAME_END = 3 };
enum { SJ_FRAME_BYTES = 128, SJ_ALIGN = 64, SJ_FRAME_CLASS_NONE = 0xffff, SJ_PIPE_BYTES = 1 << 20 };

#define SJ_FRAME_MAGIC "SJT1"
#define SJ_FRAME_MUST_UNDERSTAND 0x00ff /* of flags: none are defined yet; the high byte may be ignored */

struct sj_frame {
    char magic[4];
    uint16_t type, flags;
    uint64_t sequence; /* HEAD 0, records 1 .. n, END n + 1 */
    uint32_t key_bytes;
    uint16_t dtype, rank;
    uint64_t data_bytes;
    int64_t position; /* END: n */
    uint32_t part;
    uint16_t role, class;
    uint8_t last, zero[7];
    uint64_t dims[SJ_RANK];
    uint32_t payload_crc; /* of the payload with its padding */
    uint32_t header_crc;  /* of the bytes before */
};

static_assert(sizeof(struct sj_frame) == SJ_FRAME_BYTES && offsetof(struct sj_frame, dims) == 56, "as on the wire");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "streams are little-endian, and so must the machine be");

/* n up to SJ_DATA_BYTES or so, rounded up to the alignment. */
static inline size_t sj_padded(uint64_t n)
{
    return (size_t)(n + SJ_ALIGN - 1) & ~(size_t)(SJ_ALIGN - 1);
}

/* Fills in magic and header_crc. */
void sj_frame_seal(struct sj_frame *f);

/* SJ_INPUT with what is wrong with a header by itself, `sequence` being the number that is due; magic was looked at. */
int sj_frame_check(const struct sj_frame *f, uint64_t sequence);

/* What bytes that are no stream look like: "an HDF5 file". */
const char *sj_frame_guess(const unsigned char *bytes, size_t n);

/* `status` with what is wrong with a record under this head: key, role, class, last, rank, dims, bytes. */
int sj_record_check(const struct sj_head *head, const struct sj_record *record, int status);

#endif
