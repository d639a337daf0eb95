#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { BLOCK = 1 << 16 };

static int read_all(const char *path, char **text, size_t *size)
{
    FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
    char *all = NULL;
    size_t room = 0, n = 0, got;
    int status = f ? SJ_OK : sj_fail_errno("cannot open '%s'", path);
    while (!status) {
        if (room - n < BLOCK + 1) {
            char *more = realloc(all, room = 2 * room + BLOCK + 1);
            if (!more) {
                status = sj_fail(SJ_SYSTEM, "no memory for '%s'", path);
                break;
            }
            all = more;
        }
        if (!(got = fread(all + n, 1, BLOCK, f)))
            break;
        n += got;
    }
    if (!status && ferror(f))
        status = errno == EISDIR ? sj_fail(SJ_INPUT, "'%s' is a folder", path)
                                 : sj_fail_errno("cannot read '%s'", path);
    if (f && f != stdin)
        fclose(f);
    if (status) {
        free(all);
        return status;
    }
    all[n] = 0;
    *text = all;
    *size = n;
    return SJ_OK;
}

static void unescape(char *text)
{
    char *to = strchr(text, '\\');
    for (const char *p = to; p && *p; p++) {
        if (*p == '\\' && p[1])
            p++, *to++ = *p == 't' ? '\t' : *p == 'n' ? '\n' : *p;
        else
            *to++ = *p;
    }
    if (to)
        *to = 0;
}

/* The fields of the line that begins at p into at most `room` places; *next: what follows it. Returns their number. */
static int split(char *p, int room, char **field, char **next)
{
    int n = 0;
    *next = strchr(p, '\n');
    if (*next > p && (*next)[-1] == '\r')
        (*next)[-1] = 0;
    *(*next)++ = 0;
    for (char *tab; p; p = tab) {
        if ((tab = strchr(p, '\t')))
            *tab++ = 0;
        unescape(p);
        if (n < room)
            field[n] = p;
        n++;
    }
    return n;
}

static int split_all(struct sj_table *t, size_t size)
{
    char *p = t->text, *end = p + size;
    if (!size)
        return sj_fail(SJ_INPUT, "'%s' is empty", t->path);
    if (strlen(p) != size || end[-1] != '\n')
        return sj_fail(SJ_INPUT, "'%s' is no text, or its last line is cut short", t->path);
    const size_t first = strcspn(p, "\n");
    t->columns = 1;
    for (size_t i = 0; i < first; i++)
        t->columns += p[i] == '\t';
    for (const char *q = p + first + 1; q < end; q++)
        t->rows += *q == '\n';
    t->name = malloc((size_t)t->columns * sizeof *t->name);
    t->cell = calloc((size_t)t->rows * (size_t)t->columns + 1, sizeof *t->cell);
    if (!t->name || !t->cell)
        return sj_fail(SJ_SYSTEM, "no memory for '%s'", t->path);
    split(p, t->columns, t->name, &p);
    for (int i = 0; i < t->columns; i++)
        if (sj_table_find(t, t->name[i]) != i)
            return sj_fail(SJ_INPUT, "'%s' has two columns '%s'", t->path, t->name[i]);
    for (int64_t row = 0; row < t->rows; row++) {
        int n = split(p, t->columns, t->cell + row * t->columns, &p);
        if (n != t->columns)
            return sj_fail(SJ_INPUT, "'%s': line %lld has %d fields where the first names %d", t->path,
                           (long long)row + 2, n, t->columns);
    }
    return SJ_OK;
}

int sj_table_read(const char *path, struct sj_table *t)
{
    size_t size = 0;
    *t = (struct sj_table){.path = strdup(strcmp(path, "-") ? path : "standard input")};
    int status = t->path ? read_all(path, &t->text, &size) : sj_fail(SJ_SYSTEM, "no memory");
    if (!status && size > 3 && !memcmp(t->text, "\xef\xbb\xbf", 3)) /* as some programs begin a text */
        memmove(t->text, t->text + 3, (size -= 3) + 1);
    if (!status)
        status = split_all(t, size);
    if (status)
        sj_table_free(t);
    return status;
}

void sj_table_free(struct sj_table *t)
{
    free(t->name);
    free(t->cell);
    free(t->path);
    free(t->text);
    *t = (struct sj_table){0};
}

int sj_table_find(const struct sj_table *t, const char *name)
{
    for (int i = 0; i < t->columns; i++)
        if (!strcmp(t->name[i], name))
            return i;
    return -1;
}

int sj_table_column(const struct sj_table *t, const char *name, int *column)
{
    *column = sj_table_find(t, name);
    return *column >= 0 ? SJ_OK : sj_fail(SJ_INPUT, "'%s' has no column '%s'", t->path, name);
}

const char *sj_table_text(const struct sj_table *t, int64_t row, int column)
{
    return t->cell[row * t->columns + column];
}

int sj_table_real(const struct sj_table *t, int64_t row, int column, double min, double max, double *value)
{
    if (sj_cli_real(t->name[column], sj_table_text(t, row, column), min, max, value))
        return sj_fail_at(SJ_INPUT, "'%s' line %lld", t->path, (long long)row + 2);
    return SJ_OK;
}

void sj_table_put(FILE *f, const char *text)
{
    for (const char *p = text ? text : "-"; *p; p++) {
        if (*p == '\t' || *p == '\n' || *p == '\\')
            fputc('\\', f);
        fputc(*p == '\t' ? 't' : *p == '\n' ? 'n' : *p, f);
    }
}
