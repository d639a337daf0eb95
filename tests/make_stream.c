/* make_stream: a small stream of the kind asked for, to standard output, for the tests of the tools.
 *   make_stream wave|rest|pair|mel|melpair|track|mixes|frame|predicted|token [N [DTYPE [VALUE]]]
 * N songs (2) of a bass and a drums record each; rest is wave and mixes is track with the role rest. VALUE: also a last record whose
 * values are all VALUE ("nan"). Sample i of track k of a wave is (i % 1000 - 500 + k) / 32768, so that chunks can be
 * told from each other. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"
#include "stream.h"

enum { HOP = 160, WINDOW = 400, HALO = 200, CHUNK = 800, SHORT = 48, SAMPLES = 8 * 16000 + 8 * HOP };

static const struct {
    const char *name, *kind, *dims;
    int rank;
    int64_t shape[SJ_RANK];
} forms[] = {
    {"wave", "wave/1", "sample", 1, {0}},
    {"pair", "wave/1", "pair,sample", 2, {2, (CHUNK - 1) * HOP + WINDOW}},
    {"mel", "mel/1", "mel,frame", 2, {80, SHORT}},
    {"melpair", "mel/1", "pair,mel,frame", 3, {2, 80, SHORT}},
    {"track", "embed/1", "vector", 1, {80}},
    {"mixes", "embed/1", "vector", 1, {80}},
    {"frame", "embed/1", "time,vector", 2, {6, 80}},
    {"predicted", "embed/1", "time,vector", 2, {6, 80}},
    {"token", "embed/1", "frequency,time,dim", 3, {5, 6, 16}},
    {"rest", "wave/1", "sample", 1, {0}},
};
enum { FORMS = sizeof forms / sizeof *forms };

static int add_params(struct sj_head *head)
{
    static const struct { const char *name; double value; } mel[] = {
        {"mel_sample_rate_hz", 16000}, {"mel_floor", 0x1p-23}, {"mel_mean", -9.453}, {"mel_std", 3.569},
             {"mel_low_hz", 50},
        {"mel_high_hz", 8000}};
    static const struct { const char *name; int value; } whole[] = {
        {"sample_rate_hz", 16000}, {"hop_samples", HOP}, {"window_samples", WINDOW}, {"halo_samples", HALO},
        {"mel_fft_samples", WINDOW}, {"mel_hop_samples", HOP}, {"mel_bands", 80}};
    int is_wave = !strcmp(head->kind, "wave/1"), status = SJ_OK;
    int64_t frames = !is_wave && !strcmp(head->dim[0], "pair") ? SHORT : CHUNK;
    for (size_t i = 0; i < sizeof whole / sizeof *whole - (is_wave ? 3 : 0) && !status; i++)
        status = sj_json_set(head->params, whole[i].name, sj_json_int(whole[i].value));
    for (size_t i = 0; i < sizeof mel / sizeof *mel && !is_wave && !status; i++)
        status = sj_json_set(head->params, mel[i].name, sj_json_real(mel[i].value));
    if (!strcmp(head->kind, "embed/1") && !status)
        status = sj_json_set(head->params, "model_id", sj_json_string("0123456789abcdef"));
    if (!strcmp(head->kind, "embed/1") && !status)
        status = sj_json_set(head->params, "frequencies", sj_json_int(5));
    return status ? status : sj_json_set(head->params, "chunk_frames", sj_json_int(frames));
}

static int put(struct sj_writer *w, struct sj_record *r, enum sj_dtype dtype, size_t count, const float *values,
               void *room)
{
    sj_dtype_from_f32(dtype, count, values, room);
    r->data = room;
    r->bytes = count * sj_dtype_size(dtype);
    return sj_writer_put(w, r);
}

/* The chunks of one track of SAMPLES samples. */
static int put_track(struct sj_writer *w, struct sj_record *r, enum sj_dtype dtype, int track, float *values,
                     void *room)
{
    const int64_t T = 1 + SAMPLES / HOP;
    int status = SJ_OK;
    for (int64_t first = 0; first < T && !status; first += CHUNK, r->part++) {
        int64_t frames = T - first < CHUNK ? T - first : CHUNK, n = (frames - 1) * HOP + WINDOW;
        for (int64_t i = 0; i < n; i++) {
            int64_t at = llabs(first * HOP - HALO + i);
            at = at < SAMPLES ? at : 2 * (SAMPLES - 1) - at;
            values[i] = (float)(at % 1000 - 500 + track) / 32768;
        }
        r->dims[0] = n;
        r->position = first;
        r->last = first + frames == T;
        status = put(w, r, dtype, (size_t)n, values, room);
    }
    return status;
}

static int write_stream(int form, int songs, enum sj_dtype dtype, const char *value, struct sj_writer *w)
{
    static const char *const names[] = {"bass", "drums"};
    const enum sj_role role = !strcmp(forms[form].name, "rest") || !strcmp(forms[form].name, "mixes") ? SJ_ROLE_REST
                              : !strcmp(forms[form].name, "predicted") ? SJ_ROLE_PREDICTION
                                                                       : SJ_ROLE_STEM;
    float *values = malloc(3 * SAMPLES * sizeof *values);
    void *room = malloc(3 * SAMPLES * sizeof *values);
    int status = values && room ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    for (int i = 0; i < 2 * songs + !!value && !status; i++) {
        struct sj_rng rng = sj_rng(1, (uint64_t)i);
        char key[32];
        struct sj_record r = {.key = key, .role = role, .class = i % 2, .last = 1, .rank = forms[form].rank};
        size_t count = 1;
        snprintf(key, sizeof key, "song%d/%s", i / 2, names[i % 2]);
        memcpy(r.dims, forms[form].shape, sizeof r.dims);
        for (int d = 0; d < r.rank; d++)
            count *= (size_t)r.dims[d];
        r.position = !strncmp(forms[form].dims, "pair", 4) ? i : 0;
        sj_rng_normal(&rng, values, count);
        for (size_t k = 0; k < count; k++)
            values[k] = i == 2 * songs ? strtof(value, NULL) : forms[form].rank == 2 && form < 2 ? 0.1f * values[k] :
                 values[k];
        if (forms[form].rank == 1 && !strcmp(forms[form].kind, "wave/1"))
            status = put_track(w, &r, dtype, i, values, room);
        else
            status = put(w, &r, dtype, count, values, room);
    }
    free(values);
    free(room);
    return status;
}

int main(int argc, char **argv)
{
    enum sj_dtype dtype = SJ_F32;
    struct sj_head *head = NULL;
    struct sj_writer *w = NULL;
    static const char *const classes[] = {"bass", "drums", "other", "vocals"};
    int form = 0, songs = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 2;
    while (form < FORMS && (argc < 2 || strcmp(forms[form].name, argv[1])))
        form++;
    if (form == FORMS || (argc > 3 && sj_dtype_parse(argv[3], &dtype)))
        return fputs("make_stream wave|rest|pair|mel|melpair|track|frame|predicted|token [SONGS [DTYPE [VALUE]]]\n", stderr),
               SJ_USAGE;
    int status = sj_head_new(forms[form].kind, forms[form].dims, dtype, &head);
    if (!status && !(status = sj_head_set_classes(head, 4, classes)) && !(status = add_params(head)))
        status = sj_writer_open(NULL, head, &w);
    if (!status)
        status = write_stream(form, songs, dtype, argc > 4 ? argv[4] : NULL, w);
    if (status)
        sj_writer_abort(w);
    else
        status = sj_writer_end(w);
    sj_head_free(head);
    if (status)
        fprintf(stderr, "make_stream: %s\n", sj_reason());
    return status;
}
