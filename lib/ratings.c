/* Statistics of ratings. */
#include "ratings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "paired.h"
#include "rng.h"

const char *const sj_resample_names[] = {"ratings", "listeners", NULL};

enum { PURPOSE_BOOTSTRAP = 0x72617465, TESTS = 64 };

/* Some ratings, or differences between ratings, and whose they are. */
struct sample {
    int64_t n;
    double *x;     /* (n) */
    int *listener; /* (n) */
};

static int new_sample(const struct sj_ratings *r, struct sample *s)
{
    const size_t n = (size_t)r->n + 1;
    *s = (struct sample){0, malloc(n * sizeof *s->x), malloc(n * sizeof *s->listener)};
    return s->x && s->listener ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for %lld ratings", (long long)r->n);
}

static void free_sample(struct sample *s)
{
    free(s->x);
    free(s->listener);
}

static void add(struct sample *s, double x, int listener)
{
    s->x[s->n] = x;
    s->listener[s->n++] = listener;
}

/* The ratings of a condition, of all classes where class = r->class.n. */
static void select_ratings(const struct sj_ratings *r, int class, int condition, struct sample *s)
{
    s->n = 0;
    for (int64_t i = 0; i < r->n; i++)
        if ((class == r->class.n || r->rating[i].class == class) && r->rating[i].condition == condition)
            add(s, r->rating[i].value, r->rating[i].listener);
}

static double mean_of(const struct sample *s)
{
    double sum = 0;
    for (int64_t i = 0; i < s->n; i++)
        sum += s->x[i];
    return s->n ? sum / (double)s->n : NAN;
}

static int count_listeners(const struct sj_ratings *r, const struct sample *s)
{
    int found = 0;
    for (int l = 0; l < r->listener.n; l++)
        for (int64_t i = 0; i < s->n; i++)
            if (s->listener[i] == l) {
                found++;
                break;
            }
    return found;
}

/* -- bootstrap ----------------------------------------------------------------------------------------------------- */

/* The units that are drawn: sums and numbers of values. One for each value, or for each listener who has some. */
static int64_t make_units(const struct sj_ratings *r, const struct sample *s, enum sj_resample unit, double *sum,
                          double *count)
{
    int64_t n = 0;
    if (unit == SJ_RESAMPLE_RATINGS) {
        for (; n < s->n; n++)
            sum[n] = s->x[n], count[n] = 1;
        return n;
    }
    for (int l = 0; l < r->listener.n; l++) {
        double all = 0, values = 0;
        for (int64_t i = 0; i < s->n; i++)
            if (s->listener[i] == l)
                all += s->x[i], values++;
        if (values > 0)
            sum[n] = all, count[n++] = values;
    }
    return n;
}

/* The 95 % percentile interval of the mean. row: of the table, so that each has its own random numbers. */
static int interval(const struct sj_ratings *r, const struct sample *s, const struct sj_bootstrap *b, int64_t row,
                    double limits[2])
{
    const size_t room = (size_t)(s->n + r->listener.n + 1) * sizeof(double);
    double *sum = malloc(room), *count = malloc(room), *mean = malloc((size_t)b->draws * sizeof *mean);
    struct sj_rng rng = sj_rng(b->seed, sj_rng_stream(PURPOSE_BOOTSTRAP, (uint64_t)row));
    int status = sum && count && mean ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for the bootstrap");
    const int64_t units = status ? 0 : make_units(r, s, b->unit, sum, count);
    for (int64_t d = 0; d < b->draws && units; d++) {
        double all = 0, values = 0;
        for (int64_t i = 0; i < units; i++) {
            const uint64_t k = sj_rng_below(&rng, (uint64_t)units);
            all += sum[k];
            values += count[k];
        }
        mean[d] = all / values;
    }
    if (units)
        sj_sort_reals(b->draws, mean);
    limits[0] = units ? sj_quantile(b->draws, mean, 0.025) : NAN;
    limits[1] = units ? sj_quantile(b->draws, mean, 0.975) : NAN;
    free(sum);
    free(count);
    free(mean);
    return status;
}

/* -- rows ---------------------------------------------------------------------------------------------------------- */

/* A field of a row: a text, a whole number, a number, or a list of numbers. */
struct cell {
    const char *name;
    enum { TEXT, WHOLE, REAL, LIST } kind;
    const char *text;
    int64_t n; /* LIST: how many */
    double x;
    const double *list;
};

static void put_names(FILE *f, const struct cell *c, int n)
{
    for (int i = 0; i < n; i++)
        fprintf(f, "%s%c", c[i].name, i + 1 < n ? '\t' : '\n');
}

static void put_text(FILE *f, const struct cell *c)
{
    if (c->kind == TEXT)
        for (const char *p = c->text; *p; p++)
            fprintf(f, *p == '\t' ? "\\t" : *p == '\\' ? "\\\\" : "%c", *p);
    else if (c->kind == WHOLE)
        fprintf(f, "%lld", (long long)c->n);
    else if (c->kind == REAL)
        fprintf(f, isfinite(c->x) ? "%.6g" : "-", c->x);
    else if (!c->n)
        fputc('-', f);
    for (int64_t i = 0; c->kind == LIST && i < c->n; i++)
        fprintf(f, i ? " %.6g" : "%.6g", c->list[i]);
}

