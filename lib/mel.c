#include "mel_own.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fft.h"
#include "spectra.h"

/* Frames per transform: the frames (25 KiB) and their spectra stay in the first two caches, and the sums over bands run
 * over frames in full vectors. */
enum { BATCH = 16 };

struct sj_mel {
    struct sjk *k;
    struct sj_mel_settings s;
    struct sj_fft *fft;
    struct sj_spectra *spectra; /* where the back end computes them itself; then no fft, part and edge */
    struct sj_mel_tables tables;
    float *part;     /* (bands, BATCH) */
    float *edge;     /* where reflected ends are laid out */
    int64_t edge_size;
};

struct sj_mel_settings sj_mel_defaults(void)
{
    return (struct sj_mel_settings){.sample_rate_hz = 16000,
                                    .fft_samples = 400,
                                    .hop_samples = 160,
                                    .bands = 80,
                                    .low_hz = 50,
                                    .high_hz = 8000,
                                    .floor = 0x1p-23,
                                    .mean = -9.453,
                                    .std = 3.569};
}

void sj_mel_to_params(const struct sj_mel_settings *s, sj_json *params)
{
    sj_json_set(params, "mel_fft_samples", sj_json_int(s->fft_samples));
    sj_json_set(params, "mel_hop_samples", sj_json_int(s->hop_samples));
    sj_json_set(params, "mel_bands", sj_json_int(s->bands));
    sj_json_set(params, "mel_sample_rate_hz", sj_json_real(s->sample_rate_hz));
    sj_json_set(params, "mel_low_hz", sj_json_real(s->low_hz));
    sj_json_set(params, "mel_high_hz", sj_json_real(s->high_hz));
    sj_json_set(params, "mel_floor", sj_json_real(s->floor));
    sj_json_set(params, "mel_mean", sj_json_real(s->mean));
    sj_json_set(params, "mel_std", sj_json_real(s->std));
}

int sj_mel_from_params(const sj_json *params, struct sj_mel_settings *s)
{
    const struct { const char *name; int64_t *value; } whole[] = {
        {"mel_fft_samples", &s->fft_samples}, {"mel_hop_samples", &s->hop_samples}, {"mel_bands", &s->bands}};
    const struct { const char *name; double *value; } real[] = {
        {"mel_sample_rate_hz", &s->sample_rate_hz}, {"mel_low_hz", &s->low_hz}, {"mel_high_hz", &s->high_hz},
        {"mel_floor", &s->floor}, {"mel_mean", &s->mean}, {"mel_std", &s->std}};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (!sj_json_get_int(params, whole[i].name, whole[i].value))
            return sj_fail(SJ_INPUT, "no '%s' among the parameters", whole[i].name);
    for (size_t i = 0; i < sizeof real / sizeof *real; i++)
        if (!sj_json_get_real(params, real[i].name, real[i].value))
            return sj_fail(SJ_INPUT, "no '%s' among the parameters", real[i].name);
    return SJ_OK;
}

/* -- making -------------------------------------------------------------------------------------------------------- */
static int check(const struct sj_mel_settings *s)
{
    if (s->fft_samples < 4 || s->fft_samples > 1 << 16 || s->fft_samples % 2)
        return sj_fail(SJ_USAGE, "a mel transform of %lld samples: must be even, 4 to 65536",
                       (long long)s->fft_samples);
    if (s->hop_samples < 1 || s->hop_samples > s->fft_samples)
        return sj_fail(SJ_USAGE, "a mel hop of %lld samples: must be 1 to %lld", (long long)s->hop_samples,
                       (long long)s->fft_samples);
    if (s->bands < 1 || s->bands > 1024)
        return sj_fail(SJ_USAGE, "%lld mel bands: must be 1 to 1024", (long long)s->bands);
    if (!(s->sample_rate_hz > 0) || !(s->low_hz >= 0) || !(s->high_hz > s->low_hz)
        || s->high_hz > s->sample_rate_hz / 2)
        return sj_fail(SJ_USAGE, "mel bands from %g to %g Hz at %g Hz", s->low_hz, s->high_hz, s->sample_rate_hz);
    if (!(s->floor > 0) || !isfinite(s->floor) || !isfinite(s->mean) || !(s->std > 0) || !isfinite(s->std))
        return sj_fail(SJ_USAGE, "mel floor %g, mean %g, std %g", s->floor, s->mean, s->std);
    return SJ_OK;
}

int sj_mel_new(struct sjk *k, const struct sj_mel_settings *s, struct sj_mel **out)
{
    int status = check(s);
    if (status)
        return status;
    struct sj_mel *m = calloc(1, sizeof *m);
    if (!m)
        return sj_fail(SJ_SYSTEM, "no memory");
    m->k = k;
    m->s = *s;
    if (k->ops->mel)
        status = sj_spectra_new(k, s, &m->spectra);
    else if (!(status = sj_mel_tables_new(s, &m->tables)) && !(status = sj_fft_new(s->fft_samples, BATCH, &m->fft)))
        status = (m->part = aligned_alloc(64, (size_t)s->bands * BATCH * sizeof *m->part))
                     ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    if (status)
        sj_mel_free(m);
    else
        *out = m;
    return status;
}

void sj_mel_free(struct sj_mel *m)
{
    if (!m)
        return;
    sj_fft_free(m->fft);
    free(m->edge);
    free(m->part);
    sj_mel_tables_free(&m->tables);
    sj_spectra_free(m->spectra);
    free(m);
}

