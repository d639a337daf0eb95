#include "decode.h"

#include <stdlib.h>
#include <string.h>

#include "audio.h"
#include "resample.h"

enum { BLOCK = 8192 }; /* input frames at a time */

struct sj_decode {
    struct sj_audio *audio;
    int channels, lanes;
    float *frames;               /* (BLOCK,channels) as they come */
    float *input;                /* (lanes,BLOCK) */
    struct sj_resample **resample; /* (lanes) */
    int64_t have, at;            /* of input: samples there, samples used */
    int ended, any;
};

int sj_decode_open(const char *path, int stream, int apart, struct sj_decode **out)
{
    struct sj_decode *d = calloc(1, sizeof *d);
    if (!d)
        return sj_fail(SJ_SYSTEM, "no memory to decode '%s'", path);
    int status = sj_audio_open(path, stream, &d->audio);
    if (status)
        goto fail;
    d->channels = sj_audio_channels(d->audio);
    d->lanes = d->channels == apart ? apart : 1;
    d->frames = malloc(sizeof(float) * BLOCK * (size_t)d->channels);
    d->input = malloc(sizeof(float) * BLOCK * (size_t)d->lanes);
    d->resample = calloc((size_t)d->lanes, sizeof(struct sj_resample *));
    if (!d->frames || !d->input || !d->resample) {
        status = sj_fail(SJ_SYSTEM, "no memory to decode '%s'", path);
        goto fail;
    }
    for (int i = 0; i < d->lanes && !status; i++)
        status = sj_resample_open(sj_audio_rate_hz(d->audio), SJ_DECODE_HZ, &d->resample[i]);
    if (status)
        goto fail;
    *out = d;
    return SJ_OK;
fail:
    sj_decode_close(d);
    return status;
}

int sj_decode_channels(const struct sj_decode *d)
{
    return d->channels;
}

int sj_decode_lanes(const struct sj_decode *d)
{
    return d->lanes;
}

/* frames (n,channels) -> input (lanes,BLOCK). */
static void spread(struct sj_decode *d, int64_t n)
{
    int channels = d->channels;
    if (d->lanes == channels) {
        for (int c = 0; c < channels; c++)
            for (int64_t i = 0; i < n; i++)
                d->input[c * BLOCK + i] = d->frames[i * channels + c];
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        float sum = 0;
        for (int c = 0; c < channels; c++)
            sum += d->frames[i * channels + c];
        d->input[i] = sum / (float)channels;
    }
}

static int refill(struct sj_decode *d)
{
    int64_t n;
    int status = sj_audio_read(d->audio, d->frames, BLOCK, &n);
    if (status)
        return status;
    d->have = n;
    d->at = 0;
    d->any |= n > 0;
    d->ended = n == 0;
    if (!d->any)
        return sj_fail(SJ_INPUT, "'%s' holds no samples", sj_audio_name(d->audio));
    spread(d, n);
    return SJ_OK;
}

int sj_decode_read(struct sj_decode *d, int64_t want, float *const *lane, int64_t *got)
{
    *got = 0;
    while (*got < want) {
        size_t used = 0, made = 0;
        int status = d->at == d->have && !d->ended ? refill(d) : SJ_OK;
        for (int i = 0; i < d->lanes && !status; i++) /* all lanes use and make the same */
            status = sj_resample_process(d->resample[i], d->ended ? NULL : d->input + (size_t)i * BLOCK + d->at,
                                         (size_t)(d->have - d->at), lane[i] + *got, (size_t)(want - *got), &used,
                                         &made);
        if (status)
            return status;
        d->at += (int64_t)used;
        *got += (int64_t)made;
        if (d->ended && !made)
            break;
    }
    return SJ_OK;
}

void sj_decode_close(struct sj_decode *d)
{
    if (!d)
        return;
    for (int i = 0; d->resample && i < d->lanes; i++)
        sj_resample_close(d->resample[i]);
    free(d->resample);
    free(d->input);
    free(d->frames);
    sj_audio_close(d->audio);
    free(d);
}
