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

/* n bytes, least or (big) most significant first */
static uint64_t number(const unsigned char *b, int n, int big)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | b[big ? i : n - 1 - i];
    return v;
}

/* The size of the file that a header states, or 0. RIFF and AIFF: in bytes 4-7, less the 8 of the head, which some writers
 * count in; AU: that of the sound, after that of the head; Wave64: in bytes 16-23. Sizes at the top of the range are what
 * programs write that do not know yet. */
static uint64_t stated_bytes(const unsigned char h[24])
{
    int big = !memcmp(h, "RIFX", 4) || !memcmp(h, "FORM", 4) || !memcmp(h, ".snd", 4);
    if (!memcmp(h, "riff", 4))
        return number(h + 16, 8, 0) >> 62 ? 0 : number(h + 16, 8, 0);
    int au = !memcmp(h, ".snd", 4) || !memcmp(h, "dns.", 4);
    if (!au && !big && memcmp(h, "RIFF", 4))
        return 0;
    uint64_t size = number(h + (au ? 8 : 4), 4, big);
    if (size >= 0xffffff00u || (size >= 0x7fffff00u && size <= 0x7fffffffu))
        return 0;
    return au ? size + number(h + 4, 4, big) : size;
}

/* Where the sound of a WAV file ends by the word of its "data" chunk, or 0 when there is none or it is not known. */
static uint64_t stated_data_end(int fd, const unsigned char h[24])
{
    unsigned char c[8];
    int big = !memcmp(h, "RIFX", 4);
    if ((!big && memcmp(h, "RIFF", 4)) || memcmp(h + 8, "WAVE", 4))
        return 0;
    for (uint64_t at = 12; pread(fd, c, sizeof c, (off_t)at) == sizeof c;) {
        uint64_t size = number(c + 4, 4, big);
        if (!memcmp(c, "data", 4))
            return size >= 0x7fffff00u ? 0 : at + sizeof c + size;
        at += sizeof c + size + (size & 1);
    }
    return 0;
}

/* libsndfile silently takes what is there of a file that was cut. */
static int check_form(int fd, const char *name, int64_t size)
{
    unsigned char h[24] = {0};
    if (pread(fd, h, sizeof h, 0) != sizeof h)
        return SJ_OK;
    uint64_t stated = stated_bytes(h), end = stated_data_end(fd, h);
    if (end > stated)
        stated = end;
    return stated <= (uint64_t)size ? SJ_OK
                                    : sj_fail(SJ_INPUT, "'%s' is cut short: %lld bytes of the %llu that its header states",
                                              name, (long long)size, (unsigned long long)stated);
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
    if (strstr(why, "does not exist")) /* what libsndfile says of a file in which it finds no MP3 frame */
        why = "there is no sound in it";
    if (strstr(why, "SF_INFO"))
        why = "its header states a sample rate of 0 Hz or no channels";
    return sj_fail(SJ_INPUT, "'%s' cannot be read as sound: %s", a->name, why);
}

static int check_last_page(const struct sj_audio *a, int regular)
{
    if (regular && a->stated == UNKNOWN && (a->info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_OGG)
        return sj_fail(SJ_INPUT, "'%s' is cut short: its last page is missing", a->name);
    return SJ_OK;
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

/* libsndfile takes the floats of an extensible Wave64 file for integers. */
static int is_misread(const struct sj_audio *a)
{
    return (a->info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_W64 &&
           (a->info.format & SF_FORMAT_SUBMASK) == SF_FORMAT_PCM_32;
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
    if (regular) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return sj_fail_errno("cannot open '%s'", path);
        int status = check_form(fd, path, st.st_size);
        close(fd);
        if (status)
            return status;
    }
    a->file = sf_open(path, SFM_READ, &a->info);
    if (!a->file) {
        int code = sf_error(NULL);
        if (code == SF_ERR_UNRECOGNISED_FORMAT && regular)
            return open_process(a, path, 0);
        return code == SF_ERR_SYSTEM ? sj_fail(SJ_SYSTEM, "cannot open '%s': %s", path, sf_strerror(NULL)) : refuse(a);
    }
    if (is_misread(a)) {
        sf_close(a->file);
        a->info = (SF_INFO){0};
        return open_process(a, path, 0);
    }
    a->stated = stated_frames(&a->info, regular);
    return check_last_page(a, regular);
}

static int open_stdin(struct sj_audio *a)
{
    struct stat st;
    int regular = !fstat(STDIN_FILENO, &st) && S_ISREG(st.st_mode);
    int status = regular && !lseek(STDIN_FILENO, 0, SEEK_CUR) ? check_form(STDIN_FILENO, a->name, st.st_size) : SJ_OK;
    if (status)
        return status;
    a->file = sf_open_fd(STDIN_FILENO, SFM_READ, &a->info, 0);
    if (!a->file)
        return refuse(a);
    if (is_misread(a))
        return sj_fail(SJ_INPUT, "'%s' is a 32-bit Wave64 file, which can be read only by its name", a->name);
    a->stated = stated_frames(&a->info, regular);
    return check_last_page(a, regular);
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
