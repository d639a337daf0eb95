/* Training pairs against the definition written out: which crops there are, how often each is drawn, what is in it. */
#include "sampler.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "rng.h"
#include "tests/folder.h"
#include "tests/tap.h"

enum { CROP = 16000, TRACKS = 5, STEMS = 4, LONGEST = 90000, DRAWS = 20000 };

static const char *const four[] = {"bass", "drums", "other", "vocals"};

/* Tracks 0, 1: patches of sound around block edges; 2: shorter than a crop; 3: silent but for one stem; 4: one short
 * event of two. */
static int16_t audio[TRACKS][STEMS * LONGEST];
static const int64_t length[TRACKS] = {LONGEST, 70001, 9000, 40000, 80000};
static const int stems[TRACKS] = {4, 3, 2, 3, 2};
static const int32_t class[TRACKS][STEMS] = {{0, 1, 2, 3}, {0, 2, 3}, {1, 2}, {0, 1, 2}, {2, 3}};

static void patch(int t, int s, int64_t from, int64_t to, int16_t peak)
{
    for (int64_t i = from; i < to; i++)
        audio[t][s * length[t] + i] = (int16_t)(i % 2 ? -peak : i % 7 * peak / 8);
}

static void make_audio(void)
{
    struct sj_rng r = sj_rng(5, 0);
    for (int t = 0; t < TRACKS; t++)
        for (int s = 0; s < stems[t]; s++)
            for (int64_t i = 0; i < length[t]; i++)
                audio[t][s * length[t] + i] = (int16_t)((int)sj_rng_below(&r, 6001) - 3000); /* quiet */
    patch(0, 0, 7990, 8003, 9000), patch(0, 1, 15999, 16001, 3277), patch(0, 1, 40000, 60000, 20000);
    patch(0, 2, 0, 30000, 32767), patch(0, 3, 47999, 48000, 3277), patch(0, 3, 50001, 50002, 3276);
    patch(1, 0, 69999, 70001, 4000), patch(1, 1, 55000, 70001, 10000), patch(1, 2, 60000, 61000, 5000);
    patch(2, 0, 0, 9000, 8000), patch(2, 1, 8999, 9000, 8000);
    patch(3, 1, 0, 40000, 8000);
    patch(4, 0, 1000, 1010, 8000), patch(4, 1, 15000, 15010, 8000);
}

static void write_set(const char *name, int from, int to)
{
    struct sj_dataset_writer *w;
    char key[16];
    if (sj_dataset_writer_open(in_dir(name), 4, four, "[]", &w))
        return;
    for (int t = from; t < to; t++) {
        snprintf(key, sizeof key, "t%d", t);
        if (sj_dataset_writer_add(w, key, "", stems[t], class[t], length[t], audio[t]))
            printf("# %s\n", sj_reason());
    }
    if (sj_dataset_writer_close(w, SJ_OK))
        printf("# %s\n", sj_reason());
}

/* Bit s: stem s is active in the crop, by the definition. */
static unsigned active_stems(int t, int64_t start)
{
    unsigned mask = 0;
    for (int s = 0; s < stems[t]; s++)
        for (int64_t i = start; i < start + CROP && i < length[t]; i++)
            if (fabs(audio[t][s * length[t] + i] / 32768.0) > 0.1) {
                mask |= 1u << s;
                break;
            }
    return mask;
}

/* mask[t][start] of every crop; eligible[t]: how many starts have two active stems; starts[t]: how many there are. */
static unsigned char mask[TRACKS][LONGEST];
static int64_t eligible[TRACKS], starts[TRACKS];

/* The same from the last loud sample seen, which is fast enough for every start; checked against the definition at
 * some. */
static void list_crops(void)
{
    int bad = 0;
    for (int t = 0; t < TRACKS; t++) {
        starts[t] = length[t] > CROP ? length[t] - CROP + 1 : 1;
        for (int s = 0; s < stems[t]; s++)
            for (int64_t i = 0, loud = -1; i < length[t]; i++) {
                if (abs(audio[t][s * length[t] + i]) > 3276)
                    loud = i;
                int64_t start = length[t] > CROP ? i - CROP + 1 : i == length[t] - 1 ? 0 : -1;
                if (start >= 0 && loud >= start)
                    mask[t][start] |= (unsigned char)(1 << s);
            }
        for (int64_t start = 0; start < starts[t]; start++) {
            eligible[t] += __builtin_popcount(mask[t][start]) > 1;
            if (start % 997 == 0 || start + 1 == starts[t])
                bad += mask[t][start] != active_stems(t, start);
        }
    }
    ok(!bad && eligible[0] && eligible[1] && eligible[2] == 1 && !eligible[3] && eligible[4],
       "crops: %lld %lld %lld %lld %lld", (long long)eligible[0], (long long)eligible[1], (long long)eligible[2],
       (long long)eligible[3], (long long)eligible[4]);
}

