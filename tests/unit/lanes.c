/* Slots worked on by several threads come back in order, each worked on once. */
#include "lanes.h"

#include <stdint.h>
#include <time.h>

#include "rng.h"
#include "tests/tap.h"

enum { ITEMS = 3000, SLOTS = 7, THREADS = 4 };

struct ring {
    int in[SLOTS], out[SLOTS];
    int busy[THREADS], clash;
};

static void work(void *arg, int slot, int lane)
{
    struct ring *r = arg;
    struct sj_rng rng = sj_rng(1, (uint64_t)r->in[slot]);
    const struct timespec nap = {0, (long)sj_rng_below(&rng, 20000)};
    if (lane < 0 || lane >= THREADS || r->busy[lane]++)
        r->clash = 1;
    if (r->in[slot] % 16 == 0)
        nanosleep(&nap, NULL);
    r->out[slot] += 2 * r->in[slot];
    r->busy[lane]--;
}

static void pass(int threads)
{
    struct ring r = {0};
    struct sj_lanes *l = NULL;
    int taken = 0, wrong = 0, over = 0, eager = 0;
    if (!ok(!sj_lanes_new(threads, SLOTS, work, &r, &l), "%d threads", threads))
        return;
    for (int i = 0; i < ITEMS || sj_lanes_running(l); i++) {
        while (sj_lanes_running(l) && (sj_lanes_full(l) || sj_lanes_ready(l) || i >= ITEMS)) {
            eager += sj_lanes_ready(l);
            wrong += r.out[sj_lanes_take(l)] != 2 * taken++;
        }
        if (i >= ITEMS)
            continue;
        int slot = sj_lanes_free_slot(l);
        r.in[slot] = i;
        r.out[slot] = 0;
        sj_lanes_start(l);
        over += sj_lanes_running(l) > SLOTS;
    }
    ok(taken == ITEMS && !wrong && !r.clash && !over && eager, "all %d come back in order", taken);
    sj_lanes_free(l);
}

int main(void)
{
    pass(1);
    pass(2);
    pass(THREADS);
    struct ring r = {.in = {0, 16, 32}};
    struct sj_lanes *l = NULL;
    int status = sj_lanes_new(2, SLOTS, work, &r, &l);
    for (int i = 0; i < 3 && !status; i++)
        sj_lanes_start(l);
    sj_lanes_free(l);
    ok(!status && !r.busy[0] && !r.busy[1], "freed while at work");
    return done();
}
