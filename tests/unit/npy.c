/* NPY files: written and read again, and what NumPy writes in other versions, types and orders. (NumPy itself reads
 * ours in tests/view.t.) */
#include "npy.h"

#include "tests/streams.h"
#include "tests/tap.h"

static const char *const files[] = {"a.npy", NULL};
static char path[64];

static void round_trip(enum sj_dtype t)
{
    struct sj_npy_writer *w = NULL;
    struct sj_npy *a = NULL;
    int64_t dims[SJ_RANK] = {3, 5};
    float in[4][15], out[15];
    char row[60];
    unlink(path);
    int same = !sj_npy_create(path, t, 2, dims, &w);
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 15; k++)
            in[i][k] = (float)(i - k) / 8;
        sj_dtype_from_f32(t, 15, in[i], row);
        same = same && !sj_npy_put(w, row);
    }
    same = same && access(path, F_OK) && !sj_npy_commit(w);
    if (t == SJ_I16) {
        is_int(sj_npy_open(path, &a), SJ_INPUT, "i16 is written and not read");
        return;
    }
    memset(dims, 0, sizeof dims);
    same = same && sj_npy_is(path) && !sj_npy_open(path, &a) && sj_npy_rows(a) == 4 && sj_npy_shape(a, dims) == 2 &&
           dims[0] == 3 && dims[1] == 5;
    for (int i = 0; i < 4; i++)
        same = same && !sj_npy_next(a, out) && !memcmp(out, in[i], sizeof out);
    ok(same && sj_npy_next(a, out) == SJ_USAGE, "%s: %s", sj_dtype_name(t), sj_reason());
    sj_npy_close(a);
}

/* The status of a file with this header's dictionary, in this version, before `bytes` of values. */
static int status_of(const char *text, int version, size_t bytes)
{
    unsigned char file[512] = {0x93, 'N', 'U', 'M', 'P', 'Y', (unsigned char)version, 0, (unsigned char)strlen(text)};
    size_t start = version > 1 ? 12 : 10;
    struct sj_npy *a = NULL;
    float row[64];
    memcpy(file + start, text, strlen(text));
    streams_save(path, file, start + strlen(text) + bytes);
    int status = sj_npy_open(path, &a);
    for (int64_t i = 0; !status && i < sj_npy_rows(a); i++)
        status = sj_npy_next(a, row);
    sj_npy_close(a);
    return status;
}

#define DICT(type, order, shape) "{'descr': '" type "', 'fortran_order': " order ", 'shape': " shape ", }"

static void others(void)
{
    is_int(status_of(DICT("<f8", "False", "(2, 3)"), 1, 48), SJ_OK, "f8, version 1");
    is_int(status_of(DICT("<f4", "False", "(2, 3)"), 2, 24), SJ_OK, "f4, version 2");
    is_int(status_of(DICT("<f2", "False", "(2, 3)"), 3, 12), SJ_OK, "f2, version 3");
    is_int(status_of(DICT("<f4", "False", "(0, 3)"), 1, 0), SJ_OK, "no rows");
    static const char *const bad[] = {
        DICT("<f4", "True", "(2, 3)"),   DICT(">f4", "False", "(2, 3)"), DICT("<f4", "False", "(2,)"),
        DICT("<f4", "False", "()"),      DICT("<f4", "False", "2"),      DICT("<f4", "False", "(2, 0)"),
        DICT("<f4", "False", "(2, -1)"), DICT("<f4", "False", "(2, 99999999999, 99999999999)"),
        DICT("<f4", "False", "(1, 1, 1, 1, 1, 1, 1, 1, 1)"), "{}", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ok(status_of(bad[i], 1, 24) == SJ_INPUT, "%s: %s", bad[i], sj_reason());
    is_int(status_of(DICT("<f4", "False", "(2, 3)"), 1, 23), SJ_INPUT, sj_reason());
    is_int(status_of(DICT("<f4", "False", "(2, 3)"), 4, 24), SJ_INPUT, "version 4");
    streams_save(path, "\x93NUMPY\1\0\xff", 9);
    struct sj_npy *a;
    is_int(sj_npy_open(path, &a), SJ_INPUT, "nothing but a magic number");
    streams_save(path, "\x93NUMPY\1\0\xff\xff{", 11);
    is_int(sj_npy_open(path, &a), SJ_INPUT, "cut within its header");
    is_int(sj_npy_open("/nowhere", &a), SJ_SYSTEM, "no file");
    ok(!sj_npy_is("/nowhere") && !sj_npy_is("/"), "neither nothing nor a folder is one");
}

int main(void)
{
    if (!ok(streams_begin(), "a temporary folder"))
        return done();
    streams_path(path, "a.npy");
    for (enum sj_dtype t = SJ_F32; t <= SJ_I16; t++)
        round_trip(t);
    others();
    ok(streams_end(files), "nothing else is left behind");
    return done();
}
