#include "probe_labels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "music_key.h"
#include "room.h"

const char *const sj_probe_task_names[] = {"class", "key", "tags", "value", NULL};
const char *const sj_probe_split_names[] = {"train", "valid", "test", NULL};

/* Where in the table things are, and where in the result each of its lines goes. */
struct reading {
    struct sj_probe_labels *l;
    const struct sj_table *t;
    int key, split, row, *label; /* columns; row -1: there is none; label (C) */
    int64_t *place;              /* (rows) */
};

/* That an example has a class or a tag. */
struct mention {
    const char *name;
    int64_t example;
};

struct mentions {
    struct mention *at;
    int64_t n, room;
};

static int no_memory(const struct reading *r)
{
    return sj_fail(SJ_SYSTEM, "'%s': no memory for %lld labels", r->t->path, (long long)r->t->rows);
}

/* The line of the file that row i of the table is. */
static long long line_of(int64_t i)
{
    return (long long)i + 2;
}

static int off(const struct reading *r, int64_t i, const char *why)
{
    return sj_fail(SJ_INPUT, "'%s': line %lld %s", r->t->path, line_of(i), why);
}

static char *label_of(const struct reading *r, int64_t i, int64_t c)
{
    return r->t->cell[i * r->t->columns + r->label[c]];
}

/* -- classes and tags: names, found by sorting --------------------------------------------------------------------- */
static int mention(const struct reading *r, struct mentions *m, const char *name, int64_t example)
{
    if (sj_room(&m->at, sizeof *m->at, m->n, &m->room))
        return no_memory(r);
    m->at[m->n++] = (struct mention){name, example};
    return SJ_OK;
}

/* Takes the first name off a list with commas between, in place, and blanks around it; NULL after the last. */
static char *take_name(char **list)
{
    char *name = *list;
    if (!name)
        return NULL;
    char *end = strchr(name, ',');
    *list = end ? end + 1 : NULL;
    if (end)
        *end = 0;
    name += strspn(name, " ");
    for (size_t n = strlen(name); n && name[n - 1] == ' ';)
        name[--n] = 0;
    return name;
}

static int mention_all(const struct reading *r, struct mentions *m)
{
    int status = SJ_OK;
    for (int64_t i = 0; i < r->t->rows && !status; i++) {
        char *list = label_of(r, i, 0), *name;
        if (r->l->task == SJ_PROBE_CLASS) {
            status = *list ? mention(r, m, list, r->place[i]) : off(r, i, "has no label");
            continue;
        }
        list = *list ? list : NULL;
        while (!status && (name = take_name(&list)))
            status = *name ? mention(r, m, name, r->place[i]) : off(r, i, "has an empty name between commas");
    }
    return status;
}

