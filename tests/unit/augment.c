/* Pairs changed at random: each ingredient does what it says, to whom it says, and nothing else changes. What happens
 * to the context alone: tests/unit/augment_context.c. */
#include "augment.h"

#include <complex.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/folder.h"
#include "tests/tap.h"

enum { CROP = 32000, WIDTH = 200 + CROP + 40, RATE = 16000, LENGTH = 100000, TONES = 7, STEMS = 6, PAIRS = 200 };

static const char *const six[] = {"a", "b", "c", "d", "e", "f"};
static const double stem_hz[STEMS] = {300, 500, 800, 1300, 2100, 3400};
static float plain[2][WIDTH], changed[2][WIDTH]; /* context, target */

/* -- sounds -------------------------------------------------------------------------------------------------------- */

/* "tones": 6 stems, a tone each; "octaves": 2 stems, both tones of 100 Hz to 6.4 kHz an octave apart. */
static int make_set(const char *name, int octaves)
{
    static int16_t audio[STEMS * LENGTH];
    const int stems = octaves ? 2 : STEMS;
    const int32_t class[STEMS] = {0, 1, 2, 3, 4, 5};
    struct sj_dataset_writer *w;
    for (int s = 0; s < stems; s++)
        for (int64_t i = 0; i < LENGTH; i++) {
            double x = 0, t = 2 * 3.14159265358979323846 * (double)i / RATE;
            for (int k = 0; k < (octaves ? TONES : 1); k++)
                x += 0.12 * sin(t * (octaves ? 100 << k : stem_hz[s]) + s + k);
            audio[s * LENGTH + i] = (int16_t)lrint(32767 * x);
        }
    int status = sj_dataset_writer_open(in_dir(name), STEMS, six, "[]", &w);
    if (!status)
        status = sj_dataset_writer_add(w, "t", "", stems, class, LENGTH, audio);
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

/* Amplitude and phase of a tone, away from the ends, under a Hann window. */
static double complex tone(const float *x, double hz)
{
    enum { FROM = 2200, COUNT = CROP - 4000 };
    const double step = 2 * 3.14159265358979323846 * hz / RATE, c = cos(step), s = sin(step);
    static double window[COUNT];
    double re = 0, im = 0, u = 1, v = 0;
    for (int i = 0; i < COUNT && window[COUNT - 1] <= 0; i++)
        window[i] = 0.5 - 0.5 * cos(2 * 3.14159265358979323846 * i / COUNT);
    for (int i = 0; i < COUNT; i++) {
        double w = window[i] * x[FROM + i], next = u * c - v * s;
        re += w * u, im -= w * v;
        v = u * s + v * c, u = next;
    }
    return (re + im * I) * 4 / COUNT;
}

static double rms(const float *x)
{
    double sum = 0;
    for (int i = 0; i < CROP; i++)
        sum += (double)x[200 + i] * x[200 + i];
    return sqrt(sum / CROP);
}

static double db(double ratio)
{
    return 20 * log10(ratio);
}

/* Pair n without and with changes; what it is of must be the same. */
static int both(const struct sj_sampler *a, const struct sj_sampler *b, uint64_t n)
{
    struct sj_pair p, q;
    return sj_sampler_pair(a, n, plain[0], plain[1], &p) == SJ_OK &&
           sj_sampler_pair(b, n, changed[0], changed[1], &q) == SJ_OK && !strcmp(p.key, q.key) && p.class == q.class;
}

/* -- the specification --------------------------------------------------------------------------------------------- */

static void specifications(void)
{
    static const struct {
        const char *spec, *text; /* NULL: refused */
    } cases[] = {
        {"gain", "gain=6"},
        {"gain=3,tilt=0.5", "gain=3,tilt=0.5"},
        {"tilt=0.5,gain=3", "gain=3,tilt=0.5"},
        {"all,gain=1,speed=0",
         "gain=1,polarity=0.5,tilt=3,room=0.3,compress=0.3,band=0.3,noise=-50,codec=0.03,floor=-60,"
         "drive=0.3,eq=9"},
        {"gain=1,all,speed=0",
         "gain=1,polarity=0.5,tilt=3,room=0.3,compress=0.3,band=0.3,noise=-50,codec=0.03,floor=-60,"
         "drive=0.3,eq=9"},
        {"codec=1,noise=-30.5", "noise=-30.5,codec=1"},
        {"", NULL},
        {"gain,", NULL},
        {"gain=", NULL},
        {"gain=x", NULL},
        {"gain=-1", NULL},
        {"gain=61", NULL},
        {"gain=nan", NULL},
        {"gain=0", NULL},
        {"polarity=1.5", NULL},
        {"noise=1", NULL},
        {"all,gain=0,polarity=0,tilt=0,speed=0,room=0,compress=0,band=0,noise=0,codec=0,floor=0,drive=0,eq=0", NULL},
        {"gain,gain", NULL},
        {"all=2", NULL},
        {"loud", NULL},
        {"Gain", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sj_augment a, again;
        char text[SJ_AUGMENT_TEXT], twice[SJ_AUGMENT_TEXT];
        const int status = sj_augment_parse(cases[i].spec, &a);
        if (!cases[i].text) {
            ok(status == SJ_USAGE && strstr(sj_reason(), "--augment"), "'%s': %s", cases[i].spec, sj_reason());
            continue;
        }
        sj_augment_text(&a, text);
        is_text(text, cases[i].text, cases[i].spec);
        if (!sj_augment_parse(text, &again))
            sj_augment_text(&again, twice);
        is_text(twice, text, "and read again");
    }
}

/* -- every stem ---------------------------------------------------------------------------------------------------- */

static void levels(void)
{
    struct sj_sampler *a = open_set("tones", NULL), *b = open_set("tones", "gain=6,polarity=0.3");
    double least = 99, most = -99, sum = 0, count = 0, turned = 0, apart = 0;
    int bad = 0;
    for (uint64_t n = 0; n < PAIRS; n++) {
        bad += !both(a, b, n);
        for (int side = 0; side < 2; side++)
            for (int s = 0; s < STEMS; s++) {
                double complex x = tone(plain[side], stem_hz[s]), y = tone(changed[side], stem_hz[s]);
                if (cabs(x) < 0.05) {
                    bad += cabs(y) > 0.01; /* who is not in it does not come in */
                    continue;
                }
                double level = db(cabs(y / x));
                bad += fabs(cimag(y / x)) > 1e-3;
                least = fmin(least, level), most = fmax(most, level);
                sum += level, count++, turned += creal(y / x) < 0;
                apart = fmax(apart, fabs(level - db(rms(changed[side]) / rms(plain[side]))));
            }
    }
    ok(!bad, "the same stems, each by a factor");
    ok(least > -6.01 && least < -5.8 && most < 6.01 && most > 5.8 && fabs(sum / count) < 0.5,
       "from %.2f to %.2f dB, %.2f on average", least, most, sum / count);
    is_near(turned / count, 0.3, 0.05, "as many turned as asked for");
    ok(apart > 3, "each by one of its own: up to %.1f dB from all", apart);
    sj_sampler_close(b);
    sj_sampler_close(a);
}

static void slopes(void)
{
    struct sj_sampler *a = open_set("octaves", NULL), *b = open_set("octaves", "tilt=3");
    double least = 99, most = -99, bent = 0, pivot = 0;
    int bad = 0;
    for (uint64_t n = 0; n < PAIRS / 2; n++) {
        bad += !both(a, b, n);
        for (int side = 0; side < 2; side++) {
            double y[TONES], mean = 0, slope = 0;
            for (int k = 0; k < TONES; k++) {
                y[k] = db(cabs(tone(changed[side], 100 << k)) / cabs(tone(plain[side], 100 << k)));
                mean += y[k] / TONES;
                slope += y[k] * (k - TONES / 2) / 28;
            }
            for (int k = 0; k < TONES; k++)
                bent = fmax(bent, fabs(y[k] - mean - slope * (k - TONES / 2)));
            pivot = fmax(pivot, fabs(mean + slope * (log2(10) - TONES / 2)));
            least = fmin(least, slope), most = fmax(most, slope);
        }
    }
    ok(!bad && least > -3.05 && least < -2.6 && most < 3.05 && most > 2.6,
       "slopes from %.2f to %.2f dB an octave", least, most);
    ok(bent < 1 && pivot < 0.3, "straight within %.2f dB, %.2f dB at 1 kHz", bent, pivot);
    sj_sampler_close(b);
    sj_sampler_close(a);
}

static void floors(void)
{
    struct sj_sampler *a = open_set("tones", NULL), *b = open_set("tones", "floor=-40");
    double least = 99, most = -99, coloured = 0;
    int bad = 0;
    for (uint64_t n = 0; n < PAIRS / 2; n++) {
        bad += !both(a, b, n);
        double own = 0, next = 0;
        for (int i = 0; i < CROP; i++) {
            double x = changed[1][200 + i] - plain[1][200 + i];
            own += x * x, next += x * (changed[1][199 + i] - plain[1][199 + i]);
        }
        const double level = 10 * log10(own / CROP);
        least = fmin(least, level), most = fmax(most, level);
        coloured = fmax(coloured, fabs(next) / own);
        bad += !(own > 0);
    }
    ok(!bad && least > -80.3 && least < -76 && most < -39.7 && most > -44, "noise of %.1f to %.1f dB", least, most);
    ok(coloured < 0.03, "white: neighbours have %.3f in common", coloured);
    struct sj_sampler *c = open_set("tones", "floor=-40,gain=0");
    bad = !both(b, c, 7) || memcmp(plain, changed, sizeof plain) != 0;
    ok(!bad, "the same each time");
    sj_sampler_close(c);
    sj_sampler_close(b);
    sj_sampler_close(a);
}

static void distortions(void)
{
    struct sj_sampler *a = open_set("tones", NULL), *b = open_set("tones", "drive=0.4");
    double driven = 0, odd = 1, loudest = 0, quietest = 9;
    int bad = 0;
    for (uint64_t n = 0; n < PAIRS; n++) {
        struct sj_draw d;
        bad += !both(a, b, n) || sj_sampler_draw(a, n, &d);
        if (!memcmp(plain[1], changed[1], sizeof plain[1]))
            continue;
        const double hz = stem_hz[d.target], level = cabs(tone(changed[1], hz) / tone(plain[1], hz));
        driven++;
        if (3 * hz < RATE / 2)
            odd = fmin(odd, cabs(tone(changed[1], 3 * hz)) / cabs(tone(changed[1], hz)));
        loudest = fmax(loudest, level), quietest = fmin(quietest, level);
    }
    is_near(driven / PAIRS, 0.4, 0.1, "as many distorted as asked for");
    ok(!bad && odd > 3e-3, "with a third harmonic: at least %.4f of the tone", odd);
    ok(loudest < 1.3 && quietest > 0.7, "about as loud: %.2f to %.2f", quietest, loudest);
    sj_sampler_close(b);
    sj_sampler_close(a);
}

static void bells(void)
{
    struct sj_sampler *a = open_set("octaves", NULL), *b = open_set("octaves", "eq=9");
    double most = 0, least = 0, step = 0;
    int bad = 0, differ = 0;
    for (uint64_t n = 0; n < PAIRS / 2; n++) {
        bad += !both(a, b, n);
        double y[2][TONES];
        for (int side = 0; side < 2; side++)
            for (int k = 0; k < TONES; k++) {
                y[side][k] = db(cabs(tone(changed[side], 100 << k)) / cabs(tone(plain[side], 100 << k)));
                most = fmax(most, y[side][k]), least = fmin(least, y[side][k]);
                step = fmax(step, k ? fabs(y[side][k] - y[side][k - 1]) : 0);
            }
        differ += fabs(y[0][3] - y[1][3]) > 1;
    }
    ok(!bad && most > 9 && most < 18.1 && least < -9 && least > -18.1, "from %.1f to %.1f dB", least, most);
    ok(step > 3 && step < 18, "up to %.1f dB from octave to octave", step);
    ok(differ > PAIRS / 8, "context and target differ");
    sj_sampler_close(b);
    sj_sampler_close(a);
}

/* -- both ---------------------------------------------------------------------------------------------------------- */

/* At which speed, in 1/512, x holds a tone that was at hz: the one where it is strongest. */
static int measured_speed(const float *x, double hz)
{
    double most = 0;
    int best = 0;
    for (int m = 440; m <= 590; m++) {
        double a = cabs(tone(x, hz * m / 512));
        if (a > most)
            most = a, best = m;
    }
    return best;
}

/* What is in x beside the tone at hz, as a part of its power. */
static double rest(const float *x, double hz)
{
    const double step = 2 * 3.14159265358979323846 * hz / RATE;
    double a = 0, b = 0, left = 0, power = 0;
    for (int i = 0; i < CROP; i++)
        a += 2 * x[200 + i] * cos(step * i) / CROP, b += 2 * x[200 + i] * sin(step * i) / CROP;
    for (int i = 0; i < CROP; i++) {
        double e = x[200 + i] - a * cos(step * i) - b * sin(step * i);
        left += e * e, power += (double)x[200 + i] * x[200 + i];
    }
    return left / power;
}

static void speeds(void)
{
    struct sj_sampler *a = open_set("tones", NULL), *b = open_set("tones", "speed=2");
    double least = 99, most = -99, off = 0, noise = 0;
    int bad = 0, differ = 0;
    for (uint64_t n = 0; n < 40; n++) {
        struct sj_draw d;
        bad += !both(a, b, n) || sj_sampler_draw(a, n, &d);
        const int speed = measured_speed(changed[1], stem_hz[d.target]);
        const double hz = stem_hz[d.target] * speed / 512, semitones = 12 * log2(speed / 512.);
        differ += speed != measured_speed(changed[0], stem_hz[d.context[0]]);
        least = fmin(least, semitones), most = fmax(most, semitones);
        off = fmax(off, fabs(db(cabs(tone(changed[1], hz)) / 0.12)));
        noise = fmax(noise, rest(changed[1], hz));
    }
    ok(!bad && least > -2.02 && least < -1.5 && most < 2.02 && most > 1.5, "speeds from %.2f to %.2f semitones", least,
       most);
    ok(!differ, "context and target alike");
    ok(off < 0.05, "levels stay, within %.3f dB", off);
    ok(10 * log10(noise) < -45, "what else comes in: %.0f dB", 10 * log10(noise));
    sj_sampler_close(b);
    sj_sampler_close(a);
}

/* Where a track ends, and where a stem is heard only in the crop's last tenth of a second. */
static void ends(void)
{
    static int16_t audio[2 * CROP];
    struct sj_dataset_writer *w;
    struct sj_pair p;
    struct sj_sampler *s = open_set("tones", "speed=12");
    int silent = 0, bad = 0, kept = 0, faster = 0;
    for (uint64_t n = 0; n < 60; n++) {
        bad += sj_sampler_pair(s, n, changed[0], changed[1], &p) != SJ_OK;
        double sum = 0;
        for (int i = CROP - 100; i < CROP; i++)
            sum += fabs(changed[1][200 + i]);
        silent += sum < 1;
    }
    ok(!bad && !silent, "a longer stretch begins earlier where the track ends");
    sj_sampler_close(s);
    for (int i = 0; i < CROP; i++) {
        audio[i] = (int16_t)lrint(9000 * sin(0.1 * i));
        audio[CROP + i] = i < CROP - 1600 ? 0 : audio[i];
    }
    if (sj_dataset_writer_open(in_dir("late"), STEMS, six, "[]", &w) ||
        sj_dataset_writer_add(w, "t", "", 2, (int32_t[]){0, 1}, CROP, audio) || sj_dataset_writer_close(w, SJ_OK))
        printf("# %s\n", sj_reason());
    struct sj_sampler *plainly = open_set("late", NULL);
    s = open_set("late", "speed=12");
    for (uint64_t n = 0; n < 60; n++) {
        bad += !both(plainly, s, n) || rms(changed[0]) < 0.01 || rms(changed[1]) < 0.01;
        kept += !memcmp(plain, changed, sizeof plain);
        faster += fabs(changed[0][200 + CROP - 1]) + fabs(changed[1][200 + CROP - 1]) < 1e-6;
    }
    ok(!bad && kept > 10 && faster > 10 && kept + faster >= 58,
       "a shorter one without the late stem is not taken: %d; a longer one ends in silence: %d", kept, faster);
    sj_sampler_close(s);
    sj_sampler_close(plainly);
}

/* -- all together -------------------------------------------------------------------------------------------------- */

static void repeated(void)
{
    enum { N = 24 };
    const char *spec = "all,codec=0.3,drive=0,floor=0,gain=0", *more = "all,codec=0.3,drive=0,floor=0";
    struct sj_sampler *a = open_set("tones", more), *b = open_set("tones", spec), *c = open_set("tones", more);
    static float x[N][2][WIDTH];
    int bad = 0, backwards = 0, others = 0;
#pragma omp parallel for num_threads(4) reduction(+ : bad)
    for (int n = 0; n < N; n++) {
        struct sj_pair pair;
        bad += sj_sampler_pair(a, (uint64_t)n, x[n][0], x[n][1], &pair) != SJ_OK;
    }
    for (int n = N - 1; n >= 0; n--) {
        struct sj_pair pair;
        bad += sj_sampler_pair(c, (uint64_t)n, changed[0], changed[1], &pair) != SJ_OK;
        backwards += memcmp(changed, x[n], sizeof changed) != 0;
        bad += sj_sampler_pair(b, (uint64_t)n, changed[0], changed[1], &pair) != SJ_OK;
        double factor = rms(changed[1]) / rms(x[n][1]), most = 0;
        for (int i = 0; i < WIDTH; i++)
            most = fmax(most, fabs(changed[1][i] - factor * x[n][1][i]));
        others += most > 1e-5;
    }
    ok(!bad && !backwards, "any order, any thread, the same pair");
    ok(!others, "one ingredient less, and the others are as they were");
    sj_sampler_close(c);
    sj_sampler_close(b);
    sj_sampler_close(a);
}

/* Of several targets, what is made of the context and of the first is as if that were the only one. */
static void several_targets(void)
{
    struct sj_sampler *s = open_set("tones", "all");
    static float context[CROP + 240], target[3][CROP + 240];
    int bad = 0, others = 0;
    for (uint64_t n = 0; n < 40; n++) {
        struct sj_pair pair, three[3];
        struct sj_draw d;
        bad += sj_sampler_pair(s, n, plain[0], plain[1], &pair) || sj_sampler_draw(s, n, &d) ||
               sj_sampler_targets(s, n, 3, context, target[0], CROP + 240, three);
        bad += memcmp(context, plain[0], sizeof context) || memcmp(target[0], plain[1], sizeof context);
        bad += !d.others != !memcmp(target[0], target[1], sizeof context);
        others += d.others > 0;
    }
    ok(!bad && others, "context and first target of %d with further ones are as without", others);
    sj_sampler_close(s);
}

int main(void)
{
    if (!mkdtemp(dir) || make_set("tones", 0) || make_set("octaves", 1)) {
        printf("# %s\n", sj_reason());
        return 1;
    }
    specifications();
    levels();
    slopes();
    floors();
    distortions();
    bells();
    speeds();
    ends();
    repeated();
    several_targets();
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ok(!system(command), "tidy");
    return done();
}
