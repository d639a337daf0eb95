#include "rendition.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apart.h"
#include "midi.h"
#include "playing.h"
#include "render.h"
#include "rng.h"
#include "tracker.h"

enum { STARTING_S = 60, PER_SECOND_BYTES = 8 * SJ_FLUID_RATE_HZ };
#define SPARE_BYTES ((size_t)1 << 30)
#define FULL_SCALE 32767.0f

/* What the process of its own is told. */
struct order {
    const struct sj_rendition_how *how;
    const struct sj_piece *piece;
    uint64_t take;
    size_t bytes;
};

/* f32 to i16, stems that are silent left out. */
static void hand_back(const struct sj_rendered *made, const float *full, struct sj_rendition *r)
{
    int16_t *to = r->audio;
    r->samples = made->samples;
    for (int c = 0; c <= made->classes; c++) {
        const float *x = c < made->classes ? made->signal[c] : full;
        float peak = 0;
        for (int64_t i = 0; x && i < made->samples; i++) {
            to[i] = (int16_t)lrintf(x[i] * FULL_SCALE);
            peak = fabsf(x[i]) > peak ? fabsf(x[i]) : peak;
        }
        if (!x || (c < made->classes && peak < SJ_RENDER_AUDIBLE))
            continue;
        if (c < made->classes)
            r->class[r->stems++] = c;
        else
            r->full = 1;
        to += made->samples;
    }
}

/* The full render of a MIDI file: a synthesizer that knows nothing of classes. */
static int render_full(const struct sj_rendition_how *how, const struct sj_midi *m, const struct sj_playing *p,
                       float **full)
{
    struct sj_fluid *f;
    struct sj_rendered made = {.samples = 0};
    int status = sj_fluid_open(how->font_path[0], 1, &f);
    if (!status)
        status = sj_render_midi(m, how->casting, f, p, how->seconds, &made);
    sj_fluid_close(f);
    *full = made.signal[0];
    return status;
}

static int make_midi(const struct order *o, const void *data, size_t size, struct sj_rendition *r)
{
    const struct sj_rendition_how *how = o->how;
    struct sj_rng rng = sj_rng(how->seed, sj_rng_stream(o->piece->hash, o->take));
    int font = (int)sj_rng_below(&rng, (uint64_t)(how->fonts ? how->fonts : 1));
    struct sj_playing p;
    struct sj_midi m;
    struct sj_rendered made;
    float *full = NULL;
    int status = sj_midi_parse(data, size, &m);
    if (!status && !how->fonts)
        status = sj_fail(SJ_INPUT, "no sound font to play it with");
    if (status)
        return status;
    if (how->augment)
        sj_playing_draw(&rng, how->casting, &p);
    else
        sj_playing_plain(&p);
    status = sj_render_midi(&m, how->casting, how->font[how->augment ? font : 0], &p, how->seconds, &made);
    if (!status && how->full)
        status = render_full(how, &m, &p, &full);
    if (!status)
        status = sj_render_level(&made, &p, full);
    if (!status)
        hand_back(&made, full, r);
    return status;
}

static int make_module(const struct order *o, const void *data, size_t size, struct sj_rendition *r)
{
    const struct sj_rendition_how *how = o->how;
    struct sj_rng rng = sj_rng(how->seed, sj_rng_stream(o->piece->hash, o->take));
    struct sj_tracker_groups groups;
    struct sj_playing p;
    struct sj_rendered made;
    float *full = NULL;
    int status = sj_instruments_find(how->instruments, o->piece->path, &groups);
    if (status)
        return status;
    if (how->augment)
        sj_playing_draw(&rng, NULL, &p);
    else
        sj_playing_plain(&p);
    status = sj_tracker_render(data, size, &groups, &p, how->seconds, &made, how->full ? &full : NULL);
    if (!status)
        status = sj_render_level(&made, &p, full);
    if (!status)
        hand_back(&made, full, r);
    return status;
}

/* What a module may be rendered with, before it is read. */
static int check_module(const struct sj_rendition_how *how, const void *data, size_t size)
{
    if (!sj_tracker_is(data, size))
        return sj_fail(SJ_INPUT, "neither a MIDI file nor a tracker module");
    if (!how->instruments)
        return sj_fail(SJ_INPUT, "a module, and no --instruments says what its instruments are");
    return SJ_OK;
}

