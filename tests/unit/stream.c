/* Streams: what is written is read, in every type and rank; concatenation; heads; what the writer refuses. */
#include "stream.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/streams.h"
#include "tests/tap.h"

enum { RECORDS = 70, SIZE = 1 << 20 };

static const char *const files[] = {"a", "b", "c", NULL};
static char a[64], b[64], c[64];

static int same_record(const struct sj_record *x, const struct sj_record *y)
{
    return !strcmp(x->key, y->key) && x->role == y->role && x->class == y->class && x->position == y->position &&
           x->part == y->part && x->last == y->last && x->rank == y->rank &&
           !memcmp(x->dims, y->dims, sizeof x->dims) &&
           x->bytes == y->bytes && !memcmp(x->data, y->data, x->bytes);
}

/* Reads `path` and compares with what streams_write wrote. */
static int reads_back(const char *path, const struct sj_head *head, int n, int size)
{
    struct sj_reader *r;
    const struct sj_record *got;
    void *data = malloc(SIZE);
    char key[64];
    if (!data || sj_reader_open(1, &path, &r))
        return 0;
    int same = !sj_head_same(head, "", sj_reader_head(r), "");
    for (int i = 0; i < n && same; i++) {
        struct sj_record want = streams_record(head, i, size, data, key);
        same = !sj_reader_next(r, &got) && got && same_record(&want, got) && !((uintptr_t)got->data % 64);
    }
    same = same && !sj_reader_next(r, &got) && !got && !sj_reader_next(r, &got) && !got;
    sj_reader_close(r);
    free(data);
    return same;
}

static void round_trips(void)
{
    for (enum sj_dtype t = SJ_F32; t <= SJ_I16; t++) {
        int same = 1;
        for (int rank = 0; rank <= SJ_RANK; rank++) {
            struct sj_head *head = streams_head(t, rank);
            same &= !streams_write(a, head, RECORDS, 0) && reads_back(a, head, RECORDS, 0);
            sj_head_free(head);
        }
        ok(same, "%s of rank 0 to 8", sj_dtype_name(t));
    }
    static const int sizes[] = {1, 5000, 16000, 16384, 17000, 60000, 66000, 131072, 250000};
    struct sj_head *head = streams_head(SJ_F32, 1);
    int same = !streams_write(a, head, 0, 0) && reads_back(a, head, 0, 0);
    ok(same, "a stream of no records");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        ok(!streams_write(a, head, 9, sizes[i]) && reads_back(a, head, 9, sizes[i]), "records of %d values", sizes[i]);
    sj_head_free(head);
}

/* Small and large records by turns through a pipe, with short writes: nothing may depend on how the reads fall. */
static void pipe_of_pieces(void)
{
    struct sj_head *head = streams_head(SJ_I16, 1);
    struct sj_writer *w = NULL;
    char *data = malloc(SIZE), key[64];
    int wrote = !sj_writer_open(a, head, &w);
    for (int i = 0; i < 12 && wrote; i++) {
        struct sj_record r = streams_record(head, i, i % 3 ? i : 90000 * (i + 1) / 3, data, key);
        wrote = !sj_writer_put(w, &r);
    }
    wrote = wrote && !sj_writer_end(w);
    size_t size;
    unsigned char *bytes = streams_load(a, &size);
    const char *paths[] = {a, b};
    int n, m;
    uint32_t sum, sum_pipe;
    ok(wrote && !streams_read(1, paths, &n, &sum) && n == 12, "large and small records by turns");
    mkfifo(b, 0600);
    fflush(stdout); /* or the child would print it again */
    pid_t child = fork();
    if (!child) {
        int fd = open(b, O_WRONLY);
        struct sj_rng rng = sj_rng(9, 9);
        for (size_t at = 0, step; at < size; at += step) {
            step = sj_rng_below(&rng, 30000) + 1;
            step = step < size - at ? step : size - at;
            if (write(fd, bytes + at, step) != (ssize_t)step)
                _exit(1);
        }
        _exit(0);
    }
    ok(!streams_read(1, paths + 1, &m, &sum_pipe) && m == n && sum == sum_pipe, "through a pipe in odd pieces");
    waitpid(child, NULL, 0);
    unlink(b);
    free(bytes);
    free(data);
    sj_head_free(head);
}

