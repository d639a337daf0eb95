/* sj-trials: a listening test of what was retrieved.   neighbours + audio -> sj-trials -> sounds, page, trials.json */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "classmap.h"
#include "excerpt.h"
#include "keyset.h"
#include "layout.h"
#include "listening.h"
#include "ordered.h"
#include "progress.h"
#include "tool.h"

static const char *retrieved, *folder, *class_map, *class_list;
static int64_t trials = 60, per_listener; /* per_listener 0: not given */
enum { PER_LISTENER = 12 };
static double seconds = 10, listen_s = 3;
static int layout, keep_going;

static const struct sj_option options[] = {
    {SJ_TEXT, 'o', "output", &folder, 0, "DIR", "the folder of the test, made if it is missing", 0, 0, NULL,
     "must be given", 0, NULL},
    {SJ_FILE, 0, "retrieved", &retrieved, 0, "FILE", "what sj-knn found for the mixes", 0, 0, NULL, "must be given", 0,
     NULL},
    {SJ_INT, 'n', "trials", &trials, 0, "N", "trials, as many of every class", 1, 10000, NULL, NULL, 1, NULL},
    {SJ_REAL, 0, "seconds", &seconds, 0, "SECONDS", "length of the excerpts; shorter songs are taken whole", 0.5, 120,
     NULL, NULL, 1, NULL},
    {SJ_INT, 0, "per-listener", &per_listener, 0, "N", "trials that each listener gets, drawn by the page", 1, 10000,
     NULL, "12, or all", 1, NULL},
    {SJ_REAL, 0, "listen", &listen_s, 0, "SECONDS", "of each sound that must be heard before it may be rated", 0, 60,
     NULL, NULL, 1, NULL},
    {SJ_CHOICE, 0, "layout", &layout, 0, "NAME", "of the songs, as of sj-chunk", 0, 0, sj_layout_names, NULL, 1, NULL},
    {SJ_FILE, 0, "class-map", &class_map, 0, "FILE", "which names belong to which class", 0, 0, NULL, "four", 1, NULL},
    {SJ_TEXT, 0, "classes", &class_list, 0, "NAME,...", "the classes in their order", 0, 0, NULL, "as in the class map",
     1, NULL},
    {SJ_FLAG, 'k', "keep-going", &keep_going, 0, NULL, "skip bad songs, count them, exit 1", 0, 0, NULL, NULL, 0, NULL},
    {.type = SJ_OPTION_NONE},
};

struct work {
    struct sj_run *run;
    struct sj_classmap *map;
    struct sj_tracks tracks;
    struct sj_songs songs;
    struct sj_queries queries;
    struct sj_place *place;
    struct sj_listening test;
    sj_json **entry; /* (trials) */
    struct sj_keyset *skipped; /* why: an input is left out of many trials for one reason */
};

/* What the job of a trial gives: its entry; what was passed over on the way. */
struct made {
    sj_json *entry;
    int silent, bad;
    char reason[1024]; /* of the last bad one */
};

static void drop_made(void *item)
{
    struct made *m = item;
    sj_json_free(m->entry);
    free(m);
}

/* The first query of the place that can be made a trial of. */
static int fill_place(const struct work *w, int64_t number, struct made *m)
{
    const struct sj_place *p = &w->place[number];
    for (int64_t i = 0; i < p->n; i++) {
        struct sj_trial t;
        int status = sj_trial_make(&w->songs, &w->queries.query[p->query[i]], seconds, (uint64_t)w->run->seed,
                                   (uint64_t)p->query[i], &t);
        if (!status) {
            status = sj_listening_put(&w->test, number, &t, &m->entry);
            sj_trial_free(&t);
            return status;
        }
        if (status == SJ_NO)
            m->silent++;
        else if (status == SJ_INPUT && keep_going)
            snprintf(m->reason, sizeof m->reason, "%s", sj_reason()), m->bad++;
        else
            return status;
    }
    return sj_fail(SJ_INPUT, "no query is left for trial %lld (%s): %d cannot be used; fewer trials (-n) may do",
                   (long long)number + 1, w->songs.class[p->class], m->silent + m->bad);
}

static int make_trial(void *arg, int64_t number, struct sj_ordered_job *to)
{
    struct made *m = calloc(1, sizeof *m);
    if (!m)
        return sj_fail(SJ_SYSTEM, "no memory");
    int status = fill_place(arg, number, m);
    if (!status)
        return sj_ordered_give(to, m);
    drop_made(m);
    return status;
}

/* Said once for each reason. */
static int skip(struct work *w, const char *reason)
{
    const int64_t before = sj_keyset_count(w->skipped);
    int status = sj_keyset_add(w->skipped, reason);
    if (!status && sj_keyset_count(w->skipped) > before)
        sj_note(w->run, "skipped: %s", reason);
    return status;
}

static int take_made(struct work *w, int64_t number, struct made *m)
{
    int status = m->bad ? skip(w, m->reason) : SJ_OK;
    w->entry[number] = m->entry;
    m->entry = NULL;
    if (m->silent && w->run->verbose)
        sj_note(w->run, "trial %lld: %d queries with a silent stem passed over", (long long)number + 1, m->silent);
    drop_made(m);
    return status;
}

