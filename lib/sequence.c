#include "sequence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Frames of the spectrogram in one of the embedding. */
static int read_patch(const struct sj_head *head, int64_t *patch)
{
    int64_t bands, frequencies;
    int status = sj_head_int(head, "mel_bands", &bands);
    if (!status)
        status = sj_head_int(head, "frequencies", &frequencies);
    if (!status && (bands < 1 || frequencies < 1 || bands % frequencies))
        status = sj_fail(SJ_INPUT, "%lld bands are no whole patches of %lld frequencies", (long long)bands,
                         (long long)frequencies);
    if (!status)
        *patch = bands / frequencies; /* patches are square */
    return status;
}

int sj_sequence_check(const struct sj_embeddings *e, double *step_s, int64_t *chunk)
{
    const struct sj_head *head = sj_embeddings_head(e);
    const char *name = sj_embeddings_name(e);
    int64_t patch = 1, hop = 1, frames = 1;
    double rate_hz = 1;
    if (head->rank != 2 || strcmp(head->dim[0], "time") || strcmp(head->dim[1], "vector"))
        return sj_fail(SJ_INPUT, "'%s' does not hold frames: use --pool frame of sj-embed and sj-predict", name);
    int status = read_patch(head, &patch);
    if (!status)
        status = sj_head_int(head, "mel_hop_samples", &hop);
    if (!status)
        status = sj_head_real(head, "mel_sample_rate_hz", &rate_hz);
    if (!status)
        status = sj_head_int(head, "chunk_frames", &frames);
    if (!status && (hop < 1 || !(rate_hz > 0) || frames < patch))
        status = sj_fail(SJ_INPUT, "its frames have no length");
    *chunk = frames / patch;
    *step_s = (double)(patch * hop) / rate_hz;
    return status ? sj_fail_at(status, "'%s'", name) : SJ_OK;
}

int sj_sequence_reserve(struct sj_sequence *s, int64_t rows)
{
    if (rows > INT64_MAX / (int64_t)sizeof(float) / s->d)
        return sj_fail(SJ_INPUT, "'%s' is too long", s->key);
    if (rows * s->d <= s->room)
        return SJ_OK;
    int64_t room = 2 * s->room > rows * s->d ? 2 * s->room : rows * s->d;
    float *p = realloc(s->value, (size_t)room * sizeof *p);
    if (!p)
        return sj_fail(SJ_SYSTEM, "no memory for %lld frames", (long long)rows);
    s->value = p;
    s->room = room;
    return SJ_OK;
}

/* A chunk behind those that are there. */
static int append(struct sj_embeddings *e, struct sj_sequence *s, const struct sj_record *r)
{
    if (r->dims[1] != s->d)
        return sj_fail(SJ_INPUT, "'%s': '%s' has frames of %lld values, others %lld", sj_embeddings_name(e), r->key,
                       (long long)r->dims[1], (long long)s->d);
    int status = sj_sequence_reserve(s, s->rows + r->dims[0]);
    if (status)
        return status;
    float *to = s->value + s->rows * s->d;
    sj_dtype_to_f32(sj_embeddings_head(e)->dtype, (size_t)(r->dims[0] * s->d), r->data, to);
    s->rows += r->dims[0];
    for (int64_t i = 0; i < r->dims[0] * s->d; i++)
        if (!isfinite(to[i]))
            return sj_fail(SJ_INPUT, "'%s': '%s' holds a value that is not finite", sj_embeddings_name(e), r->key);
    return SJ_OK;
}

/* Whether r is the chunk that goes behind those of s, which are `parts`. */
static int follows(const struct sj_sequence *s, const struct sj_record *r, uint32_t parts, int64_t patch)
{
    return r->part == parts && r->position == s->rows * patch
           && (!parts || (!strcmp(r->key, s->key) && r->class == s->class && r->role == s->role));
}

int sj_sequence_next(struct sj_embeddings *e, struct sj_sequence *s)
{
    const struct sj_record *r;
    int64_t patch;
    uint32_t parts = 0;
    int status = read_patch(sj_embeddings_head(e), &patch), more = 1;
    free(s->key);
    s->key = NULL;
    s->rows = 0;
    for (; !status && more && !(status = sj_embeddings_next(e, &r)); parts++) {
        if (!r && !parts)
            return SJ_OK;
        if (!r)
            return sj_fail(SJ_INPUT, "'%s': '%s' lacks its last chunk", sj_embeddings_name(e), s->key);
        if (!follows(s, r, parts, patch))
            return sj_fail(SJ_INPUT, "'%s': chunk %u of '%s' stands where chunk %u of '%s' is wanted",
                           sj_embeddings_name(e), r->part, r->key, parts, parts ? s->key : r->key);
        if (!parts) {
            s->class = r->class;
            s->role = r->role;
            s->d = s->d ? s->d : r->dims[1];
            if (!(s->key = strdup(r->key)))
                return sj_fail(SJ_SYSTEM, "no memory");
        }
        more = !r->last;
        status = append(e, s, r);
    }
    return status;
}

void sj_sequence_free(struct sj_sequence *s)
{
    free(s->key);
    free(s->value);
    *s = (struct sj_sequence){0};
}