/* In the process of its own; it need not free. */
static int make_here(void *arg, void *result)
{
    const struct order *o = arg;
    struct sj_rendition *r = result;
    void *data;
    size_t size;
    int status = sj_piece_read(o->piece->path, &data, &size);
    r->bytes = o->bytes;
    if (status)
        return status;
    if (o->piece->is_midi)
        return make_midi(o, data, size, r);
    status = check_module(o->how, data, size);
    return status ? status : make_module(o, data, size, r);
}

static int look_at_midi(const struct sj_rendition_how *how, const void *data, size_t size, struct sj_rendition *r)
{
    int program[SJ_MIDI_CHANNELS] = {0}, found[SJ_FLUID_CLASSES] = {0}, classes;
    struct sj_midi m;
    struct sj_cast *cast;
    int status = sj_midi_parse(data, size, &m);
    if (!status)
        status = sj_cast_new(how->casting, &m, &cast);
    if (status)
        return status;
    (void)sj_casting_names(how->casting, &classes);
    for (int64_t i = 0; i < m.n; i++) {
        const struct sj_midi_event *e = &m.event[i];
        if (e->kind == SJ_MIDI_PROGRAM)
            program[e->channel] = e->a;
        int class = e->kind == SJ_MIDI_ON ? sj_cast_class(cast, e->track, e->channel, program[e->channel]) : -1;
        if (class >= 0)
            found[class] = 1;
    }
    for (int c = 0; c < classes; c++)
        if (found[c])
            r->class[r->stems++] = c;
    r->seconds = m.last_s - m.first_s;
    return SJ_OK;
}

static int look_at_module(const struct order *o, const void *data, size_t size, struct sj_rendition *r)
{
    struct sj_tracker_groups groups;
    int status = sj_instruments_find(o->how->instruments, o->piece->path, &groups);
    return status ? status : sj_tracker_look(data, size, &groups, &r->seconds, r->class, &r->stems);
}

static int look_here(void *arg, void *result)
{
    const struct order *o = arg;
    struct sj_rendition *r = result;
    void *data;
    size_t size;
    int status = sj_piece_read(o->piece->path, &data, &size);
    r->bytes = o->bytes;
    if (!status && !o->piece->is_midi)
        status = check_module(o->how, data, size);
    if (status)
        return status;
    status = o->piece->is_midi ? look_at_midi(o->how, data, size, r) : look_at_module(o, data, size, r);
    return status ? status : r->stems < 2 ? sj_fail(SJ_INPUT, "fewer than two classes sound") : SJ_OK;
}

static int go(int (*work)(void *arg, void *result), struct order *o, double seconds, struct sj_rendition **r)
{
    int classes;
    (void)sj_casting_names(o->how->casting, &classes);
    double signals = classes + 2;
    o->bytes = sizeof **r + (size_t)((seconds + 1) * SJ_RENDER_RATE_HZ) * (size_t)(classes + 1) * sizeof(int16_t);
    size_t memory = SPARE_BYTES + (size_t)(signals * seconds * PER_SECOND_BYTES);
    void *result;
    *r = NULL;
    if (o->piece->reason)
        return sj_fail(SJ_INPUT, "%s", o->piece->reason);
    int status = sj_apart(work, o, o->bytes, STARTING_S + (int)seconds, memory, &result);
    *r = result;
    return status;
}

int sj_rendition_make(const struct sj_rendition_how *how, const struct sj_piece *p, uint64_t take,
                      struct sj_rendition **r)
{
    return go(make_here, &(struct order){.how = how, .piece = p, .take = take}, how->seconds, r);
}

int sj_rendition_look(const struct sj_rendition_how *how, const struct sj_piece *p, struct sj_rendition **r)
{
    return go(look_here, &(struct order){.how = how, .piece = p}, 0, r);
}

void sj_rendition_free(struct sj_rendition *r)
{
    if (r)
        sj_apart_free(r, r->bytes);
}
