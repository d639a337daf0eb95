#include "track.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audio.h"
#include "decode.h"

enum { BLOCK = 16384 }; /* samples at a time */

/* A signal that grows. */
struct growing {
    float *x;
    int64_t n, room;
};

static int reserve(struct growing *g, int64_t n)
{
    if (n <= g->room)
        return SJ_OK;
    int64_t room = g->room ? 2 * g->room : 1 << 20;
    float *more = realloc(g->x, (size_t)(room > n ? room : n) * sizeof *more);
    if (!more)
        return sj_fail(SJ_SYSTEM, "no memory for %lld samples", (long long)n);
    g->x = more;
    g->room = room > n ? room : n;
    return SJ_OK;
}

void sj_wave_free(struct sj_wave *w)
{
    for (int s = 0; s < w->stems; s++)
        free(w->stem[s]);
    *w = (struct sj_wave){.stems = 0};
}

static int too_different(const char *a, int64_t n, const char *b, int64_t m, double pad_s)
{
    return sj_fail(SJ_INPUT, "'%s' lasts %.2f s and '%s' %.2f s, more than %g s apart (see --pad)", a,
                   (double)n / SJ_DECODE_HZ, b, (double)m / SJ_DECODE_HZ, pad_s);
}

/* -- loading ------------------------------------------------------------------------------------------------------- */

/* Adds the signal of a part to g, which may be shorter or longer; *samples: its own length. */
static int add_part(const struct sj_part *part, struct growing *g, int64_t *samples)
{
    struct sj_decode *d;
    float block[BLOCK] = {0}, *lane[1] = {block};
    int64_t at = 0, got = 1;
    int status = sj_decode_open(part->path, part->stream, 0, &d);
    if (status)
        return status;
    while (got && !status) {
        status = sj_decode_read(d, BLOCK, lane, &got);
        if (!status)
            status = reserve(g, at + got);
        for (int64_t i = 0; i < got && !status; i++)
            g->x[at + i] = (at + i < g->n ? g->x[at + i] : 0) + block[i];
        at += got;
        g->n = !status && at > g->n ? at : g->n;
    }
    sj_decode_close(d);
    *samples = at;
    return status;
}

/* Pads all stems to the longest. */
static int even(struct sj_wave *w, struct growing *g)
{
    for (int s = 0; s < w->stems; s++)
        w->samples = g[s].n > w->samples ? g[s].n : w->samples;
    for (int s = 0; s < w->stems; s++) {
        int status = reserve(&g[s], w->samples);
        if (status)
            return status;
        memset(g[s].x + g[s].n, 0, (size_t)(w->samples - g[s].n) * sizeof *g[s].x);
    }
    return SJ_OK;
}

static int load_parts(const struct sj_track *t, const struct sj_track_how *how, struct sj_wave *w, struct growing *g)
{
    const char *longest = NULL, *shortest = NULL;
    int64_t most = 0, least = 0, n;
    for (int s = 0; s < t->stems; s++)
        for (int p = 0; p < t->stem[s].parts; p++) {
            const char *path = t->stem[s].part[p].path;
            int status = add_part(&t->stem[s].part[p], &g[s], &n);
            if (status)
                return status;
            if (!longest || n > most)
                longest = path, most = n;
            if (!shortest || n < least)
                shortest = path, least = n;
        }
    for (w->stems = 0; w->stems < t->stems; w->stems++)
        w->class[w->stems] = t->stem[w->stems].class;
    return (double)(most - least) > how->pad_s * SJ_DECODE_HZ
               ? too_different(shortest, least, longest, most, how->pad_s)
               : even(w, g);
}

/* A lane per class. */
static int load_lanes(struct sj_decode *d, struct sj_wave *w, struct growing *g)
{
    int64_t got = 1;
    w->stems = sj_decode_lanes(d);
    for (int s = 0; s < w->stems; s++)
        w->class[s] = s;
    while (got) {
        float *lane[SJ_CLASSES];
        int status = SJ_OK;
        for (int s = 0; s < w->stems && !status; s++) {
            status = reserve(&g[s], g[s].n + BLOCK);
            lane[s] = g[s].x + g[s].n;
        }
        if (!status)
            status = sj_decode_read(d, BLOCK, lane, &got);
        if (status)
            return status;
        for (int s = 0; s < w->stems; s++)
            g[s].n += got;
    }
    return even(w, g);
}

