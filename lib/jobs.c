#include "jobs.h"

#include <stdlib.h>
#include <string.h>

#include "progress.h"

struct sj_item *sj_item_new(const char *key)
{
    struct sj_item *i = calloc(1, sizeof *i + strlen(key) + 1);
    if (i) {
        memcpy(i->key, key, strlen(key) + 1);
        i->record.key = i->key;
    } else {
        (void)sj_fail(SJ_SYSTEM, "no memory for '%s'", key);
    }
    return i;
}

void sj_item_drop(void *item)
{
    struct sj_item *i = item;
    if (!i)
        return;
    free(i->audio);
    free(i->data);
    free(i);
}

/* The items of the current job, each handed to `use`. */
static int drain(const struct sj_jobs *j, struct sj_ordered *o)
{
    int status = j->keep_going ? sj_ordered_settle(o) : SJ_OK;
    if (status) {
        j->passed_over(j->passed_arg);
        return SJ_OK;
    }
    for (void *item; !(status = sj_ordered_take(o, &item)) && item;) {
        status = j->use(j->to, item);
        sj_item_drop(item);
        if (status)
            return status;
    }
    return status;
}

int sj_jobs_run(const struct sj_jobs *j)
{
    struct sj_ordered *o = NULL;
    struct sj_ordered_work work = j->work;
    work.drop = sj_item_drop;
    int status = sj_ordered_open(&work, &o);
    int64_t total = work.jobs < 0 ? 0 : work.jobs;
    struct sj_progress *p = status ? NULL : sj_progress_new(j->progress, j->tool, j->unit, 0, total);
    for (int64_t n = 0; !status && (work.jobs < 0 || n < work.jobs); n++) {
        status = drain(j, o);
        sj_progress_show(p, n + 1, NULL);
    }
    sj_progress_end(p);
    sj_ordered_close(o);
    return status;
}
