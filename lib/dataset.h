/* dataset: training sets on disk (schemas/dataset.md): per track an int16 16 kHz array (S,N) in one piece of the file,
 * so that a crop of a stem is one pread, with the peaks of its blocks, so that silent crops are rejected without
 * reading audio.
 *
 * Reading is safe from many threads; opening and writing belong to one thread (HDF5). */
#ifndef SJ_DATASET_H
#define SJ_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum {
    SJ_DATASET_RATE_HZ = 16000,
    SJ_DATASET_BLOCK = 8000 /* samples per entry of the activity table (0.5 s) */
};

/* -- reading -------------------------------------------------------------------------------------------------------
 * */
struct sj_dataset;

struct sj_dataset_track {
    const char *key;      /* of the track, without a class */
    int stems;            /* S, at least 1 */
    const int32_t *class; /* (S) index of each stem's class */
    int64_t samples;      /* N, at least 1 */
    int64_t blocks;       /* N / SJ_DATASET_BLOCK, rounded up */
    const int16_t *peak;  /* (S,blocks) max |sample|, at most 32767 */
};

/* Reads everything but the audio. SJ_INPUT: no data set, damaged, audio not in one piece; the track is named. */
int sj_dataset_open(const char *path, struct sj_dataset **d);
void sj_dataset_close(struct sj_dataset *d); /* NULL is allowed */
const char *sj_dataset_path(const struct sj_dataset *d);
int64_t sj_dataset_tracks(const struct sj_dataset *d);
/* Track t of 0 .. tracks-1, in the order of their addition; borrowed, lives as long as d. */
const struct sj_dataset_track *sj_dataset_track(const struct sj_dataset *d, int64_t t);
/* The class names, *n of them; borrowed. */
const char *const *sj_dataset_classes(const struct sj_dataset *d, int *n);
/* out (count) = samples start .. start+count-1 of a stem, which must lie inside the track; full scale is 32768.
 * Thread-safe. */
int sj_dataset_read(const struct sj_dataset *d, int64_t t, int stem, int64_t start, int64_t count, int16_t *out);

/* -- writing -------------------------------------------------------------------------------------------------------
 * */
struct sj_dataset_writer;

/* Adds to PATH (what it leads to, where it is a symbolic link) when it exists, else builds PATH.part (continuing one
 * that is there), which becomes PATH at the close. What exists must have these classes. provenance: JSON text stored
 * with a new set. SJ_INPUT, SJ_SYSTEM. */
int sj_dataset_writer_open(const char *path, int classes, const char *const *names, const char *provenance,
                           struct sj_dataset_writer **w);
/* The file that a writer of PATH opens: what PATH leads to, or its part; owned by the caller. NULL: SJ_SYSTEM. */
char *sj_dataset_writer_path(const char *path);
int64_t sj_dataset_writer_tracks(const struct sj_dataset_writer *w);
/* found = 1 when the set has the track from this source, 0 when it does not have it; SJ_INPUT when it has the key
 * from another source. source: a hash of the audio files, as text. */
int sj_dataset_writer_has(const struct sj_dataset_writer *w, const char *key, const char *source, int *found);
/* Appends a track and flushes, so that an interruption loses at most the track being written. audio (S,N); class (S)
 * ascending. */
int sj_dataset_writer_add(struct sj_dataset_writer *w, const char *key, const char *source, int stems,
                          const int32_t *class, int64_t samples, const int16_t *audio);
/* With status 0 a new set gets its name; else what was added stays in PATH.part (or PATH), which is removed when
 * nothing was. Frees w. Returns status or the failure. */
int sj_dataset_writer_close(struct sj_dataset_writer *w, int status);

#endif