static sj_json *json_of(const struct cell *c)
{
    if (c->kind == TEXT)
        return sj_json_string(c->text);
    if (c->kind == WHOLE)
        return sj_json_int(c->n);
    if (c->kind == REAL)
        return sj_json_real(c->x);
    sj_json *list = sj_json_array();
    for (int64_t i = 0; i < c->n; i++)
        sj_json_append(list, sj_json_real(c->list[i]));
    return list;
}

static int put_row(FILE *f, int json, int first, const struct cell *c, int n)
{
    if (first && !json)
        put_names(f, c, n);
    if (!json) {
        for (int i = 0; i < n; i++) {
            put_text(f, &c[i]);
            fputc(i + 1 < n ? '\t' : '\n', f);
        }
        return SJ_OK;
    }
    sj_json *o = sj_json_object();
    for (int i = 0; i < n; i++)
        sj_json_set(o, c[i].name, json_of(&c[i]));
    int status = sj_json_line(f, o);
    sj_json_free(o);
    return status;
}

static const char *class_name(const struct sj_ratings *r, int class)
{
    return class < r->class.n ? r->class.name[class] : "all";
}

/* -- tables -------------------------------------------------------------------------------------------------------- */

int sj_ratings_summary(const struct sj_ratings *r, const struct sj_bootstrap *b, FILE *f, int json)
{
    struct sample s;
    int64_t rows = 0;
    int status = new_sample(r, &s);
    for (int k = 0; k <= r->class.n; k++)
        for (int v = 0; v < r->condition.n && !status; v++) {
            double limits[2];
            select_ratings(r, k, v, &s);
            status = interval(r, &s, b, k * r->condition.n + v, limits);
            const double mean = mean_of(&s);
            const int listeners = count_listeners(r, &s);
            sj_sort_reals(s.n, s.x);
            const struct cell row[] = {{"class", TEXT, .text = class_name(r, k)},
                                       {"condition", TEXT, .text = r->condition.name[v]},
                                       {"ratings", WHOLE, .n = s.n},
                                       {"listeners", WHOLE, .n = listeners},
                                       {"mean", REAL, .x = mean},
                                       {"mean_low", REAL, .x = limits[0]},
                                       {"mean_high", REAL, .x = limits[1]},
                                       {"lower_quartile", REAL, .x = sj_quantile(s.n, s.x, 0.25)},
                                       {"median", REAL, .x = sj_quantile(s.n, s.x, 0.5)},
                                       {"upper_quartile", REAL, .x = sj_quantile(s.n, s.x, 0.75)}};
            if (!status)
                status = put_row(f, json, !rows++, row, sizeof row / sizeof *row);
        }
    free_sample(&s);
    return status;
}

/* The whiskers reach to the last values within 1.5 times the distance of the quartiles beyond them (Tukey); what lies
 * further out is moved to the front of `out`. x (n) ascending. */
static int64_t find_outliers(int64_t n, const double *x, double *low, double *high, double *out)
{
    const double q1 = sj_quantile(n, x, 0.25), q3 = sj_quantile(n, x, 0.75), reach = 1.5 * (q3 - q1);
    int64_t found = 0;
    *low = *high = NAN;
    for (int64_t i = 0; i < n; i++) {
        if (x[i] < q1 - reach || x[i] > q3 + reach) {
            out[found++] = x[i];
            continue;
        }
        *low = isfinite(*low) ? *low : x[i];
        *high = x[i];
    }
    return found;
}

int sj_ratings_boxes(const struct sj_ratings *r, FILE *f, int json)
{
    struct sample s;
    int64_t rows = 0;
    double *out = malloc((size_t)(r->n + 1) * sizeof *out), low, high;
    int status = new_sample(r, &s);
    if (!out)
        status = sj_fail(SJ_SYSTEM, "no memory");
    for (int k = 0; k <= r->class.n; k++)
        for (int v = 0; v < r->condition.n && !status; v++) {
            select_ratings(r, k, v, &s);
            const double mean = mean_of(&s);
            sj_sort_reals(s.n, s.x);
            const int64_t outliers = find_outliers(s.n, s.x, &low, &high, out);
            const struct cell row[] = {{"class", TEXT, .text = class_name(r, k)},
                                       {"condition", TEXT, .text = r->condition.name[v]},
                                       {"ratings", WHOLE, .n = s.n},
                                       {"low", REAL, .x = low},
                                       {"lower_quartile", REAL, .x = sj_quantile(s.n, s.x, 0.25)},
                                       {"median", REAL, .x = sj_quantile(s.n, s.x, 0.5)},
                                       {"upper_quartile", REAL, .x = sj_quantile(s.n, s.x, 0.75)},
                                       {"high", REAL, .x = high},
                                       {"mean", REAL, .x = mean},
                                       {"outliers", LIST, .n = outliers, .list = out}};
            status = put_row(f, json, !rows++, row, sizeof row / sizeof *row);
        }
    free(out);
    free_sample(&s);
    return status;
}

