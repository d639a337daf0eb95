/* Sound files of every kind against the tones that they were made of; damaged ones by name and reason. */
#include "audio.h"
#include "decode.h"
#include "spool.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/folder.h"
#include "tests/tap.h"

enum { U8 = 8, S16 = 16, S24 = 24, F32 = 32 };

/* Channel c of the test signal at time t: one tone each, well below every Nyquist frequency used. */
static double tone(int c, double t)
{
    return (0.3 + 0.1 * c) * sin(2 * M_PI * (220 + 130 * c) * t + c);
}

static void put(FILE *f, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        fputc(v >> 8 * i & 255, f);
}

static void wav(const char *name, int rate, int channels, int kind, int frames, double bad)
{
    FILE *f = fopen(in_dir(name), "w");
    int bytes = kind / 8;
    uint32_t data = (uint32_t)(frames * channels * bytes);
    fputs("RIFF", f), put(f, 36 + data, 4), fputs("WAVEfmt ", f), put(f, 16, 4), put(f, kind == F32 ? 3 : 1, 2);
    put(f, (uint32_t)channels, 2), put(f, (uint32_t)rate, 4), put(f, (uint32_t)(rate * channels * bytes), 4);
    put(f, (uint32_t)(channels * bytes), 2), put(f, (uint32_t)kind, 2), fputs("data", f), put(f, data, 4);
    for (int i = 0; i < frames; i++)
        for (int c = 0; c < channels; c++) {
            double x = tone(c, i / (double)rate);
            float single = (float)(bad != 0 && i == frames / 2 && !c ? bad : x);
            uint32_t bits;
            memcpy(&bits, &single, 4);
            uint32_t whole = (uint32_t)lrint(kind == U8 ? x * 127 + 128 : x * (kind == S16 ? 0x7fff : 0x7fffff));
            put(f, kind == F32 ? bits : whole, bytes);
        }
    fclose(f);
}

/* Decodes all of it, `step` samples at a time; lanes (lanes,room). Returns the status. */
static int decode(const char *path, int apart, int64_t step, float *out, int64_t room, int *lanes, int64_t *n)
{
    struct sj_decode *d;
    int status = sj_decode_open(path, SJ_AUDIO_AUTO, apart, &d);
    int64_t got = 1;
    *n = 0;
    if (status)
        return status;
    *lanes = sj_decode_lanes(d);
    while (got && !status && *n < room) {
        float *lane[16];
        for (int i = 0; i < *lanes; i++)
            lane[i] = out + i * room + *n;
        status = sj_decode_read(d, room - *n < step ? room - *n : step, lane, &got);
        *n += got;
    }
    sj_decode_close(d);
    return status;
}

/* The largest deviation from the tones of channels first .. first+count-1, averaged; edges left out. */
static double deviation(const float *x, int64_t n, int first, int count)
{
    double worst = n < 2000 ? 1e9 : 0;
    for (int64_t i = 500; i < n - 500; i++) {
        double want = 0;
        for (int c = first; c < first + count; c++)
            want += tone(c, (double)i / SJ_DECODE_HZ) / count;
        worst = fmax(worst, fabs(x[i] - want));
    }
    return worst;
}

static float out[16 * 40000];

