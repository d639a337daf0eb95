/* pairs FILE.h5 wave|mel THREADS BATCHES: how fast batches of 256 training pairs are read and summed, and analysed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "train_feed.h"

enum { BATCH = 256, CROP = 128000 };

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int run(struct sj_feed *f, int64_t batches)
{
    struct sj_batch b;
    void *memory = malloc(sj_feed_bytes(f));
    double began = 0;
    int status = memory ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    for (int64_t i = -1; !status && i < batches; i++) { /* the first one warms up */
        began = i ? began : now_s();
        sj_feed_start(f, memory);
        status = sj_feed_wait(f, &b);
    }
    double seconds = now_s() - began;
    if (!status)
        printf("{\"name\":\"pairs\",\"batches\":%lld,\"batch\":%d,\"s\":%.4f,\"pairs_per_s\":%.1f}\n", (long long)batches, BATCH,
               seconds, (double)(batches * BATCH) / seconds);
    free(memory);
    return status;
}

int main(int argc, char **argv)
{
    struct sj_sampler *s = NULL;
    struct sj_feed *f = NULL;
    if (argc != 5) {
        fprintf(stderr, "usage: pairs FILE.h5 wave|mel THREADS BATCHES\n");
        return 2;
    }
    const char *path = argv[1];
    struct sj_mel_settings mel = sj_mel_defaults();
    int threads = (int)strtol(argv[3], NULL, 10), status = sj_sampler_open(1, &path, NULL, 1, CROP, &s);
    if (!status)
        status = sj_feed_sets(s, strcmp(argv[2], "mel") ? NULL : &mel, threads, BATCH, 1, 0, &f);
    if (!status)
        status = run(f, strtol(argv[4], NULL, 10));
    if (status)
        fprintf(stderr, "pairs: %s\n", sj_reason());
    sj_feed_free(f);
    sj_sampler_close(s);
    return status;
}
