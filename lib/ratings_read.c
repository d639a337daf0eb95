/* Ratings from CSV files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "ratings.h"

enum { FIELDS = 256, TEST = 0, LISTENER, TRIAL, CLASS, CONDITION, RATING, COLUMNS };

/* The two kinds of files, by their columns. Of webMUSHRA's the class is in the name of the trial. */
static const char *const columns[2][COLUMNS] = {
    {"test", "listener", "trial", "class", "condition", "rating"},
    {"session_test_id", "session_uuid", "trial_id", "trial_id", "rating_stimulus", "rating_score"}};

struct reading {
    struct sj_ratings *r;
    int64_t room;
    char *test;          /* of all files; NULL before the first line */
    /* the file being read */
    const char *path;
    FILE *f;
    int64_t line;        /* the number of the one in `text` */
    char *text;
    size_t size;
    int fields;
    char *field[FIELDS];
    int kind, column[COLUMNS], width;
};

static int off(const struct reading *c, const char *what)
{
    return sj_fail(SJ_INPUT, "'%s': line %lld: %s", c->path, (long long)c->line, what);
}

/* -- lines --------------------------------------------------------------------------------------------------------- */

/* Splits the line in place; quotes go, doubled ones within become one. */
static int split(struct reading *c)
{
    char *from = c->text, *to = c->text;
    for (c->fields = 0;; from++) {
        int quoted = *from == '"';
        if (c->fields == FIELDS)
            return off(c, "has more than 256 fields");
        c->field[c->fields++] = to;
        for (from += quoted; *from && (quoted || *from != ','); from++) {
            if (quoted && *from == '"' && *++from != '"') {
                quoted = 0;
                break;
            }
            *to++ = *from;
        }
        if (quoted || (*from && *from != ','))
            return off(c, "has a quote that does not end its field");
        const int last = !*from;
        *to++ = 0;
        if (last)
            return SJ_OK;
    }
}

/* The next line that is not empty, split; *more = 0 at the end. */
static int next_line(struct reading *c, int *more)
{
    ssize_t n;
    errno = 0;
    while ((n = getline(&c->text, &c->size, c->f)) >= 0) {
        c->line++;
        if (strlen(c->text) != (size_t)n)
            return off(c, "is no text");
        if (c->text[n - 1] != '\n')
            return off(c, "is cut short: it has no end");
        while (n && (c->text[n - 1] == '\n' || c->text[n - 1] == '\r'))
            c->text[--n] = 0;
        if (c->line == 1 && !strncmp(c->text, "\xef\xbb\xbf", 3)) /* as some programs begin a file */
            memmove(c->text, c->text + 3, (size_t)n - 2);
        if (*c->text) {
            *more = 1;
            return split(c);
        }
    }
    *more = 0;
    if (errno == EISDIR)
        return sj_fail(SJ_INPUT, "'%s' is a directory", c->path);
    return ferror(c->f) ? sj_fail_errno("cannot read '%s'", c->path) : SJ_OK;
}

/* From field `first` on. */
static int find_field(const struct reading *c, const char *name, int first)
{
    for (int i = first; i < c->fields; i++)
        if (!strcmp(c->field[i], name))
            return i;
    return -1;
}

static int read_columns(struct reading *c)
{
    int more, status = next_line(c, &more);
    if (status || !more)
        return status ? status : sj_fail(SJ_INPUT, "'%s' is empty", c->path);
    c->width = c->fields;
    c->kind = find_field(c, columns[1][CONDITION], 0) >= 0;
    for (int i = 0; i < COLUMNS; i++) {
        const char *name = columns[c->kind][i];
        const int found = c->column[i] = find_field(c, name, 0);
        if (found < 0 || find_field(c, name, found + 1) >= 0)
            return sj_fail(SJ_INPUT, "'%s': line %lld: %s column '%s'", c->path, (long long)c->line,
                           found < 0 ? "no" : "more than one", name);
    }
    return SJ_OK;
}

/* -- ratings ------------------------------------------------------------------------------------------------------- */

/* The number of a name, which is added where it is new; -1: no memory. */
static int number_of(struct sj_rating_names *t, const char *name)
{
    for (int i = 0; i < t->n; i++)
        if (!strcmp(t->name[i], name))
            return i;
    if (!(t->n & (t->n + 1))) {
        char **more = realloc(t->name, (size_t)(2 * t->n + 2) * sizeof *more);
        if (!more)
            return -1;
        t->name = more;
    }
    return (t->name[t->n] = strdup(name)) ? t->n++ : -1;
}

static int append(struct reading *c, const struct sj_rating *e)
{
    struct sj_ratings *r = c->r;
    for (int64_t i = 0; i < r->n; i++) {
        const struct sj_rating *o = &r->rating[i];
        if (o->trial == e->trial && o->class != e->class)
            return off(c, "gives the trial another class than before");
        if (o->listener == e->listener && o->trial == e->trial && o->condition == e->condition)
            return off(c, "rates again what this listener rated before");
    }
    if (r->n == c->room) {
        struct sj_rating *more = realloc(r->rating, (size_t)(2 * c->room + 256) * sizeof *more);
        if (!more)
            return sj_fail(SJ_SYSTEM, "no memory for the ratings");
        r->rating = more;
        c->room = 2 * c->room + 256;
    }
    r->rating[r->n++] = *e;
    return SJ_OK;
}

