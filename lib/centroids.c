#include "centroids.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "h5_head.h"

static const char kind[] = "sj-centroids/1";

/* The attributes that are whole numbers: what the clustering is of, and how far it has come. */
struct number {
    const char *name, *what; /* what: for messages */
    size_t at;               /* in struct sj_centroids */
    double least;
};
static const struct number number[] = {
    {"clusters", "--cluster", offsetof(struct sj_centroids, set.clusters), 1},
    {"restarts", "--restarts", offsetof(struct sj_centroids, set.restarts), 1},
    {"iterations", "--iterations", offsetof(struct sj_centroids, set.iterations), 1},
    {"seed", "--seed", offsetof(struct sj_centroids, seed), 0},
    {"vectors", "vectors", offsetof(struct sj_centroids, vectors), 1},
    {"width", "values in a vector", offsetof(struct sj_centroids, width), 1},
    {"checksum", "the checksum of the vectors", offsetof(struct sj_centroids, checksum), 0},
};
enum { NUMBERS = sizeof number / sizeof *number };

static int64_t *number_of(const struct sj_centroids *c, int i)
{
    return (int64_t *)((char *)c + number[i].at);
}

/* -- writing ------------------------------------------------------------------------------------------------------- */
static int write_settings(struct sj_h5 *h, const struct sj_centroids *c, int complete, int64_t best)
{
    int status = sj_h5_set_text(h, "/", "kind", kind);
    if (!status)
        status = sj_h5_set_head(h, "head", c->head);
    for (int i = 0; i < NUMBERS && !status; i++)
        status = sj_h5_set_int(h, "/", number[i].name, *number_of(c, i));
    if (!status)
        status = sj_h5_set_real(h, "/", "tolerance", c->set.tolerance);
    if (!status)
        status = sj_h5_set_int(h, "/", "complete", complete);
    return status ? status : sj_h5_set_int(h, "/", "best", best);
}

/* What has ended: the best centroids and a number or two of each restart. */
static int write_ended(struct sj_h5 *h, const struct sj_centroids *c, const struct sj_kmeans_state *s)
{
    const int64_t shape[2] = {c->set.clusters, c->width};
    if (s->best < 0)
        return SJ_OK;
    int status = sj_h5_write(h, "/centroid", SJ_H5_F32, 2, shape, s->best_centroid);
    if (!status)
        status = sj_h5_write(h, "/inertia", SJ_H5_F64, 1, &s->restart, s->inertia);
    return status ? status : sj_h5_write(h, "/moves", SJ_H5_I64, 1, &s->restart, s->moves);
}

static int write_state(struct sj_h5 *h, const struct sj_centroids *c, const struct sj_kmeans_state *s)
{
    const int64_t shape[2] = {s->chosen, c->width};
    int status = sj_h5_set_int(h, "/", "state_restart", s->restart);
    if (!status)
        status = sj_h5_set_int(h, "/", "state_chosen", s->chosen);
    if (!status)
        status = sj_h5_set_int(h, "/", "state_iteration", s->iteration);
    if (!status)
        status = sj_h5_set_real(h, "/", "state_before", s->before);
    return status || !s->chosen ? status : sj_h5_write(h, "/state_centroid", SJ_H5_F32, 2, shape, s->centroid);
}

int sj_centroids_write(const char *path, const struct sj_centroids *c, const struct sj_kmeans_state *state,
                       const int64_t *size)
{
    struct sj_h5 *h;
    int status = sj_h5_create(path, &h);
    if (status)
        return status;
    status = write_settings(h, c, size != NULL, state->best);
    if (!status)
        status = write_ended(h, c, state);
    if (!status)
        status = size ? sj_h5_write(h, "/size", SJ_H5_I64, 1, &c->set.clusters, size) : write_state(h, c, state);
    if (!status)
        return sj_h5_commit(h);
    sj_h5_close(h);
    return status;
}

/* -- reading ------------------------------------------------------------------------------------------------------- */
static int damaged(const char *path, const char *what)
{
    return sj_fail(SJ_INPUT, "'%s' is damaged: its '%s' cannot be", path, what);
}

static int read_settings(struct sj_h5 *h, struct sj_centroids *c)
{
    int64_t complete = 0;
    int status = sj_h5_get_head(h, "head", &c->head);
    if (status)
        return sj_fail_at(status, "'%s'", sj_h5_path(h));
    for (int i = 0; i < NUMBERS && !status; i++) {
        status = sj_h5_get_int(h, "/", number[i].name, number_of(c, i));
        if (!status && ((double)*number_of(c, i) < number[i].least || *number_of(c, i) > INT64_MAX / 64))
            status = damaged(sj_h5_path(h), number[i].name);
    }
    if (!status)
        status = sj_h5_get_real(h, "/", "tolerance", &c->set.tolerance);
    if (!status)
        status = sj_h5_get_int(h, "/", "complete", &complete);
    if (!status)
        status = sj_h5_get_int(h, "/", "best", &c->best);
    if (!status && (complete < 0 || complete > 1 || (complete && c->best < 0)))
        status = damaged(sj_h5_path(h), "complete");
    if (!status && (c->best < -1 || c->best >= c->set.restarts))
        status = damaged(sj_h5_path(h), "best");
    c->complete = (int)complete;
    return status;
}

