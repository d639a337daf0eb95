/* sj-chunk: audio in any layout.   audio -> sj-chunk -> wave/1 | dataset.h5;   dataset.h5 -> sj-chunk -> wave/1 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chunk.h"
#include "classmap.h"
#include "cut.h"
#include "dataset.h"
#include "h5.h"
#include "layout.h"
#include "ordered.h"
#include "output.h"
#include "progress.h"
#include "sampler.h"
#include "tool.h"
#include "track.h"

enum {
    CHUNKS_AHEAD = 64, /* of a track, 33 MB: decoded before their turn comes */
    PATCH = 16         /* frames of an encoder's patch: chunks must not cut one */
};

static int stems, mixes, pairs, keep_going, layout;
static const char *dataset, *class_map, *class_list, *weight_list;
static int64_t chunk_frames = SJ_CHUNK_FRAMES, skip, take = -1;
static double pad_s = 0.5;

static const struct sj_option options[] = {
    {SJ_FLAG, 0, "stems", &stems, 0, NULL, "every stem instead of the mix; plain files are one stem each", 0, 0, NULL,
     NULL, 0, NULL},
    {SJ_FLAG, 0, "mixes", &mixes, 0, NULL, "for every stem the sum of all others", 0, 0, NULL, NULL, 0, NULL},
    {SJ_TEXT, 0, "dataset", &dataset, 0, "FILE", "make or extend the training set FILE", 0, 0, NULL, NULL, 0, NULL},
    {SJ_FLAG, 0, "pairs", &pairs, 0, NULL, "training pairs from the training sets named", 0, 0, NULL, NULL, 1, NULL},
    {SJ_INT, 0, "skip", &skip, 0, "N", "pairs: begin with pair N", 0, INFINITY, NULL, NULL, 0, NULL},
    {SJ_INT, 0, "take", &take, 0, "N", "pairs: end after N pairs", 0, INFINITY, NULL, "no end", 0, NULL},
    {SJ_TEXT, 0, "weights", &weight_list, 0, "W,W...", "pairs: how often each set is drawn", 0, 0, NULL,
     "all tracks alike", 1, NULL},
    {SJ_INT, 0, "chunk-frames", &chunk_frames, 0, "N", "10 ms frames of a chunk or a pair, a multiple of 16", PATCH,
     1 << 20, NULL, NULL, 1, NULL},
    {SJ_CHOICE, 0, "layout", &layout, 0, "NAME", "of the files and folders", 0, 0, sj_layout_names, NULL, 0, NULL},
    {SJ_TEXT, 0, "class-map", &class_map, 0, "FILE", "which names belong to which class", 0, 0, NULL, "four", 0, NULL},
    {SJ_TEXT, 0, "classes", &class_list, 0, "NAME,...", "the classes in their order", 0, 0, NULL, "as in the class map",
     0, NULL},
    {SJ_REAL, 0, "pad", &pad_s, 0, "SECONDS", "pad stems that end earlier than others by up to this", 0, 3600, NULL,
     NULL, 1, NULL},
    {SJ_FLAG, 'k', "keep-going", &keep_going, 0, NULL, "skip bad inputs, count them, exit 1", 0, 0, NULL, NULL, 0,
     NULL},
    {.type = SJ_OPTION_NONE},
};

/* What the jobs need. */
struct work {
    struct sj_run *run;
    struct sj_classmap *map;
    int classes;
    const char *const *class; /* names */
    struct sj_tracks tracks;
    int64_t jobs, *job;       /* job j is track job[j] */
    struct sj_track_how how;
    struct sj_sampler *sampler;
    int64_t skipped;
};

/* -- jobs in order ------------------------------------------------------------------------------------------------- */

/* A result on its way from a job: its record or its track, with everything that they point to behind it. */
struct item {
    struct sj_record record;
    struct sj_wave wave; /* --dataset: classes and sizes; no samples */
    char source[17];
    int64_t clipped;
    int16_t *audio;
    float *data;
    char key[];
};

static void drop_item(void *p)
{
    struct item *i = p;
    free(i->audio);
    free(i->data);
    free(i);
}

static struct item *new_item(const char *key)
{
    struct item *i = calloc(1, sizeof *i + strlen(key) + 1);
    if (i) {
        memcpy(i->key, key, strlen(key) + 1);
        i->record.key = i->key;
    } else {
        sj_fail(SJ_SYSTEM, "no memory for '%s'", key);
    }
    return i;
}

