/* sj-render: symbolic music to stems.   MIDI files and modules -> sj-render -> wave/1 | dataset.h5 | folders of WAV */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "casting.h"
#include "chunk.h"
#include "dataset.h"
#include "instruments.h"
#include "jobs.h"
#include "output.h"
#include "pieces.h"
#include "render_folder.h"
#include "rendition.h"
#include "table.h"
#include "tool.h"

enum { PATHS = 4096, KEY = 256, BLOCK = 4096, ALL = 0 };

static const char *const splits[] = {"all", "train", "valid", "test", NULL};
static const char *folder, *dataset, *fonts, *rules = "gm", *table;
static double seconds = 600, held_out = 0.05;
static int list, stems, mixes, mix, augment, split;
static int64_t takes = 1;

static const struct sj_option options[] = {
    {SJ_TEXT, 0, "folder", &folder, 0, "DIR", "a folder of WAV files per piece in DIR", 0, 0, NULL, NULL, 0, NULL},
    {SJ_TEXT, 0, "dataset", &dataset, 0, "FILE", "make or extend the training set FILE", 0, 0, NULL, NULL, 0, NULL},
    {SJ_FLAG, 0, "list", &list, 0, NULL, "only print what would be rendered", 0, 0, NULL, NULL, 0, NULL},
    {SJ_FLAG, 0, "stems", &stems, 0, NULL, "the stems instead of the mix", 0, 0, NULL, NULL, 1, NULL},
    {SJ_FLAG, 0, "mixes", &mixes, 0, NULL, "for every stem the sum of the others", 0, 0, NULL, NULL, 1, NULL},
    {SJ_FLAG, 0, "mix", &mix, 0, NULL, "with --folder: also the full render, mixture.wav", 0, 0, NULL, NULL, 0, NULL},
    {SJ_TEXT, 0, "soundfont", &fonts, 0, "FILE,...", "sound fonts for MIDI files", 0, 0, NULL, "the system's", 1, NULL},
    {SJ_TEXT, 0, "rules", &rules, 0, "FILE", "which class a note belongs to", 0, 0, NULL, NULL, 1, NULL},
    {SJ_FILE, 0, "instruments", &table, 0, "FILE", "which instruments of modules belong to which class", 0, 0, NULL,
     NULL, 1, NULL},
    {SJ_REAL, 0, "seconds", &seconds, 0, "SECONDS", "most of a piece", 1, 3600, NULL, NULL, 1, NULL},
    {SJ_FLAG, 0, "augment", &augment, 0, NULL, "play each piece in a way drawn from --seed", 0, 0, NULL, NULL, 1, NULL},
    {SJ_INT, 0, "takes", &takes, 0, "N", "renderings of every piece, with --augment", 1, 10000, NULL, NULL, 1, NULL},
    {SJ_CHOICE, 0, "split", &split, 0, "NAME", "only titles of this part", 0, 0, splits, NULL, 1, NULL},
    {SJ_REAL, 0, "held-out", &held_out, 0, "SHARE", "of the titles for valid, and again for test", 0, 0.5, NULL, NULL,
     1, NULL},
    {.type = SJ_OPTION_NONE},
};

struct work {
    struct sj_run *run;
    struct sj_casting *casting;
    struct sj_instruments *instruments;
    int classes;
    const char *const *class; /* names */
    struct sj_pieces pieces;
    struct sj_rendition_how how;
    int64_t jobs, *job;       /* job j is take job[j] % takes of piece job[j] / takes */
    struct sj_dataset_writer *set;
    struct sj_output *out;
    struct sj_chunker *chunker;
    struct sj_record record;  /* of the signal that is being cut */
    int64_t skipped;
};

static void pass_over(void *arg)
{
    struct work *w = arg;
    sj_note(w->run, "skipped: %s", sj_reason());
    w->skipped++;
}

/* -- renderings ---------------------------------------------------------------------------------------------------- */

/* The key of a rendering: of one that was drawn, also what it was drawn from. */
static void name_key(const struct work *w, int64_t job, char key[KEY])
{
    const struct sj_piece *p = &w->pieces.piece[job / takes];
    if (augment)
        snprintf(key, KEY, "%s.%lld-%lld", p->key, (long long)w->run->seed, (long long)(job % takes));
    else
        snprintf(key, KEY, "%s", p->key);
}

