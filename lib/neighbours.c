#include "neighbours.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "json.h"
#include "table.h"

/* The last field tells the last line. */
enum { MORE = 6, FIELDS };
static const char *const field[FIELDS] = {"query", "query_class", "rank", "reference", "class", "distance", "more"};

/* -- writing ------------------------------------------------------------------------------------------------------- */
void sj_neighbours_begin(struct sj_neighbours_writer *w, FILE *f, int json)
{
    *w = (struct sj_neighbours_writer){.f = f, .json = json};
    for (int i = 0; i < FIELDS && !json; i++)
        fprintf(f, "%s%c", field[i], i + 1 < FIELDS ? '\t' : '\n');
}

/* Ends the line before, now that it is known whether another follows. */
static int end_line(struct sj_neighbours_writer *w, int more)
{
    int status = SJ_OK;
    if (w->open && w->json) {
        sj_json_set(w->held, field[MORE], sj_json_int(more));
        status = sj_json_line(w->f, w->held);
    } else if (w->open) {
        fprintf(w->f, "\t%d\n", more);
    }
    sj_json_free(w->held);
    w->held = NULL;
    w->open = 0;
    return status;
}

static void hold_json(struct sj_neighbours_writer *w, const struct sj_neighbour_line *l)
{
    sj_json *o = w->held = sj_json_object();
    sj_json_set(o, "query", sj_json_string(l->query));
    if (l->query_class)
        sj_json_set(o, "query_class", sj_json_string(l->query_class));
    sj_json_set(o, "rank", sj_json_int(l->rank));
    if (l->rank) {
        sj_json_set(o, "reference", sj_json_string(l->reference));
        if (l->class)
            sj_json_set(o, "class", sj_json_string(l->class));
        sj_json_set(o, "distance", sj_json_real(l->distance));
    }
}

int sj_neighbours_write(struct sj_neighbours_writer *w, const struct sj_neighbour_line *l)
{
    int status = end_line(w, 1);
    if (status)
        return status;
    w->open = 1;
    if (w->json) {
        hold_json(w, l);
        return SJ_OK;
    }
    sj_table_put(w->f, l->query);
    fputc('\t', w->f);
    sj_table_put(w->f, l->query_class);
    fprintf(w->f, "\t%lld\t", (long long)l->rank);
    sj_table_put(w->f, l->rank ? l->reference : NULL);
    fputc('\t', w->f);
    sj_table_put(w->f, l->rank ? l->class : NULL);
    fprintf(w->f, l->rank ? "\t%.9f" : "\t-", l->distance);
    return SJ_OK;
}

int sj_neighbours_end(struct sj_neighbours_writer *w, int status)
{
    if (!status)
        return end_line(w, 0);
    sj_json_free(w->held);
    w->held = NULL;
    return status;
}

/* -- reading ------------------------------------------------------------------------------------------------------- */
/* A file, one line of it. `path` is the caller's. */
struct sj_neighbours {
    FILE *f;
    const char *path;
    int64_t number;  /* of the line */
    char *text;      /* the line */
    size_t room;
    sj_json *json;   /* its object, which the texts of `line` belong to, where it is one */
    int more;        /* whether `line` holds one */
    int named;       /* the first line held names */
    int last;        /* its last line has been */
    struct sj_neighbour_line line;
};

static int off(const struct sj_neighbours *in, const char *why)
{
    return sj_fail(SJ_INPUT, "'%s': line %lld %s", in->path, (long long)in->number, why);
}

static void unescape(char *text)
{
    char *to = text;
    for (const char *p = text; *p; p++) {
        if (*p == '\\' && p[1])
            p++, *to++ = *p == 't' ? '\t' : *p == 'n' ? '\n' : *p;
        else
            *to++ = *p;
    }
    *to = 0;
}

/* What a line says of whether another follows it. */
static int take_mark(struct sj_neighbours *in, int64_t more)
{
    if (in->last)
        return off(in, "follows the one that says it is the last");
    in->last = !more;
    return SJ_OK;
}

static int lacks_mark(const struct sj_neighbours *in)
{
    return off(in, "lacks the field 'more', without which a cut list looks whole: rank again");
}