/* A bad input under --keep-going: said, counted, passed over. */
static void pass_over(struct work *w)
{
    sj_note(w->run, "skipped: %s", sj_reason());
    w->skipped++;
}

/* The items of the current job, each handed to `use`. */
static int drain(struct work *w, struct sj_ordered *o, int (*use)(struct work *, void *to, struct item *), void *to)
{
    int status = keep_going ? sj_ordered_settle(o) : SJ_OK;
    if (status) {
        pass_over(w);
        return SJ_OK;
    }
    for (void *item; !(status = sj_ordered_take(o, &item)) && item;) {
        status = use(w, to, item);
        drop_item(item);
        if (status)
            return status;
    }
    return status;
}

static int run_jobs(struct work *w, struct sj_ordered_work *how, int (*use)(struct work *, void *to, struct item *),
                    void *to, const char *unit)
{
    struct sj_ordered *o = NULL;
    how->threads = w->run->threads;
    how->drop = drop_item;
    how->arg = w;
    int status = sj_ordered_open(how, &o);
    int64_t total = how->jobs < 0 ? 0 : how->jobs;
    struct sj_progress *p = status ? NULL : sj_progress_new(w->run->progress, "sj-chunk", unit, 0, total);
    for (int64_t j = 0; !status && (how->jobs < 0 || j < how->jobs); j++) {
        status = drain(w, o, use, to);
        sj_progress_show(p, j + 1, NULL);
    }
    sj_progress_end(p);
    sj_ordered_close(o);
    return status;
}

static int put_record(struct work *w, void *to, struct item *i)
{
    (void)w;
    return sj_output_put(to, &i->record);
}

/* The output stream: everything that `how` makes, then its end. */
static int write_stream(struct work *w, const char *dims, struct sj_ordered_work *how, const char *unit)
{
    struct sj_head *head;
    struct sj_output *out;
    int status = sj_wave_head(dims, w->classes, w->class, chunk_frames, &head);
    if (status)
        return status;
    sj_run_provenance(w->run, head);
    status = sj_output_open(w->run->output, head, &out);
    sj_head_free(head);
    if (status)
        return status;
    if (!(status = run_jobs(w, how, put_record, out, unit)) && w->skipped == how->jobs)
        status = sj_fail(SJ_INPUT, "none of the %lld inputs can be used", (long long)how->jobs);
    if (!status)
        return sj_output_end(out);
    sj_output_abort(out);
    return status;
}

/* -- chunks -------------------------------------------------------------------------------------------------------- */

static int give_record(const struct sj_record *r, void *to)
{
    struct item *i = new_item(r->key);
    if (!i || !(i->data = malloc(r->bytes))) {
        free(i);
        return sj_fail(SJ_SYSTEM, "no memory for a chunk");
    }
    memcpy(i->data, r->data, r->bytes);
    i->record = *r;
    i->record.key = i->key;
    i->record.data = i->data;
    return sj_ordered_give(to, i);
}

static int cut_track(void *arg, int64_t job, struct sj_ordered_job *to)
{
    const struct work *w = arg;
    return sj_cut_track(&w->tracks.track[w->job[job]], &w->how, w->class, chunk_frames, give_record, to);
}

static int run_chunks(struct work *w)
{
    struct sj_ordered_work how = {.ahead = w->run->threads, .depth = keep_going ? 0 : CHUNKS_AHEAD, .jobs = w->jobs,
                                  .run = cut_track};
    return write_stream(w, "sample", &how, "tracks");
}

/* -- training set -------------------------------------------------------------------------------------------------- */

static int load_track(void *arg, int64_t job, struct sj_ordered_job *to)
{
    const struct work *w = arg;
    const struct sj_track *t = &w->tracks.track[w->job[job]];
    struct sj_wave wave;
    int status = sj_track_load(t, &w->how, &wave);
    if (status)
        return status;
    struct item *i = new_item(t->key);
    size_t n = (size_t)wave.samples;
    if (!i || !(i->audio = malloc((size_t)wave.stems * n * sizeof *i->audio)))
        status = sj_fail(SJ_SYSTEM, "no memory for '%s'", t->path);
    else
        status = sj_track_source(t, i->source);
    for (int s = 0; s < wave.stems && !status; s++)
        for (size_t k = 0; k < n; k++) {
            float x = nearbyintf(wave.stem[s][k] * 32768);
            i->clipped += x > 32767 || x < -32768;
            i->audio[(size_t)s * n + k] = (int16_t)(x > 32767 ? 32767 : x < -32768 ? -32768 : x);
        }
    if (!status)
        i->wave = wave; /* its samples go with the wave */
    sj_wave_free(&wave);
    if (!status)
        return sj_ordered_give(to, i);
    if (i)
        drop_item(i);
    return status;
}

