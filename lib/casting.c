#include "casting.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "fluid.h"
#include "installed.h"
#include "tune.h"

enum { DRUMS = 9, NAME = 64, PATTERN = 64, PLAYED = 256 };
enum by { BY_PROGRAM, BY_CHANNEL, BY_NAME, BY_MELODY, BY_ANY, BY_PLAY, BYS };
static const char *const by_names[BYS] = {"program", "channel", "name", "melody", "any", "play"};

struct rule {
    enum by by;
    int class;
    char pattern[PATTERN];
    uint8_t set[SJ_CASTING_PROGRAMS]; /* programs or channels that fit */
};

struct play {
    int n, program[PLAYED];
};

struct sj_casting {
    int classes, rules;
    char class[SJ_FLUID_CLASSES][NAME];
    const char *name[SJ_FLUID_CLASSES];
    struct play play[SJ_FLUID_CLASSES];
    struct rule rule[SJ_CASTING_RULES];
};

struct sj_cast {
    const struct sj_casting *casting;
    int tracks;
    uint8_t (*named)[SJ_CASTING_RULES]; /* (tracks): whether the name fits the rule */
    int tune_track, tune_channel, tune_rule; /* -1: none */
};

/* -- the file ------------------------------------------------------------------------------------------------------ */

/* "33-40,54": those numbers, less one, to set and (where it is not NULL) in their order to play. */
static int parse_numbers(const char *text, int most, struct rule *r, struct play *play)
{
    char list[512], *rest = list, *one;
    if ((size_t)snprintf(list, sizeof list, "%s", text) >= sizeof list)
        return sj_fail(SJ_INPUT, "'%s' is too long", text);
    while ((one = strsep(&rest, ","))) {
        char *dash = strchr(one, '-');
        int64_t low, high;
        if (dash)
            *dash = 0;
        int status = sj_cli_int("a number", one, 1, most, &low);
        if (!status)
            status = sj_cli_int("a number", dash ? dash + 1 : one, (double)low, most, &high);
        if (status)
            return status;
        for (int64_t x = low - 1; x < high; x++) {
            r->set[x] = 1;
            if (play && play->n < PLAYED)
                play->program[play->n++] = (int)x;
        }
    }
    return SJ_OK;
}

static int find_class(struct sj_casting *c, const char *name, int *class)
{
    *class = SJ_CASTING_NONE;
    if (!strcmp(name, "@none"))
        return SJ_OK;
    for (int i = 0; i < c->classes; i++)
        if (!strcmp(c->class[i], name)) {
            *class = i;
            return SJ_OK;
        }
    if (!*name || *name == '@' || *name == '.' || strchr(name, '/') || strlen(name) >= NAME)
        return sj_fail(SJ_INPUT, "'%s' cannot be the name of a class", name);
    if (c->classes == SJ_FLUID_CLASSES)
        return sj_fail(SJ_INPUT, "more than %d classes", SJ_FLUID_CLASSES);
    *class = c->classes;
    snprintf(c->class[c->classes], NAME, "%s", name);
    c->name[c->classes] = c->class[c->classes];
    c->classes++;
    return SJ_OK;
}

/* Lower case, with blanks for '_' and '-'. */
static void plain(char *to, size_t size, const char *from)
{
    size_t i = 0;
    for (; i + 1 < size && from[i]; i++)
        to[i] = from[i] == '_' || from[i] == '-' ? ' ' : (char)tolower((unsigned char)from[i]);
    to[i] = 0;
}

static int parse_rule(struct sj_casting *c, const char *class, const char *by, const char *what)
{
    struct rule r = {.by = BY_PROGRAM};
    while (r.by < BYS && strcmp(by_names[r.by], by))
        r.by++;
    if (r.by == BYS)
        return sj_fail(SJ_INPUT, "'%s' is none of program, channel, name, melody, any, play", by);
    int status = find_class(c, class, &r.class);
    if (status)
        return status;
    if ((r.by == BY_MELODY || r.by == BY_PLAY) && r.class == SJ_CASTING_NONE)
        return sj_fail(SJ_INPUT, "'%s' wants a class", by);
    if ((r.by == BY_MELODY || r.by == BY_ANY) && strcmp(what, "*"))
        return sj_fail(SJ_INPUT, "'%s' where '*' is wanted", what);
    if (r.by == BY_NAME && strlen(what) >= PATTERN)
        return sj_fail(SJ_INPUT, "'%s' is too long", what);
    plain(r.pattern, sizeof r.pattern, what);
    if (r.by == BY_PROGRAM || r.by == BY_CHANNEL || r.by == BY_PLAY)
        status = parse_numbers(what, r.by == BY_CHANNEL ? SJ_MIDI_CHANNELS : SJ_CASTING_PROGRAMS, &r,
                               r.by == BY_PLAY ? &c->play[r.class] : NULL);
    if (status || r.by == BY_PLAY)
        return status;
    if (c->rules == SJ_CASTING_RULES)
        return sj_fail(SJ_INPUT, "more than %d rules", SJ_CASTING_RULES);
    c->rule[c->rules++] = r;
    return SJ_OK;
}

