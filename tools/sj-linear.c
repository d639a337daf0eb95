/* sj-linear: the stem that a mix lacks, by the best linear map.
 *   embed/1 mixes, stems -> sj-linear --fit -> map.h5;   embed/1 mixes -> sj-linear (map.h5) -> embed/1 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "embeddings.h"
#include "h5.h"
#include "linear.h"
#include "output.h"
#include "tool.h"

static int fit, keep_going, standard, references;
static const char *map, *mixes, *stems, *class_name = "record";
static double ridge; /* 0: not given */

static const struct sj_option options[] = {
    {SJ_FLAG, 0, "fit", &fit, 0, NULL, "learn a map of each class, the file -o", 0, 0, NULL, NULL, 0, NULL},
    {SJ_FILE, 0, "mixes", &mixes, 0, "FILE", "with --fit: the mixes, of role rest", 0, 0, NULL, NULL, 0, NULL},
    {SJ_FILE, 0, "stems", &stems, 0, "FILE", "with --fit: the stems that they lack", 0, 0, NULL, NULL, 0, NULL},
    {SJ_REAL, 0, "ridge", &ridge, 0, "X", "with --fit: penalty on the weights", 1e-9, 1e9, NULL,
     "for each class that of the least leave-one-out error", 1, NULL},
    {SJ_FILE, 'm', "map", &map, 0, "FILE", "the map, which --fit made", 0, 0, NULL, NULL, 0, NULL},
    {SJ_TEXT, 0, "class", &class_name, 0, "NAME", "the class to predict, or \"record\" for the one that each mix lacks",
     0, 0, NULL, NULL, 1, NULL},
    {SJ_FLAG, 0, "standard", &standard, 0, NULL, "predict values relative to mean and deviation of the stems learnt from",
     0, 0, NULL, NULL, 1, NULL},
    {SJ_FLAG, 0, "references", &references, 0, NULL, "read stems and write them so, to be compared with such predictions",
     0, 0, NULL, NULL, 1, NULL},
    {SJ_FLAG, 'k', "keep-going", &keep_going, 0, NULL, "leave out mixes of classes that were not learnt, exit 1", 0, 0,
     NULL, NULL, 0, NULL},
    {.type = SJ_OPTION_NONE},
};

static int check(struct sj_run *run)
{
    const int own_class = strcmp(class_name, "record") != 0;
    if (!fit && (mixes || stems || ridge > 0))
        return sj_fail(SJ_USAGE, "%s is for --fit", mixes ? "--mixes" : stems ? "--stems" : "--ridge");
    if (!fit && references && (own_class || keep_going || standard))
        return sj_fail(SJ_USAGE, "%s does nothing with --references", own_class    ? "--class"
                                                                      : keep_going ? "--keep-going"
                                                                                   : "--standard");
    if (!fit)
        return map ? SJ_OK : sj_fail(SJ_USAGE, "-m FILE must be given: the map, which --fit makes");
    if (map || own_class || keep_going || standard || references)
        return sj_fail(SJ_USAGE, "%s is not for --fit", map          ? "--map"
                                                        : own_class  ? "--class"
                                                        : keep_going ? "--keep-going"
                                                        : standard   ? "--standard"
                                                                     : "--references");
    if (run->n)
        return sj_fail(SJ_USAGE, "--fit reads --mixes and --stems, and no operands");
    if (!mixes || !stems)
        return sj_fail(SJ_USAGE, "--fit wants --mixes and --stems");
    if (!strcmp(mixes, "-") && !strcmp(stems, "-"))
        return sj_fail(SJ_USAGE, "mixes and stems cannot both be read from standard input");
    if (!run->output || !strcmp(run->output, "-"))
        return sj_fail(SJ_USAGE, "--fit wants -o FILE: a map is an HDF5 file");
    return sj_h5_want_file(run->output);
}

/* -- learning ------------------------------------------------------------------------------------------------------ */
static void say(const struct sj_run *run, const struct sj_linear *l)
{
    for (int c = 0; c < l->classes; c++)
        if (l->pairs[c])
            sj_note(run, "%s: %lld pairs, ridge %.3g, leave-one-out error %.3f of the variance", l->head->class_name[c],
                    (long long)l->pairs[c], l->ridge[c], l->variance[c] > 0 ? l->error[c] / l->variance[c] : 0);
        else
            sj_note(run, "%s: not learnt, it has less than %d pairs", l->head->class_name[c], SJ_RIDGE_PAIRS);
}

static int learn(const struct sj_run *run)
{
    struct sj_linear *l = NULL;
    int status = sj_linear_fit(mixes, stems, ridge, &l);
    if (status)
        return status;
    sj_run_provenance(run, l->head);
    if (!(status = sj_linear_write(l, run->output)))
        say(run, l);
    sj_linear_free(l);
    return status;
}

/* -- predicting ---------------------------------------------------------------------------------------------------- */
struct state {
    const struct sj_run *run;
    struct sj_linear *l;
    struct sj_embeddings *in;
    struct sj_output *out;
    float *x, *y;              /* (p), (q) */
    int class;                 /* to predict; SJ_CLASS_NONE: the record's */
    int64_t predicted, skipped;
};

