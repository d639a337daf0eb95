/* Learning linear maps: mixes and stems read, paired, and each class solved. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "embeddings.h"
#include "labels.h"
#include "linear.h"
#include "room.h"

/* The vectors of one role of a file. */
struct vectors {
    const char *path; /* borrowed */
    struct sj_head *head;
    struct sj_labels *label;
    float *x; /* (n, width) */
    int64_t n, room, width;
    struct label {
        const char *key;
        int class;
        int64_t at;
    } *sorted; /* (n) by key and class */
};

static void drop(struct vectors *v)
{
    sj_head_free(v->head);
    sj_labels_free(v->label);
    free(v->x);
    free(v->sorted);
}

static int keep(struct vectors *v, const struct sj_record *r)
{
    const struct sj_embedding e = {.key = r->key, .role = r->role, .class = r->class};
    if (r->class == SJ_CLASS_NONE)
        return sj_fail(SJ_INPUT, "'%s': '%s' has no class", v->path, r->key);
    if (r->dims[0] != v->width)
        return sj_fail(SJ_INPUT, "'%s': '%s' has %lld values, those before have %lld", v->path, r->key,
                       (long long)r->dims[0], (long long)v->width);
    int status = sj_room(&v->x, (size_t)v->width * sizeof *v->x, v->n, &v->room);
    if (status)
        return status;
    float *x = v->x + v->n * v->width;
    sj_dtype_to_f32(v->head->dtype, (size_t)v->width, r->data, x);
    for (int64_t i = 0; i < v->width; i++)
        if (!isfinite(x[i]))
            return sj_fail(SJ_INPUT, "'%s': '%s' holds a value that is not finite", v->path, r->key);
    v->n++;
    return sj_labels_add(v->label, &e);
}

static int by_label(const void *a, const void *b)
{
    const struct label *x = a, *y = b;
    const int order = strcmp(x->key, y->key);
    return order ? order : (x->class > y->class) - (x->class < y->class);
}

static int sort(struct vectors *v)
{
    v->sorted = calloc((size_t)v->n, sizeof *v->sorted);
    if (!v->sorted)
        return sj_fail(SJ_SYSTEM, "no memory");
    for (int64_t i = 0; i < v->n; i++) {
        const struct sj_embedding e = sj_labels_at(v->label, i);
        v->sorted[i] = (struct label){e.key, e.class, i};
    }
    qsort(v->sorted, (size_t)v->n, sizeof *v->sorted, by_label);
    for (int64_t i = 1; i < v->n; i++)
        if (!by_label(&v->sorted[i - 1], &v->sorted[i]))
            return sj_fail(SJ_INPUT, "'%s': '%s' of the class '%s' is there twice", v->path, v->sorted[i].key,
                           v->head->class_name[v->sorted[i].class]);
    return SJ_OK;
}

static int read_vectors(const char *path, enum sj_role role, struct vectors *v)
{
    struct sj_embeddings *e;
    const struct sj_record *r = NULL;
    *v = (struct vectors){.path = path};
    int status = sj_embeddings_open(1, &path, &e);
    if (status)
        return status;
    v->path = strcmp(path, "-") ? path : "standard input";
    status = sj_embeddings_width(e, &v->width);
    if (!status)
        status = sj_head_copy(sj_embeddings_head(e), &v->head);
    if (!status)
        status = sj_labels_new(&v->label);
    while (!status && !(status = sj_embeddings_next(e, &r)) && r)
        if (r->role == role)
            status = keep(v, r);
    sj_embeddings_close(e);
    if (!status && !v->n)
        status = sj_fail(SJ_INPUT, "'%s' has no records of the role '%s'", v->path, sj_role_name(role));
    return status ? status : sort(v);
}

