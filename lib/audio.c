#include "audio.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ffmpeg.h"

enum { UNKNOWN = -1 };

struct sj_audio {
    char *name;
    SNDFILE *file;
    SF_INFO info;
    struct sj_ffmpeg *process; /* or NULL */
    int64_t done, stated;      /* frames read; frames that the header promises, or UNKNOWN */
    int ended;
};

/* Chunked formats state their size in bytes 4-7; libsndfile silently takes what is there of a file that was cut. Sizes
 * at the top of the range are what programs write that do not know yet, and some writers count the 8 bytes of the head
 * in. */
static int check_form(const char *path, int64_t size)
{
    unsigned char h[8] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return sj_fail_errno("cannot open '%s'", path);
    ssize_t n = pread(fd, h, sizeof h, 0);
    close(fd);
    int little = !memcmp(h, "RIFF", 4), big = !memcmp(h, "RIFX", 4) || !memcmp(h, "FORM", 4);
    if (n != sizeof h || (!little && !big))
        return SJ_OK;
    uint32_t form = little ? h[4] | h[5] << 8 | h[6] << 16 | (uint32_t)h[7] << 24
                           : h[7] | h[6] << 8 | h[5] << 16 | (uint32_t)h[4] << 24;
    if ((int64_t)form <= size || form >= 0xffffff00u || (form >= 0x7fffff00u && form <= 0x7fffffffu))
        return SJ_OK;
    return sj_fail(SJ_INPUT, "'%s' is cut short: %lld bytes of the %lld that its header states", path, (long long)size,
                   (long long)form + 8);
}

/* How many frames must come, from what libsndfile says. Encoders' counts of MP3 frames are estimates: 19 in 20 must be
 * there. A pipe's header may state a size at the top of the range: not known. */
static int64_t stated_frames(const SF_INFO *i, int seekable)
{
    int type = i->format & SF_FORMAT_TYPEMASK;
    if (i->frames == SF_COUNT_MAX || i->frames < 0)
        return UNKNOWN;
    if (type == SF_FORMAT_MPEG)
        return i->frames - i->frames / 20;
    if (!seekable && i->frames > (int64_t)0x7ff00000 / ((int64_t)i->channels * 8))
        return UNKNOWN;
    return i->frames;
}

static int refuse(const struct sj_audio *a)
{
    const char *why = sf_strerror(NULL);
    if (strstr(why, "SF_INFO"))
        why = "its header states a sample rate of 0 Hz or no channels";
    return sj_fail(SJ_INPUT, "'%s' cannot be read as sound: %s", a->name, why);
}

static int open_process(struct sj_audio *a, const char *path, int stream)
{
    int status = sj_ffmpeg_open(path, stream, &a->process);
    if (status)
        return status;
    a->file = sf_open_fd(sj_ffmpeg_fd(a->process), SFM_READ, &a->info, 0);
    if (!a->file)
        return (status = sj_ffmpeg_finish(a->process)) ? status : sj_fail(SJ_INPUT, "'%s' holds no sound", path);
    a->stated = UNKNOWN;
    return SJ_OK;
}

