/* sj-knn: nearest neighbours and retrieval metrics.   embed/1 queries x references -> sj-knn -> TSV or NDJSON;
 * embeddings -> sj-knn --cluster -> TSV or NDJSON, centroids.h5 */
#include <stdlib.h>
#include <string.h>

#include "clustering.h"
#include "knn.h"
#include "metrics.h"
#include "neighbours.h"
#include "ranked.h"
#include "retrieval.h"
#include "search.h"
#include "sjk.h"
#include "tool.h"

static const char *query, *classes, *role, *key;
static int64_t neighbours, memory_mib = 1024; /* neighbours 0: not given */
enum { NEIGHBOURS = 10 };
static int same_class, exclude_same_track, metrics, per_class, baselines, confusion, merge;
static struct sj_clustering_settings clustering = SJ_CLUSTERING_DEFAULTS;

static const struct sj_option options[] = {
    {SJ_FILE, 0, "query", &query, 0, "FILE", "the queries, a stream or an HDF5 file", 0, 0, NULL, "standard input", 0,
     NULL},
    {SJ_INT, 'k', "neighbours", &neighbours, 0, "N", "neighbours of each query", 1, 1e6, NULL, "10", 0, NULL},
    {SJ_TEXT, 0, "class", &classes, 0, "NAMES", "only references of these classes, with commas between", 0, 0, NULL,
     NULL, 0, NULL},
    {SJ_TEXT, 0, "role", &role, 0, "ROLE", "only references of this role: stem, mix, rest or prediction", 0, 0, NULL,
     NULL, 0, NULL},
    {SJ_TEXT, 0, "key", &key, 0, "PATTERN", "only references whose key matches this shell pattern", 0, 0, NULL, NULL, 0,
     NULL},
    {SJ_FLAG, 0, "same-class", &same_class, 0, NULL, "only references of the query's own class", 0, 0, NULL, NULL, 0,
     NULL},
    {SJ_FLAG, 0, "exclude-same-track", &exclude_same_track, 0, NULL, "no references of the query's own track", 0, 0,
     NULL, NULL, 0, NULL},
    {SJ_FLAG, 0, "metrics", &metrics, 0, NULL, "print how well queries find the reference of their own key and class",
     0, 0, NULL, NULL, 0, NULL},
    {SJ_FLAG, 0, "per-class", &per_class, 0, NULL, "with --metrics: also a row for each class", 0, 0, NULL, NULL, 0,
     NULL},
    {SJ_FLAG, 0, "baselines", &baselines, 0, NULL, "with --metrics: also rows of chance and of an oracle of the class",
     0, 0, NULL, NULL, 0, NULL},
    {SJ_FLAG, 0, "confusion", &confusion, 0, NULL, "print what the nearest neighbours are, by class", 0, 0, NULL, NULL,
     0, NULL},
    {SJ_FLAG, 0, "merge", &merge, 0, NULL, "take the results in the FILEs instead, each from a part of the references",
     0, 0, NULL, NULL, 0, NULL},
    {SJ_GROUP, 0, NULL, &clustering, 0, NULL, NULL, 0, 0, NULL, NULL, 0, sj_clustering_options},
    {SJ_INT, 0, "memory", &memory_mib, 0, "MIB", "memory for vectors and scores; larger sets are read in blocks", 1,
     1e9, NULL, NULL, 0, NULL},
    {.type = SJ_OPTION_NONE},
};

