/* layout_own: what the recognisers of layouts share. */
#ifndef SJ_LAYOUT_OWN_H
#define SJ_LAYOUT_OWN_H

#include "layout.h"

/* The names in a folder, sorted; those that begin with a dot left out. */
struct sj_names {
    int n;
    char **name;
    unsigned char *folder; /* (n) 1: a folder */
};
int sj_names_read(const char *path, struct sj_names *names);
void sj_names_free(struct sj_names *names);
int sj_name_is_sound(const char *name);                /* by its ending */
char *sj_path_join(const char *folder, const char *name); /* owned by the caller; NULL: no memory */
void sj_path_stem(const char *path, char *to, size_t size); /* the last name without its ending */

/* Adds a track at PATH; *track is valid until the next. Its key is settled at the end. */
int sj_tracks_add(struct sj_tracks *all, const char *path, enum sj_layout layout, struct sj_track **track);
/* Adds a part to the stem of a class, or to the mix; which: a class, SJ_CLASS_MIX or _LEFT_OUT. path is copied. */
int sj_track_add_part(struct sj_track *track, int which, const char *path, int stream);
/* Marks a track as unusable for the reason recorded last. */
int sj_track_spoil(struct sj_track *track, int status);

/* Recognisers of folders: *found = 1 and a track added, or 0. forced: the layout was asked for. */
typedef int sj_recognise(const char *path, const struct sj_names *names, int forced, const struct sj_classmap *map,
                         struct sj_tracks *all, int *found);
sj_recognise sj_layout_musdb18hq, sj_layout_moisesdb, sj_layout_slakh, sj_layout_medleydb;

/* Calls visit(stem, field, value, arg) for the scalar fields of every entry under "stems:" of a metadata file; of a
 * list, for its first value. Fields deeper down are passed over. */
int sj_yaml_stems(const char *path, int (*visit)(const char *stem, const char *field, const char *value, void *arg),
                  void *arg);

#endif
