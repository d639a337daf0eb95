#include "render_folder.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataset.h"
#include "wav.h"

enum { PATHS = 4096, BLOCK = 4096 };

int sj_render_folder_make(const char *path)
{
    return mkdir(path, 0777) && errno != EEXIST ? sj_fail_errno("cannot make '%s'", path) : SJ_OK;
}

static int name_file(char path[PATHS], const char *folder, const char *key, const char *name)
{
    int n = snprintf(path, PATHS, "%s/%s%s%s%s", folder, key, *name ? "/" : "", name, *name ? ".wav" : "");
    return n < PATHS ? SJ_OK : sj_fail(SJ_USAGE, "'%s' is too long a path", folder);
}

static int write_signal(const char *folder, const char *key, const char *name, const int16_t *x, int64_t samples)
{
    struct sj_wav *wav;
    char path[PATHS];
    float block[BLOCK];
    int status = name_file(path, folder, key, name);
    if (!status)
        status = sj_wav_create(path, SJ_DATASET_RATE_HZ, 1, SJ_I16, &wav);
    if (status)
        return status;
    for (int64_t at = 0, n; at < samples && !status; at += n) {
        n = samples - at < BLOCK ? samples - at : BLOCK;
        for (int64_t i = 0; i < n; i++)
            block[i] = x[at + i] / 32768.0f;
        status = sj_wav_write(wav, block, n);
    }
    if (!status)
        return sj_wav_commit(wav);
    sj_wav_abort(wav);
    return status;
}

int sj_render_folder_write(const char *folder, const struct sj_item *item, int classes, const char *const *class,
                           int full)
{
    char path[PATHS];
    int status = name_file(path, folder, item->key, "");
    if (!status)
        status = sj_render_folder_make(path);
    for (int c = 0, s = 0; c < classes && !status; c++) {
        if (s < item->stems && item->class[s] == c) {
            status = write_signal(folder, item->key, class[c], item->audio + s * item->samples, item->samples);
            s++;
        } else if (!(status = name_file(path, folder, item->key, class[c]))) {
            unlink(path);
        }
    }
    if (!status && full)
        status = write_signal(folder, item->key, "mixture", item->audio + item->stems * item->samples, item->samples);
    return status;
}
