#include "pairs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "align.h"
#include "room.h"
#include "spool.h"

/* A stem in the file. */
struct kept {
    char *key;
    int class;
    int64_t rows, offset;
};

const char *const sj_remove_names[] = {"none", "mean", "place", NULL};

struct sj_pairs {
    enum sj_remove remove;
    int64_t chunk[2]; /* frames of a chunk of the queries, of the stems */
    struct sj_embeddings *queries, *stems;
    struct sj_sequence query, stem;
    struct kept *kept;
    int64_t count, room;
    int file;     /* -1: not open */
    int64_t size;
    int64_t made; /* pairs so far */
};

int sj_pairs_open(const char *query, int n, const char *const *stems, enum sj_remove what, struct sj_pairs **out,
                  double *step_s)
{
    struct sj_pairs *p = calloc(1, sizeof *p);
    double stem_step_s;
    if (!p)
        return sj_fail(SJ_SYSTEM, "no memory");
    p->file = -1;
    p->remove = what;
    int status = sj_embeddings_open(query ? 1 : 0, &query, &p->queries);
    if (!status)
        status = sj_embeddings_open(n, stems, &p->stems);
    if (!status)
        status = sj_sequence_check(p->queries, step_s, &p->chunk[0]);
    if (!status)
        status = sj_sequence_check(p->stems, &stem_step_s, &p->chunk[1]);
    if (!status)
        status = sj_embeddings_match(sj_embeddings_head(p->queries), sj_embeddings_name(p->queries),
                                     sj_embeddings_head(p->stems), sj_embeddings_name(p->stems));
    if (!status && *step_s != stem_step_s)
        status = sj_fail(SJ_INPUT, "'%s' has a frame every %g s, '%s' every %g s", sj_embeddings_name(p->queries),
                         *step_s, sj_embeddings_name(p->stems), stem_step_s);
    if (status)
        sj_pairs_close(p);
    else
        *out = p;
    return status;
}

const struct sj_head *sj_pairs_head(const struct sj_pairs *p)
{
    return sj_embeddings_head(p->queries);
}

void sj_pairs_close(struct sj_pairs *p)
{
    if (!p)
        return;
    for (int64_t i = 0; i < p->count; i++)
        free(p->kept[i].key);
    free(p->kept);
    if (p->file >= 0)
        close(p->file);
    sj_sequence_free(&p->query);
    sj_sequence_free(&p->stem);
    sj_embeddings_close(p->queries);
    sj_embeddings_close(p->stems);
    free(p);
}

/* -- the file ------------------------------------------------------------------------------------------------------ */
static int write_all(struct sj_pairs *p, const char *bytes, int64_t n)
{
    while (n > 0) {
        ssize_t k = pwrite(p->file, bytes, (size_t)n, p->size);
        if (k < 0 && errno != EINTR)
            return sj_fail_errno("cannot keep '%s' in $TMPDIR until its prediction comes", p->stem.key);
        bytes += k > 0 ? k : 0;
        n -= k > 0 ? k : 0;
        p->size += k > 0 ? k : 0;
    }
    return SJ_OK;
}

/* Keeps the stem just read. */
static int keep(struct sj_pairs *p)
{
    struct sj_sequence *s = &p->stem;
    int status = p->file < 0 ? sj_spool_new(&p->file) : SJ_OK;
    if (!status)
        status = sj_room(&p->kept, sizeof *p->kept, p->count, &p->room);
    const int64_t offset = p->size;
    if (!status)
        status = write_all(p, (const char *)s->value, s->rows * s->d * (int64_t)sizeof *s->value);
    if (status)
        return status;
    p->kept[p->count++] = (struct kept){s->key, s->class, s->rows, offset};
    s->key = NULL;
    return SJ_OK;
}

