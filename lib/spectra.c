#include "spectra.h"

#include <stdlib.h>
#include <string.h>

#include "mel_own.h"

struct sj_spectra {
    struct sjk *k;
    struct sjk_spectra of;
    void *memory; /* the tables, in the back end's memory */
    /* of sj_spectra_host: grown to the largest wave */
    void *wave;
    float *out, *host;
    size_t wave_room, out_room; /* bytes */
};

static int fail(const struct sj_spectra *p, int status)
{
    return status ? sj_fail(status, "%s", sjk_reason(p->k)) : SJ_OK;
}

/* window, weights, ranges one after the other. */
static int put_tables(struct sj_spectra *p, const struct sj_mel_settings *s, const struct sj_mel_tables *t)
{
    const size_t window = (size_t)s->fft_samples * sizeof(float), weight = (size_t)t->weights * sizeof(float);
    const size_t range = 3 * (size_t)s->bands * sizeof(int32_t);
    int e = p->k->ops->alloc(p->k, window + weight + range, &p->memory);
    char *at = p->memory;
    (void)(e || (e = p->k->ops->put(p->k, at, t->window, window)) ||
           (e = p->k->ops->put(p->k, at + window, t->weight, weight)) ||
           (e = p->k->ops->put(p->k, at + window + weight, t->range, range)));
    if (e)
        return fail(p, e);
    const int32_t *first = (const int32_t *)(void *)(at + window + weight);
    p->of = (struct sjk_spectra){.size = (int)s->fft_samples, .hop = (int)s->hop_samples,
                                 .window = (const float *)(void *)at, .bank = t->bank, .eps = (float)s->floor,
                                 .mean = (float)s->mean, .std = (float)s->std};
    p->of.bank.weight = (const float *)(void *)(at + window);
    p->of.bank.first = first;
    p->of.bank.count = first + s->bands;
    p->of.bank.offset = first + 2 * s->bands;
    return SJ_OK;
}

int sj_spectra_new(struct sjk *k, const struct sj_mel_settings *s, struct sj_spectra **out)
{
    struct sj_mel_tables t = {0};
    struct sj_spectra *p = calloc(1, sizeof *p);
    if (!p)
        return sj_fail(SJ_SYSTEM, "no memory");
    p->k = k;
    int status = sj_mel_tables_new(s, &t);
    if (!status)
        status = put_tables(p, s, &t);
    sj_mel_tables_free(&t);
    if (status)
        sj_spectra_free(p);
    else
        *out = p;
    return status;
}

void sj_spectra_free(struct sj_spectra *p)
{
    if (!p)
        return;
    p->k->ops->free(p->k, p->memory);
    p->k->ops->free(p->k, p->wave);
    p->k->ops->free(p->k, p->out);
    free(p->host);
    free(p);
}

int sj_spectra_run(struct sj_spectra *p, int64_t B, int64_t n, const void *wave, int i16, int64_t start, int64_t T,
                   float *out)
{
    p->of.start = start;
    return fail(p, p->k->ops->mel(p->k, B, n, wave, i16, &p->of, T, out));
}

static int grow(struct sj_spectra *p, void **memory, size_t *room, size_t bytes)
{
    if (bytes <= *room)
        return SJ_OK;
    p->k->ops->free(p->k, *memory);
    *room = 0;
    int e = p->k->ops->alloc(p->k, bytes, memory);
    *room = e ? 0 : bytes;
    return fail(p, e);
}

int sj_spectra_host(struct sj_spectra *p, int64_t n, const float *wave, int64_t start, int64_t T, float *out,
                    int64_t stride)
{
    const struct sjk_ops *o = p->k->ops;
    const size_t bytes = (size_t)n * sizeof *wave, made = (size_t)(p->of.bank.bands * T) * sizeof *out;
    void *to = p->out;
    int had = p->out_room >= made, status = grow(p, &p->wave, &p->wave_room, bytes);
    if (!status)
        status = grow(p, &to, &p->out_room, made);
    p->out = to;
    if (!status && !had) {
        free(p->host);
        p->host = malloc(made);
        status = p->host ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    }
    if (!status)
        status = fail(p, o->put(p->k, p->wave, wave, bytes));
    if (!status)
        status = sj_spectra_run(p, 1, n, p->wave, 0, start, T, p->out);
    if (!status)
        status = fail(p, o->get(p->k, p->host, p->out, made));
    for (int64_t b = 0; b < p->of.bank.bands && !status; b++)
        memcpy(out + b * stride, p->host + b * T, (size_t)T * sizeof *out);
    return status;
}
