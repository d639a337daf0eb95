/* The device's memory, recorded work and inboxes of the CUDA back end, on a stand-in for the CUDA runtime in which
 * everything happens as late as it may (runtime/cuda_runtime.h). */
#include "cuda.h"
#include "../tap.h"

#include <stdlib.h>

const struct sjk_ops sjk_ops_cuda = {.name = "cuda"};

enum { n = 300, steps = 12 };

static struct sjk *fresh(void)
{
    struct sjk *k = NULL;
    char why[256];
    fake = (struct fake){.driver = 13000, .devices = 1, .major = 9, .images = 1, .memory = 1 << 20};
    if (cuda_open(0, 1, &k, why, sizeof why))
        printf("# %s\n", why);
    return k;
}

static void close_all(struct sjk *k, const char *name)
{
    cuda_own(k)->own.close(k);
    is_int(fake.live, 0, name);
}

/* What the work of these tests runs on. */
struct bench {
    struct sjk *k;
    int32_t *in, *number, *sum, *log;
};

static struct bench bench_new(void)
{
    struct bench b = {.k = fresh()};
    void *p[4] = {0};
    int bad = 0;
    for (int i = 0; i < 4; i++)
        bad |= cuda_alloc(b.k, sizeof(int32_t) * n * (i == 3 ? 2 * steps : 1), &p[i]);
    ok(!bad, "memory for repeated work");
    b.in = p[0];
    b.number = p[1];
    b.sum = p[2];
    b.log = p[3];
    return b;
}

static void bench_free(struct bench *b)
{
    cuda_free(b->k, b->in);
    cuda_free(b->k, b->number);
    cuda_free(b->k, b->sum);
    cuda_free(b->k, b->log);
    close_all(b->k, "nothing is left of repeated work");
}

/* Work whose result is (value, ..., value, 2 value) in sum; a wrong size when `size` is not n. */
static int work(struct bench *b, int value, int size)
{
    int32_t host[n + 1], twice = 2 * value;
    for (int i = 0; i <= n; i++)
        host[i] = value;
    int status = cuda_put(b->k, b->in, host, sizeof *host * (size_t)(size < n ? size : n));
    for (int i = 0; i <= n; i++)
        host[i] = -1; /* the caller's memory is his again */
    const void *number = status ? NULL : cuda_stage(b->k, &twice, sizeof twice);
    twice = -1;
    if (!number)
        return status ? status : SJK_DEVICE;
    if (!(status = cuda_copy(b->k, b->number, number, sizeof twice)) &&
        !(status = cuda_zero(b->k, b->sum, sizeof *host * n)) &&
        !(status = cuda_copy(b->k, b->sum, b->in, sizeof *host * (n - 1))))
        status = cuda_copy(b->k, b->sum + n - 1, b->number, sizeof twice);
    return status;
}

/* One run under a key, its result kept in the log. */
static int step(struct bench *b, uint64_t key, int value, int at)
{
    int status = cuda_begin(b->k, key);
    if (!status)
        status = work(b, value, n);
    if (!status)
        status = cuda_end(b->k);
    return status ? status : cuda_copy(b->k, b->log + n * at, b->sum, sizeof *b->sum * n);
}

/* How many of the log's first `count` results are not those of first, first + 1, ... */
static int wrong(struct bench *b, int first, int count)
{
    int32_t host[n * 2 * steps];
    int bad = 0;
    if (cuda_get(b->k, host, b->log, sizeof *host * (size_t)(n * count)))
        return -1;
    for (int s = 0; s < count; s++)
        for (int i = 0; i < n; i++)
            bad += host[s * n + i] != (i == n - 1 ? 2 : 1) * (first + s);
    return bad;
}

static void memory(void)
{
    struct sjk *k = fresh();
    unsigned char host[1000], back[1000] = {0}, zeros[1000] = {0};
    void *p, *q, *none = &p;
    for (int i = 0; i < 1000; i++)
        host[i] = (unsigned char)(i * 7);
    int status = cuda_alloc(k, 1000, &p);
    ok(!status && !cuda_get(k, back, p, 1000) && !memcmp(back, zeros, 1000), "memory is given cleared");
    ok(!cuda_alloc(k, 0, &none) && !none, "no bytes: no memory");
    status = cuda_alloc(k, 1000, &q) || cuda_put(k, p, host, 1000) || cuda_copy(k, q, p, 1000) ||
             cuda_zero(k, (char *)q + 3, 5);
    memset(host + 3, 0, 5);
    ok(!status && !cuda_get(k, back, q, 1000) && !memcmp(back, host, 1000), "put, copy, zero, get");
    ok(!cuda_put(k, NULL, NULL, 0) && !cuda_copy(k, NULL, NULL, 0) && !cuda_zero(k, NULL, 0) &&
           !cuda_get(k, NULL, NULL, 0) && !cuda_sync(k), "no bytes are nothing to do");
    is_int(cuda_alloc(k, 3 << 20, &none), SJK_DEVICE, "more than there is");
    is_text(k->reason, "needs 3.0 MiB more memory, 1.0 MiB free of 1 MiB on device 0 (Pretence)", "and why");
    ok(!none && cuda_scratch(k, 0) && !cuda_scratch(k, 2 << 20) && cuda_scratch(k, 100), "scratch, too much, and again");
    is_int(cuda_put(k, host, host, 8), SJK_DEVICE, "a copy to nowhere");
    is_text(k->reason, "put: invalid argument", "and why");
    is_int(cuda_end(k), SJK_BAD, "end without begin");
    cuda_free(k, p);
    cuda_free(k, q);
    close_all(k, "nothing is left of memory");
}