/* -- computing ----------------------------------------------------------------------------------------------------- */
/* Frames t .. of wave, whose first frame starts at wave[0], into out (bands, stride) from its column 0. */
static int frames(struct sj_mel *m, int64_t T, const float *wave, float *out, int64_t stride)
{
    const struct sjk_ops *ops = m->k->ops;
    const struct sj_mel_settings *s = &m->s;
    int status = 0;
    for (int64_t t = 0; t < T && !status; t += BATCH) {
        int64_t now = T - t < BATCH ? T - t : BATCH;
        float *to = now == BATCH ? out + t : m->part;
        status = ops->frames(m->k, now, s->fft_samples, s->hop_samples, wave + t * s->hop_samples, m->tables.window,
                             sj_fft_in(m->fft));
        if (now < BATCH)
            memset(sj_fft_in(m->fft) + now * s->fft_samples, 0,
                   (size_t)((BATCH - now) * s->fft_samples) * sizeof(float));
        sj_fft_run(m->fft);
        if (!status)
            status = ops->log_mel(m->k, BATCH, sj_fft_out(m->fft), &m->tables.bank, (float)s->floor, (float)s->mean,
                                  (float)s->std, to, now == BATCH ? stride : BATCH);
        for (int64_t b = 0; b < s->bands && now < BATCH; b++)
            memcpy(out + b * stride + t, m->part + b * BATCH, (size_t)now * sizeof *out);
    }
    return status ? sj_fail(status, "%s", sjk_reason(m->k)) : SJ_OK;
}

/* In integers, so that it runs in vectors: the exponent of infinities and NaN is all ones. */
static int all_finite(int64_t n, const float *wave)
{
    const uint32_t exponent = 0x7f800000;
    uint32_t odd = 0, u;
    for (int64_t i = 0; i < n; i++) {
        memcpy(&u, wave + i, sizeof u);
        odd |= (u & exponent) == exponent;
    }
    return !odd;
}

static int start(const struct sj_mel *m, int64_t n, const float *wave, int64_t T, int64_t stride, float *out)
{
    if (stride < T)
        return sj_fail(SJ_USAGE, "%lld mel frames in rows of %lld", (long long)T, (long long)stride);
    if (!all_finite(n, wave))
        return sj_fail(SJ_INPUT, "the audio holds a value that is not finite");
    for (int64_t b = 0; b < m->s.bands; b++)
        memset(out + b * stride + T, 0, (size_t)(stride - T) * sizeof *out);
    return SJ_OK;
}

int64_t sj_mel_chunk_frames(const struct sj_mel *m, int64_t n)
{
    return n < m->s.fft_samples ? 0 : (n - m->s.fft_samples) / m->s.hop_samples + 1;
}

int sj_mel_chunk(struct sj_mel *m, int64_t n, const float *wave, float *out, int64_t stride)
{
    int64_t T = sj_mel_chunk_frames(m, n);
    int status = start(m, n, wave, T, stride, out);
    if (!status && m->spectra)
        return sj_spectra_host(m->spectra, n, wave, 0, T, out, stride);
    return status ? status : frames(m, T, wave, out, stride);
}

int64_t sj_mel_whole_frames(const struct sj_mel *m, int64_t n)
{
    return 1 + n / m->s.hop_samples;
}

/* wave[i], mirrored about its first and last sample. */
static float reflected(int64_t n, const float *wave, int64_t i)
{
    i = i < 0 ? -i : i;
    return wave[i < n ? i : 2 * (n - 1) - i];
}

/* Frames from .. to-1 of the whole wave, by way of a copy with its ends mirrored. */
static int edge_frames(struct sj_mel *m, int64_t n, const float *wave, int64_t from, int64_t to, float *out,
                       int64_t stride)
{
    int64_t first = from * m->s.hop_samples - m->s.fft_samples / 2;
    int64_t size = (to - from - 1) * m->s.hop_samples + m->s.fft_samples;
    if (to <= from)
        return SJ_OK;
    if (size > m->edge_size) {
        float *p = realloc(m->edge, (size_t)size * sizeof *p);
        if (!p)
            return sj_fail(SJ_SYSTEM, "no memory");
        m->edge = p;
        m->edge_size = size;
    }
    for (int64_t i = 0; i < size; i++)
        m->edge[i] = reflected(n, wave, first + i);
    return frames(m, to - from, m->edge, out + from, stride);
}

int sj_mel_whole(struct sj_mel *m, int64_t n, const float *wave, float *out, int64_t stride)
{
    int64_t T = sj_mel_whole_frames(m, n), half = m->s.fft_samples / 2, hop = m->s.hop_samples;
    if (n <= half)
        return sj_fail(SJ_INPUT, "%lld samples are too few to reflect %lld", (long long)n, (long long)half);
    int status = start(m, n, wave, T, stride, out);
    if (!status && m->spectra)
        return sj_spectra_host(m->spectra, n, wave, -half, T, out, stride);
    /* frames head .. tail-1 lie inside the wave; the few before and after need its mirrored ends */
    int64_t head = (half + hop - 1) / hop, tail = (n - half) / hop + 1;
    if (tail <= head)
        return status ? status : edge_frames(m, n, wave, 0, T, out, stride);
    if (!status)
        status = edge_frames(m, n, wave, 0, head, out, stride);
    if (!status)
        status = frames(m, tail - head, wave + head * hop - half, out + head, stride);
    return status ? status : edge_frames(m, n, wave, tail, T, out, stride);
}
