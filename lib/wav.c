/* WAV: a header whose sizes are filled in at the end, then samples. Little-endian, as streams are. */
#include "wav.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "whole.h"

enum { HEADER = 58, BLOCK = 4096, PCM = 1, IEEE_FLOAT = 3 };
#define MOST_BYTES ((uint64_t)UINT32_MAX - HEADER)

struct sj_wav {
    FILE *f;
    char *path;
    struct sj_whole *whole;
    int64_t rate_hz;
    int channels;
    enum sj_dtype format;
    uint64_t bytes; /* of samples */
};

static int cannot(const struct sj_wav *w)
{
    return sj_fail_errno("cannot write '%s'", w->path);
}

static unsigned char *put(unsigned char *p, int size, uint32_t value)
{
    for (int i = 0; i < size; i++)
        *p++ = (unsigned char)(value >> 8 * i);
    return p;
}

static unsigned char *tag(unsigned char *p, const char *name)
{
    memcpy(p, name, 4);
    return p + 4;
}

/* RIFF { fmt, fact, data }: the layout for float samples, which PCM may have as well. */
static int write_header(struct sj_wav *w)
{
    unsigned char header[HEADER], *p = header;
    uint32_t size = (uint32_t)sj_dtype_size(w->format), frame = size * (uint32_t)w->channels,
         bytes = (uint32_t)w->bytes;
    p = tag(put(tag(p, "RIFF"), 4, HEADER - 8 + bytes), "WAVE");
    p = put(tag(p, "fmt "), 4, 18);
    p = put(put(p, 2, w->format == SJ_I16 ? PCM : IEEE_FLOAT), 2, (uint32_t)w->channels);
    p = put(put(p, 4, (uint32_t)w->rate_hz), 4, (uint32_t)w->rate_hz * frame);
    p = put(put(put(p, 2, frame), 2, 8 * size), 2, 0);
    p = put(put(tag(p, "fact"), 4, 4), 4, bytes / frame);
    put(tag(p, "data"), 4, bytes);
    return fwrite(header, HEADER, 1, w->f) == 1 ? SJ_OK : cannot(w);
}

int sj_wav_create(const char *path, int64_t rate_hz, int channels, enum sj_dtype format, struct sj_wav **out)
{
    if (rate_hz < 1 || rate_hz > 10000000 || channels < 1 || channels > 1024 || (format != SJ_F32 && format != SJ_I16))
        return sj_fail(SJ_USAGE, "cannot write '%s': no sound has %lld Hz and %d channels of %s", path,
                       (long long)rate_hz, channels, sj_dtype_name(format));
    struct sj_wav *w = calloc(1, sizeof *w);
    if (!w || !(w->path = strdup(path))) {
        free(w);
        return sj_fail(SJ_SYSTEM, "no memory");
    }
    w->rate_hz = rate_hz;
    w->channels = channels;
    w->format = format;
    int status = sj_whole_new(path, &w->whole);
    if (!status && !(w->f = fopen(sj_whole_temp(w->whole), "wb")))
        status = cannot(w);
    if (!status)
        status = write_header(w);
    if (status)
        sj_wav_abort(w);
    else
        *out = w;
    return status;
}

int sj_wav_write(struct sj_wav *w, const float *samples, int64_t n)
{
    char block[BLOCK * sizeof(float)];
    size_t size = sj_dtype_size(w->format), count = (size_t)n * (size_t)w->channels;
    if (count > (MOST_BYTES - w->bytes) / size)
        return sj_fail(SJ_USAGE, "cannot write '%s': longer than a WAV file can be", w->path);
    w->bytes += count * size;
    for (size_t now; count; count -= now, samples += now) {
        now = count < BLOCK ? count : BLOCK;
        sj_dtype_from_f32(w->format, now, samples, block);
        if (fwrite(block, size, now, w->f) != now)
            return cannot(w);
    }
    return SJ_OK;
}

/* Closes the file and frees; the temporary file stays with `whole`. */
static void release(struct sj_wav *w)
{
    if (w->f)
        fclose(w->f);
    free(w->path);
    free(w);
}

int sj_wav_finish(struct sj_wav *w, struct sj_whole **out)
{
    struct sj_whole *whole = w->whole;
    int status = SJ_OK;
    if (fflush(w->f) || fseek(w->f, 0, SEEK_SET))
        status = cannot(w);
    if (!status)
        status = write_header(w);
    if (!status && fflush(w->f))
        status = cannot(w);
    release(w);
    if (status)
        sj_whole_discard(whole);
    else
        *out = whole;
    return status;
}

int sj_wav_commit(struct sj_wav *w)
{
    struct sj_whole *whole;
    int status = sj_wav_finish(w, &whole);
    return status ? status : sj_whole_commit(whole);
}

void sj_wav_abort(struct sj_wav *w)
{
    if (!w)
        return;
    struct sj_whole *whole = w->whole;
    release(w);
    sj_whole_discard(whole);
}