static int add_track(struct work *w, void *to, struct item *i)
{
    if (i->clipped && w->run->verbose)
        sj_note(w->run, "'%s': %lld samples clipped at full scale", i->key, (long long)i->clipped);
    return sj_dataset_writer_add(to, i->key, i->source, i->wave.stems, i->wave.class, i->wave.samples, i->audio);
}

/* Leaves the tracks that the set does not have yet. */
static int leave_new(struct work *w, const struct sj_dataset_writer *set)
{
    int64_t left = 0;
    for (int64_t j = 0; j < w->jobs; j++) {
        const struct sj_track *t = &w->tracks.track[w->job[j]];
        int found = 0;
        char source[17] = "";
        int status = sj_dataset_writer_has(set, t->key, source, &found);
        if (status) { /* the key is there; from the same audio? */
            status = sj_track_source(t, source);
            if (!status)
                status = sj_dataset_writer_has(set, t->key, source, &found);
        }
        if (status && !keep_going)
            return status;
        if (status)
            pass_over(w);
        else if (!found)
            w->job[left++] = w->job[j];
    }
    w->jobs = left;
    return SJ_OK;
}

static int run_dataset(struct work *w)
{
    struct sj_dataset_writer *set;
    sj_json *entry = sj_json_object();
    char *provenance = NULL;
    sj_json_set(entry, "tool", sj_json_string("sj-chunk"));
    sj_json_set(entry, "version", sj_json_string(SJ_VERSION));
    int status = sj_json_text(entry, &provenance);
    sj_json_free(entry);
    if (!status)
        status = sj_dataset_writer_open(dataset, w->classes, w->class, provenance, &set);
    free(provenance);
    if (status)
        return status;
    int64_t had = sj_dataset_writer_tracks(set), all = w->jobs;
    status = leave_new(w, set);
    struct sj_ordered_work how = {.ahead = w->run->threads, .depth = !keep_going, .jobs = w->jobs, .run = load_track};
    if (!status)
        status = run_jobs(w, &how, add_track, set, "tracks");
    int64_t now = sj_dataset_writer_tracks(set);
    if (!status && !now)
        status = sj_fail(SJ_INPUT, "none of the %lld inputs can be used", (long long)all);
    status = sj_dataset_writer_close(set, status);
    if (!status)
        sj_note(w->run, "'%s' has %lld tracks, %lld of them new", dataset, (long long)now, (long long)(now - had));
    return status;
}

/* -- pairs --------------------------------------------------------------------------------------------------------- */

static int make_pair(void *arg, int64_t n, struct sj_ordered_job *to)
{
    const struct work *w = arg;
    int64_t width = sj_sampler_width(w->sampler);
    size_t bytes = 2 * (size_t)width * sizeof(float);
    float *data = malloc(bytes);
    struct sj_pair pair;
    int status =
        data ? sj_sampler_pair(w->sampler, (uint64_t)n, data, data + width, &pair) : sj_fail(SJ_SYSTEM, "no memory");
    struct item *i = status ? NULL : new_item(pair.key);
    if (!i) {
        free(data);
        return status ? status : SJ_SYSTEM;
    }
    i->data = data;
    i->record = (struct sj_record){.key = i->key, .role = SJ_ROLE_REST, .class = pair.class, .position = n, .last = 1,
                                   .rank = 2, .dims = {2, width}, .data = data, .bytes = bytes};
    return sj_ordered_give(to, i);
}

static int parse_weights(const struct sj_run *run, double *weight)
{
    const char *p = weight_list;
    for (int i = 0; i < run->n; i++) {
        char text[64];
        size_t n = strcspn(p, ",");
        snprintf(text, sizeof text, "%.*s", (int)n, p);
        int status = sj_cli_real("--weights", text, 1e-12, 1e12, &weight[i]);
        if (status)
            return status;
        p += n;
        if ((*p == ',') != (i + 1 < run->n))
            return sj_fail(SJ_USAGE, "--weights is '%s', must have one number for each of the %d sets", weight_list,
                           run->n);
        p += *p == ',';
    }
    return SJ_OK;
}

