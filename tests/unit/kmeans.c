/* k-means: nearest centroids against a plain computation on easy and hard vectors; continuing from every step; inertia,
 * empty clusters. */
#include "kmeans.h"

#include <stdlib.h>
#include <unistd.h>

#include "centroids.h"
#include "nearest.h"
#include "rng.h"
#include "sjk.h"
#include "tests/folder.h"
#include "tests/tap.h"

enum { ROWS = 333, CENTROIDS = 21, MOST = 300 };

enum kind { PLAIN, TIES, OFFSET, SMALL, LARGE, HUGE_ONES, KINDS };
static const char *const kind_name[] = {"random", "repeated", "far from 0", "tiny", "large",
                                        "beyond a float's squares"};

static void make(enum kind kind, int64_t d, float *x, float *c)
{
    struct sj_rng r = sj_rng(5, kind);
    sj_rng_normal(&r, x, (uint64_t)(ROWS * d));
    sj_rng_normal(&r, c, (uint64_t)(CENTROIDS * d));
    for (int64_t i = 0; i < ROWS * d; i++)
        x[i] = kind == TIES ? rintf(x[i]) : kind == OFFSET ? 3000 + x[i] : kind == SMALL ? x[i] * 1e-21f
               : kind == LARGE ? x[i] * 1e15f : kind == HUGE_ONES ? x[i] * 1e30f : x[i];
    for (int64_t i = 0; i < CENTROIDS * d; i++)
        c[i] = kind == TIES ? rintf(c[i % (7 * d)]) : kind == OFFSET ? 3000 + c[i] : kind == SMALL ? c[i] * 1e-21f
               : kind == LARGE ? c[i] * 1e15f : kind == HUGE_ONES ? c[i] * 1e30f : c[i];
}

static double slow_square(int64_t d, const float *a, const float *b)
{
    long double sum = 0;
    for (int64_t i = 0; i < d; i++)
        sum += ((long double)a[i] - b[i]) * ((long double)a[i] - b[i]);
    return (double)sum;
}

/* Counts the rows whose nearest centroid is not the nearest, or whose distance is off. */
static int64_t wrong_ones(struct sjk *k, enum kind kind, int64_t d, int32_t *cluster, double *offer)
{
    float *x = malloc((size_t)(ROWS * d) * sizeof *x), *c = malloc((size_t)(CENTROIDS * d) * sizeof *c);
    static double square[ROWS], limit[ROWS];
    struct sj_nearest *s = NULL;
    int64_t wrong = 0;
    make(kind, d, x, c);
    int status = sj_nearest_new(k, ROWS, CENTROIDS, d, &s);
    status = status ? status : sj_nearest_centroids(s, CENTROIDS, c);
    status = status ? status : sj_nearest_find(s, ROWS, x, cluster, square);
    for (int64_t i = 0; i < ROWS && !status; i++) {
        limit[i] = square[(i + 1) % ROWS] * (i % 3 ? 1 : 1.5);
        double least = slow_square(d, x + i * d, c);
        for (int64_t j = 1; j < CENTROIDS; j++)
            least = fmin(least, slow_square(d, x + i * d, c + j * d));
        wrong += !(fabs(square[i] - least) <= 1e-12 * least);
        wrong += square[i] != sj_square_distance(d, x + i * d, c + cluster[i] * d);
        for (int64_t j = 0; j < cluster[i]; j++)
            wrong += sj_square_distance(d, x + i * d, c + j * d) <= square[i];
    }
    status = status ? status : sj_nearest_closer(s, ROWS, x, limit, offer, ROWS);
    for (int64_t j = 0; j < CENTROIDS && !status; j++)
        for (int64_t i = 0; i < ROWS; i++)
            wrong += offer[j * ROWS + i] != fmin(limit[i], sj_square_distance(d, x + i * d, c + j * d));
    sj_nearest_free(s);
    free(x);
    free(c);
    return status ? -1 : wrong;
}