static void every_format(void)
{
    static const struct { const char *name; int rate, channels, kind; double bound; } made[] = {
        {"u8.wav", 44100, 2, U8, 0.02}, {"s16.wav", 44100, 1, S16, 3e-4}, {"s24.wav", 48000, 3, S24, 2e-5},
        {"f32.wav", 11025, 2, F32, 2e-5}, {"same.wav", 16000, 4, F32, 1e-6}, {"low.wav", 8000, 1, S16, 3e-4},
        {"odd.wav", 44101, 5, S24, 2e-5}, {"high.wav", 192000, 2, F32, 2e-5}};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        int lanes, frames = made[i].rate + 7;
        int64_t n;
        wav(made[i].name, made[i].rate, made[i].channels, made[i].kind, frames, 0);
        int status = decode(in_dir(made[i].name), 0, 40000, out, 40000, &lanes, &n);
        double e = status ? 1 : deviation(out, n, 0, made[i].channels);
        ok(!status && e < made[i].bound, "%s: the mean of %d channels at %d Hz, off by %.1e %s", made[i].name,
           made[i].channels, made[i].rate, e, status ? sj_reason() : "");
        is_int(n, llrint(frames * 16000.0 / made[i].rate), "  and its length");
    }
    int lanes;
    int64_t n, m;
    double worst = 0;
    decode(in_dir("odd.wav"), 4, 40000, out, 40000, &lanes, &n);
    is_int(lanes, 1, "five channels where four would be kept apart: one lane");
    decode(in_dir("odd.wav"), 5, 40000, out, 40000, &lanes, &n);
    is_int(lanes, 5, "a lane per channel");
    for (int c = 0; c < lanes; c++)
        worst = fmax(worst, deviation(out + c * 40000, n, c, 1));
    ok(worst < 2e-5, "each its own, off by %.1e", worst);
    static float again[5 * 40000];
    decode(in_dir("odd.wav"), 5, 37, again, 40000, &lanes, &m);
    int same = m == n;
    for (int c = 0; c < lanes; c++)
        same &= !memcmp(again + c * 40000, out + c * 40000, (size_t)n * sizeof *out);
    ok(same, "in pieces of 37 samples the same");
}

static void through_programs(void)
{
    static const struct { const char *options, *name; double bound; } made[] = {
        {"", "x.flac", 3e-4}, {"", "x.aiff", 3e-4}, {"", "x.caf", 3e-4}, {"-rf64 always", "rf64.wav", 3e-4},
        {"-c:a pcm_f32be", "x.au", 3e-4}, {"-c:a pcm_f32le", "x.w64", 3e-4}, {"-q:a 9", "x.ogg", 0.05},
        {"-b:a 192k", "x.mp3", 0.05}, {"-b:a 192k", "x.m4a", 0.05}, {"-b:a 192k", "x.opus", 0.05}};
    if (system("ffmpeg -version >/dev/null 2>&1")) {
        skip("compressed formats", "no ffmpeg");
        return;
    }
    wav("x.wav", 44100, 2, S16, 44100, 0);
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        char command[800];
        int lanes;
        int64_t n = 0;
        snprintf(command, sizeof command, "ffmpeg -v error -nostdin -y -i '%s' %s '%s'", in_dir("x.wav"),
                 made[i].options, in_dir(made[i].name));
        int status = system(command) ? 99 : decode(in_dir(made[i].name), 0, 40000, out, 40000, &lanes, &n);
        double e = status ? 1 : deviation(out, n > 16000 ? 16000 : n, 0, 2);
        ok(!status && e < made[i].bound, "%s: off by %.1e %s", made[i].name, e, status ? sj_reason() : "");
        ok(n >= 16000 && n < 17700, "  and its length: %lld", (long long)n); /* codecs pad */
    }
}

static void cut(const char *from, const char *to, double part)
{
    char command[800];
    struct stat st;
    stat(in_dir(from), &st);
    snprintf(command, sizeof command, "head -c %lld '%s' >'%s'", (long long)(part * (double)st.st_size), in_dir(from),
             in_dir(to));
    if (system(command))
        ok(0, "cannot cut %s", from);
}

static void refused(const char *name, int want, const char *why)
{
    int lanes;
    int64_t n;
    int status = decode(in_dir(name), 0, 1000, out, 40000, &lanes, &n);
    ok(status == want && strstr(sj_reason(), name) && strstr(sj_reason(), why), "%s: %d %s", name, status, sj_reason());
}