static void refused(struct fake machine, int device, const char *want)
{
    struct sjk *k;
    char why[256] = "";
    fake = machine;
    int status = cuda_open(device, 1, &k, why, sizeof why);
    ok(status == SJK_DEVICE && !k && !fake.live && !strcmp(why, want), "%s%s%s", want, strcmp(why, want) ? ", not " : "",
       strcmp(why, want) ? why : "");
}

static void opening(void)
{
    const struct fake good = {.driver = 13000, .devices = 2, .major = 9, .images = 1, .memory = 1 << 20};
    struct fake bad = good;
    bad.driver = 0;
    refused(bad, 0, "no NVIDIA driver on this machine");
    bad.driver = 12080;
    refused(bad, 0, "the NVIDIA driver supports CUDA 12.8, 13.0 is needed");
    bad = good;
    bad.devices = 0;
    refused(bad, 0, "no CUDA device on this machine");
    refused(good, 2, "no device 2: this machine has 2");
    bad = good;
    bad.major = 7;
    refused(bad, 1, "device 1 (Pretence) has compute capability 7.0, 8.0 is needed");
    bad = good;
    bad.images = 0;
    refused(bad, 0, "libsj-cuda.so was not built for device 0 (Pretence, compute capability 9.0): CUDA_ARCHS");
    for (int i = 1; i <= 2; i++) {
        bad = good;
        bad.fail_after = i;
        refused(bad, 0, "stream: invalid argument");
    }
}

static void repeated(void)
{
    struct bench b = bench_new();
    int bad = 0;
    for (int i = 0; i < steps; i++)
        bad |= step(&b, 7, 100 + i, i);
    ok(!bad, "work that is repeated runs%s%s", bad ? ": " : "", bad ? b.k->reason : "");
    is_int(wrong(&b, 100, steps), 0, "each time with the numbers of that time");
    is_int(fake.launched, steps - 1, "all but the first time as a graph");
    int before = fake.asked;
    bad = step(&b, 7, 1, 0);
    is_int(fake.asked - before, 4, "a replay is a transfer, its event, and a launch (and the log's copy)");
    for (int i = 0; i < 2 * steps; i++)
        bad |= step(&b, (uint64_t)(i % 3), 500 + i, i);
    ok(!bad && !wrong(&b, 500, 2 * steps), "three keys in turn");
    for (int i = 0; i < 2 * steps; i++)
        bad |= step(&b, (uint64_t)(10 + i / 2 % 6), 700 + i, i);
    ok(!bad && !wrong(&b, 700, 2 * steps), "more keys than are kept");
    bench_free(&b);
}

static void forgotten(void)
{
    struct bench b = bench_new();
    int bad = 0, launched;
    for (int i = 0; i < 4; i++)
        bad |= step(&b, 7, 100 + i, i);
    launched = fake.launched;
    ok(cuda_scratch(b.k, 1000) && cuda_scratch(b.k, 1000) == cuda_own(b.k)->scratch, "scratch grows");
    for (int i = 4; i < 8; i++)
        bad |= step(&b, 7, 100 + i, i);
    ok(!bad && !wrong(&b, 100, 8) && fake.launched == launched + 4 && fake.recorded == 2, "work is recorded again");
    bad = cuda_begin(b.k, 7);
    ok(!bad && cuda_scratch(b.k, 900) && !cuda_scratch(b.k, 5000), "no more scratch in a replay than before");
    ok(!step(&b, 7, 3, 0) && !wrong(&b, 3, 1), "and the next run is right");
    void *p;
    launched = fake.launched;
    bad = cuda_alloc(b.k, 100, &p);
    cuda_free(b.k, p);
    for (int i = 0; i < 4; i++)
        bad |= step(&b, 7, 200 + i, i);
    ok(!bad && !wrong(&b, 200, 4) && fake.launched == launched + 3, "after a free work begins as if it were new");
    bench_free(&b);
}

