/* Made-up pieces: the same on every run, sounding, and in agreement with what is said about them. */
#include "synth.h"

#include "err.h"
#include "tests/tap.h"

#include <stdlib.h>

enum { PIECES = 16, SECONDS = 24, RATE = SJ_SYNTH_RATE };

static int same_audio(const struct sj_synth_piece *a, const struct sj_synth_piece *b, int stem)
{
    return a->samples == b->samples && !memcmp(a->stems[stem], b->stems[stem], (size_t)a->samples * sizeof(float));
}

static void reproducible(void)
{
    struct sj_synth_piece a, b, other, seed, shorter;
    is_int(sj_synth_make(5, 3, 4, &a), 0, "a piece is made");
    int failed = sj_synth_make(5, 4, 4, &other) | sj_synth_make(5, 3, 4, &b) | sj_synth_make(6, 3, 4, &seed) |
                 sj_synth_make(5, 3, 0.1, &shorter);
    is_int(failed, 0, "and more of them");
    is_int(a.samples, 4 * RATE, "it has the samples asked for");
    int same = 1, differ = 1;
    for (int s = 0; s < SJ_SYNTH_STEMS; s++) {
        same &= same_audio(&a, &b, s);
        differ &= !same_audio(&a, &other, s) && !same_audio(&a, &seed, s);
    }
    ok(same && a.tempo_bpm == b.tempo_bpm && !strcmp(a.key, b.key), "the same number gives the same bits");
    ok(differ, "another number and another seed give other stems");
    ok(a.tempo_bpm != other.tempo_bpm && a.tempo_bpm != seed.tempo_bpm, "and another tempo");
    sj_synth_free(&a);
    ok(!a.stems[0] && !a.chords && a.samples == 0, "free empties the piece");
    sj_synth_free(&a);
    sj_synth_free(NULL);
    sj_synth_free(&b);
    sj_synth_free(&other);
    sj_synth_free(&seed);
    sj_synth_free(&shorter);
    const double wrong[] = {0, -1, 4000, NAN, INFINITY};
    for (int i = 0; i < 5; i++)
        ok(sj_synth_make(1, 1, wrong[i], &a) == SJ_USAGE && !a.stems[0] && *sj_reason(), "%g seconds are refused", wrong[i]);
}

struct tally {
    int windows, silent, loud, stems, offset;                   /* of audio */
    int chords, gaps, root_heard, chord_heard, outside;         /* of harmony */
    double on_beat, off_beat;                                   /* of rhythm: onset strength */
    int keys[12], key_count, beats_wrong;
    double slowest, fastest;
};

static void count_levels(const struct sj_synth_piece *p, struct tally *n)
{
    for (int s = 0; s < SJ_SYNTH_STEMS; s++) {
        const float *x = p->stems[s];
        float peak = 0;
        double sum = 0;
        for (int64_t i = 0; i < p->samples; i++) {
            peak = fmaxf(peak, fabsf(x[i]));
            sum += x[i];
            n->loud += !(fabsf(x[i]) < 1);
            if (i % (8 * RATE) == 8 * RATE - 1) {
                n->windows++;
                n->silent += !(peak > 0.1f);
                peak = 0;
            }
        }
        n->stems++;
        n->offset += !(fabs(sum / (double)p->samples) < 1e-3);
    }
}

/* Energy of a frequency in x[0..n-1] (Goertzel). */
static double energy_at(const float *x, int64_t n, double hz)
{
    double c = 2 * cos(6.283185307179586 * hz / RATE), s1 = 0, s2 = 0;
    for (int64_t i = 0; i < n; i++) {
        double s = x[i] + c * s1 - s2;
        s2 = s1;
        s1 = s;
    }
    return s1 * s1 + s2 * s2 - c * s1 * s2;
}

/* The pitch class that the bass plays most in a span: the strongest of the fundamentals it can reach. */
static int bass_class(const struct sj_synth_piece *p, double start_s, double end_s)
{
    int64_t first = (int64_t)(start_s * RATE), last = (int64_t)(end_s * RATE);
    double best = 0;
    int heard = -1;
    for (int pitch = 28; pitch < 53; pitch++) {
        double hz = 440 * exp2((pitch + p->tuning_cents / 100 - 69) / 12);
        double e = energy_at(p->stems[SJ_SYNTH_BASS] + first, last - first, hz);
        if (e > best) {
            best = e;
            heard = pitch % 12;
        }
    }
    return best > 1 ? heard : -1;
}

