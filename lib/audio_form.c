#include "audio_form.h"

#include <string.h>
#include <unistd.h>

#include "audio_boxes.h"

enum { HEAD = 28, MOST_CHUNKS = 1 << 16 }; /* chunks of a WAV file looked at; its data chunk is among the first */

/* n bytes, least or (big) most significant first */
static uint64_t number(const unsigned char *b, int n, int big)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | b[big ? i : n - 1 - i];
    return v;
}

enum sj_audio_form sj_audio_form(const unsigned char *head, size_t n)
{
    static const char plain[][5] = {"RIFF", "RIFX", "FORM", ".snd", "dns."};
    if (n < SJ_FORM_HEAD)
        return SJ_FORM_SEEKS;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (!memcmp(head, plain[i], 4))
            return SJ_FORM_PLAIN;
    /* eleven bits of one; layer 0 is AAC's */
    return head[0] == 0xff && (head[1] & 0xe0) == 0xe0 && (head[1] & 6) ? SJ_FORM_MP3 : SJ_FORM_SEEKS;
}

enum sj_audio_form sj_audio_form_of_file(int fd)
{
    unsigned char h[10] = {0};
    off_t at = 0;
    ssize_t n;
    /* an ID3v2 tag: ten bytes, the last four of which have seven bits each of the size of the rest */
    while ((n = pread(fd, h, sizeof h, at)) == sizeof h && !memcmp(h, "ID3", 3))
        at += 10 + ((off_t)h[6] << 21 | (off_t)h[7] << 14 | (off_t)h[8] << 7 | (off_t)h[9]);
    return sj_audio_form(h, n > 0 ? (size_t)n : 0);
}

/* The size of the file that a header states, or 0. RIFF and AIFF: in bytes 4-7, less the 8 of the head, which some
 * writers count in; RF64: of its ds64 chunk, likewise; AU: that of the sound, after that of the head; Wave64: in
 * bytes 16-23. Sizes at the top of the range are what programs write that do not know yet. */
static uint64_t stated_bytes(const unsigned char h[HEAD])
{
    int big = !memcmp(h, "RIFX", 4) || !memcmp(h, "FORM", 4) || !memcmp(h, ".snd", 4);
    int wave64 = !memcmp(h, "riff", 4), rf64 = !memcmp(h, "RF64", 4) && !memcmp(h + 12, "ds64", 4);
    if (wave64 || rf64) {
        uint64_t size = number(h + (wave64 ? 16 : 20), 8, 0);
        return size >> 62 ? 0 : size;
    }
    int au = !memcmp(h, ".snd", 4) || !memcmp(h, "dns.", 4);
    if (!au && !big && memcmp(h, "RIFF", 4))
        return 0;
    uint64_t size = number(h + (au ? 8 : 4), 4, big);
    if (size >= 0xffffff00u || (size >= 0x7fffff00u && size <= 0x7fffffffu))
        return 0;
    return au ? size + number(h + 4, 4, big) : size;
}

/* Where the sound of a WAV file ends by the word of its "data" chunk, or 0 when there is none or it is not known. */
static uint64_t stated_data_end(int fd, const unsigned char h[HEAD])
{
    unsigned char c[8];
    int big = !memcmp(h, "RIFX", 4);
    if ((!big && memcmp(h, "RIFF", 4)) || memcmp(h + 8, "WAVE", 4))
        return 0;
    uint64_t at = 12;
    for (int i = 0; i < MOST_CHUNKS && pread(fd, c, sizeof c, (off_t)at) == sizeof c; i++) {
        uint64_t size = number(c + 4, 4, big);
        if (!memcmp(c, "data", 4))
            return size >= 0x7fffff00u ? 0 : at + sizeof c + size;
        at += sizeof c + size + (size & 1);
    }
    return 0;
}

int sj_audio_form_check(int fd, const char *name, int64_t size)
{
    unsigned char h[HEAD] = {0};
    if (pread(fd, h, sizeof h, 0) != sizeof h)
        return SJ_OK;
    uint64_t stated = stated_bytes(h), end = stated_data_end(fd, h);
    if (end > stated)
        stated = end;
    end = sj_audio_boxes_end(fd);
    if (end > stated)
        stated = end;
    if (stated <= (uint64_t)size)
        return SJ_OK;
    return sj_fail(SJ_INPUT, "'%s' is cut short: %lld bytes of the %llu that its header states", name, (long long)size,
                   (unsigned long long)stated);
}
