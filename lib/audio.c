#include "audio.h"

#include <fcntl.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audio_form.h"
#include "ffmpeg.h"
#include "mp3.h"
#include "spool.h"
#include "stream.h"
#include "whole.h"

enum { UNKNOWN = -1 };
static const int64_t MOST_KEPT = (int64_t)16 << 30; /* bytes of a pipe: an endless one must not fill the disk */

struct sj_audio {
    char *name;
    int fd;         /* of the file, the pipe, or what the pipe was copied to; or -1 */
    SNDFILE *file;  /* one of the two */
    struct sj_mp3 *mp3;
    SF_INFO info;
    struct sj_ffmpeg *process; /* that writes what `file` reads, or NULL */
    int64_t done, stated;      /* frames read; frames that must come, or UNKNOWN */
    int ended;
};

/* How many frames must come, from what libsndfile says. A pipe's header may state a size at the top of the range: not
 * known. */
static int64_t stated_frames(const SF_INFO *i, int seekable)
{
    if (i->frames == SF_COUNT_MAX || i->frames < 0)
        return UNKNOWN;
    if (!seekable && i->frames > (int64_t)0x7ff00000 / ((int64_t)i->channels * 8))
        return UNKNOWN;
    return i->frames;
}

static int refuse_rate(const struct sj_audio *a, int64_t rate_hz)
{
    return sj_fail(SJ_INPUT, "'%s': a sample rate of %lld Hz is not from %d to %d Hz", a->name, (long long)rate_hz,
                   SJ_AUDIO_MIN_HZ, SJ_AUDIO_MAX_HZ);
}

/* The sample rate of a header that libsndfile refused, from what it wrote about it: as an int what is unsigned there.
 * Positive when that was not the reason. */
static int rate_refused(int64_t *rate_hz)
{
    static const char name[] = "\n Sample rate :";
    char log[4096] = "";
    sf_command(NULL, SFC_GET_LOG_INFO, log, sizeof log);
    const char *found = strstr(log, name);
    const long rate = found ? strtol(found + sizeof name - 1, NULL, 10) : 1;
    *rate_hz = (uint32_t)rate;
    return rate < 1;
}

static int refuse(const struct sj_audio *a)
{
    const char *why = sf_strerror(NULL);
    int64_t rate_hz;
    if (strstr(why, "SF_INFO") && rate_refused(&rate_hz))
        return refuse_rate(a, rate_hz);
    if (strstr(why, "SF_INFO"))
        why = "its header is not complete";
    return sj_fail(SJ_INPUT, "'%s' cannot be read as sound: %s", a->name, why);
}

/* By a name: a descriptor of a format that it does not know libsndfile closes, though it is told not to. A name
 * without an ending, which it would believe. */
static SNDFILE *open_descriptor(int fd, SF_INFO *info)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    *info = (SF_INFO){0};
    return sf_open(path, SFM_READ, info);
}

static int open_process(struct sj_audio *a, const char *path, int stream)
{
    int status = sj_ffmpeg_open(path, a->name, stream, &a->process);
    if (status)
        return status;
    a->file = open_descriptor(sj_ffmpeg_fd(a->process), &a->info);
    if (!a->file)
        return (status = sj_ffmpeg_finish(a->process)) ? status : sj_fail(SJ_INPUT, "'%s' holds no sound", a->name);
    a->stated = UNKNOWN;
    return SJ_OK;
}

/* One of the streams in a file. */
static int open_stream(struct sj_audio *a, const char *path, int stream)
{
    struct stat st;
    if (stat(path, &st) || !S_ISREG(st.st_mode)) /* ffmpeg says what is wrong */
        return open_process(a, path, stream);
    a->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (a->fd < 0)
        return sj_fail_errno("cannot open '%s'", a->name);
    int status = sj_audio_form_check(a->fd, a->name, st.st_size);
    return status ? status : open_process(a, path, stream);
}

static int open_mp3(struct sj_audio *a)
{
    int status = sj_mp3_open(a->fd, a->name, &a->mp3);
    if (status)
        return status;
    a->info.samplerate = sj_mp3_rate_hz(a->mp3);
    a->info.channels = sj_mp3_channels(a->mp3);
    a->info.frames = sj_mp3_frames(a->mp3);
    /* encoders' counts and what is made of a file's size are estimates: 19 in 20 must be there */
    a->stated = a->info.frames < 0 ? UNKNOWN : a->info.frames - a->info.frames / 20;
    return SJ_OK;
}

