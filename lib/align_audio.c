#include "align_audio.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "loudness.h"

struct work {
    struct sj_listener *l;
    int64_t d, patch_samples, places; /* of a frame: values, samples, and how many there are in a chunk */
    int threads;
    float *mix, *stem;
    int64_t mix_samples, stem_samples;
    int64_t classes, rows;
    float *prediction; /* (classes, rows, d) of length 1 */
    float *lead;       /* the stem with silence before it */
    float *one, *mean; /* (places + rows of the stem, d) in one place of the grid; their mean over all */
    struct sj_curve coarse;
    struct sj_curve *fine; /* (classes) */
};

static int read_file(const char *path, int64_t least, float **wave, int64_t *n)
{
    int status = sj_listen_decode(path, wave, n);
    if (!status && *n < least)
        status = sj_fail(SJ_INPUT, "'%s' lasts %g s, %g s are needed", path, (double)*n / SJ_DECODE_HZ,
                         (double)least / SJ_DECODE_HZ);
    const double lufs = status ? 0 : sj_loudness(*wave, *n, 1, SJ_DECODE_HZ);
    if (lufs == -INFINITY)
        return sj_fail(SJ_INPUT, "'%s' is silent: there is nothing to align", path);
    return status || lufs >= SJ_ALIGN_FAINTEST_LUFS ? status : sj_fail(SJ_INPUT,
               "'%s' is all but silent (%.1f LUFS, under %d): there is nothing to align", path, lufs,
               SJ_ALIGN_FAINTEST_LUFS);
}

static int predict(struct work *w, const int32_t *class)
{
    w->rows = sj_listener_rows(w->l, w->mix_samples);
    w->prediction = malloc((size_t)(w->classes * w->rows * w->d) * sizeof *w->prediction);
    if (!w->prediction)
        return sj_fail(SJ_SYSTEM, "no memory for %lld frames", (long long)(w->classes * w->rows));
    int status = sj_listen_mix(w->l, w->mix_samples, w->mix, w->classes, class, w->prediction);
    for (int64_t c = 0; c < w->classes && !status; c++) {
        float *p = w->prediction + c * w->rows * w->d;
        if (!(status = sj_align_remove(w->rows, w->d, 1, p)))
            sj_align_unit(w->rows, w->d, p);
    }
    return status;
}

/* w->mean = the frames of the stem from sample `from` on, averaged over the places of the grid. */
static int hear_stem(struct work *w, int64_t from, int64_t *rows)
{
    const int64_t n = w->stem_samples - from;
    int status = SJ_OK;
    *rows = sj_listener_rows(w->l, n);
    memset(w->mean, 0, (size_t)(*rows * w->d) * sizeof *w->mean);
    for (int64_t g = 0; g < SJ_ALIGN_GRIDS && !status; g++) {
        const int64_t silent = g * w->places / SJ_ALIGN_GRIDS, ahead = silent * w->patch_samples;
        float *own = w->one + silent * w->d;
        memset(w->lead, 0, (size_t)ahead * sizeof *w->lead);
        memcpy(w->lead + ahead, w->stem + from, (size_t)n * sizeof *w->lead);
        status = sj_listen_stem(w->l, ahead + n, w->lead, w->one);
        if (!status)
            status = sj_align_remove(*rows, w->d, 1, own);
        if (status)
            break;
        sj_align_unit(*rows, w->d, own);
        for (int64_t i = 0; i < *rows * w->d; i++)
            w->mean[i] += own[i] / SJ_ALIGN_GRIDS;
    }
    return status;
}

/* Every FINE-th lag of the fine curves, from the stem heard from its sample `part` / FINE of a patch on. */
static int align_part(struct work *w, int64_t part)
{
    int64_t rows;
    int status = hear_stem(w, part * w->patch_samples / SJ_ALIGN_FINE, &rows);
    for (int64_t c = 0; c < w->classes && !status; c++) {
        struct sj_curve *fine = &w->fine[c], *coarse = &w->coarse;
        status = sj_align_curve(rows, w->mean, w->rows, w->prediction + c * w->rows * w->d, w->d, w->threads, coarse);
        for (int64_t j = -coarse->lags; j <= coarse->lags && !status; j++) {
            const int64_t lag = SJ_ALIGN_FINE * j + part;
            if (lag < -fine->lags || lag > fine->lags)
                continue;
            fine->sum[fine->lags + lag] = coarse->sum[coarse->lags + j];
            fine->frames[fine->lags + lag] = coarse->frames[coarse->lags + j];
        }
    }
    return status;
}

static int allocate(struct work *w, int64_t lags)
{
    const int64_t frames = w->places + sj_listener_rows(w->l, w->stem_samples);
    w->lead = malloc((size_t)(w->places * w->patch_samples + w->stem_samples) * sizeof *w->lead);
    w->one = malloc((size_t)(frames * w->d) * sizeof *w->one);
    w->mean = malloc((size_t)(frames * w->d) * sizeof *w->mean);
    w->fine = calloc((size_t)w->classes, sizeof *w->fine);
    int status = w->lead && w->one && w->mean && w->fine ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    if (!status)
        status = sj_curve_new(lags / SJ_ALIGN_FINE + 1, &w->coarse);
    for (int64_t c = 0; c < w->classes && !status; c++)
        status = sj_curve_new(lags, &w->fine[c]);
    return status;
}

static void release(struct work *w)
{
    for (int64_t c = 0; c < w->classes && w->fine; c++)
        sj_curve_free(&w->fine[c]);
    free(w->fine);
    sj_curve_free(&w->coarse);
    free(w->mix);
    free(w->stem);
    free(w->prediction);
    free(w->lead);
    free(w->one);
    free(w->mean);
}

int sj_align_audio(struct sj_listener *l, const char *mix, const char *stem, int64_t classes, const int32_t *class,
                   double max_lag_s, int threads, struct sj_curve *curve, int64_t *best, double *step_s)
{
    const struct sj_config *c = sj_listener_config(l);
    struct work w = {.l = l, .d = c->frequencies * c->dim, .patch_samples = c->patch * c->mel.hop_samples,
                     .places = c->times, .classes = classes, .threads = threads};
    double top = -INFINITY;
    *step_s = (double)w.patch_samples / c->mel.sample_rate_hz / SJ_ALIGN_FINE;
    int status = read_file(mix, 2 * w.patch_samples, &w.mix, &w.mix_samples);
    if (!status)
        status = read_file(stem, 2 * w.patch_samples, &w.stem, &w.stem_samples);
    if (!status)
        status = allocate(&w, (int64_t)floor(max_lag_s / *step_s + 1e-9));
    if (!status)
        status = predict(&w, class);
    for (int64_t part = 0; part < SJ_ALIGN_FINE && !status; part++)
        status = align_part(&w, part);
    for (int64_t i = 0; i < classes && !status; i++) {
        const double similarity = sj_curve_peak(&w.fine[i]).similarity;
        if (similarity > top) {
            top = similarity;
            *best = i;
        }
    }
    if (!status) {
        *curve = w.fine[*best];
        w.fine[*best] = (struct sj_curve){0};
    }
    release(&w);
    return status;
}
