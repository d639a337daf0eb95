/* sj-synth: made-up multitrack pieces.   sj-synth -> wave/1, or folders of WAV files with annotations */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "annotation.h"
#include "chunk.h"
#include "ordered.h"
#include "output.h"
#include "progress.h"
#include "synth.h"
#include "tool.h"
#include "wav.h"

enum { NAME = 64, PATHS = 4096 };

static int64_t pieces = 8, first;
static double seconds = 30;
static int stems, mixes;
static const char *folder;

static const struct sj_option options[] = {
    {SJ_INT, 'n', "pieces", &pieces, 0, "N", "how many pieces", 0, 1 << 30, NULL, NULL, 0, NULL},
    {SJ_INT, 0, "first", &first, 0, "N", "number of the first piece", 0, 1LL << 40, NULL, NULL, 0, NULL},
    {SJ_REAL, 0, "seconds", &seconds, 0, "SECONDS", "length of a piece", 0.1, 3600, NULL, NULL, 1, NULL},
    {SJ_TEXT, 0, "folder", &folder, 0, "DIR", "a folder of WAV files and annotations per piece in DIR", 0, 0, NULL, NULL, 0, NULL},
    {SJ_FLAG, 0, "stems", &stems, 0, NULL, "the stems instead of the mix", 0, 0, NULL, NULL, 0, NULL},
    {SJ_FLAG, 0, "mixes", &mixes, 0, NULL, "for every stem the sum of the others", 0, 0, NULL, NULL, 0, NULL},
    {.type = SJ_OPTION_NONE},
};

/* The name of a piece among all seeds and numbers. */
static void name_piece(const struct sj_synth_piece *p, char name[NAME])
{
    snprintf(name, NAME, "synth-%llu-%06llu", (unsigned long long)p->seed, (unsigned long long)p->number);
}

/* -- folders -------------------------------------------------------------------------------------------------------- */

static int make_folder(const char *path)
{
    return mkdir(path, 0777) && errno != EEXIST ? sj_fail_errno("cannot make '%s'", path) : SJ_OK;
}

static int write_stem(const char *path, const struct sj_synth_piece *p, int stem)
{
    struct sj_wav *w;
    int status = sj_wav_create(path, SJ_SYNTH_RATE, 1, SJ_I16, &w);
    if (status)
        return status;
    status = sj_wav_write(w, p->stems[stem], p->samples);
    if (!status)
        return sj_wav_commit(w);
    sj_wav_abort(w);
    return status;
}

static int write_folder(const struct sj_synth_piece *p)
{
    char name[NAME], path[PATHS];
    name_piece(p, name);
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (n < 0 || (size_t)n > sizeof path - NAME)
        return sj_fail(SJ_USAGE, "'%s' is too long a path", folder);
    int status = make_folder(path);
    if (!status)
        status = sj_annotation_withdraw(path); /* of an older piece: its stems are about to be replaced */
    for (int s = 0; s < SJ_SYNTH_STEMS && !status; s++) {
        snprintf(path + n, sizeof path - (size_t)n, "/%s.wav", sj_synth_classes[s]);
        status = write_stem(path, p, s);
    }
    path[n] = 0;
    return status ? status : sj_annotation_write(p, path); /* last: its presence says that the folder is complete */
}

/* -- streams -------------------------------------------------------------------------------------------------------- */

/* The signal that is being cut into chunks. */
struct cutting {
    struct sj_output *out;
    struct sj_chunker *chunker;
    char key[NAME + 16];
    enum sj_role role;
    int class;
};

static int put_chunk(const struct sj_chunk *chunk, void *arg)
{
    struct cutting *c = arg;
    struct sj_record r = {.key = c->key, .role = c->role, .class = c->class, .position = chunk->position,
                          .part = chunk->part, .last = chunk->last, .rank = 1, .dims = {chunk->samples},
                          .data = chunk->sample, .bytes = (size_t)chunk->samples * sizeof(float)};
    return sj_output_put(c->out, &r);
}

/* The sum of the stems whose bit is set in `which`. */
static int put_sum(struct cutting *c, const struct sj_synth_piece *p, unsigned which, enum sj_role role, int class)
{
    char name[NAME];
    float block[4096];
    name_piece(p, name);
    if (class < 0)
        snprintf(c->key, sizeof c->key, "%s", name);
    else
        snprintf(c->key, sizeof c->key, "%s/%s", name, sj_synth_classes[class]);
    c->role = role;
    c->class = class;
    for (int64_t at = 0, n; at < p->samples; at += n) {
        n = p->samples - at < 4096 ? p->samples - at : 4096;
        memset(block, 0, sizeof block);
        for (int s = 0; s < SJ_SYNTH_STEMS; s++)
            for (int64_t i = 0; i < n && which >> s & 1; i++)
                block[i] += p->stems[s][at + i];
        int status = sj_chunker_push(c->chunker, block, n);
        if (status)
            return status;
    }
    return sj_chunker_end(c->chunker);
}