static void check_nearest(struct sjk *k, const char *name)
{
    static const int64_t widths[] = {1, 7, 64, MOST};
    static int32_t cluster[ROWS];
    static double offer[CENTROIDS * ROWS];
    for (int kind = 0; kind < KINDS; kind++)
        for (int w = 0; w < 4; w++)
            ok(wrong_ones(k, (enum kind)kind, widths[w], cluster, offer) == 0, "%s: nearest of vectors %s, width %lld",
               name, kind_name[kind], (long long)widths[w]);
}

/* -- clustering ---------------------------------------------------------------------------------------------------- */
struct data {
    int64_t d;
    const float *x;
    int64_t reads;
};

static int read_rows(void *arg, int64_t first, int64_t n, const float **x)
{
    struct data *data = arg;
    (void)n;
    data->reads++;
    *x = data->x + first * data->d;
    return SJ_OK;
}

static struct sj_kmeans *start(struct sjk *k, struct data *data, int64_t n, int64_t block,
                               const struct sj_kmeans_settings *set)
{
    struct sj_kmeans *m = NULL;
    const struct sj_kmeans_rows rows = {n, data->d, block, read_rows, data};
    return sj_kmeans_new(k, &rows, set, 3, &m) ? NULL : m;
}

/* Writes the state as a file, reads it into another one. */
static int through_file(struct sj_kmeans *to, const struct sj_kmeans_state *s, const struct sj_kmeans_settings *set,
                        int64_t n, int64_t d)
{
    static const char *const classes[] = {"bass", "drums"};
    const char *path = in_dir("state.h5");
    struct sj_centroids about = {.set = *set, .seed = 3, .vectors = n, .width = d, .checksum = 0xfedcba98};
    int status = sj_head_new("embed/1", "vector", SJ_F32, &about.head);
    status = status ? status : sj_head_set_classes(about.head, 2, classes);
    status = status ? status : sj_centroids_write(path, &about, s, NULL);
    status = status ? status : sj_centroids_resume(path, &about, sj_kmeans_state(to));
    sj_head_free(about.head);
    return status;
}

/* Runs to the end; anew: every step by a new sj_kmeans that knows nothing but a file, in other blocks. */
static struct sj_kmeans *run(struct sjk *k, struct data *data, int64_t n, const struct sj_kmeans_settings *set,
                             int anew, int *rises)
{
    struct sj_kmeans *m = start(k, data, n, 100, set);
    double last = INFINITY;
    int64_t block = 64;
    *rises = 0;
    while (m && sj_kmeans_state(m)->restart < set->restarts) {
        const struct sj_kmeans_state *s = sj_kmeans_state(m);
        const int moving = s->chosen == set->clusters;
        if (anew) {
            struct sj_kmeans *next = start(k, data, n, block = block % 977 + 64, set);
            const int status = through_file(next, s, set, n, data->d);
            sj_kmeans_free(m);
            m = next;
            ok(!status, "saved and read: %s", status ? sj_reason() : "");
            s = sj_kmeans_state(m);
        }
        if (sj_kmeans_step(m)) {
            sj_kmeans_free(m);
            return NULL;
        }
        *rises += moving && sj_kmeans_inertia(m) > last * (1 + 1e-13);
        last = moving && sj_kmeans_state(m)->chosen ? sj_kmeans_inertia(m) : INFINITY;
    }
    return m;
}

