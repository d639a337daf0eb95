#include "match_why.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sound.h"

/* What is compared of a stem: frames f32 (rows, width), and their mean as sj_shelf_normal leaves it. */
struct heard {
    const float *vector;
    float *frames;
    int64_t rows;
};

struct work {
    struct sj_match *m;
    const struct sj_shelf *s;
    double max_lag_s;
    int threads;
};

int64_t sj_match_find(const struct sj_shelf *s, const char *path)
{
    char real[PATH_MAX], part[PATH_MAX], *colon;
    snprintf(part, sizeof part, "%s", path);
    colon = strrchr(part, ':');
    if (!realpath(path, real)) {
        if (!colon)
            return -1;
        *colon = 0;
        if (!realpath(part, real) || strlen(real) + strlen(colon + 1) + 2 > sizeof real)
            return -1;
        snprintf(real + strlen(real), sizeof real - strlen(real), ":%s", colon + 1);
    }
    const size_t n = strlen(s->root);
    const char *name = real + n + (n > 1);
    if (strncmp(real, s->root, n) || (n > 1 && real[n] != '/'))
        return -1;
    for (int64_t i = 0; i < s->stems; i++)
        if (!strcmp(s->stem[i].name, name))
            return i;
    return -1;
}

/* -- the stem ------------------------------------------------------------------------------------------------------ */

/* What the index does not have of a stem. */
static int hear(const struct work *w, struct sj_listener *l, const char *path, int class, struct sj_facts *facts,
                float *vector, struct heard *h)
{
    const int64_t d = w->s->width;
    float *wave = NULL;
    int64_t n = 0;
    int status = sj_sound_read(path, &wave, &n);
    if (!status) {
        h->rows = sj_listener_rows(l, n);
        h->frames = malloc((size_t)(h->rows * d) * sizeof *h->frames);
        status = h->frames ? sj_listen_stem(l, n, wave, h->frames) : sj_fail(SJ_SYSTEM, "no memory");
        if (status)
            sj_fail_at(status, "'%s'", path);
    }
    for (int64_t i = 0; i < h->rows * d && !status; i++)
        vector[i % d] += h->frames[i] / (float)h->rows;
    if (!status) {
        sj_shelf_normal(d, vector);
        status = sj_facts(n, wave, sj_listener_config(l)->mel.sample_rate_hz,
                          sj_facts_pitched(class < 0 ? NULL : w->s->class_name[class]), facts);
    }
    free(wave);
    return status;
}

/* What it does have. */
static int recall(const struct sj_shelf *s, int64_t i, struct heard *h)
{
    h->vector = s->vector + i * s->width;
    h->rows = s->stem[i].rows;
    return sj_shelf_frames(s, &s->stem[i], &h->frames);
}

/* -- scores -------------------------------------------------------------------------------------------------------- */

/* Refined, as of a class; the frames change. */
static int score(const struct work *w, struct heard *h, int class, struct sj_match_row *row)
{
    *row = (struct sj_match_row){.class = class, .score = sj_match_score(w->m, h->vector, class)};
    int status = sj_match_place_frames(w->m, h->rows, h->frames, w->max_lag_s, w->threads, row);
    if (!status)
        sj_match_refine(1, row);
    return status;
}

/* As of every class, from frames that stay as they are. */
static int score_all(const struct work *w, const struct heard *h, int wanted, struct sj_match_why *why)
{
    const size_t bytes = (size_t)(h->rows * w->s->width) * sizeof *h->frames;
    struct heard again = {h->vector, malloc(bytes), h->rows};
    int status = again.frames ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for a stem");
    why->class = wanted;
    for (int i = 0; i < why->classes && !status; i++) {
        struct sj_match_row row;
        memcpy(again.frames, h->frames, bytes);
        if ((status = score(w, &again, i, &row)))
            break;
        why->score_as[i] = row.score;
        if (wanted == SJ_CLASS_NONE ? why->class < 0 || row.score > why->score : i == wanted) {
            why->class = i;
            why->score = row.score;
            why->offset_s = row.offset_s;
            why->similarity = row.similarity;
        }
    }
    free(again.frames);
    return status;
}

/* row: the other stems of the class, n of them. */
static int64_t list_others(const struct sj_match *m, const struct sj_shelf *s, int64_t self, int class,
                           struct sj_match_row *row)
{
    int64_t n = 0;
    for (int64_t i = 0; i < s->stems; i++)
        if (i != self && s->stem[i].class == class && sj_match_heard(&s->stem[i]))
            row[n++] = (struct sj_match_row){i, class, sj_match_score(m, s->vector + i * s->width, class), NAN, NAN};
    return n;
}

static int compare(const struct work *w, int64_t self, struct sj_match_why *why)
{
    struct sj_match_row *row = malloc((size_t)w->s->stems * sizeof *row + 1);
    if (!row)
        return sj_fail(SJ_SYSTEM, "no memory for a ranking");
    const int64_t n = list_others(w->m, w->s, self, why->class, row);
    int status = sj_match_place(w->m, n, row, w->max_lag_s, w->threads);
    double sum = 0, square = 0;
    if (!status)
        sj_match_refine(n, row);
    why->rank = 1;
    why->others = n;
    for (int64_t i = 0; i < n && !status; i++) {
        why->rank += row[i].score > why->score || (row[i].score == why->score && row[i].stem < self);
        sum += row[i].score;
        square += row[i].score * row[i].score;
    }
    why->level = sum / (double)n;
    why->spread = sqrt(fmax(0, square / (double)n - why->level * why->level));
    free(row);
    return status;
}

int sj_match_why(struct sj_match *m, struct sj_listener *l, const struct sj_shelf *s, const char *path, int64_t self,
                 int class, double max_lag_s, int threads, struct sj_match_why *why)
{
    const struct work w = {m, s, max_lag_s, threads};
    float *vector = calloc((size_t)s->width, sizeof *vector);
    struct heard h = {.vector = vector};
    *why = (struct sj_match_why){.classes = (int)sj_listener_config(l)->classes};
    if (class == SJ_CLASS_NONE && self >= 0)
        class = s->stem[self].class;
    int status = vector ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for '%s'", path);
    if (!status && self < 0)
        status = hear(&w, l, path, class, &why->facts, vector, &h);
    if (!status && self >= 0) {
        why->facts = s->stem[self].facts;
        status = recall(s, self, &h);
    }
    if (!status && why->facts.peak < SJ_MATCH_SILENT)
        status = sj_fail(SJ_INPUT, "'%s' is silent: it fits nothing", path);
    if (!status)
        status = score_all(&w, &h, class, why);
    if (!status)
        status = compare(&w, self, why);
    free(h.frames);
    free(vector);
    return status;
}