static int put_piece(struct cutting *c, const struct sj_synth_piece *p)
{
    const unsigned all = (1u << SJ_SYNTH_STEMS) - 1;
    int status = SJ_OK;
    if (!stems && !mixes)
        return put_sum(c, p, all, SJ_ROLE_MIX, SJ_CLASS_NONE);
    for (int s = 0; s < SJ_SYNTH_STEMS && stems && !status; s++)
        status = put_sum(c, p, 1u << s, SJ_ROLE_STEM, s);
    for (int s = 0; s < SJ_SYNTH_STEMS && mixes && !status; s++)
        status = put_sum(c, p, all & ~(1u << s), SJ_ROLE_REST, s);
    return status;
}

/* -- the program ---------------------------------------------------------------------------------------------------- */

static void drop_piece(void *item)
{
    sj_synth_free(item);
    free(item);
}

/* One piece: into its folder, or handed on to the stream. */
static int make_piece(void *arg, int64_t number, struct sj_ordered_job *to)
{
    const struct sj_run *run = arg;
    struct sj_synth_piece *p = malloc(sizeof *p);
    if (!p)
        return sj_fail(SJ_SYSTEM, "no memory for a piece");
    int status = sj_synth_make((uint64_t)run->seed, (uint64_t)number, seconds, p);
    if (!status && !folder)
        return sj_ordered_give(to, p);
    if (!status)
        status = write_folder(p);
    drop_piece(p);
    return status;
}

/* All pieces, to `c` or (NULL) to their folders. */
static int make_pieces(struct sj_run *run, struct cutting *c)
{
    struct sj_ordered_work how = {.threads = run->threads, .ahead = run->threads, .depth = 1, .first = first,
                                  .jobs = pieces, .run = make_piece, .drop = drop_piece, .arg = run};
    struct sj_ordered *o;
    int status = sj_ordered_open(&how, &o);
    if (status)
        return status;
    struct sj_progress *p = sj_progress_new(run->progress, "sj-synth", "pieces", 0, pieces);
    for (int64_t i = 0; i < pieces && !status; i++) {
        void *item;
        while (!(status = sj_ordered_take(o, &item)) && item) {
            status = put_piece(c, item);
            drop_piece(item);
            if (status)
                break;
        }
        sj_progress_show(p, i + 1, NULL);
    }
    sj_progress_end(p);
    sj_ordered_close(o);
    return status;
}

static int write_stream(struct sj_run *run)
{
    struct sj_head *head;
    struct cutting c = {.out = NULL};
    int status = sj_wave_head("sample", SJ_SYNTH_STEMS, sj_synth_classes, SJ_CHUNK_FRAMES, &head);
    if (status)
        return status;
    sj_run_provenance(run, head);
    status = sj_output_open(run->output, head, &c.out);
    sj_head_free(head);
    if (!status)
        status = sj_chunker_open(SJ_CHUNK_FRAMES, put_chunk, &c, &c.chunker);
    if (!status)
        status = make_pieces(run, &c);
    sj_chunker_close(c.chunker);
    if (!status)
        return sj_output_end(c.out);
    sj_output_abort(c.out);
    return status;
}

static int check(struct sj_run *run)
{
    if (folder && (run->output || stems || mixes))
        return sj_fail(SJ_USAGE, "--folder writes the stems as files: not with --output, --stems or --mixes");
    return SJ_OK;
}

static int run(struct sj_run *r)
{
    if (!folder)
        return write_stream(r);
    int status = make_folder(folder);
    return status ? status : make_pieces(r, NULL);
}

static const struct sj_tool tool = {
    .name = "sj-synth",
    .summary = "made-up multitrack pieces with known key, chords and tempo",
    .operands = "",
    .details = "Writes the mixes of the pieces as a wave/1 stream of 8 s chunks, like sj-chunk of their files; or with --folder\n"
               "their stems as WAV files beside what is known about them. A piece depends on --seed, its number and --seconds.",
    .options = options,
    .common = SJ_TAKES_OUTPUT | SJ_TAKES_THREADS | SJ_TAKES_SEED | SJ_TAKES_PROGRESS,
    .max_operands = 0,
    .check = check,
    .run = run,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
