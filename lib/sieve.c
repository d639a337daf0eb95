#include "sieve.h"

#include <math.h>
#include <stdlib.h>

#include "sjk.h"

enum { PLACES = 32 }; /* of a query: in a block of thousands its tenth best is rarely as good as its last here */

struct sj_sieve {
    struct sjk *k;
    int64_t most, count; /* queries; places of the block at hand */
    /* in the back end: (most, PLACES) */
    void *best, *index, *no_best, *no_index;
    /* on the host */
    float *score;
    int64_t *row;
};

/* Empty places: what every block starts from. */
static int put_empty(struct sj_sieve *s, size_t places)
{
    for (size_t i = 0; i < places; i++) {
        s->score[i] = -INFINITY;
        s->row[i] = -1;
    }
    int e = s->k->ops->put(s->k, s->no_best, s->score, places * sizeof *s->score);
    return e ? e : s->k->ops->put(s->k, s->no_index, s->row, places * sizeof *s->row);
}

int sj_sieve_new(struct sjk *k, int64_t queries, struct sj_sieve **out)
{
    const size_t places = (size_t)queries * PLACES;
    struct sj_sieve *s = calloc(1, sizeof *s);
    if (!s)
        return sj_fail(SJ_SYSTEM, "no memory");
    s->k = k;
    s->most = queries;
    s->score = malloc(places * sizeof *s->score + 1);
    s->row = malloc(places * sizeof *s->row + 1);
    int e = 0, status = s->score && s->row ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for the best scores");
    if (!status && ((e = k->ops->alloc(k, places * sizeof *s->score, &s->best)) ||
                    (e = k->ops->alloc(k, places * sizeof *s->score, &s->no_best)) ||
                    (e = k->ops->alloc(k, places * sizeof *s->row, &s->index)) ||
                    (e = k->ops->alloc(k, places * sizeof *s->row, &s->no_index)) || (e = put_empty(s, places))))
        status = sj_fail(e, "%s", sjk_reason(k));
    if (status)
        sj_sieve_free(s);
    else
        *out = s;
    return status;
}

void sj_sieve_free(struct sj_sieve *s)
{
    if (!s)
        return;
    void *memory[] = {s->best, s->no_best, s->index, s->no_index};
    for (int i = 0; i < 4; i++)
        s->k->ops->free(s->k, memory[i]);
    free(s->score);
    free(s->row);
    free(s);
}

int sj_sieve_block(struct sj_sieve *s, int64_t queries, int64_t n, const float *score)
{
    const struct sjk_ops *o = s->k->ops;
    const size_t places = (size_t)queries * PLACES, scores = places * sizeof *s->score, rows = places * sizeof *s->row;
    int e;
    s->count = n < PLACES ? n : PLACES;
    (void)((e = o->copy(s->k, s->best, s->no_best, scores)) || (e = o->copy(s->k, s->index, s->no_index, rows)) ||
           (e = o->top_k(s->k, queries, n, score, n, 0, PLACES, s->best, s->index)) ||
           (e = o->get(s->k, s->score, s->best, scores)) || (e = o->get(s->k, s->row, s->index, rows)));
    return e ? sj_fail(e, "%s", sjk_reason(s->k)) : SJ_OK;
}

int64_t sj_sieve_best(const struct sj_sieve *s, int64_t q, const float **score, const int64_t **row)
{
    *score = s->score + q * PLACES;
    *row = s->row + q * PLACES;
    return s->count;
}