/* Chi-squared of counts against probabilities, per degree of freedom; categories below 5 expected draws are joined. */
static double chi2(int n, const double *count, const double *p, double draws)
{
    double sum = 0, want = 0, have = 0;
    int categories = 0;
    for (int i = 0; i < n; i++) {
        want += p[i] * draws;
        have += count[i];
        if (want >= 5) {
            sum += (have - want) * (have - want) / want;
            categories++;
            want = have = 0;
        }
    }
    return sum / (categories > 1 ? categories - 1 : 1);
}

static void statistics(const struct sj_sampler *s)
{
    enum { PARTS = 20 };
    double track[TRACKS] = {0}, p[TRACKS], all = 0, part[PARTS] = {0}, part_p[PARTS] = {0};
    double target[4] = {0}, size[4] = {0}, member[4] = {0}, four_active = 0;
    int bad = 0;
    for (uint64_t n = 0; n < DRAWS; n++) {
        struct sj_draw d;
        bad += sj_sampler_draw(s, n, &d) != SJ_OK;
        int t = (int)d.track;
        unsigned m = mask[t][d.start], seen = 1u << d.target;
        bad += d.start < 0 || d.start >= starts[t] || !(m >> d.target & 1) || d.contexts < 1;
        for (int i = 0; i < d.contexts; i++) {
            bad += !(m >> d.context[i] & 1) || seen >> d.context[i] & 1 || (i && d.context[i] <= d.context[i - 1]);
            seen |= 1u << d.context[i];
        }
        bad += __builtin_popcount(m) < 2;
        track[t]++;
        if (t == 0)
            part[d.start * PARTS / starts[0]]++;
        if (t == 0 && m == 7) { /* three active: what is chosen */
            four_active++;
            target[d.target]++;
            size[d.contexts]++;
            for (int i = 0; i < d.contexts; i++)
                member[d.context[i]]++;
        }
    }
    ok(!bad, "targets and contexts are active, distinct, ascending");
    for (int t = 0; t < TRACKS; t++) /* ten crops, then another track */
        all += p[t] = 1 - pow(1 - (double)eligible[t] / (double)starts[t], 10);
    for (int t = 0; t < TRACKS; t++)
        p[t] /= all;
    double x = chi2(TRACKS, track, p, DRAWS);
    ok(x < 5 && !track[3], "tracks as often as the definition has them: chi-squared %.2f per degree", x);
    for (int64_t i = 0; i < starts[0]; i++)
        part_p[i * PARTS / starts[0]] += (__builtin_popcount(mask[0][i]) > 1) / (double)eligible[0];
    x = chi2(PARTS, part, part_p, track[0]);
    ok(x < 3, "crops of a track uniform among those with two active stems: %.2f", x);
    x = chi2(3, target, (double[]){1 / 3., 1 / 3., 1 / 3.}, four_active);
    ok(four_active > 500 && x < 6, "targets uniform among three active: %.2f of %g", x, four_active);
    x = chi2(3, size, (double[]){0, .5, .5}, four_active);
    ok(x < 8, "sizes of contexts uniform: %.2f", x);
    x = chi2(3, member, (double[]){1 / 3., 1 / 3., 1 / 3.}, 1.5 * four_active);
    ok(x < 6, "members of contexts alike: %.2f", x);
}

/* Pair n, from what was drawn and the audio itself. */
static int same_as_definition(const struct sj_sampler *s, uint64_t n, const float *context, const float *target,
                              const struct sj_pair *pair)
{
    struct sj_draw d;
    char key[16];
    if (sj_sampler_draw(s, n, &d))
        return 0;
    int t = (int)d.track, good = pair->class == class[t][d.target];
    snprintf(key, sizeof key, "t%d", t);
    good &= !strcmp(key, pair->key);
    for (int64_t i = -200; i < CROP + 40 && good; i++) {
        int64_t k = d.start + (i < 0 ? -i : i >= CROP ? 2 * (CROP - 1) - i : i);
        double c = 0, g = k < length[t] ? audio[t][d.target * length[t] + k] / 32768.0 : 0;
        for (int j = 0; j < d.contexts; j++)
            c += k < length[t] ? audio[t][d.context[j] * length[t] + k] / 32768.0 : 0;
        good = context[200 + i] == c && target[200 + i] == g;
    }
    return good;
}

