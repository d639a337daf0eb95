/* sj-cooccur: keys and chords that share clusters.   TSV of sj-knn --cluster, labels -> sj-cooccur -> TSV or NDJSON */
#include <stdlib.h>
#include <string.h>

#include "cooccur.h"
#include "harmony.h"
#include "table.h"
#include "tool.h"

enum { COOCCURRENCES, SIMILARITY };
static const char *const matrix_names[] = {"cooccurrences", "similarity", NULL};
enum { BY_FREQUENCY, BY_KEY };
static const char *const order_names[] = {"frequency", "key", NULL};

static const char *labels;
static int64_t most = 80;
static int chords = SJ_CHORDS_MAJMIN, keys = SJ_KEYS_MAJMIN, count = SJ_COOCCUR_PRODUCT, order = BY_FREQUENCY;
static int matrix = -1, keep_going;

static const struct sj_option options[] = {
    {SJ_TEXT, 0, "labels", &labels, 0, "DIR", "annotations: TRACK/key.lab and TRACK/chords.lab, or keys/TRACK.lab ...",
     0, 0, NULL, "must be given", 0, NULL},
    {SJ_INT, 'n', "combinations", &most, 0, "N", "how many of key and chord, the most frequent ones", 1, 100000, NULL,
     NULL, 0, NULL},
    {SJ_CHOICE, 0, "chords", &chords, 0, "WHICH", "chords told apart: by the third, triads, or as they are", 0, 0,
     sj_chords_names, NULL, 0, NULL},
    {SJ_CHOICE, 0, "keys", &keys, 0, "WHICH", "keys told apart: major and minor, or as they are", 0, 0, sj_keys_names,
     NULL, 0, NULL},
    {SJ_CHOICE, 0, "count", &count, 0, "HOW", "in a cluster, of two numbers: their product, or the smaller", 0, 0,
     sj_cooccur_counts, NULL, 0, NULL},
    {SJ_CHOICE, 0, "order", &order, 0, "HOW", "of combinations: by frequency, or keys together", 0, 0, order_names,
     NULL, 0, NULL},
    {SJ_CHOICE, 0, "matrix", &matrix, 0, "WHAT", "print a matrix of these values instead of a line for each", 0, 0,
     matrix_names, "lines", 0, NULL},
    {SJ_FLAG, 'k', "keep-going", &keep_going, 0, NULL, "pass over tracks without annotations, count them, exit 1", 0, 0,
     NULL, NULL, 0, NULL},
    {.type = SJ_OPTION_NONE},
};

static int check(struct sj_run *run)
{
    if (!labels)
        return sj_fail(SJ_USAGE, "--labels DIR is wanted: the annotations");
    if (matrix >= 0 && run->json)
        return sj_fail(SJ_USAGE, "--matrix and --json exclude each other");
    return SJ_OK;
}

/* -- labelling ----------------------------------------------------------------------------------------------------- */
struct vectors {
    struct sj_table table;
    int key, start, end, cluster; /* columns */
    struct sj_harmony *harmony;
    struct sj_cooccur_item *item; /* those that have a key and a chord */
    int64_t n, tracks_without;
    const char *without;          /* the track passed over last */
};

static int read_vectors(const char *path, struct vectors *v)
{
    int status = sj_table_read(path, &v->table);
    if (status || (status = sj_table_column(&v->table, "key", &v->key)) ||
        (status = sj_table_column(&v->table, "start_s", &v->start)) ||
        (status = sj_table_column(&v->table, "end_s", &v->end)) ||
        (status = sj_table_column(&v->table, "cluster", &v->cluster)))
        return status;
    v->item = malloc((size_t)v->table.rows * sizeof *v->item + 1);
    return v->item ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for %lld vectors", (long long)v->table.rows);
}

/* A track that has none: said once, counted. */
static int pass_over(const struct sj_run *run, struct vectors *v, const char *track)
{
    v->without = track;
    v->tracks_without++;
    sj_note(run, "%s", sj_reason());
    return SJ_OK;
}