static int open_file(struct sj_audio *a, const char *path)
{
    struct stat st;
    if (stat(path, &st))
        return sj_fail_errno("cannot open '%s'", path);
    if (S_ISDIR(st.st_mode))
        return sj_fail(SJ_INPUT, "'%s' is a directory, not a sound file", path);
    int regular = S_ISREG(st.st_mode);
    if (regular && !st.st_size)
        return sj_fail(SJ_INPUT, "'%s' is empty", path);
    int status = regular ? check_form(path, st.st_size) : SJ_OK;
    if (status)
        return status;
    a->file = sf_open(path, SFM_READ, &a->info);
    if (!a->file) {
        int code = sf_error(NULL);
        if (code == SF_ERR_UNRECOGNISED_FORMAT && regular)
            return open_process(a, path, 0);
        return code == SF_ERR_SYSTEM ? sj_fail(SJ_SYSTEM, "cannot open '%s': %s", path, sf_strerror(NULL)) : refuse(a);
    }
    a->stated = stated_frames(&a->info, regular);
    if (regular && a->stated == UNKNOWN && (a->info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_OGG)
        return sj_fail(SJ_INPUT, "'%s' is cut short: its last page is missing", path);
    return SJ_OK;
}

static int open_stdin(struct sj_audio *a)
{
    struct stat st;
    a->file = sf_open_fd(STDIN_FILENO, SFM_READ, &a->info, 0);
    if (!a->file)
        return refuse(a);
    a->stated = stated_frames(&a->info, !fstat(STDIN_FILENO, &st) && S_ISREG(st.st_mode));
    return SJ_OK;
}

int sj_audio_open(const char *path, int stream, struct sj_audio **out)
{
    int piped = !strcmp(path, "-");
    struct sj_audio *a = calloc(1, sizeof *a);
    if (!a || !(a->name = strdup(piped ? "standard input" : path))) {
        free(a);
        return sj_fail(SJ_SYSTEM, "no memory to open '%s'", path);
    }
    a->stated = UNKNOWN;
    int status = piped ? open_stdin(a) : stream >= 0 ? open_process(a, path, stream) : open_file(a, path);
    if (!status && (a->info.samplerate < SJ_AUDIO_MIN_HZ || a->info.samplerate > SJ_AUDIO_MAX_HZ))
        status = sj_fail(SJ_INPUT, "'%s': a sample rate of %d Hz is not from %d to %d Hz", a->name, a->info.samplerate,
                         SJ_AUDIO_MIN_HZ, SJ_AUDIO_MAX_HZ);
    if (!status && a->info.channels < 1)
        status = sj_fail(SJ_INPUT, "'%s' has no channels", a->name);
    if (status) {
        sj_audio_close(a);
        return status;
    }
    *out = a;
    return SJ_OK;
}

int sj_audio_rate_hz(const struct sj_audio *a)
{
    return a->info.samplerate;
}

int sj_audio_channels(const struct sj_audio *a)
{
    return a->info.channels;
}

const char *sj_audio_name(const struct sj_audio *a)
{
    return a->name;
}

/* At the end of what libsndfile gave: was that all? */
static int finish(struct sj_audio *a)
{
    a->ended = 1;
    if (sf_error(a->file))
        return sj_fail(SJ_INPUT, "'%s' cannot be decoded: %s", a->name, sf_strerror(a->file));
    if (a->process) {
        int status = sj_ffmpeg_finish(a->process);
        if (status)
            return status;
    }
    if (a->stated != UNKNOWN && a->done < a->stated)
        return sj_fail(SJ_INPUT, "'%s' is cut short: it ends after %.2f s of %.2f s", a->name,
                       (double)a->done / a->info.samplerate, (double)a->info.frames / a->info.samplerate);
    return SJ_OK;
}

int sj_audio_read(struct sj_audio *a, float *out, int64_t frames, int64_t *got)
{
    *got = 0;
    if (a->ended)
        return SJ_OK;
    sf_count_t n = sf_readf_float(a->file, out, frames);
    if (n <= 0)
        return finish(a);
    float sum = 0; /* not finite as soon as one sample is not: 0 * x is 0 or NaN */
    for (int64_t i = 0; i < n * a->info.channels; i++)
        sum += 0 * out[i];
    if (sum != 0)
        return sj_fail(SJ_INPUT, "'%s' has a sample that is not a finite number between %.2f and %.2f s", a->name,
                       (double)a->done / a->info.samplerate, (double)(a->done + n) / a->info.samplerate);
    a->done += n;
    *got = n;
    return SJ_OK;
}

void sj_audio_close(struct sj_audio *a)
{
    if (!a)
        return;
    if (a->file)
        sf_close(a->file);
    sj_ffmpeg_close(a->process);
    free(a->name);
    free(a);
}