static void append(const char *to, const char *const *from, int n)
{
    FILE *out = fopen(to, "wb");
    for (int i = 0; i < n; i++) {
        size_t size;
        unsigned char *bytes = streams_load(from[i], &size);
        fwrite(bytes, 1, size, out);
        free(bytes);
    }
    fclose(out);
}

static void concatenation(void)
{
    struct sj_head *head = streams_head(SJ_F32, 2), *other = streams_head(SJ_F32, 2);
    const char *both[] = {a, b}, *joined[] = {c};
    int n;
    uint32_t one, two;
    streams_write(a, head, 5, 0);
    streams_write(b, head, 3, 0);
    ok(!streams_read(2, both, &n, &one) && n == 8, "two files are one stream");
    append(c, both, 2);
    ok(!streams_read(1, joined, &n, &two) && n == 8 && one == two, "so are their bytes in one file");

    sj_json_set(other->params, "sample_rate_hz", sj_json_int(8000));
    streams_write(b, other, 3, 0);
    append(c, both, 2);
    is_int(streams_read(2, both, &n, &one), SJ_INPUT, "two files with different heads");
    ok(strstr(sj_reason(), "params.sample_rate_hz is 8000, not 16000") && strstr(sj_reason(), a), "says: %s",
       sj_reason());
    is_int(n, 5, "all records before it were read");
    is_int(streams_read(1, joined, &n, &one), SJ_INPUT, "the same in one file");
    streams_save(b, "junk", 4);
    append(c, both, 2);
    is_int(streams_read(1, joined, &n, &one), SJ_INPUT, "bytes after the END mark");
    sj_head_free(head);
    sj_head_free(other);
}

static void different_heads(void)
{
    struct sj_head *head = streams_head(SJ_F32, 2), *copy = NULL;
    struct { const char *want; } seen[] = {{"kind is "}, {"dims[1] is "}, {"dtype is "}, {"classes[0] is "},
                                           {"params.x is "}, {"params.deep.y is 2, not 1"}, {"provenance is "}};
    sj_json *deep = sj_json_object();
    sj_json_set(deep, "y", sj_json_int(1));
    sj_json_set(head->params, "deep", deep);
    for (int i = 0; i < 7; i++) {
        static const char *const names[] = {"vocals", "drums"};
        ok(!sj_head_copy(head, &copy) && !sj_head_same(head, "", copy, ""), "a copy is equal");
        switch (i) {
        case 0: copy->kind[0] = 'x'; break;
        case 1: copy->dim[1][0] = 'x'; break;
        case 2: copy->dtype = SJ_I16; break;
        case 3: sj_head_set_classes(copy, 2, names); break;
        case 4: sj_json_set(copy->params, "x", sj_json_int(1)); break;
        case 5: sj_json_set((sj_json *)sj_json_get(copy->params, "deep"), "y", sj_json_int(2)); break;
        case 6: sj_json_append(copy->provenance, sj_json_object()); break;
        }
        ok(sj_head_same(head, "A", copy, "B") == SJ_INPUT && strstr(sj_reason(), seen[i].want), "%s", sj_reason());
        sj_head_free(copy);
    }
    sj_head_free(head);
}

