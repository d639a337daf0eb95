/* sj-render: symbolic music to aligned stems.   MIDI files -> sj-render -> dataset.h5 | folders of WAV files */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "apart.h"
#include "crc32c.h"
#include "dataset.h"
#include "jobs.h"
#include "render.h"
#include "rng.h"
#include "tool.h"
#include "wav.h"

enum { FONTS = 32, PATHS = 4096, KEY = 200, LIMIT_S = 300 };
#define MEMORY_BYTES ((size_t)3 << 30)
#define FILE_BYTES ((int64_t)16 << 20)

static const char *const names[] = {"bass", "drums", "other", "vocals"};
enum { CLASSES = 4 };
static const char *folder, *dataset, *fonts = "/usr/share/sounds/sf2/FluidR3_GM.sf2";
static double seconds = 600;
static int augment;
static int64_t takes = 1;

static const struct sj_option options[] = {
    {SJ_TEXT, 0, "dataset", &dataset, 0, "FILE", "make or extend the training set FILE", 0, 0, NULL, NULL, 0, NULL},
    {SJ_TEXT, 0, "folder", &folder, 0, "DIR", "a folder of WAV files per piece in DIR", 0, 0, NULL, NULL, 0, NULL},
    {SJ_TEXT, 0, "soundfont", &fonts, 0, "FILE,...", "the sound fonts", 0, 0, NULL, NULL, 1, NULL},
    {SJ_FLAG, 0, "augment", &augment, 0, NULL, "play every piece differently", 0, 0, NULL, NULL, 1, NULL},
    {SJ_REAL, 0, "seconds", &seconds, 0, "SECONDS", "most of a piece", 0.1, 3600, NULL, NULL, 1, NULL},
    {SJ_INT, 0, "takes", &takes, 0, "N", "renderings of every piece", 1, 1000, NULL, NULL, 1, NULL},
    {.type = SJ_OPTION_NONE},
};

struct work {
    struct sj_run *run;
    int fonts;
    struct sj_fluid *font[FONTS];
    struct sj_dataset_writer *set;
    int64_t skipped;
};

/* What the child hands back. */
struct product {
    int64_t samples;
    int stems;
    int32_t class[SJ_RENDER_CLASSES];
    int16_t audio[];
};

struct job {
    const struct work *w;
    int64_t number;
    const char *path;
    uint32_t hash;
};

static int read_whole(const char *path, void **data, size_t *size)
{
    FILE *f = fopen(path, "rb");
    struct stat s;
    if (!f)
        return sj_fail_errno("cannot read");
    int status = fstat(fileno(f), &s) || !S_ISREG(s.st_mode) ? sj_fail(SJ_INPUT, "not a file") : SJ_OK;
    if (!status && s.st_size > FILE_BYTES)
        status = sj_fail(SJ_INPUT, "larger than %lld bytes", (long long)FILE_BYTES);
    *data = status ? NULL : malloc((size_t)s.st_size + 1);
    *size = *data ? fread(*data, 1, (size_t)s.st_size, f) : 0;
    if (!status && (!*data || ferror(f)))
        status = sj_fail(SJ_SYSTEM, "cannot read");
    fclose(f);
    return status;
}

static void hand_back(const struct sj_rendered *r, struct product *p)
{
    p->samples = r->samples;
    for (int c = 0; c < r->classes; c++) {
        int16_t *to = p->audio + (int64_t)p->stems * r->samples;
        int most = 0;
        for (int64_t i = 0; i < r->samples; i++) {
            to[i] = (int16_t)lrintf(r->signal[c][i] * 32767);
            most |= to[i] > 32 || to[i] < -32;
        }
        if (most)
            p->class[p->stems++] = c;
    }
}

static int work_apart(void *arg, void *result)
{
    const struct job *j = arg;
    struct sj_midi m;
    struct sj_rendered r;
    void *data = NULL;
    size_t size = 0;
    struct sj_render_how how = {.seconds = seconds, .augment = augment, .classes = CLASSES,
                                .rng = sj_rng((uint64_t)j->w->run->seed, sj_rng_stream(j->hash, (uint64_t)(j->number % takes)))};
    int font = augment ? (int)sj_rng_below(&how.rng, (uint64_t)j->w->fonts) : 0;
    int status = read_whole(j->path, &data, &size);
    if (!status)
        status = sj_midi_parse(data, size, &m);
    if (!status)
        status = sj_render_midi(&m, j->w->font[font], &how, &r);
    if (!status)
        hand_back(&r, result);
    return status;
}

static void name_key(const char *path, int64_t take, char key[KEY])
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    int n = dot && dot > base ? (int)(dot - base) : (int)strlen(base);
    uint32_t crc = sj_crc32c(0, path, strlen(path));
    n = n > 120 ? 120 : n;
    snprintf(key, KEY, "%.*s.%08x", n, base, crc);
    if (takes > 1)
        snprintf(key + strlen(key), KEY - strlen(key), ".%lld", (long long)take);
}

