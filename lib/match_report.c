#include "match_report.h"

#include <math.h>

#include "json.h"
#include "music_key.h"
#include "table.h"

static const char *const names[] = {"rank", "score", "class", "offset_s", "tempo_bpm", "key", "mix_tempo_bpm",
                                    "mix_key", "shift_semitones", "tempo_ratio", "path"};
enum { NAMES = sizeof names / sizeof *names };

void sj_match_report_names(FILE *f, int json)
{
    for (int i = 0; i < NAMES && !json; i++)
        fprintf(f, "%s%c", names[i], i + 1 < NAMES ? '\t' : '\n');
}

static const char *key_name(int key)
{
    return key < 0 ? "-" : sj_music_key_names[key];
}

static void put(FILE *f, double value, int decimals)
{
    if (isnan(value))
        fputs("-\t", f);
    else
        fprintf(f, "%.*f\t", decimals, value + 0.0);
}

static double shift_of(const struct sj_match_line *l)
{
    int known;
    const int shift = sj_facts_shift(l->mix->key, l->stem->key, &known);
    return known ? shift : NAN;
}

static void set_real(sj_json *o, const char *name, double value)
{
    if (!isnan(value))
        sj_json_set(o, name, sj_json_real(value));
}

static sj_json *line_json(const struct sj_match_line *l)
{
    sj_json *o = sj_json_object();
    sj_json_set(o, "rank", sj_json_int(l->rank));
    set_real(o, "score", l->score);
    if (l->class)
        sj_json_set(o, "class", sj_json_string(l->class));
    set_real(o, "offset_s", l->offset_s);
    set_real(o, "tempo_bpm", l->stem->tempo_bpm);
    set_real(o, "mix_tempo_bpm", l->mix->tempo_bpm);
    if (l->stem->key >= 0)
        sj_json_set(o, "key", sj_json_string(key_name(l->stem->key)));
    if (l->mix->key >= 0)
        sj_json_set(o, "mix_key", sj_json_string(key_name(l->mix->key)));
    if (!isnan(shift_of(l)))
        sj_json_set(o, "shift_semitones", sj_json_int((int64_t)shift_of(l)));
    set_real(o, "tempo_ratio", sj_facts_ratio(l->mix->tempo_bpm, l->stem->tempo_bpm));
    sj_json_set(o, "path", sj_json_string(l->path));
    return o;
}

static int put_json(FILE *f, sj_json *o)
{
    int status = sj_json_line(f, o);
    sj_json_free(o);
    return status;
}

int sj_match_report_line(FILE *f, int json, const struct sj_match_line *l)
{
    if (json)
        return put_json(f, line_json(l));
    fprintf(f, "%lld\t", (long long)l->rank);
    put(f, l->score, 4);
    fprintf(f, "%s\t", l->class ? l->class : "-");
    put(f, l->offset_s, 2);
    put(f, l->stem->tempo_bpm, 1);
    fprintf(f, "%s\t", key_name(l->stem->key));
    put(f, l->mix->tempo_bpm, 1);
    fprintf(f, "%s\t", key_name(l->mix->key));
    put(f, shift_of(l), 0);
    put(f, sj_facts_ratio(l->mix->tempo_bpm, l->stem->tempo_bpm), 3);
    sj_table_put(f, l->path);
    fputc('\n', f);
    return SJ_OK;
}

static int why_json(FILE *f, const struct sj_match_line *l, const char *const *class_name, const struct sj_match_why *w)
{
    sj_json *o = line_json(l), *scores = sj_json_object();
    sj_json_set(o, "of", sj_json_int(w->others + 1));
    set_real(o, "random_level", w->level);
    set_real(o, "random_spread", w->spread);
    set_real(o, "similarity", w->similarity);
    for (int i = 0; i < w->classes; i++)
        set_real(scores, class_name[i], w->score_as[i]);
    sj_json_set(o, "score_as", scores);
    return put_json(f, o);
}

static void say_tempo(FILE *f, const struct sj_match_line *l)
{
    const double stem = l->stem->tempo_bpm, mix = l->mix->tempo_bpm, ratio = sj_facts_ratio(mix, stem);
    if (isnan(ratio))
        fprintf(f, "tempo        no beats are heard in the %s\n", isnan(mix) ? "mix" : "stem");
    else if (fabs(ratio - 1) < 0.005)
        fprintf(f, "tempo        %.1f bpm, the mix %.1f: as it is\n", stem, mix);
    else
        fprintf(f, "tempo        %.1f bpm, the mix %.1f: play it %.3f times as fast\n", stem, mix, ratio);
}

static void say_key(FILE *f, const struct sj_match_line *l)
{
    const double shift = shift_of(l);
    if (isnan(shift))
        fprintf(f, "key          not clear in the %s\n", l->mix->key < 0 ? "mix" : "stem");
    else if (shift == 0)
        fprintf(f, "key          %s, the mix %s: as it is\n", key_name(l->stem->key), key_name(l->mix->key));
    else
        fprintf(f, "key          %s, the mix %s: shift it by %+.0f semitones\n", key_name(l->stem->key),
                key_name(l->mix->key), shift);
}

int sj_match_report_why(FILE *f, int json, const struct sj_match_line *l, const char *const *class_name,
                        const struct sj_match_why *w)
{
    if (json)
        return why_json(f, l, class_name, w);
    fputs("stem         ", f);
    sj_table_put(f, l->path);
    fprintf(f, "\nclass        %s\nscore        %.4f\n", l->class ? l->class : "-", l->score);
    if (w->others > 0)
        fprintf(f, "by chance    %.4f +- %.4f: the %lld other stems of this class in the index\n", w->level, w->spread,
                (long long)w->others);
    fprintf(f, "rank         %lld of %lld\n", (long long)w->rank, (long long)w->others + 1);
    for (int i = 0; i < w->classes; i++)
        fprintf(f, "as %-9s %.4f\n", class_name[i], w->score_as[i]);
    say_tempo(f, l);
    say_key(f, l);
    if (isnan(l->offset_s))
        fputs("offset       none: there is nothing to align\n", f);
    else
        fprintf(f, "offset       %.2f s, similarity %.4f frame by frame\n", l->offset_s + 0.0, w->similarity);
    return SJ_OK;
}