static int label_vector(const struct sj_run *run, struct vectors *v, int64_t row)
{
    const struct sj_table *t = &v->table;
    const char *track = sj_table_text(t, row, v->key);
    double start, end, cluster;
    int32_t combination;
    int status;
    if (!strcmp(sj_table_text(t, row, v->start), "-"))
        return sj_fail(SJ_INPUT, "'%s' line %lld: '%s' has no time: cluster frames or tokens, not tracks", t->path,
                       (long long)row + 2, track);
    if ((status = sj_table_real(t, row, v->start, 0, 1e9, &start)) ||
        (status = sj_table_real(t, row, v->end, 0, 1e9, &end)) ||
        (status = sj_table_real(t, row, v->cluster, 0, 1e9, &cluster)))
        return status;
    if (end < start)
        return sj_fail(SJ_INPUT, "'%s' line %lld: ends before it begins", t->path, (long long)row + 2);
    if (cluster != (double)(int32_t)cluster)
        return sj_fail(SJ_INPUT, "'%s' line %lld: cluster '%s' is no whole number", t->path, (long long)row + 2,
                       sj_table_text(t, row, v->cluster));
    if (v->without && !strcmp(v->without, track))
        return SJ_OK;
    status = sj_harmony_at(v->harmony, track, (start + end) / 2, &combination);
    if (status == SJ_INPUT && keep_going)
        return pass_over(run, v, track);
    if (!status && combination >= 0)
        v->item[v->n++] = (struct sj_cooccur_item){combination, (int32_t)cluster};
    return status;
}

/* -- printing ------------------------------------------------------------------------------------------------------ */
/* A place of the matrix, with what it is sorted by. */
struct place {
    int64_t at, first; /* in the order of frequency: itself, and the first place of the same key */
};

static int key_then_place(const void *a, const void *b)
{
    const struct place *p = a, *q = b;
    if (p->first != q->first)
        return p->first < q->first ? -1 : 1;
    return (p->at > q->at) - (p->at < q->at);
}

static struct place *places(const struct sj_cooccur *c, const struct sj_harmony *h)
{
    struct place *p = malloc((size_t)c->n * sizeof *p + 1);
    for (int64_t i = 0; p && i < c->n; i++) {
        const char *key, *other, *chord;
        sj_harmony_names(h, c->combination[i], &key, &chord);
        p[i] = (struct place){i, order == BY_KEY ? 0 : i};
        for (; p[i].first < i; p[i].first++) {
            sj_harmony_names(h, c->combination[p[i].first], &other, &chord);
            if (!strcmp(key, other))
                break;
        }
    }
    if (p)
        qsort(p, (size_t)c->n, sizeof *p, key_then_place);
    return p;
}

struct names {
    const char *key, *chord;
};

static struct names names_of(const struct sj_cooccur *c, const struct sj_harmony *h, int64_t i)
{
    struct names n;
    sj_harmony_names(h, c->combination[i], &n.key, &n.chord);
    return n;
}

static int print_json(FILE *f, int64_t row, int64_t column, struct names a, struct names b, int64_t value,
                      double similarity)
{
    sj_json *o = sj_json_object();
    sj_json_set(o, "row", sj_json_int(row));
    sj_json_set(o, "column", sj_json_int(column));
    sj_json_set(o, "key", sj_json_string(a.key));
    sj_json_set(o, "chord", sj_json_string(a.chord));
    sj_json_set(o, "other_key", sj_json_string(b.key));
    sj_json_set(o, "other_chord", sj_json_string(b.chord));
    sj_json_set(o, "cooccurrences", sj_json_int(value));
    sj_json_set(o, "similarity", sj_json_real(similarity));
    int status = sj_json_line(f, o);
    sj_json_free(o);
    return status;
}

