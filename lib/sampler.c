#include "sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "augment.h"
#include "crc32c.h"
#include "rng.h"
#include "stream.h"

enum {
    QUIET = 3276,       /* 0.1 of full scale is 3276.8: a stem is active when its peak is greater */
    TRACKS = 10000,     /* drawn in vain before the sets are called silent */
    PIECE = 8192,       /* samples read at a time, on the stack */
    PURPOSE = 0x70616972, /* "pair": keeps these random numbers apart from others of the seed */
    SHARED = 0x736f6e67   /* "song": those that several pairs have in common */
};

struct set {
    struct sj_dataset *data;
    double weight;
    int64_t candidates;
    int64_t *candidate; /* (candidates) tracks that may have a crop with two active stems; others are not drawn */
};

struct sj_sampler {
    int sets;
    struct set *set;
    double weight; /* of all */
    uint64_t seed;
    int64_t crop;
    int64_t crops; /* pairs in a row that share a track */
    struct sj_augmenter *augmenter; /* or NULL */
};

/* Whether some crop touches loud blocks of two stems: without it no crop can have two active stems. */
static int may_have_pair(const struct sj_dataset_track *t, int64_t crop)
{
    int64_t reach = (crop + SJ_DATASET_BLOCK - 2) / SJ_DATASET_BLOCK + 1; /* blocks that a crop touches */
    int64_t last[SJ_SAMPLER_STEMS];
    for (int s = 0; s < t->stems; s++)
        last[s] = -reach;
    for (int64_t b = 0; b < t->blocks; b++) {
        int loud = 0;
        for (int s = 0; s < t->stems; s++) {
            if (t->peak[s * t->blocks + b] > QUIET)
                last[s] = b;
            loud += last[s] > b - reach;
        }
        if (loud > 1)
            return 1;
    }
    return 0;
}

static int find_candidates(struct set *s, int64_t crop)
{
    int64_t tracks = sj_dataset_tracks(s->data);
    s->candidate = malloc((size_t)(tracks + 1) * sizeof *s->candidate);
    if (!s->candidate)
        return sj_fail(SJ_SYSTEM, "no memory for '%s'", sj_dataset_path(s->data));
    for (int64_t t = 0; t < tracks; t++)
        if (may_have_pair(sj_dataset_track(s->data, t), crop))
            s->candidate[s->candidates++] = t;
    if (!s->candidates)
        return sj_fail(SJ_INPUT, "'%s' has no crop of %.3g s with two active stems in its %lld tracks",
                       sj_dataset_path(s->data), (double)crop / SJ_DATASET_RATE_HZ, (long long)tracks);
    return SJ_OK;
}

static int same_classes(const struct sj_dataset *a, const struct sj_dataset *b)
{
    int n, m;
    const char *const *x = sj_dataset_classes(a, &n), *const *y = sj_dataset_classes(b, &m);
    int same = n == m;
    for (int i = 0; same && i < n; i++)
        same = !strcmp(x[i], y[i]);
    return same ? SJ_OK
                : sj_fail(SJ_INPUT, "'%s' and '%s' have different classes", sj_dataset_path(a), sj_dataset_path(b));
}

static int open_set(struct sj_sampler *s, int i, const char *path, const double *weight)
{
    struct set *to = &s->set[i];
    int status = sj_dataset_open(path, &to->data);
    if (!status)
        status = same_classes(s->set[0].data, to->data);
    if (!status)
        status = find_candidates(to, s->crop);
    to->weight = weight ? *weight : (double)to->candidates;
    s->weight += to->weight;
    return status;
}

int sj_sampler_open(int n, const char *const *paths, const double *weights, uint64_t seed, int64_t crop_samples,
                    struct sj_sampler **out)
{
    if (n < 1 || crop_samples < 320 || crop_samples % 160 || crop_samples > INT32_MAX)
        return sj_fail(SJ_USAGE,
                       "pairs want at least one data set and a crop of a multiple of 160 samples, at least 320");
    for (int i = 0; weights && i < n; i++)
        if (!(weights[i] > 0) || !isfinite(weights[i]))
            return sj_fail(SJ_USAGE, "the weight of '%s' is %g, must be greater than 0", paths[i], weights[i]);
    struct sj_sampler *s = calloc(1, sizeof *s);
    int status = SJ_OK;
    if (!s || !(s->set = calloc((size_t)n, sizeof *s->set))) {
        free(s);
        return sj_fail(SJ_SYSTEM, "no memory for %d data sets", n);
    }
    s->seed = seed;
    s->crop = crop_samples;
    s->crops = 1;
    for (s->sets = 0; s->sets < n && !status; s->sets++)
        status = open_set(s, s->sets, paths[s->sets], weights ? weights + s->sets : NULL);
    if (status) {
        sj_sampler_close(s);
        return status;
    }
    *out = s;
    return SJ_OK;
}

