#include "candidates.h"

#include <stdlib.h>
#include <string.h>

#include "embeddings.h"
#include "neighbours.h"
#include "rng.h"
#include "room.h"

/* -- reading ------------------------------------------------------------------------------------------------------- */

struct book {
    const char *path;
    const struct sj_songs *songs;
    int64_t *by_key; /* (tracks) their numbers, by key */
    int64_t room;
    struct sj_queries *q;
};

static int by_key(const void *a, const void *b, void *arg)
{
    const struct sj_track *t = arg;
    return strcmp(t[*(const int64_t *)a].key, t[*(const int64_t *)b].key);
}

/* The track whose key the first n bytes of `key` are, or -1. */
static int64_t find_track(const struct book *b, const char *key, size_t n)
{
    int64_t low = 0, high = b->songs->tracks->n;
    while (low < high) {
        const int64_t mid = (low + high) / 2, t = b->by_key[mid];
        int order = strncmp(key, b->songs->tracks->track[t].key, n);
        if (!order && b->songs->tracks->track[t].key[n])
            order = -1;
        if (!order)
            return t;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return -1;
}

static int find_class(const struct sj_songs *s, const char *name)
{
    for (int c = 0; name && c < s->classes; c++)
        if (!strcmp(s->class[c], name))
            return c;
    return -1;
}

/* The stem with this key and class: *track, or -1 where the track is bad. */
static int find_stem(const struct book *b, int64_t line, const char *key, const char *class_name, int *class,
                     int64_t *track)
{
    if ((*class = find_class(b->songs, class_name)) < 0)
        return class_name ? sj_fail(SJ_INPUT, "'%s': line %lld: the songs have no class '%s'", b->path, (long long)line,
                                    class_name)
                          : sj_fail(SJ_INPUT, "'%s': line %lld: '%s' has no class", b->path, (long long)line, key);
    const size_t n = sj_key_track(key);
    if ((*track = find_track(b, key, n)) < 0)
        return sj_fail(SJ_INPUT, "'%s': line %lld: no song given has the key '%.*s'", b->path, (long long)line, (int)n,
                       key);
    if (b->songs->tracks->track[*track].status)
        *track = -1;
    else if (!b->songs->has[*track * b->songs->classes + *class])
        return sj_fail(SJ_INPUT, "'%s': line %lld: the song '%.*s' has no %s", b->path, (long long)line, (int)n, key,
                       class_name);
    return SJ_OK;
}

static int add_query(struct book *b, int64_t track, int class)
{
    int status = sj_room(&b->q->query, sizeof *b->q->query, b->q->n, &b->room);
    if (!status)
        b->q->query[b->q->n++] = (struct sj_query){.track = track, .class = class};
    return status;
}

static int add_line(struct book *b, int64_t line, const struct sj_neighbour_line *l)
{
    int64_t track, reference;
    int class, other, status = find_stem(b, line, l->query, l->query_class, &class, &track);
    struct sj_query *last = b->q->n ? &b->q->query[b->q->n - 1] : NULL;
    if (status || track < 0 || !l->rank)
        return status;
    if (!last || last->track != track || last->class != class) {
        if ((status = add_query(b, track, class)))
            return status;
        last = &b->q->query[b->q->n - 1];
    }
    if (last->n == SJ_CANDIDATES || !l->class || strcmp(l->class, l->query_class))
        return SJ_OK;
    status = find_stem(b, line, l->reference, l->class, &other, &reference);
    for (int i = 0; i < last->n; i++)
        if (last->candidate[i] == reference)
            return status;
    if (!status && reference >= 0 && reference != track) {
        last->rank[last->n] = l->rank;
        last->candidate[last->n++] = reference;
    }
    return status;
}

/* Leaves out queries without candidates, and those that came before. */
static int settle(struct sj_queries *q, const struct sj_songs *songs)
{
    unsigned char *seen = calloc((size_t)(songs->tracks->n * songs->classes) + 1, 1);
    int64_t kept = 0;
    for (int64_t i = 0; seen && i < q->n; i++) {
        const struct sj_query *e = &q->query[i];
        unsigned char *mark = &seen[e->track * songs->classes + e->class];
        if (e->n && !*mark)
            q->query[kept++] = *e;
        *mark |= e->n > 0;
    }
    free(seen);
    q->n = kept;
    return seen ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
}

int sj_queries_read(const char *path, const struct sj_songs *songs, struct sj_queries *q)
{
    const struct sj_neighbour_line *line;
    struct sj_neighbours *in = NULL;
    struct book b = {.path = path, .songs = songs, .q = q};
    *q = (struct sj_queries){.n = 0};
    b.by_key = malloc((size_t)(songs->tracks->n + 1) * sizeof *b.by_key);
    int status = b.by_key ? sj_neighbours_open(path, &in) : sj_fail(SJ_SYSTEM, "no memory");
    if (!status) {
        for (int64_t i = 0; i < songs->tracks->n; i++)
            b.by_key[i] = i;
        qsort_r(b.by_key, (size_t)songs->tracks->n, sizeof *b.by_key, by_key, songs->tracks->track);
    }
    while (!status && !(status = sj_neighbours_next(in, &line)) && line)
        status = add_line(&b, sj_neighbours_number(in), line);
    sj_neighbours_close(in);
    free(b.by_key);
    if (!status)
        status = settle(q, songs);
    if (!status && !q->n)
        status = sj_fail(SJ_INPUT, "'%s' has no neighbour of the query's class from another song", path);
    if (status)
        sj_queries_free(q);
    return status;
}

void sj_queries_free(struct sj_queries *q)
{
    free(q->query);
    *q = (struct sj_queries){.n = 0};
}

/* -- drawing ------------------------------------------------------------------------------------------------------- */

enum { PURPOSE_ORDER = 0x7472696c }; /* of the random streams */

/* order = the queries of the class, shuffled; how many there are. */
static int64_t shuffle(const struct sj_queries *q, int class, uint64_t seed, int64_t *order)
{
    struct sj_rng r = sj_rng(seed, sj_rng_stream(PURPOSE_ORDER, (uint64_t)class));
    int64_t n = 0;
    for (int64_t i = 0; i < q->n; i++)
        if (q->query[i].class == class) {
            const int64_t at = (int64_t)sj_rng_below(&r, (uint64_t)n + 1);
            order[n] = order[at];
            order[at] = i;
            n++;
        }
    return n;
}

/* Brings to position `at` the query whose song is used least so far, of equal ones the first. */
static void prefer(const struct sj_queries *q, int64_t *order, int64_t n, int64_t at, int *used)
{
    int64_t best = at;
    for (int64_t i = at; i < n; i++)
        if (used[q->query[order[i]].track] < used[q->query[order[best]].track])
            best = i;
    const int64_t chosen = order[best];
    memmove(order + at + 1, order + at, (size_t)(best - at) * sizeof *order);
    order[at] = chosen;
    used[q->query[chosen].track]++;
}

/* The places of a class: the first tries are order[0 .. wanted-1], the others follow in turn. */
static int fill_places(const int64_t *order, int64_t n, int64_t wanted, int class, struct sj_place *place)
{
    for (int64_t p = 0; p < wanted; p++) {
        place[p].class = class;
        place[p].query = malloc((size_t)(n / wanted + 1) * sizeof *order);
        if (!place[p].query)
            return sj_fail(SJ_SYSTEM, "no memory");
        for (int64_t i = p; i < n; i += wanted)
            place[p].query[place[p].n++] = order[i];
    }
    return SJ_OK;
}

int sj_places_draw(const struct sj_queries *q, const struct sj_songs *songs, int64_t trials, uint64_t seed,
                   struct sj_place **out)
{
    int64_t *order = malloc((size_t)(q->n + 1) * sizeof *order), present = 0, done = 0, nth = 0;
    int *used = calloc((size_t)songs->tracks->n + 1, sizeof *used);
    int *asked = calloc((size_t)songs->classes, sizeof *asked), status = SJ_OK;
    struct sj_place *place = calloc((size_t)trials + 1, sizeof *place);
    if (!order || !used || !asked || !place)
        status = sj_fail(SJ_SYSTEM, "no memory for %lld trials", (long long)trials);
    for (int64_t i = 0; i < q->n && !status; i++)
        present += !asked[q->query[i].class]++;
    for (int c = 0; c < songs->classes && !status; c++) {
        if (!asked[c])
            continue;
        const int64_t n = shuffle(q, c, seed, order), wanted = trials / present + (nth++ < trials % present);
        if (n < wanted)
            status = sj_fail(SJ_INPUT, "%lld queries for %s where %lld trials of the %lld (-n) want one", (long long)n,
                             songs->class[c], (long long)wanted, (long long)trials);
        for (int64_t i = 0; i < wanted && !status; i++)
            prefer(q, order, n, i, used);
        if (!status)
            status = fill_places(order, n, wanted, c, place + done);
        done += status ? 0 : wanted;
    }
    free(order);
    free(used);
    free(asked);
    if (status)
        sj_places_free(place, trials);
    else
        *out = place;
    return status;
}

void sj_places_free(struct sj_place *place, int64_t trials)
{
    for (int64_t i = 0; place && i < trials; i++)
        free(place[i].query);
    free(place);
}
