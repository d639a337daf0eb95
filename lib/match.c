#include "match.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "fit.h"
#include "sound.h"

enum { TOGETHER = 32 }; /* stems compared frame by frame at a time */

struct sj_match {
    const char *mix;
    pthread_t thread; /* that finds the facts */
    int listening, status;
    char reason[512];
    struct sj_listener *l;
    const struct sj_shelf *s;
    const struct sj_match_filter *filter;
    float *wave;
    int64_t n, rows;
    int64_t classes;
    int32_t class[SJ_CLASSES];
    int at[SJ_CLASSES];      /* where a class is among those wanted, or -1 */
    struct sj_fit *fit[SJ_CLASSES]; /* (classes) made when they are wanted, or NULL */
    float *prediction;       /* (classes, rows, width) */
    float *vector;           /* (classes, width) */
    struct sj_facts facts;
    struct sj_match_row *row;
};

static int choose_classes(struct sj_match *m)
{
    const struct sj_config *c = sj_listener_config(m->l);
    char list[SJ_CLASSES * SJ_CLASS_BYTES], *rest = list, *one;
    for (int i = 0; i < SJ_CLASSES; i++)
        m->at[i] = -1;
    for (int i = 0; i < c->classes && !m->filter->classes; i++)
        m->class[m->at[i] = (int)m->classes++] = i;
    if (!m->filter->classes)
        return SJ_OK;
    if ((size_t)snprintf(list, sizeof list, "%s", m->filter->classes) >= sizeof list)
        return sj_fail(SJ_USAGE, "--class is too long");
    while ((one = strsep(&rest, ","))) {
        const int class = sj_config_class(c, one);
        char all[512] = "";
        for (int64_t i = 0; i < c->classes; i++)
            snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", c->class_name[i]);
        if (class == SJ_CLASS_NONE)
            return sj_fail(SJ_USAGE, "--class is '%s', but the model knows %s", one, all);
        if (m->at[class] < 0)
            m->class[m->at[class] = (int)m->classes++] = class;
    }
    return SJ_OK;
}

/* -- the mix ------------------------------------------------------------------------------------------------------- */

/* Tempo and key, while index and model are read and at work. */
static void *find_facts(void *arg)
{
    struct sj_match *m = arg;
    m->status = sj_facts(m->n, m->wave, SJ_DECODE_HZ, 1, &m->facts);
    if (m->status)
        snprintf(m->reason, sizeof m->reason, "%s", sj_reason()); /* reasons are per thread */
    return NULL;
}

static void wait_for_facts(struct sj_match *m)
{
    if (m->listening)
        pthread_join(m->thread, NULL);
    m->listening = 0;
}

int sj_match_hear(const char *mix, struct sj_match **out)
{
    struct sj_match *m = *out = calloc(1, sizeof *m);
    if (!m)
        return sj_fail(SJ_SYSTEM, "no memory");
    m->mix = mix;
    int status = sj_sound_read(mix, &m->wave, &m->n);
    if (status)
        return status;
    if (pthread_create(&m->thread, NULL, find_facts, m))
        return sj_fail(SJ_SYSTEM, "cannot start a thread");
    m->listening = 1;
    return SJ_OK;
}

static int predict(struct sj_match *m)
{
    const int64_t d = m->s->width;
    m->rows = sj_listener_rows(m->l, m->n);
    m->prediction = malloc((size_t)(m->classes * m->rows * d) * sizeof *m->prediction);
    m->vector = calloc((size_t)(m->classes * d), sizeof *m->vector);
    if (!m->prediction || !m->vector)
        return sj_fail(SJ_SYSTEM, "no memory for %lld frames", (long long)(m->classes * m->rows));
    int status = sj_listen_mix(m->l, m->n, m->wave, m->classes, m->class, m->prediction);
    for (int64_t c = 0; c < m->classes && !status; c++) {
        float *v = m->vector + c * d;
        for (int64_t i = 0; i < m->rows; i++)
            for (int64_t k = 0; k < d; k++)
                v[k] += m->prediction[(c * m->rows + i) * d + k] / (float)m->rows;
        sj_shelf_normal(d, v);
    }
    return status;
}

