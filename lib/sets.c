#include "sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sj_sets {
    int n;
    struct set {
        struct sj_dataset *set;
        char *name;            /* of the file, without its ending */
        int64_t first, tracks; /* used */
    } *set;                    /* (n) */
    int64_t tracks;
};

static char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const size_t n = strlen(name);
    return strndup(name, n > 3 && !strcmp(name + n - 3, ".h5") ? n - 3 : n);
}

static int same_classes(const struct sj_dataset *a, const struct sj_dataset *b)
{
    int n, m;
    const char *const *x = sj_dataset_classes(a, &n), *const *y = sj_dataset_classes(b, &m);
    int same = n == m;
    for (int i = 0; i < n && same; i++)
        same = !strcmp(x[i], y[i]);
    return same;
}

static int open_set(struct sj_sets *s, const char *path, int64_t skip, int64_t take)
{
    struct set *own = &s->set[s->n];
    int status = sj_dataset_open(path, &own->set);
    if (status)
        return status;
    s->n++;
    if (!(own->name = name_of(path)))
        return sj_fail(SJ_SYSTEM, "no memory");
    for (int i = 0; i < s->n - 1; i++) {
        if (!strcmp(s->set[i].name, own->name))
            return sj_fail(SJ_USAGE, "'%s' and '%s' have one name, by which their tracks are told apart",
                           sj_dataset_path(s->set[i].set), path);
        if (!same_classes(s->set[i].set, own->set))
            return sj_fail(SJ_INPUT, "'%s' has other classes than '%s'", path, sj_dataset_path(s->set[i].set));
    }
    const int64_t all = sj_dataset_tracks(own->set);
    own->first = skip < all ? skip : all;
    own->tracks = take >= 0 && take < all - own->first ? take : all - own->first;
    s->tracks += own->tracks;
    return SJ_OK;
}

int sj_sets_open(int n, const char *const *paths, int64_t skip, int64_t take, struct sj_sets **out)
{
    struct sj_sets *s = calloc(1, sizeof *s);
    if (s)
        s->set = calloc((size_t)n, sizeof *s->set);
    int status = s && s->set ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for %d sets", n);
    for (int i = 0; i < n && !status; i++)
        status = open_set(s, paths[i], skip, take);
    if (!status && !s->tracks)
        status = sj_fail(SJ_INPUT, "'%s' has no track from number %lld on", paths[n - 1], (long long)skip);
    if (status)
        sj_sets_close(s);
    else
        *out = s;
    return status;
}

void sj_sets_close(struct sj_sets *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->n; i++) {
        sj_dataset_close(s->set[i].set);
        free(s->set[i].name);
    }
    free(s->set);
    free(s);
}

int64_t sj_sets_tracks(const struct sj_sets *s)
{
    return s->tracks;
}

const char *const *sj_sets_classes(const struct sj_sets *s, int *n)
{
    return sj_dataset_classes(s->set[0].set, n);
}

static int load(const struct sj_dataset *d, int64_t t, struct sj_wave *w)
{
    const struct sj_dataset_track *track = sj_dataset_track(d, t);
    const size_t n = (size_t)track->samples;
    int16_t *pcm = malloc(n * sizeof *pcm);
    int status = pcm ? SJ_OK : sj_fail(SJ_SYSTEM, "no memory for '%s'", track->key);
    w->samples = track->samples;
    while (!status && w->stems < track->stems) {
        float *x = malloc(n * sizeof *x);
        w->class[w->stems] = track->class[w->stems];
        status = x ? sj_dataset_read(d, t, w->stems, 0, track->samples, pcm)
                   : sj_fail(SJ_SYSTEM, "no memory for '%s'", track->key);
        if (!status)
            sj_dtype_to_f32(SJ_I16, n, pcm, x);
        w->stem[w->stems] = x;
        w->stems += x != NULL;
    }
    free(pcm);
    return status;
}

int sj_sets_load(const struct sj_sets *s, int64_t track, char key[SJ_KEY_BYTES + 1], char where[SJ_KEY_BYTES + 1],
                 struct sj_wave *w)
{
    const struct set *own = s->set;
    while (track >= own->tracks)
        track -= own++->tracks;
    const char *name = sj_dataset_track(own->set, own->first + track)->key;
    const int n = s->n > 1 ? snprintf(key, SJ_KEY_BYTES + 1, "%s/%s", own->name, name)
                           : snprintf(key, SJ_KEY_BYTES + 1, "%s", name);
    *w = (struct sj_wave){.stems = 0};
    snprintf(where, SJ_KEY_BYTES + 1, "%s: %s", sj_dataset_path(own->set), name);
    int status = n <= SJ_KEY_BYTES ? load(own->set, own->first + track, w)
                                   : sj_fail(SJ_INPUT, "'%s': the name is too long", where);
    if (status)
        sj_wave_free(w);
    return status;
}
