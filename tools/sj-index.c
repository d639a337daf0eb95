/* sj-index: an index of the stems in a folder.   folder of audio -> sj-index (model.h5) -> FOLDER/.sj */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listen.h"
#include "shelf.h"
#include "sjk.h"
#include "stop.h"
#include "tool.h"

static const char *model_path, *store;

static const struct sj_option options[] = {
    {SJ_FILE, 'm', "model", &model_path, 0, "FILE", "the model", 0, 0, NULL,
     "that of the index, else $SJ_MODEL, else the installed one", 0, NULL},
    {SJ_TEXT, 0, "store", &store, 0, "FOLDER", "where the index is kept", 0, 0, NULL, "FOLDER/.sj", 0, NULL},
    {.type = SJ_OPTION_NONE},
};

static void skipped(void *arg)
{
    sj_note(arg, "skipped: %s", sj_reason());
}

/* The model that was asked for, else the one that made the index, where it still is there. */
static int choose_model(const char *folder, char path[PATH_MAX])
{
    struct sj_shelf old;
    int found = 0, status = SJ_OK;
    if (!model_path && !getenv("SJ_MODEL")) {
        status = sj_shelf_read(folder, &old, &found);
        if (!status && found && !realpath(old.model, path))
            found = 0;
        sj_shelf_free(&old);
    }
    char named[PATH_MAX];
    if (status || found)
        return status;
    if ((status = sj_model_path(model_path, named, sizeof named)))
        return status;
    if (!realpath(named, path))
        return sj_fail_errno("cannot open '%s'", named);
    return SJ_OK;
}

static void say(const struct sj_run *run, const char *root, const struct sj_shelf_counts *c, int stopped)
{
    if (c->other_model)
        sj_note(run, "the index was made by another model, and is made anew");
    sj_note(run, "'%s': %lld stems of %lld files and folders: %lld read, %lld unchanged, %lld forgotten%s", root,
            (long long)c->stems, (long long)c->tracks, (long long)c->read, (long long)c->kept, (long long)c->forgotten,
            stopped ? "; broken off: the next sj index reads the rest" : "");
}

static int update(const struct sj_run *run, const char *root, const char *folder, const char *model)
{
    volatile sig_atomic_t *stop = sj_stop_catch();
    struct sj_model *m = NULL;
    struct sjk *k = NULL;
    struct sj_listener *l = NULL;
    struct sj_shelf_counts counts = {0};
    int status = sj_model_read(model, &m);
    if (!status)
        status = sj_run_backend(run, &k);
    if (!status)
        status = sj_listener_new(k, m, SJ_PRECISION_AUTO, &l);
    if (!status) {
        const struct sj_shelf_work work = {.folder = folder, .root = root, .model = model, .id = m->id, .listener = l,
                                           .threads = run->threads, .progress = run->progress, .skipped = skipped,
                                           .stop = stop, .arg = (void *)run};
        status = sj_shelf_update(&work, &counts);
    }
    if (!status)
        say(run, root, &counts, *stop != 0);
    if (!status && counts.skipped)
        status = sj_fail(SJ_NO, "%lld of %lld files and folders skipped", (long long)counts.skipped,
                         (long long)(counts.skipped + counts.tracks));
    sj_listener_free(l);
    if (k)
        sjk_close(k);
    sj_model_free(m);
    sj_stop_end();
    return status;
}

static int run(struct sj_run *r)
{
    char root[PATH_MAX], folder[PATH_MAX + 4], model[PATH_MAX];
    if (!realpath(r->operand[0], root))
        return sj_fail_errno("cannot open '%s'", r->operand[0]);
    if (store)
        snprintf(folder, sizeof folder, "%s", store);
    else
        snprintf(folder, sizeof folder, "%s/.sj", root[1] ? root : "");
    int status = choose_model(folder, model);
    return status ? status : update(r, root, folder, model);
}

static const struct sj_tool tool = {
    .name = "sj-index",
    .summary = "an index of the stems in a folder",
    .operands = "FOLDER",
    .details = "Makes the index that sj-match searches, or brings it up to date: only files that are new or changed\n"
               "are read, those that are gone are forgotten. Stopped by Ctrl-C it keeps what it has.",
    .options = options,
    .common = SJ_TAKES_THREADS | SJ_TAKES_BACKEND | SJ_TAKES_PROGRESS,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
