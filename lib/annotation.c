#include "annotation.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "err.h"
#include "json.h"
#include "whole.h"

enum { PATHS = 4096 };

static int put_key(FILE *f, void *arg)
{
    const struct sj_synth_piece *p = arg;
    fprintf(f, "0.000000\t%.6f\tKey\t%s\n", (double)p->samples / SJ_SYNTH_RATE, p->key);
    return SJ_OK;
}

static int put_chords(FILE *f, void *arg)
{
    const struct sj_synth_piece *p = arg;
    for (size_t i = 0; i < p->chord_count; i++)
        fprintf(f, "%.6f\t%.6f\t%s\n", p->chords[i].start_s, p->chords[i].end_s, p->chords[i].label);
    return SJ_OK;
}

static int put_beats(FILE *f, void *arg)
{
    const struct sj_synth_piece *p = arg;
    for (size_t i = 0; i < p->beat_count; i++)
        fprintf(f, "%.6f\t%d\n", p->beats[i].time_s, p->beats[i].in_bar);
    return SJ_OK;
}

static sj_json *chords_json(const struct sj_synth_piece *p)
{
    sj_json *all = sj_json_array();
    for (size_t i = 0; i < p->chord_count; i++) {
        sj_json *c = sj_json_object();
        sj_json_set(c, "start_s", sj_json_real(p->chords[i].start_s));
        sj_json_set(c, "end_s", sj_json_real(p->chords[i].end_s));
        sj_json_set(c, "label", sj_json_string(p->chords[i].label));
        sj_json_append(all, c);
    }
    return all;
}

static sj_json *beats_json(const struct sj_synth_piece *p)
{
    sj_json *all = sj_json_array();
    for (size_t i = 0; i < p->beat_count; i++) {
        sj_json *b = sj_json_object();
        sj_json_set(b, "time_s", sj_json_real(p->beats[i].time_s));
        sj_json_set(b, "in_bar", sj_json_int(p->beats[i].in_bar));
        sj_json_append(all, b);
    }
    return all;
}

static int put_json(FILE *f, void *arg)
{
    const struct sj_synth_piece *p = arg;
    sj_json *all = sj_json_object();
    sj_json_set(all, "seed", sj_json_int((int64_t)p->seed));
    sj_json_set(all, "number", sj_json_int((int64_t)p->number));
    sj_json_set(all, "seconds", sj_json_real((double)p->samples / SJ_SYNTH_RATE));
    sj_json_set(all, "style", sj_json_string(p->style));
    sj_json_set(all, "key", sj_json_string(p->key));
    sj_json_set(all, "mode", sj_json_string(p->mode));
    sj_json_set(all, "tempo_bpm", sj_json_real(p->tempo_bpm));
    sj_json_set(all, "swing", sj_json_real(p->swing));
    sj_json_set(all, "tuning_cents", sj_json_real(p->tuning_cents));
    sj_json_set(all, "chords", chords_json(p));
    sj_json_set(all, "beats", beats_json(p));
    int status = sj_json_line(f, all);
    sj_json_free(all);
    return status;
}

static const char *const complete = "annotation.json"; /* a folder that has it is complete */

static int file_path(const char *folder, const char *name, char path[PATHS])
{
    int n = snprintf(path, PATHS, "%s/%s", folder, name);
    return n < 0 || n >= PATHS ? sj_fail(SJ_USAGE, "'%s' is too long a path", folder) : SJ_OK;
}

static int write_file(const struct sj_synth_piece *p, const char *folder, const char *name,
                      int (*put)(FILE *, void *piece))
{
    char path[PATHS];
    int status = file_path(folder, name, path);
    return status ? status : sj_whole_write(path, put, (void *)(uintptr_t)p);
}

int sj_annotation_withdraw(const char *folder)
{
    char path[PATHS];
    int status = file_path(folder, complete, path);
    if (!status && unlink(path) && errno != ENOENT)
        status = sj_fail_errno("cannot replace '%s'", path);
    return status;
}

int sj_annotation_write(const struct sj_synth_piece *piece, const char *path)
{
    int status = write_file(piece, path, "key.lab", put_key);
    if (!status)
        status = write_file(piece, path, "chords.lab", put_chords);
    if (!status)
        status = write_file(piece, path, "beats.lab", put_beats);
    return status ? status : write_file(piece, path, complete, put_json);
}
