/* sj-view: looks at, checks, cuts, merges, converts.   any stream or file -> sj-view -> text, stream, HDF5, NPY, WAV */
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "casting.h"
#include "classmap.h"
#include "convert.h"
#include "dataset.h"
#include "describe.h"
#include "h5.h"
#include "h5_show.h"
#include "keyset.h"
#include "safetensors.h"
#include "schema.h"
#include "source.h"
#include "stream_frame.h"
#include "tool.h"

static int checking, values, small;
static int64_t skip, take = -1;
static const char *key, *role, *class;

static const struct sj_option options[] = {
    {SJ_FLAG, 0, "check", &checking, 0, NULL, "read everything, print a line of counts for each input", 0, 0, NULL,
     NULL, 0, NULL},
    {SJ_FLAG, 0, "values", &values, 0, NULL, "print the values too", 0, 0, NULL, NULL, 0, NULL},
    {SJ_FLAG, 0, "bf16", &small, 0, NULL, "a model's weights rounded to bf16, its file compressed", 0, 0, NULL, NULL, 0,
     NULL},
    {SJ_TEXT, 0, "key", &key, 0, "GLOB", "only records whose key matches, as '*/bass'", 0, 0, NULL, NULL, 0, NULL},
    {SJ_TEXT, 0, "role", &role, 0, "ROLE", "only records of this role: mix, stem, rest, prediction", 0, 0, NULL, NULL,
     0, NULL},
    {SJ_TEXT, 0, "class", &class, 0, "NAME", "only records of this class, or 'none'", 0, 0, NULL, NULL, 0, NULL},
    {SJ_INT, 0, "skip", &skip, 0, "N", "leave out the first N of them", 0, INFINITY, NULL, NULL, 0, NULL},
    {SJ_INT, 0, "take", &take, 0, "N", "stop after N of them", 0, INFINITY, NULL, "all", 0, NULL},
    {.type = SJ_OPTION_NONE},
};

/* What --role and --class mean under a head. */
struct selection {
    int any_role, any_class, class;
    enum sj_role role;
    int64_t skipped, taken;
};

static int selecting(void)
{
    return key || role || class || skip || take >= 0;
}

static int select_by(struct selection *s, const struct sj_head *head)
{
    *s = (struct selection){.any_role = !role, .any_class = !class, .class = SJ_CLASS_NONE};
    if (role && sj_role_parse(role, &s->role))
        return SJ_USAGE;
    if (!class || (s->class = sj_head_class(head, class)) != SJ_CLASS_NONE || !strcmp(class, "none"))
        return SJ_OK;
    char names[256] = "";
    for (int i = 0; i < head->classes; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "", head->class_name[i]);
    return sj_fail(SJ_USAGE, "there is no class '%s'; there %s %s", class, head->classes == 1 ? "is" : "are",
                   head->classes ? names : "none");
}

static int is_selected(struct selection *s, const struct sj_record *r)
{
    if (key && fnmatch(key, r->key, 0))
        return 0;
    if ((!s->any_role && r->role != s->role) || (!s->any_class && r->class != s->class))
        return 0;
    if (s->skipped < skip) {
        s->skipped++;
        return 0;
    }
    s->taken++;
    return 1;
}

typedef int use_record(void *arg, const struct sj_head *head, const struct sj_record *r);

/* Calls `use` for every record selected. */
static int for_selected(struct sj_source *s, use_record *use, void *arg)
{
    struct selection sel;
    const struct sj_record *r;
    const struct sj_head *head = sj_source_head(s);
    int status = select_by(&sel, head);
    while (!status && (take < 0 || sel.taken < take) && !(status = sj_source_next(s, &r)) && r)
        if (is_selected(&sel, r))
            status = use(arg, head, r);
    return status;
}

static int show_record(void *arg, const struct sj_head *head, const struct sj_record *r)
{
    const struct sj_run *run = arg;
    return run->json ? sj_describe_json(stdout, head, r, values) : sj_describe_record(stdout, head, r, values);
}

static int show_head(const struct sj_head *head, int json)
{
    if (!json)
        return sj_describe_head(stdout, head);
    sj_json *o = sj_json_object(), *h = NULL;
    int status = sj_head_to_json(head, &h);
    if (!status)
        status = sj_json_set(o, "head", h);
    if (!status)
        status = sj_json_line(stdout, o);
    sj_json_free(o);
    return status;
}

/* An HDF5 file that holds no embeddings: a model, a data set, anybody's. */
static int is_other_h5(const char *path)
{
    struct sj_h5 *h;
    if (!strcmp(path, "-") || !sj_h5_is(path) || sj_h5_open(path, &h))
        return 0;
    int other = !sj_h5_has(h, "/embedding");
    sj_h5_close(h);
    return other;
}

/* One line for a file of another kind: how many of what it has. */
static int print_kind(const char *name, const char *kind, long long n, const char *what, int json)
{
    if (!json) {
        printf("%s\t%s\t%lld %s\n", name, kind, n, what);
        return SJ_OK;
    }
    sj_json *o = sj_json_object();
    sj_json_set(o, "name", sj_json_string(name));
    sj_json_set(o, "kind", sj_json_string(kind));
    sj_json_set(o, what, sj_json_int(n));
    int status = sj_json_line(stdout, o);
    sj_json_free(o);
    return status;
}

