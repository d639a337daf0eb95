#include "statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sj_statistics {
    int64_t bands;
    struct sj_moments *sum; /* (bands) of the key so far */
    float *vector;          /* (2 bands) */
    int open;               /* a key has begun and not ended */
    uint32_t part;          /* the next one */
    int64_t position;       /* the next frame */
    enum sj_role role;
    int class;
    char key[SJ_KEY_BYTES + 1];
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

static int in_order(const struct sj_statistics *s, const struct sj_record *like)
{
    if (!s->open)
        return like->part == 0 && like->position == 0;
    return like->part == s->part && like->position == s->position && like->role == s->role &&
           like->class == s->class && !strcmp(like->key, s->key);
}

static void begin(struct sj_statistics *s, const struct sj_record *like)
{
    memset(s->sum, 0, (size_t)s->bands * sizeof *s->sum);
    s->open = 1;
    s->position = 0;
    s->role = like->role;
    s->class = like->class;
    snprintf(s->key, sizeof s->key, "%s", like->key);
}

int sj_statistics_put(struct sj_statistics *s, const struct sj_record *like, const struct sj_moments *moments,
                      struct sj_output *out)
{
    if (!in_order(s, like))
        return sj_fail(SJ_INPUT, "chunk %u of '%s' comes out of order: chunks of a track must be complete and together",
                       like->part, like->key);
    if (!s->open)
        begin(s, like);
    for (int64_t b = 0; b < s->bands; b++)
        sj_moments_add(&s->sum[b], &moments[b]);
    s->part = like->part + 1;
    s->position += (int64_t)moments[0].n;
    if (!like->last)
        return SJ_OK;
    s->open = 0;
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
    return s->open ? sj_fail(SJ_INPUT, "'%s' ends without its last chunk", s->key) : SJ_OK;
}
