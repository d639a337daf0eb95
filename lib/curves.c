#include "curves.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double number(const struct sj_curves *c, int64_t row, int column)
{
    const char *text = sj_table_text(&c->table, row, column); /* read_curves checked it */
    return strcmp(text, "-") ? strtod(text, NULL) : NAN;
}

static int same_curve(const struct sj_drawn *a, const char *query, const char *class)
{
    return a->n && !strcmp(a->query, query) && !strcmp(a->class, class);
}

static int check_row(const struct sj_curves *c, const struct sj_drawn *curve, int64_t row)
{
    double lag, value, frames;
    int status = sj_table_real(&c->table, row, c->lag, -1e6, 1e6, &lag);
    if (!status)
        status = sj_table_real(&c->table, row, c->frames, 0, 1e15, &frames);
    if (!status && (frames > 0 || !isnan(number(c, row, c->similarity))))
        status = sj_table_real(&c->table, row, c->similarity, -1.0001, 1.0001, &value);
    if (!status && row > curve->first && number(c, row - 1, c->lag) >= lag)
        status = sj_fail(SJ_INPUT, "'%s' line %lld: the lag does not ascend", c->table.path, (long long)row + 2);
    return status;
}

static int read_random(struct sj_curves *c, int64_t row)
{
    const char *text = sj_table_text(&c->table, row, c->similarity);
    if (!strcmp(text, "-"))
        return SJ_OK;
    return sj_table_real(&c->table, row, c->similarity, -1.0001, 1.0001, &c->random);
}

static int came_before(const struct sj_curves *c, const char *query, const char *class)
{
    for (int64_t i = 0; i < c->pairs; i++)
        if (same_curve(&c->pair[i], query, class))
            return 1;
    return same_curve(&c->all, query, class);
}

static int read_curves(struct sj_curves *c)
{
    struct sj_drawn *now = NULL;
    int query, class, status = sj_table_column(&c->table, "query", &query);
    if (status || (status = sj_table_column(&c->table, "class", &class))
        || (status = sj_table_column(&c->table, "lag_s", &c->lag))
        || (status = sj_table_column(&c->table, "similarity", &c->similarity))
        || (status = sj_table_column(&c->table, "frames", &c->frames)))
        return status;
    for (int64_t row = 0; row < c->table.rows && !status; row++) {
        const char *q = sj_table_text(&c->table, row, query), *k = sj_table_text(&c->table, row, class);
        if (!strcmp(q, "random") && !strcmp(sj_table_text(&c->table, row, c->lag), "-")) {
            status = read_random(c, row);
            continue;
        }
        if (!now || !same_curve(now, q, k)) {
            if (came_before(c, q, k))
                return sj_fail(SJ_INPUT, "'%s' line %lld: '%s' (%s) came before", c->table.path, (long long)row + 2, q,
                               k);
            now = !strcmp(q, "all") && !strcmp(k, "-") ? &c->all : &c->pair[c->pairs++];
            *now = (struct sj_drawn){.query = q, .class = k, .first = row};
        }
        status = check_row(c, now, row);
        now->n++;
    }
    if (!status && !c->pairs)
        status = sj_fail(SJ_INPUT, "'%s' has no pair's curve", c->table.path);
    if (!status && !c->all.n)
        status = sj_fail(SJ_INPUT, "'%s' is cut short: it has no curve of all pairs", c->table.path);
    return status;
}

int sj_curves_read(const char *path, struct sj_curves *c)
{
    *c = (struct sj_curves){.random = NAN};
    int status = sj_table_read(path, &c->table);
    if (!status && !(c->pair = calloc((size_t)c->table.rows + 1, sizeof *c->pair)))
        status = sj_fail(SJ_SYSTEM, "no memory for '%s'", path);
    if (!status)
        status = read_curves(c);
    if (status)
        sj_curves_free(c);
    return status;
}

void sj_curves_free(struct sj_curves *c)
{
    free(c->pair);
    sj_table_free(&c->table);
    *c = (struct sj_curves){0};
}

/* -- choosing ------------------------------------------------------------------------------------------------------ */
static int same_track(const char *a, const char *b)
{
    const char *end_a = strrchr(a, '/'), *end_b = strrchr(b, '/');
    const size_t n = end_a ? (size_t)(end_a - a) : strlen(a), m = end_b ? (size_t)(end_b - b) : strlen(b);
    return n == m && !memcmp(a, b, n);
}

/* The pairs of one track: first .. first + n - 1. */
struct of_track {
    int64_t first, n;
};

static int by_number(const void *a, const void *b)
{
    const int64_t s = *(const int64_t *)a, t = *(const int64_t *)b;
    return (s > t) - (s < t);
}

int sj_curves_choose(const struct sj_curves *c, int64_t n, int64_t *chosen, int64_t *count)
{
    struct of_track *track = calloc((size_t)c->pairs, sizeof *track);
    int64_t tracks = 0, used, got = 0;
    if (!track)
        return sj_fail(SJ_SYSTEM, "no memory");
    for (int64_t i = 0; i < c->pairs; i++) {
        if (!i || !same_track(c->pair[i - 1].query, c->pair[i].query))
            track[tracks++].first = i;
        track[tracks - 1].n++;
    }
    used = n < tracks ? n : tracks;
    for (int64_t i = 0; i < used; i++) /* in the middle of equal parts; to the front, where none is wanted again */
        track[i] = track[(2 * i + 1) * tracks / (2 * used)];
    n = n < c->pairs ? n : c->pairs;
    for (int64_t round = 0; got < n; round++)
        for (int64_t i = 0; i < used && got < n; i++)
            if (round < track[i].n)
                chosen[got++] = track[i].first + (i + round) % track[i].n;
    free(track);
    qsort(chosen, (size_t)got, sizeof *chosen, by_number);
    *count = got;
    return SJ_OK;
}

sj_json *sj_curves_json(const struct sj_curves *c, const struct sj_drawn *curve)
{
    sj_json *o = sj_json_object(), *lag = sj_json_array(), *value = sj_json_array(), *frames = sj_json_array();
    for (int64_t row = curve->first; row < curve->first + curve->n; row++) {
        sj_json_append(lag, sj_json_real(number(c, row, c->lag)));
        sj_json_append(value, sj_json_real(number(c, row, c->similarity)));
        sj_json_append(frames, sj_json_real(number(c, row, c->frames)));
    }
    sj_json_set(o, "query", sj_json_string(curve->query));
    sj_json_set(o, "class", sj_json_string(curve->class));
    sj_json_set(o, "lag", lag);
    sj_json_set(o, "similarity", value);
    sj_json_set(o, "frames", frames);
    return o;
}
