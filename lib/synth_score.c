/* The notes of the four parts: drums, bass and accompaniment share the groove; the voice sings over the chords. */
#include "synth_parts.h"

#include "err.h"

#include <stdlib.h>

/* What a part writer needs at hand. */
struct writer {
    const struct sj_synth_traits *t;
    const struct sj_synth_piece *piece;
    struct sj_synth_part *part;
    struct sj_rng r;
    double end_s;
    int failed;
};

static void add(struct writer *w, double time_s, double length_s, double pitch, double velocity, int kind)
{
    struct sj_synth_part *p = w->part;
    time_s += w->t->looseness_s * (2 * sj_rng_double(&w->r) - 1);
    velocity *= 0.85 + 0.3 * sj_rng_double(&w->r);
    if (time_s < 0)
        time_s = 0;
    if (time_s >= w->end_s || w->failed)
        return;
    if (p->count == p->capacity) {
        size_t more = p->capacity ? 2 * p->capacity : 256;
        struct sj_synth_note *grown = realloc(p->notes, more * sizeof *grown);
        if (!grown) {
            w->failed = 1;
            return;
        }
        p->notes = grown;
        p->capacity = more;
    }
    p->notes[p->count++] = (struct sj_synth_note){
        .start_s = time_s, .length_s = (float)length_s, .pitch = (float)pitch,
        .velocity = (float)(velocity > 1 ? 1 : velocity), .kind = kind};
}

static const struct sj_synth_chord *chord_at(const struct writer *w, double time_s)
{
    const struct sj_synth_chord *c = w->piece->chords;
    size_t i = 0;
    while (i + 1 < w->piece->chord_count && c[i].end_s <= time_s + 1e-6)
        i++;
    return &c[i];
}

static double when(const struct writer *w, int bar, int step)
{
    return sj_synth_step_time(w->t, bar, step);
}

/* One part in three sections or so pauses for a bar; never two parts at once. */
static int pauses(const struct sj_synth_traits *t, int stem, int bar)
{
    struct sj_rng r = sj_synth_rng(t, FOR_BREAKS);
    for (int section = 0; section < bar / 4; section++)
        (void)sj_rng_u64(&r);
    uint32_t draw = sj_rng_u32(&r);
    return draw % 3 == 0 && (int)(draw / 3 % SJ_SYNTH_STEMS) == stem && bar % 4 == (int)(draw / 12 % 4) && bar > 0;
}

/* -- drums --------------------------------------------------------------------------------------------------------- */
static void drum(struct writer *w, int bar, int step, int which, double velocity)
{
    add(w, when(w, bar, step), 0, 0, velocity, which);
}

static void drum_fill(struct writer *w, int bar)
{
    int first = sj_synth_chance(&w->r, 0.5f) ? 12 : 8, stride = w->t->subdivision == 2 ? 2 : 1;
    for (int i = first; i < SJ_SYNTH_STEPS; i += stride)
        if (sj_synth_chance(&w->r, 0.75f))
            drum(w, bar, i, i < 13 ? DRUM_SNARE : DRUM_TOM, 0.5 + 0.03 * i);
}

static void write_drums(struct writer *w, int bar)
{
    const struct sj_synth_style *s = &sj_synth_styles[w->t->style];
    int fill = bar % 4 == 3 && sj_synth_chance(&w->r, 0.7f), ghosts = w->t->subdivision == 4;
    int open = (int)sj_rng_below(&w->r, 4) * 4 + 2;
    unsigned kick = w->t->groove[sj_synth_section(w->t, bar)];
    if (bar % 4 == 0 && bar > 0 && sj_synth_chance(&w->r, 0.5f))
        drum(w, bar, 0, DRUM_CRASH, 0.7);
    for (int i = 0; i < SJ_SYNTH_STEPS; i++) {
        if (fill && i >= 12)
            break;
        if (kick >> i & 1)
            drum(w, bar, i, DRUM_KICK, i % 4 ? 0.8 : 1);
        if (sj_synth_chance(&w->r, (float)(s->snare[i] - '0') / 9))
            drum(w, bar, i, DRUM_SNARE, i % 4 ? 0.45 : 0.9);
        else if (ghosts && i % 2 && sj_synth_chance(&w->r, 0.12f * w->t->density))
            drum(w, bar, i, DRUM_SNARE, 0.25);
        if (i == open && sj_synth_chance(&w->r, s->open_hats))
            drum(w, bar, i, DRUM_OPEN_HAT, 0.5);
        else if (sj_synth_chance(&w->r, (float)(s->hat[i] - '0') / 9))
            drum(w, bar, i, DRUM_HAT, i % 4 == 0 ? 0.6 : i % 2 == 0 ? 0.45 : 0.3);
    }
    if (fill)
        drum_fill(w, bar);
}

