/* layout: what the files and folders on a command line are: single sounds, or tracks with stems in one of the known
 * layouts.
 *
 *   file       a sound file by itself
 *   channels   a sound file with a channel per class, in the order of the classes (the paper's 4-channel files)
 *   musdb18    NAME.stem.mp4: audio streams mix, drums, bass, other, vocals
 *   musdb18hq  TRACK/{bass,drums,other,vocals,mixture}.wav; forced: every file, by the class map
 *   moisesdb   TRACK/{data.json,CLASS/ANY.wav ...}, the files of a class summed
 *   slakh      TRACK/{metadata.yaml,mix.flac,stems/S00.flac ...}, inst_class by the class map
 *   medleydb   TRACK/{TRACK_METADATA.yaml,TRACK_MIX.wav,TRACK_STEMS/ ...}, instrument by the class map
 *
 * Folders are searched through for tracks; names that begin with a dot are passed over. Sorted by byte value, so the
 * order is the same everywhere. */
#ifndef SJ_LAYOUT_H
#define SJ_LAYOUT_H

#include <stdint.h>

#include "classmap.h"
#include "err.h"

enum sj_layout {
    SJ_LAYOUT_AUTO,
    SJ_LAYOUT_FILE,
    SJ_LAYOUT_CHANNELS,
    SJ_LAYOUT_MUSDB18,
    SJ_LAYOUT_MUSDB18HQ,
    SJ_LAYOUT_MOISESDB,
    SJ_LAYOUT_SLAKH,
    SJ_LAYOUT_MEDLEYDB
};
extern const char *const sj_layout_names[]; /* "auto", "file" ..., NULL */

/* A signal in a file: the mean of its channels. */
struct sj_part {
    char *path;
    int stream; /* as sj_audio_open */
};

/* The sum of all parts of one class. */
struct sj_stem {
    int class;
    int parts;
    struct sj_part *part;
};

struct sj_track {
    char *key;  /* unique among the tracks */
    char *path; /* of its file or folder; "-": standard input */
    /* AUTO: a file whose number of channels decides between FILE and CHANNELS. */
    enum sj_layout layout;
    int class;            /* FILE: by its name, or SJ_CLASS_NONE */
    int stems;            /* 0 for AUTO, FILE, CHANNELS */
    struct sj_stem *stem; /* (stems), classes ascending */
    struct sj_part mix;   /* path NULL: there is none */
    int status;           /* not SJ_OK: what is there cannot be used */
    char *reason;
};

struct sj_tracks {
    int64_t n, room;
    struct sj_track *track;
};

/* The tracks of n operands (0: standard input), in their order. Fails only for want of memory: what is wrong with an
 * operand or a track is its status. AUTO recognises; any other layout is forced. */
int sj_layout_find(int n, const char *const *operands, enum sj_layout layout, const struct sj_classmap *map,
                   struct sj_tracks *tracks);
void sj_tracks_free(struct sj_tracks *tracks);
const char *sj_track_name(const struct sj_track *t); /* its path as messages say it; borrowed */

#endif
