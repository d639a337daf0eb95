#include "midi.h"

#include <stdlib.h>
#include <string.h>

#include "room.h"

enum { TEMPO = 0xff }; /* TEMPO: an event of the reader's own, microseconds of a beat in `tempo` */

struct raw {
    int64_t tick, order;
    uint32_t tempo;
    struct sj_midi_event event;
};

struct reader {
    const uint8_t *at, *end;
    struct raw *raw;
    int64_t n, room;
    struct sj_midi *m;
};

static uint32_t big(const uint8_t *p, int bytes)
{
    uint32_t x = 0;
    for (int i = 0; i < bytes; i++)
        x = x << 8 | p[i];
    return x;
}

/* The file inside a RIFF RMID, or all of it. */
static void unwrap(const uint8_t **data, size_t *size)
{
    const uint8_t *p = *data;
    if (*size < 20 || memcmp(p, "RIFF", 4) || memcmp(p + 8, "RMIDdata", 8))
        return;
    size_t inside = p[16] | (size_t)p[17] << 8 | (size_t)p[18] << 16 | (size_t)p[19] << 24;
    *data += 20;
    *size -= 20;
    if (inside < *size)
        *size = inside;
}

int sj_midi_is(const void *data, size_t size)
{
    const uint8_t *p = data;
    unwrap(&p, &size);
    return size >= 14 && !memcmp(p, "MThd", 4);
}

/* A number of up to four groups of seven bits. */
static int variable(struct reader *r, uint32_t *x)
{
    *x = 0;
    for (int i = 0; i < 4 && r->at < r->end; i++) {
        uint8_t c = *r->at++;
        *x = *x << 7 | (c & 0x7f);
        if (c < 0x80)
            return SJ_OK;
    }
    return sj_fail(SJ_INPUT, "a track ends inside a number, or the number is too long");
}

static int add(struct reader *r, struct raw x)
{
    if (r->n >= SJ_MIDI_EVENTS)
        return sj_fail(SJ_INPUT, "more than %d events", SJ_MIDI_EVENTS);
    int status = sj_room(&r->raw, sizeof *r->raw, r->n, &r->room);
    if (status)
        return status;
    x.order = r->n;
    r->raw[r->n++] = x;
    return SJ_OK;
}

static void keep_name(struct reader *r, int track, uint32_t size)
{
    char *name = r->m->name[track];
    uint32_t n = 0;
    for (uint32_t i = 0; i < size && n < SJ_MIDI_NAME - 1; i++)
        if (r->at[i] >= ' ' && r->at[i] != 0x7f)
            name[n++] = (char)r->at[i];
    name[n] = 0;
}

/* Meta events (names, tempos) and system exclusive ones, which are passed over. *over: the track has ended. */
static int other(struct reader *r, int track, int64_t tick, uint8_t status_byte, int *over)
{
    enum { NAME = 3, END = 0x2f, SPEED = 0x51 };
    uint32_t size;
    int kind = -1;
    if (status_byte == 0xff && r->at < r->end)
        kind = *r->at++;
    int status = variable(r, &size);
    if (status)
        return status;
    if (size > (size_t)(r->end - r->at))
        return sj_fail(SJ_INPUT, "a track ends inside an event");
    if (kind == NAME && !r->m->name[track][0])
        keep_name(r, track, size);
    if (kind == SPEED && size == 3 && big(r->at, 3))
        status = add(r, (struct raw){.tick = tick, .tempo = big(r->at, 3), .event = {.kind = TEMPO}});
    *over = kind == END;
    r->at += size;
    return status;
}

/* The bytes of one track, at..end. */
static int read_track(struct reader *r, int track)
{
    int64_t tick = 0;
    uint8_t running = 0;
    int status = SJ_OK;
    for (int over = 0; !over && !status && r->at < r->end;) {
        uint32_t wait;
        if ((status = variable(r, &wait)))
            return status;
        tick += wait;
        if (r->at >= r->end)
            return sj_fail(SJ_INPUT, "a track ends inside an event");
        uint8_t s = *r->at >= 0x80 ? *r->at++ : running;
        if (s >= 0xf0) {
            status = other(r, track, tick, s, &over);
            continue;
        }
        if (s < 0x80)
            return sj_fail(SJ_INPUT, "a track has data where an event must begin");
        running = s;
        int two = (s & 0xf0) != SJ_MIDI_PROGRAM && (s & 0xf0) != SJ_MIDI_PRESSURE;
        if (r->end - r->at < 1 + two)
            return sj_fail(SJ_INPUT, "a track ends inside an event");
        struct sj_midi_event e = {.track = (uint16_t)track, .kind = s & 0xf0, .channel = s & 0xf, .a = *r->at++ & 0x7f};
        if (two)
            e.b = *r->at++ & 0x7f;
        if (e.kind == SJ_MIDI_ON && !e.b)
            e.kind = SJ_MIDI_OFF;
        r->m->notes += e.kind == SJ_MIDI_ON;
        status = add(r, (struct raw){.tick = tick, .event = e});
    }
    return status;
}

