#include "audio_flac.h"

#include <sndfile.h>
#include <stdlib.h>

#include "stream.h"
#include "whole.h"

static int write_samples(const char *path, const char *temp, const int16_t *x, int64_t frames, int channels, int rate)
{
    SF_INFO info = {.samplerate = rate, .channels = channels, .format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16};
    if (!sf_format_check(&info))
        return sj_fail(SJ_USAGE, "cannot write '%s': no FLAC file has %d channels at %d Hz", path, channels, rate);
    SNDFILE *f = sf_open(temp, SFM_WRITE, &info);
    if (!f)
        return sj_fail(SJ_SYSTEM, "cannot write '%s': %s", path, sf_strerror(NULL));
    const int all = sf_writef_short(f, x, frames) == frames;
    const int bad = sf_close(f);
    return all && !bad ? SJ_OK : sj_fail(SJ_SYSTEM, "cannot write '%s'", path);
}

int sj_flac_write(const char *path, const float *x, int64_t frames, int channels, int rate_hz)
{
    const size_t count = (size_t)frames * (size_t)channels;
    struct sj_whole *whole = NULL;
    int16_t *samples = malloc((count + 1) * sizeof *samples);
    int status = samples ? sj_whole_new(path, &whole) : sj_fail(SJ_SYSTEM, "no memory to write '%s'", path);
    if (!status) {
        sj_dtype_from_f32(SJ_I16, count, x, samples);
        status = write_samples(path, sj_whole_temp(whole), samples, frames, channels, rate_hz);
    }
    free(samples);
    if (!status)
        return sj_whole_commit(whole);
    sj_whole_discard(whole);
    return status;
}