int sj_match_predict(struct sj_match *m, struct sj_listener *l, const struct sj_shelf *s,
                     const struct sj_match_filter *filter)
{
    m->l = l;
    m->s = s;
    m->filter = filter;
    int status = choose_classes(m);
    if (!status && (status = predict(m)))
        sj_fail_at(status, "'%s'", m->mix);
    wait_for_facts(m);
    if (!status && m->status)
        status = sj_fail(m->status, "'%s': %s", m->mix, m->reason);
    if (!status && m->facts.seconds < SJ_MATCH_LEAST_S)
        status = sj_fail(SJ_INPUT, "'%s' lasts %.2f s, at least %g s are needed", m->mix, m->facts.seconds,
                         SJ_MATCH_LEAST_S);
    if (!status && m->facts.peak < SJ_MATCH_SILENT)
        status = sj_fail(SJ_INPUT, "'%s' is silent: nothing fits it", m->mix);
    return status;
}

void sj_match_close(struct sj_match *m)
{
    if (!m)
        return;
    wait_for_facts(m);
    for (int64_t c = 0; c < m->classes; c++)
        sj_fit_free(m->fit[c]);
    free(m->wave);
    free(m->prediction);
    free(m->vector);
    free(m->row);
    free(m);
}

const struct sj_facts *sj_match_facts(const struct sj_match *m)
{
    return &m->facts;
}

/* -- ranking ------------------------------------------------------------------------------------------------------- */

double sj_match_score(const struct sj_match *m, const float *vector, int class)
{
    const int64_t d = m->s->width;
    if (class < 0 || m->at[class] < 0)
        return NAN;
    const float *v = m->vector + m->at[class] * d;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < d; i++)
        sum += v[i] * vector[i];
    return sum;
}

int sj_match_heard(const struct sj_shelf_stem *s)
{
    return s->facts.peak >= SJ_MATCH_SILENT && s->facts.seconds >= SJ_MATCH_LEAST_S;
}

static int passes(const struct sj_match *m, const struct sj_shelf_stem *s)
{
    const struct sj_match_filter *f = m->filter;
    int known;
    const int shift = sj_facts_shift(m->facts.key, s->facts.key, &known);
    const double ratio = sj_facts_ratio(m->facts.tempo_bpm, s->facts.tempo_bpm), tempo = s->facts.tempo_bpm;
    if (!sj_match_heard(s))
        return 0;
    if (f->tempo_high > 0 && !(tempo >= f->tempo_low && tempo <= f->tempo_high))
        return 0;
    if (f->key && (s->facts.key < 0 || !(f->key & 1 << s->facts.key)))
        return 0;
    if (!isnan(f->stretch) && fabs(ratio - 1) > f->stretch)
        return 0;
    return f->shift < 0 || !known || abs(shift) <= f->shift;
}

static int compare(const void *a, const void *b)
{
    const struct sj_match_row *x = a, *y = b;
    const int order = (x->score < y->score) - (x->score > y->score);
    return order ? order : (x->stem > y->stem) - (x->stem < y->stem);
}