static uint64_t hash_text(uint64_t h, const char *text)
{
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    return (h ^ 1) * 0x100000001b3u;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* What a rendering was made from and how. */
static void name_source(const struct work *w, const struct sj_piece *p, char source[SJ_SOURCE])
{
    char number[64];
    uint64_t h = hash_text(p->hash, base_of(rules));
    for (int i = 0; i < w->how.fonts && p->is_midi; i++)
        h = hash_text(h, base_of(w->how.font_path[i]));
    if (!p->is_midi && table)
        h = hash_text(h, base_of(table));
    snprintf(number, sizeof number, "%.6f %d", seconds, augment);
    snprintf(source, SJ_SOURCE, "r-%016llx", (unsigned long long)hash_text(h, number));
}

static int make_piece(void *arg, int64_t j, struct sj_ordered_job *to)
{
    const struct work *w = arg;
    const struct sj_piece *p = &w->pieces.piece[w->job[j] / takes];
    struct sj_rendition *r;
    char key[KEY];
    int status = sj_rendition_make(&w->how, p, (uint64_t)(w->job[j] % takes), &r);
    if (status)
        return sj_fail_at(status, "'%s'", p->path);
    name_key(w, w->job[j], key);
    size_t bytes = (size_t)(r->stems + r->full) * (size_t)r->samples * sizeof(int16_t);
    struct sj_item *i = sj_item_new(key);
    if (!i || !(i->audio = malloc(bytes))) {
        sj_item_drop(i);
        sj_rendition_free(r);
        return sj_fail(SJ_SYSTEM, "no memory for '%s'", p->path);
    }
    memcpy(i->audio, r->audio, bytes);
    memcpy(i->class, r->class, sizeof r->class);
    i->stems = r->stems;
    i->samples = r->samples;
    name_source(w, p, i->source);
    sj_rendition_free(r);
    return sj_ordered_give(to, i);
}

/* All jobs, what they give to `use` in order. */
static int make_pieces(struct work *w, int (*use)(void *to, const struct sj_item *))
{
    int64_t jobs = w->jobs;
    int threads = w->run->threads;
    struct sj_jobs all = {.work = {.threads = threads, .ahead = threads, .jobs = jobs, .run = make_piece, .arg = w},
                          .keep_going = 1, .use = use, .to = w, .passed_over = pass_over, .passed_arg = w,
                          .progress = w->run->progress, .tool = "sj-render", .unit = "pieces"};
    int status = sj_jobs_run(&all);
    if (!status && jobs && w->skipped == jobs)
        return sj_fail(SJ_INPUT, "none of the %lld pieces can be rendered", (long long)jobs);
    return status;
}

/* -- folders ------------------------------------------------------------------------------------------------------ */

static int use_folder(void *to, const struct sj_item *i)
{
    const struct work *w = to;
    return sj_render_folder_write(folder, i, w->classes, w->class, mix);
}

static int run_folder(struct work *w)
{
    int status = sj_render_folder_make(folder);
    return status ? status : make_pieces(w, use_folder);
}

/* -- training sets ------------------------------------------------------------------------------------------------- */

static int use_dataset(void *to, const struct sj_item *i)
{
    struct work *w = to;
    return sj_dataset_writer_add(w->set, i->key, i->source, i->stems, i->class, i->samples, i->audio);
}

/* Leaves the renderings that the set does not have yet. */
static int leave_new(struct work *w)
{
    int64_t left = 0;
    for (int64_t j = 0; j < w->jobs; j++) {
        char key[KEY], source[SJ_SOURCE];
        int found;
        name_key(w, w->job[j], key);
        name_source(w, &w->pieces.piece[w->job[j] / takes], source);
        int status = sj_dataset_writer_has(w->set, key, source, &found);
        if (status)
            return sj_fail_at(status, "made from the same file in another way");
        if (!found)
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
    int64_t had = sj_dataset_writer_tracks(w->set);
    status = leave_new(w);
    if (!status)
        status = make_pieces(w, use_dataset);
    int64_t now = sj_dataset_writer_tracks(w->set);
    status = sj_dataset_writer_close(w->set, status);
    if (!status)
        sj_note(w->run, "'%s' has %lld tracks, %lld of them new", dataset, (long long)now, (long long)(now - had));
    return status;
}

/* -- streams ------------------------------------------------------------------------------------------------------- */

static int put_chunk(const struct sj_chunk *chunk, void *arg)
{
    struct work *w = arg;
    struct sj_record r = w->record;
    r.position = chunk->position;
    r.part = chunk->part;
    r.last = chunk->last;
    r.rank = 1;
    r.dims[0] = chunk->samples;
    r.data = chunk->sample;
    r.bytes = (size_t)chunk->samples * sizeof(float);
    return sj_output_put(w->out, &r);
}

/* The sum of the stems but `without` (-1: of all), or (only) one of them. */
static int put_sum(struct work *w, const struct sj_item *i, int without, int only)
{
    float block[BLOCK];
    int status = SJ_OK;
    for (int64_t at = 0, n; at < i->samples && !status; at += n) {
        n = i->samples - at < BLOCK ? i->samples - at : BLOCK;
        memset(block, 0, sizeof block);
        for (int s = 0; s < i->stems; s++)
            for (int64_t k = 0; k < n && s != without && (only < 0 || s == only); k++)
                block[k] += i->audio[s * i->samples + at + k] / 32768.0f;
        status = sj_chunker_push(w->chunker, block, n);
    }
    return status ? status : sj_chunker_end(w->chunker);
}

static int use_stream(void *to, const struct sj_item *i)
{
    struct work *w = to;
    char key[2 * KEY];
    int status = SJ_OK;
    w->record = (struct sj_record){.key = i->key, .role = SJ_ROLE_MIX, .class = SJ_CLASS_NONE};
    if (!stems && !mixes)
        return put_sum(w, i, -1, -1);
    for (int pass = 0; pass < 2; pass++)
        for (int s = 0; s < i->stems && (pass ? mixes : stems) && !status; s++) {
            snprintf(key, sizeof key, "%s/%s", i->key, w->class[i->class[s]]);
            w->record = (struct sj_record){.key = key, .class = i->class[s]};
            w->record.role = pass ? SJ_ROLE_REST : SJ_ROLE_STEM;
            status = put_sum(w, i, pass ? s : -1, pass ? -1 : s);
        }
    return status;
}

static int run_stream(struct work *w)
{
    struct sj_head *head;
    int status = sj_wave_head("sample", w->classes, w->class, SJ_CHUNK_FRAMES, &head);
    if (status)
        return status;
    sj_run_provenance(w->run, head);
    status = sj_output_open(w->run->output, head, &w->out);
    sj_head_free(head);
    if (!status)
        status = sj_chunker_open(SJ_CHUNK_FRAMES, put_chunk, w, &w->chunker);
    if (!status)
        status = make_pieces(w, use_stream);
    sj_chunker_close(w->chunker);
    if (!status)
        return sj_output_end(w->out);
    sj_output_abort(w->out);
    return status;
}

/* -- list ---------------------------------------------------------------------------------------------------------- */

static int print_piece(FILE *f, struct work *w, const struct sj_piece *p)
{
    struct sj_rendition *r;
    int status = sj_rendition_look(&w->how, p, &r);
    if (status == SJ_SYSTEM)
        return sj_fail_at(status, "'%s'", p->path);
    sj_table_put(f, p->path);
    fputc('\t', f);
    sj_table_put(f, p->title);
    fprintf(f, "\t%s\t", sj_split_names[p->split]);
    if (status) {
        fputs("-\t-\tskipped\t", f);
        sj_table_put(f, sj_reason());
        w->skipped++;
    } else {
        fprintf(f, "%.1f\t", r->seconds);
        for (int s = 0; s < r->stems; s++)
            fprintf(f, "%s%s", s ? "," : "", w->class[r->class[s]]);
        fputs("\tok\t-", f);
    }
    fputc('\n', f);
    sj_rendition_free(r);
    return SJ_OK;
}

static int run_list(struct work *w)
{
    struct sj_report *r;
    int status = sj_report_open(w->run, &r);
    if (status)
        return status;
    FILE *f = sj_report_file(r);
    fputs("file\ttitle\tsplit\tseconds\tclasses\tstatus\treason\n", f);
    for (int64_t j = 0; j < w->jobs && !status; j++)
        status = print_piece(f, w, &w->pieces.piece[w->job[j]]);
    return sj_report_close(r, status);
}

/* -- the program --------------------------------------------------------------------------------------------------- */

static int check(struct sj_run *run)
{
    int modes = !!folder + !!dataset + !!list;
    if (modes > 1)
        return sj_fail(SJ_USAGE, "only one of --folder, --dataset and --list");
    if (run->output && (folder || dataset))
        return sj_fail(SJ_USAGE, "--output does nothing with --folder and --dataset");
    if ((stems || mixes) && modes)
        return sj_fail(SJ_USAGE, "--stems and --mixes do nothing with --folder, --dataset and --list");
    if (mix && (!folder || augment))
        return sj_fail(SJ_USAGE, "--mix is for --folder, without --augment");
    if (!augment && (takes > 1 || run->seed_given))
        return sj_fail(SJ_USAGE, "--takes and --seed do nothing without --augment");
    if (augment && list)
        return sj_fail(SJ_USAGE, "--augment does nothing with --list");
    return SJ_OK;
}

/* The sound fonts, where there is something to play with them. */
static int open_fonts(struct work *w, char text[PATHS])
{
    static const char *const usual[] = {"/usr/share/sounds/sf2/default-GM.sf2", "/usr/share/sounds/sf3/default-GM.sf3"};
    char *rest = text, *one;
    int midi = 0;
    for (int64_t j = 0; j < w->jobs && !midi && !list; j++)
        midi = w->pieces.piece[w->job[j] / takes].is_midi;
    if (!midi)
        return SJ_OK;
    const char *given = fonts ? fonts : access(usual[0], R_OK) ? usual[1] : usual[0];
    if ((size_t)snprintf(text, PATHS, "%s", given) >= PATHS)
        return sj_fail(SJ_USAGE, "--soundfont is longer than %d bytes", PATHS);
    while ((one = strsep(&rest, ","))) {
        struct sj_rendition_how *how = &w->how;
        if (how->fonts == SJ_RENDITION_FONTS)
            return sj_fail(SJ_USAGE, "more than %d sound fonts", SJ_RENDITION_FONTS);
        int status = sj_fluid_open(one, w->classes, &how->font[how->fonts]);
        if (status)
            return fonts ? status : sj_fail_at(status, "no --soundfont, and the system's");
        how->font_path[how->fonts++] = one;
        if (!augment && rest)
            return sj_fail(SJ_USAGE, "without --augment only one sound font is used");
    }
    return SJ_OK;
}

static int find_pieces(struct work *w)
{
    int status = sj_casting_open(rules, &w->casting);
    if (status)
        return status;
    w->class = sj_casting_names(w->casting, &w->classes);
    if (table && (status = sj_instruments_open(table, w->classes, w->class, &w->instruments)))
        return status;
    w->how = (struct sj_rendition_how){.casting = w->casting, .instruments = w->instruments, .seconds = seconds,
                                       .augment = augment, .seed = (uint64_t)w->run->seed, .full = mix};
    if ((status = sj_pieces_find(w->run->n, w->run->operand, held_out, &w->pieces)))
        return status;
    if (!(w->job = malloc((size_t)(w->pieces.n * takes + 1) * sizeof *w->job)))
        return sj_fail(SJ_SYSTEM, "no memory for %lld pieces", (long long)w->pieces.n);
    for (int64_t i = 0; i < w->pieces.n * takes; i++)
        if (split == ALL || w->pieces.piece[i / takes].split == (enum sj_split)(split - 1))
            w->job[w->jobs++] = i;
    return SJ_OK;
}

static int run(struct sj_run *r)
{
    struct work w = {.run = r};
    char text[PATHS];
    int status = find_pieces(&w);
    int64_t all = w.jobs;
    if (!status)
        status = open_fonts(&w, text);
    if (!status)
        status = list ? run_list(&w) : folder ? run_folder(&w) : dataset ? run_dataset(&w) : run_stream(&w);
    if (!status && w.skipped)
        status = sj_fail(SJ_NO, "%lld of %lld pieces skipped", (long long)w.skipped, (long long)all);
    for (int i = 0; i < w.how.fonts; i++)
        sj_fluid_close(w.how.font[i]);
    free(w.job);
    sj_pieces_free(&w.pieces);
    sj_instruments_close(w.instruments);
    sj_casting_close(w.casting);
    return status;
}

static const struct sj_tool tool = {
    .name = "sj-render",
    .summary = "MIDI files and tracker modules to aligned stems",
    .operands = "FILE|FOLDER...",
    .details = "Plays Standard MIDI files through sound fonts, and tracker modules, with a signal for every class of\n"
               "instruments, and writes the mixes as a wave/1 stream of 8 s chunks, like sj-chunk; with --folder, the\n"
               "stems as WAV files; with --dataset, as tracks of a training set. What cannot be rendered is skipped.",
    .options = options,
    .common = SJ_TAKES_OUTPUT | SJ_TAKES_THREADS | SJ_TAKES_SEED | SJ_TAKES_PROGRESS,
    .min_operands = 1,
    .max_operands = -1,
    .check = check,
    .run = run,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
