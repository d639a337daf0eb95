/* sj-mel: log-mel spectrograms.   wave/1 -> sj-mel -> mel/1, or embed/1 (--pool), or a line of statistics */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lanes.h"
#include "mel.h"
#include "output.h"
#include "sjk.h"
#include "statistics.h"
#include "tool.h"

enum { PATCH = 16 }; /* frames are padded to whole patches of the encoder (SPEC 7) */

static double mean = NAN, std = NAN; /* not given, until check */
static int stats;
enum { POOL_NONE, POOL_STATISTICS };
static const char *const pool_names[] = {"none", "statistics", NULL};
static int pool = POOL_NONE;

static const struct sj_option options[] = {
    {SJ_REAL, 0, "mean", &mean, 0, "X", "subtract X from the natural logarithm of the power", -1e6, 1e6, NULL,
     "-9.453", 1, NULL},
    {SJ_REAL, 0, "std", &std, 0, "X", "then divide by X", 1e-6, 1e6, NULL, "3.569", 1, NULL},
    {SJ_FLAG, 0, "stats", &stats, 0, NULL, "print mean and std of all values before normalisation, write no stream", 0,
     0, NULL, NULL, 0, NULL},
    {SJ_CHOICE, 0, "pool", &pool, 0, "HOW", "none: spectrograms; statistics: one vector of each track", 0, 0,
     pool_names, NULL, 1, NULL},
    {.type = SJ_OPTION_NONE},
};

/* One record on its way: its wave in, its spectrogram out. Buffers grow to the largest record. */
struct slot {
    struct sj_record record; /* of the input; then, with dims and data changed, of the output */
    char key[SJ_KEY_BYTES + 1];
    const char *input;       /* that it came from */
    float *wave, *mel;
    size_t wave_room, mel_room;
    int status;
    char reason[256];
    struct sj_moments *moments; /* (bands), with --stats or --pool */
};

/* Records are computed side by side and written in their order. */
struct state {
    int threads, room;
    struct slot *slot;  /* (room) */
    struct sjk **k;     /* one per thread, as struct sj_mel */
    struct sj_mel **mel;
    struct sj_lanes *lanes;
    enum sj_dtype dtype; /* of the input */
    struct sj_moments all;
    struct sj_statistics *statistics; /* with --pool */
};

static int grow(float **p, size_t *room, size_t count)
{
    if (count <= *room)
        return SJ_OK;
    free(*p);
    *p = aligned_alloc(64, (count * sizeof **p + 63) / 64 * 64);
    *room = *p ? count : 0;
    return *p ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for %zu values", count);
}

static int is_finite(int64_t n, const float *x)
{
    float sum = 0; /* 0 * x is 0 or NaN */
    for (int64_t i = 0; i < n; i++)
        sum += 0 * x[i];
    return sum == 0;
}

/* wave (..., n) -> mel (..., bands, stride). */
static int compute(struct sj_mel *mel, struct slot *slot)
{
    struct sj_record *r = &slot->record;
    const int64_t bands = sj_mel_defaults().bands, n = r->dims[r->rank - 1];
    int64_t waves = 1, T = sj_mel_chunk_frames(mel, n), stride = (T + PATCH - 1) / PATCH * PATCH;
    for (int i = 0; i < r->rank - 1; i++)
        waves *= r->dims[i];
    if (T < 1 || waves < 1)
        return sj_fail(SJ_INPUT, "%lld samples are less than one window", (long long)n);
    int status = grow(&slot->mel, &slot->mel_room, (size_t)(waves * bands * stride));
    if (slot->moments)
        memset(slot->moments, 0, (size_t)bands * sizeof *slot->moments);
    for (int64_t i = 0; i < waves && !status; i++) {
        float *out = slot->mel + i * bands * stride;
        status = sj_mel_chunk(mel, n, slot->wave + i * n, out, stride);
        if (!status && !is_finite(bands * stride, out))
            return sj_fail(SJ_INPUT, "its spectrogram has values that are not finite: samples are too large");
        if (!status && slot->moments)
            sj_moments_rows(bands, T, stride, out, slot->moments);
    }
    r->dims[r->rank - 1] = bands;
    r->dims[r->rank++] = stride;
    r->data = slot->mel;
    r->bytes = (size_t)(waves * bands * stride) * sizeof *slot->mel;
    return status;
}

static void work(void *arg, int i, int lane)
{
    struct state *s = arg;
    struct slot *slot = &s->slot[i];
    slot->status = compute(s->mel[lane], slot);
    if (slot->status)
        snprintf(slot->reason, sizeof slot->reason, "%s", sj_reason()); /* reasons are per thread */
}

