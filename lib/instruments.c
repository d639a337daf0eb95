#include "instruments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "table.h"

enum { NUMBERS = 4096 };

struct entry {
    const char *base, *path;
    int64_t row;
};

struct sj_instruments {
    struct sj_table table;
    int classes, other; /* other: the class of that name, or -1 */
    int column[SJ_FLUID_CLASSES]; /* of each class, or -1 */
    struct entry *entry; /* (rows) by base */
};

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int by_base(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->base, ((const struct entry *)b)->base);
}

/* The columns that end in _inst. */
static int find_columns(struct sj_instruments *t, const char *const *names)
{
    const size_t ending = strlen("_inst");
    int found = 0;
    for (int c = 0; c < t->classes; c++)
        t->column[c] = -1;
    for (int k = 0; k < t->table.columns; k++) {
        const char *name = t->table.name[k];
        size_t n = strlen(name);
        if (n <= ending || strcmp(name + n - ending, "_inst"))
            continue;
        int class = 0;
        while (class < t->classes && (strncmp(names[class], name, n - ending) || names[class][n - ending]))
            class++;
        if (class == t->classes)
            return sj_fail(SJ_INPUT, "'%s' has instruments of '%.*s', which is none of the classes", t->table.path,
                           (int)(n - ending), name);
        t->column[class] = k;
        found = 1;
    }
    return found ? SJ_OK : sj_fail(SJ_INPUT, "'%s' has no column CLASS_inst", t->table.path);
}

int sj_instruments_open(const char *path, int classes, const char *const *names, struct sj_instruments **out)
{
    struct sj_instruments *t = calloc(1, sizeof *t);
    int column = 0;
    *out = NULL;
    if (!t)
        return sj_fail(SJ_SYSTEM, "no memory for instruments");
    t->classes = classes;
    t->other = -1;
    for (int c = 0; c < classes; c++)
        if (!strcmp(names[c], "other"))
            t->other = c;
    int status = sj_table_read(path, &t->table);
    if (!status)
        status = sj_table_column(&t->table, "path", &column);
    if (!status)
        status = find_columns(t, names);
    if (!status && !(t->entry = malloc((size_t)(t->table.rows + 1) * sizeof *t->entry)))
        status = sj_fail(SJ_SYSTEM, "no memory for %lld modules", (long long)t->table.rows);
    for (int64_t i = 0; i < t->table.rows && !status; i++) {
        const char *p = sj_table_text(&t->table, i, column);
        t->entry[i] = (struct entry){base_of(p), p, i};
    }
    if (!status && t->table.rows)
        qsort(t->entry, (size_t)t->table.rows, sizeof *t->entry, by_base);
    if (status)
        sj_instruments_close(t);
    else
        *out = t;
    return status;
}

void sj_instruments_close(struct sj_instruments *t)
{
    if (!t)
        return;
    sj_table_free(&t->table);
    free(t->entry);
    free(t);
}

/* "3,5" of one class. */
static int parse(const char *text, int class, struct sj_tracker_groups *g)
{
    char list[NUMBERS], *rest = list, *one;
    if ((size_t)snprintf(list, sizeof list, "%s", text) >= sizeof list)
        return sj_fail(SJ_INPUT, "more than %d bytes of instruments", NUMBERS);
    while (*text && (one = strsep(&rest, ","))) {
        int64_t n;
        int status = sj_cli_int("an instrument", one, 0, SJ_TRACKER_INSTRUMENTS - 1, &n);
        if (status)
            return SJ_INPUT;
        g->class[n] = (int8_t)class;
    }
    return SJ_OK;
}

static int ends_in(const char *path, const char *end)
{
    size_t n = strlen(path), k = strlen(end);
    return k <= n && !strcmp(path + n - k, end) && (k == n || path[n - k - 1] == '/');
}

int sj_instruments_find(const struct sj_instruments *t, const char *path, struct sj_tracker_groups *g)
{
    const char *base = base_of(path);
    const struct entry *best = NULL;
    int64_t low = 0, high = t->table.rows;
    while (low < high) {
        int64_t mid = (low + high) / 2;
        if (strcmp(t->entry[mid].base, base) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < t->table.rows && !strcmp(t->entry[low].base, base); low++)
        if (ends_in(path, t->entry[low].path) && (!best || strlen(t->entry[low].path) > strlen(best->path)))
            best = &t->entry[low];
    if (!best)
        return sj_fail(SJ_INPUT, "'%s' does not say what its instruments are", t->table.path);
    g->classes = t->classes;
    memset(g->class, t->other, sizeof g->class);
    int status = SJ_OK;
    for (int c = 0; c < t->classes && !status; c++)
        if (t->column[c] >= 0)
            status = parse(sj_table_text(&t->table, best->row, t->column[c]), c, g);
    return status ? sj_fail_at(SJ_INPUT, "'%s'", t->table.path) : SJ_OK;
}
