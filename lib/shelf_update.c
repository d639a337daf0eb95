/* Bringing an index up to date. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "listen.h"
#include "ordered.h"
#include "progress.h"
#include "shelf_own.h"
#include "whole.h"

enum { WRITE_EVERY_S = 60 };

struct update {
    const struct sj_shelf_work *w;
    struct sj_shelf_counts *counts;
    struct sj_shelf old, new;
    struct sj_shelf_finds *finds;
    int64_t todos, *todo; /* numbers of tracks to be read */
    const struct sj_shelf_track **by_path; /* the old ones, sorted */
};

/* -- what is there ------------------------------------------------------------------------------------------------- */

static int compare_paths(const void *a, const void *b)
{
    const struct sj_shelf_track *const *x = a, *const *y = b;
    return strcmp((*x)->path, (*y)->path);
}

static const struct sj_shelf_track *find_old(const struct update *u, const char *path)
{
    struct sj_shelf_track key = {.path = (char *)path};
    const struct sj_shelf_track *wanted = &key;
    const struct sj_shelf_track **at =
        bsearch(&wanted, u->by_path, (size_t)u->old.tracks, sizeof *u->by_path, compare_paths);
    return at ? *at : NULL;
}

/* Whether the frames of an old track are still whole. */
static int has_frames(const struct update *u, const struct sj_shelf_track *t)
{
    char path[PATH_MAX];
    struct stat st;
    int64_t rows = 0;
    for (int64_t i = t->first; i < t->first + t->stems; i++)
        rows += u->old.stem[i].rows;
    sj_shelf_frames_path(&u->old, t, path, sizeof path);
    return !stat(path, &st) && st.st_size == rows * u->old.width;
}

static int keep(struct update *u, const struct sj_shelf_track *t)
{
    int status = sj_shelf_add_track(&u->new, t->path, t->stamp);
    for (int64_t i = t->first; i < t->first + t->stems && !status; i++)
        status = sj_shelf_add_stem(&u->new, &u->old.stem[i], u->old.vector + i * u->old.width);
    u->counts->kept++;
    return status;
}

