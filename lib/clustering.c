#include "clustering.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "centroids.h"
#include "h5.h"
#include "kmeans.h"
#include "points.h"
#include "progress.h"
#include "sjk.h"
#include "stop.h"
#include "table.h"
#include "whole.h"

enum { RESTARTS = 10, ITERATIONS = 300 };
static const double tolerance = 1e-5, save_s = 60;

#define AT(field) NULL, offsetof(struct sj_clustering_settings, field)
const struct sj_option sj_clustering_options[] = {
    {SJ_INT, 0, "cluster", AT(clusters), "K", "print in which of K clusters each vector is, by k-means", 1, 1e6, NULL,
     "no clusters", 1, NULL},
    {SJ_INT, 0, "restarts", AT(restarts), "N", "with --cluster: clusterings from different starts, the best is kept", 1,
     1e6, NULL, "10", 1, NULL},
    {SJ_INT, 0, "iterations", AT(iterations), "N", "with --cluster: the most of each restart", 1, 1e9, NULL, "300", 1,
     NULL},
    {SJ_REAL, 0, "tolerance", AT(tolerance), "X", "with --cluster: end when the inertia falls by at most this share", 0,
     1, NULL, "1e-05", 1, NULL},
    {SJ_TEXT, 0, "centroids", AT(centroids), "FILE", "with --cluster: write the centroids, and the state on the way", 0,
     0, NULL, NULL, 0, NULL},
    {SJ_REAL, 0, "save-every", AT(save_s), "SECONDS", "between savings of the state; 0: after every step", 0, 1e9, NULL,
     "60", 0, NULL},
    {SJ_FLAG, 0, "resume", AT(resume), NULL, "continue from the FILE of --centroids, if it is there", 0, 0, NULL, NULL,
     0, NULL},
    {SJ_FILE, 0, "assign", AT(assign), "FILE", "print which of the centroids in FILE is nearest to each vector", 0, 0,
     NULL, NULL, 0, NULL},
    {.type = SJ_OPTION_NONE},
};

struct clustering {
    const struct sj_clustering_settings *set;
    struct sj_run *run;
    struct sjk *k;
    struct sj_points *points;
    struct sj_kmeans *kmeans;
    struct sj_centroids about;
    struct sj_kmeans_result result;
    volatile sig_atomic_t *stop; /* NULL: nothing is saved */
    struct sj_progress *progress;
    double saved;                /* when: seconds */
};

/* -- settings ------------------------------------------------------------------------------------------------------ */
int sj_clustering_wanted(const struct sj_clustering_settings *set)
{
    return set->clusters || set->assign;
}

int sj_clustering_check(struct sj_clustering_settings *set, const struct sj_run *run)
{
    const struct { const char *name; int given; } own[] = {
        {"restarts", set->restarts != 0}, {"iterations", set->iterations != 0}, {"tolerance", set->tolerance >= 0},
        {"centroids", set->centroids != NULL}, {"save-every", set->save_s >= 0}, {"resume", set->resume},
        {"seed", run->seed_given}};
    int status = SJ_OK;
    if (set->assign && set->clusters)
        return sj_fail(SJ_USAGE, "--cluster and --assign exclude each other");
    for (size_t i = 0; i < sizeof own / sizeof *own && !set->clusters; i++)
        if (own[i].given)
            return sj_fail(SJ_USAGE, "--%s is for --cluster", own[i].name);
    if (!set->centroids && (set->resume || set->save_s >= 0))
        return sj_fail(SJ_USAGE, "%s wants --centroids", set->resume ? "--resume" : "--save-every");
    if (set->centroids && ((status = sj_h5_want_file(set->centroids)) ||
                           (status = sj_whole_apart(set->centroids, run->output))))
        return status;
    for (int i = 0; i < run->n && !status; i++)
        status = sj_whole_apart(set->centroids, run->operand[i]);
    set->restarts = set->restarts ? set->restarts : RESTARTS;
    set->iterations = set->iterations ? set->iterations : ITERATIONS;
    set->tolerance = set->tolerance >= 0 ? set->tolerance : tolerance;
    set->save_s = set->save_s >= 0 ? set->save_s : save_s;
    return status;
}

/* -- the table ----------------------------------------------------------------------------------------------------- */
static int write_json(FILE *f, const char *class, const struct sj_point *p, int32_t cluster, double distance)
{
    sj_json *o = sj_json_object();
    sj_json_set(o, "key", sj_json_string(p->of.key));
    if (class)
        sj_json_set(o, "class", sj_json_string(class));
    if (isfinite(p->start_s)) {
        sj_json_set(o, "start_s", sj_json_real(p->start_s));
        sj_json_set(o, "end_s", sj_json_real(p->end_s));
    }
    sj_json_set(o, "cluster", sj_json_int(cluster));
    sj_json_set(o, "distance", sj_json_real(distance));
    if (p->frequency >= 0)
        sj_json_set(o, "frequency", sj_json_int(p->frequency));
    int status = sj_json_line(f, o);
    sj_json_free(o);
    return status;
}