static int parse_fields(struct sj_neighbours *in)
{
    char *part[FIELDS], *p = in->text;
    struct sj_neighbour_line *l = &in->line;
    int n = 0;
    for (; p && n < FIELDS; n++) {
        part[n] = p;
        if ((p = strchr(p, '\t')))
            *p++ = 0;
    }
    if (n == MORE)
        return lacks_mark(in);
    if (n < FIELDS || p)
        return off(in, "has not the fields of neighbours");
    int64_t more;
    if (sj_cli_int(field[MORE], part[MORE], 0, 1, &more))
        return sj_fail_at(SJ_INPUT, "'%s': line %lld", in->path, (long long)in->number);
    const int none = !strcmp(part[2], "0"), last = !strcmp(part[5], "inf");
    l->distance = INFINITY;
    if (sj_cli_int("rank", part[2], 0, 1e15, &l->rank)
        || (!none && !last && sj_cli_real("distance", part[5], 0, 0, &l->distance)))
        return sj_fail_at(SJ_INPUT, "'%s': line %lld", in->path, (long long)in->number);
    l->query_class = strcmp(part[1], "-") ? part[1] : NULL;
    l->class = strcmp(part[4], "-") ? part[4] : NULL;
    for (int i = 0; i < MORE; i++)
        unescape(part[i]);
    l->query = part[0];
    l->reference = part[3];
    return take_mark(in, more);
}

/* The distance of an object; null is the largest. */
static int get_distance(const sj_json *o, double *distance)
{
    *distance = INFINITY;
    return sj_json_is_null(sj_json_get(o, field[5])) || sj_json_get_real(o, field[5], distance);
}

static int parse_object(struct sj_neighbours *in)
{
    struct sj_neighbour_line *l = &in->line;
    int status = sj_json_parse(in->text, strlen(in->text), &in->json);
    if (status)
        return sj_fail_at(status, "'%s': line %lld", in->path, (long long)in->number);
    l->query = sj_json_get_text(in->json, field[0]);
    l->query_class = sj_json_get_text(in->json, field[1]);
    l->reference = sj_json_get_text(in->json, field[3]);
    l->class = sj_json_get_text(in->json, field[4]);
    if (!l->query || !sj_json_get_int(in->json, field[2], &l->rank) || l->rank < 0
        || (l->rank && (!l->reference || !get_distance(in->json, &l->distance))))
        return off(in, "is no neighbour");
    int64_t more;
    if (!sj_json_get(in->json, field[MORE]))
        return lacks_mark(in);
    if (!sj_json_get_int(in->json, field[MORE], &more) || more < 0 || more > 1)
        return off(in, "has a 'more' that is neither 0 nor 1");
    return take_mark(in, more);
}

/* The line of names, if this is one. */
static int take_names(struct sj_neighbours *in)
{
    const char *tab = strchr(in->text, '\t');
    if (in->number != 1 || !tab || tab - in->text != 5 || strncmp(in->text, field[0], 5))
        return 0;
    in->named = 1;
    return 1;
}

/* Where the text ends. */
static int end_input(const struct sj_neighbours *in)
{
    if (ferror(in->f))
        return sj_fail_errno("cannot read '%s'", in->path);
    if (in->number - in->named == 1)
        return sj_fail(SJ_INPUT, "'%s' ends early: it lists no query", in->path);
    if (!in->last)
        return sj_fail(SJ_INPUT, "'%s' ends early: line %lld says that another follows", in->path,
                       (long long)in->number - 1);
    return SJ_OK;
}

static int next_line(struct sj_neighbours *in)
{
    sj_json_free(in->json);
    in->json = NULL;
    in->more = 0;
    in->number++;
    errno = 0;
    ssize_t size = getline(&in->text, &in->room, in->f);
    if (size < 0 && errno == EISDIR)
        return sj_fail(SJ_INPUT, "'%s' is a directory", in->path);
    if (size < 0)
        return end_input(in);
    if (in->text[size - 1] != '\n' || strlen(in->text) != (size_t)size)
        return off(in, "is cut short");
    if (size > 1 && in->text[size - 2] == '\r')
        size--;
    in->text[size - 1] = 0;
    in->more = 1;
    if (in->text[0] == '{' && !strchr(in->text, '\t')) /* keys may begin so, too; an object has no tabs */
        return parse_object(in);
    return take_names(in) ? next_line(in) : parse_fields(in);
}

static int open_input(struct sj_neighbours *in, const char *path)
{
    in->path = strcmp(path, "-") ? path : "standard input";
    in->f = strcmp(path, "-") ? fopen(path, "r") : stdin;
    return in->f ? SJ_OK : sj_fail_errno("cannot open '%s'", path);
}

static void close_input(struct sj_neighbours *in)
{
    sj_json_free(in->json);
    free(in->text);
    if (in->f && in->f != stdin)
        fclose(in->f);
}

int sj_neighbours_open(const char *path, struct sj_neighbours **out)
{
    struct sj_neighbours *in = calloc(1, sizeof *in);
    int status = in ? open_input(in, path) : sj_fail(SJ_SYSTEM, "no memory");
    if (status)
        sj_neighbours_close(in);
    else
        *out = in;
    return status;
}

