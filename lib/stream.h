/* stream: the wire format between the programs (schemas/stream.md, sj-stream(5)).
 *
 * A stream is HEAD, any number of RECORDs, END; streams whose HEADs are equal may follow each other and are read as
 * one. A stream without its END, with a wrong checksum, sequence number, padding or limit is refused with SJ_INPUT.
 * Nothing seeks. A reader or writer belongs to one thread at a time. */
#ifndef SJ_STREAM_H
#define SJ_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "json.h"

enum sj_dtype { SJ_F32 = 1, SJ_F16 = 2, SJ_BF16 = 3, SJ_I16 = 4 };
enum sj_role {
    SJ_ROLE_MIX = 0,       /* a mixture; class: none */
    SJ_ROLE_STEM = 1,      /* one stem; class: its own, or none when unknown */
    SJ_ROLE_REST = 2,      /* all stems of a track but one; class: that of the stem left out */
    SJ_ROLE_PREDICTION = 3 /* an embedding predicted for `class` */
};
enum {
    SJ_RANK = 8,
    SJ_KEY_BYTES = 4096,            /* the longest key, in bytes */
    SJ_HEAD_BYTES = 1 << 20,        /* the longest HEAD text */
    SJ_CLASSES = 256,
    SJ_CLASS_NONE = -1
};
#define SJ_DATA_BYTES ((uint64_t)1 << 31) /* the largest tensor of a record, in bytes */

/* What a stream carries. Equal for all shards of one job: no file names, no times. */
struct sj_head {
    char kind[16];                 /* "wave/1", "mel/1", "embed/1" */
    int rank;                      /* of every record's tensor */
    char dim[SJ_RANK][16];         /* its dimensions' names: "sample"; "mel" "frame"; "pair" ... ; "vector" */
    enum sj_dtype dtype;
    int classes;                   /* number of class names, 0 when the data has none */
    const char *class_name[SJ_CLASSES]; /* owned by the head */
    sj_json *params;               /* object: what later stages need; keys with units: "sample_rate_hz" */
    sj_json *provenance;           /* array of {"tool", "version", "options"}, oldest first */
};

/* One record. data and key are borrowed: from the reader until its next call, or from the caller of sj_writer_put. */
struct sj_record {
    const char *key;       /* NUL-terminated, no embedded NUL; "track/stem" or a file's name without its ending */
    enum sj_role role;
    int class;             /* index into class_name, or SJ_CLASS_NONE */
    int64_t position;      /* chunks: their first frame in the track (10 ms units); pairs: their number; else 0 */
    uint32_t part;         /* chunks: 0, 1, 2 ... within the key; else 0 */
    int last;              /* 1 on the last chunk of its key (always 1 where a key has one record) */
    int rank;
    int64_t dims[SJ_RANK];
    const void *data;
    size_t bytes;          /* of data: product of dims times the size of the dtype */
};

size_t sj_dtype_size(enum sj_dtype t);
const char *sj_dtype_name(enum sj_dtype t);   /* "f32" ...; NULL when unknown */
int sj_dtype_parse(const char *name, enum sj_dtype *t);
const char *sj_role_name(enum sj_role r);     /* "mix" "stem" "rest" "prediction"; NULL when unknown */
int sj_role_parse(const char *name, enum sj_role *r);
/* n values of dtype t to f32 and back. i16 is audio: 1.0 is 32768. Back: to nearest even; i16 is clipped, and 0
 * for NaN. */
void sj_dtype_to_f32(enum sj_dtype t, size_t n, const void *data, float *out);
void sj_dtype_from_f32(enum sj_dtype t, size_t n, const float *in, void *data);

/* -- heads --------------------------------------------------------------------------------------------------------- */
/* A new head with empty classes, params, provenance. dims: "mel,frame". Freed with sj_head_free. */
int sj_head_new(const char *kind, const char *dims, enum sj_dtype dtype, struct sj_head **head);
int sj_head_copy(const struct sj_head *from, struct sj_head **to);
void sj_head_free(struct sj_head *head);
int sj_head_set_classes(struct sj_head *head, int n, const char *const *names);
int sj_head_class(const struct sj_head *head, const char *name); /* index, or SJ_CLASS_NONE */
/* SJ_INPUT unless they are equal, naming the first difference: "'B' does not go with 'A': params.mean is -8.0, not
 * -9.4". */
int sj_head_same(const struct sj_head *a, const char *name_a, const struct sj_head *b, const char *name_b);
/* SJ_INPUT unless the head is of this kind: "'NAME' carries 'mel/1' where 'wave/1' is wanted". */
int sj_head_want(const struct sj_head *head, const char *name, const char *kind);
/* A required parameter; SJ_INPUT naming it when absent. */
int sj_head_int(const struct sj_head *head, const char *param, int64_t *value);
int sj_head_real(const struct sj_head *head, const char *param, double *value);
/* {"kind", "dims", "dtype", "classes", "params", "provenance"}. */
int sj_head_to_json(const struct sj_head *head, sj_json **json);
int sj_head_from_json(const sj_json *json, struct sj_head **head);

/* -- reading ------------------------------------------------------------------------------------------------------- */
struct sj_reader;
/* Opens the streams of n paths, one after the other, as one stream ("-" or n = 0: standard input). Their HEADs must be
 * equal. SJ_SYSTEM when a path cannot be opened, SJ_INPUT when the first is no stream, SJ_USAGE when standard input is
 * a terminal. */
int sj_reader_open(int n, const char *const *paths, struct sj_reader **r);
const struct sj_head *sj_reader_head(const struct sj_reader *r); /* borrowed, lives as long as the reader */
const char *sj_reader_name(const struct sj_reader *r);           /* of the input being read, for messages */
/* The next record, or *record = NULL at the end of the last stream. Its data is aligned to 64 bytes. A failure is
 * final. */
int sj_reader_next(struct sj_reader *r, const struct sj_record **record);
void sj_reader_close(struct sj_reader *r); /* NULL is allowed */

/* -- writing ------------------------------------------------------------------------------------------------------- */
struct sj_writer;
/* PATH NULL or "-": standard output, SJ_USAGE when that is a terminal. A file appears under its name only at
 * sj_writer_end. The head is copied. */
int sj_writer_open(const char *path, const struct sj_head *head, struct sj_writer **w);
/* Checks the record against the head (key, rank, dims, bytes, class: SJ_USAGE) and writes it before returning. */
int sj_writer_put(struct sj_writer *w, const struct sj_record *record);
int sj_writer_end(struct sj_writer *w);    /* END mark, flush, fsync and rename; frees w also on failure */
void sj_writer_abort(struct sj_writer *w); /* no END mark; a temporary file is removed. NULL is allowed */

#endif