static int make_trials(struct work *w)
{
    const struct sj_ordered_work how = {.threads = w->run->threads, .ahead = w->run->threads, .depth = 1,
                                        .jobs = trials, .run = make_trial, .drop = drop_made, .arg = w};
    struct sj_ordered *o;
    int status = sj_ordered_open(&how, &o);
    if (status)
        return status;
    struct sj_progress *p = sj_progress_new(w->run->progress, "sj-trials", "trials", 0, trials);
    for (int64_t i = 0; i < trials && !status; i++) {
        void *item;
        while (!(status = sj_ordered_take(o, &item)) && item)
            if ((status = take_made(w, i, item)))
                break;
        sj_progress_show(p, i + 1, NULL);
    }
    sj_progress_end(p);
    sj_ordered_close(o);
    return status;
}

/* Which song has which stems. */
static int survey(struct work *w)
{
    struct sj_songs *s = &w->songs;
    s->class = sj_classmap_names(w->map, &s->classes);
    s->tracks = &w->tracks;
    s->has = calloc((size_t)(w->tracks.n * s->classes) + 1, 1);
    int status = s->has ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    for (int64_t i = 0; i < w->tracks.n && !status; i++) {
        struct sj_track *t = &w->tracks.track[i];
        status = sj_excerpt_classes(t, s->classes, s->has + i * s->classes);
        if (!status || !keep_going)
            continue;
        t->status = status;
        char *why = strdup(sj_reason());
        status = why ? skip(w, why) : sj_fail(SJ_SYSTEM, "no memory");
        free(why);
    }
    return status;
}

/* The test is not made among the songs. */
static int is_apart(const struct sj_run *run)
{
    struct stat own, song;
    for (int i = 0; i < run->n; i++)
        if (!stat(folder, &own) && !stat(run->operand[i], &song) && own.st_dev == song.st_dev && own.st_ino == song.st_ino)
            return sj_fail(SJ_USAGE, "the test would be made in '%s', which has songs", folder);
    return SJ_OK;
}

static int make_test(struct work *w)
{
    char *provenance = NULL;
    int status = is_apart(w->run);
    if (!status)
        status = sj_classmap_open(class_map, class_list, &w->map);
    if (!status)
        status = sj_layout_find(w->run->n, w->run->operand, (enum sj_layout)layout, w->map, &w->tracks);
    if (!status)
        status = survey(w);
    if (!status)
        status = sj_queries_read(retrieved, &w->songs, &w->queries);
    if (!status)
        status = sj_places_draw(&w->queries, &w->songs, trials, (uint64_t)w->run->seed, &w->place);
    w->test = (struct sj_listening){folder, &w->songs, trials, per_listener, listen_s, (uint64_t)w->run->seed};
    w->entry = calloc((size_t)trials, sizeof *w->entry);
    if (!status && !w->entry)
        status = sj_fail(SJ_SYSTEM, "no memory");
    if (!status)
        status = sj_listening_begin(&w->test);
    if (!status)
        status = make_trials(w);
    if (!status)
        status = sj_run_provenance_text(w->run, &provenance);
    if (!status)
        status = sj_listening_end(&w->test, w->entry, provenance);
    free(provenance);
    return status;
}

static int run(struct sj_run *r)
{
    struct work w = {.run = r};
    int status = sj_keyset_new(&w.skipped);
    if (!status)
        status = make_test(&w);
    if (!status)
        sj_note(r, "'%s/index.html' has %lld trials", folder, (long long)trials);
    if (!status && sj_keyset_count(w.skipped))
        status = sj_fail(SJ_NO, "%lld input%s skipped", (long long)sj_keyset_count(w.skipped),
                         sj_keyset_count(w.skipped) == 1 ? "" : "s");
    sj_keyset_free(w.skipped);
    for (int64_t i = 0; w.entry && i < trials; i++)
        sj_json_free(w.entry[i]);
    free(w.entry);
    sj_places_free(w.place, trials);
    sj_queries_free(&w.queries);
    free(w.songs.has);
    sj_tracks_free(&w.tracks);
    sj_classmap_close(w.map);
    return status;
}

static int check(struct sj_run *r)
{
    (void)r;
    if (!folder || !retrieved)
        return sj_fail(SJ_USAGE, "wants %s (see --help)", folder ? "--retrieved FILE" : "-o DIR");
    if (!per_listener)
        per_listener = trials < PER_LISTENER ? trials : PER_LISTENER;
    if (per_listener > trials)
        return sj_fail(SJ_USAGE, "a listener cannot get %lld of %lld trials (--per-listener, -n)",
                       (long long)per_listener, (long long)trials);
    return SJ_OK;
}

static const struct sj_tool tool = {
    .name = "sj-trials",
    .summary = "a listening test of the stems that were retrieved",
    .operands = "SONGS...",
    .details = "Makes a folder with excerpts of mixes that lack a stem, each with the true stem, the one retrieved\n"
               "and a random one added; a page that runs the test in a browser; and the same trials for webMUSHRA.",
    .options = options,
    .common = SJ_TAKES_THREADS | SJ_TAKES_SEED | SJ_TAKES_PROGRESS,
    .min_operands = 1,
    .max_operands = -1,
    .check = check,
    .run = run,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
