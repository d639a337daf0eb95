/* make_dataset FILE.h5 [TRACKS [SECONDS [CLASS...]]]: a training set of tones and noise for the tests of sj-train. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataset.h"
#include "rng.h"

enum { RATE = SJ_DATASET_RATE_HZ, STEMS = 4 };

/* Stem s of track t: a tone with overtones, or noise, in bursts, so that some crops of it are silent. */
static void fill(int t, int s, int64_t n, int16_t *out)
{
    struct sj_rng r = sj_rng(5, sj_rng_stream((uint64_t)t, (uint64_t)s));
    double hz = 55 * pow(2, s + sj_rng_double(&r)), beat = 0.3 + 0.5 * sj_rng_double(&r);
    for (int64_t i = 0; i < n; i++) {
        double time = (double)i / RATE, x = s == 1 ? 2 * sj_rng_double(&r) - 1 : sin(6.283185307179586 * hz * time);
        out[i] = (int16_t)(9000 * x * exp(-4 * fmod(time, beat)));
    }
}

int main(int argc, char **argv)
{
    static const char *const four[] = {"bass", "drums", "other", "vocals"};
    const char *const *names = argc > 4 ? (const char *const *)argv + 4 : four;
    int tracks = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 4, classes = argc > 4 ? argc - 4 : 4;
    int64_t n = (int64_t)((argc > 3 ? strtod(argv[3], NULL) : 4) * RATE);
    int32_t class[STEMS];
    struct sj_dataset_writer *w;
    int16_t *audio = malloc((size_t)(STEMS * n) * sizeof *audio);
    if (argc < 2 || !audio)
        return SJ_USAGE;
    int status = sj_dataset_writer_open(argv[1], classes, names, "{}", &w);
    for (int t = 0; !status && t < tracks; t++) {
        char key[32], source[32];
        snprintf(key, sizeof key, "track %d", t);
        snprintf(source, sizeof source, "%d", t);
        for (int s = 0; s < STEMS; s++) {
            class[s] = s % classes;
            fill(t, s, n, audio + s * n);
        }
        status = sj_dataset_writer_add(w, key, source, STEMS, class, n, audio);
    }
    free(audio);
    if (status || (status = sj_dataset_writer_close(w, 0)))
        fprintf(stderr, "make_dataset: %s\n", sj_reason());
    return status;
}
