/* golden: what the golden test is made of: reading, comparing and counting. */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h5.h"
#include "mel.h"
#include "model.h"
#include "net.h"
#include "net_train.h"

struct golden {
    struct sj_h5 *h;
    struct sjk *k;
    enum sj_precision precision;
    struct sj_config config; /* of the file's /config */
    int64_t batch;
    const char *only; /* section, or NULL for all */
    int failed;       /* groups */
    char group[64], worst_path[160];
    double bound, worst;
    int compared;
};

__attribute__((format(printf, 2, 3), unused)) static const char *golden_path(char *out, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(out, 64, format, ap);
    va_end(ap);
    return out;
}

__attribute__((unused)) static float *golden_floats(int64_t n)
{
    float *p = calloc((size_t)n + 1, sizeof *p);
    if (!p)
        exit(SJ_SYSTEM);
    return p;
}

/* A whole dataset of this rank; NULL (reason recorded) when there is none. */
__attribute__((unused)) static float *golden_read(struct golden *g, const char *path, int rank, int64_t *dims)
{
    enum sj_h5_type type;
    int have;
    int64_t d[SJ_H5_RANK], n = 1;
    if (sj_h5_shape(g->h, path, &type, &have, d))
        return NULL;
    if (have != rank) {
        sj_fail(SJ_INPUT, "'%s' has rank %d where %d is wanted", path, have, rank);
        return NULL;
    }
    for (int i = 0; i < rank; i++)
        n *= dims[i] = d[i];
    float *p = golden_floats(n);
    if (!sj_h5_read(g->h, path, SJ_H5_F32, n, p))
        return p;
    free(p);
    return NULL;
}

__attribute__((unused)) static void golden_start(struct golden *g, const char *name, double bound, double bf16_bound)
{
    snprintf(g->group, sizeof g->group, "%s", name);
    g->bound = g->precision == SJ_PRECISION_BF16 ? bf16_bound : bound;
    g->worst = 0;
    g->compared = 0;
    g->worst_path[0] = 0;
}

__attribute__((unused)) static void golden_end(struct golden *g, int status)
{
    int pass = !status && g->compared && g->worst <= g->bound;
    g->failed += !pass;
    printf("%s %-34s ", pass ? "ok  " : "FAIL", g->group);
    if (status || !g->compared)
        printf("%s\n", status ? sj_reason() : "nothing compared");
    else
        printf("%9.2e of %-7g  %s\n", g->worst, g->bound, g->worst_path);
}

static void golden_worst(struct golden *g, const char *path, double error)
{
    g->compared++;
    if (error != error)
        error = INFINITY;
    if (error > g->worst || !g->worst_path[0]) {
        g->worst = error > g->worst ? error : g->worst;
        snprintf(g->worst_path, sizeof g->worst_path, "%s", path);
    }
}

/* The largest |got - want|, divided by the largest |want| when `relative`; NaN, a missing dataset and another shape
 * count as infinite. */
__attribute__((unused)) static void golden_compare(struct golden *g, const char *path, int rank, const int64_t *dims,
                                                   const float *got, int relative)
{
    enum sj_h5_type type;
    int have = 0, same = 1;
    int64_t d[SJ_H5_RANK] = {0}, n = 1;
    if (sj_h5_shape(g->h, path, &type, &have, d) || have != rank)
        same = 0;
    for (int i = 0; same && i < rank; i++) {
        same = d[i] == dims[i];
        n *= d[i];
    }
    float *want = same ? golden_floats(n) : NULL;
    if (!same || sj_h5_read(g->h, path, SJ_H5_F32, n, want)) {
        golden_worst(g, path, INFINITY);
        free(want);
        return;
    }
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < n; i++) {
        double e = fabs((double)got[i] - want[i]);
        worst = e > worst || e != e ? e : worst;
        if (worst != worst)
            break;
        largest = fmax(largest, fabs(want[i]));
    }
    golden_worst(g, path, relative && worst > 0 ? worst / largest : worst);
    free(want);
}

/* Element `i` of a one-dimensional dataset or (i = 0) a scalar, relative. */
__attribute__((unused)) static void golden_compare_scalar(struct golden *g, const char *path, int64_t i, double got)
{
    enum sj_h5_type type;
    int rank = 0;
    int64_t d[SJ_H5_RANK] = {0};
    double want[64];
    int64_t n = sj_h5_shape(g->h, path, &type, &rank, d) || rank > 1 ? -1 : rank ? d[0] : 1;
    if (n <= i || n > 64 || sj_h5_read(g->h, path, SJ_H5_F64, n, want))
        golden_worst(g, path, INFINITY);
    else
        golden_worst(g, path, fabs(got - want[i]) / fabs(want[i]));
}