static void heads(void)
{
    struct sj_head *head = NULL;
    static const char *const twice[] = {"bass", "bass"}, *const latin[] = {"b\xe4ss"};
    static const char *const bad[] = {"{}", "[]",
        "{\"kind\":\"wave\",\"dims\":[],\"dtype\":\"f32\",\"classes\":[],\"params\":{},\"provenance\":[]}",
        "{\"kind\":\"wave/1\",\"dims\":[1],\"dtype\":\"f32\",\"classes\":[],\"params\":{},\"provenance\":[]}",
        "{\"kind\":\"wave/1\",\"dims\":[],\"dtype\":\"f64\",\"classes\":[],\"params\":{},\"provenance\":[]}",
        "{\"kind\":\"wave/1\",\"dims\":[],\"dtype\":\"f32\",\"classes\":[\"a\",\"a\"],\"params\":{},\"provenance\":[]}",
        "{\"kind\":\"wave/1\",\"dims\":[],\"dtype\":\"f32\",\"classes\":[],\"params\":[],\"provenance\":[]}",
        "{\"kind\":\"wave/1\",\"dims\":[],\"dtype\":\"f32\",\"classes\":[],\"params\":{},\"provenance\":[],\"more\":1}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sj_json *json = NULL;
        ok(!sj_json_parse(bad[i], strlen(bad[i]), &json) && sj_head_from_json(json, &head) == SJ_INPUT, "%s",
           sj_reason());
        sj_json_free(json);
    }
    ok(sj_head_new("wave", "", SJ_F32, &head) && sj_head_new("a_long_kind_name/1", "", SJ_F32, &head) &&
       sj_head_new("x/1", "a,", SJ_F32, &head) && sj_head_new("x/1", "a,b,c,d,e,f,g,h,i", SJ_F32, &head) &&
       sj_head_new("x/1", "", (enum sj_dtype)9, &head), "heads that cannot be made");
    head = streams_head(SJ_F32, 1);
    int64_t i = 0;
    double r = 0;
    ok(sj_head_set_classes(head, 2, twice) == SJ_INPUT && sj_head_set_classes(head, 1, latin) == SJ_INPUT &&
       sj_head_class(head, "drums") == 1 && sj_head_class(head, "x") == SJ_CLASS_NONE, "class names");
    ok(!sj_head_int(head, "sample_rate_hz", &i) && i == 16000 &&
       !sj_head_real(head, "sample_rate_hz", &r) && r == 16000 &&
       sj_head_int(head, "hop_samples", &i) == SJ_INPUT && strstr(sj_reason(), "hop_samples"), "parameters");
    is_int(sj_head_want(head, "a.sjt", "wave/1"), SJ_INPUT, "another kind");
    is_text(sj_reason(), "'a.sjt' carries 'test/1' where 'wave/1' is wanted", "says which");
    sj_head_free(head);
}

static void refused_records(void)
{
    struct sj_head *head = streams_head(SJ_F32, 1);
    struct sj_writer *w = NULL;
    float x[2] = {0};
    char long_key[SJ_KEY_BYTES + 2];
    memset(long_key, 'k', sizeof long_key);
    long_key[SJ_KEY_BYTES + 1] = 0;
    const struct sj_record good = {.key = "k", .class = 1, .rank = 1, .dims = {2}, .data = x, .bytes = 8};
    struct sj_record bad[8];
    for (int i = 0; i < 8; i++)
        bad[i] = good;
    bad[0].rank = 2;
    bad[1].class = 2;
    bad[2].class = -2;
    bad[3].dims[0] = 0;
    bad[4].dims[0] = INT64_MIN;
    bad[5].bytes = 4;
    bad[6].role = (enum sj_role)4;
    bad[7].key = long_key;
    int refused = 1, n;
    uint32_t sum;
    const char *path = a;
    ok(!sj_writer_open(a, head, &w), "a writer");
    for (int i = 0; i < 8; i++)
        refused &= sj_writer_put(w, &bad[i]) == SJ_USAGE;
    ok(refused, "records that do not fit the head: %s", sj_reason());
    bad[7] = good;
    bad[7].key = long_key + 1;
    ok(!sj_writer_put(w, &bad[7]) && !sj_writer_end(w) && !streams_read(1, &path, &n, &sum) && n == 1,
       "the longest key");
    sj_head_free(head);
}

static void files_appear_whole(void)
{
    struct sj_head *head = streams_head(SJ_F32, 1);
    struct sj_writer *w = NULL;
    unlink(a);
    ok(!sj_writer_open(a, head, &w) && access(a, F_OK), "no file before the end");
    sj_writer_abort(w);
    ok(access(a, F_OK), "none after giving up");
    is_int(sj_writer_open("/nowhere/a", head, &w), SJ_SYSTEM, "a folder that is not there");
    is_int(sj_writer_open("/tmp", head, &w), SJ_SYSTEM, "a folder as output");
    if (access("/dev/full", W_OK))
        skip("a full device", "no /dev/full");
    else
        is_int(streams_write("/dev/full", head, 1, 0), SJ_SYSTEM, "a full device");
    is_int(streams_write("/dev/null", head, 1, 0), SJ_OK, "a device that takes everything");
    struct stat st;
    ok(!stat("/dev/null", &st) && S_ISCHR(st.st_mode), "and stays one");
    signal(SIGPIPE, SIG_IGN);
    int ends[2], out = dup(STDOUT_FILENO);
    fflush(stdout);
    if (!pipe(ends)) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        int status = streams_write(NULL, head, 1, 0);
        dup2(out, STDOUT_FILENO);
        is_int(status, SJ_SYSTEM, "a closed pipe");
        is_text(sj_reason(), "cannot write 'standard output': Broken pipe", "says so");
    }
    close(out);
    signal(SIGPIPE, SIG_DFL);
    sj_head_free(head);
}