static void waveforms(const struct sj_sampler *s)
{
    enum { PAIRS = 64 };
    int64_t w = sj_sampler_width(s);
    is_int(w, 200 + CROP + 40, "samples of a pair with its halo");
    float *x = malloc((size_t)(2 * w * PAIRS) * sizeof *x), *y = malloc((size_t)(2 * w) * sizeof *y);
    int bad = 0, backwards = 0;
#pragma omp parallel for num_threads(4) reduction(+ : bad)
    for (int n = 0; n < PAIRS; n++) {
        struct sj_pair pair;
        float *to = x + 2 * w * n;
        bad += sj_sampler_pair(s, (uint64_t)n, to, to + w, &pair) ||
               !same_as_definition(s, (uint64_t)n, to, to + w, &pair);
    }
    ok(!bad, "context and target are the sums that the definition says");
    for (int n = PAIRS - 1; n >= 0; n--) {
        struct sj_pair pair;
        backwards += sj_sampler_pair(s, (uint64_t)n, y, y + w, &pair) ||
                     memcmp(y, x + 2 * w * n, (size_t)(2 * w) * sizeof *y);
    }
    ok(!backwards, "any order, any thread, the same pair");
    free(y);
    free(x);
}

/* Three targets: the one of the pair, then active stems that are in neither, all of them before one comes again. */
static void further_targets(const struct sj_sampler *s)
{
    enum { PAIRS = 300, TARGETS = 3 };
    const int64_t w = sj_sampler_width(s), stride = w + 5;
    float *x = malloc((size_t)(2 * w + TARGETS * stride) * sizeof *x), *y = x + w, *one = y + TARGETS * stride;
    int bad = 0, again = 0, three = 0;
    for (uint64_t n = 0; n < PAIRS; n++) {
        struct sj_pair pair[TARGETS], first;
        struct sj_draw d;
        float *context = malloc((size_t)w * sizeof *context);
        bad += sj_sampler_targets(s, n, TARGETS, x, y, stride, pair) || sj_sampler_draw(s, n, &d) ||
               sj_sampler_pair(s, n, context, one, &first);
        bad += memcmp(x, context, (size_t)w * sizeof *x) || memcmp(y, one, (size_t)w * sizeof *y);
        bad += first.class != pair[0].class || strcmp(first.key, pair[0].key);
        unsigned active = active_stems((int)d.track, d.start), used = 1u << d.target;
        for (int k = 0; k < d.contexts; k++)
            used |= 1u << d.context[k];
        for (int k = 0; k < d.others; k++) {
            bad += !(active >> d.other[k] & 1) || used >> d.other[k] & 1;
            used |= 1u << d.other[k];
        }
        bad += used != active;
        for (int k = 0; k < TARGETS; k++) {
            int at = k % (1 + d.others);
            struct sj_draw as = d;
            as.target = at ? d.other[at - 1] : d.target;
            again += k && !at;
            bad += pair[k].class != class[d.track][as.target];
            for (int64_t i = 0; i < CROP; i += 97) {
                int64_t from = d.start + i;
                double want = from < length[d.track] ? audio[d.track][as.target * length[d.track] + from] / 32768.0 : 0;
                bad += y[k * stride + 200 + i] != want;
            }
        }
        three += d.others > 0;
        free(context);
    }
    ok(!bad && again && three, "further targets, other active stems, of %d pairs; %d times the first again", three,
       again);
    free(x);
}

/* Pairs in a row that share a track: what they share and what they do not. */
static void shared_tracks(void)
{
    enum { CROPS = 4, GROUPS = 2000 };
    struct sj_sampler *s, *again;
    const char *path = in_dir("a.h5");
    struct sj_draw d[CROPS], e;
    int whole = 0, first = 0, moved = 0, bad = 0;
    if (!ok(!sj_sampler_open(1, &path, NULL, 7, CROP, &s) && !sj_sampler_open(1, &path, NULL, 7, CROP, &again), "open"))
        return;
    ok(sj_sampler_crops(s) == 1, "at first no pairs share a track");
    sj_sampler_share(s, CROPS);
    sj_sampler_share(again, CROPS);
    for (uint64_t g = GROUPS; g-- > 0;) {
        int same = 1;
        for (int k = 0; k < CROPS; k++) {
            bad += sj_sampler_draw(s, g * CROPS + (uint64_t)k, d + k);
            same &= d[k].track == d->track;
        }
        for (int k = 1; k < CROPS; k++)
            moved += d[k].start != d->start;
        whole += same;
        first += !d->track;
        bad += sj_sampler_draw(again, g * CROPS + 2, &e) || e.track != d[2].track || e.start != d[2].start;
    }
    ok(!bad, "a pair is what its number says, whatever was drawn before");
    ok(whole > GROUPS * 0.8, "%d of %d groups of %d are of one track", whole, GROUPS, CROPS);
    ok(fabs(first / (double)GROUPS - 0.5) < 0.05, "%d groups of %d are of the first", first, GROUPS);
    ok(moved > GROUPS * (CROPS - 1) * 0.98, "%d crops of %d begin elsewhere", moved, GROUPS * (CROPS - 1));
    sj_sampler_close(again);
    sj_sampler_close(s);
}

