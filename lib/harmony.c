#include "harmony.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "embeddings.h"
#include "labfile.h"
#include "room.h"
#include "whole.h"

enum { PATH_BYTES = 8192 };

/* Texts with numbers. */
struct names {
    char **name;
    int32_t n, room;
};

/* A track's parts of one kind, with the numbers of their names; -1: none. */
struct parts {
    struct sj_lab lab;
    int32_t *name;
};

struct track {
    char *key;
    struct parts keys, chords;
};

struct combination {
    int32_t key, chord;
};

struct sj_harmony {
    char *folder;
    const char *output; /* borrowed */
    enum sj_keys keys;
    enum sj_chords chords;
    struct names key, chord;
    struct track *track;
    int64_t tracks, room, last; /* last: the track asked for last */
    struct combination *combination;
    int32_t combinations, combination_room;
};

static const char *const key_places[] = {"%s/%.*s/key.lab", "%s/keys/%.*s.lab", "%s/keys/%.*s.keys",
                                         "%s/keylab/%.*s.lab", NULL};
static const char *const chord_places[] = {"%s/%.*s/chords.lab", "%s/chords/%.*s.lab", "%s/chords/%.*s.chords",
                                           "%s/chordlab/%.*s.lab", NULL};

/* -- making -------------------------------------------------------------------------------------------------------- */
int sj_harmony_new(const char *folder, const char *output, enum sj_keys keys, enum sj_chords chords,
                   struct sj_harmony **out)
{
    struct stat st;
    if (stat(folder, &st))
        return sj_fail_errno("cannot read '%s'", folder);
    if (!S_ISDIR(st.st_mode))
        return sj_fail(SJ_SYSTEM, "'%s' is no folder", folder);
    struct sj_harmony *h = calloc(1, sizeof *h);
    if (h) {
        *h = (struct sj_harmony){.folder = strdup(folder), .output = output, .keys = keys, .chords = chords};
        if (h->folder) {
            *out = h;
            return SJ_OK;
        }
    }
    free(h);
    return sj_fail(SJ_SYSTEM, "no memory");
}

static void free_names(struct names *n)
{
    for (int32_t i = 0; i < n->n; i++)
        free(n->name[i]);
    free(n->name);
}

static void free_track(struct track *t)
{
    sj_lab_free(&t->keys.lab);
    sj_lab_free(&t->chords.lab);
    free(t->keys.name);
    free(t->chords.name);
    free(t->key);
}

void sj_harmony_free(struct sj_harmony *h)
{
    if (!h)
        return;
    for (int64_t i = 0; i < h->tracks; i++)
        free_track(&h->track[i]);
    free(h->track);
    free_names(&h->key);
    free_names(&h->chord);
    free(h->combination);
    free(h->folder);
    free(h);
}

/* -- reading annotations ------------------------------------------------------------------------------------------- */
/* The number of a name, new or not. */
static int number_of(struct names *names, const char *name, int32_t *number)
{
    int64_t room = names->room;
    void *array = names->name;
    for (*number = 0; *number < names->n; ++*number)
        if (!strcmp(names->name[*number], name))
            return SJ_OK;
    int status = sj_room(&array, sizeof *names->name, names->n, &room);
    names->name = array;
    names->room = (int32_t)room;
    if (!status && !(names->name[names->n] = strdup(name)))
        status = sj_fail(SJ_SYSTEM, "no memory");
    names->n += !status;
    return status;
}

static int find_file(const struct sj_harmony *h, const char *const *places, const char *key, char path[PATH_BYTES])
{
    const size_t lengths[] = {strlen(key), sj_key_track(key)};
    for (int l = 0; l < 2; l++)
        for (int i = 0; places[i]; i++) {
            struct stat st;
            /* all places take the same arguments */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            int n = snprintf(path, PATH_BYTES, places[i], h->folder, (int)lengths[l], key);
#pragma GCC diagnostic pop
            if (n > 0 && n < PATH_BYTES && !stat(path, &st))
                return 1;
        }
    return 0;
}

static int read_parts(struct sj_harmony *h, int chords, const char *key, struct parts *p)
{
    char path[PATH_BYTES], name[SJ_HARTE_BYTES];
    if (!find_file(h, chords ? chord_places : key_places, key, path))
        return sj_fail(SJ_INPUT, "'%s' has no annotation of its %s in '%s'", key, chords ? "chords" : "key", h->folder);
    int status = sj_whole_apart(h->output, path);
    if (!status)
        status = sj_lab_read(path, &p->lab);
    if (!status && !(p->name = malloc((size_t)p->lab.n * sizeof *p->name)))
        status = sj_fail(SJ_SYSTEM, "no memory for '%s'", path);
    for (int64_t i = 0; i < p->lab.n && !status; i++) {
        const char *label = p->lab.part[i].label, *reduced;
        status = chords ? sj_chord_reduce(label, h->chords, name, &reduced) : sj_key_reduce(label, h->keys, &reduced);
        if (status)
            return sj_fail_at(status, "'%s' line %lld", path, (long long)p->lab.part[i].line);
        p->name[i] = -1;
        if (reduced)
            status = number_of(chords ? &h->chord : &h->key, reduced, &p->name[i]);
    }
    return status;
}

static int find_track(struct sj_harmony *h, const char *key)
{
    void *array = h->track;
    if (h->last < h->tracks && !strcmp(h->track[h->last].key, key))
        return SJ_OK;
    for (h->last = 0; h->last < h->tracks; h->last++)
        if (!strcmp(h->track[h->last].key, key))
            return SJ_OK;
    int status = sj_room(&array, sizeof *h->track, h->tracks, &h->room);
    h->track = array;
    if (status)
        return status;
    struct track *t = &h->track[h->tracks];
    *t = (struct track){.key = strdup(key)};
    status = t->key ? read_parts(h, 0, key, &t->keys) : sj_fail(SJ_SYSTEM, "no memory");
    if (!status)
        status = read_parts(h, 1, key, &t->chords);
    if (status)
        free_track(t);
    else
        h->tracks++;
    return status;
}

/* -- asking -------------------------------------------------------------------------------------------------------- */
static int32_t name_at(const struct parts *p, double time_s)
{
    int64_t i = sj_lab_at(&p->lab, time_s);
    return i < 0 ? -1 : p->name[i];
}

int sj_harmony_at(struct sj_harmony *h, const char *track, double time_s, int32_t *combination)
{
    int64_t room = h->combination_room;
    void *array = h->combination;
    *combination = -1;
    int status = find_track(h, track);
    if (status)
        return status;
    const struct track *t = &h->track[h->last];
    const struct combination c = {name_at(&t->keys, time_s), name_at(&t->chords, time_s)};
    if (c.key < 0 || c.chord < 0)
        return SJ_OK;
    for (int32_t i = 0; i < h->combinations; i++)
        if (h->combination[i].key == c.key && h->combination[i].chord == c.chord) {
            *combination = i;
            return SJ_OK;
        }
    status = sj_room(&array, sizeof c, h->combinations, &room);
    h->combination = array;
    h->combination_room = (int32_t)room;
    if (status)
        return status;
    h->combination[h->combinations] = c;
    *combination = h->combinations++;
    return SJ_OK;
}

int32_t sj_harmony_count(const struct sj_harmony *h)
{
    return h->combinations;
}

void sj_harmony_names(const struct sj_harmony *h, int32_t combination, const char **key, const char **chord)
{
    *key = h->key.name[h->combination[combination].key];
    *chord = h->chord.name[h->combination[combination].chord];
}
