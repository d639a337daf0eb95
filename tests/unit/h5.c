/* HDF5 files: round trips, files that appear whole or not at all, damaged files refused with their names. */
#include "h5.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/folder.h"
#include "tests/tap.h"

static int files_in_dir(void)
{
    char command[300];
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", dir);
    FILE *p = popen(command, "r");
    int n = -1;
    if (!p || fscanf(p, "%d", &n) != 1)
        n = -1;
    if (p)
        pclose(p);
    return n;
}

static int count_names(const char *name, int is_group, void *arg)
{
    char *all = arg;
    size_t n = strlen(all);
    snprintf(all + n, 256 - n, "%s%s ", name, is_group ? "/" : "");
    return 0;
}

static void write_everything(void)
{
    struct sj_h5 *h;
    if (!ok(!sj_h5_create(in_dir("a.h5"), &h), "create"))
        return;
    float x[6] = {0, 1, -2, 3.5f, 4, 5};
    int16_t s[8] = {0, 1, 2, 0, 0, 3, 4, 0};
    ok(!sj_h5_write(h, "/w/deep/x", SJ_H5_F32, 2, (int64_t[]){2, 3}, x), "write makes the groups above");
    ok(!sj_h5_write(h, "/w/empty", SJ_H5_F32, 2, (int64_t[]){0, 3}, NULL), "write of nothing");
    ok(!sj_h5_write(h, "/w/one", SJ_H5_F64, 0, NULL, &(double){0.1}), "write a scalar");
    ok(!sj_h5_write(h, "/wave", SJ_H5_I16, 2, (int64_t[]){2, 4}, s), "write integers");
    ok(!sj_h5_make(h, "/rows", SJ_H5_F32, 2, (int64_t[]){0, 3}, 4), "make a growing dataset");
    ok(!sj_h5_append(h, "/rows", SJ_H5_F32, 1, x) && !sj_h5_append(h, "/rows", SJ_H5_F32, 2, x), "append");
    ok(!sj_h5_make(h, "/keys", SJ_H5_TEXT, 1, (int64_t[]){0}, 16), "make growing text");
    ok(!sj_h5_append_text(h, "/keys", 2, (const char *const[]){"a", "stück/bass"}), "append text");
    ok(!sj_h5_append_text(h, "/keys", 1, (const char *const[]){""}), "append empty text");
    ok(!sj_h5_write_text(h, "/names", 2, (const char *const[]){"bass", "drums"}), "write text");
    ok(!sj_h5_set_int(h, "/config", "dim", 48) && !sj_h5_set_int(h, "/config", "dim", -49), "set an integer twice");
    ok(!sj_h5_set_real(h, "/config", "std", 3.569) && !sj_h5_set_text(h, "/", "kind", "test"), "set a real and a text");
    ok(sj_h5_append(h, "/wave", SJ_H5_I16, 1, s) == SJ_INPUT, "a fixed dataset cannot grow");
    ok(sj_h5_write(h, "/w/deep/x", SJ_H5_F32, 1, (int64_t[]){6}, x) == SJ_INPUT, "nothing is written twice");
    ok(access(in_dir("a.h5"), F_OK) && files_in_dir() == 1, "before commit the file has not its name");
    ok(!sj_h5_commit(h), "commit");
    is_int(files_in_dir(), 1, "after commit there is the file only");
}

static int read_box(struct sj_h5 *h, int rank, int row, int column, int rows, int columns, int16_t *out)
{
    return sj_h5_read_box(h, "/wave", SJ_H5_I16, rank, (int64_t[]){row, column}, (int64_t[]){rows, columns}, out);
}

