/* Building data sets track by track. What is on disk after each flush is a whole data set. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "dataset_own.h"
#include "whole.h"

struct entry {
    char *key, *source;
};

struct sj_dataset_writer {
    struct sj_h5 *h;
    char *path, *part; /* part: the name until the end, or NULL when adding in place */
    struct sj_whole *empty; /* of a part without tracks, which nobody wants to continue, or NULL */
    int64_t tracks, room;
    struct entry *entry;
};

static void free_writer(struct sj_dataset_writer *w)
{
    for (int64_t t = 0; t < w->tracks; t++) {
        free(w->entry[t].key);
        free(w->entry[t].source);
    }
    free(w->entry);
    sj_h5_close(w->h);
    sj_whole_discard(w->empty);
    free(w->part);
    free(w->path);
    free(w);
}

static int remember(struct sj_dataset_writer *w, char *key, char *source)
{
    if (w->tracks == w->room) {
        int64_t room = w->room ? 2 * w->room : 64;
        struct entry *more = realloc(w->entry, (size_t)room * sizeof *more);
        if (more) {
            w->entry = more;
            w->room = room;
        }
    }
    if (!key || !source || w->tracks == w->room) {
        free(key);
        free(source);
        return sj_fail(SJ_SYSTEM, "no memory for '%s'", w->path);
    }
    w->entry[w->tracks++] = (struct entry){key, source};
    return SJ_OK;
}

/* The tracks that are there. One without its key was being written when its writer died: it goes. */
static int read_entries(struct sj_dataset_writer *w)
{
    char name[SJ_DATASET_NAME];
    for (int64_t t = 0;; t++) {
        char *key = NULL, *source = NULL;
        sj_dataset_member(name, t, NULL);
        if (!sj_h5_has_link(w->h, name))
            return SJ_OK;
        if (!sj_h5_has_attr(w->h, name, "key"))
            return sj_h5_set_aside(w->h, name);
        int status = sj_h5_get_text(w->h, name, "key", &key);
        if (!status && (status = sj_h5_get_text(w->h, name, "source", &source)))
            free(key);
        if (status || (status = remember(w, key, source)))
            return status;
    }
}

static int same_classes(struct sj_dataset_writer *w, int classes, const char *const *names)
{
    int64_t n;
    char **have;
    int status = sj_dataset_check(w->h, &n, &have);
    if (status)
        return status;
    int same = n == classes;
    for (int i = 0; same && i < classes; i++)
        same = !strcmp(have[i], names[i]);
    if (!same)
        status = sj_fail(SJ_INPUT, "'%s' has %lld classes from '%s' to '%s' where %d from '%s' to '%s' are wanted",
                         sj_h5_path(w->h), (long long)n, have[0], have[n - 1], classes, names[0], names[classes - 1]);
    free(have);
    return status;
}

/* A set without tracks; it appears whole, so that an interruption leaves either nothing or something to continue. */
static int start_set(const char *path, int classes, const char *const *names, const char *provenance)
{
    struct sj_h5 *h;
    int status = sj_h5_create(path, &h);
    if (status)
        return status;
    status = sj_h5_write_text(h, "/classes", classes, names);
    if (!status)
        status = sj_h5_set_int(h, "/", "sample_rate_hz", SJ_DATASET_RATE_HZ);
    if (!status)
        status = sj_h5_set_int(h, "/", "block_samples", SJ_DATASET_BLOCK);
    if (!status)
        status = sj_h5_set_text(h, "/", "provenance", provenance);
    if (!status)
        status = sj_h5_set_text(h, "/", "kind", SJ_DATASET_KIND);
    if (!status)
        return sj_h5_commit(h);
    sj_h5_close(h);
    return status;
}

int sj_dataset_writer_open(const char *path, int classes, const char *const *names, const char *provenance,
                           struct sj_dataset_writer **out)
{
    struct sj_dataset_writer *w = calloc(1, sizeof *w);
    if (!w || !(w->path = sj_whole_target(path))) {
        free(w);
        return w ? SJ_SYSTEM : sj_fail(SJ_SYSTEM, "no memory to write '%s'", path);
    }
    path = w->path;
    if (access(path, F_OK) && asprintf(&w->part, "%s.part", path) < 0) {
        w->part = NULL;
        free_writer(w);
        return sj_fail(SJ_SYSTEM, "no memory to write '%s'", path);
    }
    const char *name = w->part ? w->part : path;
    int fresh = access(name, F_OK) != 0, status = fresh ? start_set(name, classes, names, provenance) : SJ_OK;
    if (!status)
        status = sj_h5_edit(name, &w->h);
    if (!status)
        status = same_classes(w, classes, names);
    if (!status)
        status = read_entries(w);
    if (!status && w->part && !w->tracks && !fresh) { /* nothing to continue, and who knows what its writer left */
        sj_h5_close(w->h);
        w->h = NULL;
        status = start_set(name, classes, names, provenance);
        if (!status)
            status = sj_h5_edit(name, &w->h);
    }
    if (!status && w->part && !w->tracks)
        status = sj_whole_guard(w->part, &w->empty);
    if (status) {
        free_writer(w);
        return status;
    }
    *out = w;
    return SJ_OK;
}

