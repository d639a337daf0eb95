#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "decode.h"
#include "layout_own.h"
#include "shelf_own.h"
#include "track.h"

struct find {
    int64_t track; /* in tracks */
    char stamp[SJ_SHELF_STAMP];
};

struct sj_shelf_finds {
    struct sj_classmap *map;
    struct sj_tracks tracks;
    size_t prefix; /* of paths: what is before the part relative to root */
    int classes;
    int64_t n;
    struct find *find; /* (n) by path */
};

/* -- finding ------------------------------------------------------------------------------------------------------- */

static int open_map(const struct sj_shelf *s, struct sj_classmap **map)
{
    char names[SJ_CLASSES * 64] = "";
    int n, same;
    int status = sj_classmap_open(NULL, NULL, map);
    if (status)
        return status;
    const char *const *usual = sj_classmap_names(*map, &n);
    same = n == s->classes;
    for (int i = 0; i < s->classes; i++) {
        same = same && !strcmp(usual[i], s->class_name[i]);
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? "," : "", s->class_name[i]);
    }
    if (same)
        return SJ_OK;
    sj_classmap_close(*map);
    *map = NULL;
    return sj_classmap_open(NULL, names, map);
}

static uint64_t hash_bytes(uint64_t h, const void *data, size_t n)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

/* A file that cannot be looked at counts as one of no size: reading it says why. */
static uint64_t hash_file(uint64_t h, const char *path, int class)
{
    struct stat st;
    int64_t number[5] = {class};
    if (!stat(path, &st)) {
        number[1] = st.st_size;
        number[2] = st.st_mtim.tv_sec;
        number[3] = st.st_mtim.tv_nsec;
        number[4] = (int64_t)st.st_ino;
    }
    return hash_bytes(h, number, sizeof number);
}

static const char *path_of(const struct sj_shelf_finds *f, const char *path)
{
    return strlen(path) > f->prefix ? path + f->prefix : ".";
}

static void stamp(const struct sj_shelf_finds *f, const struct sj_track *t, char text[SJ_SHELF_STAMP])
{
    uint64_t h = hash_bytes(0xcbf29ce484222325u, &t->class, sizeof t->class);
    if (!t->stems)
        h = hash_file(h, t->path, -1);
    for (int s = 0; s < t->stems; s++)
        for (int p = 0; p < t->stem[s].parts; p++) {
            const char *path = t->stem[s].part[p].path, *name = path_of(f, path); /* all may be moved together */
            h = hash_file(hash_bytes(h, name, strlen(name)), path, t->stem[s].class);
        }
    snprintf(text, SJ_SHELF_STAMP, "%016llx", (unsigned long long)h);
}

static int is_mix(const struct sj_shelf_finds *f, const struct sj_track *t)
{
    char name[512];
    sj_path_stem(t->path, name, sizeof name);
    return !t->stems && !t->status && sj_classmap_recognise(f->map, name) == SJ_CLASS_MIX;
}

/* A sound whose own name tells no class may lie in a folder called after one. */
static int class_by_folder(const struct sj_shelf_finds *f, const char *path)
{
    char folder[512];
    const char *inside = path_of(f, path), *end = strrchr(inside, '/'), *start = end;
    if (!end)
        return SJ_CLASS_NONE;
    while (start > inside && start[-1] != '/')
        start--;
    snprintf(folder, sizeof folder, "%.*s", (int)(end - start), start);
    const int class = sj_classmap_recognise(f->map, folder);
    return class >= 0 ? class : SJ_CLASS_NONE;
}

int sj_shelf_finds_open(const char *root, const char *folder, const struct sj_shelf *s, struct sj_shelf_finds **out)
{
    struct sj_shelf_finds *f = *out = calloc(1, sizeof *f);
    const size_t inside = strlen(folder);
    if (!f)
        return sj_fail(SJ_SYSTEM, "no memory for an index");
    f->prefix = strlen(root) + (root[1] != 0); /* with the slash; "/" has none more */
    f->classes = s->classes;
    int status = open_map(s, &f->map);
    if (!status)
        status = sj_layout_find(1, &root, SJ_LAYOUT_AUTO, f->map, &f->tracks);
    if (!status && !(f->find = malloc((size_t)f->tracks.n * sizeof *f->find + 1)))
        status = sj_fail(SJ_SYSTEM, "no memory for %lld tracks", (long long)f->tracks.n);
    for (int64_t i = 0; i < f->tracks.n && !status; i++) {
        struct sj_track *t = &f->tracks.track[i];
        if (is_mix(f, t) || (!strncmp(t->path, folder, inside) && t->path[inside] == '/'))
            continue;
        if (f->tracks.n == 1 && t->status && !strcmp(t->path, root))
            return sj_fail(t->status, "%s", t->reason);
        if (!t->stems && t->class == SJ_CLASS_NONE)
            t->class = class_by_folder(f, t->path);
        f->find[f->n].track = i;
        stamp(f, t, f->find[f->n++].stamp);
    }
    return status;
}

void sj_shelf_finds_close(struct sj_shelf_finds *f)
{
    if (!f)
        return;
    sj_tracks_free(&f->tracks);
    sj_classmap_close(f->map);
    free(f->find);
    free(f);
}

int64_t sj_shelf_finds_count(const struct sj_shelf_finds *f)
{
    return f->n;
}