static void write_line(FILE *f, const char *class, const struct sj_point *p, int32_t cluster, double distance)
{
    sj_table_put(f, p->of.key);
    fputc('\t', f);
    sj_table_put(f, class);
    if (isfinite(p->start_s))
        fprintf(f, "\t%.2f\t%.2f", p->start_s, p->end_s);
    else
        fputs("\t-\t-", f);
    fprintf(f, "\t%d\t%.9g", (int)cluster, distance);
    if (p->frequency >= 0)
        fprintf(f, "\t%lld", (long long)p->frequency);
    fputc('\n', f);
}

static int write_table(const struct clustering *c, FILE *f)
{
    const struct sj_head *head = sj_points_head(c->points);
    const int64_t n = sj_points_count(c->points);
    int status = SJ_OK;
    if (!c->run->json)
        fprintf(f, "key\tclass\tstart_s\tend_s\tcluster\tdistance%s\n",
                n && sj_points_at(c->points, 0).frequency >= 0 ? "\tfrequency" : "");
    for (int64_t i = 0; i < n && !status; i++) {
        const struct sj_point p = sj_points_at(c->points, i);
        const char *class = p.of.class == SJ_CLASS_NONE ? NULL : head->class_name[p.of.class];
        const double distance = sqrt(c->result.square[i]);
        if (c->run->json)
            status = write_json(f, class, &p, c->result.cluster[i], distance);
        else
            write_line(f, class, &p, c->result.cluster[i], distance);
    }
    return status;
}

/* -- saving -------------------------------------------------------------------------------------------------------- */
static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Finds out before the clustering whether the file can be written, and what it holds. */
static int open_state(struct clustering *c)
{
    const char *path = c->set->centroids;
    struct sj_centroids old = {0};
    struct sj_whole *w;
    if (!path)
        return SJ_OK;
    c->stop = sj_stop_catch();
    c->saved = now_s();
    int status = sj_whole_new(path, &w);
    if (status)
        return status;
    sj_whole_discard(w);
    const int there = !access(path, F_OK);
    if (c->set->resume && there)
        return sj_centroids_resume(path, &c->about, sj_kmeans_state(c->kmeans));
    if (c->set->resume)
        sj_note(c->run, "no '%s': starts from the beginning", path);
    if (there && !sj_centroids_read(path, &old) && !old.complete)
        status = sj_fail(SJ_USAGE, "'%s' is not finished: --resume continues it, removing it starts anew", path);
    sj_centroids_free(&old);
    return status;
}

static int save(struct clustering *c)
{
    c->saved = now_s();
    return sj_centroids_write(c->set->centroids, &c->about, sj_kmeans_state(c->kmeans), NULL);
}

/* After a step: saves when it is time or a signal came. */
static int save_sometimes(struct clustering *c)
{
    if (!c->stop || (!*c->stop && now_s() - c->saved < c->set->save_s))
        return SJ_OK;
    int status = save(c);
    if (status || !*c->stop)
        return status;
    sj_progress_clear(c->progress);
    sj_note(c->run, "stopped and saved; --resume continues");
    sj_stop_end();
    return sj_fail(SJ_NO, "stopped");
}

/* -- clustering ---------------------------------------------------------------------------------------------------- */
static void show(const struct clustering *c, int64_t steps)
{
    const struct sj_kmeans_state *s = sj_kmeans_state(c->kmeans);
    char text[128];
    if (!s->iteration)
        snprintf(text, sizeof text, "restart %lld of %lld, start", (long long)s->restart + 1,
                 (long long)c->about.set.restarts);
    else
        snprintf(text, sizeof text, "restart %lld of %lld, iteration %lld, inertia %.6g", (long long)s->restart + 1,
                 (long long)c->about.set.restarts, (long long)s->iteration, sj_kmeans_inertia(c->kmeans));
    sj_progress_show(c->progress, steps, text);
}

static void note_restart(const struct clustering *c, int64_t restart)
{
    const struct sj_kmeans_state *s = sj_kmeans_state(c->kmeans);
    if (!c->run->verbose || s->restart == restart)
        return;
    sj_progress_clear(c->progress);
    sj_note(c->run, "restart %lld: inertia %.9g after %lld iterations", (long long)s->restart, s->inertia[restart],
            (long long)s->moves[restart]);
}

