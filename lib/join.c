/* From chunks back to sound. */
#include "join.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "room.h"
#include "unchunk.h"
#include "wav.h"
#include "whole.h"

/* A file that is written but not there yet. */
struct waiting {
    char *path;
    struct sj_whole *whole;
};

struct sj_join {
    char *path;
    int folder;
    enum sj_dtype dtype;
    struct sj_unchunk chunks;
    struct sj_wav *wav;      /* open, or NULL */
    char *wav_path;          /* where it will be */
    struct waiting *file;    /* written so far */
    char **made;             /* folders, those that hold others first */
    int64_t files, made_folders, file_room, made_room;
    int begun;
    char last_key[SJ_KEY_BYTES + 1];
    float *samples, *pair;
    size_t room;
};

int sj_join_is_folder(const char *path)
{
    struct stat st;
    size_t n = strlen(path);
    return (n && path[n - 1] == '/') || (!stat(path, &st) && S_ISDIR(st.st_mode));
}

int sj_join_open(const char *path, const struct sj_head *head, struct sj_join **out)
{
    struct sj_join *j = calloc(1, sizeof *j);
    if (!j || !(j->path = strdup(path))) {
        free(j);
        return sj_fail(SJ_SYSTEM, "no memory");
    }
    j->folder = sj_join_is_folder(path);
    for (size_t n = strlen(path); j->folder && n && path[n - 1] == '/';)
        j->path[--n] = 0; /* what follows brings one */
    j->dtype = head->dtype;
    const int pairs = head->rank == 2 && !strcmp(head->dim[0], "pair");
    int status = SJ_OK;
    if (strcmp(head->kind, "wave/1") || (head->rank != 1 && !pairs))
        status = sj_fail(SJ_USAGE, "cannot write '%s': '%s' is no sound", path, head->kind);
    else if (head->dtype != SJ_F32 && head->dtype != SJ_I16)
        status = sj_fail(SJ_USAGE, "cannot write '%s': WAV files hold f32 or i16, not %s", path,
                         sj_dtype_name(head->dtype));
    else if (pairs && !j->folder)
        status = sj_fail(SJ_USAGE, "cannot write '%s': training pairs need a folder, 'NAME/'", path);
    if (!status)
        status = sj_unchunk_open(head, &j->chunks);
    if (status)
        sj_join_abort(j);
    else
        *out = j;
    return status;
}

static int note_folder(struct sj_join *j, const char *path)
{
    char *copy = strdup(path);
    int status = copy ? sj_room(&j->made, sizeof *j->made, j->made_folders, &j->made_room)
                      : sj_fail(SJ_SYSTEM, "no memory");
    if (status)
        free(copy);
    else
        j->made[j->made_folders++] = copy;
    return status;
}

/* Makes the folders that the file `path` lies in. */
static int make_folders(struct sj_join *j, char *path)
{
    for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        int status = SJ_OK;
        if (!mkdir(path, 0777))
            status = note_folder(j, path);
        else if (errno != EEXIST)
            status = sj_fail_errno("cannot make the folder '%s'", path);
        *p = '/';
        if (status)
            return status;
    }
    return SJ_OK;
}

/* Keys come from elsewhere and must not lead out of the folder. */
static int safe_key(const char *key)
{
    for (const char *p = key;; p++) {
        size_t n = strcspn(p, "/");
        if (!n || (n == 1 && *p == '.') || (n == 2 && !strncmp(p, "..", 2)))
            return sj_fail(SJ_INPUT, "'%s' is no key to name a file by", key);
        p += n;
        if (!*p)
            return SJ_OK;
    }
}

static int want_new(const char *path)
{
    struct stat st;
    return lstat(path, &st) ? SJ_OK : sj_fail(SJ_USAGE, "'%s' is there already", path);
}

static int begin_file(struct sj_join *j, const struct sj_record *r)
{
    char number[32] = "", *path = NULL;
    int status = SJ_OK;
    if (!j->folder && j->begun)
        return sj_fail(SJ_USAGE, "'%s' cannot hold both '%s' and '%s': name a folder, 'NAME/'", j->path,
                       j->last_key, r->key);
    if (j->chunks.pairs)
        snprintf(number, sizeof number, ".%lld", (long long)r->position);
    if (j->folder && !(status = safe_key(r->key))) {
        size_t size = strlen(j->path) + strlen(r->key) + 64;
        if (!(path = malloc(size)))
            return sj_fail(SJ_SYSTEM, "no memory");
        snprintf(path, size, "%s/%s%s%s.wav", j->path, r->key,
                 !j->chunks.pairs && r->role == SJ_ROLE_REST ? ".rest" : "", number);
        status = make_folders(j, path);
        if (!status)
            status = want_new(path);
    }
    if (!status)
        status = sj_wav_create(path ? path : j->path, j->chunks.rate_hz, j->chunks.pairs ? 2 : 1, j->dtype, &j->wav);
    free(j->wav_path);
    j->wav_path = path;
    j->begun = 1;
    snprintf(j->last_key, sizeof j->last_key, "%s", r->key);
    return status;
}