/* A text that may be a map: no pipe, which can be read but once. */
static int is_text(const char *path)
{
    struct stat st;
    unsigned char start[64];
    FILE *f = !stat(path, &st) && S_ISREG(st.st_mode) ? fopen(path, "re") : NULL;
    size_t n = f ? fread(start, 1, sizeof start, f) : 0;
    if (f)
        fclose(f);
    return n && !strcmp(sj_frame_guess(start, n), "text");
}

/* What sj-render and sj-chunk are told classes by: kind NULL when the text is neither. */
static const char *map_kind(const char *path, int *classes)
{
    struct sj_casting *rules;
    struct sj_classmap *map;
    const char *kind = NULL;
    if (!is_text(path))
        return NULL;
    if (!sj_casting_open(path, &rules)) {
        kind = "rules of sj-render";
        sj_casting_names(rules, classes);
        sj_casting_close(rules);
    } else if (!sj_classmap_open(path, NULL, &map)) {
        kind = "class map";
        sj_classmap_names(map, classes);
        sj_classmap_close(map);
    }
    return kind;
}

static int show(struct sj_run *run)
{
    struct sj_source *s;
    const char *kind;
    int classes;
    if (run->n == 1 && is_other_h5(run->operand[0])) {
        if (selecting() || values)
            return sj_fail(SJ_USAGE, "'%s' has no records to select or show values of", run->operand[0]);
        return sj_h5_show(stdout, run->operand[0], run->json);
    }
    if (run->n == 1 && (kind = map_kind(run->operand[0], &classes))) {
        if (selecting() || values)
            return sj_fail(SJ_USAGE, "'%s' has no records to select or show values of", run->operand[0]);
        return print_kind(run->operand[0], kind, classes, "classes", run->json);
    }
    int status = sj_source_open(run->n, run->operand, &s);
    if (status)
        return status;
    status = show_head(sj_source_head(s), run->json);
    if (!status)
        status = for_selected(s, show_record, run);
    sj_source_close(s);
    return status;
}

static int convert_record(void *arg, const struct sj_head *head, const struct sj_record *r)
{
    (void)head;
    return sj_convert_put(arg, r);
}

static int convert(struct sj_run *run)
{
    struct sj_source *s = NULL;
    struct sj_convert *c = NULL;
    int status = sj_source_open(run->n, run->operand, &s);
    if (!status)
        status = sj_convert_open(run->output, sj_source_head(s), &c);
    if (!status)
        status = for_selected(s, convert_record, c);
    if (status)
        sj_convert_abort(c);
    else
        status = sj_convert_end(c);
    sj_source_close(s);
    return status;
}

/* Models: from and to HDF5 and safetensors. */
static int convert_model(struct sj_run *run)
{
    struct sj_model *m;
    const char *from = run->operand[0];
    if (run->n != 1 || selecting())
        return sj_fail(SJ_USAGE, "a model is converted alone and whole");
    int status = sj_safetensors_is(from) ? sj_safetensors_read(from, &m) : sj_model_read(from, &m);
    if (status)
        return status;
    if (small)
        status = sj_model_write_small(run->output, m);
    else if (sj_safetensors_is(run->output))
        status = sj_safetensors_write(run->output, m);
    else
        status = sj_model_write(run->output, m);
    sj_model_free(m);
    return status;
}

static int is_model_conversion(const struct sj_run *run)
{
    return run->output && run->n && (small || sj_safetensors_is(run->output) || sj_safetensors_is(run->operand[0]));
}

struct counts {
    int64_t records, values, bad;
    struct sj_keyset *keys; /* a key may come again: in streams that were merged, once for each class predicted */
};

static int count_records(struct sj_source *s, struct counts *n)
{
    const struct sj_head *head = sj_source_head(s);
    const char *name = sj_source_name(s);
    const struct sj_record *r;
    int status = sj_schema_check(head);
    if (status)
        return sj_fail_at(status, "'%s'", name);
    while (!status && !(status = sj_source_next(s, &r)) && r) {
        size_t count = r->bytes / sj_dtype_size(head->dtype);
        struct sj_stats stats = sj_stats_of(head->dtype, count, r->data);
        n->records++;
        n->values += (int64_t)count;
        n->bad += stats.nan + stats.infinite;
        if ((status = sj_schema_check_record(head, r)))
            sj_fail_at(status, "'%s', record %lld, '%s'", name, (long long)n->records, r->key);
        else
            status = sj_keyset_add(n->keys, r->key);
    }
    if (!status && n->bad)
        status = sj_fail(SJ_INPUT, "'%s': %lld of %lld values are not finite", name, (long long)n->bad,
                         (long long)n->values);
    return status;
}

