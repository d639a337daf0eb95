/* The block style in which Slakh2100 and MedleyDB write their metadata; nothing else of YAML. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout_own.h"

enum { WORD = 512 };

struct where {
    int inside;       /* under "stems:" */
    int stem, field;  /* indents of stems and of their fields; -1: not seen yet */
    char name[WORD];  /* of the stem */
    char open[WORD];  /* a field whose value may follow as a list */
};

/* Copies without blanks and quotes around it. */
static void trim(char to[WORD], const char *from, size_t n)
{
    while (n && isspace((unsigned char)*from))
        from++, n--;
    while (n && isspace((unsigned char)from[n - 1]))
        n--;
    if (n >= 2 && (*from == '\'' || *from == '"') && from[n - 1] == *from)
        from++, n -= 2;
    snprintf(to, WORD, "%.*s", (int)(n < WORD ? n : WORD - 1), from);
}

static int parse_line(struct where *w, const char *line, int (*visit)(const char *, const char *, const char *, void *),
                      void *arg)
{
    int indent = (int)strspn(line, " ");
    const char *text = line + indent, *colon = strstr(text, ":");
    char key[WORD], value[WORD];
    if (!*text || *text == '\n' || *text == '\r' || *text == '#')
        return SJ_OK;
    if (*text == '-' && w->inside && *w->open && indent >= w->field) {
        trim(value, text + 1, strlen(text + 1));
        memcpy(key, w->open, WORD);
        *w->open = 0;
        return visit(w->name, key, value, arg);
    }
    if (!colon || *text == '-')
        return SJ_OK;
    trim(key, text, (size_t)(colon - text));
    trim(value, colon + 1, strlen(colon + 1));
    if (indent == 0) {
        w->inside = !strcmp(key, "stems");
        w->stem = w->field = -1;
    } else if (w->inside && (w->stem < 0 || indent == w->stem)) {
        w->stem = indent;
        w->field = -1;
        memcpy(w->name, key, WORD);
    } else if (w->inside && indent > w->stem && (w->field < 0 || indent == w->field)) {
        w->field = indent;
        memcpy(w->open, *value ? "" : key, *value ? 1 : WORD);
        return *value ? visit(w->name, key, value, arg) : SJ_OK;
    }
    return SJ_OK;
}

int sj_yaml_stems(const char *path, int (*visit)(const char *, const char *, const char *, void *), void *arg)
{
    FILE *f = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    struct where w = {.stem = -1, .field = -1};
    if (!f)
        return sj_fail_errno("cannot open '%s'", path);
    int status = SJ_OK;
    while (!status && getline(&line, &room, f) >= 0)
        status = parse_line(&w, line, visit, arg);
    if (!status && ferror(f))
        status = sj_fail_errno("cannot read '%s'", path);
    free(line);
    fclose(f);
    return status;
}
