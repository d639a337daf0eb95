/* embeddings: files of embeddings (schemas/embeddings.md), and one way to read them whether HDF5 or stream.
 *
 * HDF5 layout, n records of vectors of d values:
 *   /embedding   f32 (rows, d)   the vectors; rows = n where a record is one vector (dims "vector")
 *   /key         text (n)        "track/stem"
 *   /class       i32 (n)         index into /class_name, -1 none
 *   /role        u8 (n)          index into /role_name
 *   /position    i64 (n), /part i64 (n), /last u8 (n)
 *   /dims        i64 (n, rank)   only where a record is more than one vector: its shape; its rows follow those of the
 *                                record before
 *   /class_name, /role_name      text
 *   attribute "head" of /        JSON: the head of the stream that this file is equal to
 * Both directions keep every value, key, class, role, position and the head: a stream written to HDF5 and back is the
 * same stream. */
#ifndef SJ_EMBEDDINGS_H
#define SJ_EMBEDDINGS_H

#include <stdint.h>

#include "stream.h"

/* -- writing an HDF5 file ------------------------------------------------------------------------------------------ */
struct sj_embeddings_writer;

/* The file appears as PATH at sj_embeddings_commit, whole or not at all. head must be "embed/1" (SJ_USAGE); it is
 * copied. */
int sj_embeddings_create(const char *path, const struct sj_head *head, struct sj_embeddings_writer **w);
/* Appends. All records have the same last dimension and at least one value. */
int sj_embeddings_put(struct sj_embeddings_writer *w, const struct sj_record *record);
int sj_embeddings_commit(struct sj_embeddings_writer *w); /* frees w also on failure */
void sj_embeddings_abort(struct sj_embeddings_writer *w); /* nothing appears; NULL is allowed */

/* -- reading HDF5 files and embed/1 streams ------------------------------------------------------------------------ */
struct sj_embeddings;

/* What a record says beside its values. */
struct sj_embedding {
    const char *key;
    enum sj_role role;
    int class; /* index into the head's class_name, or SJ_CLASS_NONE */
};

/* Opens n paths one after the other, HDF5 files and streams in any mixture ("-", or n = 0: a stream on standard input).
 * They must match as sj_embeddings_match says. */
int sj_embeddings_open(int n, const char *const *paths, struct sj_embeddings **e);
void sj_embeddings_close(struct sj_embeddings *e); /* NULL is allowed */
const struct sj_head *sj_embeddings_head(const struct sj_embeddings *e); /* of the first input; borrowed */
const char *sj_embeddings_name(const struct sj_embeddings *e);           /* of the input being read, for messages */

/* The next record as a stream would give it, or *record = NULL at the end; borrowed until the next call. */
int sj_embeddings_next(struct sj_embeddings *e, const struct sj_record **record);

/* Where every record is one vector: the length of the vectors, 0 when there is no record. SJ_INPUT when records are
 * more than that. */
int sj_embeddings_width(struct sj_embeddings *e, int64_t *d);
/* Up to `most` records as rows of out f32 (most, d), with their info (most), keys borrowed until the next call. *got
 * is 0 at the end. */
int sj_embeddings_block(struct sj_embeddings *e, int64_t most, float *out, struct sj_embedding *info, int64_t *got);
/* How many records there are; -1 where only reading tells: unless all inputs are HDF5 files. */
int64_t sj_embeddings_count(const struct sj_embeddings *e);
/* Back to the first record. SJ_USAGE when standard input is among the inputs. */
int sj_embeddings_rewind(struct sj_embeddings *e);

/* Whether vectors of a and b may be compared: the same class names in the same order and the same params "model_id".
 * SJ_INPUT naming both inputs and both values. */
int sj_embeddings_match(const struct sj_head *a, const char *a_name, const struct sj_head *b, const char *b_name);
/* The same of the class names alone. */
int sj_embeddings_match_classes(const struct sj_head *a, const char *a_name, const struct sj_head *b,
                                const char *b_name);

/* The track of a key "track/stem": its bytes before the last '/', all when there is none. */
size_t sj_key_track(const char *key);

#endif