static void several_sets(void)
{
    const char *paths[] = {in_dir("a.h5"), in_dir("b.h5")};
    struct sj_sampler *s, *t, *u;
    double second = 0;
    struct sj_draw d, e, f;
    ok(!sj_sampler_open(2, paths, (double[]){1, 3}, 1, CROP, &s), "two sets");
    for (uint64_t n = 0; n < DRAWS; n++)
        second += !sj_sampler_draw(s, n, &d) && d.set == 1;
    /* set 1 (tracks 2, 4) fails only when track 4 does, in all ten crops */
    double p4 = 1 - pow(1 - (double)eligible[4] / (double)starts[4], 10), a = 0, b = (1 + p4) / 2;
    for (int k = 0; k < 2; k++)
        a += (1 - pow(1 - (double)eligible[k] / (double)starts[k], 10)) / 2;
    is_near(second / DRAWS, 3 * b / (3 * b + a), 0.015, "weights are how often sets are drawn");
    sj_sampler_close(s);
    sj_sampler_open(2, paths, NULL, 1, CROP, &s);
    sj_sampler_open(1, paths, NULL, 2, CROP, &t);
    sj_sampler_open(1, paths, NULL, 3, CROP, &u);
    second = 0;
    int same = 0;
    for (uint64_t n = 0; n < DRAWS; n++) {
        second += !sj_sampler_draw(s, n, &d) && d.set == 1;
        same += !sj_sampler_draw(t, n, &e) && !sj_sampler_draw(u, n, &f) && e.start == f.start && e.track == f.track;
    }
    is_near(second / DRAWS, b / (b + a), 0.015, "without weights all tracks are alike");
    ok(same < DRAWS / 10, "other seeds, other pairs: %d of %d the same", same, DRAWS);
    sj_sampler_close(u);
    sj_sampler_close(t);
    sj_sampler_close(s);
}

static void refused(void)
{
    struct sj_sampler *s;
    const char *silent = in_dir("silent.h5");
    ok(sj_sampler_open(1, &silent, NULL, 1, CROP, &s) == SJ_INPUT && strstr(sj_reason(), "silent.h5"), "%s",
       sj_reason());
    ok(sj_sampler_open(1, &silent, NULL, 1, 161, &s) == SJ_USAGE, "%s", sj_reason());
    ok(sj_sampler_open(1, &silent, (double[]){0}, 1, CROP, &s) == SJ_USAGE, "%s", sj_reason());
    const char *two[] = {in_dir("all.h5"), in_dir("other.h5")};
    ok(sj_sampler_open(2, two, NULL, 1, CROP, &s) == SJ_INPUT && strstr(sj_reason(), "different classes"), "%s",
       sj_reason());
}

/* Two events that no crop holds together although a crop touches the blocks of both. */
static void never(void)
{
    struct sj_sampler *s;
    struct sj_draw d;
    const char *path = in_dir("never.h5");
    memset(audio[4], 0, sizeof audio[4]);
    patch(4, 0, 7999, 8000, 8000), patch(4, 1, 23999, 24000, 8000);
    write_set("never.h5", 4, 5);
    if (!ok(!sj_sampler_open(1, &path, NULL, 1, CROP, &s), "nothing to be seen from the table"))
        return;
    ok(sj_sampler_draw(s, 0, &d) == SJ_INPUT && strstr(sj_reason(), "no crop with two active stems"), "%s",
       sj_reason());
    sj_sampler_close(s);
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    struct sj_sampler *s;
    struct sj_dataset_writer *w;
    make_audio();
    write_set("all.h5", 0, TRACKS);
    write_set("a.h5", 0, 2);
    write_set("silent.h5", 3, 4);
    if (!sj_dataset_writer_open(in_dir("b.h5"), 4, four, "[]", &w)) {
        sj_dataset_writer_add(w, "t2", "", stems[2], class[2], length[2], audio[2]);
        sj_dataset_writer_add(w, "t4", "", stems[4], class[4], length[4], audio[4]);
        sj_dataset_writer_close(w, SJ_OK);
    }
    if (!sj_dataset_writer_open(in_dir("other.h5"), 3, four + 1, "[]", &w)) {
        sj_dataset_writer_add(w, "t2", "", stems[2], class[2], length[2], audio[2]);
        sj_dataset_writer_close(w, SJ_OK);
    }
    list_crops();
    const char *all = in_dir("all.h5");
    if (ok(!sj_sampler_open(1, &all, NULL, 7, CROP, &s), "open")) {
        statistics(s);
        waveforms(s);
        further_targets(s);
        sj_sampler_close(s);
    }
    shared_tracks();
    several_sets();
    refused();
    never();
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ok(!system(command), "tidy");
    return done();
}
