/* Names of keys, and the weighted score by its table of relations. */
#include "music_key.h"

#include "tests/tap.h"

static void names(void)
{
    static const struct { const char *text; int key; } good[] = {
        {"C", 0}, {"C major", 0}, {"C:maj", 0}, {"CM", 0}, {"c major", 0}, {" C  Major ", 0}, {"C minor", 12},
        {"C:minor", 12}, {"Cmin", 12}, {"Cm", 12}, {"c MINOR", 12}, {"A", 9}, {"A minor", 21}, {"Bb major", 10},
        {"A#", 10}, {"bb minor", 22}, {"F#", 6}, {"Gb", 6}, {"Cb", 11}, {"B#:min", 12}, {"E##", 6}, {"Dbb", 0},
        {"D:dorian", 14}, {"G:mixolydian", 7}, {"F lydian", 5}, {"E:phrygian", 16}, {"A aeolian", 21},
        {"Ab:minor", 20}};
    static const char *const bad[] = {"", "H", "H minor", "c", "bb", "C flat", "C:majestic", "Cminor7", "N", "X", "C/E",
                                      "C minor/Eb major", "1", "C:7", "-"};
    int key = -1;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        key = -1;
        is_int(sj_music_key_parse(good[i].text, &key) ? -1 : key, good[i].key, good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ok(sj_music_key_parse(bad[i], &key) == SJ_INPUT, "'%s' is refused", bad[i]);
    for (int i = 0; i < SJ_MUSIC_KEYS; i++)
        if (sj_music_key_parse(sj_music_key_names[i], &key) || key != i)
            ok(0, "%s is number %d", sj_music_key_names[i], i);
    ok(!sj_music_key_names[SJ_MUSIC_KEYS], "24 names");
}

static void scores(void)
{
    static const struct { int reference, estimate; double score; } of[] = {
        {0, 0, 1}, {12, 12, 1}, {0, 7, 0.5}, {7, 2, 0.5}, {7, 0, 0}, {12, 19, 0.5}, {19, 12, 0}, {0, 21, 0.3},
        {21, 0, 0.3}, {3, 12, 0.3}, {12, 3, 0.3}, {0, 12, 0.2}, {14, 2, 0.2}, {0, 19, 0}, {0, 1, 0}, {5, 0, 0.5}};
    double sum = 0;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        ok(sj_music_key_score(of[i].reference, of[i].estimate) == of[i].score, "%s for %s: %g",
           sj_music_key_names[of[i].estimate], sj_music_key_names[of[i].reference], of[i].score);
    for (int i = 0; i < SJ_MUSIC_KEYS * SJ_MUSIC_KEYS; i++)
        sum += sj_music_key_score(i / SJ_MUSIC_KEYS, i % SJ_MUSIC_KEYS);
    is_near(sum, 24 * (1 + 0.5 + 0.3 + 0.2), 1e-12, "each key has one of each relation");
}

int main(void)
{
    names();
    scores();
    return done();
}