static int parse_line(struct sj_casting *c, char *line)
{
    size_t n = strlen(line);
    while (n && isspace((unsigned char)line[n - 1]))
        line[--n] = 0;
    if (!n || *line == '#')
        return SJ_OK;
    char *by = strchr(line, '\t'), *what = by ? strchr(by + 1, '\t') : NULL;
    if (!what)
        return sj_fail(SJ_INPUT, "not a class, a tab, by what, a tab and the value");
    *by++ = *what++ = 0;
    return parse_rule(c, line, by, what);
}

static int parse(struct sj_casting *c, FILE *f, const char *name)
{
    char *line = NULL;
    size_t room = 0;
    int status = SJ_OK;
    for (int number = 1; !status && getline(&line, &room, f) >= 0; number++)
        if ((status = parse_line(c, line)))
            status = sj_fail_at(SJ_INPUT, "'%s' line %d", name, number);
    if (!status && ferror(f))
        status = sj_fail_errno("cannot read '%s'", name);
    if (!status && !c->classes)
        status = sj_fail(SJ_INPUT, "'%s' names no classes", name);
    free(line);
    return status;
}

int sj_casting_open(const char *rules, struct sj_casting **out)
{
    char name[256], path[4096];
    FILE *f = fopen(rules, "re");
    *out = NULL;
    if (!f && errno == ENOENT && !strchr(rules, '/')) {
        snprintf(name, sizeof name, "render/%.200s.tsv", rules);
        sj_installed(name, path, sizeof path);
        f = fopen(path, "re");
    }
    if (!f)
        return sj_fail_errno("cannot read the rules '%s'", rules);
    struct sj_casting *c = calloc(1, sizeof *c);
    int status = c ? parse(c, f, rules) : sj_fail(SJ_SYSTEM, "no memory for rules");
    fclose(f);
    if (status)
        sj_casting_close(c);
    else
        *out = c;
    return status;
}

void sj_casting_close(struct sj_casting *c)
{
    free(c);
}

const char *const *sj_casting_names(const struct sj_casting *c, int *n)
{
    *n = c->classes;
    return c->name;
}

const int *sj_casting_play(const struct sj_casting *c, int class, int *n)
{
    *n = c->play[class].n;
    return c->play[class].program;
}

/* -- one piece ----------------------------------------------------------------------------------------------------- */

/* Whether rule i fits; a melody's only where the tune was found for it. */
static int fits(const struct sj_cast *k, int i, int track, int channel, int program)
{
    const struct rule *r = &k->casting->rule[i];
    switch (r->by) {
    case BY_PROGRAM: return channel != DRUMS && r->set[program];
    case BY_CHANNEL: return r->set[channel];
    case BY_NAME: return k->named[track][i];
    case BY_MELODY: return i == k->tune_rule && track == k->tune_track && channel == k->tune_channel;
    default: return 1;
    }
}

/* The number of the rule that decides, or -1. */
static int deciding(const struct sj_cast *k, int track, int channel, int program)
{
    for (int i = 0; i < k->casting->rules; i++)
        if (fits(k, i, track, channel, program))
            return i;
    return -1;
}

int sj_cast_class(const struct sj_cast *k, int track, int channel, int program)
{
    int i = deciding(k, track, channel, program);
    return i < 0 ? SJ_CASTING_NONE : k->casting->rule[i].class;
}

/* What the search for a tune sees of the notes that rules before `rule` have not taken. */
struct search {
    const struct sj_cast *cast;
    int rule, taken; /* taken: the class has notes already */
};

static int may_carry(void *arg, int track, int channel, int program)
{
    struct search *s = arg;
    int i = deciding(s->cast, track, channel, program);
    if (i >= 0 && i < s->rule && s->cast->casting->rule[i].class == s->cast->casting->rule[s->rule].class)
        s->taken = 1;
    return channel != DRUMS && (i < 0 || i > s->rule);
}

static int find_tune(struct sj_cast *k, const struct sj_midi *m)
{
    for (int i = 0; i < k->casting->rules; i++) {
        struct search s = {k, i, 0};
        int track, channel;
        if (k->casting->rule[i].by != BY_MELODY)
            continue;
        int status = sj_tune_find(m, may_carry, &s, &track, &channel);
        if (status)
            return status;
        if (s.taken || track < 0)
            continue;
        k->tune_rule = i;
        k->tune_track = track;
        k->tune_channel = channel;
        break; /* one tune is found in a piece */
    }
    return SJ_OK;
}

int sj_cast_new(const struct sj_casting *c, const struct sj_midi *m, struct sj_cast **out)
{
    struct sj_cast *k = calloc(1, sizeof *k);
    *out = NULL;
    if (!k || !(k->named = calloc((size_t)m->tracks, sizeof *k->named))) {
        free(k);
        return sj_fail(SJ_SYSTEM, "no memory for %d tracks", m->tracks);
    }
    k->casting = c;
    k->tracks = m->tracks;
    k->tune_rule = k->tune_track = k->tune_channel = -1;
    for (int t = 0; t < m->tracks; t++) {
        char name[SJ_MIDI_NAME];
        plain(name, sizeof name, m->name[t]);
        for (int i = 0; i < c->rules; i++)
            k->named[t][i] = c->rule[i].by == BY_NAME && *name && !fnmatch(c->rule[i].pattern, name, 0);
    }
    int status = find_tune(k, m);
    if (status) {
        sj_cast_free(k);
        return status;
    }
    *out = k;
    return SJ_OK;
}

void sj_cast_free(struct sj_cast *k)
{
    if (!k)
        return;
    free(k->named);
    free(k);
}