/* Writes the oldest record at work. */
static int take(struct sj_run *run, struct state *s)
{
    const struct slot *slot = &s->slot[sj_lanes_take(s->lanes)];
    if (slot->status)
        return sj_fail(slot->status, "'%s': '%s': %s", slot->input, slot->key, slot->reason);
    for (int64_t b = 0; stats && b < sj_mel_defaults().bands; b++)
        sj_moments_add(&s->all, &slot->moments[b]);
    if (s->statistics) {
        int status = sj_statistics_put(s->statistics, &slot->record, slot->moments, run->out);
        return status ? sj_fail_at(status, "'%s'", slot->input) : SJ_OK;
    }
    return run->out ? sj_output_put(run->out, &slot->record) : SJ_OK;
}

static int make_lanes(const struct sj_run *run, struct state *s)
{
    struct sj_mel_settings settings = sj_mel_defaults();
    settings.mean = stats ? 0 : mean;
    settings.std = stats ? 1 : std;
    /* processors transform faster than a pipe carries: a device is used when it is asked for */
    const char *backend = strcmp(run->backend, "auto") ? run->backend : "cpu";
    s->room = 2 * run->threads;
    s->slot = calloc((size_t)s->room, sizeof *s->slot);
    s->k = calloc((size_t)run->threads, sizeof *s->k);
    s->mel = calloc((size_t)run->threads, sizeof(struct sj_mel *));
    if (!s->slot || !s->k || !s->mel)
        return sj_fail(SJ_SYSTEM, "no memory");
    for (int i = 0; i < s->room && (stats || pool); i++)
        if (!(s->slot[i].moments = calloc((size_t)settings.bands, sizeof *s->slot[i].moments)))
            return sj_fail(SJ_SYSTEM, "no memory");
    do {
        char why[512];
        int i = s->threads++, status = sjk_open(backend, 1, &s->k[i], why, sizeof why);
        if (status)
            return sj_fail(status, "%s", why);
        if ((status = sj_mel_new(s->k[i], &settings, &s->mel[i])))
            return status;
    } while (s->threads < run->threads && !s->k[0]->ops->on_device); /* one lane where the back end is parallel itself */
    return sj_lanes_new(s->threads, s->threads > 1 ? s->room : 1, work, s, &s->lanes);
}

static int check(struct sj_run *run)
{
    const struct sj_mel_settings settings = sj_mel_defaults();
    if (stats && !(isnan(mean) && isnan(std)))
        return sj_fail(SJ_USAGE, "--mean and --std do nothing with --stats, which measures before them");
    if (stats && pool)
        return sj_fail(SJ_USAGE, "--stats writes no stream, so --pool does nothing with it");
    mean = isnan(mean) ? settings.mean : mean;
    std = isnan(std) ? settings.std : std;
    run->no_stream = stats;
    return run->json && !stats ? sj_fail(SJ_USAGE, "--json is for --stats") : SJ_OK;
}

/* Vectors are compared where their model_id is the same, and so where the normalisation is. */
static int begin_pool(const struct sj_run *run, const struct sj_head *in, struct sj_head *out, struct state *s)
{
    char id[96];
    if (in->rank != 1)
        return sj_fail(SJ_INPUT, "'%s' holds training pairs where the chunks of tracks are wanted", run->in_name);
    snprintf(id, sizeof id, "statistics, mean %.9g, std %.9g", mean, std);
    sj_head_kind(out, "embed/1", "vector", SJ_F32);
    int status = sj_json_set(out->params, "model_id", sj_json_string(id));
    if (!status)
        status = sj_json_set(out->params, "pool", sj_json_string(pool_names[pool]));
    return status ? status : sj_statistics_new(sj_mel_defaults().bands, &s->statistics);
}

