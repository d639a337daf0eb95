/* facts: keys of profiles and triads, how far to shift and stretch. */
#include "facts.h"

#include <math.h>
#include <stdlib.h>

#include "music_key.h"
#include "tests/tap.h"

static int key_of(const double chroma[12])
{
    int key;
    double r;
    sj_facts_key(chroma, &key, &r);
    return key;
}

/* The scale of a key, its tonic triad twice as strong. */
static int scale_is_found(int tonic, int minor)
{
    static const int scale[2][7] = {{0, 2, 4, 5, 7, 9, 11}, {0, 2, 3, 5, 7, 8, 10}};
    double chroma[12] = {0};
    for (int i = 0; i < 7; i++)
        chroma[(tonic + scale[minor][i]) % 12] = i == 0 || i == 2 || i == 4 ? 2 : 1;
    return key_of(chroma) == tonic + 12 * minor;
}

int main(void)
{
    double flat[12] = {0}, r;
    int good = 1, key, known;
    for (int tonic = 0; tonic < 12; tonic++)
        good &= scale_is_found(tonic, 0) && scale_is_found(tonic, 1);
    ok(good, "scales are found in all keys");
    sj_facts_key(flat, &key, &r);
    ok(key == -1 && isnan(r), "silence has no key");
    ok(sj_facts_shift(0, 21, &known) == 0 && known, "C major and A minor share their notes");
    ok(sj_facts_shift(2, 0, &known) == 2 && sj_facts_shift(0, 2, &known) == -2, "up to D, down to C");
    ok(sj_facts_shift(6, 0, &known) == 6 && sj_facts_shift(0, 6, &known) == 6, "half an octave is up");
    good = 1;
    for (int a = 0; a < 24; a++)
        for (int b = 0; b < 24; b++)
            good &= abs(sj_facts_shift(a, b, &known)) <= 6;
    ok(good, "never further");
    sj_facts_shift(-1, 3, &known);
    ok(!known, "of what is not known nothing");
    ok(fabs(sj_facts_ratio(120, 100) - 1.2) < 1e-12, "tempo: faster");
    ok(fabs(sj_facts_ratio(150, 80) - 0.9375) < 1e-12, "half time counts as the same");
    ok(isnan(sj_facts_ratio(NAN, 100)) && isnan(sj_facts_ratio(100, NAN)), "nor of tempi");
    ok(!sj_facts_pitched("drums") && !sj_facts_pitched("Percussion"), "drums have no pitches");
    ok(sj_facts_pitched("bass") && sj_facts_pitched(NULL), "others do");
    return done();
}
