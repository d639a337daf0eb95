#include "shelf.h"

#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "h5.h"
#include "room.h"
#include "stream.h"

static const char kind[] = "sj-index/2", /* 2: frames are heard from the middle of overlapping windows */
                  former[] = "sj-index/1";

void sj_shelf_free(struct sj_shelf *s)
{
    for (int64_t i = 0; i < s->tracks; i++)
        free(s->track[i].path);
    for (int64_t i = 0; i < s->stems; i++)
        free(s->stem[i].name);
    for (int i = 0; i < s->classes && s->class_name; i++)
        free(s->class_name[i]);
    free(s->class_name);
    free(s->track);
    free(s->stem);
    free(s->vector);
    free(s->folder);
    free(s->root);
    free(s->model);
    *s = (struct sj_shelf){0};
}

int sj_shelf_add_track(struct sj_shelf *s, const char *path, const char *stamp)
{
    int status = sj_room(&s->track, sizeof *s->track, s->tracks, &s->track_room);
    if (status)
        return status;
    struct sj_shelf_track *t = &s->track[s->tracks];
    *t = (struct sj_shelf_track){.path = strdup(path), .first = s->stems};
    snprintf(t->stamp, sizeof t->stamp, "%s", stamp);
    if (!t->path)
        return sj_fail(SJ_SYSTEM, "no memory for an index");
    s->tracks++;
    return SJ_OK;
}

int sj_shelf_add_stem(struct sj_shelf *s, const struct sj_shelf_stem *stem, const float *vector)
{
    int status = sj_room(&s->stem, sizeof *s->stem, s->stems, &s->stem_room);
    if (!status)
        status = sj_room(&s->vector, (size_t)s->width * sizeof *s->vector, s->stems, &s->vector_room);
    if (status)
        return status;
    char *name = strdup(stem->name);
    if (!name)
        return sj_fail(SJ_SYSTEM, "no memory for an index");
    s->stem[s->stems] = *stem;
    s->stem[s->stems].name = name;
    s->stem[s->stems].track = s->tracks - 1;
    memcpy(s->vector + s->stems++ * s->width, vector, (size_t)s->width * sizeof *vector);
    s->track[s->tracks - 1].stems++;
    return SJ_OK;
}

void sj_shelf_normal(int64_t n, float *x)
{
    double mean = 0, square = 0;
    for (int64_t i = 0; i < n; i++)
        mean += x[i] / (double)n;
    for (int64_t i = 0; i < n; i++)
        square += (x[i] - mean) * (x[i] - mean);
    for (int64_t i = 0; i < n; i++)
        x[i] = square > 0 ? (float)((x[i] - mean) / sqrt(square)) : 0;
}

/* -- frames -------------------------------------------------------------------------------------------------------- */

void sj_shelf_pack(int64_t n, const float *frame, uint8_t *packed)
{
    float largest = 0;
    for (int64_t i = 0; i < n; i++)
        largest = fabsf(frame[i]) > largest ? fabsf(frame[i]) : largest;
    for (int64_t i = 0; i < n; i++)
        packed[i] = (uint8_t)(128 + lrintf(largest > 0 ? 127 * frame[i] / largest : 0));
}

void sj_shelf_frames_path(const struct sj_shelf *s, const struct sj_shelf_track *t, char *path, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (const char *p = t->path; *p; p++)
        h = (h ^ (unsigned char)*p) * 0x100000001b3u;
    for (const char *p = s->id; *p; p++)
        h = (h ^ (unsigned char)*p) * 0x100000001b3u;
    snprintf(path, size, "%s/frames/%016llx-%s", s->folder, (unsigned long long)h, t->stamp);
}

int sj_shelf_frames(const struct sj_shelf *s, const struct sj_shelf_stem *stem, float **frames)
{
    char path[PATH_MAX];
    const size_t n = (size_t)(stem->rows * s->width);
    sj_shelf_frames_path(s, &s->track[stem->track], path, sizeof path);
    uint8_t *packed = malloc(n + 1);
    float *f = malloc(n * sizeof *f + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC), status = SJ_OK;
    if (!packed || !f)
        status = sj_fail(SJ_SYSTEM, "no memory for frames");
    else if (fd < 0)
        status = sj_fail(SJ_INPUT, "'%s' is not there: sj index makes it anew", path);
    else if (pread(fd, packed, n, stem->row * s->width) != (ssize_t)n)
        status = sj_fail(SJ_INPUT, "'%s' is cut short: sj index makes it anew", path);
    for (size_t i = 0; i < n && !status; i++)
        f[i] = (float)packed[i] - 128;
    if (fd >= 0)
        close(fd);
    free(packed);
    if (status)
        free(f);
    else
        *frames = f;
    return status;
}