static int run_steps(struct clustering *c)
{
    const struct sj_kmeans_state *s = sj_kmeans_state(c->kmeans);
    int64_t steps = 0;
    int status = SJ_OK;
    c->progress = sj_progress_new(c->run->progress, "clustering", "steps", 0, 0);
    while (s->restart < c->about.set.restarts && !status) {
        const int64_t restart = s->restart;
        if (!(status = sj_kmeans_step(c->kmeans))) {
            note_restart(c, restart);
            show(c, ++steps);
            status = save_sometimes(c);
        }
    }
    sj_progress_end(c->progress);
    c->progress = NULL;
    return status;
}

static void note_result(const struct clustering *c)
{
    const struct sj_kmeans_state *s = sj_kmeans_state(c->kmeans);
    int64_t least = INT64_MAX, most = 0;
    for (int64_t i = 0; i < c->about.set.clusters; i++) {
        least = c->result.size[i] < least ? c->result.size[i] : least;
        most = c->result.size[i] > most ? c->result.size[i] : most;
    }
    sj_note(c->run, "%lld vectors, %lld to %lld in a cluster: inertia %.9g, restart %lld of %lld, %lld iterations",
            (long long)c->about.vectors, (long long)least, (long long)most, c->result.inertia, (long long)s->best + 1,
            (long long)c->about.set.restarts, (long long)s->moves[s->best]);
}

static int read_rows(void *arg, int64_t first, int64_t n, const float **x)
{
    return sj_points_rows(arg, first, n, x);
}

static int new_kmeans(struct clustering *c)
{
    const struct sj_kmeans_rows rows = {sj_points_count(c->points), sj_points_width(c->points),
                                        sj_points_block(c->points), read_rows, c->points};
    return sj_kmeans_new(c->k, &rows, &c->about.set, c->about.seed, &c->kmeans);
}

static int cluster(struct clustering *c)
{
    const struct sj_clustering_settings *set = c->set;
    c->about = (struct sj_centroids){
        .set = {set->clusters, set->restarts, set->iterations, set->tolerance}, .seed = (uint64_t)c->run->seed,
        .vectors = sj_points_count(c->points), .width = sj_points_width(c->points),
        .checksum = sj_points_checksum(c->points)};
    int status = sj_head_copy(sj_points_head(c->points), &c->about.head);
    if (status)
        return status;
    sj_run_provenance(c->run, c->about.head);
    if ((status = new_kmeans(c)) || (status = open_state(c)) || (status = run_steps(c)) ||
        (status = sj_kmeans_result(c->kmeans, &c->result)))
        return status;
    note_result(c);
    if (!set->centroids)
        return SJ_OK;
    status = sj_centroids_write(set->centroids, &c->about, sj_kmeans_state(c->kmeans), c->result.size);
    sj_stop_end();
    return status;
}

/* The centroids of the file as the best ones. */
static int assign(struct clustering *c)
{
    const char *path = c->set->assign, *name = sj_points_name(c->points);
    const int64_t width = sj_points_width(c->points), n = sj_points_count(c->points);
    int status = sj_centroids_read(path, &c->about);
    if (!status && !c->about.complete)
        return sj_fail(SJ_INPUT, "'%s' is not finished", path);
    if (!status)
        status = sj_embeddings_match(c->about.head, path, sj_points_head(c->points), name);
    if (!status && n && width != c->about.width)
        return sj_fail(SJ_INPUT, "'%s' has vectors of %lld values; '%s' of %lld", path, (long long)c->about.width, name,
                       (long long)width);
    if (status || !n)
        return status;
    c->about.set.restarts = 1;
    const int64_t clusters = c->about.set.clusters;
    if ((status = new_kmeans(c)))
        return status;
    memcpy(sj_kmeans_state(c->kmeans)->best_centroid, c->about.centroid,
           (size_t)(clusters * width) * sizeof *c->about.centroid);
    return sj_kmeans_result(c->kmeans, &c->result);
}

int sj_clustering_run(const struct sj_clustering_settings *set, struct sj_run *run, int64_t memory_bytes, FILE *f)
{
    struct clustering c = {.set = set, .run = run};
    int status = sj_run_backend(run, &c.k);
    if (!status)
        status = sj_points_open(run->n, run->operand, memory_bytes, &c.points);
    if (!status)
        status = set->assign ? assign(&c) : cluster(&c);
    if (!status)
        status = write_table(&c, f);
    sj_kmeans_free(c.kmeans);
    sj_points_close(c.points);
    sj_centroids_free(&c.about);
    if (c.k)
        sjk_close(c.k);
    return status;
}