static int check_test(struct reading *c, const char *test)
{
    if (c->test && strcmp(c->test, test))
        return sj_fail(SJ_INPUT, "'%s': line %lld: ratings of the test '%s' beside those of '%s'", c->path,
                       (long long)c->line, test, c->test);
    if (!c->test && !(c->test = strdup(test)))
        return sj_fail(SJ_SYSTEM, "no memory");
    return SJ_OK;
}

static int add_line(struct reading *c)
{
    struct sj_ratings *r = c->r;
    struct sj_rating e;
    char *text[COLUMNS];
    if (c->fields != c->width)
        return sj_fail(SJ_INPUT, "'%s': line %lld: %d fields where the first line has %d", c->path, (long long)c->line,
                       c->fields, c->width);
    for (int i = 0; i < COLUMNS; i++)
        text[i] = c->field[c->column[i]];
    if (c->kind) {
        char *dash = strrchr(text[TRIAL], '-');
        if (!strcmp(text[CONDITION], "reference"))
            return SJ_OK;
        if (!dash)
            return off(c, "has a trial that is not called CLASS-TRIAL");
        *dash = 0;
        text[CLASS] = text[TRIAL];
        text[TRIAL] = dash + 1;
    }
    for (int i = 0; i < COLUMNS; i++)
        if (!*text[i])
            return sj_fail(SJ_INPUT, "'%s': line %lld: the %s is missing", c->path, (long long)c->line, columns[0][i]);
    if (!strcmp(text[CLASS], "all"))
        return off(c, "has a class 'all', which is the name of the row of all classes");
    int status = sj_cli_real("rating", text[RATING], 0, 100, &e.value);
    if (status)
        return sj_fail_at(SJ_INPUT, "'%s': line %lld", c->path, (long long)c->line);
    if ((status = check_test(c, text[TEST])))
        return status;
    e.listener = number_of(&r->listener, text[LISTENER]);
    e.trial = number_of(&r->trial, text[TRIAL]);
    e.class = number_of(&r->class, text[CLASS]);
    e.condition = number_of(&r->condition, text[CONDITION]);
    if (e.listener < 0 || e.trial < 0 || e.class < 0 || e.condition < 0)
        return sj_fail(SJ_SYSTEM, "no memory for the ratings");
    return append(c, &e);
}

static int read_file(struct reading *c)
{
    const int64_t before = c->r->n;
    int more = 1, status;
    c->line = 0;
    c->f = strcmp(c->path, "-") ? fopen(c->path, "re") : stdin;
    if (!c->f)
        return sj_fail_errno("cannot open '%s'", c->path);
    status = read_columns(c);
    while (!status && !(status = next_line(c, &more)) && more)
        status = add_line(c);
    if (c->f != stdin)
        fclose(c->f);
    if (!status && c->r->n == before)
        status = sj_fail(SJ_INPUT, "'%s' has no ratings", c->path);
    return status;
}

/* -- the order of names -------------------------------------------------------------------------------------------- */

static int place_of(const char *name)
{
    static const char *const first[] = {"true", "retrieved", "random"};
    int i = 0;
    while (i < 3 && strcmp(first[i], name))
        i++;
    return i;
}

static int in_order(const char *a, const char *b, int conditions)
{
    const int x = conditions ? place_of(a) : 0, y = conditions ? place_of(b) : 0;
    return x != y ? x < y : strcmp(a, b) < 0;
}

/* Sorts the names; the ratings' numbers, at `offset` in each, follow. */
static int settle(struct sj_ratings *r, struct sj_rating_names *t, size_t offset, int conditions)
{
    char **sorted = malloc((size_t)(t->n + 1) * sizeof *sorted);
    int *place = calloc((size_t)t->n + 1, sizeof *place), status = SJ_OK;
    if (!sorted || !place)
        status = sj_fail(SJ_SYSTEM, "no memory");
    for (int i = 0; i < t->n && !status; i++) {
        for (int k = 0; k < t->n; k++)
            place[i] += k != i && in_order(t->name[k], t->name[i], conditions);
        sorted[place[i]] = t->name[i];
    }
    for (int64_t i = 0; i < r->n && !status; i++) {
        int *number = (int *)(void *)((char *)&r->rating[i] + offset);
        *number = place[*number];
    }
    if (!status)
        memcpy(t->name, sorted, (size_t)t->n * sizeof *sorted);
    free(sorted);
    free(place);
    return status;
}

int sj_ratings_read(int n, const char *const *paths, struct sj_ratings *r)
{
    struct reading c = {.r = r};
    int status = SJ_OK;
    *r = (struct sj_ratings){.n = 0};
    for (int i = 0; i < n && !status; i++) {
        c.path = paths[i];
        status = read_file(&c);
    }
    free(c.test);
    free(c.text);
    if (!status)
        status = settle(r, &r->class, offsetof(struct sj_rating, class), 0);
    if (!status)
        status = settle(r, &r->condition, offsetof(struct sj_rating, condition), 1);
    if (status)
        sj_ratings_free(r);
    return status;
}

static void free_names(struct sj_rating_names *t)
{
    for (int i = 0; i < t->n; i++)
        free(t->name[i]);
    free(t->name);
}

void sj_ratings_free(struct sj_ratings *r)
{
    free_names(&r->listener);
    free_names(&r->trial);
    free_names(&r->class);
    free_names(&r->condition);
    free(r->rating);
    *r = (struct sj_ratings){.n = 0};
}
