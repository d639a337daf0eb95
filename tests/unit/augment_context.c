/* What happens to the context alone: each ingredient measured by itself, then in pairs. */
#include <complex.h>
#include <stdlib.h>
#include <unistd.h>

#include "audio_codec.h"
#include "augment_own.h"
#include "tests/folder.h"
#include "tests/tap.h"

enum { RATE = 16000, N = 80000, CROP = 32000, WIDTH = 200 + CROP + 40, LENGTH = 60000, DRAWS = 100 };

static float x[N], y[N];

static double power(const float *v, int from, int to)
{
    double sum = 0;
    for (int i = from; i < to; i++)
        sum += (double)v[i] * v[i];
    return sum / (to - from);
}

static double db(double power_ratio)
{
    return 10 * log10(power_ratio);
}

/* |response| at hz of the filter whose impulse response is v (n). */
static double response_db(const float *v, int n, double hz)
{
    double complex sum = 0;
    for (int i = 0; i < n; i++)
        sum += v[i] * cexp(-2 * 3.14159265358979323846 * I * hz * i / RATE);
    return 20 * log10(cabs(sum));
}

static void noise_into(float *v, int n, uint64_t seed)
{
    struct sj_rng r = sj_rng(seed, 1);
    for (int i = 0; i < n; i++)
        v[i] = sj_rng_range(&r, -0.5f, 0.5f);
}

/* -- each by itself ------------------------------------------------------------------------------------------------ */

static void rooms(struct sj_echo *e)
{
    double least = 99, most = -99, worst = 0, off = 0, shortest = 99, longest = 0;
    for (uint64_t n = 0; n < 40; n++) {
        static float h[N];
        struct sj_rng r = sj_rng(7, n), same = r;
        memset(h, 0, sizeof h);
        h[0] = 1;
        sj_augment_room(e, &r, N, h);
        double direct = (double)h[0] * h[0], rest = power(h, 1, 8192) * 8191;
        double half_s = 0; /* when half of the energy that comes after the direct sound has come */
        for (double got = 0; got < rest / 2; half_s += 1. / RATE)
            got += pow(h[1 + (int)lrint(half_s * RATE)], 2);
        least = fmin(least, db(direct / rest)), most = fmax(most, db(direct / rest));
        shortest = fmin(shortest, half_s), longest = fmax(longest, half_s);
        worst = fmax(worst, fabs(direct + rest - 1));
        noise_into(x, N, n);
        memcpy(y, x, sizeof x);
        sj_augment_room(e, &same, N, y);
        for (int i = 3; i < N; i += 6553) { /* on both sides of the blocks' ends, too */
            double want = 0;
            for (int k = 0; k < 8192 && k <= i; k++)
                want += (double)h[k] * x[i - k];
            off = fmax(off, fabs(y[i] - want));
        }
    }
    ok(least > -0.1 && least < 2 && most < 15.1 && most > 13, "rooms: the direct sound %.1f to %.1f dB above the rest",
       least, most);
    ok(shortest > 0.002 && longest < 0.06 && longest > 2 * shortest, "half of which has come after %.3f to %.3f s",
       shortest, longest);
    ok(worst < 1e-3, "of energy 1");
    ok(off < 1e-4, "a convolution, off by %.1g", off);
}

/* Half a second loud, half a second 20 dB less. */
static void compressions(void)
{
    double least = 99, most = -99, level = 0;
    for (uint64_t n = 0; n < DRAWS; n++) {
        struct sj_rng r = sj_rng(7, n);
        noise_into(x, N, 5);
        for (int i = 0; i < N; i++)
            x[i] *= i / 8000 % 2 ? 0.1f : 1;
        memcpy(y, x, sizeof x);
        sj_augment_compress(&r, N, y);
        double range = db(power(y, 36000, 40000) / power(y, 44000, 48000));
        least = fmin(least, range), most = fmax(most, range);
        level = fmax(level, fabs(db(power(y, 0, N) / power(x, 0, N))));
    }
    ok(least < 9 && least > 2 && most < 20 && most > 14, "20 dB between loud and soft become %.1f to %.1f", least,
       most);
    ok(level < 0.01, "at the same level");
}

