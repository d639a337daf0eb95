#include "layout.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "audio.h"
#include "layout_own.h"
#include "stream.h"

const char *const sj_layout_names[] = {"auto",     "file",  "channels", "musdb18", "musdb18hq",
                                       "moisesdb", "slakh", "medleydb", NULL};

struct search {
    enum sj_layout layout;
    const struct sj_classmap *map;
    struct sj_tracks *all;
};

/* -- names --------------------------------------------------------------------------------------------------------- */

int sj_name_is_sound(const char *name)
{
    static const char *const endings[] = {"wav", "wave", "flac", "ogg", "oga",  "opus", "mp3", "aif",
                                          "aiff", "aifc", "au",  "snd", "caf",  "w64",  "rf64", "m4a",
                                          "mp4", "aac",  "wma",  "mka", "webm", NULL};
    const char *dot = strrchr(name, '.');
    for (int i = 0; dot && endings[i]; i++)
        if (!strcasecmp(dot + 1, endings[i]))
            return 1;
    return 0;
}

static int ends_with(const char *text, const char *ending)
{
    size_t n = strlen(text), k = strlen(ending);
    return n > k && !strcasecmp(text + n - k, ending);
}

static int is_stem_file(const char *name)
{
    return ends_with(name, ".stem.mp4") || ends_with(name, ".stem.m4a");
}

char *sj_path_join(const char *folder, const char *name)
{
    char *path;
    size_t n = strlen(folder);
    return asprintf(&path, "%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name) < 0 ? NULL : path;
}

void sj_path_stem(const char *path, char *to, size_t size)
{
    const char *slash = strrchr(path, '/');
    snprintf(to, size, "%s", slash ? slash + 1 : path);
    if (is_stem_file(to))
        to[strlen(to) - strlen(".stem.mp4")] = 0;
    else if (sj_name_is_sound(to) && strrchr(to, '.') != to)
        *strrchr(to, '.') = 0;
}

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int sj_names_read(const char *path, struct sj_names *names)
{
    struct dirent **entry;
    struct stat st;
    int n = scandir(path, &entry, visible, by_bytes), status = SJ_OK;
    *names = (struct sj_names){.n = 0};
    if (n < 0)
        return sj_fail_errno("cannot list '%s'", path);
    names->name = calloc((size_t)n + 1, sizeof *names->name);
    names->folder = calloc((size_t)n + 1, 1);
    for (int i = 0; i < n; i++) {
        char *full = sj_path_join(path, entry[i]->d_name);
        if (!names->name || !names->folder || !full || !(names->name[i] = strdup(entry[i]->d_name)))
            status = sj_fail(SJ_SYSTEM, "no memory to list '%s'", path);
        else
            names->folder[i] = !stat(full, &st) && S_ISDIR(st.st_mode);
        free(full);
        free(entry[i]);
    }
    free(entry);
    names->n = names->name ? n : 0;
    return status;
}

void sj_names_free(struct sj_names *names)
{
    for (int i = 0; i < names->n; i++)
        free(names->name[i]);
    free(names->name);
    free(names->folder);
}

/* -- tracks -------------------------------------------------------------------------------------------------------- */

int sj_tracks_add(struct sj_tracks *all, const char *path, enum sj_layout layout, struct sj_track **track)
{
    if (all->n == all->room) {
        int64_t room = all->room ? 2 * all->room : 64;
        struct sj_track *more = realloc(all->track, (size_t)room * sizeof *more);
        if (!more)
            return sj_fail(SJ_SYSTEM, "no memory for '%s'", path);
        all->track = more;
        all->room = room;
    }
    *track = &all->track[all->n];
    **track = (struct sj_track){.layout = layout, .class = SJ_CLASS_NONE, .path = strdup(path)};
    if (!(*track)->path)
        return sj_fail(SJ_SYSTEM, "no memory for '%s'", path);
    all->n++;
    return SJ_OK;
}

int sj_track_add_part(struct sj_track *t, int which, const char *path, int stream)
{
    struct sj_part part = {strdup(path), stream};
    if (!part.path)
        return sj_fail(SJ_SYSTEM, "no memory for '%s'", path);
    if (which < 0) {
        if (which == SJ_CLASS_MIX && !t->mix.path)
            t->mix = part;
        else
            free(part.path);
        return SJ_OK;
    }
    int at = 0;
    while (at < t->stems && t->stem[at].class < which)
        at++;
    if (at == t->stems || t->stem[at].class != which) {
        struct sj_stem *more = realloc(t->stem, (size_t)(t->stems + 1) * sizeof *more);
        if (more) {
            t->stem = more;
            memmove(more + at + 1, more + at, (size_t)(t->stems - at) * sizeof *more);
            more[at] = (struct sj_stem){which, 0, NULL};
            t->stems++;
        }
    }
    struct sj_stem *s = at < t->stems && t->stem[at].class == which ? &t->stem[at] : NULL;
    struct sj_part *parts = s ? realloc(s->part, (size_t)(s->parts + 1) * sizeof *parts) : NULL;
    if (!parts) {
        free(part.path);
        return sj_fail(SJ_SYSTEM, "no memory for '%s'", path);
    }
    s->part = parts;
    s->part[s->parts++] = part;
    return SJ_OK;
}

int sj_track_spoil(struct sj_track *t, int status)
{
    t->status = status;
    free(t->reason);
    return (t->reason = strdup(sj_reason())) ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
}

void sj_tracks_free(struct sj_tracks *all)
{
    for (int64_t i = 0; i < all->n; i++) {
        struct sj_track *t = &all->track[i];
        for (int s = 0; s < t->stems; s++) {
            for (int p = 0; p < t->stem[s].parts; p++)
                free(t->stem[s].part[p].path);
            free(t->stem[s].part);
        }
        free(t->stem);
        free(t->mix.path);
        free(t->reason);
        free(t->path);
        free(t->key);
    }
    free(all->track);
    *all = (struct sj_tracks){.n = 0};
}

/* -- searching ----------------------------------------------------------------------------------------------------- */

/* MUSDB18's order of streams. */
static int add_stem_file(const struct search *s, const char *path)
{
    static const char *const order[] = {"mixture", "drums", "bass", "other", "vocals"};
    struct sj_track *t;
    int status = sj_tracks_add(s->all, path, SJ_LAYOUT_MUSDB18, &t);
    for (int i = 0; i < 5 && !status; i++) {
        int which = i ? sj_classmap_find(s->map, order[i]) : SJ_CLASS_MIX;
        if (which == SJ_CLASS_UNKNOWN)
            return sj_track_spoil(t, sj_fail(SJ_INPUT, "'%s': the class map has no class for '%s'", path, order[i]));
        status = sj_track_add_part(t, which, path, i);
    }
    return status;
}

static int add_file(const struct search *s, const char *path)
{
    char name[512];
    struct sj_track *t;
    if (s->layout == SJ_LAYOUT_MUSDB18 || (s->layout == SJ_LAYOUT_AUTO && is_stem_file(path)))
        return add_stem_file(s, path);
    int folders = s->layout > SJ_LAYOUT_MUSDB18;
    int status = sj_tracks_add(s->all, path, folders ? SJ_LAYOUT_FILE : s->layout, &t);
    if (status)
        return status;
    if (folders)
        return sj_track_spoil(t, sj_fail(SJ_INPUT, "'%s' is a file where the layout '%s' has folders", path,
                                         sj_layout_names[s->layout]));
    sj_path_stem(path, name, sizeof name);
    int class = sj_classmap_recognise(s->map, name);
    t->class = class >= 0 ? class : SJ_CLASS_NONE;
    return SJ_OK;
}

/* Whether the folder is a track. */
static int try_folder(const struct search *s, const char *path, const struct sj_names *names, int *found)
{
    static const struct { enum sj_layout layout; sj_recognise *recognise; } kinds[] = {
        {SJ_LAYOUT_SLAKH, sj_layout_slakh},
        {SJ_LAYOUT_MEDLEYDB, sj_layout_medleydb},
        {SJ_LAYOUT_MOISESDB, sj_layout_moisesdb},
        {SJ_LAYOUT_MUSDB18HQ, sj_layout_musdb18hq},
    };
    int status = SJ_OK;
    *found = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !status && !*found; i++)
        if (s->layout == SJ_LAYOUT_AUTO || s->layout == kinds[i].layout)
            status = kinds[i].recognise(path, names, s->layout != SJ_LAYOUT_AUTO, s->map, s->all, found);
    return status;
}