/* Work that differs, fails or is not ended, in each kind of run: the next ones are right. */
static void failing(void)
{
    struct bench b = bench_new();
    int good = !step(&b, 99, 1, 0);
    ok(!cuda_begin(b.k, 99) && cuda_end(b.k) == SJK_BAD, "run 2: too few");
    good += !step(&b, 99, 2, 0) && !step(&b, 99, 3, 1) && !wrong(&b, 2, 2);
    for (int run = 1; run < 5; run++) {
        uint64_t key = (uint64_t)run;
        int32_t one = 1;
        for (int i = 0; i < run; i++)
            good += !step(&b, key, i, 0);
        int status = cuda_begin(b.k, key) || work(&b, 5, n - 1);
        ok(status == 1 && strstr(b.k->reason, "differs from the first time"), "run %d: another size", run + 1);
        good += !cuda_get(b.k, &one, b.sum, sizeof one);
        good += !step(&b, key, 11, 0) && !wrong(&b, 11, 1);
        status = cuda_begin(b.k, key) || work(&b, 5, n) || cuda_put(b.k, b.in, &one, sizeof one);
        ok(status == 1 && strstr(b.k->reason, "differs from the first time"), "run %d: a put too many", run + 3);
        good += !step(&b, key, 12, 0) && !wrong(&b, 12, 1);
        ok(!cuda_begin(b.k, key) && cuda_end(b.k) == SJK_BAD, "run %d: too few", run + 5);
        good += !step(&b, key, 13, 0) && !wrong(&b, 13, 1);
    }
    is_int(good, 2 + 1 + 2 + 3 + 4 + 4 * 4, "what comes after is right");
    bench_free(&b);
}

/* Every call of the runtime that can fail fails once, in a first, a second and a third run. */
static void unlucky(void)
{
    int bad = 0, tried = 0;
    for (int run = 0; run < 3; run++)
        for (int at = 1, failed = 1; failed; at++) {
            struct bench b = {.k = fresh()};
            void *p[4];
            for (int i = 0; i < 4; i++)
                bad += cuda_alloc(b.k, sizeof(int32_t) * n * (i == 3 ? 2 * steps : 1), &p[i]);
            b.in = p[0];
            b.number = p[1];
            b.sum = p[2];
            b.log = p[3];
            for (int i = 0; i < run; i++)
                bad += step(&b, 1, i, 0) != 0;
            fake.fail_after = at;
            failed = step(&b, 1, 40, 0) != 0;
            bad += failed != !fake.fail_after;
            fake.fail_after = 0;
            for (int i = 0; i < 4; i++)
                bad += step(&b, 1, 50 + i, i) != 0;
            bad += wrong(&b, 50, 4) != 0;
            for (int i = 0; i < 4; i++)
                cuda_free(b.k, p[i]);
            cuda_own(b.k)->own.close(b.k);
            bad += fake.live != 0;
            tried++;
        }
    ok(!bad && tried > 20, "%d failing calls of the runtime are told, and the next run is right", tried);
}

static void inbox(void)
{
    struct sjk *k = fresh();
    struct sjk_inbox *b;
    void *log, *at[2];
    const void *data = NULL;
    int bad = cuda_inbox_new(k, sizeof(int32_t) * n, &b) || cuda_alloc(k, sizeof(int32_t) * steps, &log), moved = 0;
    is_int(bad ? 0 : cuda_inbox_take(k, b, &data), SJK_BAD, "nothing to take");
    for (int i = 0; !bad && i < steps; i++) {
        for (int sent = i ? i + 1 : 0; sent < i + 2 && sent < steps; sent++) { /* one ahead */
            int32_t *host = cuda_inbox_host(k, b);
            bad |= !host;
            for (int j = 0; !bad && j < n; j++)
                host[j] = 1000 * sent + j;
            bad |= bad || cuda_inbox_send(k, b);
            at[sent % 2] = host;
        }
        const void *before = data;
        bad |= bad || (i == 5 && (cuda_inbox_host(k, b) || cuda_inbox_send(k, b) != SJK_BAD)) || cuda_inbox_take(k, b, &data);
        moved |= i && data != before;
        bad |= bad || cuda_copy(k, (int32_t *)log + i, (const int32_t *)data + i, sizeof(int32_t));
    }
    int32_t got[steps], differ = 0;
    bad |= bad || cuda_get(k, got, log, sizeof got);
    for (int i = 0; !bad && i < steps; i++)
        differ += got[i] != 1000 * i + i;
    ok(!bad && !differ, "%d batches arrive in order%s%s", steps, bad ? ": " : "", bad ? k->reason : "");
    ok(!moved && at[0] != at[1], "at one address, from two");
    cuda_free(k, log);
    cuda_inbox_free(k, b);
    cuda_inbox_free(k, NULL);
    for (int i = 1; i < 10; i++) {
        fake.fail_after = i;
        bad |= !cuda_inbox_new(k, 100, &b) || b != NULL;
    }
    ok(!bad, "an inbox that cannot be made leaves nothing");
    fake.fail_after = 0;
    close_all(k, "nothing is left of inboxes");
}

int main(void)
{
    opening();
    memory();
    repeated();
    forgotten();
    failing();
    unlucky();
    inbox();
    return done();
}
