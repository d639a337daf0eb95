#include "cooccur.h"

#include <math.h>
#include <stdlib.h>

const char *const sj_cooccur_counts[] = {"product", "minimum", NULL};

struct frequency {
    int32_t combination;
    int64_t count;
};

static int more_frequent(const void *a, const void *b)
{
    const struct frequency *p = a, *q = b;
    if (p->count != q->count)
        return p->count > q->count ? -1 : 1;
    return (p->combination > q->combination) - (p->combination < q->combination);
}

static int by_cluster(const void *a, const void *b)
{
    const struct sj_cooccur_item *p = a, *q = b;
    return (p->cluster > q->cluster) - (p->cluster < q->cluster);
}

/* The most frequent combinations, and where in the matrix each of the M is (-1: not). */
static int choose(int64_t N, const struct sj_cooccur_item *item, int32_t M, int64_t most, struct sj_cooccur *c,
                  int64_t *place)
{
    struct frequency *f = calloc((size_t)M + 1, sizeof *f);
    if (!f)
        return sj_fail(SJ_SYSTEM, "no memory for %d combinations", (int)M);
    for (int32_t i = 0; i < M; i++) {
        f[i].combination = i;
        place[i] = -1;
    }
    for (int64_t i = 0; i < N; i++)
        f[item[i].combination].count++;
    qsort(f, (size_t)M, sizeof *f, more_frequent);
    while (c->n < most && c->n < M && f[c->n].count)
        c->n++;
    const size_t n = (size_t)c->n;
    c->combination = malloc(n * sizeof *c->combination + 1);
    c->count = malloc(n * sizeof *c->count + 1);
    c->value = calloc(n * n + 1, sizeof *c->value);
    int status = c->combination && c->count && c->value ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for the matrix");
    for (int64_t i = 0; i < c->n && !status; i++) {
        c->combination[i] = f[i].combination;
        c->count[i] = f[i].count;
        place[f[i].combination] = i;
    }
    free(f);
    return status;
}

/* Adds what one cluster's numbers (n) give; 1: too large. */
static int add_cluster(struct sj_cooccur *c, const int64_t *in, enum sj_cooccur_count how)
{
    int over = 0;
    for (int64_t a = 0; a < c->n; a++)
        for (int64_t b = 0; b < c->n && in[a]; b++) {
            int64_t v = in[a] < in[b] ? in[a] : in[b];
            if (how == SJ_COOCCUR_PRODUCT)
                over |= __builtin_mul_overflow(in[a], in[b], &v);
            over |= __builtin_add_overflow(c->value[a * c->n + b], v, &c->value[a * c->n + b]);
        }
    return over;
}

static int count(int64_t N, const struct sj_cooccur_item *item, const int64_t *place, enum sj_cooccur_count how,
                 struct sj_cooccur *c)
{
    int64_t *in = calloc((size_t)c->n + 1, sizeof *in);
    int over = 0;
    if (!in)
        return sj_fail(SJ_SYSTEM, "no memory");
    for (int64_t i = 0; i < N; i++) {
        if (place[item[i].combination] >= 0)
            in[place[item[i].combination]]++;
        if (i + 1 < N && item[i + 1].cluster == item[i].cluster)
            continue;
        over |= add_cluster(c, in, how);
        for (int64_t a = 0; a < c->n; a++)
            in[a] = 0;
    }
    free(in);
    return over ? sj_fail(SJ_INPUT, "there are too many co-occurrences to be counted") : SJ_OK;
}

int sj_cooccur_of(int64_t N, struct sj_cooccur_item *item, int32_t M, int64_t most, enum sj_cooccur_count how,
                  struct sj_cooccur *c)
{
    int64_t *place = malloc((size_t)M * sizeof *place + 1);
    *c = (struct sj_cooccur){0};
    int status = place ? choose(N, item, M, most, c, place) : sj_fail(SJ_SYSTEM, "no memory");
    if (!status) {
        qsort(item, (size_t)N, sizeof *item, by_cluster);
        status = count(N, item, place, how, c);
    }
    free(place);
    if (status)
        sj_cooccur_free(c);
    return status;
}

void sj_cooccur_free(struct sj_cooccur *c)
{
    free(c->combination);
    free(c->count);
    free(c->value);
    *c = (struct sj_cooccur){0};
}

double sj_cooccur_similarity(const struct sj_cooccur *c, int64_t a, int64_t b)
{
    return (double)c->value[a * c->n + b] / sqrt((double)c->value[a * c->n + a] * (double)c->value[b * c->n + b]);
}
