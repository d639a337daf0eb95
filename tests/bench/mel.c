/* mel CHUNKS: log-mel spectrograms of CHUNKS waves of 8 s a turn, shared among the threads as sj-mel does. */
#include "mel.h"

#include <omp.h>

#include "rng.h"
#include "sjk.h"
#include "idle.h"
#include "turns.h"

enum { SAMPLES = 128000, FRAMES = 801, BANDS = 80, LANES = 256 };

struct job {
    int64_t chunks;
    int lanes;
    struct sj_mel *mel[LANES];
    float *wave, *out; /* (chunks, SAMPLES), (chunks, BANDS, FRAMES) */
};

static int run(void *arg)
{
    struct job *j = arg;
    int failed = 0;
#pragma omp parallel for num_threads(j->lanes) schedule(dynamic, 1) reduction(| : failed)
    for (int64_t i = 0; i < j->chunks; i++)
        failed |= sj_mel_whole(j->mel[omp_get_thread_num()], SAMPLES, j->wave + i * SAMPLES,
                               j->out + i * BANDS * FRAMES, FRAMES);
    return failed;
}

int main(int argc, char **argv)
{
    sj_idle_sleeps(argv);
    struct job j = {.chunks = argc == 2 ? strtol(argv[1], NULL, 10) : 0, .lanes = omp_get_max_threads()};
    struct sjk *k[LANES] = {0};
    struct sj_mel_settings s = sj_mel_defaults();
    char why[256] = "";
    int status = 0;
    if (j.chunks < 1 || j.lanes > LANES) {
        fprintf(stderr, "usage: mel CHUNKS\n");
        return 2;
    }
    for (int i = 0; i < j.lanes && !status; i++)
        status = sjk_open("cpu", 1, &k[i], why, sizeof why) || sj_mel_new(k[i], &s, &j.mel[i]);
    j.wave = malloc((size_t)(j.chunks * SAMPLES) * sizeof *j.wave);
    j.out = malloc((size_t)(j.chunks * BANDS * FRAMES) * sizeof *j.out);
    if (!status && j.wave && j.out) {
        struct sj_rng r = sj_rng(1, 0);
        sj_rng_normal(&r, j.wave, (uint64_t)(j.chunks * SAMPLES));
        status = take_turns(run, &j);
    } else {
        fprintf(stderr, "mel: %s\n", *why ? why : sj_reason());
        status = 1;
    }
    for (int i = 0; i < j.lanes; i++) {
        sj_mel_free(j.mel[i]);
        sjk_close(k[i]);
    }
    free(j.wave);
    free(j.out);
    return status;
}