/* -- the file ------------------------------------------------------------------------------------------------------ */

/* The numbers of a stem, as columns of /stem/whole i64 and /stem/facts f64. */
enum { TRACK, CLASS, ROW, ROWS, KEY, WHOLE };
enum { SECONDS, PEAK, TEMPO, CONFIDENCE, FACTS };

static int write_stems(struct sj_h5 *h, const struct sj_shelf *s)
{
    const int64_t n = s->stems, whole_dims[] = {n, WHOLE}, fact_dims[] = {n, FACTS}, vector_dims[] = {n, s->width};
    const char **name = malloc((size_t)n * sizeof *name + 1);
    int64_t(*whole)[WHOLE] = malloc((size_t)n * sizeof *whole + 1);
    double(*fact)[FACTS] = malloc((size_t)n * sizeof *fact + 1);
    int status = name && whole && fact ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for an index");
    for (int64_t i = 0; i < n && !status; i++) {
        const struct sj_shelf_stem *x = &s->stem[i];
        name[i] = x->name;
        memcpy(whole[i], ((int64_t[WHOLE]){x->track, x->class, x->row, x->rows, x->facts.key}), sizeof *whole);
        memcpy(fact[i], ((double[FACTS]){x->facts.seconds, x->facts.peak, x->facts.tempo_bpm, x->facts.confidence}),
               sizeof *fact);
    }
    if (!status)
        status = sj_h5_write_text(h, "/stem/name", n, name);
    if (!status)
        status = sj_h5_write(h, "/stem/whole", SJ_H5_I64, 2, whole_dims, whole);
    if (!status)
        status = sj_h5_write(h, "/stem/facts", SJ_H5_F64, 2, fact_dims, fact);
    if (!status)
        status = sj_h5_write(h, "/stem/vector", SJ_H5_F32, 2, vector_dims, s->vector);
    free(name);
    free(whole);
    free(fact);
    return status;
}

static int write_tracks(struct sj_h5 *h, const struct sj_shelf *s)
{
    const char **path = malloc(2 * (size_t)s->tracks * sizeof *path + 1);
    if (!path)
        return sj_fail(SJ_SYSTEM, "no memory for an index");
    for (int64_t i = 0; i < s->tracks; i++) {
        path[i] = s->track[i].path;
        path[s->tracks + i] = s->track[i].stamp;
    }
    int status = sj_h5_write_text(h, "/track/path", s->tracks, path);
    if (!status)
        status = sj_h5_write_text(h, "/track/stamp", s->tracks, path + s->tracks);
    free(path);
    return status;
}

int sj_shelf_write(const struct sj_shelf *s)
{
    char path[PATH_MAX];
    struct sj_h5 *h;
    snprintf(path, sizeof path, "%s/index.h5", s->folder);
    int status = sj_h5_create(path, &h);
    if (status)
        return status;
    status = sj_h5_set_text(h, "/", "kind", kind);
    if (!status)
        status = sj_h5_set_text(h, "/", "root", s->root);
    if (!status)
        status = sj_h5_set_text(h, "/", "model", s->model);
    if (!status)
        status = sj_h5_set_text(h, "/", "id", s->id);
    if (!status)
        status = sj_h5_set_int(h, "/", "width", s->width);
    if (!status)
        status = sj_h5_write_text(h, "/classes", s->classes, (const char *const *)s->class_name);
    if (!status)
        status = write_tracks(h, s);
    if (!status)
        status = write_stems(h, s);
    if (!status)
        return sj_h5_commit(h);
    sj_h5_close(h);
    return status;
}

/* -- reading ------------------------------------------------------------------------------------------------------- */

static int read_classes(struct sj_h5 *h, struct sj_shelf *s)
{
    int64_t n;
    char **name;
    int status = sj_h5_read_text(h, "/classes", &n, &name);
    if (status)
        return status;
    s->class_name = calloc((size_t)n + 1, sizeof *s->class_name);
    s->classes = s->class_name ? (int)n : 0;
    for (int i = 0; i < s->classes; i++)
        s->class_name[i] = strdup(name[i]);
    free(name);
    return s->class_name ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for an index");
}

static int spoilt(struct sj_h5 *h)
{
    return sj_fail(SJ_INPUT, "'%s' is damaged: remove it, and sj index makes it anew", sj_h5_path(h));
}

