/* sj-mash: tracks ranked by harmony and spectral balance.   wave/1 queries x references -> sj-mash -> TSV or NDJSON */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mash_set.h"
#include "neighbours.h"
#include "ordered.h"
#include "progress.h"
#include "tool.h"

static const char *query;
static int64_t neighbours, shifts = SJ_MASH_SHIFTS; /* neighbours 0: all */

static const struct sj_option options[] = {
    {SJ_FILE, 0, "query", &query, 0, "FILE", "the queries, a stream", 0, 0, NULL, "standard input", 0, NULL},
    {SJ_INT, 'k', "neighbours", &neighbours, 0, "N", "only the N best references of each query", 1, 1e6, NULL, "all", 0,
     NULL},
    {SJ_INT, 0, "key-shifts", &shifts, 0, "N", "shift references by up to N semitones up or down; 6: to any key", 0,
     SJ_MASH_SHIFTS, NULL, NULL, 0, NULL},
    {.type = SJ_OPTION_NONE},
};

static int check(struct sj_run *run)
{
    int inputs = !query || !strcmp(query, "-");
    for (int i = 0; i < run->n; i++)
        inputs += !strcmp(run->operand[i], "-");
    return inputs > 1 ? sj_fail(SJ_USAGE, "queries and references cannot both be read from standard input") : SJ_OK;
}

/* -- rankings ------------------------------------------------------------------------------------------------------ */
struct ranking {
    struct sj_mash_set queries, references;
    int64_t most_beats;
    float *transform; /* (references, size) */
    int64_t size;
};

struct place {
    int64_t reference;
    double distance;
};

/* Equal ones in the order of the input. */
static int compare(const void *a, const void *b)
{
    struct place x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    const int order = (x.distance > y.distance) - (x.distance < y.distance);
    return order ? order : (x.reference > y.reference) - (x.reference < y.reference);
}

/* The references' transforms, once for all queries. */
static int transform(struct ranking *r)
{
    struct sj_mash *m = NULL;
    const int64_t a = r->queries.most_beats, b = r->references.most_beats;
    r->most_beats = a > b ? a : b;
    int status = sj_mash_new(r->most_beats, &m);
    if (status)
        return status;
    r->size = sj_mash_transform_size(m);
    r->transform = malloc((size_t)(r->references.n * r->size) * sizeof *r->transform + 1);
    if (!r->transform)
        status = sj_fail(SJ_SYSTEM, "no memory for the transforms of %lld tracks", (long long)r->references.n);
    for (int64_t j = 0; j < r->references.n && !status; j++)
        sj_mash_transform(m, &r->references.track[j], r->transform + j * r->size);
    sj_mash_free(m);
    return status;
}

/* A job: gives the places of all references for query q, best first. On any thread. */
static int rank(void *arg, int64_t q, struct sj_ordered_job *to)
{
    const struct ranking *r = arg;
    const struct sj_mash_track *x = &r->queries.track[q];
    struct sj_mash *m = NULL;
    float *own = malloc((size_t)r->size * sizeof *own);
    struct place *place = malloc((size_t)r->references.n * sizeof *place + 1);
    int status = own && place ? sj_mash_new(r->most_beats, &m) : sj_fail(SJ_SYSTEM, "no memory for a ranking");
    if (!status)
        sj_mash_transform(m, x, own);
    for (int64_t j = 0; j < r->references.n && !status; j++) {
        const double score = sj_mash_score(m, x, own, &r->references.track[j], r->transform + j * r->size, (int)shifts);
        const double distance = nearbyint((SJ_MASH_MOST - score) * 1e9) / 1e9; /* as it is written */
        place[j] = (struct place){j, score < 0 ? INFINITY : distance};
    }
    sj_mash_free(m);
    free(own);
    if (status) {
        free(place);
        return status;
    }
    qsort(place, (size_t)r->references.n, sizeof *place, compare);
    return sj_ordered_give(to, place);
}

