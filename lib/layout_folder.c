/* The folders of MUSDB18-HQ, MoisesDB, Slakh2100 and MedleyDB. Recognised only by what no other folder has; what then
 * does not fit makes the track unusable, never incomplete. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "audio.h"
#include "layout_own.h"
#include "stream.h"

enum { WORD = 512 };

static int find_name(const struct sj_names *names, const char *name, int folder)
{
    for (int i = 0; i < names->n; i++)
        if (!strcmp(names->name[i], name) && names->folder[i] == folder)
            return 1;
    return 0;
}

/* Adds FOLDER/NAME to the class of `what`; a name that no class has spoils the track. */
static int add_part(struct sj_track *t, const struct sj_classmap *map, const char *folder, const char *name,
                    const char *what, int which)
{
    if (which == SJ_CLASS_UNKNOWN && map)
        which = sj_classmap_find(map, what);
    if (which == SJ_CLASS_UNKNOWN)
        return sj_track_spoil(t, sj_fail(SJ_INPUT, "'%s/%s': the class map has no class for '%s'", folder, name, what));
    char *path = sj_path_join(folder, name);
    int status =
        path ? sj_track_add_part(t, which, path, SJ_AUDIO_AUTO) : sj_fail(SJ_SYSTEM, "no memory for '%s'", folder);
    free(path);
    return status;
}

static int check_stems(struct sj_track *t)
{
    return t->status || t->stems ? SJ_OK : sj_track_spoil(t, sj_fail(SJ_INPUT, "'%s' has no stems", t->path));
}

/* A sound file per class. Unforced only with the very names of two classes: a folder of songs is no track. */
int sj_layout_musdb18hq(const char *path, const struct sj_names *names, int forced, const struct sj_classmap *map,
                        struct sj_tracks *all, int *found)
{
    char stem[WORD];
    int exact = 0, sounds = 0;
    for (int i = 0; i < names->n; i++) {
        if (names->folder[i] || !sj_name_is_sound(names->name[i]))
            continue;
        sj_path_stem(names->name[i], stem, sizeof stem);
        exact += sj_classmap_exact(map, stem) >= 0;
        sounds++;
    }
    if (forced ? !sounds : exact < 2)
        return SJ_OK;
    struct sj_track *t;
    *found = 1;
    int status = sj_tracks_add(all, path, SJ_LAYOUT_MUSDB18HQ, &t);
    for (int i = 0; i < names->n && !status && !t->status; i++) {
        if (names->folder[i] || !sj_name_is_sound(names->name[i]))
            continue;
        sj_path_stem(names->name[i], stem, sizeof stem);
        int which = sj_classmap_exact(map, stem);
        if (which < 0)
            which = forced ? sj_classmap_find(map, stem) : sj_classmap_recognise(map, stem);
        status = add_part(t, NULL, path, names->name[i], stem, which);
    }
    return status ? status : check_stems(t);
}

/* A folder per class, each with any number of files. */
int sj_layout_moisesdb(const char *path, const struct sj_names *names, int forced, const struct sj_classmap *map,
                       struct sj_tracks *all, int *found)
{
    struct sj_track *t = NULL;
    int status = SJ_OK;
    if (!forced && !find_name(names, "data.json", 0))
        return SJ_OK;
    for (int i = 0; i < names->n && !status; i++) {
        struct sj_names inside = {.n = 0};
        char *folder = names->folder[i] ? sj_path_join(path, names->name[i]) : NULL;
        if (folder)
            status = sj_names_read(folder, &inside);
        for (int k = 0; k < inside.n && !status && !(t && t->status); k++) {
            if (inside.folder[k] || !sj_name_is_sound(inside.name[k]))
                continue;
            if (!t)
                status = sj_tracks_add(all, path, SJ_LAYOUT_MOISESDB, &t);
            if (!status)
                status = add_part(t, map, folder, inside.name[k], names->name[i], SJ_CLASS_UNKNOWN);
        }
        sj_names_free(&inside);
        free(folder);
    }
    *found = t != NULL;
    return status || !t ? status : check_stems(t);
}

/* -- with metadata ------------------------------------------------------------------------------------------------- */

enum { STEMS = 512 };

/* What a metadata file says about its stems. */
struct listing {
    int n;
    struct { char stem[32], file[WORD], what[WORD]; int silent; } *at; /* (STEMS) */
};