/* -- bass ---------------------------------------------------------------------------------------------------------- */
/* Lowest pitch of a class that is not below low. */
static int at_or_above(int low, int pitch_class)
{
    return low + ((pitch_class - low) % 12 + 12) % 12;
}

enum { BASS_LOW = 29 };

/* Steps on which the bass plays in a bar. */
static unsigned bass_steps(struct writer *w, int bar)
{
    static const unsigned steady[] = {[BASS_PUMP] = 0x5555, [BASS_WALK] = 0x1111, [BASS_OCTAVES] = 0x5555};
    unsigned groove = w->t->groove[sj_synth_section(w->t, bar)];
    switch (w->t->bass_manner) {
    case BASS_LOCKED:
        return groove | 1 | (sj_synth_chance(&w->r, 0.3f + 0.5f * w->t->density) ? 1u << 14 : 0);
    case BASS_LONG:
        return w->t->beats_per_chord == 2 || sj_synth_chance(&w->r, w->t->density) ? 0x0101 : 0x0001;
    default:
        return steady[w->t->bass_manner];
    }
}

static double bass_pitch(struct writer *w, double now_s, int step, int last)
{
    const struct sj_synth_chord *c = chord_at(w, now_s), *next = chord_at(w, now_s + 60 / w->t->tempo);
    int root = at_or_above(BASS_LOW, c->root), first = now_s - c->start_s < 0.3 * 60 / w->t->tempo;
    float u = sj_rng_float(&w->r);
    if (first || u < 0.5f)
        return w->t->bass_manner == BASS_OCTAVES && step % 4 == 2 ? root + 12 : root;
    if (last && next->root != c->root && u < 0.75f) { /* lead into the next root from a neighbour */
        int goal = at_or_above(BASS_LOW, next->root);
        return goal + (u < 0.6f ? -1 : 2);
    }
    if (w->t->bass_manner == BASS_WALK)
        return root + c->interval[1 + sj_rng_below(&w->r, (uint64_t)c->tones - 1)];
    return u < 0.7f ? root + 12 : u < 0.9f ? root + c->interval[2] : root;
}

static void write_bass(struct writer *w, int bar)
{
    unsigned steps = bass_steps(w, bar);
    for (int i = 0; i < SJ_SYNTH_STEPS; i++) {
        if (!(steps >> i & 1))
            continue;
        int next = i + 1;
        while (next < SJ_SYNTH_STEPS && !(steps >> next & 1))
            next++;
        double now_s = when(w, bar, i), gap_s = when(w, bar, next) - now_s;
        double hold = w->t->bass_manner == BASS_LONG ? 0.95 : 0.45 + 0.45 * w->t->sustain;
        add(w, now_s, gap_s * hold, bass_pitch(w, now_s, i, next == SJ_SYNTH_STEPS), i % 4 ? 0.7 : 0.9, 0);
    }
}

/* -- accompaniment ------------------------------------------------------------------------------------------------- */
enum { COMP_LOW = 52 };

/* One chord from tone `first` of its voicing to tone `last`, strummed by `spread_s` from tone to tone. */
static void comp_chord(struct writer *w, double now_s, double length_s, int first, int last, double spread_s,
                       double velocity)
{
    const struct sj_synth_chord *c = chord_at(w, now_s + 0.02);
    int low = COMP_LOW + w->t->comp_low;
    for (int i = first; i <= last; i++) {
        int pitch = at_or_above(low, c->root + c->interval[i % c->tones]);
        if (i >= c->tones)
            pitch += 12;
        add(w, now_s + (i - first) * spread_s, length_s, pitch, velocity, 0);
    }
}

static void comp_arpeggio(struct writer *w, int bar)
{
    int stride = w->t->density > 0.5f && w->t->subdivision == 4 ? 1 : 2;
    for (int i = 0; i < SJ_SYNTH_STEPS; i += stride) {
        double now_s = when(w, bar, i);
        int tone = w->t->contour[i / stride % 4], accent = w->t->hits[sj_synth_section(w->t, bar)] >> i & 1;
        double length_s = (when(w, bar, i + stride) - now_s) * (0.6 + 1.4 * w->t->sustain);
        comp_chord(w, now_s, length_s, tone, tone, 0, accent ? 0.95 : 0.55);
    }
}

static void comp_pad(struct writer *w, int bar)
{
    int stride = w->t->beats_per_chord == 2 ? 8 : 16;
    if (w->t->beats_per_chord == 8 && bar % 2)
        return;
    for (int i = 0; i < SJ_SYNTH_STEPS; i += stride)
        comp_chord(w, when(w, bar, i), w->t->beats_per_chord * 58 / w->t->tempo, 0, 3, 0.004, 0.7);
}

