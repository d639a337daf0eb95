/* Files of embeddings: round trips with streams, blocks, several inputs, what is refused. */
#include "embeddings.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "h5.h"
#include "output.h"
#include "rng.h"
#include "tests/folder.h"
#include "tests/tap.h"

static const char *const classes[] = {"bass", "drums"}, *const others[] = {"bass", "vocals"};

static struct sj_head *make_head(const char *dims, enum sj_dtype dtype, const char *const *names, const char *model)
{
    struct sj_head *h = NULL;
    if (sj_head_new("embed/1", dims, dtype, &h) || sj_head_set_classes(h, 2, names))
        return NULL;
    if (model)
        sj_json_set(h->params, "model_id", sj_json_string(model));
    return h;
}

/* Record i of a made-up set, its values in data. */
static struct sj_record make_record(const struct sj_head *h, int i, int64_t d, void *data, char *key)
{
    struct sj_record r = {.key = key, .role = (enum sj_role)(i % 4), .class = i % 3 - 1, .position = 800 * (int64_t)i,
                          .part = (uint32_t)i, .last = i % 2, .rank = h->rank, .data = data};
    struct sj_rng rng = sj_rng(11, (uint64_t)i);
    float value[4096];
    int64_t n = 1;
    for (int j = 0; j < h->rank; j++)
        n *= r.dims[j] = j == h->rank - 1 ? d : 1 + (i + j) % 4;
    sj_rng_normal(&rng, value, (uint64_t)n);
    sj_dtype_from_f32(h->dtype, (size_t)n, value, data);
    r.bytes = (size_t)n * sj_dtype_size(h->dtype);
    snprintf(key, 64, "album %d/\xc3\xa9tude/%s", i, i % 2 ? "bass" : "drums");
    return r;
}

static int write_file(const char *path, const struct sj_head *h, int from, int to, int64_t d)
{
    struct sj_output *out = NULL;
    float data[4096];
    char key[64];
    int status = sj_output_open(path, h, &out);
    for (int i = from; i < to && !status; i++) {
        struct sj_record r = make_record(h, i, d, data, key);
        status = sj_output_put(out, &r);
    }
    if (status) {
        sj_output_abort(out);
        return status;
    }
    return sj_output_end(out);
}

static int same_record(const struct sj_record *a, const struct sj_record *b)
{
    int same = !strcmp(a->key, b->key) && a->role == b->role && a->class == b->class && a->position == b->position
               && a->part == b->part && a->last == b->last && a->rank == b->rank && a->bytes == b->bytes
               && !memcmp(a->data, b->data, a->bytes);
    for (int i = 0; i < a->rank && same; i++)
        same = a->dims[i] == b->dims[i];
    return same;
}

/* Whether reading the paths gives records 0 .. n-1 of the set under the head h. */
static int holds(int paths, const char *const *path, const struct sj_head *h, int n, int64_t d)
{
    struct sj_embeddings *e = NULL;
    const struct sj_record *got;
    float data[4096];
    char key[64];
    int status = sj_embeddings_open(paths, path, &e), same = !status && !sj_head_same(h, "", sj_embeddings_head(e), "");
    for (int i = 0; i < n && same; i++) {
        struct sj_record want = make_record(h, i, d, data, key);
        same = !sj_embeddings_next(e, &got) && got && same_record(got, &want);
    }
    same = same && !sj_embeddings_next(e, &got) && !got;
    sj_embeddings_close(e);
    return same;
}

static void round_trips(void)
{
    static const struct { const char *dims; enum sj_dtype dtype; int n; int64_t d; } kinds[] = {
        {"vector", SJ_F32, 700, 1000}, {"vector", SJ_F16, 5, 7}, {"time,vector", SJ_F32, 40, 33},
        {"frequency,time,dim", SJ_BF16, 9, 5}, {"vector", SJ_F32, 0, 3}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct sj_head *h = make_head(kinds[i].dims, kinds[i].dtype, classes, "m1");
        const char *h5 = in_dir("a.h5"), *sjt = in_dir("a.sjt");
        int status = write_file(h5, h, 0, kinds[i].n, kinds[i].d);
        ok(!status && holds(1, &h5, h, kinds[i].n, kinds[i].d), "%d records '%s' of %s through HDF5%s%s", kinds[i].n,
           kinds[i].dims, sj_dtype_name(kinds[i].dtype), status ? ": " : "", status ? sj_reason() : "");
        status = write_file(sjt, h, 0, kinds[i].n, kinds[i].d);
        ok(!status && holds(1, &sjt, h, kinds[i].n, kinds[i].d), "and through a stream");
        sj_head_free(h);
    }
}

