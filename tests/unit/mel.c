/* Log-mel spectrograms: against a plain double-precision computation, and the golden file where it is at hand. */
#include "mel.h"

#include <stdlib.h>

#include "h5.h"
#include "rng.h"
#include "sjk.h"
#include "tests/tap.h"

static const double pi = 3.141592653589793;

/* The definition (SPEC 2), one frame whose first sample is x[0], in double precision. */
static void slow_frame(const struct sj_mel_settings *s, const double *filters, const double *x, double *band)
{
    int64_t n = s->fft_samples, bins = n / 2 + 1;
    memset(band, 0, (size_t)s->bands * sizeof *band);
    for (int64_t k = 0; k < bins; k++) {
        double re = 0, im = 0;
        for (int64_t i = 0; i < n; i++) {
            double v = x[i] * (0.5 - 0.5 * cos(2 * pi * (double)i / (double)n)),
                   a = 2 * pi * (double)(k * i % n) / (double)n;
            re += v * cos(a);
            im -= v * sin(a);
        }
        for (int64_t m = 0; m < s->bands; m++)
            band[m] += filters[m * bins + k] * (re * re + im * im);
    }
    for (int64_t m = 0; m < s->bands; m++)
        band[m] = (log(band[m] + s->floor) - s->mean) / s->std;
}

/* Largest difference of column t of got (bands, stride) from the frame that starts at sample `from` of wave, mirrored
 * at its ends. */
static double frame_error(const struct sj_mel_settings *s, const double *filters, int64_t n, const float *wave,
                          int64_t from, const float *got, int64_t stride, int64_t t)
{
    double x[1024], want[1024], worst = 0;
    for (int64_t i = 0; i < s->fft_samples; i++) {
        int64_t at = from + i < 0 ? -(from + i) : from + i;
        x[i] = wave[at < n ? at : 2 * (n - 1) - at];
    }
    slow_frame(s, filters, x, want);
    for (int64_t m = 0; m < s->bands; m++)
        worst = fmax(worst, fabs(got[m * stride + t] - want[m]));
    return worst;
}

static struct sjk *open_back_end(const char *name)
{
    struct sjk *k = NULL;
    char why[512];
    return sjk_open(name, 1, &k, why, sizeof why) ? NULL : k;
}

static float *make_wave(int64_t n, float level, int kind)
{
    float *x = malloc((size_t)n * sizeof *x);
    struct sj_rng r = sj_rng(5, (uint64_t)kind);
    sj_rng_normal(&r, x, (uint64_t)n);
    for (int64_t i = 0; i < n; i++)
        x[i] = kind == 0 ? level * x[i] : i < n / 2 ? 0 : level * (float)sin(2 * pi * 440 * (double)i / 16000);
    return x;
}

static void chunks_and_wholes(struct sjk *k, const char *name, const struct sj_mel_settings *s, int64_t n, float level,
                              int kind)
{
    struct sj_mel *m = NULL;
    int64_t bins = s->fft_samples / 2 + 1;
    double *filters = malloc((size_t)(s->bands * bins) * sizeof *filters), whole = 0, chunk = 0, pad = 0;
    float *wave = make_wave(n, level, kind);
    int status = sj_mel_new(k, s, &m);
    if (!ok(!status, "%s: %lld samples: settings accepted %s", name, (long long)n, status ? sj_reason() : ""))
        return;
    sj_mel_filters(s, filters);
    int64_t T = sj_mel_whole_frames(m, n), C = sj_mel_chunk_frames(m, n), stride = T + 5;
    float *out = malloc((size_t)(s->bands * stride) * sizeof *out);
    status = sj_mel_whole(m, n, wave, out, stride);
    for (int64_t t = 0; t < T; t += T > 200 ? 7 : 1)
        whole = fmax(whole, frame_error(s, filters, n, wave, t * s->hop_samples - s->fft_samples / 2, out, stride, t));
    for (int64_t b = 0; b < s->bands; b++)
        for (int64_t t = T; t < stride; t++)
            pad = fmax(pad, fabsf(out[b * stride + t]));
    ok(!status && whole <= 1e-4, "%s: %lld samples, level %g, kind %d: whole wave, error %.2g", name, (long long)n,
       level, kind, whole);
    ok(pad == 0, "%s: columns past the last frame are 0", name);
    status = sj_mel_chunk(m, n, wave, out, stride);
    for (int64_t t = 0; t < C; t += C > 200 ? 7 : 1)
        chunk = fmax(chunk, frame_error(s, filters, n, wave, t * s->hop_samples, out, stride, t));
    ok(!status && chunk <= 1e-4, "%s: as a chunk of %lld frames, error %.2g", name, (long long)C, chunk);
    sj_mel_free(m);
    free(out);
    free(wave);
    free(filters);
}

