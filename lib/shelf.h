/* shelf: an index of stems in a folder, to find in a moment what fits a mix (schemas/index.md).
 *
 * FOLDER/.sj/index.h5 has what is known of every stem, FOLDER/.sj/frames/ a file of its frames per track; a "track" is
 * a sound file or a folder of stems as layout.h finds it. The index appears whole or not at all, after the frames that
 * it speaks of; frames of which no index speaks are removed when the index is next brought up to date. */
#ifndef SJ_SHELF_H
#define SJ_SHELF_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "facts.h"

enum { SJ_SHELF_STAMP = 17 };

struct sj_shelf_track {
    char *path;                 /* relative to the root */
    char stamp[SJ_SHELF_STAMP]; /* changes when one of its files is touched */
    int64_t first, stems;       /* its stems in the list of all */
};

struct sj_shelf_stem {
    char *name;   /* the sound by its name (sound.h), relative to the root */
    int64_t track;
    int class;    /* number among the shelf's classes, or SJ_CLASS_NONE */
    struct sj_facts facts;
    int64_t row, rows; /* its frames in the track's file of frames */
};

struct sj_shelf {
    char *folder;    /* that the index lies in: ROOT/.sj, or any other */
    char *root;
    char *model, id[17]; /* the model's path and id */
    int classes;
    char **class_name;
    int64_t width;   /* F D of the model: of vectors and frames */
    int64_t tracks, stems, track_room, stem_room, vector_room;
    struct sj_shelf_track *track;
    struct sj_shelf_stem *stem;
    float *vector;   /* (stems, width) mean frames, layer-normalised, of length 1 */
};

void sj_shelf_free(struct sj_shelf *s); /* zeros are allowed */

/* FOLDER/index.h5, or *found = 0. Paths are taken to be relative to the folder that `.sj` is in, so that both may be
 * moved together; where FOLDER has another name, to the root of old. SJ_INPUT: it is no index, or damaged. */
int sj_shelf_read(const char *folder, struct sj_shelf *s, int *found);
int sj_shelf_write(const struct sj_shelf *s);

/* Adds a track, then its stems one by one: strings are copied, vector f32 (width). SJ_SYSTEM: no memory. */
int sj_shelf_add_track(struct sj_shelf *s, const char *path, const char *stamp);
int sj_shelf_add_stem(struct sj_shelf *s, const struct sj_shelf_stem *stem, const float *vector);

/* A frame as it is kept: 8 bits a value, by the largest in magnitude of the frame; its length is lost. */
void sj_shelf_pack(int64_t n, const float *frame, uint8_t *packed);
/* frames f32 (rows, width) of a stem, the caller's. SJ_INPUT: the file is not there, or cut short. */
int sj_shelf_frames(const struct sj_shelf *s, const struct sj_shelf_stem *stem, float **frames);
/* PATH (size bytes) of the file of frames of a track. */
void sj_shelf_frames_path(const struct sj_shelf *s, const struct sj_shelf_track *t, char *path, size_t size);

/* x (n): its mean over n taken away, divided by its length: what similarities are taken of. */
void sj_shelf_normal(int64_t n, float *x);

/* -- bringing it up to date ---------------------------------------------------------------------------------------- */
struct sj_listener;
struct sj_shelf_work {
    const char *folder, *root;
    const char *model;          /* its path */
    const char *id;
    struct sj_listener *listener;
    int threads, progress;
    void (*skipped)(void *arg); /* for every track that cannot be read: sj_reason() says why */
    volatile const sig_atomic_t *stop;   /* NULL, or: not 0 asks to stop; what is done is kept */
    void *arg;
};

struct sj_shelf_counts {
    int64_t stems, tracks;                   /* that are there now */
    int64_t kept, read, forgotten, skipped;  /* tracks */
    int other_model;                         /* the index was made by another model: nothing of it was kept */
};

/* Makes or renews the index of `root` in `folder`: tracks that are new or changed are read, those that are gone are
 * forgotten. It is written every minute, so that little is lost where the program is killed. SJ_SYSTEM: another program
 * is at it; folders cannot be made. */
int sj_shelf_update(const struct sj_shelf_work *w, struct sj_shelf_counts *counts);

#endif
