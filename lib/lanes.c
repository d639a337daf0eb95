#include "lanes.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

/* Slot i % slots is handed in i-th: counts tell the state of each. */
struct sj_lanes {
    int threads, slots, started; /* started: threads that run */
    void (*work)(void *arg, int slot, int lane);
    void *arg;
    pthread_mutex_t lock;
    pthread_cond_t handed_in, worked_on;
    int64_t in, begun, taken;    /* handed in, begun by a lane, taken back */
    int lanes;                   /* numbers given out */
    unsigned char *done;         /* (slots) worked on and not taken back */
    int stop;
    pthread_t *thread;
};

static void *run(void *arg)
{
    struct sj_lanes *l = arg;
    pthread_mutex_lock(&l->lock);
    const int lane = l->lanes++;
    for (;;) {
        while (!l->stop && l->begun == l->in)
            pthread_cond_wait(&l->handed_in, &l->lock);
        if (l->stop)
            break;
        const int slot = (int)(l->begun++ % l->slots);
        pthread_mutex_unlock(&l->lock);
        l->work(l->arg, slot, lane);
        pthread_mutex_lock(&l->lock);
        l->done[slot] = 1;
        pthread_cond_signal(&l->worked_on);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

int sj_lanes_new(int threads, int slots, void (*work)(void *arg, int slot, int lane), void *arg, struct sj_lanes **out)
{
    struct sj_lanes *l = calloc(1, sizeof *l);
    if (l) {
        *l = (struct sj_lanes){.threads = threads, .slots = slots, .work = work, .arg = arg};
        pthread_mutex_init(&l->lock, NULL);
        pthread_cond_init(&l->handed_in, NULL);
        pthread_cond_init(&l->worked_on, NULL);
        l->done = calloc((size_t)slots, 1);
        l->thread = calloc((size_t)threads, sizeof *l->thread);
    }
    if (!l || !l->done || !l->thread) {
        sj_lanes_free(l);
        return sj_fail(SJ_SYSTEM, "no memory");
    }
    for (; threads > 1 && l->started < threads; l->started++)
        if (pthread_create(&l->thread[l->started], NULL, run, l)) {
            sj_lanes_free(l);
            return sj_fail(SJ_SYSTEM, "cannot start %d threads", threads);
        }
    *out = l;
    return SJ_OK;
}

void sj_lanes_free(struct sj_lanes *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stop = 1;
    pthread_cond_broadcast(&l->handed_in);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->started; i++)
        pthread_join(l->thread[i], NULL);
    pthread_cond_destroy(&l->handed_in);
    pthread_cond_destroy(&l->worked_on);
    pthread_mutex_destroy(&l->lock);
    free(l->done);
    free(l->thread);
    free(l);
}

/* in and taken are the caller's own; only `done` is shared. */
int sj_lanes_running(struct sj_lanes *l)
{
    return (int)(l->in - l->taken);
}

int sj_lanes_full(struct sj_lanes *l)
{
    return sj_lanes_running(l) == l->slots;
}

int sj_lanes_ready(struct sj_lanes *l)
{
    pthread_mutex_lock(&l->lock);
    int ready = l->taken < l->in && l->done[l->taken % l->slots];
    pthread_mutex_unlock(&l->lock);
    return ready;
}

int sj_lanes_free_slot(struct sj_lanes *l)
{
    return (int)(l->in % l->slots);
}

void sj_lanes_start(struct sj_lanes *l)
{
    const int slot = sj_lanes_free_slot(l);
    if (l->threads == 1) {
        l->work(l->arg, slot, 0);
        l->done[slot] = 1;
    }
    pthread_mutex_lock(&l->lock);
    l->in++;
    pthread_cond_signal(&l->handed_in);
    pthread_mutex_unlock(&l->lock);
}

int sj_lanes_take(struct sj_lanes *l)
{
    const int slot = (int)(l->taken % l->slots);
    pthread_mutex_lock(&l->lock);
    while (!l->done[slot])
        pthread_cond_wait(&l->worked_on, &l->lock);
    l->done[slot] = 0;
    l->taken++;
    pthread_mutex_unlock(&l->lock);
    return slot;
}
