#include "classmap.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "installed.h"
#include "stream.h"

enum { NAME = 512 };

/* schemas/classes/four.tsv, built in: the default must be found wherever the program lies. */
__asm__(".pushsection .rodata\n"
        "sj_four_classes: .incbin \"schemas/classes/four.tsv\"\n .byte 0\n"
        ".popsection");
extern const char four_classes[] __asm__("sj_four_classes");

struct rule {
    char *pattern;
    int class;
};

struct sj_classmap {
    int classes, fixed; /* fixed: the list of classes was given */
    char *class[SJ_CLASSES];
    int rules, room;
    struct rule *rule;
};

/* Lower case, with blanks for '_' and '-'. */
static void plain(char to[NAME], const char *from)
{
    size_t i = 0;
    for (; i < NAME - 1 && from[i]; i++)
        to[i] = from[i] == '_' || from[i] == '-' ? ' ' : (char)tolower((unsigned char)from[i]);
    to[i] = 0;
}

int sj_classmap_exact(const struct sj_classmap *m, const char *name)
{
    char want[NAME], have[NAME];
    plain(want, name);
    for (int i = 0; i < m->classes; i++) {
        plain(have, m->class[i]);
        if (!strcmp(have, want))
            return i;
    }
    return SJ_CLASS_UNKNOWN;
}

static int add_class(struct sj_classmap *m, const char *name, int *class)
{
    if (!*name || *name == '@' || strpbrk(name, "/\t"))
        return sj_fail(SJ_USAGE, "'%s' cannot be the name of a class", name);
    if (m->classes == SJ_CLASSES || !(m->class[m->classes] = strdup(name)))
        return sj_fail(SJ_USAGE, "more classes than %d", SJ_CLASSES);
    *class = m->classes++;
    return SJ_OK;
}

static int add_rule(struct sj_classmap *m, const char *pattern, const char *class)
{
    int number = !strcmp(class, "@mix") ? SJ_CLASS_MIX : !strcmp(class, "@none") ? SJ_CLASS_LEFT_OUT : SJ_CLASS_UNKNOWN;
    for (int i = 0; i < m->classes && number == SJ_CLASS_UNKNOWN; i++)
        if (!strcmp(m->class[i], class))
            number = i;
    if (number == SJ_CLASS_UNKNOWN && m->fixed)
        return sj_fail(SJ_USAGE, "class '%s' is not in the list of classes", class);
    int status = number == SJ_CLASS_UNKNOWN ? add_class(m, class, &number) : SJ_OK;
    if (status)
        return status;
    if (m->rules == m->room) {
        int room = m->room ? 2 * m->room : 64;
        struct rule *more = realloc(m->rule, (size_t)room * sizeof *more);
        if (!more)
            return sj_fail(SJ_SYSTEM, "no memory for a class map");
        m->rule = more;
        m->room = room;
    }
    char text[NAME];
    plain(text, pattern);
    if (!(m->rule[m->rules].pattern = strdup(text)))
        return sj_fail(SJ_SYSTEM, "no memory for a class map");
    m->rule[m->rules++].class = number;
    return SJ_OK;
}

static int parse_line(struct sj_classmap *m, char *line)
{
    size_t n = strlen(line);
    while (n && isspace((unsigned char)line[n - 1]))
        line[--n] = 0;
    if (!n || *line == '#')
        return SJ_OK;
    char *tab = strchr(line, '\t');
    if (!tab || tab == line)
        return sj_fail(SJ_INPUT, "not a pattern, a tab and a class");
    *tab = 0;
    return add_rule(m, line, tab + 1 + strspn(tab + 1, "\t "));
}

static int parse(struct sj_classmap *m, FILE *f, const char *name)
{
    char *line = NULL;
    size_t room = 0;
    int status = SJ_OK;
    for (int number = 1; !status && getline(&line, &room, f) >= 0; number++)
        if ((status = parse_line(m, line)))
            status = sj_fail_at(SJ_INPUT, "'%s' line %d", name, number);
    if (!status && ferror(f))
        status = sj_fail_errno("cannot read '%s'", name);
    if (!status && !m->classes)
        status = sj_fail(SJ_INPUT, "'%s' names no classes", name);
    free(line);
    return status;
}

static FILE *open_four(void)
{
    return fmemopen((void *)(uintptr_t)four_classes, strlen(four_classes), "r");
}

/* A map by path, or by name from where maps are installed; "four" need not be. */
static FILE *open_map(const char *map)
{
    char name[256], path[4096];
    FILE *f = fopen(map, "re");
    if (!f && errno == ENOENT && !strcmp(map, "four"))
        return open_four();
    if (!f && errno == ENOENT && !strchr(map, '/')) {
        snprintf(name, sizeof name, "classes/%.200s.tsv", map);
        sj_installed(name, path, sizeof path);
        f = fopen(path, "re");
    }
    return f;
}

static int read_map(struct sj_classmap *m, const char *map)
{
    FILE *f = map ? open_map(map) : open_four();
    map = map ? map : "four";
    if (!f)
        return sj_fail_errno("cannot read the class map '%s'", map);
    int status = parse(m, f, map);
    fclose(f);
    return status;
}

static int read_list(struct sj_classmap *m, const char *list)
{
    int status = SJ_OK, class;
    for (const char *p = list; !status; p++) {
        char name[NAME];
        size_t n = strcspn(p, ",");
        snprintf(name, sizeof name, "%.*s", (int)n, p);
        if (n && sj_classmap_exact(m, name) != SJ_CLASS_UNKNOWN)
            return sj_fail(SJ_USAGE, "class '%s' is listed twice", name);
        status = add_class(m, name, &class);
        if (!*(p += n))
            break;
    }
    m->fixed = 1;
    return status;
}

int sj_classmap_open(const char *map, const char *classes, struct sj_classmap **out)
{
    struct sj_classmap *m = calloc(1, sizeof *m);
    if (!m)
        return sj_fail(SJ_SYSTEM, "no memory for a class map");
    int status = classes ? read_list(m, classes) : SJ_OK;
    if (!status && (map || !classes))
        status = read_map(m, map);
    for (int i = 0; !map && classes && i < m->classes && !status; i++)
        status = add_rule(m, m->class[i], m->class[i]);
    if (!status && !map && classes && !(status = add_rule(m, "mixture", "@mix")))
        status = add_rule(m, "mix", "@mix");
    if (status) {
        sj_classmap_close(m);
        return status;
    }
    *out = m;
    return SJ_OK;
}

void sj_classmap_close(struct sj_classmap *m)
{
    if (!m)
        return;
    for (int i = 0; i < m->classes; i++)
        free(m->class[i]);
    for (int i = 0; i < m->rules; i++)
        free(m->rule[i].pattern);
    free(m->rule);
    free(m);
}

const char *const *sj_classmap_names(const struct sj_classmap *m, int *n)
{
    *n = m->classes;
    return (const char *const *)m->class;
}

static int find(const struct sj_classmap *m, const char *name, int others)
{
    char text[NAME];
    plain(text, name);
    for (int i = 0; i < m->rules; i++)
        if ((others || strcmp(m->rule[i].pattern, "*")) && !fnmatch(m->rule[i].pattern, text, 0))
            return m->rule[i].class;
    return SJ_CLASS_UNKNOWN;
}

int sj_classmap_find(const struct sj_classmap *m, const char *name)
{
    return find(m, name, 1);
}

int sj_classmap_recognise(const struct sj_classmap *m, const char *name)
{
    return find(m, name, 0);
}
