#include "preview.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "audio.h"
#include "decode.h"
#include "resample.h"
#include "sound.h"
#include "wav.h"

enum { BLOCK = 4096, SIDES = 2, HOPS_HZ = 100 };

/* One or two channels, one after the other. */
struct take {
    int rate_hz, channels;
    int64_t n, room;
    float *side[SIDES];
};

static void drop(struct take *t)
{
    for (int c = 0; c < SIDES; c++)
        free(t->side[c]);
}

static int make_room(struct take *t, int64_t n)
{
    if (n <= t->room)
        return SJ_OK;
    t->room = 2 * n;
    for (int c = 0; c < t->channels; c++) {
        float *more = realloc(t->side[c], (size_t)t->room * sizeof *more);
        if (!more)
            return sj_fail(SJ_SYSTEM, "no memory for %lld samples", (long long)t->room);
        t->side[c] = more;
    }
    return SJ_OK;
}

static int read_blocks(struct sj_audio *a, struct take *t)
{
    const int channels = sj_audio_channels(a);
    float *block = malloc((size_t)(BLOCK * channels) * sizeof *block);
    int64_t got = 1;
    int status = block ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for '%s'", sj_audio_name(a));
    while (!status && got) {
        status = sj_audio_read(a, block, BLOCK, &got);
        if (!status)
            status = make_room(t, t->n + got);
        for (int64_t i = 0; i < got && !status; i++) {
            float sum = 0;
            for (int c = 0; c < channels; c++)
                sum += block[i * channels + c];
            for (int c = 0; c < t->channels; c++)
                t->side[c][t->n + i] = t->channels == channels ? block[i * channels + c] : sum / (float)channels;
        }
        t->n += status ? 0 : got;
    }
    free(block);
    return status;
}

static int read_take(const char *path, struct take *t)
{
    struct sj_audio *a;
    *t = (struct take){.rate_hz = SJ_DECODE_HZ, .channels = 1};
    if (access(path, F_OK)) /* a part of a file */
        return sj_sound_read(path, &t->side[0], &t->n);
    int status = sj_audio_open(path, SJ_AUDIO_AUTO, &a);
    if (status)
        return status;
    t->rate_hz = sj_audio_rate_hz(a);
    t->channels = sj_audio_channels(a) == SIDES ? SIDES : 1;
    status = read_blocks(a, t);
    sj_audio_close(a);
    return status;
}

/* One channel at another rate. */
static int resample(float **x, int64_t n, int from_hz, int to_hz, int64_t *made)
{
    struct sj_resample *r;
    const size_t room = (size_t)((double)n * to_hz / from_hz) + BLOCK;
    size_t in = 0, out = 0, used = 1, got = 1;
    int status = sj_resample_open(from_hz, to_hz, &r);
    if (status)
        return status;
    float *y = malloc(room * sizeof *y);
    if (!y)
        status = sj_fail(SJ_SYSTEM, "no memory for %zu samples", room);
    while (!status && (in < (size_t)n || got)) {
        const size_t left = (size_t)n - in < BLOCK ? (size_t)n - in : BLOCK;
        status = sj_resample_process(r, left ? *x + in : NULL, left, y + out, room - out, &used, &got);
        in += left ? used : 0;
        out += got;
        if (left && !used && !got)
            break;
    }
    sj_resample_close(r);
    if (status) {
        free(y);
        return status;
    }
    free(*x);
    *x = y;
    *made = (int64_t)out;
    return SJ_OK;
}

static int to_rate(struct take *t, int rate_hz)
{
    int64_t made = t->n;
    int status = SJ_OK;
    for (int c = 0; c < t->channels && t->rate_hz != rate_hz && !status; c++)
        status = resample(&t->side[c], t->n, t->rate_hz, rate_hz, &made);
    t->n = made;
    t->rate_hz = rate_hz;
    return status;
}

static float at(const struct take *t, int channel, int64_t i)
{
    return i < 0 || i >= t->n ? 0 : t->side[channel < t->channels ? channel : 0][i];
}

static int write_sum(const char *path, const struct take *mix, const struct take *stem, int64_t offset)
{
    const int channels = mix->channels > stem->channels ? mix->channels : stem->channels;
    float block[BLOCK * SIDES], peak = 1;
    struct sj_wav *w;
    for (int64_t i = 0; i < mix->n; i++)
        for (int c = 0; c < channels; c++)
            peak = fmaxf(peak, fabsf(at(mix, c, i) + at(stem, c, i + offset)));
    int status = sj_wav_create(path, mix->rate_hz, channels, SJ_I16, &w);
    if (status)
        return status;
    for (int64_t i = 0, n; i < mix->n && !status; i += n) {
        n = mix->n - i < BLOCK ? mix->n - i : BLOCK;
        for (int64_t k = 0; k < n; k++)
            for (int c = 0; c < channels; c++)
                block[k * channels + c] = (at(mix, c, i + k) + at(stem, c, i + k + offset)) / peak;
        status = sj_wav_write(w, block, n);
    }
    if (!status)
        return sj_wav_commit(w);
    sj_wav_abort(w);
    return status;
}

/* -- onsets -------------------------------------------------------------------------------------------------------- */

/* onset (t->n / hop): by how many dB the energy rises, above a floor of -60 dB. */
static float *find_onsets(const struct take *t, int64_t hop, int64_t *n)
{
    *n = t->n / hop;
    float *onset = malloc((size_t)*n * sizeof *onset + 1);
    double before = 0;
    for (int64_t i = 0; i < *n && onset; i++) {
        double energy = 1e-6 * (double)hop;
        for (int64_t k = i * hop; k < (i + 1) * hop; k++)
            energy += (double)t->side[0][k] * t->side[0][k];
        const double now = 10 * log10(energy);
        onset[i] = i && now > before ? (float)(now - before) : 0;
        before = now;
    }
    return onset;
}

static int refine(const struct take *mix, const struct take *stem, double slack_s, double *offset_s)
{
    const int64_t hop = mix->rate_hz / HOPS_HZ, middle = llround(*offset_s * HOPS_HZ);
    const int64_t slack = llround(slack_s * HOPS_HZ);
    int64_t m, n, best = middle;
    double top = 0;
    float *x = find_onsets(mix, hop, &m), *y = find_onsets(stem, hop, &n);
    int status = x && y ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for onsets");
    for (int64_t d = 0; d <= 2 * slack && !status; d++) { /* from the middle outwards: of equal ones the nearest */
        const int64_t lag = middle + (d & 1 ? -(d + 1) / 2 : d / 2);
        double sum = 0;
        for (int64_t i = lag < 0 ? -lag : 0; i < m && i + lag < n; i++)
            sum += (double)x[i] * y[i + lag];
        if (sum > top) {
            top = sum;
            best = lag;
        }
    }
    free(x);
    free(y);
    *offset_s = (double)(best * hop) / mix->rate_hz;
    return status;
}

int sj_preview(const char *path, const char *mix, const char *stem, double slack_s, double *offset_s)
{
    struct take m = {0}, s = {0};
    int status = read_take(mix, &m);
    if (!status)
        status = read_take(stem, &s);
    if (!status)
        status = to_rate(&s, m.rate_hz);
    if (!status)
        status = refine(&m, &s, slack_s, offset_s);
    if (!status)
        status = write_sum(path, &m, &s, llround(*offset_s * m.rate_hz));
    drop(&m);
    drop(&s);
    return status;
}