static void write_comp(struct writer *w, int bar)
{
    const struct sj_synth_traits *t = w->t;
    unsigned hits = t->hits[sj_synth_section(t, bar)];
    double beat_s = 60 / t->tempo;
    switch (t->comp_manner) {
    case COMP_PAD:
        comp_pad(w, bar);
        break;
    case COMP_ARPEGGIO:
        comp_arpeggio(w, bar);
        break;
    case COMP_OFFBEAT:
        for (int i = 2; i < SJ_SYNTH_STEPS; i += 4)
            comp_chord(w, when(w, bar, i), (0.1 + 0.15 * t->sustain) * beat_s, 0, 2, 0.006, i % 8 == 6 ? 0.9 : 0.75);
        break;
    case COMP_STRUM:
        for (int i = 0; i < SJ_SYNTH_STEPS; i++)
            if (i % 4 == 0 || hits >> i & 1)
                comp_chord(w, when(w, bar, i), 0.9 * beat_s, 0, 4, 0.012, hits >> i & 1 ? 0.85 : 0.6);
        break;
    default: /* stabs */
        for (int i = 0; i < SJ_SYNTH_STEPS; i++)
            if (hits >> i & 1)
                comp_chord(w, when(w, bar, i), (0.2 + 0.3 * t->sustain) * beat_s, 0, 3, 0.003, 0.85);
    }
}

/* -- voice --------------------------------------------------------------------------------------------------------- */
/* The tone of the scale (strong: of the chord) that is nearest to `near`. */
static int singable(const struct writer *w, double now_s, int near, int strong)
{
    const struct sj_synth_chord *c = chord_at(w, now_s);
    for (int away = 0; away < 12; away++) {
        int pitch = near + (away % 2 ? (away + 1) / 2 : -away / 2), good = 0;
        for (int i = 0; i < (strong ? c->tones : 7); i++)
            good |= strong ? (pitch - c->root - c->interval[i]) % 12 == 0
                           : (pitch - w->t->tonic - sj_synth_scales[w->t->mode][i]) % 12 == 0;
        if (good)
            return pitch;
    }
    return near;
}

/* Phrases of two bars that end with a rest; the same rhythm comes back in every section of a kind. */
static void write_voice(struct writer *w, int bar)
{
    const struct sj_synth_traits *t = w->t;
    if (bar % 2)
        return;
    struct sj_rng motif = sj_synth_rng(t, FOR_PHRASES + sj_synth_section(t, bar) * 2 + bar % 4 / 2);
    int stride = t->subdivision == 2 || t->density < 0.5f ? 2 : 1, end = 22 + (int)sj_rng_below(&motif, 9);
    int pitch = t->voice_center + (int)sj_rng_below(&motif, 5) - 2, first = 1;
    for (int i = (int)sj_rng_below(&motif, 3) * 2; i < end;) {
        int length = stride * (1 + (int)sj_rng_below(&motif, 4));
        if (t->syncopation < 0.4f && (i + length) % 4 % 2)
            length++;
        if (sj_synth_chance(&motif, 0.1f))
            length += 4;
        if (i + length > end)
            length = end - i;
        int lean = pitch > t->voice_center + 5 ? -2 : pitch < t->voice_center - 5 ? 2 : 0;
        pitch = singable(w, when(w, bar, i), pitch + lean + (int)sj_rng_below(&motif, 7) - 3, i % 4 == 0);
        double now_s = when(w, bar, i);
        add(w, now_s, (when(w, bar, i + length) - now_s) * 0.95, pitch, i % 4 ? 0.75 : 0.9, first);
        first = 0;
        i += length;
    }
}

int sj_synth_write_score(const struct sj_synth_traits *t, const struct sj_synth_piece *piece,
                         struct sj_synth_score *score)
{
    static void (*const write[])(struct writer *, int) = {write_bass, write_drums, write_comp, write_voice};
    double end_s = (double)piece->samples / SJ_SYNTH_RATE;
    for (int s = 0; s < SJ_SYNTH_STEMS && piece->chord_count; s++) {
        struct writer w = {.t = t, .piece = piece, .part = &score->parts[s], .end_s = end_s};
        w.r = sj_synth_rng(t, FOR_PART + s);
        for (int bar = 0; when(&w, bar, 0) < end_s; bar++)
            if (!pauses(t, s, bar))
                write[s](&w, bar);
        if (w.failed)
            return sj_fail(SJ_SYSTEM, "no memory for the notes of a piece");
    }
    return SJ_OK;
}

void sj_synth_score_free(struct sj_synth_score *score)
{
    for (int s = 0; s < SJ_SYNTH_STEMS; s++)
        free(score->parts[s].notes);
    *score = (struct sj_synth_score){0};
}
