#include "audio_boxes.h"

#include <string.h>
#include <unistd.h>

/* Elements looked at, at most: far more than the fragments of a day of sound, and soon done. */
enum { MOST = 1 << 20 };

static uint64_t number(const unsigned char *b, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | b[i];
    return v;
}

static int is_one_of(const unsigned char *type, const char (*name)[5], int names)
{
    for (int i = 0; i < names; i++)
        if (!memcmp(type, name[i], 4))
            return 1;
    return 0;
}

/* A box: its size in four bytes, head included, and its type; size 1: in eight bytes more; 0: up to the file's end.
 * Only boxes that hold the sound or say where it is count: some files have a tag of another format after the last. */
static uint64_t boxes_end(int fd)
{
    static const char counts[][5] = {"mdat", "moov", "moof"};
    unsigned char h[16];
    uint64_t end = 0, at = 0;
    for (int i = 0; i < MOST; i++) {
        ssize_t n = pread(fd, h, sizeof h, (off_t)at);
        uint64_t size = n >= 8 ? number(h, 4) : 0;
        if (size == 1)
            size = n == sizeof h ? number(h + 8, 8) : 0;
        if (size < 8 || size >> 62)
            break;
        at += size;
        if (is_one_of(h + 4, counts, sizeof counts / sizeof *counts))
            end = at;
    }
    return end;
}

/* An EBML number of n bytes, as many as zero bits lead the first plus one; 0 when it is none. value: without the bit
 * that ends those, ones alone (not known) as UINT64_MAX. */
static int ebml(const unsigned char *b, ssize_t room, uint64_t *value)
{
    int n = 1;
    while (n <= 8 && room > 0 && !(b[0] >> (8 - n)))
        n++;
    if (n > 8 || n > room)
        return 0;
    uint64_t mask = ((uint64_t)1 << 7 * n) - 1;
    *value = number(b, n) & mask;
    if (*value == mask)
        *value = UINT64_MAX;
    return n;
}

/* An element: its id, its size, that many bytes. One of unknown size (a recording that was never ended) is entered:
 * the elements in it follow. */
static uint64_t elements_end(int fd)
{
    unsigned char h[12];
    uint64_t at = 0, id, size;
    for (int i = 0; i < MOST; i++) {
        ssize_t n = pread(fd, h, sizeof h, (off_t)at);
        int a = ebml(h, n < 4 ? n : 4, &id), b = a ? ebml(h + a, n - a < 8 ? n - a : 8, &size) : 0;
        if (!b || (size != UINT64_MAX && size >> 62))
            break;
        at += (uint64_t)(a + b) + (size == UINT64_MAX ? 0 : size);
    }
    return at;
}

uint64_t sj_audio_boxes_end(int fd)
{
    static const char first[][5] = {"ftyp", "moov", "mdat", "wide", "free", "skip"};
    static const unsigned char ebml_id[] = {0x1a, 0x45, 0xdf, 0xa3};
    unsigned char h[8];
    if (pread(fd, h, sizeof h, 0) != sizeof h)
        return 0;
    if (!memcmp(h, ebml_id, sizeof ebml_id))
        return elements_end(fd);
    return is_one_of(h + 4, first, sizeof first / sizeof *first) ? boxes_end(fd) : 0;
}
