#include "audio_codec.h"

#include <sndfile.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int format;
    double most; /* the compression level at strength 1 */
} codecs[SJ_CODECS] = {
    [SJ_CODEC_MP3] = {"MP3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 0.9}, /* LAME has nothing for 1 */
    [SJ_CODEC_VORBIS] = {"Vorbis", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 1},
};

/* -- a file in memory ---------------------------------------------------------------------------------------------- */
struct memory {
    char *byte;
    sf_count_t room, size, at;
};

static sf_count_t get_size(void *m)
{
    return ((struct memory *)m)->size;
}

static sf_count_t seek(sf_count_t by, int whence, void *arg)
{
    struct memory *m = arg;
    sf_count_t to = whence == SEEK_SET ? by : whence == SEEK_CUR ? m->at + by : m->size + by;
    if (to < 0 || to > m->room)
        return -1;
    return m->at = to;
}

static sf_count_t read_bytes(void *to, sf_count_t n, void *arg)
{
    struct memory *m = arg;
    sf_count_t left = m->at < m->size ? m->size - m->at : 0;
    n = n < left ? n : left;
    memcpy(to, m->byte + m->at, (size_t)n);
    m->at += n;
    return n;
}

static sf_count_t write_bytes(const void *from, sf_count_t n, void *arg)
{
    struct memory *m = arg;
    n = n < m->room - m->at ? n : m->room - m->at;
    memcpy(m->byte + m->at, from, (size_t)n);
    m->at += n;
    m->size = m->at > m->size ? m->at : m->size;
    return n;
}

static sf_count_t tell(void *m)
{
    return ((struct memory *)m)->at;
}

/* -- there and back ------------------------------------------------------------------------------------------------ */

int sj_codec_check(void)
{
    for (int c = 0; c < SJ_CODECS; c++) {
        SF_INFO info = {.samplerate = 16000, .channels = 1, .format = codecs[c].format};
        if (!sf_format_check(&info))
            return sj_fail(SJ_SYSTEM, "this libsndfile has no encoder for %s", codecs[c].name);
    }
    return SJ_OK;
}

int sj_codec_pass(enum sj_codec codec, double strength, int rate_hz, int64_t n, float *x)
{
    SF_VIRTUAL_IO io = {get_size, seek, read_bytes, write_bytes, tell};
    SF_INFO info = {.samplerate = rate_hz, .channels = 1, .format = codecs[codec].format};
    struct memory m = {.room = (sf_count_t)n * 4 + 65536};
    double level = strength * codecs[codec].most;
    if (!(m.byte = malloc((size_t)m.room)))
        return sj_fail(SJ_SYSTEM, "no memory for %s", codecs[codec].name);
    SNDFILE *f = sf_open_virtual(&io, SFM_WRITE, &info, &m);
    int done = f && sf_command(f, SFC_SET_COMPRESSION_LEVEL, &level, sizeof level) && sf_writef_float(f, x, n) == n;
    done = f && !sf_close(f) && done;
    m.at = 0;
    info = (SF_INFO){0};
    f = done ? sf_open_virtual(&io, SFM_READ, &info, &m) : NULL;
    done = f && sf_readf_float(f, x, n) == n;
    if (f)
        sf_close(f);
    free(m.byte);
    return done ? SJ_OK : sj_fail(SJ_SYSTEM, "libsndfile cannot pass a sound through %s", codecs[codec].name);
}
