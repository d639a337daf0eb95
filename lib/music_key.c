#include "music_key.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

const char *const sj_music_key_names[] = {
    "C:major", "C#:major", "D:major", "D#:major", "E:major", "F:major", "F#:major", "G:major", "G#:major",
    "A:major", "A#:major", "B:major", "C:minor", "C#:minor", "D:minor", "D#:minor", "E:minor", "F:minor",
    "F#:minor", "G:minor", "G#:minor", "A:minor", "A#:minor", "B:minor", NULL};

/* 0 major, 1 minor, -1 neither. */
static int parse_mode(const char *text, size_t n)
{
    static const struct { const char *name; int minor; } modes[] = {
        {"maj", 0}, {"major", 0}, {"ionian", 0}, {"lydian", 0}, {"mixolydian", 0}, {"min", 1}, {"minor", 1},
        {"dorian", 1}, {"phrygian", 1}, {"aeolian", 1}, {"locrian", 1}};
    if (!n || (n == 1 && *text == 'M'))
        return 0;
    if (n == 1 && *text == 'm')
        return 1;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strlen(modes[i].name) == n && !strncasecmp(text, modes[i].name, n))
            return modes[i].minor;
    return -1;
}

static const char *skip_blanks(const char *p)
{
    while (*p == ' ')
        p++;
    return p;
}

int sj_music_key_parse(const char *text, int *key)
{
    static const int pitch[] = {9, 11, 0, 2, 4, 5, 7}; /* A .. G */
    const char *p = skip_blanks(text);
    const int letter = toupper((unsigned char)*p), small = islower((unsigned char)*p);
    if (letter < 'A' || letter > 'G')
        return sj_fail(SJ_INPUT, "'%.64s' is no key", text);
    int tonic = pitch[letter - 'A'] + 12;
    for (p++; *p == '#' || *p == 'b'; p++)
        tonic = (tonic + (*p == '#' ? 1 : 11)) % 12;
    p = skip_blanks(p);
    if (*p == ':')
        p = skip_blanks(p + 1);
    size_t n = strlen(p);
    while (n && p[n - 1] == ' ')
        n--;
    const int minor = parse_mode(p, n);
    if (minor < 0)
        return sj_fail(SJ_INPUT, "'%.64s' is no key", text);
    if (small && !n)
        return sj_fail(SJ_INPUT, "'%.64s' may be a major or a minor key", text);
    *key = tonic % 12 + 12 * minor;
    return SJ_OK;
}

double sj_music_key_score(int reference, int estimate)
{
    const int minor = reference / 12, same = minor == estimate / 12, interval = (estimate - reference + 24) % 12;
    if (same)
        return interval == 0 ? 1 : interval == 7 ? 0.5 : 0;
    return interval == (minor ? 3 : 9) ? 0.3 : interval == 0 ? 0.2 : 0;
}