/* The folders that lead to one: a link may lead back to them. */
struct above {
    const struct above *above;
    struct stat st;
};

/* What in a folder cannot be read becomes the state of its track, so that the others are found all the same. */
static int spoil_folder(const struct search *s, const char *path, int64_t before, int status)
{
    struct sj_track *t = s->all->n > before ? &s->all->track[s->all->n - 1] : NULL;
    int failed = t ? SJ_OK : sj_tracks_add(s->all, path, SJ_LAYOUT_FILE, &t);
    return failed ? failed : sj_track_spoil(t, status);
}

static int search_folder(const struct search *s, const char *path, const struct above *above)
{
    struct sj_names names;
    struct above here = {.above = above};
    int64_t before = s->all->n;
    if (stat(path, &here.st))
        return spoil_folder(s, path, before, sj_fail_errno("cannot open '%s'", path));
    for (const struct above *a = above; a; a = a->above)
        if (a->st.st_dev == here.st.st_dev && a->st.st_ino == here.st.st_ino)
            return SJ_OK;
    int found = 0, status = sj_names_read(path, &names);
    if (!status)
        status = try_folder(s, path, &names, &found);
    if (status) {
        found = 1;
        status = spoil_folder(s, path, before, status);
    }
    for (int i = 0; i < names.n && !status && !found; i++) {
        int sound = !names.folder[i] && s->layout <= SJ_LAYOUT_MUSDB18 && sj_name_is_sound(names.name[i]);
        if (s->layout == SJ_LAYOUT_MUSDB18)
            sound = sound && (ends_with(names.name[i], ".mp4") || ends_with(names.name[i], ".m4a"));
        char *full = sj_path_join(path, names.name[i]);
        if (!full)
            status = sj_fail(SJ_SYSTEM, "no memory to search '%s'", path);
        else if (names.folder[i])
            status = search_folder(s, full, &here);
        else if (sound)
            status = add_file(s, full);
        free(full);
    }
    sj_names_free(&names);
    return status;
}