static int make_piece(void *arg, int64_t number, struct sj_ordered_job *to)
{
    const struct work *w = arg;
    const char *path = w->run->operand[number / takes];
    struct job j = {w, number, path, sj_crc32c(0, path, strlen(path))};
    size_t size = sizeof(struct product) + (size_t)(seconds + 1) * SJ_RENDER_RATE_HZ * CLASSES * sizeof(int16_t);
    void *result;
    char key[KEY];
    name_key(path, number % takes, key);
    int status = sj_apart(work_apart, &j, size, LIMIT_S, MEMORY_BYTES, &result);
    if (status)
        return sj_fail_at(status, "'%s'", path);
    const struct product *p = result;
    size_t bytes = (size_t)p->samples * (size_t)p->stems * sizeof(int16_t);
    struct sj_item *i = sj_item_new(key);
    if (!i || !(i->audio = malloc(bytes))) {
        sj_item_drop(i);
        sj_apart_free(result, size);
        return sj_fail(SJ_SYSTEM, "no memory");
    }
    memcpy(i->audio, p->audio, bytes);
    memcpy(i->class, p->class, sizeof p->class);
    i->stems = p->stems;
    i->samples = p->samples;
    snprintf(i->source, sizeof i->source, "render-%08x", j.hash);
    sj_apart_free(result, size);
    return sj_ordered_give(to, i);
}

static int write_stem(const char *path, const struct sj_item *item, int stem)
{
    struct sj_wav *w;
    float block[4096];
    int status = sj_wav_create(path, SJ_RENDER_RATE_HZ, 1, SJ_I16, &w);
    if (status)
        return status;
    const int16_t *x = item->audio + (int64_t)stem * item->samples;
    for (int64_t at = 0, n; at < item->samples && !status; at += n) {
        n = item->samples - at < 4096 ? item->samples - at : 4096;
        for (int64_t i = 0; i < n; i++)
            block[i] = x[at + i] / 32768.0f;
        status = sj_wav_write(w, block, n);
    }
    if (!status)
        return sj_wav_commit(w);
    sj_wav_abort(w);
    return status;
}

static int make_folder(const char *path)
{
    return mkdir(path, 0777) && errno != EEXIST ? sj_fail_errno("cannot make '%s'", path) : SJ_OK;
}

static int use_item(void *to, const struct sj_item *i)
{
    struct work *w = to;
    char path[PATHS];
    if (w->set) {
        int found;
        int status = sj_dataset_writer_has(w->set, i->key, i->source, &found);
        return status || found ? status
                               : sj_dataset_writer_add(w->set, i->key, i->source, i->stems, i->class, i->samples, i->audio);
    }
    snprintf(path, sizeof path, "%s/%s", folder, i->key);
    int status = make_folder(path);
    for (int s = 0; s < i->stems && !status; s++) {
        snprintf(path, sizeof path, "%s/%s/%s.wav", folder, i->key, names[i->class[s]]);
        status = write_stem(path, i, s);
    }
    return status;
}

static void pass_over(void *arg)
{
    struct work *w = arg;
    sj_note(w->run, "skipped: %s", sj_reason());
    w->skipped++;
}

static int check(struct sj_run *run)
{
    (void)run;
    return !folder == !dataset ? sj_fail(SJ_USAGE, "one of --dataset and --folder is wanted") : SJ_OK;
}

static int open_fonts(struct work *w)
{
    char list[PATHS], *rest = list, *one;
    if ((size_t)snprintf(list, sizeof list, "%s", fonts) >= sizeof list)
        return sj_fail(SJ_USAGE, "--soundfont is too long");
    while ((one = strsep(&rest, ",")) && w->fonts < FONTS) {
        int status = sj_fluid_open(one, CLASSES, &w->font[w->fonts]);
        if (status)
            return status;
        w->fonts++;
    }
    return SJ_OK;
}

static int run(struct sj_run *r)
{
    struct work w = {.run = r};
    char *provenance = NULL;
    int status = open_fonts(&w);
    if (!status && folder)
        status = make_folder(folder);
    if (!status && dataset && !(status = sj_run_provenance_text(r, &provenance)))
        status = sj_dataset_writer_open(dataset, CLASSES, names, provenance, &w.set);
    free(provenance);
    struct sj_jobs jobs = {.work = {.threads = r->threads, .ahead = r->threads, .jobs = r->n * takes, .run = make_piece,
                                    .arg = &w}, .keep_going = 1, .use = use_item, .to = &w, .passed_over = pass_over,
                           .passed_arg = &w, .progress = r->progress, .tool = "sj-render", .unit = "pieces"};
    if (!status)
        status = sj_jobs_run(&jobs);
    if (w.set)
        status = sj_dataset_writer_close(w.set, status);
    for (int i = 0; i < w.fonts; i++)
        sj_fluid_close(w.font[i]);
    if (!status && w.skipped)
        status = sj_fail(SJ_NO, "%lld of %lld pieces skipped", (long long)w.skipped, (long long)(r->n * takes));
    return status;
}

static const struct sj_tool tool = {
    .name = "sj-render",
    .summary = "symbolic music to aligned stems",
    .operands = "FILE...",
    .details = "Renders Standard MIDI files through sound fonts, one signal per class.",
    .options = options,
    .common = SJ_TAKES_THREADS | SJ_TAKES_SEED | SJ_TAKES_PROGRESS,
    .min_operands = 1,
    .max_operands = -1,
    .check = check,
    .run = run,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