int64_t sj_dataset_writer_tracks(const struct sj_dataset_writer *w)
{
    return w->tracks;
}

int sj_dataset_writer_has(const struct sj_dataset_writer *w, const char *key, const char *source, int *found)
{
    *found = 0;
    for (int64_t t = 0; t < w->tracks && !*found; t++)
        if (!strcmp(w->entry[t].key, key)) {
            if (strcmp(w->entry[t].source, source))
                return sj_fail(SJ_INPUT, "'%s' has a track '%s' that was made from other audio", w->path, key);
            *found = 1;
        }
    return SJ_OK;
}

/* HDF5 does not survive a full disk in the middle of its bookkeeping: room is looked for before anything is written. */
static int check_space(const struct sj_dataset_writer *w, int64_t bytes)
{
    struct statvfs fs;
    if (statvfs(sj_h5_path(w->h), &fs) || (double)fs.f_bavail * (double)fs.f_frsize > (double)bytes + (1 << 20))
        return SJ_OK;
    return sj_fail(SJ_SYSTEM, "no space for %lld MB more in '%s'", (long long)(bytes >> 20) + 1, sj_h5_path(w->h));
}

/* peak (stems,blocks): the largest |sample| of each block. */
static void find_peaks(int stems, int64_t samples, int64_t blocks, const int16_t *audio, int16_t *peak)
{
    for (int s = 0; s < stems; s++)
        for (int64_t b = 0; b < blocks; b++) {
            const int16_t *x = audio + s * samples + b * SJ_DATASET_BLOCK;
            int64_t left = samples - b * SJ_DATASET_BLOCK, n = left < SJ_DATASET_BLOCK ? left : SJ_DATASET_BLOCK;
            int most = 0;
            for (int64_t i = 0; i < n; i++)
                most = abs(x[i]) > most ? abs(x[i]) : most;
            peak[s * blocks + b] = (int16_t)(most < INT16_MAX ? most : INT16_MAX);
        }
}

static int write_track(struct sj_dataset_writer *w, const char *key, const char *source, int stems,
                       const int32_t *class, int64_t samples, const int16_t *audio, const int16_t *peak, int64_t blocks)
{
    char name[SJ_DATASET_NAME];
    const int64_t n = stems;
    sj_dataset_member(name, w->tracks, "audio");
    int status = sj_h5_write(w->h, name, SJ_H5_I16, 2, (int64_t[]){n, samples}, audio);
    sj_dataset_member(name, w->tracks, "peak");
    if (!status)
        status = sj_h5_write(w->h, name, SJ_H5_I16, 2, (int64_t[]){n, blocks}, peak);
    sj_dataset_member(name, w->tracks, "class");
    if (!status)
        status = sj_h5_write(w->h, name, SJ_H5_I32, 1, &n, class);
    sj_dataset_member(name, w->tracks, NULL);
    if (!status)
        status = sj_h5_set_text(w->h, name, "source", source);
    if (!status)
        status = sj_h5_set_text(w->h, name, "key", key);
    return status ? status : sj_h5_flush(w->h);
}

int sj_dataset_writer_add(struct sj_dataset_writer *w, const char *key, const char *source, int stems,
                          const int32_t *class, int64_t samples, const int16_t *audio)
{
    int64_t blocks = (samples + SJ_DATASET_BLOCK - 1) / SJ_DATASET_BLOCK;
    int status = check_space(w, stems * samples * (int64_t)sizeof *audio);
    if (status)
        return status;
    int16_t *peak = malloc((size_t)(stems * blocks) * sizeof *peak);
    if (!peak)
        return sj_fail(SJ_SYSTEM, "no memory for '%s'", key);
    find_peaks(stems, samples, blocks, audio, peak);
    status = write_track(w, key, source, stems, class, samples, audio, peak, blocks);
    free(peak);
    if (status)
        return status;
    sj_whole_keep(w->empty);
    w->empty = NULL;
    return remember(w, strdup(key), strdup(source));
}

/* Gives a finished set its name; a rename is on disk when its directory is. */
static int give_name(const char *from, const char *to)
{
    if (rename(from, to))
        return sj_fail_errno("cannot write '%s'", to);
    char *copy = strdup(to);
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int bad = fd < 0 || (fsync(fd) && errno != EINVAL);
    if (fd >= 0)
        close(fd);
    free(copy);
    return bad ? sj_fail_errno("cannot sync the directory of '%s'", to) : SJ_OK;
}

int sj_dataset_writer_close(struct sj_dataset_writer *w, int status)
{
    if (!status) {
        status = sj_h5_commit(w->h);
        w->h = NULL;
        if (!status && w->part)
            status = give_name(w->part, w->path);
        if (!status) {
            sj_whole_keep(w->empty);
            w->empty = NULL;
        }
    }
    free_writer(w);
    return status;
}
