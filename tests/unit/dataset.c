/* Training sets: what goes in comes out, interrupted and continued, extended, killed. */
#include "dataset.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "h5.h"
#include "tests/folder.h"
#include "tests/tap.h"

static const char *const four[] = {"bass", "drums", "other", "vocals"};
enum { LONGEST = 3 * SJ_DATASET_BLOCK + 5 };

/* Track t: its length, stems and samples. */
static int64_t length(int t) { return t % 4 == 3 ? 1 : LONGEST - t % 4 * (SJ_DATASET_BLOCK / 2); }
static int stems(int t) { return 1 + t % 4; }
static int16_t value(int t, int s, int64_t i) { return (int16_t)((i * 7919 + t * 31 + s * 1009) % 65536 - 32768); }

static int add(struct sj_dataset_writer *w, int t)
{
    static int16_t audio[4 * LONGEST];
    static const int32_t class[4] = {0, 1, 2, 3};
    int64_t n = length(t);
    char key[32], source[32];
    for (int s = 0; s < stems(t); s++)
        for (int64_t i = 0; i < n; i++)
            audio[s * n + i] = value(t, s, i);
    snprintf(key, sizeof key, "stück %d", t);
    snprintf(source, sizeof source, "hash-%d", t);
    return sj_dataset_writer_add(w, key, source, stems(t), class + 4 - stems(t), n, audio);
}

static int has(struct sj_dataset_writer *w, int t)
{
    char key[32], source[32];
    int found = -1;
    snprintf(key, sizeof key, "stück %d", t);
    snprintf(source, sizeof source, "hash-%d", t);
    sj_dataset_writer_has(w, key, source, &found);
    return found;
}

/* The number of tracks of a set that holds tracks 0, 1, 2 ...; -1 when anything is wrong. */
static int verify(const char *path)
{
    struct sj_dataset *d;
    static int16_t x[LONGEST];
    if (sj_dataset_open(path, &d)) {
        printf("# %s\n", sj_reason());
        return -1;
    }
    int n = (int)sj_dataset_tracks(d), bad = 0;
    for (int t = 0; t < n; t++) {
        const struct sj_dataset_track *k = sj_dataset_track(d, t);
        char key[32];
        snprintf(key, sizeof key, "stück %d", t);
        bad += strcmp(k->key, key) || k->samples != length(t) || k->stems != stems(t);
        for (int s = 0; s < k->stems && !bad; s++) {
            bad += k->class[s] != 4 - stems(t) + s || sj_dataset_read(d, t, s, 0, k->samples, x);
            for (int64_t b = 0; b < k->blocks; b++) {
                int most = 0;
                for (int64_t i = b * SJ_DATASET_BLOCK; i < k->samples && i < (b + 1) * SJ_DATASET_BLOCK; i++) {
                    bad += x[i] != value(t, s, i);
                    most = abs(x[i]) > most ? abs(x[i]) : most;
                }
                bad += k->peak[s * k->blocks + b] != (most > 32767 ? 32767 : most);
            }
        }
    }
    sj_dataset_close(d);
    return bad ? -1 : n;
}

static void build_and_extend(void)
{
    struct sj_dataset_writer *w;
    char path[300];
    snprintf(path, sizeof path, "%s/a.h5", dir);
    ok(!sj_dataset_writer_open(path, 4, four, "[]", &w), "a new set");
    ok(!add(w, 0) && !add(w, 1), "two tracks");
    is_int(sj_dataset_writer_close(w, SJ_INPUT), SJ_INPUT, "given up");
    ok(access(path, F_OK) && !access(in_dir("a.h5.part"), F_OK), "leaves only its part");
    is_int(verify(in_dir("a.h5.part")), 2, "which is a set");
    ok(!sj_dataset_writer_open(path, 4, four, "[]", &w) && sj_dataset_writer_tracks(w) == 2, "it is continued");
    ok(has(w, 0) == 1 && has(w, 1) == 1 && has(w, 2) == 0, "what it has is known");
    int found;
    ok(sj_dataset_writer_has(w, "stück 1", "other", &found) == SJ_INPUT && strstr(sj_reason(), "other audio"), "%s",
       sj_reason());
    ok(!add(w, 2) && !sj_dataset_writer_close(w, SJ_OK), "and finished");
    ok(access(in_dir("a.h5.part"), F_OK), "under its name only");
    is_int(verify(path), 3, "all is there");
    ok(!sj_dataset_writer_open(path, 4, four, "[]", &w) && !add(w, 3) && !add(w, 4) &&
           !sj_dataset_writer_close(w, SJ_OK),
       "a set is extended");
    is_int(verify(path), 5, "in place");
    ok(sj_dataset_writer_open(path, 3, four, "[]", &w) == SJ_INPUT && strstr(sj_reason(), "4 classes"), "%s",
       sj_reason());
    struct sj_dataset *d;
    int16_t x[3], *y = malloc(2 * LONGEST);
    sj_dataset_open(path, &d);
    ok(!sj_dataset_read(d, 1, 1, 8191, 3, x) && x[0] == value(1, 1, 8191) && x[2] == value(1, 1, 8193), "a piece");
    ok(sj_dataset_read(d, 1, 1, length(1) - 2, 3, x) == SJ_USAGE && sj_dataset_read(d, 0, 0, -1, 1, x) == SJ_USAGE &&
       sj_dataset_read(d, 0, 1, 0, 1, x) == SJ_USAGE, "outside there is none");
    if (truncate(path, 5000))
        ok(0, "truncate");
    ok(sj_dataset_read(d, 0, 0, 0, LONGEST, y) == SJ_INPUT && strstr(sj_reason(), "shorter"), "%s", sj_reason());
    sj_dataset_close(d);
    free(y);
    ok(sj_dataset_open(path, &d) == SJ_INPUT && strstr(sj_reason(), "a.h5"), "%s", sj_reason());
}

