/* sj-chunk: audio in any layout.   audio -> sj-chunk -> wave/1 | dataset.h5;   dataset.h5 -> sj-chunk -> wave/1 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "augment.h"
#include "chunk.h"
#include "classmap.h"
#include "dataset.h"
#include "h5.h"
#include "items.h"
#include "keyset.h"
#include "layout.h"
#include "output.h"
#include "sampler.h"
#include "sets.h"
#include "table.h"
#include "tool.h"
#include "track.h"

enum {
    CHUNKS_AHEAD = 64, /* of a track, 33 MB: decoded before their turn comes */
    PATCH = 16         /* frames of an encoder's patch: chunks must not cut one */
};

#define MOST_PAIRS 1e15 /* of --skip and --take, whose sum must be a number, too */

/* Where 0 or -1 is no value of an option it stands for "not given" until check_modes. */
static int list, others, stems, mixes, pairs, sets, keep_going, layout = -1; /* sets: the operands are training sets */
static const char *dataset, *class_map, *class_list, *weight_list, *augment_spec;
static struct sj_augment augment;
static char augment_text[SJ_AUGMENT_TEXT]; /* in full, for the provenance */
static int64_t chunk_frames, skip = -1, take = -1;
static double pad_s = -1;

static const struct sj_option options[] = {
    {SJ_FLAG, 0, "stems", &stems, 0, NULL, "every stem instead of the mix; plain files are one stem each", 0, 0, NULL,
     NULL, 1, NULL},
    {SJ_FLAG, 0, "mixes", &mixes, 0, NULL, "for every stem the sum of all others", 0, 0, NULL, NULL, 1, NULL},
    {SJ_TEXT, 0, "dataset", &dataset, 0, "FILE", "make or extend the training set FILE", 0, 0, NULL, NULL, 0, NULL},
    {SJ_FLAG, 0, "others", &others, 0, NULL, "only print which tracks of that set are not among the inputs", 0, 0, NULL,
     NULL, 0, NULL},
    {SJ_FLAG, 0, "list", &list, 0, NULL, "only print key and path of each track", 0, 0, NULL, NULL, 0, NULL},
    {SJ_FLAG, 0, "pairs", &pairs, 0, NULL, "training pairs from the training sets named", 0, 0, NULL, NULL, 1, NULL},
    {SJ_INT, 0, "skip", &skip, 0, "N", "begin with pair N, or track N of each set", 0, MOST_PAIRS, NULL, "0", 0, NULL},
    {SJ_INT, 0, "take", &take, 0, "N", "end after N pairs, or tracks of each set", 1, MOST_PAIRS, NULL, "no end", 0, NULL},
    {SJ_TEXT, 0, "weights", &weight_list, 0, "W,W...", "pairs: how often each set is drawn", 0, 0, NULL,
     "all tracks alike", 1, NULL},
    {SJ_TEXT, 0, "augment", &augment_spec, 0, "NAME[=X],...", "pairs: what is changed at random, and how much", 0, 0,
     NULL, "nothing", 1, NULL},
    {SJ_INT, 0, "chunk-frames", &chunk_frames, 0, "N", "10 ms frames of a chunk or a pair, a multiple of 16", PATCH,
     1 << 20, NULL, "800", 1, NULL},
    {SJ_CHOICE, 0, "layout", &layout, 0, "NAME", "of the files and folders", 0, 0, sj_layout_names, "auto", 1, NULL},
    {SJ_FILE, 0, "class-map", &class_map, 0, "FILE", "which names belong to which class", 0, 0, NULL, "four", 1, NULL},
    {SJ_TEXT, 0, "classes", &class_list, 0, "NAME,...", "the classes in their order", 0, 0, NULL, "as in the class map",
     1, NULL},
    {SJ_REAL, 0, "pad", &pad_s, 0, "SECONDS", "pad stems that end earlier than others by up to this", 0, 3600, NULL,
     "0.5", 1, NULL},
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
    struct sj_sets *sets;
    struct sj_dataset_writer *set;
    int64_t skipped;
};

/* -- jobs in order ------------------------------------------------------------------------------------------------- */

/* A bad input under --keep-going: said, counted. */
static void pass_over(void *arg)
{
    struct work *w = arg;
    sj_note(w->run, "skipped: %s", sj_reason());
    w->skipped++;
}