static void damaged(void)
{
    FILE *f;
    fclose(fopen(in_dir("empty.wav"), "w"));
    refused("empty.wav", SJ_INPUT, "empty");
    refused("absent.wav", SJ_SYSTEM, "No such file");
    mkdir(in_dir("folder.wav"), 0777);
    refused("folder.wav", SJ_INPUT, "directory");
    wav("zero.wav", 0, 2, S16, 1000, 0);
    refused("zero.wav", SJ_INPUT, "0 Hz");
    wav("slow.wav", 10, 2, S16, 1000, 0);
    refused("slow.wav", SJ_INPUT, "10 Hz");
    wav("none.wav", 44100, 2, S16, 0, 0);
    refused("none.wav", SJ_INPUT, "no samples");
    wav("nan.wav", 44100, 2, F32, 44100, NAN);
    refused("nan.wav", SJ_INPUT, "not a finite number between 0.3");
    wav("inf.wav", 16000, 1, F32, 16000, INFINITY);
    refused("inf.wav", SJ_INPUT, "not a finite number");
    cut("s16.wav", "cut.wav", 0.5);
    refused("cut.wav", SJ_INPUT, "cut short");
    f = fopen(in_dir("letter.txt"), "w");
    for (int i = 0; i < 100; i++)
        fputs("to whom it may concern\n", f);
    fclose(f);
    if (system("ffmpeg -version >/dev/null 2>&1")) {
        skip("cut and foreign files", "no ffmpeg");
    } else {
        refused("letter.txt", SJ_INPUT, "ffmpeg");
        static const char *const ends[] = {"flac", "aiff", "ogg", "mp3", "m4a", "au", "w64"};
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
            char from[16], to[16];
            snprintf(from, sizeof from, "x.%s", ends[i]);
            snprintf(to, sizeof to, "cut.%s", ends[i]);
            cut(from, to, 0.6);
            refused(to, SJ_INPUT, "");
        }
    }
    setenv("PATH", dir, 1);
    refused("letter.txt", SJ_SYSTEM, "ffmpeg program, which is not installed");
}

static int from_file(const char *name, int64_t *n)
{
    int lanes, saved = dup(0), fd = open(in_dir(name), O_RDONLY);
    dup2(fd, 0);
    close(fd);
    int status = decode("-", 0, 40000, out, 40000, &lanes, n);
    dup2(saved, 0);
    close(saved);
    return status;
}

/* The shell's `cat FILE | ...`: standard input that cannot seek. */
static int from_pipe(const char *name, int64_t *n)
{
    int fd[2], lanes, saved = dup(0);
    if (pipe(fd))
        return 99;
    FILE *f = fopen(in_dir(name), "r");
    fflush(stdout); /* or the child would print it again */
    pid_t child = fork();
    if (!child) {
        char byte[4096];
        size_t k;
        close(fd[0]);
        while ((k = fread(byte, 1, sizeof byte, f)) && write(fd[1], byte, k) > 0)
            ;
        _exit(0);
    }
    fclose(f);
    close(fd[1]);
    dup2(fd[0], 0);
    close(fd[0]);
    int status = decode("-", 0, 40000, out, 40000, &lanes, n);
    dup2(saved, 0);
    close(saved);
    return status;
}

static void standard_input(void)
{
    int64_t n;
    int status = from_pipe("s16.wav", &n);
    ok(!status && n == 16003 && deviation(out, n, 0, 1) < 3e-4, "a pipe: %s", status ? sj_reason() : "read");
    cut("s16.wav", "cut.wav", 0.5);
    status = from_file("cut.wav", &n);
    ok(status == SJ_INPUT && strstr(sj_reason(), "header states"), "a cut file: %s", sj_reason());
    status = from_file("s16.wav", &n);
    ok(!status && n == 16003, "a file: %s", status ? sj_reason() : "read");
    /* what was cut in a pipe shows at its end */
    status = from_pipe("cut.wav", &n);
    ok(status == SJ_INPUT && strstr(sj_reason(), "standard input") && strstr(sj_reason(), "cut short"),
       "a cut pipe: %s", sj_reason());
    /* a program that did not know the length when it wrote the header */
    FILE *f = fopen(in_dir("s16.wav"), "r+");
    fseek(f, 4, SEEK_SET), put(f, 0xffffffff, 4), fseek(f, 40, SEEK_SET), put(f, 0xffffffff, 4);
    fclose(f);
    status = from_pipe("s16.wav", &n);
    ok(!status && n == 16003, "a pipe of unknown length: %s", status ? sj_reason() : "read");
}

