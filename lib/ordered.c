#include "ordered.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct item {
    struct item *next;
    void *what;
};

struct sj_ordered_job {
    struct sj_ordered *owner;
    struct item *first, **last;
    int waiting; /* items */
    int ended, status;
    char reason[1024];
};

struct sj_ordered {
    struct sj_ordered_work work;
    pthread_mutex_t lock;
    pthread_cond_t given, taken; /* something for the consumer; room for the workers */
    pthread_t *thread;
    int started;
    int64_t next, current, end; /* job to start; consumer's; end < 0: none */
    int closing;
    int slots;
    struct sj_ordered_job *slot; /* job k lives in slot k % slots */
};

static struct sj_ordered_job *slot_of(struct sj_ordered *o, int64_t job)
{
    return &o->slot[job % o->slots];
}

/* The next job for a worker, or -1 when there is none. */
static int64_t next_job(struct sj_ordered *o)
{
    while (!o->closing && (o->end < 0 || o->next < o->end)) {
        if (o->next < o->current + o->slots)
            return o->next++;
        pthread_cond_wait(&o->taken, &o->lock);
    }
    return -1;
}

static void *work(void *arg)
{
    struct sj_ordered *o = arg;
    pthread_mutex_lock(&o->lock);
    for (int64_t job; (job = next_job(o)) >= 0;) {
        struct sj_ordered_job *to = slot_of(o, job);
        pthread_mutex_unlock(&o->lock);
        int status = o->work.run(o->work.arg, job, to);
        pthread_mutex_lock(&o->lock);
        to->status = status;
        if (status)
            memcpy(to->reason, sj_reason(), strnlen(sj_reason(), sizeof to->reason - 1) + 1);
        to->ended = 1;
        pthread_cond_broadcast(&o->given);
    }
    pthread_mutex_unlock(&o->lock);
    return NULL;
}

int sj_ordered_open(const struct sj_ordered_work *w, struct sj_ordered **out)
{
    struct sj_ordered *o = calloc(1, sizeof *o);
    if (!o)
        return sj_fail(SJ_SYSTEM, "no memory for threads");
    o->work = *w;
    o->next = o->current = w->first;
    o->end = w->jobs < 0 ? -1 : w->first + w->jobs;
    o->slots = 1 + w->ahead;
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->given, NULL);
    pthread_cond_init(&o->taken, NULL);
    o->slot = calloc((size_t)o->slots, sizeof *o->slot);
    o->thread = calloc((size_t)w->threads, sizeof *o->thread);
    int e = o->slot && o->thread ? 0 : ENOMEM;
    for (int i = 0; !e && i < o->slots; i++) {
        o->slot[i].owner = o;
        o->slot[i].last = &o->slot[i].first;
    }
    while (!e && o->started < w->threads && !(e = pthread_create(&o->thread[o->started], NULL, work, o)))
        o->started++;
    if (e && !o->started) {
        sj_ordered_close(o);
        return sj_fail(SJ_SYSTEM, "cannot start threads: %s", strerror(e));
    }
    *out = o;
    return SJ_OK;
}

int sj_ordered_give(struct sj_ordered_job *to, void *what)
{
    struct sj_ordered *o = to->owner;
    struct item *i = malloc(sizeof *i);
    int status = i ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    pthread_mutex_lock(&o->lock);
    while (!status && !o->closing && o->work.depth && to->waiting >= o->work.depth)
        pthread_cond_wait(&o->taken, &o->lock);
    if (o->closing)
        status = SJ_NO;
    if (!status) {
        *i = (struct item){NULL, what};
        *to->last = i;
        to->last = &i->next;
        to->waiting++;
        pthread_cond_broadcast(&o->given);
    }
    pthread_mutex_unlock(&o->lock);
    if (status) {
        free(i);
        o->work.drop(what);
    }
    return status;
}

static void *pop(struct sj_ordered_job *j)
{
    struct item *i = j->first;
    void *what = i->what;
    j->first = i->next;
    if (!j->first)
        j->last = &j->first;
    j->waiting--;
    free(i);
    return what;
}

/* Ends the current job: its status, with the reason for this thread. */
static int advance(struct sj_ordered *o, struct sj_ordered_job *j)
{
    int status = j->status ? sj_fail(j->status, "%s", j->reason) : SJ_OK;
    j->ended = j->status = 0;
    o->current++;
    return status;
}

int sj_ordered_take(struct sj_ordered *o, void **item)
{
    int status = SJ_OK;
    pthread_mutex_lock(&o->lock);
    struct sj_ordered_job *j = slot_of(o, o->current);
    while (!j->first && !j->ended)
        pthread_cond_wait(&o->given, &o->lock);
    *item = j->first ? pop(j) : NULL;
    if (!*item)
        status = advance(o, j);
    pthread_cond_broadcast(&o->taken);
    pthread_mutex_unlock(&o->lock);
    return status;
}

int sj_ordered_settle(struct sj_ordered *o)
{
    int status = SJ_OK;
    pthread_mutex_lock(&o->lock);
    struct sj_ordered_job *j = slot_of(o, o->current);
    while (!j->ended)
        pthread_cond_wait(&o->given, &o->lock);
    if (j->status) {
        while (j->first)
            o->work.drop(pop(j));
        status = advance(o, j);
        pthread_cond_broadcast(&o->taken);
    }
    pthread_mutex_unlock(&o->lock);
    return status;
}

void sj_ordered_close(struct sj_ordered *o)
{
    if (!o)
        return;
    pthread_mutex_lock(&o->lock);
    o->closing = 1;
    pthread_cond_broadcast(&o->taken);
    pthread_mutex_unlock(&o->lock);
    for (int i = 0; i < o->started; i++)
        pthread_join(o->thread[i], NULL);
    for (int i = 0; o->slot && i < o->slots; i++)
        while (o->slot[i].first)
            o->work.drop(pop(&o->slot[i]));
    free(o->slot);
    free(o->thread);
    pthread_cond_destroy(&o->taken);
    pthread_cond_destroy(&o->given);
    pthread_mutex_destroy(&o->lock);
    free(o);
}