static int by_tick(const void *a, const void *b)
{
    const struct raw *x = a, *y = b;
    if (x->tick != y->tick)
        return x->tick < y->tick ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Ticks to seconds; the tempo events go. */
static int place(struct reader *r, int division)
{
    struct sj_midi *m = r->m;
    int frames = 256 - (division >> 8), smpte = division >= 0x8000;
    double tick_s = smpte ? 1.0 / (frames == 29 ? 29.97 : frames) / (division & 0xff) : 0.5 / division;
    double time_s = 0;
    int64_t last = 0;
    if (!(m->event = malloc((size_t)(r->n + 1) * sizeof *m->event)))
        return sj_fail(SJ_SYSTEM, "no memory for %lld events", (long long)r->n);
    if (r->n)
        qsort(r->raw, (size_t)r->n, sizeof *r->raw, by_tick);
    int started = 0;
    for (int64_t i = 0; i < r->n; i++) {
        const struct raw *x = &r->raw[i];
        time_s += (double)(x->tick - last) * tick_s;
        last = x->tick;
        if (x->event.kind == TEMPO) {
            tick_s = smpte ? tick_s : x->tempo * 1e-6 / division;
            continue;
        }
        m->event[m->n] = x->event;
        m->event[m->n++].time_s = time_s;
        if (x->event.kind == SJ_MIDI_ON && !started++)
            m->first_s = time_s;
        if (started && (x->event.kind == SJ_MIDI_ON || x->event.kind == SJ_MIDI_OFF))
            m->last_s = time_s;
        started = started > 0;
    }
    return SJ_OK;
}

/* The chunks of the file; those that are not tracks are passed over. */
static int read_tracks(struct reader *r, const uint8_t *at, const uint8_t *end, int tracks)
{
    int status = SJ_OK;
    for (int t = 0; t < tracks && !status;) {
        if (end - at < 8)
            return sj_fail(SJ_INPUT, "it ends before track %d of %d", t + 1, tracks);
        uint32_t size = big(at + 4, 4);
        int is_track = !memcmp(at, "MTrk", 4);
        at += 8;
        if (size > (size_t)(end - at))
            return sj_fail(SJ_INPUT, "it ends inside track %d of %d", t + 1, tracks);
        r->at = at;
        r->end = at + size;
        if (is_track)
            status = read_track(r, t++);
        at += size;
    }
    return status;
}

int sj_midi_parse(const void *data, size_t size, struct sj_midi *m)
{
    const uint8_t *p = data;
    *m = (struct sj_midi){.tracks = 0};
    unwrap(&p, &size);
    if (!sj_midi_is(p, size) || big(p + 4, 4) < 6 || big(p + 4, 4) > size - 8)
        return sj_fail(SJ_INPUT, "no Standard MIDI file");
    int format = (int)big(p + 8, 2), tracks = (int)big(p + 10, 2), division = (int)big(p + 12, 2);
    if (format > 1)
        return sj_fail(SJ_INPUT, "a MIDI file of format %d: only 0 and 1 are one piece of music", format);
    if (tracks < 1 || tracks > SJ_MIDI_TRACKS)
        return sj_fail(SJ_INPUT, "%d tracks: 1 to %d are allowed", tracks, SJ_MIDI_TRACKS);
    if (!division || (division >= 0x8000 && !(division & 0xff)))
        return sj_fail(SJ_INPUT, "no ticks per beat");
    struct reader r = {.m = m};
    m->tracks = tracks;
    m->name = calloc((size_t)tracks, sizeof *m->name);
    int status = m->name ? read_tracks(&r, p + 8 + big(p + 4, 4), p + size, tracks) : sj_fail(SJ_SYSTEM, "no memory");
    if (!status && !m->notes)
        status = sj_fail(SJ_INPUT, "no notes");
    if (!status)
        status = place(&r, division);
    free(r.raw);
    if (status)
        sj_midi_free(m);
    return status;
}

void sj_midi_free(struct sj_midi *m)
{
    free(m->name);
    free(m->event);
    *m = (struct sj_midi){.tracks = 0};
}