static int take_field(const char *stem, const char *field, const char *value, void *arg)
{
    struct listing *l = arg;
    if (!l->n || strcmp(l->at[l->n - 1].stem, stem)) {
        if (l->n == STEMS)
            return sj_fail(SJ_INPUT, "more stems than %d", STEMS);
        memset(&l->at[l->n], 0, sizeof *l->at);
        snprintf(l->at[l->n++].stem, sizeof l->at->stem, "%s", stem);
    }
    if (!strcmp(field, "inst_class") || !strcmp(field, "instrument"))
        snprintf(l->at[l->n - 1].what, WORD, "%s", value);
    if (!strcmp(field, "filename"))
        snprintf(l->at[l->n - 1].file, WORD, "%s", value);
    if (!strcmp(field, "audio_rendered"))
        l->at[l->n - 1].silent = !strcasecmp(value, "false");
    return SJ_OK;
}

/* Slakh2100 names the files after the stems, with the ending of the collection's format. */
static void find_file(const struct sj_names *names, const char *stem, char to[WORD])
{
    char base[WORD];
    for (int i = 0; i < names->n && !*to; i++) {
        sj_path_stem(names->name[i], base, sizeof base);
        if (!names->folder[i] && sj_name_is_sound(names->name[i]) && !strcmp(base, stem))
            snprintf(to, WORD, "%s", names->name[i]);
    }
}

/* The stems that METADATA lists, whose files lie in FOLDER. */
static int add_listed(struct sj_track *t, const struct sj_classmap *map, const char *metadata, const char *folder)
{
    struct sj_names names = {.n = 0};
    struct listing l = {0, malloc(sizeof *l.at * STEMS)};
    int status = l.at ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for '%s'", metadata);
    int bad = status ? SJ_OK : sj_yaml_stems(metadata, take_field, &l);
    if (!bad && !status)
        bad = sj_names_read(folder, &names);
    if (!bad && !status && !l.n)
        bad = sj_fail(SJ_INPUT, "'%s' lists no stems", metadata);
    for (int i = 0; i < l.n && !bad && !status && !t->status; i++) {
        if (l.at[i].silent)
            continue;
        if (!*l.at[i].file)
            find_file(&names, l.at[i].stem, l.at[i].file);
        if (!*l.at[i].file || !*l.at[i].what)
            bad = sj_fail(SJ_INPUT, "'%s': stem %s has no %s", metadata, l.at[i].stem,
                          *l.at[i].file ? "instrument" : "sound file");
        else
            status = add_part(t, map, folder, l.at[i].file, l.at[i].what, SJ_CLASS_UNKNOWN);
    }
    sj_names_free(&names);
    free(l.at);
    return bad ? sj_track_spoil(t, bad) : status;
}

/* A track at PATH whose stems METADATA lists and FOLDER holds, all names in PATH. */
static int add_folder(const char *path, enum sj_layout layout, const struct sj_classmap *map, const char *metadata,
                      const char *folder, struct sj_tracks *all, struct sj_track **t)
{
    char *list = sj_path_join(path, metadata), *stems = sj_path_join(path, folder);
    int status = list && stems ? sj_tracks_add(all, path, layout, t) : sj_fail(SJ_SYSTEM, "no memory for '%s'", path);
    if (!status)
        status = add_listed(*t, map, list, stems);
    free(stems);
    free(list);
    return status ? status : check_stems(*t);
}

int sj_layout_slakh(const char *path, const struct sj_names *names, int forced, const struct sj_classmap *map,
                    struct sj_tracks *all, int *found)
{
    struct sj_track *t;
    char mix[WORD] = "";
    (void)forced;
    if (!find_name(names, "metadata.yaml", 0) || !find_name(names, "stems", 1))
        return SJ_OK;
    *found = 1;
    int status = add_folder(path, SJ_LAYOUT_SLAKH, map, "metadata.yaml", "stems", all, &t);
    find_file(names, "mix", mix);
    return status || !*mix ? status : add_part(t, NULL, path, mix, mix, SJ_CLASS_MIX);
}

int sj_layout_medleydb(const char *path, const struct sj_names *names, int forced, const struct sj_classmap *map,
                       struct sj_tracks *all, int *found)
{
    static const char ending[] = "_METADATA.yaml";
    (void)forced;
    for (int i = 0; i < names->n && !*found; i++) {
        char folder[WORD], name[WORD], mix[WORD] = "";
        size_t n = strlen(names->name[i]), k = sizeof ending - 1;
        if (names->folder[i] || n <= k || strcmp(names->name[i] + n - k, ending))
            continue;
        snprintf(folder, sizeof folder, "%.*s_STEMS", (int)(n - k), names->name[i]);
        snprintf(name, sizeof name, "%.*s_MIX", (int)(n - k), names->name[i]);
        if (!find_name(names, folder, 1))
            continue;
        struct sj_track *t;
        *found = 1;
        int status = add_folder(path, SJ_LAYOUT_MEDLEYDB, map, names->name[i], folder, all, &t);
        find_file(names, name, mix);
        if (status || !*mix)
            return status;
        return add_part(t, NULL, path, mix, mix, SJ_CLASS_MIX);
    }
    return SJ_OK;
}