const char *sj_track_name(const struct sj_track *t)
{
    return strcmp(t->path, "-") ? t->path : "standard input";
}

/* Opens a track that is one file: with a lane per class when it is stems, else with one. */
static int open_file(const struct sj_track *t, const struct sj_track_how *how, struct sj_decode **d)
{
    int forced = t->layout == SJ_LAYOUT_CHANNELS, apart = forced || (t->layout == SJ_LAYOUT_AUTO && how->classes > 2);
    int status = sj_decode_open(t->path, SJ_AUDIO_AUTO, apart ? how->classes : 0, d);
    if (!status && forced && sj_decode_lanes(*d) != how->classes) {
        status = sj_fail(SJ_INPUT, "'%s' has %d channels where %d classes are wanted", sj_track_name(t),
                         sj_decode_channels(*d), how->classes);
        sj_decode_close(*d);
    }
    return status;
}

/* d: of a track that is one file, else NULL. */
static int load(const struct sj_track *t, const struct sj_track_how *how, struct sj_decode *d, struct sj_wave *w)
{
    struct growing *g = calloc(SJ_CLASSES, sizeof *g);
    *w = (struct sj_wave){.stems = 0};
    if (!g)
        return sj_fail(SJ_SYSTEM, "no memory for '%s'", sj_track_name(t));
    int status = d ? load_lanes(d, w, g) : load_parts(t, how, w, g);
    for (int s = 0; s < SJ_CLASSES; s++)
        if (status)
            free(g[s].x);
        else if (s < w->stems)
            w->stem[s] = g[s].x;
    free(g);
    if (status)
        *w = (struct sj_wave){.stems = 0};
    return status;
}

static int no_stems(const struct sj_track *t)
{
    return sj_fail(SJ_INPUT, "'%s' is a single sound without stems (--layout musdb18hq makes a track of a folder of "
                   "them)", sj_track_name(t));
}

int sj_track_load(const struct sj_track *t, const struct sj_track_how *how, struct sj_wave *w)
{
    struct sj_decode *d = NULL;
    int status = t->status ? sj_fail(t->status, "%s", t->reason) : t->stems ? SJ_OK : open_file(t, how, &d);
    if (status)
        return status;
    status = d && sj_decode_lanes(d) == 1 ? no_stems(t) : load(t, how, d, w);
    sj_decode_close(d);
    return status;
}

/* -- signals ------------------------------------------------------------------------------------------------------- */

/* Sends the sum of all lanes as it comes. */
static int send_sum(struct sj_decode *d, const struct sj_signal_sink *to)
{
    int lanes = sj_decode_lanes(d), status = SJ_OK;
    float *all = malloc(sizeof(float) * BLOCK * (size_t)lanes), *lane[SJ_CLASSES];
    if (!all)
        return sj_fail(SJ_SYSTEM, "no memory to decode");
    for (int s = 0; s < lanes; s++)
        lane[s] = all + s * BLOCK;
    for (int64_t got = 1; got && !status;) {
        if ((status = sj_decode_read(d, BLOCK, lane, &got)))
            break;
        for (int s = 1; s < lanes; s++)
            for (int64_t i = 0; i < got; i++)
                all[i] += lane[s][i];
        if (got)
            status = to->push(to->arg, all, got);
    }
    free(all);
    return status;
}

static int send_file(struct sj_decode *d, enum sj_role role, int class, int single, const struct sj_signal_sink *to)
{
    int status = to->begin(to->arg, role, class, single);
    if (!status)
        status = send_sum(d, to);
    return status ? status : to->end(to->arg);
}

/* The sum of all stems but `without` (-1: of all). */
static int send_rest(const struct sj_wave *w, int without, enum sj_role role, const struct sj_signal_sink *to)
{
    float sum[BLOCK];
    int status = to->begin(to->arg, role, without < 0 ? SJ_CLASS_NONE : w->class[without], 0);
    for (int64_t at = 0; at < w->samples && !status; at += BLOCK) {
        int64_t n = w->samples - at < BLOCK ? w->samples - at : BLOCK;
        memset(sum, 0, sizeof sum);
        for (int s = 0; s < w->stems; s++)
            for (int64_t i = 0; i < n && s != without; i++)
                sum[i] += w->stem[s][at + i];
        status = to->push(to->arg, sum, n);
    }
    return status ? status : to->end(to->arg);
}