void sj_sampler_close(struct sj_sampler *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->sets; i++) {
        free(s->set[i].candidate);
        sj_dataset_close(s->set[i].data);
    }
    free(s->set);
    sj_augmenter_free(s->augmenter);
    free(s);
}

void sj_sampler_share(struct sj_sampler *s, int64_t crops)
{
    s->crops = crops;
}

int64_t sj_sampler_crops(const struct sj_sampler *s)
{
    return s->crops;
}

int sj_sampler_augment(struct sj_sampler *s, const struct sj_augment *how)
{
    return sj_augmenter_new(how, s->seed, s->crop, &s->augmenter);
}

int64_t sj_sampler_width(const struct sj_sampler *s)
{
    return SJ_SAMPLER_BEFORE + s->crop + SJ_SAMPLER_AFTER;
}

const char *const *sj_sampler_classes(const struct sj_sampler *s, int *n)
{
    return sj_dataset_classes(s->set[0].data, n);
}

const struct sj_dataset *sj_sampler_set(const struct sj_sampler *s, int set)
{
    return s->set[set].data;
}

uint32_t sj_sampler_checksum(const struct sj_sampler *s, int64_t *tracks)
{
    uint32_t crc = 0;
    *tracks = 0;
    for (int i = 0; i < s->sets; i++) {
        const struct sj_dataset *d = s->set[i].data;
        for (int64_t t = 0; t < sj_dataset_tracks(d); t++, ++*tracks) {
            const struct sj_dataset_track *k = sj_dataset_track(d, t);
            crc = sj_crc32c(crc, k->key, strlen(k->key) + 1);
            crc = sj_crc32c(crc, &k->samples, sizeof k->samples);
            crc = sj_crc32c(crc, k->class, (size_t)k->stems * sizeof *k->class);
            crc = sj_crc32c(crc, k->peak, (size_t)(k->stems * k->blocks) * sizeof *k->peak);
        }
    }
    return crc;
}

/* Whether a sample of from .. to-1 (at most a block) is loud: *loud. */
static int look(const struct sj_dataset *d, int64_t t, int stem, int64_t from, int64_t to, int *loud)
{
    int16_t x[SJ_DATASET_BLOCK];
    int status = sj_dataset_read(d, t, stem, from, to - from, x);
    for (int64_t i = 0; i < to - from && !status && !*loud; i++)
        *loud = abs(x[i]) > QUIET;
    return status;
}

/* Whether the stem's peak in the crop exceeds 0.1. Blocks inside the crop answer from the table; audio is read only
 * when a block that the crop cuts could decide it. */
static int is_active(const struct sj_dataset *d, int64_t t, int stem, int64_t start, int64_t crop, int *active)
{
    const struct sj_dataset_track *k = sj_dataset_track(d, t);
    const int16_t *peak = k->peak + stem * k->blocks;
    int64_t end = start + crop < k->samples ? start + crop : k->samples;
    int64_t first = start / SJ_DATASET_BLOCK, last = (end - 1) / SJ_DATASET_BLOCK;
    int cut_first = start % SJ_DATASET_BLOCK != 0, cut_last = end % SJ_DATASET_BLOCK != 0 && end != k->samples;
    *active = 0;
    for (int64_t b = first + cut_first; b <= last - cut_last && !*active; b++)
        *active = peak[b] > QUIET;
    int status = SJ_OK;
    if (!*active && cut_first && peak[first] > QUIET) {
        int64_t to = (first + 1) * SJ_DATASET_BLOCK;
        status = look(d, t, stem, start, to < end ? to : end, active);
    }
    if (!*active && !status && cut_last && last > first - !cut_first && peak[last] > QUIET)
        status = look(d, t, stem, last * SJ_DATASET_BLOCK, end, active);
    return status;
}

