#include "match.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "align.h"
#include "decode.h"
#include "sound.h"

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
    int centred[SJ_CLASSES]; /* whether its prediction is ready for offsets */
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

/* Where the sum over the frames that overlap, divided by those that can, is largest; of equal values the least shift: a few
 * frames at an end are alike by chance. */
static void find_peak(const struct sj_curve *c, int64_t frames, double step_s, double *offset_s, double *similarity)
{
    *similarity = -INFINITY;
    for (int64_t far = 0; far <= c->lags; far++)
        for (int side = 1; side >= -1; side -= 2) {
            const double s = c->sum[c->lags + side * far] / (double)frames;
            if (s > *similarity) {
                *similarity = s;
                *offset_s = (double)(side * far) * step_s + 0.0;
            }
        }
}

int sj_match_offset(struct sj_match *m, int64_t rows, float *frames, int class, double max_lag_s, int threads,
                    double *offset_s, double *similarity)
{
    const struct sj_config *c = sj_listener_config(m->l);
    const int64_t d = m->s->width;
    const double step_s = (double)(c->patch * c->mel.hop_samples) / c->mel.sample_rate_hz;
    float *p = m->prediction + m->at[class] * m->rows * d;
    struct sj_curve curve = {0};
    int status = sj_align_remove(rows, d, 1, frames);
    if (!status)
        sj_align_unit(rows, d, frames);
    if (!status && !m->centred[class]) {
        status = sj_align_remove(m->rows, d, 1, p);
        sj_align_unit(m->rows, d, p);
        m->centred[class] = 1;
    }
    if (!status)
        status = sj_curve_new((int64_t)floor(max_lag_s / step_s + 1e-9), &curve);
    if (!status)
        status = sj_align_curve(rows, frames, m->rows, p, d, threads, &curve);
    if (!status)
        find_peak(&curve, m->rows < rows ? m->rows : rows, step_s, offset_s, similarity);
    sj_curve_free(&curve);
    return status;
}