static void check_steps(struct sjk *k, struct sjk *other)
{
    enum { N = 2000, D = 9 };
    static float x[N * D];
    struct data data = {D, x, 0};
    struct sj_rng r = sj_rng(6, 0);
    const struct sj_kmeans_settings set = {5, 3, 300, 1e-4};
    int rises, ignored;
    sj_rng_normal(&r, x, N * D);
    struct sj_kmeans *a = run(k, &data, N, &set, 0, &rises), *b = run(other, &data, N, &set, 1, &ignored);
    struct sj_kmeans_result p, q;
    if (!ok(a && b && !sj_kmeans_result(a, &p) && !sj_kmeans_result(b, &q), "two clusterings"))
        return;
    is_int(rises, 0, "the inertia never rises");
    ok(!memcmp(p.centroid, q.centroid, 5 * D * sizeof *p.centroid), "one of new programs has the same centroids");
    ok(!memcmp(p.cluster, q.cluster, N * sizeof *p.cluster) && !memcmp(p.square, q.square, N * sizeof *p.square),
       "and clusters and distances");
    ok(!memcmp(sj_kmeans_state(a)->inertia, sj_kmeans_state(b)->inertia, 3 * sizeof(double))
           && !memcmp(sj_kmeans_state(a)->moves, sj_kmeans_state(b)->moves, 3 * sizeof(int64_t)),
       "and inertias and numbers of moves");
    is_near(p.inertia, sj_kmeans_state(a)->inertia[sj_kmeans_state(a)->best], 0, "the result is the best restart's");
    int64_t sum = 0;
    for (int c = 0; c < 5; c++)
        sum += p.size[c];
    is_int(sum, N, "every row is in a cluster");
    sj_kmeans_free(a);
    sj_kmeans_free(b);
}

/* A centroid that nothing is near to is put in: the farthest row becomes its own. */
static void check_empty(struct sjk *k)
{
    static const float x[] = {0, 1, 2, 3, 100, 101, 102, 190};
    struct data data = {1, x, 0};
    const struct sj_kmeans_settings set = {3, 1, 50, 0};
    struct sj_kmeans *m = start(k, &data, 8, 64, &set);
    struct sj_kmeans_state *s = m ? sj_kmeans_state(m) : NULL;
    if (!ok(m != NULL, "a clustering with a bad start"))
        return;
    s->chosen = 3;
    s->centroid[0] = 1;
    s->centroid[1] = 101;
    s->centroid[2] = -1e6f;
    ok(!sj_kmeans_step(m), "its first iteration");
    is_near(s->centroid[2], 190, 0, "gives the empty centroid the farthest row");
    is_near(s->centroid[1], 101, 0, "and takes it from its own");
    while (s->restart < 1 && !sj_kmeans_step(m))
        ;
    struct sj_kmeans_result r;
    ok(!sj_kmeans_result(m, &r) && r.size[0] == 4 && r.size[1] == 3 && r.size[2] == 1, "then it ends as it should");
    is_near(r.inertia, 5 + 2, 1e-12, "with this inertia");
    sj_kmeans_free(m);
    const struct sj_kmeans_settings more = {9, 1, 50, 0};
    m = start(k, &data, 8, 64, &more);
    ok(m && sj_kmeans_step(m) == SJ_INPUT, "more clusters than rows: %s", sj_reason());
    sj_kmeans_free(m);
}

static void check_clusters(const char *name)
{
    char why[512];
    struct sjk *k = NULL, *reference = NULL;
    if (!ok(!sjk_open(name, 3, &k, why, sizeof why) && !sjk_open("cpu:reference", 1, &reference, why, sizeof why), "%s",
            name))
        return;
    check_steps(k, reference);
    check_empty(k);
    sjk_close(k);
    sjk_close(reference);
}

/* kmeans [BACKEND]: with that back end; by default with every table of this processor. */
int main(int argc, char **argv)
{
    char name[64], why[512];
    struct sjk *k = NULL;
    int tables;
    const struct sjk_ops *const *table = sjk_cpu_tables(&tables);
    for (int i = 0; i < (argc > 1 ? 1 : tables); i++) {
        snprintf(name, sizeof name, "cpu:%s", table[i]->name);
        if (argc > 1)
            snprintf(name, sizeof name, "%s", argv[1]);
        if (ok(!sjk_open(name, 2, &k, why, sizeof why), "%s", name)) {
            check_nearest(k, name);
            sjk_close(k);
        }
    }
    if (ok(mkdtemp(dir) != NULL, "a folder")) {
        check_clusters(argc > 1 ? argv[1] : "cpu");
        unlink(in_dir("state.h5"));
        rmdir(dir);
    }
    return done();
}