static void nothing_and_links(void)
{
    struct sj_dataset_writer *w;
    ok(!sj_dataset_writer_open(in_dir("none.h5"), 4, four, "[]", &w) && !access(in_dir("none.h5.part"), F_OK),
       "a set without tracks");
    is_int(sj_dataset_writer_close(w, SJ_INPUT), SJ_INPUT, "given up");
    ok(access(in_dir("none.h5"), F_OK) && access(in_dir("none.h5.part"), F_OK), "leaves nothing");
    ok(!symlink("target.h5", in_dir("link.h5")) && !sj_dataset_writer_open(in_dir("link.h5"), 4, four, "[]", &w) &&
       !add(w, 0) && !sj_dataset_writer_close(w, SJ_OK) && verify(in_dir("target.h5")) == 1, "through a link");
}

static void killed_at_any_time(void)
{
    enum { TRACKS = 60, KILLS = 40 };
    char path[300];
    snprintf(path, sizeof path, "%s/k.h5", dir);
    int kills = 0, bad = 0, before = 0;
    for (unsigned round = 0; round <= KILLS && access(path, F_OK); round++) {
        fflush(stdout); /* or the child would print it again */
        pid_t child = fork();
        if (!child) {
            struct sj_dataset_writer *w;
            int status = sj_dataset_writer_open(path, 4, four, "[]", &w);
            for (int t = 0; t < TRACKS && !status; t++)
                if (!has(w, t))
                    status = add(w, t);
            if (status)
                fprintf(stderr, "# %s\n", sj_reason());
            _exit(status || sj_dataset_writer_close(w, SJ_OK));
        }
        int how;
        usleep(3000 + round * 7919 % 10000);
        if (round < KILLS)
            kill(child, SIGKILL);
        waitpid(child, &how, 0);
        if (WIFSIGNALED(how)) {
            kills++;
            int n = access(in_dir("k.h5.part"), F_OK) ? 0 : verify(in_dir("k.h5.part"));
            if (n < before && kills > 1 && access(path, F_OK))
                bad++;
            before = n > before ? n : before;
        } else {
            bad += WEXITSTATUS(how) != 0;
        }
    }
    ok(kills > 3 && !bad, "killed %d times, %d times damaged", kills, bad);
    is_int(verify(path), TRACKS, "and whole in the end");
}