static int print_lines(const struct sj_cooccur *c, const struct sj_harmony *h, const struct place *p, FILE *f, int json)
{
    int status = SJ_OK;
    if (!json)
        fputs("row\tcolumn\tkey\tchord\tother_key\tother_chord\tcooccurrences\tsimilarity\n", f);
    for (int64_t i = 0; i < c->n; i++)
        for (int64_t j = 0; j < c->n && !status; j++) {
            const struct names a = names_of(c, h, p[i].at), b = names_of(c, h, p[j].at);
            const int64_t value = c->value[p[i].at * c->n + p[j].at];
            const double similarity = sj_cooccur_similarity(c, p[i].at, p[j].at);
            if (json)
                status = print_json(f, i + 1, j + 1, a, b, value, similarity);
            else
                fprintf(f, "%lld\t%lld\t%s\t%s\t%s\t%s\t%lld\t%.6f\n", (long long)i + 1, (long long)j + 1, a.key,
                        a.chord, b.key, b.chord, (long long)value, similarity);
        }
    return status;
}

static int print_matrix(const struct sj_cooccur *c, const struct sj_harmony *h, const struct place *p, FILE *f)
{
    fputs("combination", f);
    for (int64_t i = 0; i < c->n; i++) {
        const struct names a = names_of(c, h, p[i].at);
        fprintf(f, "\t%s %s", a.key, a.chord);
    }
    for (int64_t i = 0; i < c->n; i++) {
        const struct names a = names_of(c, h, p[i].at);
        fprintf(f, "\n%s %s", a.key, a.chord);
        for (int64_t j = 0; j < c->n; j++)
            if (matrix == SIMILARITY)
                fprintf(f, "\t%.6f", sj_cooccur_similarity(c, p[i].at, p[j].at));
            else
                fprintf(f, "\t%lld", (long long)c->value[p[i].at * c->n + p[j].at]);
    }
    fputc('\n', f);
    return SJ_OK;
}

static int print(const struct sj_cooccur *c, const struct sj_harmony *h, FILE *f, int json)
{
    struct place *p = places(c, h);
    if (!p)
        return sj_fail(SJ_SYSTEM, "no memory");
    int status = matrix >= 0 ? print_matrix(c, h, p, f) : print_lines(c, h, p, f, json);
    free(p);
    return status;
}

/* -- the program --------------------------------------------------------------------------------------------------- */
static int report(struct sj_run *run, const struct sj_cooccur *c, const struct sj_harmony *h)
{
    struct sj_report *r;
    int status = sj_report_open(run, &r);
    return status ? status : sj_report_close(r, print(c, h, sj_report_file(r), run->json));
}

static int work(struct sj_run *run)
{
    struct vectors v = {0};
    struct sj_cooccur c = {0};
    int status = sj_harmony_new(labels, run->output, (enum sj_keys)keys, (enum sj_chords)chords, &v.harmony);
    if (!status)
        status = read_vectors(run->n ? run->operand[0] : "-", &v);
    for (int64_t i = 0; i < v.table.rows && !status; i++)
        status = label_vector(run, &v, i);
    if (!status && !v.n && !v.tracks_without)
        status = sj_fail(SJ_INPUT, "'%s': none of %lld vectors has a key and a chord", v.table.path,
                         (long long)v.table.rows);
    if (!status)
        status = sj_cooccur_of(v.n, v.item, sj_harmony_count(v.harmony), most, (enum sj_cooccur_count)count, &c);
    if (!status)
        status = report(run, &c, v.harmony);
    if (!status)
        sj_note(run, "%lld of %lld vectors have a key and a chord; %lld combinations", (long long)v.n,
                (long long)v.table.rows, (long long)sj_harmony_count(v.harmony));
    if (!status && v.tracks_without)
        status = sj_fail(SJ_NO, "%lld tracks without annotations were passed over", (long long)v.tracks_without);
    sj_cooccur_free(&c);
    sj_harmony_free(v.harmony);
    sj_table_free(&v.table);
    free(v.item);
    return status;
}

static const struct sj_tool tool = {
    .name = "sj-cooccur",
    .summary = "keys and chords that share clusters",
    .operands = "[CLUSTERS]",
    .details = "Reads the table of sj-knn --cluster, gives each vector the key and chord that sound at its time, and\n"
               "counts how often two combinations of key and chord fall into the same cluster.",
    .options = options,
    .common = SJ_TAKES_OUTPUT | SJ_TAKES_JSON,
    .max_operands = 1,
    .check = check,
    .run = work,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