static int run_jobs(struct work *w, const struct sj_ordered_work *how, int (*use)(void *to, const struct sj_item *),
                    void *to, const char *unit)
{
    struct sj_jobs jobs = {.work = *how, .keep_going = keep_going, .use = use, .to = to, .passed_over = pass_over,
                           .passed_arg = w, .progress = w->run->progress, .tool = "sj-chunk", .unit = unit};
    jobs.work.threads = w->run->threads;
    jobs.work.arg = w;
    return sj_jobs_run(&jobs);
}

static int put_record(void *to, const struct sj_item *i)
{
    return sj_output_put(to, &i->record);
}

/* Which tracks pairs are of: a training goes on only with pairs of the same. */
static void say_tracks(const struct sj_sampler *s, struct sj_head *head)
{
    int64_t tracks;
    char text[48];
    const uint32_t crc = sj_sampler_checksum(s, &tracks);
    snprintf(text, sizeof text, "%lld, %08x", (long long)tracks, crc);
    sj_json_set(head->params, "tracks", sj_json_string(text));
}

/* The output stream: everything that `how` makes, then its end. */
static int write_stream(struct work *w, const char *dims, const struct sj_ordered_work *how, const char *unit)
{
    struct sj_head *head;
    struct sj_output *out;
    int status = sj_wave_head(dims, w->classes, w->class, chunk_frames, &head);
    if (status)
        return status;
    if (w->sampler)
        say_tracks(w->sampler, head);
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

static int cut_track(void *arg, int64_t job, struct sj_ordered_job *to)
{
    const struct work *w = arg;
    return sj_items_chunks(&w->tracks.track[w->job[job]], &w->how, w->class, chunk_frames, to);
}

static int run_chunks(struct work *w)
{
    struct sj_ordered_work how = {.ahead = w->run->threads, .depth = keep_going ? 0 : CHUNKS_AHEAD, .jobs = w->jobs,
                                  .run = cut_track};
    return write_stream(w, "sample", &how, "tracks");
}

static int cut_set_track(void *arg, int64_t job, struct sj_ordered_job *to)
{
    const struct work *w = arg;
    return sj_items_set_chunks(w->sets, job, &w->how, chunk_frames, to);
}

static int run_sets(struct work *w)
{
    int status = sj_sets_open(w->run->n, w->run->operand, skip, take, &w->sets);
    if (status)
        return status;
    struct sj_ordered_work how = {.ahead = w->run->threads, .depth = keep_going ? 0 : CHUNKS_AHEAD,
                                  .jobs = sj_sets_tracks(w->sets), .run = cut_set_track};
    w->class = sj_sets_classes(w->sets, &w->classes);
    w->how = (struct sj_track_how){w->classes, stems, mixes, 0};
    status = write_stream(w, "sample", &how, "tracks");
    sj_sets_close(w->sets);
    if (!status && w->skipped)
        status = sj_fail(SJ_NO, "%lld of %lld tracks skipped", (long long)w->skipped, (long long)how.jobs);
    return status;
}

/* -- lists --------------------------------------------------------------------------------------------------------- */

static int print_list(FILE *f, struct work *w)
{
    fputs("key\tpath\n", f);
    for (int64_t i = 0; i < w->tracks.n; i++) {
        const struct sj_track *t = &w->tracks.track[i];
        int status = t->status ? sj_fail(t->status, "%s", t->reason) : SJ_OK;
        if (!status && (strpbrk(t->key, "\t\n") || strpbrk(t->path, "\t\n")))
            status = sj_fail(SJ_INPUT, "'%s' has a tab or a line break in its name, which a list cannot hold", t->path);
        if (!status && strcmp(t->path, "-") && access(t->path, R_OK))
            status = sj_fail(SJ_SYSTEM, "cannot read '%s': %m", t->path);
        if (status && !keep_going)
            return status;
        if (status)
            pass_over(w);
        else
            fprintf(f, "%s\t%s\n", t->key, t->path);
    }
    return SJ_OK;
}

static int print_absent(FILE *f, const struct sj_dataset *d, struct sj_keyset *inputs)
{
    int status = SJ_OK;
    for (int64_t t = 0; t < sj_dataset_tracks(d) && !status; t++) {
        const char *key = sj_dataset_track(d, t)->key;
        const int64_t before = sj_keyset_count(inputs);
        if (!(status = sj_keyset_add(inputs, key)) && sj_keyset_count(inputs) > before) {
            sj_table_put(f, key);
            fputc('\n', f);
        }
    }
    return status;
}

/* A set that was never finished is looked into, too; one that is not there has no tracks. */
static int print_others(FILE *f, struct work *w)
{
    struct sj_keyset *inputs = NULL;
    struct sj_dataset *d = NULL;
    char *path = sj_dataset_writer_path(dataset);
    int status = path ? sj_keyset_new(&inputs) : SJ_SYSTEM;
    for (int64_t i = 0; i < w->tracks.n && !status; i++)
        status = sj_keyset_add(inputs, w->tracks.track[i].key);
    fputs("key\n", f);
    if (!status && !access(path, F_OK) && !(status = sj_dataset_open(path, &d)))
        status = print_absent(f, d, inputs);
    sj_dataset_close(d);
    sj_keyset_free(inputs);
    free(path);
    return status;
}

static int run_list(struct work *w)
{
    struct sj_report *r;
    int status = sj_report_open(w->run, &r);
    return status ? status : sj_report_close(r, (others ? print_others : print_list)(sj_report_file(r), w));
}

/* -- training set -------------------------------------------------------------------------------------------------- */

static int load_track(void *arg, int64_t job, struct sj_ordered_job *to)
{
    const struct work *w = arg;
    return sj_items_stems(&w->tracks.track[w->job[job]], &w->how, to);
}

static int add_track(void *to, const struct sj_item *i)
{
    const struct work *w = to;
    if (i->clipped && w->run->verbose)
        sj_note(w->run, "'%s': %lld samples clipped at full scale", i->key, (long long)i->clipped);
    return sj_dataset_writer_add(w->set, i->key, i->source, i->stems, i->class, i->samples, i->audio);
}

/* Leaves the tracks that the set does not have yet. */
static int leave_new(struct work *w)
{
    int64_t left = 0;
    for (int64_t j = 0; j < w->jobs; j++) {
        const struct sj_track *t = &w->tracks.track[w->job[j]];
        int found;
        int status = sj_items_known(t, w->set, &found);
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
    char *provenance = NULL;
    int status = sj_run_provenance_text(w->run, &provenance);
    if (!status)
        status = sj_dataset_writer_open(dataset, w->classes, w->class, provenance, &w->set);
    free(provenance);
    if (status)
        return status;
    int64_t had = sj_dataset_writer_tracks(w->set), all = w->jobs;
    status = leave_new(w);
    struct sj_ordered_work how = {.ahead = w->run->threads, .depth = !keep_going, .jobs = w->jobs, .run = load_track};
    if (!status)
        status = run_jobs(w, &how, add_track, w, "tracks");
    int64_t now = sj_dataset_writer_tracks(w->set);
    if (!status && (!now || w->skipped == all))
        status = sj_fail(SJ_INPUT, "none of the %lld inputs can be used", (long long)all);
    status = sj_dataset_writer_close(w->set, status);
    if (!status)
        sj_note(w->run, "'%s' has %lld tracks, %lld of them new", dataset, (long long)now, (long long)(now - had));
    return status;
}

/* -- pairs --------------------------------------------------------------------------------------------------------- */

static int make_pair(void *arg, int64_t n, struct sj_ordered_job *to)
{
    const struct work *w = arg;
    return sj_items_pair(w->sampler, n, to);
}

static int run_pairs(struct work *w)
{
    struct sj_run *run = w->run;
    double *weight = weight_list ? malloc((size_t)run->n * sizeof *weight) : NULL;
    int status = weight_list && !weight ? sj_fail(SJ_SYSTEM, "no memory for %d weights", run->n) : SJ_OK;
    if (weight)
        status = sj_cli_reals("--weights", weight_list, SJ_WEIGHT_MIN, SJ_WEIGHT_MAX, run->n, "sets", weight);
    if (!status)
        status = sj_sampler_open(run->n, run->operand, weight, (uint64_t)run->seed, chunk_frames * SJ_CHUNK_HOP,
                                 &w->sampler);
    if (!status && augment_spec)
        status = sj_sampler_augment(w->sampler, &augment);
    free(weight);
    if (status) {
        sj_sampler_close(w->sampler);
        return status;
    }
    struct sj_ordered_work how = {.ahead = 4 * run->threads, .depth = 1, .first = skip, .jobs = take, .run = make_pair};
    w->class = sj_sampler_classes(w->sampler, &w->classes);
    status = write_stream(w, "pair,sample", &how, "pairs");
    sj_sampler_close(w->sampler);
    return status;
}

/* -- the program --------------------------------------------------------------------------------------------------- */

/* Options that would do nothing are refused; the others get their defaults. */
static int check_modes(const struct sj_run *run)
{
    enum { CHUNKS = 1, SET = 2, PAIRS = 4, LIST = 8, SETS = 16 };
    int mode = list || others ? LIST : pairs ? PAIRS : dataset ? SET : sets ? SETS : CHUNKS;
    const struct {
        const char *name;
        int given, modes;
    } use[] = {{"--stems", stems, CHUNKS | SETS},
               {"--mixes", mixes, CHUNKS | SETS},
               {"--output", run->output != NULL, CHUNKS | PAIRS | LIST | SETS},
               {"--chunk-frames", chunk_frames > 0, CHUNKS | PAIRS | SETS},
               {"--layout", layout >= 0, CHUNKS | SET | LIST},
               {"--class-map", class_map != NULL, CHUNKS | SET | LIST},
               {"--classes", class_list != NULL, CHUNKS | SET | LIST},
               {"--pad", pad_s >= 0, CHUNKS | SET},
               {"--keep-going", keep_going, CHUNKS | SET | LIST | SETS},
               {"--skip", skip >= 0, PAIRS | SETS},
               {"--take", take >= 0, PAIRS | SETS},
               {"--weights", weight_list != NULL, PAIRS},
               {"--augment", augment_spec != NULL, PAIRS},
               {"--seed", run->seed_given, PAIRS}};
    if (list && (pairs || dataset))
        return sj_fail(SJ_USAGE, "--list only looks: not with --pairs or --dataset");
    if (others && (!dataset || pairs))
        return sj_fail(SJ_USAGE, "--others goes with --dataset");
    if (pairs && dataset)
        return sj_fail(SJ_USAGE, "--pairs reads training sets and --dataset makes one: not both at once");
    for (size_t i = 0; i < sizeof use / sizeof *use; i++)
        if (use[i].given && !(use[i].modes & mode))
            return sj_fail(SJ_USAGE, "%s does nothing %s", use[i].name,
                           list      ? "with --list"
                           : pairs   ? "with --pairs"
                           : dataset ? "with --dataset"
                           : sets && (use[i].modes & CHUNKS) ? "with training sets"
                                     : "without --pairs");
    chunk_frames = chunk_frames > 0 ? chunk_frames : SJ_CHUNK_FRAMES;
    layout = layout < 0 ? 0 : layout;
    pad_s = pad_s < 0 ? 0.5 : pad_s;
    skip = skip < 0 ? 0 : skip;
    return SJ_OK;
}

static int check(struct sj_run *run)
{
    for (int i = 0; i < run->n; i++)
        sets += sj_h5_is(run->operand[i]);
    int status = check_modes(run);
    if (status)
        return status;
    if (augment_spec) {
        if ((status = sj_augment_parse(augment_spec, &augment)))
            return status;
        sj_augment_text(&augment, augment_text);
        augment_spec = augment_text;
    }
    if (chunk_frames % PATCH)
        return sj_fail(SJ_USAGE, "--chunk-frames is %lld, must be a multiple of %d", (long long)chunk_frames, PATCH);
    if ((pairs || dataset) && !run->n)
        return sj_fail(SJ_USAGE, "%s wants operands (see --help)", pairs ? "--pairs" : "--dataset");
    for (int i = 0; i < run->n && sets && !pairs; i++)
        if (sj_h5_is(run->operand[i]) && (list || dataset))
            return sj_fail(SJ_USAGE, "'%s' is an HDF5 file, which %s does not read", run->operand[i],
                           list ? "--list" : "--dataset");
        else if (!sj_h5_is(run->operand[i]))
            return sj_fail(SJ_USAGE, "'%s' is no HDF5 file: sound and training sets cannot be read together",
                           run->operand[i]);
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
    if (sets)
        return run_sets(&w);
    int status = find_tracks(&w);
    if (!status)
        status = list || others ? run_list(&w) : dataset ? run_dataset(&w) : run_chunks(&w);
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
    .details = "Writes the sound of the FILEs and of the tracks in the FOLDERs (or of a sound on standard input),\n"
               "mixed down to one channel at 16 kHz, as a wave/1 stream of 8 s chunks; with --dataset, their stems\n"
               "into a training set; with --pairs, random contexts and targets from training sets. Of training sets\n"
               "without --pairs, their tracks.",
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