static int search_operand(const struct search *s, const char *path)
{
    struct stat st;
    struct sj_track *t;
    int64_t before = s->all->n;
    if (stat(path, &st) || !S_ISDIR(st.st_mode)) /* what cannot be opened says so when it is */
        return add_file(s, path);
    int status = search_folder(s, path, NULL);
    if (!status && s->all->n > before)
        return SJ_OK;
    if (!status)
        status = s->layout == SJ_LAYOUT_AUTO ? sj_fail(SJ_INPUT, "'%s': no sound files in this folder", path)
                                             : sj_fail(SJ_INPUT, "'%s': no tracks in the layout '%s' in this folder",
                                                       path, sj_layout_names[s->layout]);
    int nothing = sj_tracks_add(s->all, path, SJ_LAYOUT_FILE, &t);
    return nothing ? nothing : sj_track_spoil(t, status);
}

/* -- keys ---------------------------------------------------------------------------------------------------------- */

/* The last `parts` names of the path, the very last without its ending. */
static char *make_key(const char *path, int parts)
{
    char last[512], *key, *real = NULL;
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    if ((n == 1 && *path == '.') || (n > 1 && !strncmp(path + n - 2, "..", 2))) { /* names that say nothing */
        real = realpath(path, NULL);
        path = real ? real : path;
        n = strlen(path);
    }
    size_t from = n;
    for (int i = 0; i < parts && from > 0; i++)
        for (from -= i > 0; from > 0 && path[from - 1] != '/'; from--)
            ;
    char *copy = strndup(path + from, n - from);
    free(real);
    if (!copy)
        return NULL;
    char *slash = strrchr(copy, '/');
    sj_path_stem(copy, last, sizeof last);
    int bytes = asprintf(&key, "%.*s%s", slash ? (int)(slash - copy) + 1 : 0, copy, last);
    free(copy);
    return bytes < 0 ? NULL : key;
}

struct named {
    struct sj_track *track;
    int64_t number;
};

static int by_key(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = strcmp(x->track->key, y->track->key);
    return order ? order : x->number < y->number ? -1 : 1;
}

/* Gives every track a key of so many names of its path that it is unique; a path given twice is an error. */
static int settle_keys(struct sj_tracks *all)
{
    struct named *by = malloc((size_t)(all->n + 1) * sizeof *by);
    int status = by ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for %lld tracks", (long long)all->n), again = 1;
    for (int64_t i = 0; i < all->n && !status; i++) {
        struct sj_track *t = &all->track[i];
        by[i] = (struct named){t, i};
        if (!(t->key = strcmp(t->path, "-") ? make_key(t->path, 1) : strdup("stdin")))
            status = sj_fail(SJ_SYSTEM, "no memory");
    }
    for (int parts = 2; again && parts < 64 && !status; parts++) {
        again = 0;
        qsort(by, (size_t)all->n, sizeof *by, by_key);
        for (int64_t i = 0, end; i < all->n; i = end) {
            for (end = i + 1; end < all->n && !strcmp(by[end].track->key, by[i].track->key);)
                end++;
            for (int64_t k = i; k < end && end > i + 1; k++) {
                char *key = make_key(by[k].track->path, parts);
                if (!key)
                    status = sj_fail(SJ_SYSTEM, "no memory");
                free(by[k].track->key);
                by[k].track->key = key;
                again = 1;
            }
            if (status)
                goto out;
        }
    }
    qsort(by, (size_t)(status ? 0 : all->n), sizeof *by, by_key);
    for (int64_t i = 1; i < all->n && !status; i++)
        if (!strcmp(by[i].track->key, by[i - 1].track->key) && !by[i].track->status)
            status = sj_track_spoil(by[i].track, sj_fail(SJ_USAGE, "'%s' is given twice", sj_track_name(by[i].track)));
out:
    free(by);
    return status;
}

int sj_layout_find(int n, const char *const *operands, enum sj_layout layout, const struct sj_classmap *map,
                   struct sj_tracks *tracks)
{
    struct search s = {layout, map, tracks};
    *tracks = (struct sj_tracks){.n = 0};
    int status = n ? SJ_OK : add_file(&s, "-");
    for (int i = 0; i < n && !status; i++)
        status = search_operand(&s, operands[i]);
    if (!status)
        status = settle_keys(tracks);
    if (status)
        sj_tracks_free(tracks);
    return status;
}
