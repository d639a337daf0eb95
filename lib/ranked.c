#include "ranked.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "keyset.h"
#include "labels.h"
#include "neighbours.h"
#include "retrieval.h"
#include "retrieval_own.h"

/* What a query's list says of its true reference, in place of a rank. */
enum { NO_TRUTH = 0, TWO_TRUTHS = -1 };

struct sj_ranked {
    int classes;
    char *class_name[SJ_CLASSES];     /* in the order in which they came */
    struct sj_labels *query, *nearest; /* of each list */
    struct sj_gathered lists;
    int64_t of_class[SJ_CLASSES + 1]; /* references of each class + 1, in the first list */
    struct sj_keyset *all, *queries;  /* references; queries, by class and key */
    int64_t least, least_list;        /* the fewest different references in a list, and which list it is */
    /* of the list being read */
    struct sj_keyset *own;
    double *distance;
    int64_t n, room;
    double truth; /* distance of the true reference */
    int truths;
    char name[2 * SJ_KEY_BYTES];
};

/* -- reading ------------------------------------------------------------------------------------------------------- */
static int class_number(struct sj_ranked *r, const char *name, int *class)
{
    *class = SJ_CLASS_NONE;
    if (!name)
        return SJ_OK;
    for (*class = 0; *class < r->classes; ++*class)
        if (!strcmp(r->class_name[*class], name))
            return SJ_OK;
    if (r->classes == SJ_CLASSES)
        return sj_fail(SJ_INPUT, "there are more than %d classes", SJ_CLASSES);
    if (!(r->class_name[r->classes] = strdup(name)))
        return sj_fail(SJ_SYSTEM, "no memory");
    r->classes++;
    return SJ_OK;
}

static int end_list(struct sj_ranked *r)
{
    const int64_t lists = sj_labels_count(r->query);
    if (!lists)
        return SJ_OK;
    int64_t rank = r->truths == 1 ? 1 : r->truths ? TWO_TRUTHS : NO_TRUTH;
    for (int64_t i = 0; i < r->n && rank > 0; i++)
        rank += r->distance[i] < r->truth;
    if (rank > 0 && isinf(r->truth)) /* a query that its own does not go with has found nothing */
        rank = r->n;
    if (lists == 1 || sj_keyset_count(r->own) < r->least) {
        r->least = sj_keyset_count(r->own);
        r->least_list = lists - 1;
    }
    return sj_gathered_add(&r->lists, rank, r->n, sj_labels_at(r->query, lists - 1).class);
}

/* Queries counted twice would weigh twice. */
static int want_new(struct sj_ranked *r, const char *query, int class)
{
    if (strlen(query) > SJ_KEY_BYTES)
        return sj_fail(SJ_INPUT, "the query '%.60s...' has a key of more than %d bytes", query, SJ_KEY_BYTES);
    snprintf(r->name, sizeof r->name, "%d/%s", class, query);
    const int64_t before = sj_keyset_count(r->queries);
    int status = sj_keyset_add(r->queries, r->name);
    if (!status && sj_keyset_count(r->queries) == before)
        status = sj_fail(SJ_INPUT, "the query '%s' of the class '%s' comes twice", query,
                         class == SJ_CLASS_NONE ? "-" : r->class_name[class]);
    return status;
}

static int begin_list(struct sj_ranked *r, const struct sj_neighbour_line *l)
{
    struct sj_embedding query = {.key = l->query}, nearest = {.key = l->rank ? l->reference : ""};
    int status = end_list(r);
    r->n = 0;
    r->truths = 0;
    sj_keyset_free(r->own);
    r->own = NULL;
    if (!status)
        status = sj_keyset_new(&r->own);
    if (!status)
        status = class_number(r, l->query_class, &query.class);
    if (!status)
        status = want_new(r, l->query, query.class);
    if (!status)
        status = class_number(r, l->rank ? l->class : NULL, &nearest.class);
    if (!status)
        status = sj_labels_add(r->query, &query);
    return status ? status : sj_labels_add(r->nearest, &nearest);
}

static int add_distance(struct sj_ranked *r, double distance)
{
    if (r->n == r->room) {
        const int64_t room = 2 * r->room + 64;
        double *p = realloc(r->distance, (size_t)room * sizeof *p);
        if (!p)
            return sj_fail(SJ_SYSTEM, "no memory for %lld distances", (long long)room);
        r->distance = p;
        r->room = room;
    }
    r->distance[r->n++] = distance;
    return SJ_OK;
}

static int add_line(void *arg, const struct sj_neighbour_line *l)
{
    struct sj_ranked *r = arg;
    int class, status = l->rank <= 1 ? begin_list(r, l) : SJ_OK;
    if (status || !l->rank)
        return status;
    status = class_number(r, l->class, &class);
    if (!status)
        status = add_distance(r, l->distance);
    if (status)
        return status;
    const int64_t list = sj_labels_count(r->query) - 1;
    const struct sj_embedding query = sj_labels_at(r->query, list);
    if (class == query.class && !strcmp(l->reference, query.key)) {
        r->truth = l->distance;
        r->truths++;
    }
    r->of_class[class + 1] += !list;
    if (strlen(l->reference) > SJ_KEY_BYTES)
        return sj_fail(SJ_INPUT, "the list of '%.60s' names a reference of more than %d bytes", l->query, SJ_KEY_BYTES);
    snprintf(r->name, sizeof r->name, "%d/%s", class, l->reference);
    status = sj_keyset_add(r->own, r->name);
    return status ? status : sj_keyset_add(r->all, r->name);
}