/* Every format as it comes through a pipe: whole it is what the file is, cut it is refused. */
static void every_pipe(void)
{
    static const char *const names[] = {"x.flac", "x.aiff", "x.caf", "rf64.wav", "x.au",
                                        "x.w64", "x.ogg", "x.mp3", "x.m4a", "x.opus"};
    static float file[40000];
    if (system("ffmpeg -version >/dev/null 2>&1")) {
        skip("pipes of every format", "no ffmpeg");
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char to[24];
        int lanes;
        int64_t n = 0, m = 0;
        int status = decode(in_dir(names[i]), 0, 40000, file, 40000, &lanes, &n);
        status = status ? status : from_pipe(names[i], &m);
        ok(!status && n == m && !memcmp(file, out, (size_t)n * sizeof *out), "%s through a pipe: %s", names[i],
           status ? sj_reason() : "the same");
        snprintf(to, sizeof to, "cut-%s", names[i]);
        cut(names[i], to, 0.6);
        status = from_pipe(to, &m);
        ok(status == SJ_INPUT && strstr(sj_reason(), "standard input"), "%s: %s", to, sj_reason());
        status = from_file(to, &m);
        ok(status == SJ_INPUT && strstr(sj_reason(), "standard input"), "%s as a file: %s", to, sj_reason());
    }
}

/* libmpg123 has much to say about damaged files; nobody but us speaks to people. */
static void silence(void)
{
    static char noise[6000];
    if (access(in_dir("x.mp3"), F_OK)) {
        skip("a damaged MP3 file", "no ffmpeg");
        return;
    }
    FILE *f = fopen(in_dir("x.mp3"), "r+");
    srand(1);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)rand();
    fseek(f, 8000, SEEK_SET), fwrite(noise, 1, sizeof noise, f), fclose(f);
    int64_t n;
    int saved = dup(2), lanes, fd = open(in_dir("said"), O_CREAT | O_TRUNC | O_RDWR, 0600);
    struct stat st;
    dup2(fd, 2);
    int status = decode(in_dir("x.mp3"), 0, 1000, out, 40000, &lanes, &n);
    cut("x.mp3", "cut.mp3", 0.3);
    int other = decode(in_dir("cut.mp3"), 0, 1000, out, 40000, &lanes, &n);
    dup2(saved, 2);
    close(saved);
    ok(status == SJ_INPUT && other == SJ_INPUT, "damaged MP3 files: %s", sj_reason());
    ok(!fstat(fd, &st) && !st.st_size, "nothing is said beside it");
    close(fd);
}

static void kept(void)
{
    int fd[2], file = -1;
    struct stat st;
    unsigned char peeked[4];
    if (pipe(fd) || write(fd[1], "ab", 2) != 2)
        return;
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        usleep(20000);
        _exit(write(fd[1], "cdefgh", 6) != 6);
    }
    ok(sj_spool_peek(fd[0], peeked, 4) == 4 && !memcmp(peeked, "abcd", 4), "the head of a pipe, written in two pieces");
    close(fd[1]);
    waitpid(child, NULL, 0);
    ok(!sj_spool(fd[0], "x", 8, &file) && !fstat(file, &st) && st.st_size == 8 && !st.st_nlink,
       "all of it is kept, without a name");
    close(file);
    ok(sj_spool_peek(fd[0], peeked, 4) == 0, "nothing is left");
    close(fd[0]);
    file = open(in_dir("x.wav"), O_RDONLY);
    ok(sj_spool(file, "x", 100, &fd[0]) == SJ_INPUT && strstr(sj_reason(), "longer than"), "%s", sj_reason());
    setenv("TMPDIR", "/nowhere", 1);
    ok(sj_spool(file, "x", 1 << 20, &fd[0]) == SJ_SYSTEM && strstr(sj_reason(), "/nowhere"), "%s", sj_reason());
    unsetenv("TMPDIR");
    close(file);
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    every_format();
    through_programs();
    standard_input();
    every_pipe();
    kept();
    wav("s16.wav", 44100, 1, S16, 44107, 0);
    silence();
    damaged();
    char command[64];
    snprintf(command, sizeof command, "/bin/rm -rf '%s'", dir);
    ok(!system(command), "tidy");
    return done();
}