static void read_everything(void)
{
    struct sj_h5 *h;
    is_int(sj_h5_is(in_dir("a.h5")), 1, "the signature is known");
    if (!ok(!sj_h5_open(in_dir("a.h5"), &h), "open"))
        return;
    enum sj_h5_type type;
    int rank;
    int64_t dims[SJ_H5_RANK], n, whole;
    ok(!sj_h5_shape(h, "/w/deep/x", &type, &rank, dims), "shape");
    ok(type == SJ_H5_F32 && rank == 2 && dims[0] == 2 && dims[1] == 3, "is that written");
    ok(!sj_h5_shape(h, "/keys", &type, &rank, dims), "shape of text");
    ok(type == SJ_H5_TEXT && rank == 1 && dims[0] == 3, "is that appended");
    double x[6], one;
    ok(!sj_h5_read(h, "/w/deep/x", SJ_H5_F64, 6, x) && x[2] == -2 && x[3] == 3.5, "f32 reads as f64");
    ok(!sj_h5_read(h, "/w/one", SJ_H5_F64, 1, &one) && one == 0.1, "scalar");
    ok(!sj_h5_read(h, "/w/empty", SJ_H5_F32, 0, NULL), "nothing reads as nothing");
    ok(sj_h5_read(h, "/w/deep/x", SJ_H5_F64, 5, x) == SJ_INPUT && strstr(sj_reason(), "a.h5") &&
           strstr(sj_reason(), "/w/deep/x") && strstr(sj_reason(), "5"),
       "a wrong count names file, dataset and counts");
    ok(sj_h5_read(h, "/w/nope", SJ_H5_F64, 5, x) == SJ_INPUT && strstr(sj_reason(), "has no '/w/nope'"),
       "a missing dataset");
    ok(sj_h5_read(h, "/w", SJ_H5_F64, 5, x) == SJ_INPUT, "a group is no dataset");
    ok(sj_h5_read(h, "/names", SJ_H5_F64, 2, x) == SJ_INPUT, "text is no number");
    int16_t s[8];
    ok(!sj_h5_read(h, "/wave", SJ_H5_I16, 8, s) && s[1] == 1 && s[2] == 2 && s[5] == 3, "integers");
    is_int(read_box(h, 2, 1, 1, 1, 2, s), SJ_OK, "read a box");
    ok(s[0] == 3 && s[1] == 4, "box values");
    is_int(read_box(h, 2, 1, 3, 1, 2, s), SJ_INPUT, "a box outside");
    is_int(read_box(h, 2, -1, 0, 1, 2, s), SJ_INPUT, "a box before");
    is_int(read_box(h, 1, 1, 0, 1, 0, s), SJ_INPUT, "a box of the wrong rank");
    is_int(read_box(h, 2, 2, 4, 0, 0, s), SJ_OK, "an empty box at the end");
    double rows[9];
    ok(!sj_h5_read(h, "/rows", SJ_H5_F64, 9, rows) && rows[5] == -2 && rows[6] == 3.5, "appended rows");
    char **text, *kind;
    ok(!sj_h5_read_text(h, "/keys", &n, &text) && n == 3, "read text");
    ok(!strcmp(text[0], "a") && !strcmp(text[1], "stück/bass") && !strcmp(text[2], ""), "appended text");
    free(text);
    ok(sj_h5_read_text(h, "/wave", &n, &text) == SJ_INPUT, "numbers are no text");
    ok(!sj_h5_get_int(h, "/config", "dim", &whole) && whole == -49, "integer attribute");
    ok(!sj_h5_get_real(h, "/config", "std", &one) && one == 3.569, "real attribute");
    ok(!sj_h5_get_real(h, "/config", "dim", &one) && one == -49, "an integer reads as real");
    ok(sj_h5_get_int(h, "/config", "std", &whole) == SJ_INPUT && strstr(sj_reason(), "std"), "a real is no integer");
    ok(!sj_h5_get_text(h, "/", "kind", &kind) && !strcmp(kind, "test"), "text attribute");
    free(kind);
    ok(sj_h5_get_text(h, "/config", "dim", &kind) == SJ_INPUT, "a number is no text");
    ok(sj_h5_get_text(h, "/config", "nope", &kind) == SJ_INPUT && strstr(sj_reason(), "nope"), "a missing attribute");
    ok(sj_h5_has(h, "/w/deep/x") && sj_h5_has(h, "/w") && !sj_h5_has(h, "/w/x/y/z") && !sj_h5_has(h, "/v"), "has");
    ok(sj_h5_has_attr(h, "/config", "dim") && !sj_h5_has_attr(h, "/config", "x") && !sj_h5_has_attr(h, "/v", "x"),
       "has attr");
    char names[256] = "";
    ok(!sj_h5_list(h, "/w", count_names, names) && !strcmp(names, "deep/ empty one "), "list: %s", names);
    sj_h5_close(h);
}

static int begin(const char *path, struct sj_h5 **h)
{
    int status = sj_h5_create(path, h);
    if (!status)
        status = sj_h5_commit(*h);
    return status ? status : sj_h5_edit(path, h);
}

static void uncommitted_and_edited(void)
{
    struct sj_h5 *h;
    ok(!sj_h5_create(in_dir("b.h5"), &h) && !sj_h5_set_int(h, "/", "n", 1), "create another");
    sj_h5_close(h);
    is_int(files_in_dir(), 1, "without commit nothing is left");
    ok(sj_h5_create(in_dir("no/such/b.h5"), &h) == SJ_SYSTEM && strstr(sj_reason(), "no/such/b.h5"),
       "create without directory");
    ok(sj_h5_edit(in_dir("b.h5"), &h) == SJ_SYSTEM, "edit creates nothing");
    ok(!begin(in_dir("b.h5"), &h) && !sj_h5_make(h, "/k", SJ_H5_TEXT, 1, (int64_t[]){0}, 4), "edit");
    is_int(sj_h5_still(h, in_dir("b.h5")), 1, "the name leads to it");
    is_int(sj_h5_still(h, in_dir("other.h5")), 0, "another does not");
    ok(!sj_h5_append_text(h, "/k", 1, (const char *const[]){"first"}) && !sj_h5_flush(h), "flush");
    sj_h5_close(h);
    ok(!sj_h5_edit(in_dir("b.h5"), &h) && !sj_h5_append_text(h, "/k", 1, (const char *const[]){"second"}),
       "edit again");
    ok(!sj_h5_delete(h, "/k") && !sj_h5_has(h, "/k") && sj_h5_delete(h, "/k") == SJ_INPUT, "delete");
    sj_h5_close(h);
}