/* A track cut into chunks that bring 200 samples on either side gives the frames of the whole track. */
static void halo(struct sjk *k)
{
    struct sj_mel_settings s = sj_mel_defaults();
    struct sj_mel *m = NULL;
    enum { N = 160 * 100, AT = 37 };
    float *wave = make_wave(N, 0.1f, 0), whole[80 * 101], part[80 * 16];
    int same = !sj_mel_new(k, &s, &m) && !sj_mel_whole(m, N, wave, whole, 101)
               && sj_mel_chunk_frames(m, 15 * 160 + 400) == 16
               && !sj_mel_chunk(m, 15 * 160 + 400, wave + AT * 160 - 200, part, 16);
    double worst = 0;
    for (int b = 0; b < 80; b++)
        for (int t = 0; t < 16; t++)
            worst = fmax(worst, fabsf(part[b * 16 + t] - whole[b * 101 + AT + t]));
    ok(same && worst <= 1e-6, "a chunk with its halo equals the whole track there: %.2g", worst);
    sj_mel_free(m);
    free(wave);
}

static void refusals(struct sjk *k)
{
    struct sj_mel_settings s = sj_mel_defaults();
    struct sj_mel *m = NULL;
    float wave[800] = {0}, out[80 * 8];
    s.fft_samples = 401;
    is_int(sj_mel_new(k, &s, &m), SJ_USAGE, "an odd transform is refused");
    s = sj_mel_defaults();
    s.high_hz = 8001;
    is_int(sj_mel_new(k, &s, &m), SJ_USAGE, "bands above half the rate are refused");
    s = sj_mel_defaults();
    s.std = 0;
    is_int(sj_mel_new(k, &s, &m), SJ_USAGE, "a standard deviation of 0 is refused");
    s = sj_mel_defaults();
    if (sj_mel_new(k, &s, &m)) {
        ok(0, "defaults are accepted");
        return;
    }
    is_int(sj_mel_chunk_frames(m, 399), 0, "399 samples are no frame");
    is_int(sj_mel_chunk_frames(m, 400), 1, "400 samples are one");
    is_int(sj_mel_whole(m, 200, wave, out, 8), SJ_INPUT, "200 samples cannot be reflected");
    is_int(sj_mel_whole(m, 201, wave, out, 8), SJ_OK, "201 can");
    is_int(sj_mel_chunk(m, 800, wave, out, 2), SJ_USAGE, "too short rows are refused");
    wave[799] = NAN;
    is_int(sj_mel_chunk(m, 800, wave, out, 8), SJ_INPUT, "NaN is refused, even behind the last frame");
    wave[799] = -INFINITY;
    is_int(sj_mel_whole(m, 800, wave, out, 8), SJ_INPUT, "infinity is refused");
    sj_mel_free(m);
}

static void parameters(void)
{
    struct sj_mel_settings s = sj_mel_defaults(), back = {0};
    s.mean = -1.25;
    s.hop_samples = 80;
    sj_json *params = sj_json_object(), *none = sj_json_object();
    sj_mel_to_params(&s, params);
    ok(!sj_mel_from_params(params, &back) && back.mean == s.mean && back.hop_samples == 80 && back.floor == s.floor
           && back.std == s.std && back.bands == 80 && back.fft_samples == 400,
       "settings survive as parameters");
    is_int(sj_mel_from_params(none, &back), SJ_INPUT, "missing parameters are refused");
    sj_json_free(params);
    sj_json_free(none);
}