int sj_ranked_read(int n, const char *const *paths, struct sj_ranked **out)
{
    struct sj_ranked *r = calloc(1, sizeof *r);
    if (!r)
        return sj_fail(SJ_SYSTEM, "no memory");
    int status = sj_labels_new(&r->query);
    if (!status)
        status = sj_labels_new(&r->nearest);
    if (!status)
        status = sj_keyset_new(&r->all);
    if (!status)
        status = sj_keyset_new(&r->queries);
    if (!status)
        status = sj_neighbours_merge(n, paths, INT64_MAX, add_line, r);
    if (!status)
        status = end_list(r);
    if (status) {
        sj_ranked_free(r);
        return status;
    }
    *out = r;
    return SJ_OK;
}

void sj_ranked_free(struct sj_ranked *r)
{
    if (!r)
        return;
    for (int i = 0; i < r->classes; i++)
        free(r->class_name[i]);
    sj_labels_free(r->query);
    sj_labels_free(r->nearest);
    sj_gathered_free(&r->lists);
    sj_keyset_free(r->all);
    sj_keyset_free(r->queries);
    sj_keyset_free(r->own);
    free(r->distance);
    free(r);
}

/* -- classes in the order of their names --------------------------------------------------------------------------- */
struct order {
    const char *name[SJ_CLASSES];
    int place[SJ_CLASSES]; /* of a class of the lists */
};

static int place_of(const struct order *o, int class)
{
    return class == SJ_CLASS_NONE ? class : o->place[class];
}

static void sort_classes(const struct sj_ranked *r, struct order *o)
{
    for (int c = 0; c < r->classes; c++) {
        o->place[c] = 0;
        for (int other = 0; other < r->classes; other++)
            o->place[c] += strcmp(r->class_name[other], r->class_name[c]) < 0;
        o->name[o->place[c]] = r->class_name[c];
    }
}

/* -- reports ------------------------------------------------------------------------------------------------------- */
static const char *class_of(const struct sj_ranked *r, int class)
{
    return class == SJ_CLASS_NONE ? "-" : r->class_name[class];
}

/* Whether every list holds every reference, its true one once. */
static int complete(const struct sj_ranked *r)
{
    int64_t short_of = r->least < sj_keyset_count(r->all) ? r->least_list : -1;
    for (int64_t q = 0; q < r->lists.n && short_of < 0; q++)
        if (r->lists.total[q] != r->lists.total[0])
            short_of = q;
    if (short_of >= 0)
        return sj_fail(SJ_INPUT, "the list of '%s' is not complete: it has %lld lines where there are %lld references",
                       sj_labels_at(r->query, short_of).key, (long long)r->lists.total[short_of],
                       (long long)sj_keyset_count(r->all));
    for (int64_t q = 0; q < r->lists.n; q++) {
        const struct sj_embedding e = sj_labels_at(r->query, q);
        if (r->lists.rank[q] == NO_TRUTH)
            return sj_fail(SJ_INPUT, "no reference has the key '%s' and the class '%s' of a query", e.key,
                           class_of(r, e.class));
        if (r->lists.rank[q] == TWO_TRUTHS)
            return sj_fail(SJ_INPUT, "two references have the key '%s' and the class '%s'", e.key,
                           class_of(r, e.class));
    }
    return SJ_OK;
}

int sj_ranked_metrics(const struct sj_ranked *r, int per_class, int baselines, FILE *f, int json)
{
    struct order o;
    struct sj_gathered g = {0};
    int64_t of_class[SJ_CLASSES + 1] = {r->of_class[0]};
    int status = complete(r);
    sort_classes(r, &o);
    for (int c = 0; c < r->classes; c++)
        of_class[o.place[c] + 1] = r->of_class[c + 1];
    for (int64_t q = 0; q < r->lists.n && !status; q++)
        status = sj_gathered_add(&g, r->lists.rank[q], r->lists.total[q], place_of(&o, r->lists.class[q]));
    if (!status)
        status = sj_gathered_print(&g, r->classes, o.name, of_class, per_class, baselines, f, json);
    sj_gathered_free(&g);
    return status;
}

static int count_nearest(const struct sj_ranked *r, const struct order *o, struct sj_confusion *c)
{
    int status = SJ_OK;
    for (int64_t q = 0; q < r->lists.n && !status; q++) {
        struct sj_embedding query = sj_labels_at(r->query, q), nearest = sj_labels_at(r->nearest, q);
        query.class = place_of(o, query.class);
        nearest.class = place_of(o, nearest.class);
        if (query.class == SJ_CLASS_NONE)
            status = sj_fail(SJ_INPUT, "the query '%s' has no class", query.key);
        else if (!r->lists.total[q])
            status = sj_fail(SJ_INPUT, "the query '%s' finds no reference", query.key);
        else
            status = sj_confusion_add(c, query, nearest);
    }
    return status;
}

int sj_ranked_confusion(const struct sj_ranked *r, FILE *f, int json)
{
    struct order o;
    struct sj_head *head = NULL;
    struct sj_confusion *c = NULL;
    sort_classes(r, &o);
    int status = sj_head_new("embed/1", "vector", SJ_F32, &head);
    if (!status)
        status = sj_head_set_classes(head, r->classes, o.name);
    if (!status)
        status = sj_confusion_new(head, &c);
    if (!status)
        status = count_nearest(r, &o, c);
    if (!status)
        status = sj_confusion_print(c, f, json);
    sj_confusion_free(c);
    sj_head_free(head);
    return status;
}
