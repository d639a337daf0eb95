#include "dataset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataset_own.h"
#include "stream.h"

struct track {
    struct sj_dataset_track t;
    int64_t offset; /* of the audio in the file */
};

struct sj_dataset {
    char *path;
    int fd;
    int64_t bytes; /* of the file */
    int64_t classes;
    char **class;
    int64_t tracks, room;
    struct track *track;
};

void sj_dataset_member(char name[SJ_DATASET_NAME], int64_t t, const char *member)
{
    snprintf(name, SJ_DATASET_NAME, "/track/%08lld%s%s", (long long)t, member ? "/" : "", member ? member : "");
}

int sj_dataset_check(struct sj_h5 *h, int64_t *n, char ***classes)
{
    char *kind = NULL;
    int64_t rate = 0, block = 0;
    const char *path = sj_h5_path(h);
    if (!sj_h5_has_attr(h, "/", "kind"))
        return sj_fail(SJ_INPUT, "'%s' is not a data set", path);
    int status = sj_h5_get_text(h, "/", "kind", &kind);
    if (!status && strcmp(kind, SJ_DATASET_KIND))
        status = sj_fail(SJ_INPUT, "'%s' is '%s' where '%s' is wanted", path, kind, SJ_DATASET_KIND);
    free(kind);
    if (status || (status = sj_h5_get_int(h, "/", "sample_rate_hz", &rate)) ||
        (status = sj_h5_get_int(h, "/", "block_samples", &block)) ||
        (status = sj_h5_read_text(h, "/classes", n, classes)))
        return status;
    if (rate != SJ_DATASET_RATE_HZ || block != SJ_DATASET_BLOCK || *n < 1 || *n > SJ_CLASSES) {
        free(*classes);
        *classes = NULL;
        return sj_fail(SJ_INPUT,
                       "'%s' has a sample rate, block length or number of classes that this version cannot use", path);
    }
    return SJ_OK;
}

/* The shape and place of the audio; the shapes of class and peak must follow from it. */
static int read_shape(struct sj_dataset *d, struct sj_h5 *h, int64_t t, struct track *to)
{
    static const char *const members[] = {"audio", "class", "peak"};
    char name[SJ_DATASET_NAME];
    int64_t dims[3][SJ_H5_RANK] = {{0}};
    int rank[3], status;
    enum sj_h5_type type[3];
    for (int i = 0; i < 3; i++) {
        sj_dataset_member(name, t, members[i]);
        if ((status = sj_h5_shape(h, name, &type[i], &rank[i], dims[i])))
            return status;
    }
    sj_dataset_member(name, t, "audio");
    if ((status = sj_h5_offset(h, name, SJ_H5_I16, &to->offset)))
        return status;
    if (type[1] != SJ_H5_I32 || type[2] != SJ_H5_I16)
        return sj_fail(SJ_INPUT, "'%s': the tables of '%s' are not int32 classes and int16 peaks", d->path, name);
    int64_t stems = dims[0][0], samples = dims[0][1], bytes;
    int64_t blocks = (samples + SJ_DATASET_BLOCK - 1) / SJ_DATASET_BLOCK;
    if (rank[0] != 2 || rank[1] != 1 || rank[2] != 2 || stems < 1 || stems > SJ_CLASSES || samples < 1 ||
        dims[1][0] != stems || dims[2][0] != stems || dims[2][1] != blocks ||
        __builtin_mul_overflow(stems * 2, samples, &bytes) || bytes > d->bytes - to->offset)
        return sj_fail(SJ_INPUT, "'%s': '%s' and its tables do not fit together", d->path, name);
    to->t.stems = (int)stems;
    to->t.samples = samples;
    to->t.blocks = blocks;
    return SJ_OK;
}

static int read_track(struct sj_dataset *d, struct sj_h5 *h, int64_t t, struct track *to)
{
    char name[SJ_DATASET_NAME], *key;
    int status = read_shape(d, h, t, to);
    if (status)
        return status;
    size_t cells = (size_t)(to->t.stems * to->t.blocks);
    int32_t *class = malloc((size_t)to->t.stems * sizeof *class);
    int16_t *peak = malloc(cells * sizeof *peak);
    to->t.class = class;
    to->t.peak = peak;
    if (!class || !peak)
        return sj_fail(SJ_SYSTEM, "no memory for '%s'", d->path);
    sj_dataset_member(name, t, NULL);
    if ((status = sj_h5_get_text(h, name, "key", &key)))
        return status;
    to->t.key = key;
    sj_dataset_member(name, t, "peak");
    if ((status = sj_h5_read(h, name, SJ_H5_I16, (int64_t)cells, peak)))
        return status;
    for (size_t i = 0; i < cells; i++)
        if (peak[i] < 0)
            return sj_fail(SJ_INPUT, "'%s': '%s' holds a negative peak", d->path, name);
    sj_dataset_member(name, t, "class");
    if ((status = sj_h5_read(h, name, SJ_H5_I32, to->t.stems, class)))
        return status;
    for (int s = 0; s < to->t.stems; s++)
        if (class[s] <= (s ? class[s - 1] : -1) || class[s] >= d->classes)
            return sj_fail(SJ_INPUT, "'%s': '%s' is not ascending class numbers", d->path, name);
    return SJ_OK;
}