int sj_match_rank(struct sj_match *m, int64_t *n, struct sj_match_row **out)
{
    const struct sj_shelf *s = m->s;
    *n = 0;
    m->row = malloc((size_t)s->stems * sizeof *m->row + 1);
    if (!m->row)
        return sj_fail(SJ_SYSTEM, "no memory for a ranking");
    for (int64_t i = 0; i < s->stems; i++) {
        struct sj_match_row best = {i, s->stem[i].class, -INFINITY, NAN, NAN};
        const float *v = s->vector + i * s->width;
        if (!passes(m, &s->stem[i]))
            continue;
        for (int64_t c = 0; c < m->classes; c++) {
            const double score = s->stem[i].class == SJ_CLASS_NONE || s->stem[i].class == m->class[c]
                                     ? sj_match_score(m, v, m->class[c]) : -INFINITY;
            if (score > best.score)
                best.class = m->class[c], best.score = score;
        }
        if (best.score > -INFINITY)
            m->row[(*n)++] = best;
    }
    qsort(m->row, (size_t)*n, sizeof *m->row, compare);
    *out = m->row;
    return SJ_OK;
}

void sj_match_refine(int64_t n, struct sj_match_row *row)
{
    for (int64_t i = 0; i < n; i++)
        row[i].score = (row[i].score + row[i].similarity) / 2;
    qsort(row, (size_t)n, sizeof *row, compare);
}

/* -- offsets ------------------------------------------------------------------------------------------------------- */

static double step_s(const struct sj_match *m)
{
    const struct sj_config *c = sj_listener_config(m->l);
    return (double)(c->patch * c->mel.hop_samples) / c->mel.sample_rate_hz;
}

/* What compares with the prediction of a class, made when it is first wanted. */
static int fit_of(struct sj_match *m, int class, double max_lag_s, struct sj_fit **fit)
{
    const int64_t d = m->s->width, lags = (int64_t)floor(max_lag_s / step_s(m) + 1e-9);
    const int at = m->at[class];
    int status = SJ_OK;
    if (!m->fit[at])
        status = sj_fit_new(sj_listener_back_end(m->l), m->rows, d, m->prediction + at * m->rows * d, lags, &m->fit[at]);
    *fit = m->fit[at];
    return status;
}

static void take(const struct sj_match *m, const struct sj_fit_stem *stem, struct sj_match_row *row)
{
    row->offset_s = (double)stem->lag * step_s(m) + 0.0;
    row->similarity = stem->similarity;
}

int sj_match_place_frames(struct sj_match *m, int64_t rows, float *frames, double max_lag_s, int threads,
                          struct sj_match_row *row)
{
    struct sj_fit_stem stem = {rows, frames, 0, 0};
    struct sj_fit *fit;
    int status = fit_of(m, row->class, max_lag_s, &fit);
    if (!status && !(status = sj_fit_run(fit, 1, &stem, threads)))
        take(m, &stem, row);
    return status;
}

/* At most TOGETHER rows, of one class. */
static int place_some(struct sj_match *m, int64_t n, struct sj_match_row *const *row, double max_lag_s, int threads)
{
    struct sj_fit_stem stem[TOGETHER] = {{0}};
    struct sj_fit *fit;
    int status = fit_of(m, row[0]->class, max_lag_s, &fit);
    for (int64_t i = 0; i < n && !status; i++) {
        const struct sj_shelf_stem *s = &m->s->stem[row[i]->stem];
        stem[i].rows = s->rows;
        status = sj_shelf_frames(m->s, s, &stem[i].frames);
    }
    if (!status)
        status = sj_fit_run(fit, n, stem, threads);
    for (int64_t i = 0; i < n; i++) {
        if (!status)
            take(m, &stem[i], row[i]);
        free(stem[i].frames);
    }
    return status;
}

int sj_match_place(struct sj_match *m, int64_t n, struct sj_match_row *row, double max_lag_s, int threads)
{
    int status = SJ_OK;
    for (int64_t c = 0; c < m->classes; c++) {
        struct sj_match_row *some[TOGETHER];
        int64_t count = 0;
        for (int64_t i = 0; i < n && !status; i++) {
            if (row[i].class == m->class[c])
                some[count++] = &row[i];
            if (count == TOGETHER) {
                status = place_some(m, count, some, max_lag_s, threads);
                count = 0;
            }
        }
        if (count && !status)
            status = place_some(m, count, some, max_lag_s, threads);
    }
    return status;
}