static void bands(void)
{
    int low = 0, bad = 0;
    for (uint64_t n = 0; n < DRAWS / 2; n++) {
        struct sj_rng r = sj_rng(7, n);
        enum { TAPS = 6000 };
        double edge = 0;
        memset(x, 0, TAPS * sizeof *x);
        x[0] = 1;
        sj_augment_band(&r, TAPS, x);
        const int is_low = response_db(x, TAPS, 20) > -1;
        double from = is_low ? 1900 : 38, to = is_low ? 7100 : 420, open = is_low ? 20 : 7900;
        for (double f = from; f < to; f *= 1.01)
            if (fabs(response_db(x, TAPS, f) + 3.01) < fabs(response_db(x, TAPS, edge) + 3.01))
                edge = f;
        bad += fabs(response_db(x, TAPS, edge) + 3.01) > 0.3 || fabs(response_db(x, TAPS, open)) > 0.1;
        bad += !is_low && fabs(response_db(x, TAPS, edge / 4) + 24) > 1; /* 12 dB an octave */
        low += is_low;
    }
    ok(!bad, "a low-pass of 2 to 7 kHz or a high-pass of 40 to 400 Hz");
    ok(low > 12 && low < 38, "%d of %d are the one", low, DRAWS / 2);
}

static void noises(void)
{
    double least = 99, most = -99, mean = 0, coloured = 0, biased = 0;
    for (uint64_t n = 0; n < DRAWS; n++) {
        struct sj_rng r = sj_rng(7, n);
        noise_into(x, N, 5);
        memcpy(y, x, sizeof x);
        sj_augment_noise(&r, -20, N - 5, y);
        double product = 0, sum = 0;
        for (int i = 0; i < N; i++)
            y[i] -= x[i], sum += y[i];
        double p = power(y, 0, N - 5), level = db(p / power(x, 0, N - 5));
        for (int lag = 1; lag < 20; lag++, product = 0) {
            for (int i = 0; i + lag < N - 5; i++)
                product += (double)y[i] * y[i + lag];
            coloured = fmax(coloured, fabs(product / N / p));
        }
        biased = fmax(biased, fabs(sum / N) / sqrt(p));
        least = fmin(least, level), most = fmax(most, level), mean += level / DRAWS;
    }
    ok(least > -40.1 && least < -39 && most < -19.9 && most > -21 && fabs(mean + 30) < 2,
       "noise from %.1f to %.1f dB, %.1f on average", least, most, mean);
    ok(coloured < 0.03 && biased < 0.02, "white: %.3f to what came before, %.3f on average", coloured, biased);
}

static double correlation(const float *a, const float *b, int n, int lag)
{
    double ab = 0, aa = 0, bb = 0;
    for (int i = 2000; i < n - 2000 && i < 10000; i++)
        ab += (double)a[i] * b[i + lag], aa += (double)a[i] * a[i], bb += (double)b[i + lag] * b[i + lag];
    return ab / sqrt(aa * bb);
}

static void codecs(void)
{
    enum { LONG = 48000 };
    static const char *const name[] = {"MP3", "Vorbis"};
    if (!ok(!sj_codec_check(), "libsndfile has both codecs"))
        return;
    for (int c = 0; c < SJ_CODECS; c++) {
        double kept[3];
        int late = 0;
        for (int q = 0; q < 3; q++) {
            for (int i = 0; i < LONG; i++) /* a chord that changes, and noise */
                for (int k = x[i] = 0; k < 5; k++)
                    x[i] += 0.1f * sinf((float)i * (0.02f + 0.03f * (float)(k * k)) +
                                        (float)k * sinf((float)i * 0.0007f));
            noise_into(y, LONG, 3);
            for (int i = 0; i < LONG; i++)
                y[i] = x[i] += 0.1f * y[i];
            if (sj_codec_pass((enum sj_codec)c, 0.5 * q, RATE, LONG, y))
                printf("# %s\n", sj_reason());
            kept[q] = correlation(x, y, LONG, 0);
            for (int lag = -1500; lag <= 1500; lag += 5 - 4 * (abs(lag) <= 20))
                late += correlation(x, y, LONG, lag) > kept[q];
        }
        ok(kept[0] < 0.99999 && kept[0] > kept[1] && kept[1] > kept[2] && kept[2] > 0.9,
           "%s: correlations of %.4f, %.4f and %.4f as it gets worse", name[c], kept[0], kept[1], kept[2]);
        ok(!late, "not late or early");
        for (int n = 1; n < 3000; n = n * 3 + 1) {
            memcpy(y, x, (size_t)n * sizeof *y);
            y[n] = 77;
            ok(!sj_codec_pass((enum sj_codec)c, 0.5, RATE, n, y) && y[n] == 77, "%d samples", n);
        }
    }
    struct sj_rng r = sj_rng(7, 0);
    memset(x, 0, sizeof x);
    ok(!sj_augment_codec(&r, LONG, x) && power(x, 0, LONG) == 0, "silence stays silence");
    noise_into(x, LONG, 3);
    for (int i = 0; i < LONG; i++)
        y[i] = x[i] *= 5; /* beyond full scale */
    ok(!sj_augment_codec(&r, LONG, y) && correlation(x, y, LONG, 0) > 0.5, "what is too loud is not clipped: %.3f",
       correlation(x, y, LONG, 0));
}

