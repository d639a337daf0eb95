/* Chunks against the definition written out, for awkward lengths, chunk sizes and pushes; jobs in order. */
#include "chunk.h"

#include <stdlib.h>
#include <unistd.h>

#include "ordered.h"
#include "tests/tap.h"

enum { LONGEST = 6000 };

/* What chunk c of `frames` frames must be for the samples x (n). */
static int64_t wanted(const float *x, int64_t n, int64_t frames, int64_t c, float *out)
{
    int64_t all = 1 + n / 160, first = c * frames, last = first + frames < all ? first + frames - 1 : all - 1, k = 0;
    for (int64_t i = 160 * first - 200; i <= 160 * last + 199; i++)
        out[k++] = x[i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i];
    return k;
}

struct check {
    const float *x;
    int64_t n, frames, seen, bad;
};

static int check_chunk(const struct sj_chunk *chunk, void *arg)
{
    static float want[LONGEST + 400];
    struct check *k = arg;
    int64_t all = 1 + k->n / 160, chunks = (all + k->frames - 1) / k->frames;
    int64_t n = wanted(k->x, k->n, k->frames, k->seen, want);
    k->bad += chunk->samples != n || memcmp(chunk->sample, want, (size_t)n * sizeof *want) || chunk->part != k->seen ||
              chunk->position != k->seen * k->frames || chunk->last != (k->seen == chunks - 1) || k->seen >= chunks;
    k->seen++;
    return SJ_OK;
}

static void every_length(int64_t frames, int64_t step)
{
    static float x[LONGEST];
    for (int i = 0; i < LONGEST; i++)
        x[i] = (float)i + 1;
    struct sj_chunker *c;
    struct check k = {.x = x, .frames = frames};
    int64_t bad = 0, count = 0;
    sj_chunker_open(frames, check_chunk, &k, &c);
    for (int64_t n = 201; n <= LONGEST; n += n % 160 < 3 || n % 160 > 117 ? 1 : 37) {
        k.n = n, k.seen = k.bad = 0;
        for (int64_t at = 0; at < n; at += step)
            sj_chunker_push(c, x + at, n - at < step ? n - at : step);
        int status = sj_chunker_end(c);
        bad += status || k.bad || k.seen != (n / 160 + frames) / frames;
        count++;
    }
    ok(count > 500 && !bad, "chunks of %lld frames, pushed by %lld: %lld of %lld lengths wrong", (long long)frames,
       (long long)step, (long long)bad, (long long)count);
    sj_chunker_push(c, x, 200);
    ok(sj_chunker_end(c) == SJ_INPUT && strstr(sj_reason(), "200 samples"), "200 samples: %s", sj_reason());
    sj_chunker_close(c);
}

static void head(void)
{
    static const char *const names[] = {"bass", "drums"};
    struct sj_head *h;
    int64_t v;
    is_int(sj_wave_head("sample", 2, names, 800, &h), SJ_OK, "a head");
    is_text(h->kind, "wave/1", "its kind");
    is_int(h->rank, 1, "its rank");
    is_int(sj_head_class(h, "drums"), 1, "its classes");
    ok(!sj_head_int(h, "sample_rate_hz", &v) && v == 16000 && !sj_head_int(h, "chunk_frames", &v) && v == 800,
       "its parameters");
    sj_head_free(h);
}

/* -- jobs: job k gives k % 5 numbers, slowly at random; every 7th fails when asked to ------------------------------ */

struct jobs {
    int failing;
    int dropped;
};

static int some_numbers(void *arg, int64_t job, struct sj_ordered_job *to)
{
    struct jobs *j = arg;
    for (int i = 0; i < job % 5; i++) {
        int64_t *item = malloc(sizeof *item);
        *item = job * 10 + i;
        usleep((unsigned)(job * 7919 % 13) * 20);
        int status = sj_ordered_give(to, item);
        if (status)
            return status;
    }
    return j->failing && job % 7 == 3 ? sj_fail(SJ_INPUT, "job %lld", (long long)job) : SJ_OK;
}

static void jobs_in_order(int threads, int depth, int failing)
{
    struct jobs j = {failing, 0};
    struct sj_ordered_work w = {threads, threads + 1, depth, 2, 100, some_numbers, free, &j};
    struct sj_ordered *o;
    int bad = sj_ordered_open(&w, &o), skipped = 0;
    for (int64_t job = 2; job < 102 && !bad; job++) {
        void *item;
        if (!depth) {
            int status = sj_ordered_settle(o);
            char want[32];
            snprintf(want, sizeof want, "job %lld", (long long)job);
            bad |= (status != 0) != (failing && job % 7 == 3) || (status && strcmp(want, sj_reason()));
            skipped += status != 0;
            if (status)
                continue;
        }
        for (int i = 0; i < job % 5; i++) {
            bad |= sj_ordered_take(o, &item) || !item || *(int64_t *)item != job * 10 + i;
            free(item);
        }
        bad |= sj_ordered_take(o, &item) || item;
    }
    sj_ordered_close(o);
    ok(!bad && skipped == (failing ? 15 : 0), "%d threads, depth %d, %d failed", threads, depth, skipped);
}

static void jobs_left(void)
{
    struct jobs j = {0};
    struct sj_ordered_work w = {3, 6, 2, 0, -1, some_numbers, free, &j};
    struct sj_ordered *o;
    void *item;
    sj_ordered_open(&w, &o);
    ok(!sj_ordered_take(o, &item) && !item, "an empty job");
    ok(!sj_ordered_take(o, &item) && *(int64_t *)item == 10, "an item");
    free(item);
    sj_ordered_close(o); /* the sanitizer sees what is not dropped */
    ok(1, "endless jobs stop");
}

int main(void)
{
    every_length(16, 1000);
    every_length(16, 1);
    every_length(3, 77);
    every_length(1, 160);
    every_length(800, LONGEST);
    head();
    jobs_in_order(1, 1, 0);
    jobs_in_order(4, 2, 0);
    jobs_in_order(4, 0, 1);
    jobs_left();
    return done();
}