static int predict(struct state *s, const struct sj_record *r)
{
    const char *name = sj_embeddings_name(s->in);
    const int class = s->class == SJ_CLASS_NONE ? r->class : s->class;
    if (s->class == SJ_CLASS_NONE && (r->role != SJ_ROLE_REST || class == SJ_CLASS_NONE))
        return sj_fail(SJ_INPUT, "'%s': '%s' does not say which class it lacks: --class NAME says what to predict", name,
                       r->key);
    if (r->dims[0] != s->l->p)
        return sj_fail(SJ_INPUT, "'%s': '%s' has %lld values where '%s' takes %lld", name, r->key,
                       (long long)r->dims[0], map, (long long)s->l->p);
    if (!s->l->pairs[class] && keep_going) {
        s->skipped++;
        return SJ_OK;
    }
    if (!s->l->pairs[class])
        return sj_fail(SJ_INPUT, "'%s': '%s': '%s' was not learnt by '%s'", name, r->key,
                       s->l->head->class_name[class], map);
    sj_dtype_to_f32(sj_embeddings_head(s->in)->dtype, (size_t)s->l->p, r->data, s->x);
    for (int64_t i = 0; i < s->l->p; i++)
        if (!isfinite(s->x[i]))
            return sj_fail(SJ_INPUT, "'%s': '%s' holds a value that is not finite", name, r->key);
    sj_linear_apply(s->l, class, s->x, s->y);
    if (standard)
        sj_linear_standardise(s->l, s->y);
    for (int64_t i = 0; i < s->l->q; i++)
        if (!isfinite(s->y[i]))
            return sj_fail(SJ_INPUT, "'%s': '%s': what '%s' makes of it is not finite", name, r->key, map);
    const struct sj_record out = {.key = r->key, .role = SJ_ROLE_PREDICTION, .class = class, .last = 1, .rank = 1,
                                  .dims = {s->l->q}, .data = s->y, .bytes = (size_t)s->l->q * sizeof *s->y};
    s->predicted++;
    return sj_output_put(s->out, &out);
}

/* A stem as it is but for its scale. */
static int pass_on(struct state *s, const struct sj_record *r)
{
    struct sj_record out = *r;
    if (r->dims[0] != s->l->q)
        return sj_fail(SJ_INPUT, "'%s': '%s' has %lld values where the stems of '%s' have %lld",
                       sj_embeddings_name(s->in), r->key, (long long)r->dims[0], map, (long long)s->l->q);
    sj_dtype_to_f32(sj_embeddings_head(s->in)->dtype, (size_t)s->l->q, r->data, s->y);
    sj_linear_standardise(s->l, s->y);
    for (int64_t i = 0; i < s->l->q; i++)
        if (!isfinite(s->y[i]))
            return sj_fail(SJ_INPUT, "'%s': '%s' holds a value that is not finite", sj_embeddings_name(s->in), r->key);
    out.data = s->y;
    out.bytes = (size_t)s->l->q * sizeof *s->y;
    return sj_output_put(s->out, &out);
}

/* Opens what is read, which must be what the map was learnt from, and what is written, like the stems. */
static int open_all(struct state *s)
{
    const struct sj_run *run = s->run;
    struct sj_head *head = NULL;
    int64_t width;
    int status = sj_linear_read(map, &s->l);
    s->class = SJ_CLASS_NONE;
    if (!status && strcmp(class_name, "record") &&
        (s->class = sj_head_class(s->l->head, class_name)) == SJ_CLASS_NONE)
        status = sj_fail(SJ_USAGE, "--class is '%s', which '%s' does not know", class_name, map);
    if (!status)
        status = sj_embeddings_open(run->n, run->operand, &s->in);
    if (!status)
        status = sj_embeddings_match(sj_embeddings_head(s->in), sj_embeddings_name(s->in),
                                     references ? s->l->head : s->l->mix_head, map);
    if (!status)
        status = sj_embeddings_width(s->in, &width);
    if (!status)
        status = sj_head_copy(s->l->head, &head);
    if (!status && (standard || references))
        status = sj_linear_standard_head(s->l, head);
    if (!status) {
        sj_json_free(head->provenance);
        head->provenance = sj_json_copy(sj_embeddings_head(s->in)->provenance);
        sj_run_provenance(run, head);
        status = sj_output_open(run->output, head, &s->out);
    }
    sj_head_free(head);
    s->x = status ? NULL : malloc((size_t)s->l->p * sizeof *s->x);
    s->y = status ? NULL : malloc((size_t)s->l->q * sizeof *s->y);
    return status || (s->x && s->y) ? status : sj_fail(SJ_SYSTEM, "no memory");
}

static int predict_all(const struct sj_run *run)
{
    struct state s = {.run = run};
    const struct sj_record *r = NULL;
    int status = open_all(&s);
    while (!status && !(status = sj_embeddings_next(s.in, &r)) && r)
        status = references ? pass_on(&s, r) : predict(&s, r);
    if (!status && s.skipped && !s.predicted)
        status = sj_fail(SJ_INPUT, "'%s' learnt none of the classes that the %lld mixes lack", map,
                         (long long)s.skipped);
    if (status)
        sj_output_abort(s.out);
    else
        status = sj_output_end(s.out);
    if (!status && s.skipped)
        status = sj_fail(SJ_NO, "%lld of %lld mixes left out: '%s' did not learn their classes", (long long)s.skipped,
                         (long long)(s.skipped + s.predicted), map);
    free(s.x);
    free(s.y);
    sj_embeddings_close(s.in);
    sj_linear_free(s.l);
    return status;
}

static int run(struct sj_run *run)
{
    return fit ? learn(run) : predict_all(run);
}

static const struct sj_tool tool = {
    .name = "sj-linear",
    .summary = "the vector of the stem that a mix lacks, by the best linear map",
    .operands = "[FILE...]",
    .details = "With --fit, learns for each class the ridge regression from the vectors of mixes to those of the stems\n"
               "that they lack (embed/1 streams or HDF5 files, one vector a track). With -m, writes what it predicts of\n"
               "the mixes in the FILEs, or on standard input: queries for sj-knn.",
    .options = options,
    .common = SJ_TAKES_OUTPUT,
    .max_operands = -1,
    .check = check,
    .run = run,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