/* Learns a class from the rows x (n,p), y (n,q). */
static int learn(struct sj_linear *l, int class, int64_t n, const float *x, const float *y, double ridge)
{
    struct sj_ridge r = {.mean = l->mean + class * l->p, .scale = l->scale + class * l->p,
                         .offset = l->offset + class * l->q, .weight = l->weight + class * l->p * l->q};
    if (n < SJ_RIDGE_PAIRS)
        return SJ_OK;
    int status = sj_ridge_fit(n, l->p, l->q, x, y, ridge, &r);
    if (status)
        return sj_fail_at(status, "the class '%s'", l->head->class_name[class]);
    l->pairs[class] = n;
    l->ridge[class] = r.ridge;
    l->error[class] = r.error;
    l->variance[class] = r.variance;
    return SJ_OK;
}

/* x, y = the pairs of a class, *n of them, in the order of their keys. */
static int gather(const struct vectors *mixes, const struct vectors *stems, int class, float *x, float *y, int64_t *n)
{
    *n = 0;
    for (int64_t i = 0; i < mixes->n; i++) {
        const struct label *mix = &mixes->sorted[i], *stem;
        if (mix->class != class)
            continue;
        stem = bsearch(mix, stems->sorted, (size_t)stems->n, sizeof *stem, by_label);
        if (!stem)
            return sj_fail(SJ_INPUT, "'%s': '%s' lacks a '%s' that is not in '%s'", mixes->path, mix->key,
                           mixes->head->class_name[class], stems->path);
        memcpy(x + *n * mixes->width, mixes->x + mix->at * mixes->width, (size_t)mixes->width * sizeof *x);
        memcpy(y + *n * stems->width, stems->x + stem->at * stems->width, (size_t)stems->width * sizeof *y);
        ++*n;
    }
    return SJ_OK;
}

/* Values that differ from their mean by rounding alone keep their scale. */
static void measure_stems(struct sj_linear *l, const struct vectors *stems)
{
    for (int64_t k = 0; k < l->q; k++) {
        double mean = 0, square = 0;
        for (int64_t i = 0; i < stems->n; i++)
            mean += (double)stems->x[i * l->q + k] / (double)stems->n;
        for (int64_t i = 0; i < stems->n; i++) {
            const double d = (double)stems->x[i * l->q + k] - mean;
            square += d * d / (double)stems->n;
        }
        l->stem_mean[k] = mean;
        l->stem_scale[k] = sqrt(square) > 1e-12 * fabs(mean) ? sqrt(square) : 1;
    }
}

static int learn_all(struct sj_linear *l, const struct vectors *mixes, const struct vectors *stems, double ridge)
{
    float *x = malloc((size_t)(mixes->n * mixes->width) * sizeof *x);
    float *y = malloc((size_t)(mixes->n * stems->width) * sizeof *y);
    int status = x && y ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for %lld pairs", (long long)mixes->n);
    int64_t n = 0, learnt = 0;
    for (int c = 0; c < l->classes && !status; c++) {
        status = gather(mixes, stems, c, x, y, &n);
        if (!status)
            status = learn(l, c, n, x, y, ridge);
        learnt += l->pairs[c] > 0;
    }
    free(x);
    free(y);
    if (!status && !learnt)
        status = sj_fail(SJ_INPUT, "no class has %d pairs of a mix and its stem", SJ_RIDGE_PAIRS);
    return status;
}

int sj_linear_fit(const char *mix_path, const char *stem_path, double ridge, struct sj_linear **out)
{
    struct vectors mixes, stems = {.path = NULL};
    struct sj_linear *l = NULL;
    int status = read_vectors(mix_path, SJ_ROLE_REST, &mixes);
    if (!status)
        status = read_vectors(stem_path, SJ_ROLE_STEM, &stems);
    if (!status)
        status = sj_embeddings_match_classes(mixes.head, mixes.path, stems.head, stems.path);
    if (!status)
        status = sj_linear_new(mixes.head, stems.head, mixes.width, stems.width, &l);
    if (!status)
        status = learn_all(l, &mixes, &stems, ridge);
    if (status) {
        sj_linear_free(l);
    } else {
        l->head->dtype = SJ_F32;
        measure_stems(l, &stems);
        *out = l;
    }
    drop(&mixes);
    drop(&stems);
    return status;
}