/* -- in pairs ------------------------------------------------------------------------------------------------------ */

static int make_set(const char *name)
{
    static const char *const two[] = {"a", "b"};
    static int16_t audio[2 * LENGTH];
    struct sj_dataset_writer *w;
    struct sj_rng r = sj_rng(9, 0);
    for (int i = 0; i < 2 * LENGTH; i++)
        audio[i] = (int16_t)((int)sj_rng_below(&r, 8001) - 4000 + i % 80 * 50);
    int status = sj_dataset_writer_open(in_dir(name), 2, two, "[]", &w);
    if (!status)
        status = sj_dataset_writer_add(w, "t", "", 2, (int32_t[]){0, 1}, LENGTH, audio);
    return status ? status : sj_dataset_writer_close(w, SJ_OK);
}

static struct sj_sampler *open_set(const char *name, const char *spec)
{
    struct sj_sampler *s = NULL;
    struct sj_augment how;
    const char *path = in_dir(name);
    if (sj_sampler_open(1, &path, NULL, 3, CROP, &s) ||
        (spec && (sj_augment_parse(spec, &how) || sj_sampler_augment(s, &how))))
        printf("# %s\n", sj_reason());
    return s;
}

static void chances(void)
{
    static const struct {
        const char *spec;
        int least, most; /* contexts of 100 that are changed */
    } cases[] = {{"room=0.3", 18, 42}, {"compress=0.3", 18, 42}, {"band=0.3", 18, 42}, {"noise=-50", 100, 100},
                 {"codec=0.1", 3, 19}, {"room=1", 100, 100}};
    static float plain[2][WIDTH], changed[2][WIDTH];
    struct sj_sampler *a = open_set("set", NULL);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct sj_sampler *b = open_set("set", cases[k].spec);
        int targets = 0, contexts = 0, bad = 0;
        for (uint64_t n = 0; n < DRAWS; n++) {
            struct sj_pair pair;
            bad += sj_sampler_pair(a, n, plain[0], plain[1], &pair) ||
                   sj_sampler_pair(b, n, changed[0], changed[1], &pair);
            contexts += memcmp(plain[0], changed[0], sizeof plain[0]) != 0;
            targets += memcmp(plain[1], changed[1], sizeof plain[1]) != 0;
            for (int i = 1; i <= 200 && !bad; i++)
                bad = changed[0][200 - i] != changed[0][200 + i];
        }
        ok(!bad && !targets && contexts >= cases[k].least && contexts <= cases[k].most,
           "%s: %d of %d contexts, %d targets", cases[k].spec, contexts, DRAWS, targets);
        sj_sampler_close(b);
    }
    sj_sampler_close(a);
}

int main(void)
{
    struct sj_echo *e = NULL;
    if (!mkdtemp(dir) || make_set("set") || sj_echo_new(&e)) {
        printf("# %s\n", sj_reason());
        return 1;
    }
    rooms(e);
    sj_echo_free(e);
    compressions();
    bands();
    noises();
    codecs();
    chances();
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ok(!system(command), "tidy");
    return done();
}