static int end_file(struct sj_join *j)
{
    struct sj_wav *wav = j->wav;
    struct waiting file = {.path = j->wav_path};
    if (!wav)
        return SJ_OK;
    j->wav = NULL;
    int status = sj_wav_finish(wav, &file.whole);
    if (!status && (status = sj_room(&j->file, sizeof *j->file, j->files, &j->file_room)))
        sj_whole_discard(file.whole);
    if (status)
        return status;
    j->wav_path = NULL;
    j->file[j->files++] = file;
    return SJ_OK;
}

static int grow(struct sj_join *j, size_t n)
{
    if (n <= j->room)
        return SJ_OK;
    free(j->samples);
    free(j->pair);
    j->samples = malloc(n * sizeof *j->samples);
    j->pair = malloc(n * sizeof *j->pair);
    j->room = j->samples && j->pair ? n : 0;
    return j->room ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for %zu samples", n);
}

/* The n samples that are the record's own. */
static int write_own(struct sj_join *j, const struct sj_record *r, int64_t n)
{
    const int64_t samples = r->dims[r->rank - 1], halo = j->chunks.halo;
    size_t count = r->bytes / sj_dtype_size(j->dtype);
    int status = grow(j, count);
    if (status)
        return status;
    sj_dtype_to_f32(j->dtype, count, r->data, j->samples);
    if (!j->chunks.pairs)
        return sj_wav_write(j->wav, j->samples + halo, n);
    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < 2; c++)
            j->pair[2 * i + c] = j->samples[c * samples + halo + i];
    return sj_wav_write(j->wav, j->pair, n);
}

int sj_join_put(struct sj_join *j, const struct sj_record *r)
{
    int begins;
    int64_t n;
    int status = sj_unchunk_put(&j->chunks, r, &begins, &n);
    if (!status && begins && j->folder)
        status = end_file(j);
    if (!status && begins)
        status = begin_file(j, r);
    return status ? status : write_own(j, r, n); /* a file alone appears at the end, when it is known to be alone */
}

/* The file gets its name, but is removed like a temporary one until all are there. */
static int appear(struct waiting *w)
{
    struct sj_whole *whole = w->whole;
    int status = w->path ? want_new(w->path) : SJ_OK;
    if (status)
        return status;
    w->whole = NULL;
    if (!w->path) /* the only one, of a name that was given */
        return sj_whole_commit(whole);
    sj_whole_only_new(whole);
    status = sj_whole_commit(whole);
    if (!status && (status = sj_whole_guard(w->path, &w->whole)))
        unlink(w->path);
    return status;
}

static void keep(struct sj_join *j)
{
    for (int64_t i = 0; i < j->files; i++) {
        sj_whole_keep(j->file[i].whole);
        j->file[i].whole = NULL;
    }
    while (j->made_folders)
        free(j->made[--j->made_folders]);
}

static void release(struct sj_join *j)
{
    for (int64_t i = 0; i < j->files; i++) {
        sj_whole_discard(j->file[i].whole);
        free(j->file[i].path);
    }
    while (j->made_folders) {
        rmdir(j->made[--j->made_folders]); /* unless another program put something there */
        free(j->made[j->made_folders]);
    }
    free(j->file);
    free(j->made);
    free(j->wav_path);
    free(j->samples);
    free(j->pair);
    free(j->path);
    free(j);
}

int sj_join_end(struct sj_join *j)
{
    int status = end_file(j);
    if (!status && !j->begun)
        status = sj_fail(SJ_INPUT, "no record to write to '%s'", j->path);
    for (int64_t i = 0; i < j->files && !status; i++)
        status = appear(&j->file[i]);
    if (!status)
        keep(j);
    release(j);
    return status;
}

void sj_join_abort(struct sj_join *j)
{
    if (!j)
        return;
    sj_wav_abort(j->wav);
    release(j);
}
