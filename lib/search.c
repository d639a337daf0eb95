#include "search.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "labels.h"
#include "progress.h"
#include "sjk.h"

enum { ROWS = 1024 }; /* references in a block: a product large enough to be efficient */

struct sj_search {
    struct sjk *k;
    struct sj_search_settings set;
    unsigned char class_wanted[SJ_CLASSES + 1]; /* by class + 1 */
    int role_wanted;                            /* -1: any */
    struct sj_embeddings *queries, *references;
    int64_t d, most_queries, rows;
    struct sj_labels *query_label, *reference_label;
    float *query;
    int64_t query_room;
    struct sj_scores *scores;
    int64_t scores_for; /* queries that it has room for */
    float *vector;      /* of a block (rows, d) */
    struct sj_embedding *info;
    int64_t *index;
    int passes;
    struct sj_progress *progress;
    int64_t compared;                        /* queries times references so far */
    int64_t all_queries, all_references;     /* -1: not known */
    int64_t queries_read;
};

/* -- settings ------------------------------------------------------------------------------------------------------ */
/* What can be said of the names before any input is read. */
static int check_class_names(const char *classes)
{
    for (const char *p = classes; p; p = strchr(p, ','), p = p ? p + 1 : NULL)
        if (!*p || *p == ',')
            return sj_fail(SJ_USAGE, "--class is '%s': a name is empty", classes);
    return SJ_OK;
}

static int want_classes(struct sj_search *s)
{
    const struct sj_head *head = sj_embeddings_head(s->references);
    const char *p = s->set.classes;
    memset(s->class_wanted, p == NULL, sizeof s->class_wanted);
    while (p) {
        char name[256];
        size_t n = strcspn(p, ",");
        if (n >= sizeof name)
            return sj_fail(SJ_USAGE, "--class is '%s': too long a name", p);
        memcpy(name, p, n);
        name[n] = 0;
        int class = sj_head_class(head, name);
        if (class == SJ_CLASS_NONE)
            return sj_fail(SJ_USAGE, "'%s' has no class '%s'", sj_embeddings_name(s->references), name);
        s->class_wanted[class + 1] = 1;
        p = p[n] ? p + n + 1 : NULL;
    }
    return SJ_OK;
}

static int want_role(struct sj_search *s)
{
    enum sj_role role;
    int status = s->set.role ? sj_role_parse(s->set.role, &role) : SJ_OK;
    s->role_wanted = !status && s->set.role ? (int)role : -1;
    return status;
}

/* The sizes of the blocks. References get at most half of the memory, queries what is left. */
static int plan(struct sj_search *s)
{
    const double most = (double)s->set.memory_bytes, own = (double)s->d * sizeof(float);
    s->rows = s->k->ops->on_device ? 4 * ROWS : ROWS; /* of a larger block, less of what is found leaves a device */
    while (s->rows > 1 && sj_scores_bytes(1, s->rows, s->d) + (double)s->rows * own > most / 2)
        s->rows /= 2;
    const double fixed = sj_scores_bytes(0, s->rows, s->d) + (double)s->rows * own;
    const double each = sj_scores_bytes(1, s->rows, s->d) - sj_scores_bytes(0, s->rows, s->d) + own;
    if (fixed + each > most)
        return sj_fail(SJ_USAGE, "%lld bytes of memory are too few for vectors of %lld values", (long long)most,
                       (long long)s->d);
    s->most_queries = (int64_t)((most - fixed) / each);
    s->vector = malloc((size_t)(s->rows * s->d) * sizeof *s->vector + 1);
    s->info = malloc((size_t)s->rows * sizeof *s->info);
    s->index = malloc((size_t)s->rows * sizeof *s->index);
    return s->vector && s->info && s->index ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
}

static int open_inputs(struct sj_search *s, const char *query, int n, const char *const *references)
{
    int64_t d = 0;
    int status = sj_embeddings_open(n, references, &s->references);
    if (!status)
        status = sj_embeddings_open(query != NULL, &query, &s->queries);
    if (!status)
        status = sj_embeddings_match(sj_embeddings_head(s->queries), sj_embeddings_name(s->queries),
                                     sj_embeddings_head(s->references), sj_embeddings_name(s->references));
    if (!status)
        status = sj_embeddings_width(s->references, &d);
    if (!status)
        status = sj_embeddings_width(s->queries, &s->d);
    if (!status && s->d && d && s->d != d)
        return sj_fail(SJ_INPUT, "'%s' has vectors of %lld values; '%s' of %lld", sj_embeddings_name(s->queries),
                       (long long)s->d, sj_embeddings_name(s->references), (long long)d);
    return status;
}

