#include "align_report.h"

#include <math.h>
#include <string.h>

#include "json.h"

enum { MOST = 9 };
static const char *const peak_name[MOST] = {"query", "class", "offset_s", "similarity", "margin", "next_offset_s",
                                            "next_similarity", "at_zero", "random_level"};
static const char *const curve_name[] = {"query", "class", "lag_s", "similarity", "frames"};
enum { CURVE = sizeof curve_name / sizeof *curve_name };

/* A field of a line: a real number, NaN where there is none, or a whole one. */
struct field {
    double value;
    int decimals;
};

void sj_align_report_names(const struct sj_align_report *r, int curve)
{
    const int n = curve ? CURVE : MOST;
    for (int i = 0; i < n && !r->json; i++)
        fprintf(r->f, "%s%c", curve ? curve_name[i] : peak_name[i], i + 1 < n ? '\t' : '\n');
}

static void write_text(FILE *f, const char *text)
{
    for (const char *p = text ? text : "-"; *p; p++) {
        if (*p == '\t' || *p == '\n' || *p == '\\')
            fputc('\\', f);
        fputc(*p == '\t' ? 't' : *p == '\n' ? 'n' : *p, f);
    }
}

static int write_json(const struct sj_align_report *r, const char *const *name, const char *key, const char *class,
                      int n, const struct field *field)
{
    sj_json *o = sj_json_object();
    sj_json_set(o, "query", sj_json_string(key));
    if (class)
        sj_json_set(o, "class", sj_json_string(class));
    for (int i = 0; i < n; i++)
        if (!isnan(field[i].value))
            sj_json_set(o, name[2 + i], field[i].decimals ? sj_json_real(field[i].value)
                                                          : sj_json_int((int64_t)field[i].value));
    int status = sj_json_line(r->f, o);
    sj_json_free(o);
    return status;
}

static int write_line(const struct sj_align_report *r, const char *const *name, const char *key, const char *class,
                      int n, const struct field *field)
{
    if (r->json)
        return write_json(r, name, key, class, n, field);
    write_text(r->f, key);
    fputc('\t', r->f);
    write_text(r->f, class);
    for (int i = 0; i < n; i++)
        if (isnan(field[i].value))
            fputs("\t-", r->f);
        else
            fprintf(r->f, "\t%.*f", field[i].decimals, field[i].value + 0.0);
    fputc('\n', r->f);
    return SJ_OK;
}

/* In seconds to the microsecond, so that multiples of the step stay apart and text and JSON agree. */
static double lag_s(const struct sj_align_report *r, int64_t lag)
{
    return round((double)lag * r->step_s * 1e6) / 1e6 + 0.0;
}

int sj_align_report_peak(const struct sj_align_report *r, const char *key, const char *class, const struct sj_curve *c,
                         double level)
{
    const struct sj_peak p = sj_curve_peak(c);
    const struct field field[] = {
        {lag_s(r, p.lag), 6},
        {p.similarity, 6},
        {p.has_next ? p.similarity - p.next_similarity : NAN, 6},
        {p.has_next ? lag_s(r, p.next_lag) : NAN, 6},
        {p.has_next ? p.next_similarity : NAN, 6},
        {sj_curve_at(c, 0), 6},
        {level, 6},
    };
    return write_line(r, peak_name, key, class, sizeof field / sizeof *field, field);
}

int sj_align_report_curve(const struct sj_align_report *r, const char *key, const char *class,
                          const struct sj_curve *c)
{
    int status = SJ_OK;
    for (int64_t j = -c->lags; j <= c->lags && !status; j++) {
        const struct field field[] = {{lag_s(r, j), 6}, {sj_curve_at(c, j), 6}, {(double)c->frames[c->lags + j], 0}};
        if (c->frames[c->lags + j])
            status = write_line(r, curve_name, key, class, sizeof field / sizeof *field, field);
    }
    return status;
}

int sj_align_report_level(const struct sj_align_report *r, double level, int64_t pairs)
{
    const struct field field[] = {{NAN, 6}, {level, 6}, {(double)pairs, 0}};
    return write_line(r, curve_name, "random", NULL, sizeof field / sizeof *field, field);
}
