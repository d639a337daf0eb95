#include "labfile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { FIELDS = 4 };
static const double most_s = 1e7;

static int read_text(const char *path, char **text)
{
    FILE *f = fopen(path, "re");
    size_t room = 0;
    int status = SJ_OK;
    *text = NULL;
    if (!f)
        return sj_fail_errno("cannot open '%s'", path);
    const ssize_t n = getdelim(text, &room, 0, f); /* all of it, where it is a text */
    if (n < 0 && !feof(f))
        status = sj_fail_errno("cannot read '%s'", path);
    else if (n > 0 && !(*text)[n - 1])
        status = sj_fail(SJ_INPUT, "'%s' is no text of labels", path);
    else if (n < 0 && !*text && !(*text = malloc(1)))
        status = sj_fail(SJ_SYSTEM, "no memory for '%s'", path);
    else if (n < 0)
        **text = 0;
    else if (n > 3 && !memcmp(*text, "\xef\xbb\xbf", 3)) /* as some programs begin a text */
        memmove(*text, *text + 3, (size_t)n - 2);
    fclose(f);
    return status;
}

/* Cuts a line into its fields; returns how many there are, FIELDS + 1 for more. */
static int split(char *line, char *field[FIELDS])
{
    int n = 0;
    for (char *p = line; *(p += strspn(p, " \t\r"));) {
        if (n == FIELDS)
            return FIELDS + 1;
        field[n++] = p;
        p += strcspn(p, " \t\r");
        if (*p)
            *p++ = 0;
    }
    return n;
}

static int parse_time(const char *text, double *value)
{
    return sj_cli_real("time", text, 0, most_s, value);
}

/* Whether the text is no number, so that it is a label. */
static int is_label(const char *text)
{
    char *end;
    strtod(text, &end);
    return end == text || *end;
}

/* One line that is not empty. *ends: whether it has an end. */
static int parse_part(int n, char *const field[FIELDS], struct sj_lab_part *p, int *ends)
{
    *ends = n > 2 && !is_label(field[1]);
    const int first = 1 + *ends; /* of the label's fields */
    if (n > FIELDS || n <= first || n > first + 2 || (n == first + 2 && strcmp(field[first], "Key")))
        return sj_fail(SJ_INPUT, "is no start, end and label");
    p->label = field[n - 1];
    p->end_s = INFINITY;
    int status = parse_time(field[0], &p->start_s);
    if (!status && *ends)
        status = parse_time(field[1], &p->end_s);
    if (!status && p->end_s < p->start_s)
        return sj_fail(SJ_INPUT, "ends before it begins");
    return status;
}

static int parse_line(struct sj_lab *lab, char *line, int64_t number, int *ends)
{
    struct sj_lab_part *p = &lab->part[lab->n], *last = lab->n ? p - 1 : NULL;
    char *field[FIELDS];
    int own, n = split(line, field);
    if (!n || field[0][0] == '#')
        return SJ_OK;
    int status = parse_part(n, field, p, &own);
    if (status)
        return status;
    if (last && own != *ends)
        return sj_fail(SJ_INPUT, own ? "has an end, those before have none" : "has no end, those before have one");
    if (last && p->start_s < last->start_s)
        return sj_fail(SJ_INPUT, "begins before the one above");
    if (last && !own)
        last->end_s = p->start_s;
    p->line = number;
    *ends = own;
    lab->n++;
    return SJ_OK;
}

int sj_lab_read(const char *path, struct sj_lab *lab)
{
    int64_t lines = 1, number = 0;
    int ends = 0, status;
    *lab = (struct sj_lab){0};
    status = read_text(path, &lab->text);
    for (const char *p = lab->text; !status && *p; p++)
        lines += *p == '\n';
    if (!status && !(lab->part = malloc((size_t)lines * sizeof *lab->part)))
        status = sj_fail(SJ_SYSTEM, "no memory for '%s'", path);
    for (char *p = lab->text, *next; p && !status; p = next) {
        if ((next = strchr(p, '\n')))
            *next++ = 0;
        if ((status = parse_line(lab, p, ++number, &ends)))
            sj_fail_at(status = SJ_INPUT, "'%s' line %lld", path, (long long)number);
    }
    if (status)
        sj_lab_free(lab);
    return status;
}

void sj_lab_free(struct sj_lab *lab)
{
    free(lab->part);
    free(lab->text);
    *lab = (struct sj_lab){0};
}

int64_t sj_lab_at(const struct sj_lab *lab, double time_s)
{
    int64_t low = 0, high = lab->n; /* the first part that begins later is among low .. high */
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (lab->part[middle].start_s <= time_s)
            low = middle + 1;
        else
            high = middle;
    }
    for (int64_t i = low - 1; i >= 0; i--)
        if (time_s < lab->part[i].end_s)
            return i;
    return -1;
}
