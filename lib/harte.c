#include "harte.h"

#include <stdio.h>
#include <string.h>

#include "music_key.h"

const char *const sj_chords_names[] = {"majmin", "triads", "full", NULL};
const char *const sj_keys_names[] = {"majmin", "full", NULL};

static const char *const pitch_name[12] = {"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"};

/* The pitch class of a note at *p, which moves behind it; -1: there is none. */
static int parse_note(const char **p)
{
    static const int pitch[] = {9, 11, 0, 2, 4, 5, 7}; /* A .. G */
    if (**p < 'A' || **p > 'G')
        return -1;
    int note = pitch[*(*p)++ - 'A'];
    for (; **p == '#' || **p == 'b'; ++*p)
        note = (note + (**p == '#' ? 1 : 11)) % 12;
    return note;
}

/* -- chords -------------------------------------------------------------------------------------------------------- */
enum { MIN3 = 1 << 3, MAJ3 = 1 << 4, DIM5 = 1 << 6, PERF5 = 1 << 7, AUG5 = 1 << 8, SUS2 = 1 << 2, SUS4 = 1 << 5 };

/* Of a shorthand only what third and fifth are matters here. */
static const struct {
    const char *name;
    unsigned tones; /* bit i: i semitones above the root */
} shorthands[] = {
    {"maj", MAJ3 | PERF5},    {"min", MIN3 | PERF5},   {"dim", MIN3 | DIM5},     {"aug", MAJ3 | AUG5},
    {"maj7", MAJ3 | PERF5},   {"min7", MIN3 | PERF5},  {"7", MAJ3 | PERF5},      {"dim7", MIN3 | DIM5},
    {"hdim7", MIN3 | DIM5},   {"hdim", MIN3 | DIM5},   {"minmaj7", MIN3 | PERF5}, {"maj6", MAJ3 | PERF5},
    {"6", MAJ3 | PERF5},      {"min6", MIN3 | PERF5},  {"9", MAJ3 | PERF5},      {"maj9", MAJ3 | PERF5},
    {"min9", MIN3 | PERF5},   {"11", MAJ3 | PERF5},    {"maj11", MAJ3 | PERF5},  {"min11", MIN3 | PERF5},
    {"13", MAJ3 | PERF5},     {"maj13", MAJ3 | PERF5}, {"min13", MIN3 | PERF5},  {"sus2", SUS2 | PERF5},
    {"sus4", SUS4 | PERF5},   {"sus", SUS4 | PERF5},   {"5", PERF5},             {"1", 0},
};

/* A degree at *p, which moves behind it: its semitones above the root below an octave; -1: there is none. */
static int parse_degree(const char **p)
{
    static const int semitones[] = {0, 2, 4, 5, 7, 9, 11};
    int shift = 0, degree = 0;
    for (; **p == '#' || **p == 'b'; ++*p)
        shift += **p == '#' ? 1 : 11;
    for (; **p >= '0' && **p <= '9' && degree < 10; ++*p)
        degree = 10 * degree + **p - '0';
    return degree < 1 || degree > 13 ? -1 : (semitones[(degree - 1) % 7] + shift) % 12;
}

/* (DEGREE,*DEGREE...): added to the tones, or with a star taken from them. 1: well formed. Ninths and beyond do not
 * make a chord one of seconds and fourths. */
static int parse_degrees(const char **p, unsigned *tones)
{
    do {
        ++*p;
        const int omitted = **p == '*';
        *p += omitted;
        const char *digits = *p + strspn(*p, "#b");
        const int low = digits[0] && (digits[1] < '0' || digits[1] > '9') && *digits <= '7';
        const int degree = parse_degree(p);
        if (degree < 0)
            return 0;
        if (omitted)
            *tones &= ~(1u << degree);
        else if (low)
            *tones |= 1u << degree;
    } while (**p == ',');
    return *(*p)++ == ')';
}

static int parse_quality(const char **p, unsigned *tones)
{
    const size_t n = strcspn(*p, "(/");
    size_t i = 0;
    const size_t count = sizeof shorthands / sizeof *shorthands;
    *tones = 0;
    while (n && i < count && (strlen(shorthands[i].name) != n || strncmp(shorthands[i].name, *p, n)))
        i++;
    if (i == count || (!n && **p != '('))
        return 0;
    if (n)
        *tones = shorthands[i].tones;
    *p += n;
    return **p != '(' || parse_degrees(p, tones);
}

/* Root and tones; 1: well formed. */
static int parse_chord(const char *p, int *root, unsigned *tones)
{
    *tones = MAJ3 | PERF5;
    if ((*root = parse_note(&p)) < 0)
        return 0;
    if (*p == ':' ? !(p++, parse_quality(&p, tones)) : *p == '(' && !parse_degrees(&p, tones))
        return 0;
    if (*p == '/')
        return p++, parse_degree(&p) >= 0 && !*p;
    return !*p;
}

static const char *triad(unsigned tones)
{
    if (tones & MAJ3)
        return tones & PERF5 || !(tones & AUG5) ? "maj" : "aug";
    if (tones & MIN3)
        return tones & PERF5 || !(tones & DIM5) ? "min" : "dim";
    return tones & SUS4 ? "sus4" : tones & SUS2 ? "sus2" : tones & PERF5 ? "5" : "1";
}

int sj_chord_reduce(const char *label, enum sj_chords vocabulary, char name[SJ_HARTE_BYTES], const char **out)
{
    int root;
    unsigned tones;
    *out = NULL;
    if (!strcmp(label, "N") || !strcmp(label, "X"))
        return SJ_OK;
    if (!parse_chord(label, &root, &tones))
        return sj_fail(SJ_INPUT, "'%.64s' is no chord", label);
    *out = label;
    if (vocabulary == SJ_CHORDS_FULL)
        return SJ_OK;
    const char *third = tones & MAJ3 ? "maj" : tones & MIN3 ? "min" : NULL;
    const char *quality = vocabulary == SJ_CHORDS_TRIADS ? triad(tones) : third;
    snprintf(name, SJ_HARTE_BYTES, "%s:%s", pitch_name[root], quality ? quality : "");
    *out = quality ? name : NULL;
    return SJ_OK;
}

/* -- keys ---------------------------------------------------------------------------------------------------------- */
int sj_key_reduce(const char *label, enum sj_keys vocabulary, const char **out)
{
    const char *p = label;
    int key;
    *out = NULL;
    if (!strcmp(label, "Silence") || !strcmp(label, "N") || !strcmp(label, "X"))
        return SJ_OK;
    const int modal = parse_note(&p) >= 0 && !strcmp(p, ":modal"); /* neither major nor minor */
    int status = modal ? SJ_OK : sj_music_key_parse(label, &key);
    if (!status && vocabulary == SJ_KEYS_FULL)
        *out = label;
    else if (!status && !modal)
        *out = sj_music_key_names[key];
    return status;
}