static void elements(void)
{
    static const struct { float in; uint16_t f16, bf16; } half[] = {
        {0, 0, 0}, {-0.0f, 0x8000, 0x8000}, {1, 0x3c00, 0x3f80}, {-2, 0xc000, 0xc000}, {65504, 0x7bff, 0x4780},
        {65519.996f, 0x7bff, 0x4780}, {65520, 0x7c00, 0x4780}, {INFINITY, 0x7c00, 0x7f80}, {0x1p-24f, 0x0001, 0x3380},
        {0x1p-25f, 0x0000, 0x3300}, {0x1.8p-25f, 0x0001, 0x3340}, {0x1.8p-24f, 0x0002, 0x33c0},
        {0x1.ff8p-15f, 0x03ff, 0x3880},
        {0x1p-14f, 0x0400, 0x3880}, {1 + 0x1p-11f, 0x3c00, 0x3f80}, {1 + 0x3p-11f, 0x3c02, 0x3f80},
        {1 + 0x1p-8f, 0x3c04, 0x3f80}, {1 + 0x3p-8f, 0x3c0c, 0x3f82}, {0x1.fffffep127f, 0x7c00, 0x7f80}};
    int same = 1;
    for (size_t i = 0; i < sizeof half / sizeof *half; i++) {
        uint16_t f16, bf16;
        sj_dtype_from_f32(SJ_F16, 1, &half[i].in, &f16);
        sj_dtype_from_f32(SJ_BF16, 1, &half[i].in, &bf16);
        same &= ok(f16 == half[i].f16 && bf16 == half[i].bf16, "%a is %04x, %04x", (double)half[i].in, f16, bf16);
    }
    for (int t = SJ_F16; t <= SJ_I16; t++) {
        int back = 1;
        for (int i = 0; i < 65536; i++) {
            uint16_t in = (uint16_t)i, out;
            float f;
            sj_dtype_to_f32((enum sj_dtype)t, 1, &in, &f);
            sj_dtype_from_f32((enum sj_dtype)t, 1, &f, &out);
            back &= f != f ? (out & 0x7fff) > (t == SJ_F16 ? 0x7c00 : 0x7f80) : in == out;
        }
        ok(back, "every %s to f32 and back", sj_dtype_name((enum sj_dtype)t));
    }
    const float audio[] = {1, -1, 2, -2, NAN, 0.5f, 0x1.8p-15f};
    const int16_t want[] = {32767, -32768, 32767, -32768, 0, 16384, 2};
    int16_t got[7];
    sj_dtype_from_f32(SJ_I16, 7, audio, got);
    ok(!memcmp(got, want, sizeof got), "audio is clipped and rounded");
    enum sj_dtype t;
    enum sj_role r;
    ok(!sj_dtype_parse("bf16", &t) && t == SJ_BF16 && sj_dtype_parse("f64", &t) && !sj_dtype_name((enum sj_dtype)0) &&
       !sj_role_parse("rest", &r) && r == SJ_ROLE_REST && sj_role_parse("", &r) && !sj_role_name((enum sj_role)4),
       "names");
}

int main(void)
{
    if (!ok(streams_begin(), "a temporary folder"))
        return done();
    streams_path(a, "a");
    streams_path(b, "b");
    streams_path(c, "c");
    round_trips();
    pipe_of_pieces();
    concatenation();
    different_heads();
    heads();
    refused_records();
    files_appear_whole();
    elements();
    ok(streams_end(files), "nothing else is left behind");
    return done();
}