static void golden_case(struct sjk *k, struct sj_h5 *h, const char *name)
{
    char path[128];
    enum sj_h5_type type;
    int rank;
    int64_t w[SJ_H5_RANK], e[SJ_H5_RANK];
    struct sj_mel_settings s = sj_mel_defaults();
    struct sj_mel *m = NULL;
    double worst = 0;
    snprintf(path, sizeof path, "/mel/%s/wave", name);
    int status = sj_h5_shape(h, path, &type, &rank, w);
    float *wave = status ? NULL : malloc((size_t)(w[0] * w[1]) * sizeof *wave);
    status = status ? status : sj_h5_read(h, path, SJ_H5_F32, w[0] * w[1], wave);
    snprintf(path, sizeof path, "/mel/%s/expected", name);
    status = status ? status : sj_h5_shape(h, path, &type, &rank, e);
    if (!ok(!status && rank == 3 && e[1] == 80, "golden %s is readable", name))
        return;
    float *want = malloc((size_t)(e[0] * e[1] * e[2]) * sizeof *want),
          *got = malloc((size_t)(e[1] * e[2]) * sizeof *got);
    status = sj_h5_read(h, path, SJ_H5_F32, e[0] * e[1] * e[2], want);
    status = status ? status : sj_mel_new(k, &s, &m);
    for (int64_t i = 0; i < e[0] && !status; i++) {
        status = sj_mel_whole_frames(m, w[1]) == e[2] ? sj_mel_whole(m, w[1], wave + i * w[1], got, e[2]) : SJ_INPUT;
        for (int64_t j = 0; j < e[1] * e[2] && !status; j++)
            worst = fmax(worst, fabs(got[j] - want[i * e[1] * e[2] + j]));
    }
    ok(!status && worst <= 1e-4, "golden %s with %s: error %.2g", name, k->ops->name, worst);
    sj_mel_free(m);
    free(got);
    free(want);
    free(wave);
}

static void golden(struct sjk *k)
{
    static const char *const cases[] = {"noise", "tone_after_silence", "quiet", "odd_length", "crop_8s"};
    const char *shared = getenv("SJ_SHARED");
    char path[1024];
    struct sj_h5 *h = NULL;
    snprintf(path, sizeof path, "%s/golden/small.h5", shared ? shared : "../shared");
    if (sj_h5_open(path, &h)) {
        skip("golden spectrograms", "no shared golden file");
        return;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        golden_case(k, h, cases[i]);
    sj_h5_close(h);
}

int main(void)
{
    struct sj_mel_settings s = sj_mel_defaults();
    struct sj_mel_settings odd = {.sample_rate_hz = 8000, .fft_samples = 250, .hop_samples = 77, .bands = 23,
                                  .low_hz = 0, .high_hz = 4000, .floor = 1e-6, .mean = 1, .std = 2};
    int n;
    const struct sjk_ops *const *table = sjk_cpu_tables(&n);
    for (int i = 0; i < n; i++) {
        char name[64];
        snprintf(name, sizeof name, "cpu:%s", table[i]->name);
        struct sjk *k = open_back_end(name);
        if (!ok(k != NULL, "%s opens", name))
            continue;
        chunks_and_wholes(k, name, &s, 16000, 0.1f, 0);
        chunks_and_wholes(k, name, &s, 16000, 0.5f, 1);
        chunks_and_wholes(k, name, &s, 16000, 1e-6f, 0);
        chunks_and_wholes(k, name, &s, 16000, 1, 1);
        chunks_and_wholes(k, name, &s, 433, 0.1f, 0);
        chunks_and_wholes(k, name, &odd, 5000, 0.1f, 0);
        halo(k);
        golden(k);
        sjk_close(k);
    }
    struct sjk *k = open_back_end("cpu");
    refusals(k);
    parameters();
    sjk_close(k);
    return done();
}