static int sort_out(struct update *u)
{
    const int64_t n = sj_shelf_finds_count(u->finds);
    int status = SJ_OK;
    u->counts->forgotten = u->old.tracks;
    u->todo = malloc((size_t)n * sizeof *u->todo + 1);
    u->by_path = malloc((size_t)u->old.tracks * sizeof *u->by_path + 1);
    if (!u->todo || !u->by_path)
        return sj_fail(SJ_SYSTEM, "no memory for an index");
    for (int64_t i = 0; i < u->old.tracks; i++)
        u->by_path[i] = &u->old.track[i];
    qsort(u->by_path, (size_t)u->old.tracks, sizeof *u->by_path, compare_paths);
    for (int64_t i = 0; i < n && !status; i++) {
        const struct sj_shelf_track *t = find_old(u, sj_shelf_finds_path(u->finds, i));
        u->counts->forgotten -= t != NULL;
        if (t && !strcmp(t->stamp, sj_shelf_finds_stamp(u->finds, i)) && has_frames(u, t))
            status = keep(u, t);
        else
            u->todo[u->todos++] = i;
    }
    return status;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Removes the frames of which the old index does not speak: those of an update that was broken off, and of tracks that
 * had gone by the update before, so that programs that read the index meanwhile find what it speaks of. */
static int clear_frames(const struct update *u)
{
    enum { NAME = 64 };
    char folder[PATH_MAX], path[PATH_MAX];
    char(*name)[NAME] = calloc((size_t)u->old.tracks + 1, NAME);
    snprintf(folder, sizeof folder, "%s/frames", u->new.folder);
    DIR *d = name ? opendir(folder) : NULL;
    int status = d ? SJ_OK : sj_fail_errno("cannot read '%s'", folder);
    for (int64_t i = 0; i < u->old.tracks && !status; i++) {
        sj_shelf_frames_path(&u->old, &u->old.track[i], path, sizeof path);
        snprintf(name[i], NAME, "%s", strrchr(path, '/') + 1);
    }
    if (!status)
        qsort(name, (size_t)u->old.tracks, NAME, compare_names);
    for (struct dirent *e; !status && (e = readdir(d));)
        if (e->d_name[0] != '.' && !bsearch(e->d_name, name, (size_t)u->old.tracks, NAME, compare_names))
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    free(name);
    return status;
}

/* -- reading tracks ------------------------------------------------------------------------------------------------ */

static int hear_job(void *arg, int64_t j, struct sj_ordered_job *to)
{
    const struct update *u = arg;
    struct sj_heard *h = NULL;
    int status = sj_shelf_finds_hear(u->finds, u->todo[j], &h);
    return status ? status : sj_ordered_give(to, h);
}

struct packed {
    const uint8_t *data;
    size_t bytes;
};

static int write_packed(FILE *f, void *arg)
{
    const struct packed *p = arg;
    return fwrite(p->data, 1, p->bytes, f) == p->bytes ? SJ_OK : sj_fail_errno("cannot write frames");
}

/* Frames and vector of one stem; its frames are appended to *packed (*rows so far). */
static int embed(struct update *u, const struct sj_heard_stem *s, uint8_t **packed, int64_t *rows, float *vector)
{
    const int64_t n = sj_listener_rows(u->w->listener, s->n), d = u->new.width;
    float *frame = malloc((size_t)(n * d) * sizeof *frame);
    uint8_t *more = realloc(*packed, (size_t)((*rows + n) * d));
    *packed = more ? more : *packed;
    int status = frame && more ? sj_listen_stem(u->w->listener, s->n, s->wave, frame)
                               : sj_fail(SJ_SYSTEM, "no memory for %lld frames", (long long)n);
    memset(vector, 0, (size_t)d * sizeof *vector);
    for (int64_t i = 0; i < n && !status; i++) {
        sj_shelf_pack(d, frame + i * d, more + (*rows + i) * d);
        for (int64_t k = 0; k < d; k++)
            vector[k] += frame[i * d + k] / (float)n;
    }
    free(frame);
    sj_shelf_normal(d, vector);
    *rows += n;
    return status;
}

/* Takes a track in, all of it or nothing. */
static int take_in(struct update *u, int64_t find, const struct sj_heard *h)
{
    char path[PATH_MAX];
    const int64_t d = u->new.width;
    uint8_t *packed = NULL;
    int64_t rows = 0, row[SJ_CLASSES + 1] = {0};
    float *vector = malloc((size_t)(h->stems * d) * sizeof *vector + 1);
    int status = vector ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for an index");
    for (int s = 0; s < h->stems && !status; s++) {
        status = embed(u, &h->stem[s], &packed, &rows, vector + s * d);
        row[s + 1] = rows;
    }
    if (!status)
        status = sj_shelf_add_track(&u->new, sj_shelf_finds_path(u->finds, find), sj_shelf_finds_stamp(u->finds, find));
    if (!status) {
        struct packed p = {packed, (size_t)(rows * d)};
        sj_shelf_frames_path(&u->new, &u->new.track[u->new.tracks - 1], path, sizeof path);
        status = sj_whole_write(path, write_packed, &p);
    }
    for (int s = 0; s < h->stems && !status; s++) {
        const struct sj_shelf_stem stem = {.name = h->stem[s].name, .class = h->stem[s].class,
                                           .facts = h->stem[s].facts, .row = row[s], .rows = row[s + 1] - row[s]};
        status = sj_shelf_add_stem(&u->new, &stem, vector + s * d);
    }
    free(vector);
    free(packed);
    return status;
}

static int take_all(struct update *u, struct sj_ordered *o, struct sj_progress *p)
{
    time_t written = time(NULL);
    int status = SJ_OK;
    for (int64_t j = 0; j < u->todos && !status && !(u->w->stop && *u->w->stop); j++) {
        void *h = NULL;
        int bad = sj_ordered_take(o, &h);
        if (!bad && h) {
            bad = take_in(u, u->todo[j], h);
            sj_heard_drop(h);
            if (bad == SJ_SYSTEM)
                return bad;
            void *none = NULL;
            status = sj_ordered_take(o, &none); /* the end of the job */
            u->counts->read += !bad;
        }
        if (bad) {
            u->counts->skipped++;
            sj_progress_clear(p);
            u->w->skipped(u->w->arg);
        }
        sj_progress_show(p, j + 1, NULL);
        if (!status && time(NULL) - written >= WRITE_EVERY_S) {
            status = sj_shelf_write(&u->new);
            written = time(NULL);
        }
    }
    return status;
}

static int read_todo(struct update *u)
{
    const struct sj_ordered_work work = {.threads = u->w->threads, .ahead = 2 * u->w->threads, .jobs = u->todos,
                                         .run = hear_job, .drop = sj_heard_drop, .arg = u};
    struct sj_ordered *o = NULL;
    int status = sj_ordered_open(&work, &o);
    struct sj_progress *p = status ? NULL : sj_progress_new(u->w->progress, "sj-index", "tracks", 0, u->todos);
    if (!status)
        status = take_all(u, o, p);
    sj_progress_end(p);
    sj_ordered_close(o);
    return status;
}

/* -- the whole ----------------------------------------------------------------------------------------------------- */

static int begin(struct update *u)
{
    const struct sj_config *c = sj_listener_config(u->w->listener);
    u->new.folder = strdup(u->old.folder);
    u->new.root = strdup(u->w->root);
    u->new.model = strdup(u->w->model);
    u->new.width = c->frequencies * c->dim;
    u->new.class_name = calloc((size_t)c->classes + 1, sizeof *u->new.class_name);
    if (!u->new.folder || !u->new.root || !u->new.model || !u->new.class_name)
        return sj_fail(SJ_SYSTEM, "no memory for an index");
    snprintf(u->new.id, sizeof u->new.id, "%s", u->w->id);
    for (; u->new.classes < c->classes; u->new.classes++)
        if (!(u->new.class_name[u->new.classes] = strdup(c->class_name[u->new.classes])))
            return sj_fail(SJ_SYSTEM, "no memory for an index");
    return SJ_OK;
}

static int update(struct update *u)
{
    int found;
    int status = sj_shelf_read(u->w->folder, &u->old, &found);
    if (status)
        return status;
    if (found && (strcmp(u->old.id, u->w->id) || strcmp(u->old.root, u->w->root))) {
        char *folder = u->old.folder;
        u->counts->other_model = strcmp(u->old.id, u->w->id) != 0;
        u->old.folder = NULL;
        sj_shelf_free(&u->old);
        u->old.folder = folder;
    }
    status = begin(u);
    if (!status)
        status = sj_shelf_finds_open(u->w->root, u->w->folder, &u->new, &u->finds);
    if (!status)
        status = sort_out(u);
    if (!status)
        status = clear_frames(u);
    if (!status)
        status = read_todo(u);
    if (!status && (!found || u->counts->read || u->counts->kept != u->old.tracks || u->counts->other_model ||
                    strcmp(u->old.model ? u->old.model : "", u->w->model)))
        status = sj_shelf_write(&u->new);
    u->counts->tracks = u->new.tracks;
    u->counts->stems = u->new.stems;
    return status;
}

static int make_folder(const char *path)
{
    return mkdir(path, 0777) && errno != EEXIST ? sj_fail_errno("cannot make '%s'", path) : SJ_OK;
}

int sj_shelf_update(const struct sj_shelf_work *w, struct sj_shelf_counts *counts)
{
    char path[PATH_MAX];
    struct update u = {.w = w, .counts = counts};
    *counts = (struct sj_shelf_counts){0};
    int status = make_folder(w->folder), lock = -1;
    snprintf(path, sizeof path, "%s/frames", w->folder);
    if (!status)
        status = make_folder(path);
    snprintf(path, sizeof path, "%s/lock", w->folder);
    if (!status && (lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666)) < 0)
        status = sj_fail_errno("cannot make '%s'", path);
    if (!status && flock(lock, LOCK_EX | LOCK_NB))
        status = errno == EWOULDBLOCK ? sj_fail(SJ_SYSTEM, "another program is writing the index '%s'", w->folder)
                                      : sj_fail_errno("cannot lock '%s'", path);
    if (!status)
        status = update(&u);
    if (lock >= 0)
        close(lock);
    free(u.todo);
    free(u.by_path);
    sj_shelf_finds_close(u.finds);
    sj_shelf_free(&u.old);
    sj_shelf_free(&u.new);
    return status;
}