static int write_ranking(const struct ranking *r, int64_t q, const struct place *place, struct sj_neighbours_writer *w)
{
    const int64_t n = neighbours && neighbours < r->references.n ? neighbours : r->references.n;
    struct sj_neighbour_line line = {.query = sj_labels_at(r->queries.label, q).key,
                                     .query_class = sj_mash_set_class(&r->queries, q)};
    int status = n ? SJ_OK : sj_neighbours_write(w, &line);
    for (int64_t i = 0; i < n && !status; i++) {
        line.rank = i + 1;
        line.reference = sj_labels_at(r->references.label, place[i].reference).key;
        line.class = sj_mash_set_class(&r->references, place[i].reference);
        line.distance = place[i].distance;
        status = sj_neighbours_write(w, &line);
    }
    return status;
}

static int write_rankings(const struct sj_run *run, struct ranking *r, FILE *f)
{
    const struct sj_ordered_work work = {.threads = run->threads, .ahead = 2 * run->threads, .jobs = r->queries.n,
                                         .run = rank, .drop = free, .arg = r};
    struct sj_neighbours_writer w;
    struct sj_ordered *o = NULL;
    void *place = NULL;
    int status = sj_ordered_open(&work, &o);
    struct sj_progress *p = status ? NULL : sj_progress_new(run->progress, "ranking", "queries", 0, r->queries.n);
    sj_neighbours_begin(&w, f, run->json);
    for (int64_t q = 0; q < r->queries.n && !status;) {
        status = sj_ordered_take(o, &place);
        if (!status && place)
            status = write_ranking(r, q, place, &w);
        else if (!status)
            sj_progress_show(p, ++q, NULL); /* the end of its job */
        free(place);
    }
    sj_progress_end(p);
    sj_ordered_close(o);
    return sj_neighbours_end(&w, status);
}

/* -- the program --------------------------------------------------------------------------------------------------- */
static void say(const struct sj_run *run, const struct ranking *r)
{
    const int64_t beatless = r->queries.beatless + r->references.beatless;
    sj_note(run, "%lld queries, %lld references, key shifts of up to %lld semitones", (long long)r->queries.n,
            (long long)r->references.n, (long long)shifts);
    if (beatless)
        sj_note(run, "%lld of %lld tracks show no beats: they have a grid of %g beats a minute", (long long)beatless,
                (long long)(r->queries.n + r->references.n), SJ_BEATS_DEFAULT_BPM);
}

static int read_and_rank(const struct sj_run *run, FILE *f)
{
    struct ranking r = {0};
    int status = sj_mash_set_read(run->n, run->operand, run->threads, run->progress, "references", &r.references);
    if (!status)
        status = sj_mash_set_read(query != NULL, &query, run->threads, run->progress, "queries", &r.queries);
    if (!status)
        status = transform(&r);
    if (!status)
        status = write_rankings(run, &r, f);
    if (!status)
        say(run, &r);
    sj_mash_set_free(&r.queries);
    sj_mash_set_free(&r.references);
    free(r.transform);
    return status;
}

static int run(struct sj_run *run)
{
    struct sj_report *r;
    int status = sj_report_open(run, &r);
    return status ? status : sj_report_close(r, read_and_rank(run, sj_report_file(r)));
}

static const struct sj_tool tool = {
    .name = "sj-mash",
    .summary = "tracks ranked by harmony and spectral balance (AutoMashupper)",
    .operands = "REFERENCES...",
    .details = "Ranks for each query all references (tracks of wave/1 streams) by their mashability with it:\n"
               "harmony of beat-synchronous chroma over offsets and key shifts, and balance of low, middle and high.\n"
               "Writes what sj-knn writes, the distance being 1.2 - mashability, inf\n"
               "for references that are too short; sj-knn --merge --metrics measures it.",
    .options = options,
    .common = SJ_TAKES_OUTPUT | SJ_TAKES_THREADS | SJ_TAKES_PROGRESS | SJ_TAKES_JSON,
    .min_operands = 1,
    .max_operands = -1,
    .check = check,
    .run = run,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