static int check(struct sj_run *run)
{
    int filtered = classes || role || key || same_class || exclude_same_track, inputs = !query || !strcmp(query, "-");
    for (int i = 0; i < run->n && !merge; i++)
        inputs += !strcmp(run->operand[i], "-");
    const int clusters = sj_clustering_wanted(&clustering);
    if (metrics + confusion + clusters > 1 || merge + clusters > 1)
        return sj_fail(SJ_USAGE, "%s, --cluster and --assign exclude each other",
                       metrics + confusion > 0 ? "--metrics, --confusion" : "--merge");
    if (clusters && (query || filtered || neighbours))
        return sj_fail(SJ_USAGE, "--cluster and --assign take neither --query nor -k nor filters");
    int status = sj_clustering_check(&clustering, run);
    if (status || clusters)
        return status;
    if ((per_class || baselines) && !metrics)
        return sj_fail(SJ_USAGE, "%s is for --metrics", per_class ? "--per-class" : "--baselines");
    if ((metrics || confusion) && neighbours)
        return sj_fail(SJ_USAGE, "-k is not for %s", metrics ? "--metrics" : "--confusion");
    if (merge && (query || filtered))
        return sj_fail(SJ_USAGE, "--merge takes neither --query nor filters");
    if ((metrics || confusion) && exclude_same_track)
        return sj_fail(SJ_USAGE, "--exclude-same-track excludes what %s looks for",
                       metrics ? "--metrics" : "--confusion");
    if (!merge && inputs > 1)
        return sj_fail(SJ_USAGE, "queries and references cannot both be read from standard input");
    neighbours = neighbours ? neighbours : NEIGHBOURS;
    return SJ_OK;
}

/* -- lists of neighbours ------------------------------------------------------------------------------------------- */
struct listing {
    struct sj_search *search;
    struct sj_knn *knn;
};

static int add_block(void *arg, const struct sj_search_block *b)
{
    struct listing *l = arg;
    struct sj_search_admission admission = {l->search, b};
    sj_knn_add(l->knn, b->scores, b->index, sj_search_admit(l->search), &admission);
    return SJ_OK;
}

/* The k nearest references of the current block of queries. */
static int find(struct listing *l, int64_t queries, int64_t k)
{
    int status = sj_knn_new(queries, k, &l->knn);
    return status ? status : sj_search_pass(l->search, 1, add_block, l);
}

static const char *class_name(const struct sj_search *s, int class)
{
    return class == SJ_CLASS_NONE ? NULL : sj_search_head(s)->class_name[class];
}

static int write_list(const struct listing *l, int64_t q, struct sj_neighbours_writer *w)
{
    const struct sj_neighbour *list;
    const struct sj_embedding e = sj_search_query(l->search, q);
    const int64_t n = sj_knn_list(l->knn, q, &list);
    struct sj_neighbour_line line = {.query = e.key, .query_class = class_name(l->search, e.class)};
    int status = n ? SJ_OK : sj_neighbours_write(w, &line);
    for (int64_t i = 0; i < n && !status; i++) {
        const struct sj_embedding r = sj_search_reference(l->search, list[i].index);
        line.rank = i + 1;
        line.reference = r.key;
        line.class = class_name(l->search, r.class);
        line.distance = list[i].distance;
        status = sj_neighbours_write(w, &line);
    }
    return status;
}

static int list_neighbours(struct sj_search *s, FILE *f, int json)
{
    struct sj_neighbours_writer w;
    int64_t n = 0;
    int status = SJ_OK;
    sj_neighbours_begin(&w, f, json);
    while (!status && !(status = sj_search_queries(s, &n)) && n) {
        struct listing l = {s, NULL};
        status = find(&l, n, neighbours);
        for (int64_t q = 0; q < n && !status; q++)
            status = write_list(&l, q, &w);
        sj_knn_free(l.knn);
    }
    return sj_neighbours_end(&w, status);
}

