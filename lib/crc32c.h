/* crc32c: the checksum of streams: CRC-32C (Castagnoli), as in iSCSI (RFC 3720, B.4), ext4 and SSE4.2. */
#ifndef SJ_CRC32C_H
#define SJ_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of `size` bytes. crc: 0, or the CRC of the bytes before them. "123456789" gives 0xe3069283. */
uint32_t sj_crc32c(uint32_t crc, const void *data, size_t size);

/* The same without special instructions: what sj_crc32c falls back to. */
uint32_t sj_crc32c_portable(uint32_t crc, const void *data, size_t size);

#endif