static int print_counts(const struct sj_source *s, const struct counts *n, int json)
{
    const char *name = sj_source_name(s), *kind = sj_source_head(s)->kind;
    long long keys = sj_keyset_count(n->keys);
    if (!json) {
        printf("%s\t%s\t%lld records\t%lld keys\t%lld values\n", name, kind, (long long)n->records, keys,
               (long long)n->values);
        return SJ_OK;
    }
    sj_json *o = sj_json_object();
    sj_json_set(o, "name", sj_json_string(name));
    sj_json_set(o, "kind", sj_json_string(kind));
    sj_json_set(o, "records", sj_json_int(n->records));
    sj_json_set(o, "keys", sj_json_int(keys));
    sj_json_set(o, "values", sj_json_int(n->values));
    int status = sj_json_line(stdout, o);
    sj_json_free(o);
    return status;
}

static int check_model(const char *path, int json)
{
    struct sj_model *m;
    long long weights = 0;
    int status = sj_safetensors_is(path) ? sj_safetensors_read(path, &m) : sj_model_read(path, &m);
    if (status)
        return status;
    for (int i = 0; i < m->layout.tensors; i++)
        weights += (long long)m->layout.tensor[i].count * (i < m->layout.encoder_tensors ? 2 : 1);
    sj_model_free(m);
    return print_kind(path, "sj-model/1", weights, "weights", json);
}

static int check_set(const char *path, int json)
{
    struct sj_dataset *d;
    int status = sj_dataset_open(path, &d);
    if (status)
        return status;
    status = print_kind(path, "sj-dataset/1", (long long)sj_dataset_tracks(d), "tracks", json);
    sj_dataset_close(d);
    return status;
}

/* HDF5 without embeddings: by what it says that it is. */
static int check_other(const char *path, int json)
{
    struct sj_h5 *h;
    char *kind = NULL;
    int status = sj_h5_open(path, &h);
    if (status)
        return status;
    if (sj_h5_has_attr(h, "/", "kind"))
        status = sj_h5_get_text(h, "/", "kind", &kind);
    sj_h5_close(h);
    if (!status && kind && !strcmp(kind, "sj-model/1"))
        status = check_model(path, json);
    else if (!status && kind && !strcmp(kind, "sj-dataset/1"))
        status = check_set(path, json);
    else if (!status)
        status = sj_fail(SJ_INPUT, "'%s' is HDF5 of %s%.64s%s, which cannot be checked", path,
                         kind ? "the kind '" : "no stated kind", kind ? kind : "", kind ? "'" : "");
    free(kind);
    return status;
}

static int check_input(const char *path, int json)
{
    if (sj_safetensors_is(path))
        return check_model(path, json);
    if (is_other_h5(path))
        return check_other(path, json);
    int classes;
    const char *kind = map_kind(path, &classes);
    if (kind)
        return print_kind(path, kind, classes, "classes", json);
    struct sj_source *s = NULL;
    struct counts n = {0};
    int status = sj_source_open(1, &path, &s);
    if (!status)
        status = sj_keyset_new(&n.keys);
    if (!status)
        status = count_records(s, &n);
    if (!status)
        status = print_counts(s, &n, json);
    sj_keyset_free(n.keys);
    sj_source_close(s);
    return status;
}

static int check_inputs(struct sj_run *run)
{
    int status = run->n ? SJ_OK : check_input("-", run->json);
    for (int i = 0; i < run->n && !status; i++)
        status = check_input(run->operand[i], run->json);
    return status;
}

static int check(struct sj_run *run)
{
    enum sj_role r;
    if (role && sj_role_parse(role, &r))
        return sj_fail_at(SJ_USAGE, "--role");
    if (checking && (run->output || values || selecting()))
        return sj_fail(SJ_USAGE, "--check reads everything and goes with no option but --json");
    if (small && (!run->output || sj_safetensors_is(run->output)))
        return sj_fail(SJ_USAGE, "--bf16 makes a model's HDF5 file: -o NAME.h5 must be given");
    if (run->output && (values || run->json))
        return sj_fail(SJ_USAGE, "--values and --json are for text, which goes to standard output, not to -o");
    return SJ_OK;
}

static int run_view(struct sj_run *run)
{
    if (is_model_conversion(run))
        return convert_model(run);
    return checking ? check_inputs(run) : run->output ? convert(run) : show(run);
}

static const struct sj_tool tool = {
    .name = "sj-view",
    .summary = "looks at, checks, cuts, merges and converts streams and files",
    .operands = "[FILE...]",
    .details = "Reads streams, HDF5 files of embeddings and NumPy arrays, whose heads must be equal, as one\n"
               "sequence of records, and prints the head and a line for each record; of other HDF5 files, what\n"
               "lies in them; of a class map, how many classes it has. With -o the records go, unchanged, to a\n"
               "stream (NAME.sjt, or - for standard output), embeddings (NAME.h5), an array (NAME.npy) or sound\n"
               "(NAME.wav, FOLDER/). A model (HDF5) becomes a safetensors file (NAME.safetensors), and the other\n"
               "way; with --bf16, a small file to pass around.",
    .options = options,
    .common = SJ_TAKES_OUTPUT | SJ_TAKES_JSON,
    .max_operands = -1,
    .check = check,
    .run = run_view,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
