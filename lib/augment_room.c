/* A small room: the direct sound, a few early reflections and a tail of noise that dies away, convolved by blocks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "augment_own.h"
#include "fft.h"

enum {
    TAPS = 8192,   /* of the response: half a second */
    BLOCK = 32768, /* samples at a time */
    SIZE = BLOCK + TAPS,
    BINS = SIZE / 2 + 1,
    EARLY = 6
};

struct sj_echo {
    struct sj_fft_plane *fft;
    float *response; /* complex (BINS) */
    float *tail;     /* (TAPS) of the block before */
};

void sj_echo_free(struct sj_echo *e)
{
    if (!e)
        return;
    sj_fft_plane_free(e->fft);
    free(e->response);
    free(e->tail);
    free(e);
}

int sj_echo_new(struct sj_echo **out)
{
    struct sj_echo *e = calloc(1, sizeof *e);
    if (!e)
        return sj_fail(SJ_SYSTEM, "no memory for a room");
    e->response = malloc(2 * BINS * sizeof *e->response);
    e->tail = malloc(TAPS * sizeof *e->tail);
    int status = SJ_OK;
    if (!e->response || !e->tail)
        status = sj_fail(SJ_SYSTEM, "no memory for a room");
    if (!status)
        status = sj_fft_plane_new(1, SIZE, &e->fft);
    if (status)
        sj_echo_free(e);
    else
        *out = e;
    return status;
}

/* h (TAPS), of energy 1: a reverberation time of 0.1 to 0.5 s, the direct sound 0 to 15 dB above what comes after,
 * whose treble is damped. */
static void draw_response(struct sj_rng *r, float *h)
{
    const float decay_s = 0.1f * powf(5, sj_rng_float(r)), rest = powf(10, sj_rng_range(r, -1.5f, 0));
    const int gap = (int)sj_rng_range(r, 8, 240);           /* 0.5 to 15 ms */
    const float keep = sj_rng_range(r, 0.3f, 1);            /* of a low-pass of one pole */
    const float fade = expf(-6.9078f / (decay_s * SJ_DATASET_RATE_HZ)); /* 60 dB in decay_s */
    float level = 1, damped = 0, energy = 0;
    memset(h, 0, TAPS * sizeof *h);
    for (int i = gap; i < TAPS; i++, level *= fade) {
        damped += keep * (sj_rng_range(r, -1, 1) - damped);
        h[i] = level * damped;
    }
    for (int k = 0; k < EARLY; k++) { /* in the first 40 ms, weaker as they come later */
        const int at = gap + (int)sj_rng_below(r, 640);
        h[at] += (sj_rng_u32(r) & 1 ? 1 : -1) * sj_rng_range(r, 1, 6) * powf(fade, (float)(at - gap));
    }
    for (int i = gap; i < TAPS; i++)
        energy += h[i] * h[i];
    const float direct = 1 / sqrtf(1 + rest), scale = direct * sqrtf(rest / energy);
    for (int i = gap; i < TAPS; i++)
        h[i] *= scale;
    h[0] = direct;
}

void sj_augment_room(struct sj_echo *e, struct sj_rng *r, int64_t n, float *x)
{
    float *real = sj_fft_plane_real(e->fft), *bin = sj_fft_plane_spectrum(e->fft);
    draw_response(r, real);
    for (int i = 0; i < TAPS; i++)
        real[i] *= 1.f / SIZE; /* of the transform and its inverse */
    memset(real + TAPS, 0, (SIZE - TAPS) * sizeof *real);
    memset(e->tail, 0, TAPS * sizeof *e->tail);
    sj_fft_plane_forward(e->fft);
    memcpy(e->response, bin, 2 * BINS * sizeof *bin);
    for (int64_t at = 0; at < n; at += BLOCK) {
        const int64_t count = n - at < BLOCK ? n - at : BLOCK;
        memcpy(real, x + at, (size_t)count * sizeof *real);
        memset(real + count, 0, (size_t)(SIZE - count) * sizeof *real);
        sj_fft_plane_forward(e->fft);
        for (int k = 0; k < BINS; k++) {
            const float re = bin[2 * k], im = bin[2 * k + 1], *h = e->response + 2 * k;
            bin[2 * k] = re * h[0] - im * h[1];
            bin[2 * k + 1] = re * h[1] + im * h[0];
        }
        sj_fft_plane_inverse(e->fft);
        for (int i = 0; i < TAPS; i++)
            real[i] += e->tail[i];
        memcpy(x + at, real, (size_t)count * sizeof *real);
        memcpy(e->tail, real + BLOCK, TAPS * sizeof *real);
    }
}
