#include "statistics.h"
#include "together.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sj_statistics {
    int64_t bands;
    struct sj_moments *sum; /* (bands) of the key so far */
    float *vector;          /* (2 bands) */
    struct sj_together together;
    int64_t position; /* the next frame */
};

void sj_moments_add(struct sj_moments *a, const struct sj_moments *b)
{
    double n = a->n + b->n, d = b->mean - a->mean;
    if (b->n <= 0)
        return;
    a->mean += d * b->n / n;
    a->deviation += b->deviation + d * d * a->n * b->n / n;
    a->n = n;
}

void sj_moments_rows(int64_t bands, int64_t frames, int64_t stride, const float *mel, struct sj_moments *moments)
{
    for (int64_t b = 0; b < bands; b++) {
        struct sj_moments row = {.n = (double)frames};
        for (int64_t t = 0; t < frames; t++)
            row.mean += mel[b * stride + t];
        row.mean /= row.n;
        for (int64_t t = 0; t < frames; t++)
            row.deviation += (mel[b * stride + t] - row.mean) * (mel[b * stride + t] - row.mean);
        sj_moments_add(&moments[b], &row);
    }
}

int sj_statistics_new(int64_t bands, struct sj_statistics **out)
{
    struct sj_statistics *s = calloc(1, sizeof *s);
    if (s) {
        s->bands = bands;
        s->sum = calloc((size_t)bands, sizeof *s->sum);
        s->vector = malloc(2 * (size_t)bands * sizeof *s->vector);
    }
    if (!s || !s->sum || !s->vector) {
        sj_statistics_free(s);
        return sj_fail(SJ_SYSTEM, "no memory");
    }
    *out = s;
    return SJ_OK;
}

void sj_statistics_free(struct sj_statistics *s)
{
    if (!s)
        return;
    free(s->sum);
    free(s->vector);
    free(s);
}

int sj_statistics_put(struct sj_statistics *s, const struct sj_record *like, const struct sj_moments *moments,
                      struct sj_output *out)
{
    int first, status = sj_together_next(&s->together, like, &first);
    if (status)
        return status;
    if (first) {
        memset(s->sum, 0, (size_t)s->bands * sizeof *s->sum);
        s->position = 0;
    }
    if (like->position != s->position)
        return sj_fail(SJ_INPUT, "chunk %u of '%s' begins at frame %lld where %lld was to come", like->part, like->key,
                       (long long)like->position, (long long)s->position);
    for (int64_t b = 0; b < s->bands; b++)
        sj_moments_add(&s->sum[b], &moments[b]);
    s->position += (int64_t)moments[0].n;
    if (!like->last)
        return SJ_OK;
    for (int64_t b = 0; b < s->bands; b++) {
        s->vector[b] = (float)s->sum[b].mean;
        s->vector[s->bands + b] = (float)sqrt(s->sum[b].deviation / s->sum[b].n);
    }
    const struct sj_record r = {.key = like->key, .role = like->role, .class = like->class, .last = 1, .rank = 1,
                                .dims = {2 * s->bands}, .data = s->vector,
                                .bytes = 2 * (size_t)s->bands * sizeof *s->vector};
    return sj_output_put(out, &r);
}

int sj_statistics_end(const struct sj_statistics *s)
{
    return sj_together_end(&s->together);
}
