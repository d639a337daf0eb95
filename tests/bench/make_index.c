/* make_index: an index of made-up stems, to time searches with.
 *   make_index MODEL FOLDER STEMS SECONDS */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "model.h"
#include "rng.h"
#include "shelf.h"

static int write_frames(const struct sj_shelf *s, int64_t rows, struct sj_rng *rng)
{
    char path[PATH_MAX];
    sj_shelf_frames_path(s, &s->track[s->tracks - 1], path, sizeof path);
    FILE *f = fopen(path, "wb");
    for (int64_t i = 0; f && i < rows * s->width; i++)
        putc((int)(sj_rng_u32(rng) >> 24), f);
    return f && !fclose(f) ? SJ_OK : sj_fail_errno("cannot write '%s'", path);
}

static int add(struct sj_shelf *s, int64_t i, int64_t rows, double seconds, float *vector, struct sj_rng *rng)
{
    char name[64], stamp[SJ_SHELF_STAMP];
    for (int64_t k = 0; k < s->width; k++)
        vector[k] = (float)(sj_rng_u32(rng) / 4294967296.0 - 0.5);
    sj_shelf_normal(s->width, vector);
    snprintf(name, sizeof name, "song %05lld/stem.wav", (long long)i);
    snprintf(stamp, sizeof stamp, "%016llx", (unsigned long long)i);
    const struct sj_shelf_stem stem = {.name = name, .class = (int)(i % s->classes), .rows = rows,
                                       .facts = {seconds, 0.5, 80 + (double)(i % 80), (int)(i % 24), 0.8}};
    int status = sj_shelf_add_track(s, name, stamp);
    if (!status)
        status = write_frames(s, rows, rng);
    return status ? status : sj_shelf_add_stem(s, &stem, vector);
}

static int make(const struct sj_model *m, const char *model, const char *root, int64_t stems, double seconds)
{
    char folder[PATH_MAX], frames[PATH_MAX + 16];
    const struct sj_config *c = &m->config;
    struct sj_rng rng = sj_rng(1, 0);
    snprintf(folder, sizeof folder, "%s/.sj", root);
    snprintf(frames, sizeof frames, "%s/frames", folder);
    struct sj_shelf s = {.folder = strdup(folder), .root = strdup(root), .model = realpath(model, NULL),
                         .classes = (int)c->classes, .width = c->frequencies * c->dim};
    s.class_name = calloc((size_t)c->classes + 1, sizeof *s.class_name);
    const int64_t rows = (int64_t)(seconds * c->mel.sample_rate_hz / (double)(c->patch * c->mel.hop_samples));
    float *vector = malloc((size_t)s.width * sizeof *vector);
    mkdir(root, 0777);
    mkdir(folder, 0777);
    mkdir(frames, 0777);
    snprintf(s.id, sizeof s.id, "%s", m->id);
    for (int i = 0; i < s.classes && s.class_name; i++)
        s.class_name[i] = strdup(c->class_name[i]);
    int status = vector && s.class_name ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory");
    for (int64_t i = 0; i < stems && !status; i++)
        status = add(&s, i, rows, seconds, vector, &rng);
    free(vector);
    if (!status)
        status = sj_shelf_write(&s);
    sj_shelf_free(&s);
    return status;
}

int main(int argc, char **argv)
{
    struct sj_model *m = NULL;
    if (argc != 5)
        return fputs("make_index MODEL FOLDER STEMS SECONDS\n", stderr), SJ_USAGE;
    int status = sj_model_read(argv[1], &m);
    if (!status)
        status = make(m, argv[1], argv[2], strtoll(argv[3], NULL, 10), strtod(argv[4], NULL));
    sj_model_free(m);
    if (status)
        fprintf(stderr, "make_index: %s\n", sj_reason());
    return status;
}