static int run_pairs(struct work *w)
{
    struct sj_run *run = w->run;
    double *weight = weight_list ? malloc((size_t)run->n * sizeof *weight) : NULL;
    int status = weight_list ? weight ? parse_weights(run, weight) : sj_fail(SJ_SYSTEM, "no memory") : SJ_OK;
    if (!status)
        status = sj_sampler_open(run->n, run->operand, weight, (uint64_t)run->seed, chunk_frames * SJ_CHUNK_HOP,
                                 &w->sampler);
    free(weight);
    if (status)
        return status;
    struct sj_ordered_work how = {.ahead = 4 * run->threads, .depth = 1, .first = skip, .jobs = take, .run = make_pair};
    w->class = sj_sampler_classes(w->sampler, &w->classes);
    status = write_stream(w, "pair,sample", &how, "pairs");
    sj_sampler_close(w->sampler);
    return status;
}

/* -- the program --------------------------------------------------------------------------------------------------- */

static int check(struct sj_run *run)
{
    if (chunk_frames % PATCH)
        return sj_fail(SJ_USAGE, "--chunk-frames is %lld, must be a multiple of %d", (long long)chunk_frames, PATCH);
    if (pairs && (dataset || stems || mixes || layout || class_map || class_list || keep_going))
        return sj_fail(SJ_USAGE, "--pairs reads training sets: no option about other inputs goes with it");
    if (dataset && (stems || mixes || run->output))
        return sj_fail(SJ_USAGE,
                       "--dataset takes all stems and writes no stream: not with --stems, --mixes or --output");
    if (!pairs && (skip || take >= 0 || weight_list || run->seed_given))
        return sj_fail(SJ_USAGE, "--skip, --take, --weights and --seed go with --pairs");
    if ((pairs || dataset) && !run->n)
        return sj_fail(SJ_USAGE, "%s wants operands (see --help)", pairs ? "--pairs" : "--dataset");
    for (int i = 0; i < run->n && !pairs; i++)
        if (sj_h5_is(run->operand[i]))
            return sj_fail(SJ_USAGE, "'%s' is an HDF5 file, which only --pairs reads", run->operand[i]);
    return SJ_OK;
}

/* Finds the tracks; without --keep-going nothing starts when one of them is known to be bad. */
static int find_tracks(struct work *w)
{
    int status = sj_classmap_open(class_map, class_list, &w->map);
    if (status)
        return status;
    w->class = sj_classmap_names(w->map, &w->classes);
    w->how = (struct sj_track_how){w->classes, stems, mixes, pad_s};
    status = sj_layout_find(w->run->n, w->run->operand, (enum sj_layout)layout, w->map, &w->tracks);
    if (!status && !(w->job = malloc((size_t)(w->tracks.n + 1) * sizeof *w->job)))
        status = sj_fail(SJ_SYSTEM, "no memory for %lld tracks", (long long)w->tracks.n);
    for (; !status && w->jobs < w->tracks.n; w->jobs++) {
        const struct sj_track *t = &w->tracks.track[w->jobs];
        w->job[w->jobs] = w->jobs;
        if (t->status && !keep_going)
            status = sj_fail(t->status, "%s", t->reason);
    }
    return status;
}

static int run(struct sj_run *r)
{
    struct work w = {.run = r};
    if (pairs)
        return run_pairs(&w);
    int status = find_tracks(&w);
    if (!status)
        status = dataset ? run_dataset(&w) : run_chunks(&w);
    if (!status && w.skipped)
        status = sj_fail(SJ_NO, "%lld of %lld inputs skipped", (long long)w.skipped, (long long)w.tracks.n);
    free(w.job);
    sj_tracks_free(&w.tracks);
    sj_classmap_close(w.map);
    return status;
}

static const struct sj_tool tool = {
    .name = "sj-chunk",
    .summary = "audio to chunks, training sets and training pairs",
    .operands = "[FILE|FOLDER...]",
    .details = "Writes the sound of the FILEs and of the tracks in the FOLDERs (or of a WAV file on standard input),\n"
               "mixed down to one channel at 16 kHz, as a wave/1 stream of 8 s chunks; with --dataset, their stems\n"
               "into a training set; with --pairs, random contexts and targets from training sets.",
    .options = options,
    .common = SJ_TAKES_OUTPUT | SJ_TAKES_THREADS | SJ_TAKES_SEED | SJ_TAKES_PROGRESS,
    .max_operands = -1,
    .check = check,
    .run = run,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