/* -- figure 2 ------------------------------------------------------------------------------------------------------ */
static int count_nearest(struct sj_search *s, struct sj_confusion *c)
{
    int64_t n = 0;
    int status = SJ_OK;
    while (!status && !(status = sj_search_queries(s, &n)) && n) {
        struct listing l = {s, NULL};
        status = find(&l, n, 1);
        for (int64_t q = 0; q < n && !status; q++) {
            const struct sj_neighbour *list;
            const struct sj_embedding e = sj_search_query(s, q);
            if (e.class == SJ_CLASS_NONE)
                status = sj_fail(SJ_INPUT, "the query '%s' has no class", e.key);
            else if (!sj_knn_list(l.knn, q, &list))
                status = sj_fail(SJ_INPUT, "the query '%s' finds no reference", e.key);
            else
                status = sj_confusion_add(c, e, sj_search_reference(s, list[0].index));
        }
        sj_knn_free(l.knn);
    }
    return status;
}

static int print_confusion(struct sj_search *s, FILE *f, int json)
{
    struct sj_confusion *c = NULL;
    int status = sj_confusion_new(sj_search_head(s), &c);
    if (!status)
        status = count_nearest(s, c);
    if (!status)
        status = sj_confusion_print(c, f, json);
    sj_confusion_free(c);
    return status;
}

/* -- searching ----------------------------------------------------------------------------------------------------- */
static int search(struct sj_run *run, FILE *f)
{
    const struct sj_search_settings set = {.classes = classes, .role = role, .key = key, .same_class = same_class,
                                           .exclude_same_track = exclude_same_track, .memory_bytes = memory_mib << 20,
                                           .progress = run->progress};
    struct sjk *k = NULL;
    struct sj_search *s = NULL;
    int status = sj_run_backend(run, &k);
    if (!status)
        status = sj_search_open(k, &set, query, run->n, run->operand, &s);
    if (!status && metrics)
        status = sj_retrieval_print(s, per_class, baselines, f, run->json);
    else if (!status)
        status = confusion ? print_confusion(s, f, run->json) : list_neighbours(s, f, run->json);
    sj_search_close(s);
    if (k)
        sjk_close(k);
    return status;
}

/* -- lists that are there ------------------------------------------------------------------------------------------ */
static int write_line(void *arg, const struct sj_neighbour_line *line)
{
    return sj_neighbours_write(arg, line);
}

static int merge_lists(const struct sj_run *run, FILE *f)
{
    struct sj_neighbours_writer w;
    struct sj_ranked *r = NULL;
    if (!metrics && !confusion) {
        sj_neighbours_begin(&w, f, run->json);
        return sj_neighbours_end(&w, sj_neighbours_merge(run->n, run->operand, neighbours, write_line, &w));
    }
    int status = sj_ranked_read(run->n, run->operand, &r);
    if (!status)
        status = metrics ? sj_ranked_metrics(r, per_class, baselines, f, run->json)
                         : sj_ranked_confusion(r, f, run->json);
    sj_ranked_free(r);
    return status;
}

/* -- the program --------------------------------------------------------------------------------------------------- */
static int run(struct sj_run *run)
{
    struct sj_report *r;
    int status = sj_report_open(run, &r);
    if (status)
        return status;
    FILE *f = sj_report_file(r);
    if (sj_clustering_wanted(&clustering))
        return sj_report_close(r, sj_clustering_run(&clustering, run, memory_mib << 20, f));
    status = merge ? merge_lists(run, f) : search(run, f);
    return sj_report_close(r, status);
}

static const struct sj_tool tool = {
    .name = "sj-knn",
    .summary = "nearest neighbours and retrieval metrics of embeddings",
    .operands = "REFERENCES...",
    .details = "Finds for each query the nearest of the references (embed/1 streams or HDF5 files, pooled by track):\n"
               "both are layer-normalised and scaled to length 1, the distance is Euclidean, the search exact.\n"
               "With --cluster: k-means of all vectors of the FILEs, pooled in any way, as they are.",
    .options = options,
    .common = SJ_TAKES_OUTPUT | SJ_TAKES_THREADS | SJ_TAKES_BACKEND | SJ_TAKES_SEED | SJ_TAKES_PROGRESS | SJ_TAKES_JSON,
    .min_operands = 1,
    .max_operands = -1,
    .check = check,
    .run = run,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
