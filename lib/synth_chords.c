/* Chord progressions: a walk over the degrees of the piece's mode, one loop of four bars for each of two sections. */
#include "err.h"
#include "synth_parts.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEGREES = 7, LOOP = 8 }; /* chords in a loop of four bars: at most 8 */

/* How much a mode likes each degree, and how well the root moves up by so many degrees. */
static const float liking[][DEGREES] = {{3, 1.5f, 0.7f, 2.5f, 2.5f, 2, 0.1f},
                                        {3, 0.2f, 1.5f, 2, 1.5f, 2, 2},
                                        {3, 1, 1, 2.5f, 1, 0.1f, 2},
                                        {3, 0.8f, 0.1f, 2.5f, 1, 1, 2.5f}};
static const float motion[DEGREES] = {0.1f, 1, 0.5f, 1.5f, 1, 0.8f, 0.8f};

static const struct quality {
    const char *name;
    int tones, interval[4];
} qualities[] = {{"maj", 3, {0, 4, 7, 0}},   {"min", 3, {0, 3, 7, 0}},    {"dim", 3, {0, 3, 6, 0}},
                 {"maj7", 4, {0, 4, 7, 11}}, {"min7", 4, {0, 3, 7, 10}},  {"hdim7", 4, {0, 3, 6, 10}},
                 {"7", 4, {0, 4, 7, 10}},    {"minmaj7", 4, {0, 3, 7, 11}}};
enum { QUALITIES = sizeof qualities / sizeof qualities[0] };

static const char *const pitch_names[12] = {"C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"};

/* The chord of thirds on a degree; in minor the fifth degree may have its major third. */
static const struct quality *quality_on(const struct sj_synth_traits *t, int degree, int raised)
{
    const int *scale = sj_synth_scales[t->mode];
    int interval[4];
    for (int i = 0; i < 4; i++)
        interval[i] = (scale[(degree + 2 * i) % DEGREES] - scale[degree] + 12) % 12;
    if (raised && degree == 4)
        interval[1] = 4;
    int tones = t->sevenths ? 4 : 3;
    for (int q = 0; q < QUALITIES; q++) {
        int same = qualities[q].tones == tones;
        for (int i = 1; i < tones; i++)
            same = same && qualities[q].interval[i] == interval[i];
        if (same)
            return &qualities[q];
    }
    return &qualities[0];
}

static int draw_degree(struct sj_rng *r, int mode, int from)
{
    float weight[DEGREES], sum = 0;
    for (int d = 0; d < DEGREES; d++)
        sum += weight[d] = liking[mode][d] * motion[(d - from + DEGREES) % DEGREES];
    float u = sj_rng_float(r) * sum;
    int d = 0;
    while (d + 1 < DEGREES && u >= weight[d])
        u -= weight[d++];
    return d;
}

static void draw_loop(struct sj_rng *r, int mode, int section, int loop[LOOP])
{
    loop[0] = section == 0 && sj_synth_chance(r, 0.75f) ? 0 : draw_degree(r, mode, 4);
    for (int i = 1; i < LOOP; i++)
        loop[i] = draw_degree(r, mode, loop[i - 1]);
}

static int write_beats(const struct sj_synth_traits *t, double seconds, struct sj_synth_piece *piece)
{
    double beat_s = 60 / t->tempo;
    size_t room = (size_t)(seconds / beat_s) + 2;
    piece->beats = calloc(room, sizeof *piece->beats);
    if (!piece->beats)
        return sj_fail(SJ_SYSTEM, "no memory for the beats of a piece");
    for (size_t i = 0; i < room && t->start_s + (double)i * beat_s < seconds; i++)
        piece->beats[piece->beat_count++] =
            (struct sj_synth_beat){.time_s = t->start_s + (double)i * beat_s, .in_bar = (int)(i % 4) + 1};
    return SJ_OK;
}

int sj_synth_write_chords(const struct sj_synth_traits *t, double seconds, struct sj_synth_piece *piece)
{
    int status = write_beats(t, seconds, piece);
    if (status)
        return status;
    struct sj_rng r = sj_synth_rng(t, FOR_CHORDS);
    int loops[2][LOOP], raised = t->mode == 1 && sj_synth_chance(&r, 0.4f);
    for (int s = 0; s < 2; s++)
        draw_loop(&r, t->mode, s, loops[s]);
    double chord_s = t->beats_per_chord * 60 / t->tempo;
    size_t room = (size_t)(seconds / chord_s) + 2;
    piece->chords = calloc(room, sizeof *piece->chords);
    if (!piece->chords)
        return sj_fail(SJ_SYSTEM, "no memory for the chords of a piece");
    int per_loop = 16 / t->beats_per_chord;
    for (size_t i = 0; i < room && t->start_s + (double)i * chord_s < seconds; i++) {
        struct sj_synth_chord *c = &piece->chords[piece->chord_count++];
        int bar = (int)i * t->beats_per_chord / 4, degree = loops[sj_synth_section(t, bar)][(int)i % per_loop];
        c->start_s = t->start_s + (double)i * chord_s;
        c->end_s = c->start_s + chord_s < seconds ? c->start_s + chord_s : seconds;
        c->root = (t->tonic + sj_synth_scales[t->mode][degree]) % 12;
        const struct quality *q = quality_on(t, degree, raised);
        c->tones = q->tones;
        for (int k = 0; k < 4; k++)
            c->interval[k] = q->interval[k];
        snprintf(c->label, sizeof c->label, "%s:%s", pitch_names[c->root], q->name);
    }
    snprintf(piece->key, sizeof piece->key, "%s:%s", pitch_names[t->tonic], sj_synth_modes[t->mode]);
    return SJ_OK;
}
