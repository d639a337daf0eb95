/* From chunks back to sound. */
#include "join.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "wav.h"

struct sj_join {
    char *path;
    int folder, pairs;
    int64_t rate_hz, hop, window, halo;
    enum sj_dtype dtype;
    struct sj_wav *wav;     /* open, or NULL */
    int written;            /* files begun so far */
    int complete;           /* the key in `wav` has had its last chunk */
    char key[SJ_KEY_BYTES + 1];
    enum sj_role role;
    int class;
    int64_t next;           /* the frame that is due */
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
    j->pairs = head->rank == 2 && !strcmp(head->dim[0], "pair");
    j->dtype = head->dtype;
    int status = SJ_OK;
    if (strcmp(head->kind, "wave/1") || (head->rank != 1 && !j->pairs))
        status = sj_fail(SJ_USAGE, "cannot write '%s': '%s' is no sound", path, head->kind);
    else if (head->dtype != SJ_F32 && head->dtype != SJ_I16)
        status = sj_fail(SJ_USAGE, "cannot write '%s': WAV files hold f32 or i16, not %s", path,
                         sj_dtype_name(head->dtype));
    else if (j->pairs && !j->folder)
        status = sj_fail(SJ_USAGE, "cannot write '%s': training pairs need a folder, 'NAME/'", path);
    if (!status)
        status = sj_head_int(head, "sample_rate_hz", &j->rate_hz);
    if (!status)
        status = sj_head_int(head, "hop_samples", &j->hop);
    if (!status)
        status = sj_head_int(head, "window_samples", &j->window);
    if (!status)
        status = sj_head_int(head, "halo_samples", &j->halo);
    if (!status && (j->hop < 1 || j->halo < 0 || j->window < j->halo))
        status = sj_fail(SJ_INPUT, "hop, window and halo of the head make no sense");
    if (status)
        sj_join_abort(j);
    else
        *out = j;
    return status;
}

/* Makes the folders that the file `path` lies in. */
static int make_folders(char *path)
{
    for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        int bad = mkdir(path, 0777) && errno != EEXIST;
        if (bad)
            return sj_fail_errno("cannot make the folder '%s'", path);
        *p = '/';
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

static int begin_file(struct sj_join *j, const struct sj_record *r)
{
    struct stat st;
    char number[32] = "", *path = NULL;
    int status = SJ_OK;
    if (!j->folder && j->written)
        return sj_fail(SJ_USAGE, "'%s' cannot hold both '%s' and '%s': name a folder, 'NAME/'", j->path, j->key,
                       r->key);
    if (j->pairs)
        snprintf(number, sizeof number, ".%lld", (long long)r->position);
    if (j->folder && !(status = safe_key(r->key))) {
        size_t size = strlen(j->path) + strlen(r->key) + 64;
        if (!(path = malloc(size)))
            return sj_fail(SJ_SYSTEM, "no memory");
        snprintf(path, size, "%s/%s%s%s.wav", j->path, r->key, !j->pairs && r->role == SJ_ROLE_REST ? ".rest" : "",
                 number);
        status = make_folders(path);
        if (!status && !stat(path, &st))
            status = sj_fail(SJ_USAGE, "'%s' is there already", path);
    }
    if (!status)
        status = sj_wav_create(path ? path : j->path, j->rate_hz, j->pairs ? 2 : 1, j->dtype, &j->wav);
    free(path);
    j->written++;
    j->complete = 0;
    snprintf(j->key, sizeof j->key, "%s", r->key);
    j->role = r->role;
    j->class = r->class;
    j->next = r->position;
    return status;
}

static int end_file(struct sj_join *j)
{
    struct sj_wav *wav = j->wav;
    j->wav = NULL;
    return wav ? sj_wav_commit(wav) : SJ_OK;
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

/* The samples that are the record's own: from the centre of its first frame to that of the next record's first, or of
 * its own last frame where no record follows. */
static int write_own(struct sj_join *j, const struct sj_record *r, int64_t frames)
{
    int64_t samples = r->dims[r->rank - 1], n = (frames - (r->last && !j->pairs)) * j->hop;
    size_t count = r->bytes / sj_dtype_size(j->dtype);
    if (j->halo + n > samples)
        return sj_fail(SJ_INPUT, "'%s': %lld samples are too few", r->key, (long long)samples);
    int status = grow(j, count);
    if (status)
        return status;
    sj_dtype_to_f32(j->dtype, count, r->data, j->samples);
    if (!j->pairs)
        return sj_wav_write(j->wav, j->samples + j->halo, n);
    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < 2; c++)
            j->pair[2 * i + c] = j->samples[c * samples + j->halo + i];
    return sj_wav_write(j->wav, j->pair, n);
}

int sj_join_put(struct sj_join *j, const struct sj_record *r)
{
    int64_t samples = r->dims[r->rank - 1], frames = (samples - j->window) / j->hop + 1;
    int status = SJ_OK;
    if (samples < j->window || (samples - j->window) % j->hop || (j->pairs && r->dims[0] != 2))
        return sj_fail(SJ_INPUT, "'%s': %lld samples are not a whole number of frames", r->key, (long long)samples);
    int same = j->wav && !j->complete && !strcmp(j->key, r->key) && j->role == r->role && j->class == r->class;
    if (!same && j->folder)
        status = end_file(j);
    if (!same && !status)
        status = begin_file(j, r);
    if (!status && !j->pairs && r->position != j->next)
        status = sj_fail(SJ_INPUT, "'%s': the chunk at frame %lld came where frame %lld is due", r->key,
                         (long long)r->position, (long long)j->next);
    if (!status)
        status = write_own(j, r, frames);
    j->next += frames;
    j->complete = r->last || j->pairs;
    return status; /* a file alone appears at the end, when it is known to be alone */
}

static void release(struct sj_join *j)
{
    free(j->samples);
    free(j->pair);
    free(j->path);
    free(j);
}

int sj_join_end(struct sj_join *j)
{
    int status = end_file(j);
    if (!status && !j->written)
        status = sj_fail(SJ_INPUT, "no record to write to '%s'", j->path);
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