/* Tensors 0 .. n-1 of an arena against GROUP/encoder/..., GROUP/predictor/... (or GROUP/... when in_group). only: NULL,
 * "+ENDING" for names with that ending, "-ENDING" for the others; then the errors are absolute. */
__attribute__((unused)) static void golden_compare_tensors(struct golden *g, const char *group,
                                                           const struct sj_layout *layout, int in_group, int n,
                                                           const float *arena, const char *only)
{
    for (int i = 0; i < n; i++) {
        const struct sj_tensor *t = &layout->tensor[i];
        if (only && (strstr(t->name, only + 1) != NULL) != (only[0] == '+'))
            continue;
        char path[160];
        snprintf(path, sizeof path, "%.60s%s", group, in_group ? strchr(t->name, '/') : "/");
        if (!in_group)
            snprintf(path + strlen(path), sizeof path - strlen(path), "%s", t->name);
        golden_compare(g, path, t->rank, t->dims, arena + t->offset, !only);
    }
}

/* The model of the file's weights with one of the predictors; encoder and target are equal. */
__attribute__((unused)) static int golden_model(struct golden *g, enum sj_predictor p, struct sj_model **out)
{
    struct sj_config c = g->config;
    c.predictor = p;
    struct sj_model *m;
    int status = sj_model_blank(&c, &m);
    if (status)
        return status;
    for (int i = 0; !status && i < m->layout.tensors; i++) {
        const struct sj_tensor *t = &m->layout.tensor[i];
        const char *group = i < m->layout.encoder_tensors ? "encoder" : sj_predictor_names[p];
        char path[160];
        snprintf(path, sizeof path, "/weights/%s%s", group, strchr(t->name, '/'));
        status = sj_h5_read(g->h, path, SJ_H5_F32, (int64_t)t->count, m->weights + t->offset);
    }
    memcpy(m->target, m->weights, m->layout.encoder * sizeof(float));
    if (status)
        sj_model_free(m);
    else
        *out = m;
    return status;
}

static int golden_config(struct golden *g)
{
    static const char *const names[] = {"dim",     "depth",     "heads",     "hidden",
                                        "trf_dim", "trf_depth", "trf_heads", "batch"};
    struct sj_config *c = &g->config;
    int64_t *fields[] = {&c->dim,     &c->depth,     &c->heads,     &c->hidden,
                         &c->trf_dim, &c->trf_depth, &c->trf_heads, &g->batch};
    int status = SJ_OK;
    *c = sj_config_defaults();
    for (int i = 0; !status && i < 8; i++)
        status = sj_h5_get_int(g->h, "/config", names[i], fields[i]);
    return status;
}

__attribute__((unused)) static int golden_wants(const struct golden *g, const char *section)
{
    return !g->only || !strcmp(g->only, section);
}

/* The command line, the file, the back end. */
__attribute__((unused)) static int golden_open(struct golden *g, int argc, char **argv)
{
    const char *file = NULL, *backend = "auto";
    char why[256];
    *g = (struct golden){.precision = SJ_PRECISION_F32};
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--backend") && i + 1 < argc)
            backend = argv[++i];
        else if (!strcmp(argv[i], "--type") && i + 1 < argc &&
                 (!strcmp(argv[i + 1], "f32") || !strcmp(argv[i + 1], "bf16")))
            g->precision = strcmp(argv[++i], "f32") ? SJ_PRECISION_BF16 : SJ_PRECISION_F32;
        else if (!strcmp(argv[i], "--only") && i + 1 < argc)
            g->only = argv[++i];
        else if (argv[i][0] != '-' && !file)
            file = argv[i];
        else
            file = "";
    if (!file || !*file) {
        fprintf(stderr, "usage: golden FILE.h5 [--backend NAME] [--type f32|bf16] [--only SECTION]\n");
        return SJ_USAGE;
    }
    int status = sj_h5_open(file, &g->h);
    if (!status)
        status = golden_config(g);
    if (!status && (status = sjk_open(backend, 0, &g->k, why, sizeof why)))
        sj_fail(status, "%s", why);
    if (status)
        fprintf(stderr, "golden: %s\n", sj_reason());
    else
        printf("# %s, back end %s, %s\n", file, g->k->ops->name, sj_precision_names[g->precision]);
    return status;
}

__attribute__((unused)) static int golden_close(struct golden *g)
{
    sj_h5_close(g->h);
    sjk_close(g->k);
    printf("# %s\n", g->failed ? "FAILED" : "passed");
    return g->failed || fflush(stdout) ? SJ_NO : SJ_OK;
}

#endif