int sj_search_open(struct sjk *k, const struct sj_search_settings *set, const char *query, int n,
                   const char *const *references, struct sj_search **out)
{
    struct sj_search *s = calloc(1, sizeof *s);
    if (!s)
        return sj_fail(SJ_SYSTEM, "no memory");
    s->k = k;
    s->set = *set;
    int status = sj_labels_new(&s->query_label);
    if (!status)
        status = sj_labels_new(&s->reference_label);
    if (!status)
        status = want_role(s);
    if (!status)
        status = check_class_names(set->classes);
    if (!status)
        status = open_inputs(s, query, n, references);
    if (!status)
        status = want_classes(s);
    if (!status)
        status = plan(s);
    if (!status)
        s->all_queries = sj_embeddings_count(s->queries), s->all_references = sj_embeddings_count(s->references);
    if (status) {
        sj_search_close(s);
        return status;
    }
    *out = s;
    return SJ_OK;
}

void sj_search_close(struct sj_search *s)
{
    if (!s)
        return;
    sj_progress_end(s->progress);
    sj_scores_free(s->scores);
    sj_embeddings_close(s->queries);
    sj_embeddings_close(s->references);
    sj_labels_free(s->query_label);
    sj_labels_free(s->reference_label);
    free(s->query);
    free(s->vector);
    free(s->info);
    free(s->index);
    free(s);
}

const struct sj_head *sj_search_head(const struct sj_search *s)
{
    return sj_embeddings_head(s->queries);
}

int64_t sj_search_width(const struct sj_search *s)
{
    return s->d;
}

/* -- queries ------------------------------------------------------------------------------------------------------- */
static int grow_queries(struct sj_search *s, int64_t n)
{
    int64_t room = n < s->most_queries / 2 ? 2 * n : s->most_queries;
    if (n <= s->query_room)
        return SJ_OK;
    float *p = realloc(s->query, (size_t)(room * s->d) * sizeof *p + 1);
    if (!p)
        return sj_fail(SJ_SYSTEM, "no memory for %lld queries", (long long)room);
    s->query = p;
    s->query_room = room;
    return SJ_OK;
}

static int read_queries(struct sj_search *s)
{
    int64_t n = 0, got = 1;
    int status = SJ_OK;
    sj_labels_clear(s->query_label);
    while (got && n < s->most_queries && !status) {
        int64_t most = s->most_queries - n < s->rows ? s->most_queries - n : s->rows;
        if (!(status = grow_queries(s, n + most)))
            status = sj_embeddings_block(s->queries, most, s->query + n * s->d, s->info, &got);
        for (int64_t i = 0; i < got && !status; i++)
            status = sj_labels_add(s->query_label, &s->info[i]);
        n += got;
    }
    return status;
}

int sj_search_queries(struct sj_search *s, int64_t *n)
{
    int64_t bad;
    int status = read_queries(s);
    *n = sj_labels_count(s->query_label);
    s->queries_read += *n;
    if (!status && *n > s->scores_for) {
        sj_scores_free(s->scores);
        s->scores = NULL;
        s->scores_for = 0;
        if (!(status = sj_scores_new(s->k, *n, s->rows, s->d, &s->scores)))
            s->scores_for = *n;
    }
    if (status || !*n)
        return status;
    status = sj_scores_queries(s->scores, *n, s->query, &bad);
    if (status && bad >= 0)
        return sj_fail(status, "'%s': '%s' holds a value that is not finite", sj_embeddings_name(s->queries),
                       sj_search_query(s, bad).key);
    return status;
}

struct sj_embedding sj_search_query(const struct sj_search *s, int64_t q)
{
    return sj_labels_at(s->query_label, q);
}

const float *sj_search_query_vector(const struct sj_search *s, int64_t q)
{
    return s->query + q * s->d;
}

/* -- references ---------------------------------------------------------------------------------------------------- */
static int wanted(const struct sj_search *s, const struct sj_embedding *e)
{
    return s->class_wanted[e->class + 1] && (s->role_wanted < 0 || s->role_wanted == (int)e->role)
           && (!s->set.key || !fnmatch(s->set.key, e->key, 0));
}