int sj_wave_signals(const struct sj_wave *w, const char *path, const struct sj_track_how *how,
                    const struct sj_signal_sink *to)
{
    int status = SJ_OK;
    if (!how->stems && !how->rests)
        return send_rest(w, -1, SJ_ROLE_MIX, to);
    if (how->rests && w->stems < 2)
        return sj_fail(SJ_INPUT, "'%s' has one stem, without which nothing is left", path);
    for (int s = 0; s < w->stems && how->stems && !status; s++) {
        status = to->begin(to->arg, SJ_ROLE_STEM, w->class[s], 0);
        if (!status)
            status = to->push(to->arg, w->stem[s], w->samples);
        if (!status)
            status = to->end(to->arg);
    }
    for (int s = 0; s < w->stems && how->rests && !status; s++)
        status = send_rest(w, s, SJ_ROLE_REST, to);
    return status;
}

int sj_track_signals(const struct sj_track *t, const struct sj_track_how *how, const struct sj_signal_sink *to)
{
    struct sj_decode *d = NULL;
    struct sj_wave w;
    int mix = !how->stems && !how->rests, status = t->status ? sj_fail(t->status, "%s", t->reason) : SJ_OK;
    if (!status && !t->stems)
        status = open_file(t, how, &d);
    else if (!status && mix && t->mix.path)
        status = sj_decode_open(t->mix.path, t->mix.stream, 0, &d);
    if (status)
        return status;
    if (d && mix) {
        status = send_file(d, SJ_ROLE_MIX, SJ_CLASS_NONE, !t->stems && sj_decode_lanes(d) == 1, to);
    } else if (d && sj_decode_lanes(d) == 1) {
        status = how->rests ? no_stems(t) : send_file(d, SJ_ROLE_STEM, t->class, 1, to);
    } else if (!(status = load(t, how, d, &w))) {
        status = sj_wave_signals(&w, sj_track_name(t), how, to);
        sj_wave_free(&w);
    }
    sj_decode_close(d);
    return status;
}

/* -- what it is made of -------------------------------------------------------------------------------------------- */

/* FNV-1a. */
static uint64_t hash_bytes(uint64_t h, const void *data, size_t n)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

/* Blocks of 64 KiB evenly spread over the file, the first at its beginning and the last at its end. */
static int hash_file(int64_t version, uint64_t *h, const char *path, int class, int stream)
{
    enum { BYTES = 1 << 16 };
    const int64_t places = version == 1 ? 2 : 32;
    struct stat st;
    char *bytes = malloc(BYTES);
    int fd = bytes ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0 || fstat(fd, &st)) {
        int status = sj_fail_errno("cannot open '%s'", path);
        if (fd >= 0)
            close(fd);
        free(bytes);
        return status;
    }
    const int64_t numbers[] = {version, class, stream, st.st_size};
    const int64_t last = st.st_size > BYTES ? st.st_size - BYTES : 0;
    ssize_t n = 0;
    *h = hash_bytes(*h, numbers, sizeof numbers);
    for (int64_t i = 0; i < places && n >= 0; i++) {
        /* in two steps: the product of the whole might be out of range */
        n = pread(fd, bytes, BYTES, last / (places - 1) * i + last % (places - 1) * i / (places - 1));
        *h = hash_bytes(*h, bytes, n > 0 ? (size_t)n : 0);
    }
    int status = n < 0 ? sj_fail_errno("cannot read '%s'", path) : SJ_OK;
    close(fd);
    free(bytes);
    return status;
}

int sj_track_source(const struct sj_track *t, int version, char hash[SJ_SOURCE])
{
    uint64_t h = 0xcbf29ce484222325u;
    int status = t->status   ? sj_fail(t->status, "%s", t->reason)
                 : t->stems ? SJ_OK
                             : hash_file(version, &h, t->path, -1, -1);
    for (int s = 0; s < t->stems; s++)
        for (int p = 0; p < t->stem[s].parts && !status; p++)
            status = hash_file(version, &h, t->stem[s].part[p].path, t->stem[s].class, t->stem[s].part[p].stream);
    snprintf(hash, SJ_SOURCE, "%s%016llx", version == 1 ? "" : "2-", (unsigned long long)h);
    return status;
}
