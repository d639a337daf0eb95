/* Changes of HDF5 files in place: a whole journal is finished by whoever opens the file, a part of one is dropped. */
#include "h5.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"
#include "tests/tap.h"

enum { PAGE = 4096 };

static char dir[] = "/tmp/sj-journal-XXXXXX";
static char file[64], beside[80], spare[64];

static unsigned char *slurp(const char *path, size_t *n)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    unsigned char *p = f && !fstat(fileno(f), &st) ? calloc((size_t)st.st_size + PAGE, 1) : NULL;
    if (!p || fread(p, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
        abort();
    fclose(f);
    *n = (size_t)st.st_size;
    return p;
}

static void spill(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(p, 1, n, f) != n || fclose(f))
        abort();
}

/* The journal that makes `before` into `after`. */
static unsigned char *difference(const unsigned char *before, size_t have, const unsigned char *after, size_t want,
                                 size_t *size)
{
    struct {
        char magic[8];
        uint64_t pages, size;
        uint32_t crc, unused;
    } head = {"sjpages", 0, want, 0, 0};
    struct {
        uint64_t at;
        uint32_t before, unused;
    } entry = {0};
    unsigned char *j = malloc(sizeof head + (want / PAGE + 1) * (PAGE + sizeof entry)), *to = j + sizeof head, page[PAGE];
    memcpy(head.magic, "sjpages2", 8);
    for (uint64_t at = 0; at < want; at += PAGE) {
        memset(page, 0, PAGE);
        if (at < have)
            memcpy(page, before + at, have - at < PAGE ? have - at : PAGE);
        if (!memcmp(page, after + at, PAGE))
            continue;
        entry.at = at;
        entry.before = sj_crc32c(0, page, PAGE);
        memcpy(to, &entry, sizeof entry);
        memcpy(to + sizeof entry, after + at, PAGE);
        head.crc = sj_crc32c(head.crc, to, PAGE + sizeof entry);
        head.pages++;
        to += PAGE + sizeof entry;
    }
    memcpy(j, &head, sizeof head);
    *size = (size_t)(to - j);
    return j;
}

static int has(const char *name)
{
    struct sj_h5 *h;
    if (sj_h5_open(file, &h)) {
        printf("# %s\n", sj_reason());
        return -1;
    }
    int there = sj_h5_has_attr(h, "/", name);
    sj_h5_close(h);
    return there;
}

int main(void)
{
    struct sj_h5 *h;
    float x[5000] = {1, 2, 3};
    const int64_t n = 5000;
    size_t have, want, size;
    if (!mkdtemp(dir))
        return 1;
    snprintf(file, sizeof file, "%s/a.h5", dir);
    snprintf(spare, sizeof spare, "%s/b.h5", dir);
    snprintf(beside, sizeof beside, "%s.journal", file);
    sj_h5_create(file, &h);
    sj_h5_set_text(h, "/", "first", "one");
    sj_h5_write(h, "/x", SJ_H5_F32, 1, &n, x);
    sj_h5_commit(h);
    unsigned char *before = slurp(file, &have);

    sj_h5_edit(file, &h);
    ok(!sj_h5_set_text(h, "/", "second", "two") && !sj_h5_write(h, "/group/y", SJ_H5_F32, 1, &n, x), "changes");
    ok(has("second") == -1, "a writer keeps others out");
    ok(!sj_h5_commit(h) && has("second") == 1 && access(beside, F_OK), "all after it, and no journal stays");
    unsigned char *after = slurp(file, &want), *journal = difference(before, have, after, want, &size);

    int bad = 0;
    for (size_t cut = 0; cut < size; cut += cut < 64 ? 1 : 997) {
        spill(file, before, have);
        spill(beside, journal, cut);
        bad += has("first") != 1 || has("second") != 0 || !access(beside, F_OK);
    }
    ok(!bad, "a part of a journal is dropped: %d of %zu cuts wrong", bad, size / 997 + 64);
    spill(file, before, have);
    journal[size - 100] ^= 1;
    spill(beside, journal, size);
    ok(has("second") == 0 && access(beside, F_OK), "a damaged one too");
    journal[size - 100] ^= 1;

    bad = 0;
    for (size_t written = 0; written <= want + PAGE; written += PAGE) { /* killed among the file's own pages */
        unsigned char *mixed = malloc(want + PAGE);
        const size_t most = written < want ? written : want;
        memcpy(mixed, before, have);
        memcpy(mixed, after, most);
        spill(file, mixed, most > have ? most : have);
        free(mixed);
        spill(beside, journal, size);
        bad += has("second") != 1 || !access(beside, F_OK);
        size_t got;
        unsigned char *now = slurp(file, &got);
        bad += got != want || memcmp(now, after, want);
        free(now);
    }
    ok(!bad, "a whole one is finished, however far its writer came");
    spill(file, before, have);
    spill(beside, journal, size);
    ok(!sj_h5_edit(file, &h) && sj_h5_has_attr(h, "/", "second") && !sj_h5_commit(h), "by the next writer too");

    spill(file, before, have);
    spill(beside, journal, size);
    unsigned char *other = calloc(have, 1);
    memcpy(other, before, have);
    other[20] ^= 1; /* in the first page, which every flush changes */
    spill(file, other, have);
    ok(sj_h5_open(file, &h) == SJ_INPUT && strstr(sj_reason(), "another state"), "beside another file it is refused");
    size_t got;
    unsigned char *now = slurp(file, &got);
    ok(got == have && !memcmp(now, other, have) && !access(beside, F_OK), "which stays as it is");
    unlink(beside);
    free(now);
    free(other);

    static const char *const wrong[] = {"not an HDF5 file", "cut"};
    for (int i = 0; i < 2; i++) {
        const size_t n_bytes = i ? have / 2 : 100;
        unsigned char *text = calloc(n_bytes, 1);
        memcpy(text, i ? before : (const void *)wrong[0], i ? n_bytes : strlen(wrong[0]));
        spill(file, text, n_bytes);
        int status = sj_h5_edit(file, &h);
        now = slurp(file, &got);
        ok(status == SJ_INPUT && got == n_bytes && !memcmp(now, text, got), "what is refused stays as it is: %s", wrong[i]);
        free(now);
        free(text);
    }
    spill(file, before, have);
    struct sj_h5 *reader;
    sj_h5_open(file, &reader);
    ok(sj_h5_edit(file, &h) == SJ_SYSTEM, "a file that is being read is not changed");
    sj_h5_close(reader);
    now = slurp(file, &got);
    ok(got == have && !memcmp(now, before, have), "and stays as it is");
    free(now);
    ok(!sj_h5_edit(file, &h) && !sj_h5_commit(h), "opened and closed");
    now = slurp(file, &got);
    ok(got == have && !memcmp(now, before, have), "a file stays as it is, too");
    free(now);
    free(before);
    free(after);
    free(journal);
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ok(!system(command), "tidy");
    return done();
}