/* Moves the vectors wanted to the front of the block of `got`, the first of which is reference `base`. */
static int64_t select_rows(struct sj_search *s, int64_t base, int64_t got)
{
    int64_t n = 0;
    for (int64_t i = 0; i < got; i++) {
        if (!wanted(s, &s->info[i]))
            continue;
        if (n < i)
            memcpy(s->vector + n * s->d, s->vector + i * s->d, (size_t)s->d * sizeof *s->vector);
        s->index[n++] = base + i;
    }
    return n;
}

static int visit_block(struct sj_search *s, int64_t base, int64_t got, int with_scores,
                       int (*visit)(void *arg, const struct sj_search_block *b), void *arg)
{
    int64_t bad = -1;
    const struct sj_search_block b = {with_scores ? s->scores : NULL, select_rows(s, base, got), s->vector, s->index};
    int status = with_scores && b.n ? sj_scores_rows(s->scores, b.n, s->vector, &bad) : SJ_OK;
    if (status && bad >= 0)
        return sj_fail(status, "'%s': '%s' holds a value that is not finite", sj_embeddings_name(s->references),
                       sj_search_reference(s, s->index[bad]).key);
    return status || !b.n ? status : visit(arg, &b);
}

/* -- progress ------------------------------------------------------------------------------------------------------ */
static int last_queries(const struct sj_search *s)
{
    return sj_labels_count(s->query_label) < s->most_queries || s->queries_read == s->all_queries;
}

/* Queries times references of all passes with scores; 0: not known yet. */
static int64_t comparisons(const struct sj_search *s)
{
    const int64_t references = s->passes ? sj_labels_count(s->reference_label) : s->all_references;
    if (references < 0)
        return 0;
    if (s->all_queries >= 0)
        return references * s->all_queries;
    return last_queries(s) ? s->compared + references * sj_labels_count(s->query_label) : 0;
}

static void begin_progress(struct sj_search *s)
{
    if (!s->compared)
        s->progress = sj_progress_new(s->set.progress, "searching", "comparisons", 0, 0);
    sj_progress_total(s->progress, comparisons(s));
}

static void show_progress(struct sj_search *s, int64_t references)
{
    s->compared += references * sj_labels_count(s->query_label);
    sj_progress_show(s->progress, s->compared, NULL);
}

/* The caller may now write results, also to the terminal. */
static void rest_progress(struct sj_search *s)
{
    if (!last_queries(s)) {
        sj_progress_clear(s->progress);
        return;
    }
    sj_progress_end(s->progress);
    s->progress = NULL;
}

int sj_search_pass(struct sj_search *s, int with_scores, int (*visit)(void *arg, const struct sj_search_block *b),
                   void *arg)
{
    int64_t base = 0, got = 1;
    int status = s->passes ? sj_embeddings_rewind(s->references) : SJ_OK;
    if (with_scores && !status)
        begin_progress(s);
    while (got && !status) {
        status = sj_embeddings_block(s->references, s->rows, s->vector, s->info, &got);
        for (int64_t i = 0; i < got && !status && !s->passes; i++)
            status = sj_labels_add(s->reference_label, &s->info[i]);
        if (got && !status)
            status = visit_block(s, base, got, with_scores, visit, arg);
        if (with_scores && got && !status)
            show_progress(s, got);
        base += got;
    }
    if (with_scores && !status)
        rest_progress(s);
    s->passes++;
    return status;
}

struct sj_embedding sj_search_reference(const struct sj_search *s, int64_t i)
{
    return sj_labels_at(s->reference_label, i);
}

static int same_track(const char *a, const char *b)
{
    size_t n = sj_key_track(a);
    return n == sj_key_track(b) && !memcmp(a, b, n);
}

static int admit(void *arg, int64_t q, int64_t j)
{
    const struct sj_search_admission *a = arg;
    const struct sj_search *s = a->search;
    const struct sj_embedding query = sj_search_query(s, q), reference = sj_search_reference(s, a->block->index[j]);
    return (!s->set.same_class || query.class == reference.class)
           && (!s->set.exclude_same_track || !same_track(query.key, reference.key));
}

sj_admit *sj_search_admit(const struct sj_search *s)
{
    return s->set.same_class || s->set.exclude_same_track ? admit : NULL;
}