static int read_finite(struct sj_h5 *h, const char *path, int64_t rows, int64_t d, float *x)
{
    enum sj_h5_type type;
    int rank;
    int64_t dims[SJ_H5_RANK];
    int status = sj_h5_shape(h, path, &type, &rank, dims);
    if (!status && (rank != 2 || dims[0] != rows || dims[1] != d))
        return damaged(sj_h5_path(h), path + 1);
    if (!status)
        status = sj_h5_read(h, path, SJ_H5_F32, rows * d, x);
    for (int64_t i = 0; i < rows * d && !status; i++)
        if (!isfinite(x[i]))
            status = sj_fail(SJ_INPUT, "'%s': '%s' holds a value that is not finite", sj_h5_path(h), path);
    return status;
}

/* Room for the centroids, once the file is known to have them: its numbers alone are not to be believed. */
static int read_best(struct sj_h5 *h, struct sj_centroids *c)
{
    enum sj_h5_type type;
    int rank;
    int64_t dims[SJ_H5_RANK];
    int status = sj_h5_shape(h, "/centroid", &type, &rank, dims);
    if (!status && (rank != 2 || dims[0] != c->set.clusters || dims[1] != c->width))
        return damaged(sj_h5_path(h), "centroid");
    if (!status && !(c->centroid = malloc((size_t)(dims[0] * dims[1]) * sizeof *c->centroid)))
        return sj_fail(SJ_SYSTEM, "no memory for '%s'", sj_h5_path(h));
    return status ? status : read_finite(h, "/centroid", dims[0], dims[1], c->centroid);
}

static int open_file(const char *path, struct sj_h5 **h)
{
    char *found = NULL;
    int status = sj_h5_open(path, h);
    if (status)
        return status;
    if (!sj_h5_has_attr(*h, "/", "kind") || sj_h5_get_text(*h, "/", "kind", &found) || strcmp(found, kind))
        status = sj_fail(SJ_INPUT, "'%s' is no file of centroids", path);
    free(found);
    if (status)
        sj_h5_close(*h);
    return status;
}

int sj_centroids_read(const char *path, struct sj_centroids *c)
{
    struct sj_h5 *h;
    *c = (struct sj_centroids){.best = -1};
    int status = open_file(path, &h);
    if (status)
        return status;
    status = read_settings(h, c);
    if (!status && c->best >= 0)
        status = read_best(h, c);
    sj_h5_close(h);
    return status;
}

void sj_centroids_free(struct sj_centroids *c)
{
    sj_head_free(c->head);
    free(c->centroid);
    *c = (struct sj_centroids){0};
}

/* -- continuing ---------------------------------------------------------------------------------------------------- */
static int want_same(const char *path, const struct sj_centroids *have, const struct sj_centroids *want)
{
    for (int i = 0; i < NUMBERS; i++)
        if (*number_of(have, i) != *number_of(want, i))
            return sj_fail(SJ_USAGE, "'%s' was begun otherwise: %s is %lld there, not %lld", path, number[i].what,
                           (long long)*number_of(have, i), (long long)*number_of(want, i));
    if (have->set.tolerance != want->set.tolerance)
        return sj_fail(SJ_USAGE, "'%s' was begun otherwise: --tolerance is %g there, not %g", path,
                       have->set.tolerance, want->set.tolerance);
    return SJ_OK;
}

static int read_state(struct sj_h5 *h, const struct sj_centroids *c, struct sj_kmeans_state *s)
{
    const struct sj_kmeans_settings *set = &c->set;
    s->restart = set->restarts;
    if (c->complete)
        return SJ_OK;
    int status = sj_h5_get_int(h, "/", "state_restart", &s->restart);
    if (!status)
        status = sj_h5_get_int(h, "/", "state_chosen", &s->chosen);
    if (!status)
        status = sj_h5_get_int(h, "/", "state_iteration", &s->iteration);
    if (!status)
        status = sj_h5_get_real(h, "/", "state_before", &s->before);
    if (status)
        return status;
    if (s->restart < 0 || s->restart > set->restarts || s->chosen < 0 || s->chosen > set->clusters || s->iteration < 0
        || s->iteration > set->iterations || (s->restart && s->best < 0) || s->best >= s->restart)
        return damaged(sj_h5_path(h), "state");
    return s->chosen ? read_finite(h, "/state_centroid", s->chosen, c->width, s->centroid) : SJ_OK;
}

int sj_centroids_resume(const char *path, const struct sj_centroids *want, struct sj_kmeans_state *state)
{
    struct sj_centroids have;
    struct sj_h5 *h = NULL;
    int status = sj_centroids_read(path, &have);
    if (!status)
        status = want_same(path, &have, want);
    if (!status)
        status = open_file(path, &h);
    if (!status) {
        state->best = have.best;
        status = read_state(h, &have, state);
    }
    if (!status && have.best >= 0) {
        memcpy(state->best_centroid, have.centroid, (size_t)(have.set.clusters * have.width) * sizeof(float));
        status = sj_h5_read(h, "/inertia", SJ_H5_F64, state->restart, state->inertia);
        if (!status)
            status = sj_h5_read(h, "/moves", SJ_H5_I64, state->restart, state->moves);
    }
    sj_h5_close(h);
    sj_centroids_free(&have);
    return status;
}