/* libsndfile takes the floats of an extensible Wave64 file for integers. */
static int is_misread(const struct sj_audio *a)
{
    return (a->info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_W64 &&
           (a->info.format & SF_FORMAT_SUBMASK) == SF_FORMAT_PCM_32;
}

/* A regular file, from its beginning. path: its name, or "-" for one that has none. */
static int open_file(struct sj_audio *a, const char *path, int64_t size)
{
    char here[64];
    int status = size ? sj_audio_form_check(a->fd, a->name, size) : sj_fail(SJ_INPUT, "'%s' is empty", a->name);
    if (status)
        return status;
    if (sj_audio_form_of_file(a->fd) == SJ_FORM_MP3)
        return open_mp3(a);
    if (!strcmp(path, "-")) { /* ffmpeg needs one */
        snprintf(here, sizeof here, "/proc/%ld/fd/%d", (long)getpid(), a->fd);
        path = here;
    }
    a->file = open_descriptor(a->fd, &a->info);
    if (!a->file)
        return sf_error(NULL) == SF_ERR_UNRECOGNISED_FORMAT ? open_process(a, path, 0) : refuse(a);
    if (is_misread(a)) {
        sf_close(a->file);
        return open_process(a, path, 0);
    }
    a->stated = stated_frames(&a->info, 1);
    if (a->stated == UNKNOWN && (a->info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_OGG)
        return sj_fail(SJ_INPUT, "'%s' is cut short: its last page is missing", a->name);
    return SJ_OK;
}

/* What can be decoded as it comes is; anything else is kept in a file first. */
static int open_pipe(struct sj_audio *a)
{
    unsigned char head[SJ_FORM_HEAD];
    struct stat st;
    int copy;
    switch (sj_audio_form(head, sj_spool_peek(a->fd, head, sizeof head))) {
    case SJ_FORM_MP3:
        return open_mp3(a);
    case SJ_FORM_PLAIN:
        a->file = sf_open_fd(a->fd, SFM_READ, &a->info, 0);
        if (!a->file)
            return refuse(a);
        a->stated = stated_frames(&a->info, 0);
        return SJ_OK;
    default:
        break;
    }
    int status = sj_spool(a->fd, a->name, MOST_KEPT, &copy);
    if (status)
        return status;
    close(a->fd);
    a->fd = copy;
    return fstat(copy, &st) ? sj_fail_errno("cannot read '%s'", a->name) : open_file(a, "-", st.st_size);
}

static int open_any(struct sj_audio *a, const char *path)
{
    struct stat st;
    int standard = !strcmp(path, "-");
    a->fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC);
    if (a->fd < 0 || fstat(a->fd, &st))
        return sj_fail_errno("cannot open '%s'", a->name);
    if (S_ISDIR(st.st_mode))
        return sj_fail(SJ_INPUT, "'%s' is a directory, not a sound file", a->name);
    if (!S_ISREG(st.st_mode) || lseek(a->fd, 0, SEEK_CUR))
        return open_pipe(a);
    if (standard && access("/proc/self/fd/0", R_OK)) /* what may be read, but not opened anew: another user's */
        return open_pipe(a);
    return open_file(a, path, st.st_size);
}

int sj_audio_open(const char *path, int stream, struct sj_audio **out)
{
    struct sj_audio *a = calloc(1, sizeof *a);
    if (!a || !(a->name = strdup(strcmp(path, "-") ? path : "standard input"))) {
        free(a);
        return sj_fail(SJ_SYSTEM, "no memory to open '%s'", path);
    }
    a->stated = UNKNOWN;
    a->fd = -1;
    int status = stream >= 0 ? open_stream(a, path, stream) : open_any(a, path);
    if (!status && (a->info.samplerate < SJ_AUDIO_MIN_HZ || a->info.samplerate > SJ_AUDIO_MAX_HZ))
        status = refuse_rate(a, a->info.samplerate);
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
    if (a->file && sf_error(a->file))
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
    int64_t n = 0;
    int status = SJ_OK;
    if (a->mp3)
        status = sj_mp3_read(a->mp3, out, frames, &n);
    else
        n = sf_readf_float(a->file, out, frames);
    if (status || n <= 0)
        return status ? status : finish(a);
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
    sj_mp3_close(a->mp3);
    sj_ffmpeg_close(a->process);
    if (a->fd >= 0)
        close(a->fd);
    free(a->name);
    free(a);
}

/* -- writing ------------------------------------------------------------------------------------------------------- */
static int write_samples(const char *path, const char *temp, const int16_t *x, int64_t frames, int channels, int rate)
{
    SF_INFO info = {.samplerate = rate, .channels = channels, .format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16};
    if (!sf_format_check(&info))
        return sj_fail(SJ_USAGE, "cannot write '%s': no FLAC file has %d channels at %d Hz", path, channels, rate);
    SNDFILE *f = sf_open(temp, SFM_WRITE, &info);
    if (!f)
        return sj_fail(SJ_SYSTEM, "cannot write '%s': %s", path, sf_strerror(NULL));
    const int all = sf_writef_short(f, x, frames) == frames;
    const int bad = sf_close(f);
    return all && !bad ? SJ_OK : sj_fail(SJ_SYSTEM, "cannot write '%s'", path);
}

int sj_flac_write(const char *path, const float *x, int64_t frames, int channels, int rate_hz)
{
    const size_t count = (size_t)frames * (size_t)channels;
    struct sj_whole *whole = NULL;
    int16_t *samples = malloc((count + 1) * sizeof *samples);
    int status = samples ? sj_whole_new(path, &whole) : sj_fail(SJ_SYSTEM, "no memory to write '%s'", path);
    if (!status) {
        sj_dtype_from_f32(SJ_I16, count, x, samples);
        status = write_samples(path, sj_whole_temp(whole), samples, frames, channels, rate_hz);
    }
    free(samples);
    if (!status)
        return sj_whole_commit(whole);
    sj_whole_discard(whole);
    return status;
}