static void foreign(void)
{
    struct sj_dataset *d;
    struct sj_dataset_writer *w;
    struct sj_h5 *h;
    sj_h5_create(in_dir("model.h5"), &h);
    sj_h5_set_text(h, "/", "kind", "sj-model/1");
    sj_h5_commit(h);
    ok(sj_dataset_open(in_dir("model.h5"), &d) == SJ_INPUT && strstr(sj_reason(), "sj-model/1"), "%s", sj_reason());
    ok(sj_dataset_writer_open(in_dir("model.h5"), 4, four, "[]", &w) == SJ_INPUT, "%s", sj_reason());
    sj_h5_create(in_dir("empty.h5"), &h);
    sj_h5_commit(h);
    ok(sj_dataset_open(in_dir("empty.h5"), &d) == SJ_INPUT && strstr(sj_reason(), "not a data set"), "%s", sj_reason());
    ok(sj_dataset_writer_open(in_dir("empty.h5"), 4, four, "[]", &w) == SJ_INPUT, "%s", sj_reason());
    sj_dataset_writer_open(in_dir("rate.h5"), 4, four, "[]", &w);
    sj_dataset_writer_close(w, SJ_OK);
    sj_h5_edit(in_dir("rate.h5"), &h);
    sj_h5_set_int(h, "/", "sample_rate_hz", 44100);
    sj_h5_commit(h);
    ok(sj_dataset_open(in_dir("rate.h5"), &d) == SJ_INPUT && strstr(sj_reason(), "sample rate"), "%s", sj_reason());
    ok(sj_dataset_writer_open(in_dir("rate.h5"), 4, four, "[]", &w) == SJ_INPUT, "%s", sj_reason());
    /* a set whose audio was stored again in another way */
    sj_dataset_writer_open(in_dir("r.h5"), 4, four, "[]", &w);
    add(w, 0);
    sj_dataset_writer_close(w, SJ_OK);
    sj_h5_edit(in_dir("r.h5"), &h);
    sj_h5_delete(h, "/track/00000000/audio");
    sj_h5_make(h, "/track/00000000/audio", SJ_H5_I16, 2, (int64_t[]){1, LONGEST}, 1);
    sj_h5_commit(h);
    ok(sj_dataset_open(in_dir("r.h5"), &d) == SJ_INPUT && strstr(sj_reason(), "one piece"), "%s", sj_reason());
}

/* A set of two tracks with one member of the second stored anew. */
static void refused(const char *member, enum sj_h5_type type, int rank, const int64_t *dims, const void *data,
                    const char *word)
{
    struct sj_dataset *d;
    struct sj_dataset_writer *w;
    struct sj_h5 *h;
    char path[64];
    unlink(in_dir("t.h5"));
    sj_dataset_writer_open(in_dir("t.h5"), 4, four, "[]", &w);
    add(w, 0);
    add(w, 1);
    sj_dataset_writer_close(w, SJ_OK);
    sj_h5_edit(in_dir("t.h5"), &h);
    snprintf(path, sizeof path, "/track/00000001/%s", member);
    sj_h5_delete(h, path);
    sj_h5_write(h, path, type, rank, dims, data);
    sj_h5_commit(h);
    ok(sj_dataset_open(in_dir("t.h5"), &d) == SJ_INPUT && strstr(sj_reason(), "00000001") && strstr(sj_reason(), word),
       "%s", sj_reason());
}

static void damaged_tables(void)
{
    const int64_t two = 2, blocks[] = {2, 3};
    static const float peaks[6] = {NAN, 1, 1, 1, 1, 1};
    static const int16_t negative[6] = {1, 1, -1, 1, 1, 1}, samples[2] = {0};
    refused("class", SJ_H5_I32, 1, &two, (const int32_t[]){3, 2}, "ascending");
    refused("class", SJ_H5_I32, 1, &two, (const int32_t[]){2, 2}, "ascending");
    refused("class", SJ_H5_I32, 1, &two, (const int32_t[]){2, 4}, "ascending");
    refused("class", SJ_H5_I32, 1, &two, (const int32_t[]){-1, 2}, "ascending");
    refused("peak", SJ_H5_F32, 2, blocks, peaks, "int16");
    refused("peak", SJ_H5_I16, 2, blocks, negative, "peak");
    refused("audio", SJ_H5_I16, 1, &two, samples, "fit");
}

static void gaps(void)
{
    struct sj_dataset *d;
    struct sj_dataset_writer *w;
    struct sj_h5 *h;
    sj_dataset_writer_open(in_dir("g.h5"), 4, four, "[]", &w);
    for (int t = 0; t < 3; t++)
        add(w, t);
    sj_dataset_writer_close(w, SJ_OK);
    sj_h5_edit(in_dir("g.h5"), &h);
    sj_h5_delete(h, "/track/00000001");
    sj_h5_commit(h);
    ok(sj_dataset_open(in_dir("g.h5"), &d) == SJ_INPUT && strstr(sj_reason(), "none '00000001'"), "%s", sj_reason());
    ok(sj_dataset_writer_open(in_dir("g.h5"), 4, four, "[]", &w) == SJ_INPUT, "nor is it extended");
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    build_and_extend();
    nothing_and_links();
    killed_at_any_time();
    foreign();
    damaged_tables();
    gaps();
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ok(!system(command), "tidy");
    return done();
}
