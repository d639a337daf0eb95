#include "mp3.h"

#include <mpg123.h>
#include <stdlib.h>
#include <string.h>

struct sj_mp3 {
    mpg123_handle *h;
    char *name;
    long rate_hz;
    int channels;
};

static int refuse(const struct sj_mp3 *m)
{
    return sj_fail(SJ_INPUT, "'%s' cannot be decoded as MP3: %s", m->name, mpg123_strerror(m->h));
}

/* Quiet; floats; without what encoders add at the ends; of one format all through. */
static int set_up(mpg123_handle *h)
{
    return mpg123_param(h, MPG123_REMOVE_FLAGS, MPG123_AUTO_RESAMPLE, 0) ||
           mpg123_param(h, MPG123_ADD_FLAGS, MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_GAPLESS |
                        MPG123_NO_FRANKENSTEIN | MPG123_SKIP_ID3V2, 0);
}

int sj_mp3_open(int fd, const char *name, struct sj_mp3 **out)
{
    int encoding, status = SJ_OK;
    struct sj_mp3 *m = calloc(1, sizeof *m);
    if (!m || !(m->name = strdup(name)) || !(m->h = mpg123_new(NULL, NULL)) || set_up(m->h))
        status = sj_fail(SJ_SYSTEM, "no memory to decode '%s'", name);
    else if (mpg123_open_fd(m->h, fd) || mpg123_getformat(m->h, &m->rate_hz, &m->channels, &encoding))
        status = refuse(m);
    else if (encoding != MPG123_ENC_FLOAT_32)
        status = sj_fail(SJ_SYSTEM, "'%s': libmpg123 has no float output", name);
    if (status)
        sj_mp3_close(m);
    else
        *out = m;
    return status;
}

int sj_mp3_rate_hz(const struct sj_mp3 *m)
{
    return (int)m->rate_hz;
}

int sj_mp3_channels(const struct sj_mp3 *m)
{
    return m->channels;
}

int64_t sj_mp3_frames(const struct sj_mp3 *m)
{
    int64_t n = mpg123_length(m->h);
    return n >= 0 ? n : -1;
}

int sj_mp3_read(struct sj_mp3 *m, float *out, int64_t frames, int64_t *got)
{
    const size_t frame = (size_t)m->channels * sizeof *out;
    size_t bytes = 0;
    int code = MPG123_NEW_FORMAT; /* the first time it is that which was read at the opening */
    *got = 0;
    while (code == MPG123_NEW_FORMAT && !bytes) {
        long rate_hz;
        int channels, encoding;
        code = mpg123_read(m->h, (unsigned char *)out, (size_t)frames * frame, &bytes);
        if (code == MPG123_NEW_FORMAT && !mpg123_getformat(m->h, &rate_hz, &channels, &encoding) &&
            (rate_hz != m->rate_hz || channels != m->channels))
            return sj_fail(SJ_INPUT, "'%s' changes its sample rate or channels", m->name);
    }
    *got = (int64_t)(bytes / frame);
    return code == MPG123_OK || code == MPG123_DONE || code == MPG123_NEW_FORMAT ? SJ_OK : refuse(m);
}

void sj_mp3_close(struct sj_mp3 *m)
{
    if (!m)
        return;
    mpg123_delete(m->h);
    free(m->name);
    free(m);
}