/* Target and context out of the n active stems (SPEC 3). */
static void choose(struct sj_rng *r, int n, int *stem, struct sj_draw *draw)
{
    int i = (int)sj_rng_below(r, (uint64_t)n);
    draw->target = stem[i];
    stem[i] = stem[--n];
    draw->contexts = 1 + (int)sj_rng_below(r, (uint64_t)n);
    for (int k = 0; k < draw->contexts; k++) { /* the first k of stem are chosen; in context they stand ascending */
        int pick = k + (int)sj_rng_below(r, (uint64_t)(n - k)), chosen = stem[pick], at = k;
        stem[pick] = stem[k];
        stem[k] = chosen;
        for (; at && draw->context[at - 1] > chosen; at--)
            draw->context[at] = draw->context[at - 1];
        draw->context[at] = chosen;
    }
    draw->others = n - draw->contexts;
    for (int k = draw->contexts; k < n; k++) {
        int pick = k + (int)sj_rng_below(r, (uint64_t)(n - k));
        draw->other[k - draw->contexts] = stem[pick];
        stem[pick] = stem[k];
    }
}

/* Up to ten crops of one track; *found = 1 when one had two active stems. */
static int try_track(const struct sj_sampler *s, struct sj_rng *r, struct sj_draw *draw, int *found)
{
    const struct sj_dataset *d = s->set[draw->set].data;
    const struct sj_dataset_track *t = sj_dataset_track(d, draw->track);
    int crops = t->samples > s->crop ? SJ_SAMPLER_TRACK_CROPS : 1; /* a short track has only one crop */
    for (int i = 0; i < crops && !*found; i++) {
        int stem[SJ_SAMPLER_STEMS], n = 0, active;
        draw->start = t->samples > s->crop ? (int64_t)sj_rng_below(r, (uint64_t)(t->samples - s->crop + 1)) : 0;
        for (int k = 0; k < t->stems; k++) {
            int status = is_active(d, draw->track, k, draw->start, s->crop, &active);
            if (status)
                return status;
            if (active)
                stem[n++] = k;
        }
        if ((*found = n > 1))
            choose(r, n, stem, draw);
    }
    return SJ_OK;
}

int sj_sampler_draw(const struct sj_sampler *s, uint64_t n, struct sj_draw *draw)
{
    struct sj_rng own = sj_rng(s->seed, sj_rng_stream(PURPOSE, n));
    struct sj_rng shared = sj_rng(s->seed, sj_rng_stream(SHARED, n / (uint64_t)s->crops));
    struct sj_rng *r = s->crops > 1 ? &shared : &own; /* draws the track */
    int found = 0;
    for (int i = 0; i < TRACKS; i++) {
        double u = sj_rng_double(r) * s->weight;
        for (draw->set = 0; draw->set < s->sets - 1 && u >= s->set[draw->set].weight; draw->set++)
            u -= s->set[draw->set].weight;
        const struct set *set = &s->set[draw->set];
        draw->track = set->candidate[sj_rng_below(r, (uint64_t)set->candidates)];
        int status = try_track(s, &own, draw, &found);
        if (status || found)
            return status;
    }
    return sj_fail(SJ_INPUT, "'%s'%s: no crop with two active stems in %d tracks drawn",
                   sj_dataset_path(s->set[0].data), s->sets > 1 ? " and others" : "", TRACKS);
}

/* out (crop) = the sum of n stems / 32768, 0 where the track is shorter: exact, in integers. */
static int add_stems(const struct sj_sampler *s, const struct sj_draw *draw, int n, const int *stem, float *out)
{
    const struct sj_dataset *d = s->set[draw->set].data;
    int64_t left = sj_dataset_track(d, draw->track)->samples - draw->start, there = left < s->crop ? left : s->crop;
    int16_t x[PIECE];
    int32_t sum[PIECE];
    for (int64_t at = 0; at < there; at += PIECE) {
        int64_t count = there - at < PIECE ? there - at : PIECE;
        for (int k = 0; k < n; k++) {
            int status = sj_dataset_read(d, draw->track, stem[k], draw->start + at, count, x);
            if (status)
                return status;
            for (int64_t i = 0; i < count; i++)
                sum[i] = (k ? sum[i] : 0) + x[i];
        }
        for (int64_t i = 0; i < count; i++)
            out[at + i] = (float)sum[i] * (1 / 32768.f);
    }
    memset(out + there, 0, (size_t)(s->crop - there) * sizeof *out);
    return SJ_OK;
}