int sj_neighbours_next(struct sj_neighbours *in, const struct sj_neighbour_line **line)
{
    int status = next_line(in);
    *line = !status && in->more ? &in->line : NULL;
    return status;
}

int64_t sj_neighbours_number(const struct sj_neighbours *in)
{
    return in->number;
}

void sj_neighbours_close(struct sj_neighbours *in)
{
    if (!in)
        return;
    close_input(in);
    free(in);
}

/* -- merging ------------------------------------------------------------------------------------------------------- */
static int same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

/* One query's lines so far: its name, kept while the inputs move on, and how many were passed on. */
struct merged {
    char *query, *query_class;
    int64_t rank;
};

/* Where lines go. */
struct sink {
    int64_t k;
    int (*visit)(void *arg, const struct sj_neighbour_line *line);
    void *arg;
};

static int begin_query(struct sj_neighbours *in, int n, struct merged *m)
{
    const struct sj_neighbour_line *first = &in[0].line;
    for (int i = 0; i < n; i++) {
        const struct sj_neighbour_line *l = &in[i].line;
        if (in[i].more != in[0].more)
            return sj_fail(SJ_INPUT, "'%s' and '%s' do not list the same queries: one has '%s' more", in[0].path,
                           in[i].path, in[0].more ? first->query : l->query);
        if (in[i].more && l->rank > 1)
            return off(&in[i], "does not begin a list");
        if (in[i].more && (!same_text(l->query, first->query) || !same_text(l->query_class, first->query_class)))
            return sj_fail(SJ_INPUT, "'%s' and '%s' do not list the same queries: '%s' and '%s'", in[0].path,
                           in[i].path, first->query, l->query);
    }
    free(m->query);
    free(m->query_class);
    *m = (struct merged){0};
    if (!in[0].more)
        return SJ_OK;
    m->query = strdup(first->query);
    m->query_class = first->query_class ? strdup(first->query_class) : NULL;
    return m->query && !m->query_class == !first->query_class ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
}

/* Goes to the next line of a list; *open = 0 at its end. */
static int advance(struct sj_neighbours *in, const struct merged *m, int *open)
{
    const int64_t rank = in->line.rank;
    const double distance = in->line.distance;
    int status = next_line(in);
    *open = !status && in->more && in->line.rank == rank + 1 && rank > 0;
    if (*open && (!same_text(in->line.query, m->query) || !same_text(in->line.query_class, m->query_class)))
        return off(in, "names another query within a list");
    if (*open && in->line.distance < distance)
        return off(in, "is nearer than the line before");
    if (!status && in->more && !*open && in->line.rank > 1)
        return off(in, "does not follow by its rank");
    return status;
}

static int merge_query(struct sj_neighbours *in, int n, int *open, struct merged *m, const struct sink *to)
{
    int status = SJ_OK;
    for (int i = 0; i < n; i++)
        open[i] = 1;
    for (int best; !status; status = advance(&in[best], m, &open[best])) {
        best = -1;
        for (int i = 0; i < n; i++)
            if (open[i] && (best < 0 || in[best].line.rank == 0
                            || (in[i].line.rank && in[i].line.distance < in[best].line.distance)))
                best = i;
        if (best < 0)
            break;
        if (!in[best].line.rank || m->rank == to->k)
            continue;
        struct sj_neighbour_line line = in[best].line;
        line.rank = ++m->rank;
        status = to->visit(to->arg, &line);
        if (status)
            break;
    }
    const struct sj_neighbour_line none = {.query = m->query, .query_class = m->query_class};
    return status || m->rank ? status : to->visit(to->arg, &none);
}

static int merge(struct sj_neighbours *in, int n, int *open, const struct sink *to)
{
    struct merged m = {0};
    int status = SJ_OK;
    for (int i = 0; i < n && !status; i++)
        status = next_line(&in[i]);
    while (!status && !(status = begin_query(in, n, &m)) && in[0].more)
        status = merge_query(in, n, open, &m, to);
    free(m.query);
    free(m.query_class);
    return status;
}

int sj_neighbours_merge(int n, const char *const *paths, int64_t k,
                        int (*visit)(void *arg, const struct sj_neighbour_line *line), void *arg)
{
    const struct sink to = {k, visit, arg};
    struct sj_neighbours *in = calloc((size_t)n + 1, sizeof *in);
    int *open = calloc((size_t)n + 1, sizeof *open), status = in && open ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    for (int i = 0; i < n && !status; i++)
        status = open_input(&in[i], paths[i]);
    if (!status)
        status = merge(in, n, open, &to);
    for (int i = 0; in && i < n; i++)
        close_input(&in[i]);
    free(open);
    free(in);
    return status;
}