/* What a model embedded is not compared with what is not known to come from it. */
static void models_match(void)
{
    struct sj_head *a = make_head("vector", SJ_F32, classes, "m1"), *b = make_head("vector", SJ_F32, classes, NULL);
    struct sj_head *c = make_head("vector", SJ_F32, classes, "m2");
    ok(!sj_embeddings_match(a, "a", a, "a") && !sj_embeddings_match(b, "b", b, "b"), "one model, or none on either side");
    ok(sj_embeddings_match(a, "a", c, "c") == SJ_INPUT, "%s", sj_reason());
    ok(sj_embeddings_match(a, "a", b, "b") == SJ_INPUT && strstr(sj_reason(), "(none)"), "%s", sj_reason());
    ok(sj_embeddings_match(b, "b", a, "a") == SJ_INPUT && strstr(sj_reason(), "(none)"), "%s", sj_reason());
    sj_head_free(a);
    sj_head_free(b);
    sj_head_free(c);
}

/* For other programs, the file is plain columns. */
static void layout(void)
{
    struct sj_h5 *h = NULL;
    struct sj_head *head = make_head("vector", SJ_F32, classes, NULL);
    enum sj_h5_type type;
    int rank;
    int64_t dims[SJ_H5_RANK] = {0}, n = 0;
    char **text = NULL;
    int status = write_file(in_dir("b.h5"), head, 0, 10, 6) || sj_h5_open(in_dir("b.h5"), &h);
    if (ok(!status, "file written")) {
        ok(!sj_h5_shape(h, "/embedding", &type, &rank, dims) && type == SJ_H5_F32 && rank == 2 && dims[0] == 10
               && dims[1] == 6,
           "/embedding is (n, d)");
        ok(!sj_h5_read_text(h, "/class_name", &n, &text) && n == 2 && !strcmp(text[1], "drums"), "/class_name is text");
        ok(!sj_h5_has(h, "/dims"), "no /dims where records are vectors");
    }
    free(text);
    sj_h5_close(h);
    sj_head_free(head);
}

static void blocks(void)
{
    struct sj_head *h = make_head("vector", SJ_F32, classes, "m1");
    const char *paths[] = {in_dir("1.h5"), in_dir("2.sjt"), in_dir("3.h5")};
    int status =
        write_file(paths[0], h, 0, 5, 6) || write_file(paths[1], h, 5, 12, 6) || write_file(paths[2], h, 12, 13, 6);
    ok(!status && holds(3, paths, h, 13, 6), "HDF5 files and streams read as one");
    struct sj_embeddings *e = NULL;
    struct sj_embedding info[4];
    float block[4 * 6], data[4096];
    char key[64];
    int64_t d = 0, got = 1, n = 0;
    status = sj_embeddings_open(3, paths, &e) || sj_embeddings_width(e, &d);
    is_int(d, 6, "width");
    for (int pass = 0; pass < 2 && !status; pass++) {
        int same = 1;
        for (n = 0, got = 1; got && same && !status; n += got) {
            status = sj_embeddings_block(e, 4, block, info, &got);
            for (int64_t i = 0; i < got; i++) {
                struct sj_record want = make_record(h, (int)(n + i), d, data, key);
                same &= !memcmp(want.data, block + i * d, want.bytes) && !strcmp(info[i].key, want.key)
                        && info[i].class == want.class && info[i].role == want.role;
            }
        }
        ok(same && !status && n == 13, "blocks of at most 4%s: %lld records", pass ? " after rewinding" : "",
           (long long)n);
        status = status ? status : sj_embeddings_rewind(e);
    }
    sj_embeddings_close(e);
    sj_head_free(h);
}