/* Takes stem i out of the file. */
static int take(struct sj_pairs *p, int64_t i)
{
    struct sj_sequence *s = &p->stem;
    const struct kept k = p->kept[i];
    memmove(p->kept + i, p->kept + i + 1, (size_t)(--p->count - i) * sizeof k);
    free(s->key);
    s->key = k.key;
    s->class = k.class;
    s->rows = 0;
    int status = sj_sequence_reserve(s, k.rows);
    if (status)
        return status;
    s->rows = k.rows;
    char *to = (char *)s->value;
    for (int64_t got = 0, all = k.rows * s->d * (int64_t)sizeof *s->value; got < all;) {
        ssize_t n = pread(p->file, to + got, (size_t)(all - got), k.offset + got);
        if (!n || (n < 0 && errno != EINTR))
            return sj_fail_errno("cannot read what was kept of '%s'", s->key);
        got += n > 0 ? n : 0;
    }
    return SJ_OK;
}

/* -- pairs --------------------------------------------------------------------------------------------------------- */
static int belongs(const struct sj_pairs *p, const char *key, int class)
{
    return class == p->query.class && !strcmp(key, p->query.key);
}

/* The next stem of the input; its key is NULL at the end. */
static int next_stem(struct sj_pairs *p)
{
    int status = sj_sequence_next(p->stems, &p->stem);
    if (!status && p->stem.key && p->stem.role == SJ_ROLE_PREDICTION)
        status = sj_fail(SJ_INPUT, "'%s': '%s' is a prediction where a stem is wanted", sj_embeddings_name(p->stems),
                         p->stem.key);
    return status;
}

/* Reads on to the stem of the query, keeping the others. */
static int find_stem(struct sj_pairs *p)
{
    int status;
    for (int64_t i = 0; i < p->count; i++)
        if (belongs(p, p->kept[i].key, p->kept[i].class))
            return take(p, i);
    while (!(status = next_stem(p)) && p->stem.key && !belongs(p, p->stem.key, p->stem.class))
        if ((status = keep(p)))
            break;
    if (!status && !p->stem.key)
        status = sj_fail(SJ_INPUT, "'%s': '%s' of the class '%s' has no stem", sj_embeddings_name(p->queries),
                         p->query.key,
                         p->query.class == SJ_CLASS_NONE ? "-" : sj_pairs_head(p)->class_name[p->query.class]);
    return status;
}

/* What is left of the stems belongs to no query, but must be whole. */
static int finish(struct sj_pairs *p)
{
    int status;
    while (!(status = next_stem(p)) && p->stem.key)
        continue;
    if (!status && !p->made)
        status = sj_fail(SJ_INPUT, "'%s' holds no prediction", sj_embeddings_name(p->queries));
    return status;
}

/* Frames as they are compared. */
static int finish_frames(const struct sj_pairs *p, struct sj_sequence *s, int64_t chunk)
{
    int status = SJ_OK;
    if (p->remove != SJ_REMOVE_NONE)
        status = sj_align_remove(s->rows, s->d, p->remove == SJ_REMOVE_PLACE ? chunk : 1, s->value);
    if (!status)
        sj_align_unit(s->rows, s->d, s->value);
    return status;
}

int sj_pairs_next(struct sj_pairs *p, const struct sj_sequence **query, const struct sj_sequence **stem)
{
    *query = *stem = NULL;
    int status = sj_sequence_next(p->queries, &p->query);
    if (!status && !p->query.key)
        return finish(p);
    if (!status && p->query.role != SJ_ROLE_PREDICTION)
        status = sj_fail(SJ_INPUT, "'%s': '%s' is no prediction: use sj-predict", sj_embeddings_name(p->queries),
                         p->query.key);
    if (!status)
        status = find_stem(p);
    if (!status && p->stem.d != p->query.d)
        status = sj_fail(SJ_INPUT, "'%s' has frames of %lld values, '%s' of %lld", sj_embeddings_name(p->queries),
                         (long long)p->query.d, sj_embeddings_name(p->stems), (long long)p->stem.d);
    if (!status)
        status = finish_frames(p, &p->query, p->chunk[0]);
    if (!status)
        status = finish_frames(p, &p->stem, p->chunk[1]);
    if (status)
        return status;
    p->made++;
    *query = &p->query;
    *stem = &p->stem;
    return SJ_OK;
}
