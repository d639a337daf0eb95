#include "level.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"

enum { TRIES = 64 }; /* to draw frames of two tracks: two equally long ones fail at all of them once in 2^64 */

/* Frames sampled from one side (Vitter 1985, algorithm R). */
struct sample {
    int64_t seen, count;
    char **key;   /* (count) owned: of whom each frame is */
    float *value; /* (pairs, d) */
    struct sj_rng rng;
};

struct sj_level {
    int64_t pairs, d;
    struct sample side[2];
    struct sj_rng rng;
};

int sj_level_new(int64_t pairs, uint64_t seed, struct sj_level **out)
{
    struct sj_level *l = calloc(1, sizeof *l);
    if (!l)
        return sj_fail(SJ_SYSTEM, "no memory");
    l->pairs = pairs;
    for (uint64_t s = 0; s < 2; s++)
        l->side[s].rng = sj_rng(seed, s);
    l->rng = sj_rng(seed, 2);
    *out = l;
    return SJ_OK;
}

void sj_level_free(struct sj_level *l)
{
    if (!l)
        return;
    for (int s = 0; s < 2; s++) {
        for (int64_t i = 0; i < l->side[s].count; i++)
            free(l->side[s].key[i]);
        free(l->side[s].key);
        free(l->side[s].value);
    }
    free(l);
}

static int add(const struct sj_level *l, struct sample *s, const struct sj_sequence *from)
{
    for (int64_t i = 0; i < from->rows; i++) {
        const uint64_t at = s->count < l->pairs ? (uint64_t)s->count : sj_rng_below(&s->rng, (uint64_t)s->seen + 1);
        s->seen++;
        if (at >= (uint64_t)l->pairs)
            continue;
        char *key = strdup(from->key);
        if (!key)
            return sj_fail(SJ_SYSTEM, "no memory");
        if (at == (uint64_t)s->count)
            s->count++;
        else
            free(s->key[at]);
        s->key[at] = key;
        memcpy(s->value + (int64_t)at * l->d, from->value + i * l->d, (size_t)l->d * sizeof *s->value);
    }
    return SJ_OK;
}

int sj_level_add(struct sj_level *l, const struct sj_sequence *query, const struct sj_sequence *stem)
{
    if (!l->d) {
        l->d = query->d;
        for (int s = 0; s < 2; s++) {
            l->side[s].key = malloc((size_t)l->pairs * sizeof *l->side[s].key + 1);
            l->side[s].value = l->pairs > INT64_MAX / 8 / l->d
                                   ? NULL
                                   : malloc((size_t)(l->pairs * l->d) * sizeof *l->side[s].value + 1);
            if (!l->side[s].key || !l->side[s].value)
                return sj_fail(SJ_SYSTEM, "no memory for %lld random frames", (long long)l->pairs);
        }
    }
    int status = add(l, &l->side[0], query);
    return status ? status : add(l, &l->side[1], stem);
}

/* A random frame of either side; whether they are of different tracks. */
static int draw(struct sj_level *l, const float *frame[2])
{
    const char *key[2];
    for (int s = 0; s < 2; s++) {
        const int64_t i = (int64_t)sj_rng_below(&l->rng, (uint64_t)l->side[s].count);
        key[s] = l->side[s].key[i];
        frame[s] = l->side[s].value + i * l->d;
    }
    const size_t track = sj_key_track(key[0]);
    return track != sj_key_track(key[1]) || memcmp(key[0], key[1], track);
}

double sj_level_mean(struct sj_level *l, int64_t *pairs)
{
    double sum = 0;
    *pairs = 0;
    for (int64_t n = 0; n < l->pairs && l->side[0].count && l->side[1].count; n++) {
        const float *frame[2];
        int tries = 0;
        while (!draw(l, frame) && ++tries < TRIES)
            continue;
        if (tries == TRIES) /* one track */
            break;
        for (int64_t k = 0; k < l->d; k++)
            sum += (double)frame[0][k] * frame[1][k];
        ++*pairs;
    }
    return *pairs ? sum / (double)*pairs : NAN;
}