const char *sj_shelf_finds_path(const struct sj_shelf_finds *f, int64_t i)
{
    return path_of(f, f->tracks.track[f->find[i].track].path);
}

const char *sj_shelf_finds_stamp(const struct sj_shelf_finds *f, int64_t i)
{
    return f->find[i].stamp;
}

/* -- hearing ------------------------------------------------------------------------------------------------------- */

struct hearing {
    const struct sj_shelf_finds *f;
    const struct sj_track *t;
    struct sj_heard *h;
};

/* What the stem is called: its file where it has one of its own. */
static char *name_stem(const struct hearing *a, int class, int single)
{
    char *name = NULL;
    int n;
    const char *const *class_name = sj_classmap_names(a->f->map, &n), *path = a->t->path;
    for (int s = 0; s < a->t->stems; s++)
        if (a->t->stem[s].class == class && a->t->stem[s].parts == 1 && a->t->stem[s].part[0].stream < 0) {
            path = a->t->stem[s].part[0].path;
            single = 1;
        }
    if (single)
        return strdup(path_of(a->f, path));
    if (asprintf(&name, "%s:%s", path_of(a->f, path), class_name[class]) < 0)
        return NULL;
    return name;
}

static int hear_begin(void *arg, enum sj_role role, int class, int single)
{
    struct hearing *a = arg;
    struct sj_heard *h = a->h;
    (void)role;
    struct sj_heard_stem *more = realloc(h->stem, (size_t)(h->stems + 1) * sizeof *more);
    if (more)
        h->stem = more;
    char *name = more ? name_stem(a, class, single) : NULL;
    if (!name)
        return sj_fail(SJ_SYSTEM, "no memory for '%s'", a->t->path);
    h->stem[h->stems++] = (struct sj_heard_stem){.name = name, .class = class};
    return SJ_OK;
}

static int hear_push(void *arg, const float *sample, int64_t n)
{
    struct sj_heard *h = ((struct hearing *)arg)->h;
    struct sj_heard_stem *s = &h->stem[h->stems - 1];
    if (s->n + n > s->room) {
        const int64_t room = 2 * s->room + n;
        float *more = realloc(s->wave, (size_t)room * sizeof *more);
        if (!more)
            return sj_fail(SJ_SYSTEM, "no memory for %lld samples", (long long)room);
        s->wave = more;
        s->room = room;
    }
    memcpy(s->wave + s->n, sample, (size_t)n * sizeof *sample);
    s->n += n;
    return SJ_OK;
}

static int hear_end(void *arg)
{
    (void)arg;
    return SJ_OK;
}

static int is_pitched(const struct hearing *a, int class)
{
    int n;
    return sj_facts_pitched(class < 0 ? NULL : sj_classmap_names(a->f->map, &n)[class]);
}

/* The facts of a song, which its stems share: a voice or a bass alone says little of tempo and key. */
static int hear_song(const struct hearing *a, struct sj_facts *song)
{
    const struct sj_heard *h = a->h;
    int64_t n = 0;
    for (int s = 0; s < h->stems; s++)
        n = h->stem[s].n > n ? h->stem[s].n : n;
    float *sum = calloc((size_t)n + 1, sizeof *sum);
    if (!sum)
        return sj_fail(SJ_SYSTEM, "no memory for '%s'", a->t->path);
    for (int s = 0; s < h->stems; s++)
        for (int64_t i = 0; i < h->stem[s].n; i++)
            sum[i] += h->stem[s].wave[i];
    int status = sj_facts(n, sum, SJ_DECODE_HZ, h->stems > 1 || is_pitched(a, h->stem[0].class), song);
    free(sum);
    return status;
}

static int hear_facts(const struct hearing *a)
{
    struct sj_facts song;
    int status = a->h->stems ? hear_song(a, &song) : SJ_OK;
    for (int s = 0; s < a->h->stems && !status; s++) {
        struct sj_heard_stem *own = &a->h->stem[s];
        own->facts = song;
        own->facts.seconds = (double)own->n / SJ_DECODE_HZ;
        own->facts.peak = 0;
        for (int64_t i = 0; i < own->n; i++)
            own->facts.peak = fmax(own->facts.peak, fabs((double)own->wave[i]));
        if (is_pitched(a, own->class))
            continue;
        own->facts.key = -1;
        own->facts.confidence = NAN;
    }
    return status;
}

void sj_heard_drop(void *heard)
{
    struct sj_heard *h = heard;
    if (!h)
        return;
    for (int i = 0; i < h->stems; i++) {
        free(h->stem[i].name);
        free(h->stem[i].wave);
    }
    free(h->stem);
    free(h);
}

int sj_shelf_finds_hear(const struct sj_shelf_finds *f, int64_t i, struct sj_heard **out)
{
    struct sj_heard *h = calloc(1, sizeof *h);
    struct hearing a = {f, &f->tracks.track[f->find[i].track], h};
    const struct sj_track_how how = {.classes = f->classes, .stems = 1, .pad_s = INFINITY}; /* each is for itself */
    const struct sj_signal_sink sink = {hear_begin, hear_push, hear_end, &a};
    int status = h ? sj_track_signals(a.t, &how, &sink) : sj_fail(SJ_SYSTEM, "no memory for '%s'", a.t->path);
    if (!status)
        status = hear_facts(&a);
    if (status)
        sj_heard_drop(h);
    else
        *out = h;
    return status;
}