static void count_harmony(const struct sj_synth_piece *p, struct tally *n)
{
    static const char *const names[] = {"C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"};
    static const char *const modes[] = {"major", "minor", "dorian", "mixolydian"};
    static const int scales[4][12] = {{1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1}, {1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0},
                                      {1, 0, 1, 1, 0, 1, 0, 1, 0, 1, 1, 0}, {1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 1, 0}};
    int mode = 0;
    while (mode < 3 && strcmp(modes[mode], p->mode) != 0)
        mode++;
    for (size_t i = 0; i < p->chord_count; i++) {
        const struct sj_synth_chord *c = &p->chords[i];
        char label[16];
        snprintf(label, sizeof label, "%s:", names[c->root]);
        n->outside += strncmp(c->label, label, strlen(label)) != 0 || !scales[mode][(c->root - p->tonic + 12) % 12];
        n->gaps += i && fabs(c->start_s - p->chords[i - 1].end_s) > 1e-9;
        int heard = c->end_s - c->start_s > 0.4 ? bass_class(p, c->start_s, c->end_s) : -1;
        if (heard < 0)
            continue; /* a pause, or cut off by the end of the piece */
        int in_chord = 0;
        for (int k = 0; k < c->tones; k++)
            in_chord |= (c->root + c->interval[k]) % 12 == heard;
        n->chords++;
        n->root_heard += heard == c->root;
        n->chord_heard += in_chord;
    }
    n->gaps += fabs(p->chords[p->chord_count - 1].end_s - (double)p->samples / RATE) > 1e-9;
}

/* Rise of the drums' level around `time_s`: peak of 30 ms after it over peak of 30 ms before it. */
static double onset(const struct sj_synth_piece *p, double time_s)
{
    int64_t at = (int64_t)(time_s * RATE), reach = RATE * 30 / 1000, slack = RATE * 10 / 1000;
    float before = 1e-3f, after = 1e-3f;
    for (int64_t i = 1; i <= reach; i++) {
        if (at - slack - i >= 0)
            before = fmaxf(before, fabsf(p->stems[SJ_SYNTH_DRUMS][at - slack - i]));
        if (at - slack + i < p->samples)
            after = fmaxf(after, fabsf(p->stems[SJ_SYNTH_DRUMS][at - slack + i]));
    }
    return log(after / before);
}

static void count_rhythm(const struct sj_synth_piece *p, struct tally *n)
{
    double beat_s = 60 / p->tempo_bpm, on = 0, off = 0;
    for (size_t i = 0; i + 1 < p->beat_count; i++) {
        double t = p->beats[i].time_s;
        n->beats_wrong += fabs(p->beats[i + 1].time_s - t - beat_s) > 1e-9 || p->beats[i].in_bar != (int)(i % 4) + 1;
        on += onset(p, t);
        off += onset(p, t + 0.4 * beat_s); /* between the eighth and the sixteenth before it, swung or not */
    }
    n->beats_wrong += p->beat_count < 10 || p->beats[0].time_s < 0 || p->beats[0].time_s > beat_s;
    n->on_beat += on / (double)p->beat_count;
    n->off_beat += off / (double)p->beat_count;
    n->slowest = fmin(n->slowest, p->tempo_bpm);
    n->fastest = fmax(n->fastest, p->tempo_bpm);
    n->key_count += !n->keys[p->tonic]++;
}

int main(void)
{
    reproducible();
    struct tally n = {.slowest = 1000};
    int made = 0;
    for (uint64_t number = 0; number < PIECES; number++) {
        struct sj_synth_piece p;
        if (sj_synth_make(11, number, SECONDS, &p))
            continue;
        made++;
        count_levels(&p, &n);
        count_harmony(&p, &n);
        count_rhythm(&p, &n);
        sj_synth_free(&p);
    }
    is_int(made, PIECES, "all pieces are made");
    is_int(n.loud, 0, "no stem reaches 1, none has a NaN");
    is_int(n.offset, 0, "no stem has an offset");
    ok(n.silent * 50 < n.windows, "stems sound in nearly every 8 s: silent %d of %d", n.silent, n.windows);
    is_int(n.gaps, 0, "chords leave no gap and end with the piece");
    is_int(n.outside, 0, "chords are named by roots of the key's scale");
    ok(n.root_heard * 3 > n.chords * 2, "the bass plays mostly roots: %d of %d", n.root_heard, n.chords);
    ok(n.chord_heard * 10 > n.chords * 8, "and chord tones nearly always: %d of %d", n.chord_heard, n.chords);
    is_int(n.beats_wrong, 0, "beats are evenly spaced and counted in fours");
    ok(n.on_beat > n.off_beat + 0.5 * PIECES, "drums start on beats: rise %.2f there, %.2f elsewhere", n.on_beat / PIECES,
       n.off_beat / PIECES);
    ok(n.fastest > 1.5 * n.slowest && n.key_count >= 6, "pieces differ: %.0f to %.0f bpm, %d keys", n.slowest, n.fastest,
       n.key_count);
    return done();
}