/* Target k of those drawn. */
static int target_of(const struct sj_draw *draw, int k)
{
    k %= 1 + draw->others;
    return k ? draw->other[k - 1] : draw->target;
}

/* Whether the targets and the context are still active in the first `span` samples of the crop. */
static int keeps_pair(const struct sj_dataset *d, const struct sj_draw *draw, int targets, int64_t span, int *active)
{
    int status = SJ_OK, heard = 0;
    *active = 1;
    for (int k = 0; k < targets && k <= draw->others && *active && !status; k++)
        status = is_active(d, draw->track, target_of(draw, k), draw->start, span, active);
    for (int k = 0; k < draw->contexts && *active && !heard && !status; k++)
        status = is_active(d, draw->track, draw->context[k], draw->start, span, &heard);
    *active = *active && heard;
    return status;
}

/* The pair that was drawn, changed; every target as if it were the only one. */
static int make_changed(const struct sj_sampler *s, uint64_t n, struct sj_draw *draw, int targets, float *context,
                        float *target, int64_t stride)
{
    const struct sj_dataset *d = s->set[draw->set].data;
    int speed = sj_augmenter_speed(s->augmenter, n), active = 1, status = SJ_OK;
    int64_t span = sj_augmenter_span(s->augmenter, speed), samples = sj_dataset_track(d, draw->track)->samples;
    if (span < s->crop)
        status = keeps_pair(d, draw, targets, span, &active);
    else if (draw->start > samples - span) /* the track ends before: begin earlier */
        draw->start = samples > span ? samples - span : 0;
    for (int k = targets - 1; k >= 0 && !status; k--) {
        struct sj_draw one = *draw;
        one.target = target_of(draw, k);
        one.contexts = k ? 0 : draw->contexts;
        status = sj_augmenter_pair(s->augmenter, n, d, &one, active ? speed : SJ_SPEED_ONE, context,
                                   target + k * stride);
    }
    return status;
}

static int make_plain(const struct sj_sampler *s, const struct sj_draw *draw, int targets, float *context,
                      float *target, int64_t stride)
{
    int status = add_stems(s, draw, draw->contexts, draw->context, context);
    for (int k = 0; k < targets && !status; k++) {
        const int stem = target_of(draw, k);
        status = add_stems(s, draw, 1, &stem, target + k * stride);
    }
    return status;
}

/* x (crop) with room before and after: the halo of a track that is as long as the crop. */
static void reflect(float *x, int64_t crop)
{
    for (int64_t i = 1; i <= SJ_SAMPLER_BEFORE; i++)
        x[-i] = x[i];
    for (int64_t i = 0; i < SJ_SAMPLER_AFTER; i++)
        x[crop + i] = x[crop - 2 - i];
}

int sj_sampler_targets(const struct sj_sampler *s, uint64_t n, int targets, float *context, float *target,
                       int64_t stride, struct sj_pair *pair)
{
    struct sj_draw draw;
    int status = sj_sampler_draw(s, n, &draw);
    if (status)
        return status;
    context += SJ_SAMPLER_BEFORE;
    target += SJ_SAMPLER_BEFORE;
    status = s->augmenter ? make_changed(s, n, &draw, targets, context, target, stride)
                          : make_plain(s, &draw, targets, context, target, stride);
    if (status)
        return status;
    const struct sj_dataset_track *t = sj_dataset_track(s->set[draw.set].data, draw.track);
    reflect(context, s->crop);
    for (int k = 0; k < targets; k++) {
        reflect(target + k * stride, s->crop);
        pair[k] = (struct sj_pair){t->key, t->class[target_of(&draw, k)]};
    }
    return SJ_OK;
}

int sj_sampler_pair(const struct sj_sampler *s, uint64_t n, float *context, float *target, struct sj_pair *pair)
{
    return sj_sampler_targets(s, n, 1, context, target, 0, pair);
}