struct after {
    struct sj_h5 *h;
    const char *name; /* of the first that is not there, without its group */
};

static int find_after(const char *name, int is_group, void *arg)
{
    const struct after *a = arg;
    char full[SJ_DATASET_NAME];
    int n = snprintf(full, sizeof full, "/track/%s", name);
    if (!is_group || strcmp(name, a->name) <= 0 || n >= (int)sizeof full || !sj_h5_has_attr(a->h, full, "key"))
        return SJ_OK;
    return sj_fail(SJ_INPUT, "'%s' has the track '%s', but none '%s' before it", sj_h5_path(a->h), name, a->name);
}

int sj_dataset_check_end(struct sj_h5 *h, int64_t tracks)
{
    char name[SJ_DATASET_NAME];
    sj_dataset_member(name, tracks, NULL);
    return sj_h5_has(h, "/track") ? sj_h5_list(h, "/track", find_after, &(struct after){h, strrchr(name, '/') + 1})
                                  : SJ_OK;
}

/* Tracks are complete when they have their key, which is written last. */
static int read_tracks(struct sj_dataset *d, struct sj_h5 *h)
{
    char name[SJ_DATASET_NAME];
    for (int64_t t = 0;; t++) {
        sj_dataset_member(name, t, NULL);
        if (!sj_h5_has(h, name) || !sj_h5_has_attr(h, name, "key"))
            return sj_dataset_check_end(h, t);
        if (t == d->room) {
            int64_t room = d->room ? 2 * d->room : 64;
            struct track *more = realloc(d->track, (size_t)room * sizeof *more);
            if (!more)
                return sj_fail(SJ_SYSTEM, "no memory for '%s'", d->path);
            d->track = more;
            d->room = room;
        }
        d->track[t] = (struct track){.offset = 0};
        d->tracks = t + 1;
        int status = read_track(d, h, t, &d->track[t]);
        if (status)
            return status;
    }
}

int sj_dataset_open(const char *path, struct sj_dataset **out)
{
    struct sj_h5 *h = NULL;
    struct stat st;
    struct sj_dataset *d = calloc(1, sizeof *d);
    if (!d || !(d->path = strdup(path))) {
        free(d);
        return sj_fail(SJ_SYSTEM, "no memory to open '%s'", path);
    }
    d->fd = -1;
    int status = sj_h5_open(path, &h);
    if (!status && ((d->fd = open(path, O_RDONLY | O_CLOEXEC)) < 0 || fstat(d->fd, &st)))
        status = sj_fail_errno("cannot open '%s'", path);
    if (!status) {
        d->bytes = st.st_size;
        status = sj_dataset_check(h, &d->classes, &d->class);
    }
    if (!status)
        status = read_tracks(d, h);
    sj_h5_close(h);
    if (status) {
        sj_dataset_close(d);
        return status;
    }
    *out = d;
    return SJ_OK;
}

void sj_dataset_close(struct sj_dataset *d)
{
    if (!d)
        return;
    for (int64_t t = 0; t < d->tracks; t++) {
        free((void *)(uintptr_t)d->track[t].t.key);
        free((void *)(uintptr_t)d->track[t].t.class);
        free((void *)(uintptr_t)d->track[t].t.peak);
    }
    free(d->track);
    free(d->class);
    if (d->fd >= 0)
        close(d->fd);
    free(d->path);
    free(d);
}

const char *sj_dataset_path(const struct sj_dataset *d)
{
    return d->path;
}

int64_t sj_dataset_tracks(const struct sj_dataset *d)
{
    return d->tracks;
}

const struct sj_dataset_track *sj_dataset_track(const struct sj_dataset *d, int64_t t)
{
    return &d->track[t].t;
}

const char *const *sj_dataset_classes(const struct sj_dataset *d, int *n)
{
    *n = (int)d->classes;
    return (const char *const *)d->class;
}

int sj_dataset_read(const struct sj_dataset *d, int64_t t, int stem, int64_t start, int64_t count, int16_t *out)
{
    const struct track *k = &d->track[t];
    if (t < 0 || t >= d->tracks || stem < 0 || stem >= k->t.stems || start < 0 || count < 0 || start > k->t.samples ||
        count > k->t.samples - start)
        return sj_fail(SJ_USAGE, "'%s' does not have the samples that are wanted of track %lld", d->path, (long long)t);
    off_t at = k->offset + (stem * k->t.samples + start) * (int64_t)sizeof *out;
    size_t left = (size_t)count * sizeof *out;
    for (char *to = (char *)out; left;) {
        ssize_t n = pread(d->fd, to, left, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sj_fail_errno("cannot read '%s'", d->path);
        if (!n)
            return sj_fail(SJ_INPUT, "'%s' has become shorter", d->path);
        to += n;
        at += n;
        left -= (size_t)n;
    }
    return SJ_OK;
}