static int begin(struct sj_run *run, const struct sj_head *in, struct sj_head *out)
{
    struct sj_mel_settings settings = sj_mel_defaults();
    double rate;
    char dims[(SJ_RANK + 1) * sizeof in->dim[0]] = "";
    int status = sj_head_real(in, "sample_rate_hz", &rate);
    if (status)
        return sj_fail_at(status, "'%s'", run->in_name);
    if (rate != settings.sample_rate_hz)
        return sj_fail(SJ_INPUT, "'%s' has %g Hz where %g Hz are wanted", run->in_name, rate, settings.sample_rate_hz);
    if (in->rank < 1 || in->rank >= SJ_RANK || strcmp(in->dim[in->rank - 1], "sample"))
        return sj_fail(SJ_INPUT, "'%s' has records whose last dimension is not 'sample'", run->in_name);
    for (int i = 0; i < in->rank - 1; i++)
        snprintf(dims + strlen(dims), sizeof dims - strlen(dims), "%s,", in->dim[i]);
    snprintf(dims + strlen(dims), sizeof dims - strlen(dims), "mel,frame");
    struct state *s = run->state = calloc(1, sizeof *s);
    if (!s)
        return sj_fail(SJ_SYSTEM, "no memory");
    s->dtype = in->dtype;
    settings.mean = mean;
    settings.std = std;
    if (out)
        sj_mel_to_params(&settings, out->params);
    if (out && !pool)
        sj_head_kind(out, "mel/1", dims, SJ_F32);
    if (out && pool && (status = begin_pool(run, in, out, s)))
        return status;
    return make_lanes(run, s);
}

static int record(struct sj_run *run, const struct sj_record *r)
{
    struct state *s = run->state;
    size_t count = r->bytes / sj_dtype_size(s->dtype);
    int status = SJ_OK;
    while (!status && (sj_lanes_full(s->lanes) || sj_lanes_ready(s->lanes)))
        status = take(run, s);
    struct slot *slot = &s->slot[sj_lanes_free_slot(s->lanes)];
    if (!status)
        status = grow(&slot->wave, &slot->wave_room, count);
    if (status)
        return status;
    sj_dtype_to_f32(s->dtype, count, r->data, slot->wave);
    slot->record = *r;
    slot->input = run->in_name;
    snprintf(slot->key, sizeof slot->key, "%s", r->key);
    slot->record.key = slot->key;
    sj_lanes_start(s->lanes);
    return s->threads > 1 ? SJ_OK : take(run, s); /* one thread holds nothing back */
}

static int report(struct sj_run *run, const struct state *s)
{
    struct sj_report *r;
    double frames = s->all.n / (double)sj_mel_defaults().bands, deviation = sqrt(s->all.deviation / s->all.n);
    if (s->all.n <= 0)
        return sj_fail(SJ_INPUT, "'%s' has no records to measure", run->in_name);
    int status = sj_report_open(run, &r);
    if (status)
        return status;
    if (run->json) {
        sj_json *line = sj_json_object();
        sj_json_set(line, "mean", sj_json_real(s->all.mean));
        sj_json_set(line, "std", sj_json_real(deviation));
        sj_json_set(line, "frames", sj_json_int((int64_t)frames));
        status = sj_json_line(sj_report_file(r), line);
        sj_json_free(line);
    } else {
        fprintf(sj_report_file(r), "mean\tstd\tframes\n%.6f\t%.6f\t%.0f\n", s->all.mean, deviation, frames);
    }
    return sj_report_close(r, status);
}

static int end(struct sj_run *run)
{
    struct state *s = run->state;
    int status = SJ_OK;
    while (!status && sj_lanes_running(s->lanes))
        status = take(run, s);
    if (!status && s->statistics && (status = sj_statistics_end(s->statistics)))
        return sj_fail_at(status, "'%s'", run->in_name);
    return status || !stats ? status : report(run, s);
}

static void cleanup(struct sj_run *run)
{
    struct state *s = run->state;
    if (!s)
        return;
    sj_lanes_free(s->lanes);
    for (int i = 0; i < s->threads; i++) {
        if (s->mel)
            sj_mel_free(s->mel[i]);
        if (s->k)
            sjk_close(s->k[i]);
    }
    for (int i = 0; i < s->room && s->slot; i++) {
        free(s->slot[i].wave);
        free(s->slot[i].mel);
        free(s->slot[i].moments);
    }
    sj_statistics_free(s->statistics);
    free(s->mel);
    free(s->k);
    free(s->slot);
    free(s);
}

static const struct sj_tool tool = {
    .name = "sj-mel",
    .summary = "log-mel spectrograms of audio chunks",
    .operands = "[FILE...]",
    .details = "Reads wave/1 streams (16 kHz) from the FILEs, or standard input, and writes one mel/1 stream: 80 bands\n"
               "of 50-8000 Hz, a frame every 10 ms, padded with zeros after normalisation to a multiple of 16 frames.\n"
               "With --pool statistics: of each track the mean of each band over time, then the deviation of each, embed/1.",
    .options = options,
    .common = SJ_TAKES_OUTPUT | SJ_TAKES_THREADS | SJ_TAKES_BACKEND | SJ_TAKES_JSON,
    .max_operands = -1,
    .kind = "wave/1",
    .check = check,
    .begin = begin,
    .record = record,
    .end = end,
    .cleanup = cleanup,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
