/* Building data sets track by track. What is on disk after each flush is a whole data set. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "dataset_own.h"
#include "room.h"
#include "whole.h"

enum { TRIES = 5 };

struct entry {
    char *key, *source;
};

struct sj_dataset_writer {
    struct sj_h5 *h;
    char *path, *part; /* part: the name until the end, or NULL when adding in place */
    dev_t device; /* of the part */
    ino_t inode;
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
    sj_whole_discard(w->empty); /* while it is locked */
    sj_h5_close(w->h);
    free(w->part);
    free(w->path);
    free(w);
}

static int remember(struct sj_dataset_writer *w, char *key, char *source)
{
    if (!key || !source || sj_room(&w->entry, sizeof *w->entry, w->tracks, &w->room)) {
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
            return sj_dataset_check_end(w->h, t);
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

/* A set without tracks; it appears whole, so that an interruption leaves either nothing or something to continue, and
 * replaces nothing. */
static int start_set(const char *path, int classes, const char *const *names, const char *provenance)
{
    struct sj_h5 *h;
    int status = sj_h5_create(path, &h);
    if (status)
        return status;
    sj_h5_only_new(h);
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

/* The set itself where it is there, else its part, which is begun where there is none; for this writer alone. */
static int open_file(struct sj_dataset_writer *w, int classes, const char *const *names, const char *provenance)
{
    for (int tries = 0; tries < TRIES; tries++) {
        free(w->part);
        w->part = NULL;
        if (access(w->path, F_OK) && asprintf(&w->part, "%s.part", w->path) < 0) {
            w->part = NULL;
            return sj_fail(SJ_SYSTEM, "no memory to write '%s'", w->path);
        }
        const char *name = w->part ? w->part : w->path;
        int status = access(name, F_OK) ? start_set(name, classes, names, provenance) : SJ_OK;
        if (status && access(name, F_OK)) /* else another program was faster */
            return status;
        if ((status = sj_h5_edit(name, &w->h)))
            return status;
        struct stat st;
        if (!stat(name, &st) && sj_h5_still(w->h, name)) {
            w->device = st.st_dev;
            w->inode = st.st_ino;
            return SJ_OK;
        }
        sj_h5_close(w->h); /* it got its final name in between */
        w->h = NULL;
    }
    return sj_fail(SJ_SYSTEM, "'%s' is in use by another program", w->path);
}

static int open_set(struct sj_dataset_writer *w, int classes, const char *const *names, const char *provenance)
{
    int status = open_file(w, classes, names, provenance);
    if (!status)
        status = same_classes(w, classes, names);
    return status ? status : read_entries(w);
}

int sj_dataset_writer_open(const char *path, int classes, const char *const *names, const char *provenance,
                           struct sj_dataset_writer **out)
{
    struct sj_dataset_writer *w = calloc(1, sizeof *w);
    if (!w || !(w->path = sj_whole_target(path))) {
        free(w);
        return w ? SJ_SYSTEM : sj_fail(SJ_SYSTEM, "no memory to write '%s'", path);
    }
    int status = open_set(w, classes, names, provenance);
    if (!status && w->part && !w->tracks)
        status = sj_whole_guard(w->part, &w->empty);
    if (status) {
        free_writer(w);
        return status;
    }
    *out = w;
    return SJ_OK;
}

char *sj_dataset_writer_path(const char *path)
{
    char *target = sj_whole_target(path), *part;
    if (!target || !access(target, F_OK))
        return target;
    if (asprintf(&part, "%s.part", target) < 0) {
        part = NULL;
        (void)sj_fail(SJ_SYSTEM, "no memory to read '%s'", path);
    }
    free(target);
    return part;
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

/* Gives a finished set its name, unless another program has taken it up; a rename is on disk when its directory is. */
static int give_name(const struct sj_dataset_writer *w)
{
    struct stat st;
    int part = open(w->part, O_RDWR | O_CLOEXEC);
    if (part < 0 || flock(part, LOCK_EX | LOCK_NB) || fstat(part, &st) || st.st_dev != w->device ||
        st.st_ino != w->inode) {
        if (part >= 0)
            close(part);
        return sj_fail(SJ_SYSTEM, "'%s' is in use by another program", w->part);
    }
    int status = rename(w->part, w->path) ? sj_fail_errno("cannot write '%s'", w->path) : SJ_OK;
    close(part);
    if (status)
        return status;
    char *copy = strdup(w->path);
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int bad = fd < 0 || (fsync(fd) && errno != EINVAL);
    if (fd >= 0)
        close(fd);
    free(copy);
    return bad ? sj_fail_errno("cannot sync the directory of '%s'", w->path) : SJ_OK;
}

int sj_dataset_writer_close(struct sj_dataset_writer *w, int status)
{
    if (!status) {
        status = sj_h5_commit(w->h);
        w->h = NULL;
        if (!status && w->part)
            status = give_name(w);
        if (!status) {
            sj_whole_keep(w->empty);
            w->empty = NULL;
        }
    }
    free_writer(w);
    return status;
}
