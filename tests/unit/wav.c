/* WAV files: what libsndfile reads from them is what was written. */
#include "wav.h"

#include "audio.h"
#include "tests/streams.h"
#include "tests/tap.h"

enum { FRAMES = 10001 };

static const char *const files[] = {"a.wav", NULL};
static char path[64];

static void round_trip(enum sj_dtype format, int channels, double bound)
{
    struct sj_wav *w = NULL;
    struct sj_audio *a = NULL;
    int64_t got = 0, n = FRAMES;
    size_t count = (size_t)FRAMES * (size_t)channels;
    float *in = malloc(count * sizeof *in), *out = malloc((count + 1) * sizeof *out);
    struct sj_rng r = sj_rng(3, 4);
    for (size_t i = 0; i < count; i++)
        in[i] = sj_rng_range(&r, -1, 1);
    int wrote = !sj_wav_create(path, 16000, channels, format, &w) && !sj_wav_write(w, in, 1) &&
                !sj_wav_write(w, in + channels, n - 1) && access(path, F_OK) && !sj_wav_commit(w);
    ok(wrote, "%d channels of %s", channels, sj_dtype_name(format));
    if (!ok(wrote && !sj_audio_open(path, SJ_AUDIO_AUTO, &a), "%s", wrote ? "opens" : sj_reason()))
        return;
    ok(sj_audio_rate_hz(a) == 16000 && sj_audio_channels(a) == channels, "rate and channels");
    int64_t at = 0;
    while (!sj_audio_read(a, out + at * channels, n - at, &got) && got)
        at += got;
    is_int(at, n, "frames");
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)out[i] - (double)in[i]));
    is_near(most, 0, bound, "largest difference");
    sj_audio_close(a);
    unlink(path);
    free(in);
    free(out);
}

int main(void)
{
    struct sj_wav *w = NULL;
    float zero[2] = {0};
    if (!ok(streams_begin(), "a temporary folder"))
        return done();
    streams_path(path, "a.wav");
    round_trip(SJ_F32, 1, 0);
    round_trip(SJ_F32, 3, 0);
    round_trip(SJ_I16, 1, 0x1p-15);
    is_int(sj_wav_create(path, 0, 1, SJ_F32, &w), SJ_USAGE, "no rate");
    is_int(sj_wav_create("/nowhere/a.wav", 1, 1, SJ_F32, &w), SJ_SYSTEM, "no folder");
    ok(!sj_wav_create(path, 1, 1, SJ_F32, &w) && sj_wav_write(w, zero, INT64_MAX / 8) == SJ_USAGE, "too long");
    sj_wav_abort(w);
    ok(streams_end(files), "nothing is left behind");
    return done();
}