/* A writer killed between flushes leaves what the last flush left. */
static void killed(void)
{
    fflush(stdout); /* or the child would print it again */
    pid_t child = fork();
    if (!child) {
        struct sj_h5 *h;
        int64_t row[512] = {7};
        int failed = begin(in_dir("c.h5"), &h) || sj_h5_make(h, "/n", SJ_H5_I64, 2, (int64_t[]){0, 512}, 1) ||
                     sj_h5_append(h, "/n", SJ_H5_I64, 1, row) || sj_h5_flush(h);
        for (int i = 0; !failed && i < 2000; i++) {
            char name[32];
            snprintf(name, sizeof name, "/more/%d", i);
            failed = sj_h5_append(h, "/n", SJ_H5_I64, 1, row) ||
                     sj_h5_write(h, name, SJ_H5_I64, 1, (int64_t[]){512}, row);
        }
        if (failed)
            _exit(1);
        raise(SIGKILL);
    }
    int how;
    waitpid(child, &how, 0);
    struct sj_h5 *h;
    enum sj_h5_type type;
    int rank;
    int64_t dims[SJ_H5_RANK], row[512] = {0};
    ok(WIFSIGNALED(how) && !sj_h5_open(in_dir("c.h5"), &h), "a file killed after a flush opens");
    ok(!sj_h5_shape(h, "/n", &type, &rank, dims) && dims[0] == 1 && !sj_h5_has(h, "/more"),
       "and holds what was flushed");
    ok(!sj_h5_read(h, "/n", SJ_H5_I64, 512, row) && row[0] == 7, "in full");
    sj_h5_close(h);
}

/* A full disk (here: a limit on file size) is a failure of the system, and the old file stays. */
static void full_disk(void)
{
    FILE *f = fopen(in_dir("d.h5"), "w");
    fputs("old", f);
    fclose(f);
    fflush(stdout); /* or the child would print it again */
    pid_t child = fork();
    if (!child) {
        struct sj_h5 *h;
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){100000, 100000});
        fclose(stdout);
        static float x[100000];
        int status = sj_h5_create(in_dir("d.h5"), &h);
        if (!status)
            status = sj_h5_write(h, "/x", SJ_H5_F32, 1, (int64_t[]){100000}, x);
        if (status)
            sj_h5_close(h);
        else
            status = sj_h5_commit(h);
        exit(status == SJ_SYSTEM && strstr(sj_reason(), "d.h5") ? 0 : 1);
    }
    int how;
    waitpid(child, &how, 0);
    char old[4] = "";
    f = fopen(in_dir("d.h5"), "r");
    ok(WIFEXITED(how) && !WEXITSTATUS(how), "a full disk is reported");
    ok(f && fread(old, 1, 3, f) == 3 && !strcmp(old, "old"), "the old file stays");
    if (f)
        fclose(f);
    is_int(files_in_dir(), 4, "and no temporary file");
}

static void damaged(void)
{
    struct sj_h5 *h;
    FILE *f = fopen(in_dir("text.h5"), "w");
    fputs("this is no HDF5 file, but it is longer than a signature\n", f);
    fclose(f);
    ok(sj_h5_open(in_dir("text.h5"), &h) == SJ_INPUT && strstr(sj_reason(), "text.h5"), "text is refused: %s",
       sj_reason());
    ok(sj_h5_edit(in_dir("text.h5"), &h) == SJ_INPUT, "text is not edited");
    is_int(sj_h5_is(in_dir("text.h5")), 0, "text has no signature");
    ok(sj_h5_open(in_dir("absent.h5"), &h) == SJ_SYSTEM && strstr(sj_reason(), "absent.h5"), "absent: %s", sj_reason());
    ok(sj_h5_open(dir, &h) != SJ_OK, "a directory is refused");
    struct stat st;
    stat(in_dir("a.h5"), &st);
    char *bytes = malloc((size_t)st.st_size);
    f = fopen(in_dir("a.h5"), "r");
    size_t n = fread(bytes, 1, (size_t)st.st_size, f);
    fclose(f);
    int opened = 0;
    for (size_t cut = 0; cut < n; cut += 97) {
        f = fopen(in_dir("cut.h5"), "w");
        fwrite(bytes, 1, cut, f);
        fclose(f);
        int status = sj_h5_open(in_dir("cut.h5"), &h);
        if (!status)
            sj_h5_close(h);
        opened += status != SJ_INPUT || !strstr(sj_reason(), "cut.h5");
    }
    is_int(opened, 0, "every cut file is refused by name");
    free(bytes);
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    write_everything();
    read_everything();
    uncommitted_and_edited();
    killed();
    full_disk();
    damaged();
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ok(!system(command), "tidy");
    return done();
}