static int by_name(const void *a, const void *b)
{
    const struct mention *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int name_classes(const struct reading *r)
{
    struct sj_probe_labels *l = r->l;
    struct mentions m = {0};
    int status = mention_all(r, &m);
    if (!status && m.n)
        qsort(m.at, (size_t)m.n, sizeof *m.at, by_name);
    for (int64_t i = 0; i < m.n; i++)
        l->C += !i || strcmp(m.at[i].name, m.at[i - 1].name);
    if (!status) {
        l->name = calloc((size_t)l->C + 1, sizeof *l->name);
        l->class = calloc((size_t)l->n + 1, sizeof *l->class);
        l->target = l->task == SJ_PROBE_TAGS ? calloc((size_t)(l->n * l->C) + 1, sizeof *l->target) : NULL;
        if (!l->name || !l->class || (l->task == SJ_PROBE_TAGS && !l->target))
            status = no_memory(r);
    }
    int64_t c = -1;
    for (int64_t i = 0; i < m.n && !status; i++) {
        if (!i || strcmp(m.at[i].name, m.at[i - 1].name))
            l->name[++c] = m.at[i].name;
        if (l->target)
            l->target[m.at[i].example * l->C + c] = 1;
        else
            l->class[m.at[i].example] = (int32_t)c;
    }
    free(m.at);
    return status;
}

/* -- keys and values ----------------------------------------------------------------------------------------------- */
static int read_keys(const struct reading *r)
{
    struct sj_probe_labels *l = r->l;
    l->C = SJ_MUSIC_KEYS;
    l->name = calloc(SJ_MUSIC_KEYS, sizeof *l->name);
    l->class = calloc((size_t)l->n + 1, sizeof *l->class);
    if (!l->name || !l->class)
        return no_memory(r);
    for (int i = 0; i < SJ_MUSIC_KEYS; i++)
        l->name[i] = sj_music_key_names[i];
    for (int64_t i = 0; i < r->t->rows; i++) {
        int key, status = sj_music_key_parse(label_of(r, i, 0), &key);
        if (status)
            return sj_fail_at(status, "'%s': line %lld", r->t->path, line_of(i));
        l->class[r->place[i]] = key;
    }
    return SJ_OK;
}

static int read_values(const struct reading *r)
{
    struct sj_probe_labels *l = r->l;
    l->target = calloc((size_t)(l->n * l->C) + 1, sizeof *l->target);
    if (!l->target)
        return no_memory(r);
    for (int64_t i = 0; i < r->t->rows; i++)
        for (int64_t c = 0; c < l->C; c++) {
            const char *text = label_of(r, i, c);
            char *end;
            const float value = strtof(text, &end);
            if (end == text || *end || !isfinite(value))
                return sj_fail(SJ_INPUT, "'%s': line %lld: '%.64s' is no number", r->t->path, line_of(i), text);
            l->target[r->place[i] * l->C + c] = value;
        }
    return SJ_OK;
}

/* -- what must not come twice -------------------------------------------------------------------------------------- */
int sj_probe_labels_by_key(const void *a, const void *b, void *arg)
{
    const struct sj_probe_labels *l = arg;
    const int64_t *x = a, *y = b;
    return strcmp(l->key[*x], l->key[*y]);
}

int sj_probe_labels_by_row(const void *a, const void *b, void *arg)
{
    const struct sj_probe_labels *l = arg;
    const int64_t *x = a, *y = b;
    return (l->row[*x] > l->row[*y]) - (l->row[*x] < l->row[*y]);
}

static int refuse_twins(const struct reading *r)
{
    struct sj_probe_labels *l = r->l;
    int (*const order[2])(const void *, const void *, void *) = {sj_probe_labels_by_key, sj_probe_labels_by_row};
    int64_t *e = calloc((size_t)l->n, sizeof *e);
    int status = e ? SJ_OK : no_memory(r);
    for (int pass = 0; pass < 2 && !status; pass++) {
        for (int64_t i = 0; i < l->n; i++)
            e[i] = i;
        qsort_r(e, (size_t)l->n, sizeof *e, order[pass], l);
        for (int64_t i = 1; i < l->n && !status; i++)
            if (!order[pass](&e[i - 1], &e[i], l) && !pass)
                status = sj_fail(SJ_INPUT, "'%s' has two lines of the key '%s'", r->t->path, l->key[e[i]]);
            else if (!order[pass](&e[i - 1], &e[i], l))
                status = sj_fail(SJ_INPUT, "'%s' has two lines of the row %lld", r->t->path, (long long)l->row[e[i]]);
    }
    free(e);
    return status;
}

/* -- all ----------------------------------------------------------------------------------------------------------- */
static int find_columns(struct reading *r)
{
    struct sj_probe_labels *l = r->l;
    int status = sj_table_column(r->t, "key", &r->key);
    if (!status)
        status = sj_table_column(r->t, "split", &r->split);
    for (int64_t c = 0; c < l->C && !status; c++)
        status = sj_table_column(r->t, l->name[c], &r->label[c]);
    r->row = sj_table_find(r->t, "row");
    l->rows = r->row >= 0;
    return status;
}

static int split_of(const struct reading *r, int64_t i)
{
    int s = 0;
    while (s < SJ_PROBE_SPLITS && strcmp(sj_table_text(r->t, i, r->split), sj_probe_split_names[s]))
        s++;
    return s;
}

static int count_splits(const struct reading *r)
{
    struct sj_probe_labels *l = r->l;
    for (int64_t i = 0; i < r->t->rows; i++) {
        const int s = split_of(r, i);
        if (s == SJ_PROBE_SPLITS)
            return sj_fail(SJ_INPUT, "'%s': line %lld has the split '%.64s' where train, valid or test is wanted",
                           r->t->path, line_of(i), sj_table_text(r->t, i, r->split));
        l->count[s]++;
    }
    for (int s = 0; s < SJ_PROBE_SPLITS; s++)
        if (!l->count[s])
            return sj_fail(SJ_INPUT, "'%s' has no example of the split '%s'", r->t->path, sj_probe_split_names[s]);
    return SJ_OK;
}

static int place_examples(struct reading *r)
{
    struct sj_probe_labels *l = r->l;
    int64_t next[SJ_PROBE_SPLITS];
    int status = count_splits(r);
    if (status)
        return status;
    for (int s = 0; s < SJ_PROBE_SPLITS; s++)
        next[s] = sj_probe_labels_first(l, (enum sj_probe_split)s);
    l->n = r->t->rows;
    l->key = calloc((size_t)l->n, sizeof *l->key);
    l->row = calloc((size_t)l->n, sizeof *l->row);
    r->place = calloc((size_t)l->n, sizeof *r->place);
    if (!l->key || !l->row || !r->place)
        return no_memory(r);
    for (int64_t i = 0; i < l->n; i++) {
        const int64_t at = r->place[i] = next[split_of(r, i)]++;
        l->key[at] = sj_table_text(r->t, i, r->key);
        l->row[at] = i;
        if (!*l->key[at])
            return off(r, i, "has no key");
        if (l->rows && sj_cli_int("row", sj_table_text(r->t, i, r->row), 0, 9e15, &l->row[at]))
            return sj_fail_at(SJ_INPUT, "'%s': line %lld", r->t->path, line_of(i));
    }
    return refuse_twins(r);
}

/* Whether the training examples differ in what is to be learned. */
static int want_contrast(const struct reading *r)
{
    const struct sj_probe_labels *l = r->l;
    for (int64_t i = 1; i < l->count[SJ_TRAIN]; i++)
        if (l->target ? memcmp(l->target + i * l->C, l->target, (size_t)l->C * sizeof *l->target) != 0
                      : l->class[i] != l->class[0])
            return SJ_OK;
    return sj_fail(SJ_INPUT, "'%s': all training examples have the same label", r->t->path);
}

/* Cuts `columns` at its commas. */
static int cut_columns(const char *columns, struct sj_probe_labels *l)
{
    char *list = l->columns = strdup(columns);
    if (!list)
        return sj_fail(SJ_SYSTEM, "no memory");
    for (l->C = 1; *list; list++)
        l->C += *list == ',';
    if (l->C > 1 && l->task != SJ_PROBE_VALUE)
        return sj_fail(SJ_USAGE, "several columns of labels are for values only, not for the task '%s'",
                       sj_probe_task_names[l->task]);
    if (!(l->name = calloc((size_t)l->C, sizeof *l->name)))
        return sj_fail(SJ_SYSTEM, "no memory");
    list = l->columns;
    for (int64_t c = 0; c < l->C; c++)
        l->name[c] = take_name(&list);
    for (int64_t c = 1; c < l->C; c++)
        for (int64_t i = 0; i < c; i++)
            if (!strcmp(l->name[i], l->name[c]))
                return sj_fail(SJ_USAGE, "the column '%s' is named twice", l->name[c]);
    return SJ_OK;
}

static int read_table(struct reading *r)
{
    struct sj_probe_labels *l = r->l;
    int status = find_columns(r);
    if (!status)
        status = place_examples(r);
    if (!status && l->task != SJ_PROBE_VALUE) { /* names are those of what is in the column, not of columns */
        free(l->name);
        l->name = NULL;
        l->C = 0;
    }
    if (!status)
        status = l->task == SJ_PROBE_VALUE ? read_values(r) : l->task == SJ_PROBE_KEY ? read_keys(r) : name_classes(r);
    return status ? status : want_contrast(r);
}

int sj_probe_labels_read(const char *path, enum sj_probe_task task, const char *columns, struct sj_probe_labels **out)
{
    struct sj_probe_labels *l = calloc(1, sizeof *l);
    if (!l)
        return sj_fail(SJ_SYSTEM, "no memory");
    struct reading r = {.l = l, .t = &l->table};
    l->task = task;
    int status = cut_columns(columns, l);
    if (!status && !(r.label = calloc((size_t)l->C, sizeof *r.label)))
        status = sj_fail(SJ_SYSTEM, "no memory");
    if (!status)
        status = sj_table_read(path, &l->table);
    if (!status)
        status = read_table(&r);
    free(r.label);
    free(r.place);
    if (status)
        sj_probe_labels_free(l);
    else
        *out = l;
    return status;
}

void sj_probe_labels_free(struct sj_probe_labels *l)
{
    if (!l)
        return;
    sj_table_free(&l->table);
    free(l->key);
    free(l->row);
    free(l->name);
    free(l->class);
    free(l->target);
    free(l->columns);
    free(l);
}

int64_t sj_probe_labels_first(const struct sj_probe_labels *l, enum sj_probe_split split)
{
    int64_t first = 0;
    for (int s = 0; s < (int)split; s++)
        first += l->count[s];
    return first;
}