/* The stems, track by track as they were added. */
static int put_together(struct sj_h5 *h, struct sj_shelf *s, int64_t tracks, char **path, char **stamp, int64_t n,
                        char **name, int64_t (*whole)[WHOLE], double (*fact)[FACTS], const float *vector)
{
    int64_t at = 0;
    int status = SJ_OK;
    for (int64_t t = 0; t < tracks && !status; t++) {
        status = strlen(stamp[t]) == SJ_SHELF_STAMP - 1 ? sj_shelf_add_track(s, path[t], stamp[t]) : spoilt(h);
        for (; at < n && whole[at][TRACK] == t && !status; at++) {
            const int64_t *w = whole[at];
            struct sj_shelf_stem x = {.name = name[at], .class = (int)w[CLASS], .row = w[ROW], .rows = w[ROWS]};
            x.facts = (struct sj_facts){fact[at][SECONDS], fact[at][PEAK], fact[at][TEMPO], (int)w[KEY],
                                        fact[at][CONFIDENCE]};
            if ((w[CLASS] != SJ_CLASS_NONE && (w[CLASS] < 0 || w[CLASS] >= s->classes)) || w[ROW] < 0 || w[ROWS] < 1 ||
                w[ROW] > 1 << 30 || w[ROWS] > 1 << 30 || w[KEY] < -1 || w[KEY] > 23)
                status = spoilt(h);
            else
                status = sj_shelf_add_stem(s, &x, vector + at * s->width);
        }
    }
    return status || at == n ? status : spoilt(h);
}

static int read_stems(struct sj_h5 *h, struct sj_shelf *s)
{
    int64_t tracks = 0, stamps = 0, n = 0;
    char **path = NULL, **stamp = NULL, **name = NULL;
    int status = sj_h5_read_text(h, "/track/path", &tracks, &path);
    if (!status)
        status = sj_h5_read_text(h, "/track/stamp", &stamps, &stamp);
    if (!status)
        status = sj_h5_read_text(h, "/stem/name", &n, &name);
    if (!status && stamps != tracks)
        status = spoilt(h);
    int64_t(*whole)[WHOLE] = malloc((size_t)n * sizeof *whole + 1);
    double(*fact)[FACTS] = malloc((size_t)n * sizeof *fact + 1);
    float *vector = malloc((size_t)(n * s->width) * sizeof *vector + 1);
    if (!status && (!whole || !fact || !vector))
        status = sj_fail(SJ_SYSTEM, "no memory for an index of %lld stems", (long long)n);
    if (!status)
        status = sj_h5_read(h, "/stem/whole", SJ_H5_I64, n * WHOLE, whole);
    if (!status)
        status = sj_h5_read(h, "/stem/facts", SJ_H5_F64, n * FACTS, fact);
    if (!status)
        status = sj_h5_read(h, "/stem/vector", SJ_H5_F32, n * s->width, vector);
    if (!status)
        status = put_together(h, s, tracks, path, stamp, n, name, whole, fact, vector);
    free(path);
    free(stamp);
    free(name);
    free(whole);
    free(fact);
    free(vector);
    return status;
}

/* Moved with its folder, an index is that of the folder it is in now. */
static int settle_root(struct sj_shelf *s)
{
    const size_t n = strlen(s->folder);
    if (n < 4 || strcmp(s->folder + n - 4, "/.sj"))
        return SJ_OK;
    free(s->root);
    s->root = strndup(s->folder, n > 4 ? n - 4 : 1);
    return s->root ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for an index");
}

static int read_head(struct sj_h5 *h, struct sj_shelf *s)
{
    char *text = NULL;
    int status = sj_h5_get_text(h, "/", "kind", &text);
    if (!status && !strcmp(text, former))
        status = sj_fail(SJ_INPUT, "'%s' was made by an older version: removing it and sj index make it anew", sj_h5_path(h));
    else if (status || strcmp(text, kind))
        status = sj_fail(SJ_INPUT, "'%s' is no index", sj_h5_path(h));
    free(text);
    text = NULL;
    if (!status)
        status = sj_h5_get_text(h, "/", "root", &s->root);
    if (!status)
        status = sj_h5_get_text(h, "/", "model", &s->model);
    if (!status)
        status = sj_h5_get_text(h, "/", "id", &text);
    if (!status)
        snprintf(s->id, sizeof s->id, "%s", text);
    free(text);
    if (!status)
        status = sj_h5_get_int(h, "/", "width", &s->width);
    if (!status && (s->width < 1 || s->width > 1 << 20))
        status = spoilt(h);
    return status ? status : settle_root(s);
}

int sj_shelf_read(const char *folder, struct sj_shelf *s, int *found)
{
    char path[PATH_MAX];
    struct sj_h5 *h;
    *s = (struct sj_shelf){.folder = realpath(folder, NULL)};
    snprintf(path, sizeof path, "%s/index.h5", folder);
    *found = s->folder && !access(path, F_OK);
    if (!*found)
        return SJ_OK;
    int status = sj_h5_open(path, &h);
    if (status)
        return status;
    status = read_head(h, s);
    if (!status)
        status = read_classes(h, s);
    if (!status)
        status = read_stems(h, s);
    sj_h5_close(h);
    return status;
}