static int refuses(int n, const char *const *paths, const char *part)
{
    struct sj_embeddings *e = NULL;
    const struct sj_record *r;
    int status = sj_embeddings_open(n, paths, &e);
    while (!status && !(status = sj_embeddings_next(e, &r)) && r)
        ;
    sj_embeddings_close(e);
    return status == SJ_INPUT && strstr(sj_reason(), part) ? 1 : (printf("# status %d: %s\n", status, sj_reason()), 0);
}

static void refusals(void)
{
    struct sj_head *h = make_head("vector", SJ_F32, classes, "m1"), *class = make_head("vector", SJ_F32, others, "m1");
    struct sj_head *model = make_head("vector", SJ_F32, classes, "m2"),
                   *frames = make_head("time,vector", SJ_F32, classes, "m1");
    const char *a = in_dir("r1.h5"), *b = in_dir("r2.h5"), *pair[] = {a, b};
    ok(!write_file(a, h, 0, 3, 6) && !write_file(b, class, 0, 3, 6) && refuses(2, pair, "bass, vocals"),
       "other classes");
    ok(!write_file(b, model, 0, 3, 6) && refuses(2, pair, "m2"), "another model");
    ok(!write_file(b, frames, 0, 3, 6) && refuses(2, pair, "r2.h5"), "other dimensions");
    struct sj_embeddings *e = NULL;
    int64_t d;
    ok(!sj_embeddings_open(1, &b, &e) && sj_embeddings_width(e, &d) == SJ_INPUT,
       "several vectors in a record are no block");
    sj_embeddings_close(e);

    ok(!write_file(b, h, 3, 5, 7), "a file of longer vectors");
    struct sj_embedding info[9];
    float block[9 * 7];
    int64_t got;
    e = NULL;
    int status = sj_embeddings_open(2, pair, &e) || sj_embeddings_block(e, 9, block, info, &got);
    ok(!status && got == 3 && sj_embeddings_block(e, 9, block, info, &got) == SJ_INPUT,
       "is refused behind one of shorter ones");
    sj_embeddings_close(e);

    struct sj_h5 *f = NULL;
    status = sj_h5_edit(a, &f) || sj_h5_delete(f, "/role");
    uint8_t role[3] = {0, 9, 0};
    int64_t n = 3;
    status = status || sj_h5_write(f, "/role", SJ_H5_U8, 1, &n, role);
    sj_h5_close(f);
    ok(!status && refuses(1, &a, "record 1"), "a role that does not exist");
    f = NULL;
    status = sj_h5_edit(a, &f) || sj_h5_delete(f, "/role");
    sj_h5_close(f);
    ok(!status && refuses(1, &a, "/role"), "a column that is missing");
    struct sj_head *mel = NULL;
    struct sj_output *out = NULL;
    ok(!sj_head_new("mel/1", "mel,frame", SJ_F32, &mel) && sj_output_open(in_dir("mel.h5"), mel, &out) == SJ_USAGE,
       "spectrograms do not go to HDF5");
    sj_head_free(mel);
    sj_head_free(h);
    sj_head_free(class);
    sj_head_free(model);
    sj_head_free(frames);
}

static void nothing_half(void)
{
    struct sj_head *h = make_head("vector", SJ_F32, classes, "m1");
    struct sj_embeddings_writer *w = NULL;
    float data[4096];
    char key[64];
    struct sj_record r = make_record(h, 1, 6, data, key);
    int status = sj_embeddings_create(in_dir("half.h5"), h, &w) || sj_embeddings_put(w, &r);
    r.class = 2;
    ok(!status && sj_embeddings_put(w, &r) == SJ_USAGE, "a class beyond the head's is refused");
    sj_embeddings_abort(w);
    ok(access(in_dir("half.h5"), F_OK), "an aborted file does not appear");
    sj_head_free(h);
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    round_trips();
    models_match();
    layout();
    blocks();
    refusals();
    nothing_half();
    is_int((long long)sj_key_track("a/b/bass"), 3, "the track of a key ends at its last slash");
    is_int((long long)sj_key_track("song"), 4, "a key without a slash is its track");
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", dir);
    return done() | (system(command) != 0);
}
