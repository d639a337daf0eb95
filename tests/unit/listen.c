/* What is listened to, against the definition: frame by frame, each from the middle of a window of its own. */
#include "listen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "mel.h"
#include "pool.h"
#include "rng.h"
#include "sjk.h"

enum { MARGIN = 4, CLASSES = 2 };

static struct sj_model *make(int64_t times)
{
    struct sj_config c = sj_config_defaults();
    struct sj_model *m = NULL;
    c.dim = 32;
    c.depth = 1;
    c.heads = 2;
    c.hidden = 32;
    c.layers = 2;
    c.times = times;
    return sj_model_new(&c, 3, &m) ? NULL : m;
}

/* Where the window begins that frame `row` of `rows` is heard in: they are a step apart, the last ends with the sound. */
static int64_t window_of(int64_t row, int64_t rows, int64_t P)
{
    const int64_t margin = P > 2 * MARGIN ? MARGIN : (P - 1) / 2, step = P - 2 * margin, last = rows > P ? rows - P : 0;
    const int64_t from = row < margin ? 0 : (row - margin) / step * step;
    return from < last ? from : last;
}

/* Frame `row` alone, of class >= 0 a prediction. */
static int expect(struct sjk *k, const struct sj_model *m, const float *mel, int64_t stride, int64_t rows, int64_t row,
                  int class, float *out)
{
    const struct sj_config *c = &m->config;
    const int64_t from = window_of(row, rows, c->times), T = stride < c->times * 16 ? stride : c->times * 16, P = T / 16;
    const struct sj_net_options o = {.encoder = 1, .predictor = class >= 0, .precision = SJ_PRECISION_F32, .batch = 1,
                                     .network = class >= 0 ? SJ_NETWORK_CONTEXT : SJ_NETWORK_TARGET};
    const size_t values = (size_t)(c->frequencies * P * c->dim);
    float *in = malloc((size_t)(80 * T) * sizeof *in), *z = malloc(values * sizeof *z), *y = malloc(values * sizeof *y);
    struct sj_net *net;
    const int32_t which = class;
    int status = sj_net_new(k, m, &o, &net);
    for (int64_t b = 0; b < 80; b++)
        memcpy(in + b * T, mel + b * stride + from * 16, (size_t)T * sizeof *in);
    if (!status)
        status = sj_net_encode(net, 1, T, in, 0, z);
    if (!status && class >= 0)
        status = sj_net_predict(net, 1, P, z, &which, y);
    float *made = class >= 0 ? y : z, *frame = class >= 0 ? z : y;
    sj_pool_frames(c->frequencies, P, c->dim, made, frame);
    memcpy(out, frame + (row - from) * c->frequencies * c->dim, (size_t)(c->frequencies * c->dim) * sizeof *out);
    sj_net_free(net);
    free(in);
    free(z);
    free(y);
    return status;
}

static void compare(struct sjk *k, int64_t times, int64_t samples)
{
    struct sj_model *m = make(times);
    const int64_t d = m->config.frequencies * m->config.dim;
    struct sj_rng r = sj_rng(7, (uint64_t)samples);
    struct sj_listener *l;
    struct sj_mel *mel;
    float *wave = malloc((size_t)samples * sizeof *wave);
    for (int64_t i = 0; i < samples; i++)
        wave[i] = (float)(sj_rng_double(&r) - 0.5) * (float)(1 + i / 3000 % 3);
    ok(m && !sj_listener_new(k, m, SJ_PRECISION_F32, &l) && !sj_mel_new(k, &m->config.mel, &mel),
       "%d patches, %d samples", (int)times, (int)samples);
    const int64_t rows = sj_listener_rows(l, samples), frames = sj_mel_whole_frames(mel, samples);
    const int64_t stride = (frames + 15) / 16 * 16;
    float *spectrum = malloc((size_t)(80 * stride) * sizeof *spectrum), *want = malloc((size_t)d * sizeof *want);
    float *got = malloc((size_t)(rows * d) * sizeof *got), *predicted = malloc((size_t)(CLASSES * rows * d) * sizeof *got);
    const int32_t class[CLASSES] = {2, 0};
    is_int(sj_mel_whole(mel, samples, wave, spectrum, stride), 0, "its spectrogram");
    is_int(sj_listen_stem(l, samples, wave, got), 0, "a stem");
    is_int(sj_listen_mix(l, samples, wave, CLASSES, class, predicted), 0, "a mix");
    double worst = 0;
    int bad = 0;
    for (int64_t row = 0; row < rows; row++)
        for (int c = -1; c < CLASSES; c++) {
            bad |= expect(k, m, spectrum, stride, rows, row, c < 0 ? -1 : class[c], want);
            const float *have = c < 0 ? got + row * d : predicted + (c * rows + row) * d;
            for (int64_t i = 0; i < d; i++)
                worst = fmax(worst, fabs((double)want[i] - have[i]));
        }
    ok(!bad && worst < 2e-5, "%d frames as defined, to %.1e", (int)rows, worst);
    sj_listener_free(l);
    sj_mel_free(mel);
    sj_model_free(m);
    free(wave);
    free(spectrum);
    free(want);
    free(got);
    free(predicted);
}

int main(void)
{
    char why[256];
    struct sjk *k;
    if (sjk_open("cpu", 2, &k, why, sizeof why))
        return 1;
    compare(k, 10, 160 * 16 * 47 + 99); /* many windows, more than a batch */
    compare(k, 10, 160 * 16 * 10 - 1);  /* one, all of it */
    compare(k, 10, 160 * 16 * 11);      /* the second is all but the first */
    compare(k, 50, 160 * 16 * 131);
    compare(k, 8, 160 * 16 * 20);       /* too short for the margin */
    compare(k, 1, 160 * 16 * 3);
    compare(k, 10, 1000);               /* less than a patch */
    sjk_close(k);
    return done();
}