/* -- tests --------------------------------------------------------------------------------------------------------- */

static int by_pair(const void *a, const void *b)
{
    const struct sj_rating *x = a, *y = b;
    return x->listener != y->listener ? (x->listener > y->listener) - (x->listener < y->listener)
                                      : (x->trial > y->trial) - (x->trial < y->trial);
}

/* Differences first - second. sorted (n): the ratings by listener and trial. */
static void select_pairs(const struct sj_ratings *r, const struct sj_rating *sorted, int class, int first, int second,
                         struct sample *s)
{
    s->n = 0;
    for (int64_t i = 0, end; i < r->n; i = end) {
        const struct sj_rating *a = NULL, *b = NULL;
        for (end = i; end < r->n && !by_pair(&sorted[end], &sorted[i]); end++) {
            a = sorted[end].condition == first ? &sorted[end] : a;
            b = sorted[end].condition == second ? &sorted[end] : b;
        }
        if (a && b && (class == r->class.n || sorted[i].class == class))
            add(s, a->value - b->value, sorted[i].listener);
    }
}

struct comparison {
    int first, second;
    int64_t pairs;
    double mean, limits[2], median, sign_p, holm_p;
    struct sj_wilcoxon wilcoxon;
};

static int compare(const struct sj_ratings *r, const struct sj_bootstrap *b, int64_t row, struct sample *s,
                   struct comparison *c)
{
    int64_t signs[2] = {0};
    int status = interval(r, s, b, row, c->limits);
    if (!status)
        status = sj_wilcoxon(s->n, s->x, &c->wilcoxon);
    c->pairs = s->n;
    c->mean = mean_of(s);
    for (int64_t i = 0; i < s->n; i++)
        signs[0] += s->x[i] > 0, signs[1] += s->x[i] < 0;
    c->sign_p = sj_sign_test(signs[0], signs[1]);
    sj_sort_reals(s->n, s->x);
    c->median = sj_quantile(s->n, s->x, 0.5);
    c->holm_p = c->wilcoxon.p;
    return status;
}

static int put_comparison(const struct sj_ratings *r, int class, const struct comparison *c, FILE *f, int json, int top)
{
    const struct cell row[] = {{"class", TEXT, .text = class_name(r, class)},
                               {"first", TEXT, .text = r->condition.name[c->first]},
                               {"second", TEXT, .text = r->condition.name[c->second]},
                               {"pairs", WHOLE, .n = c->pairs},
                               {"mean_difference", REAL, .x = c->mean},
                               {"mean_low", REAL, .x = c->limits[0]},
                               {"mean_high", REAL, .x = c->limits[1]},
                               {"median_difference", REAL, .x = c->median},
                               {"wilcoxon_n", WHOLE, .n = c->wilcoxon.n},
                               {"wilcoxon_w", REAL, .x = c->wilcoxon.w},
                               {"wilcoxon_p", REAL, .x = c->wilcoxon.p},
                               {"holm_p", REAL, .x = c->holm_p},
                               {"sign_p", REAL, .x = c->sign_p}};
    return put_row(f, json, top, row, sizeof row / sizeof *row);
}

int sj_ratings_tests(const struct sj_ratings *r, const struct sj_bootstrap *b, FILE *f, int json)
{
    struct sample s;
    struct comparison c[TESTS];
    double p[TESTS];
    int64_t rows = 0, printed = 0;
    struct sj_rating *sorted = malloc((size_t)(r->n + 1) * sizeof *sorted);
    int status = new_sample(r, &s), n = r->condition.n * (r->condition.n - 1) / 2;
    if (!sorted)
        status = sj_fail(SJ_SYSTEM, "no memory");
    else if (n < 1 || n > TESTS)
        status = sj_fail(SJ_INPUT, "%d conditions cannot be compared two by two", r->condition.n);
    if (!status) {
        memcpy(sorted, r->rating, (size_t)r->n * sizeof *sorted);
        qsort(sorted, (size_t)r->n, sizeof *sorted, by_pair);
    }
    for (int k = 0; k <= r->class.n && !status; k++) {
        int at = 0;
        for (int i = 0; i < r->condition.n; i++)
            for (int j = i + 1; j < r->condition.n && !status; j++) {
                c[at] = (struct comparison){.first = i, .second = j};
                select_pairs(r, sorted, k, i, j, &s);
                status = compare(r, b, rows++, &s, &c[at]);
                p[at] = c[at].holm_p;
                at++;
            }
        sj_holm(at, p);
        for (int i = 0; i < at && !status; i++) {
            c[i].holm_p = p[i];
            status = put_comparison(r, k, &c[i], f, json, !printed++);
        }
    }
    free(sorted);
    free_sample(&s);
    return status;
}
