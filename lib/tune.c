#include "tune.h"

#include <stdlib.h>
#include <string.h>

enum { KEYS = 128, NOTES = 24, LOWEST = 52, HIGHEST = 84 };
#define ALONE 0.7
#define SLOWEST 0.3
#define FASTEST 8.0
#define SHARE 0.25
#define ENOUGH 0.7
#define PER_SEMITONE 0.02
#define TOGETHER_S 0.03

struct part {
    int notes, alone, sounding, keys;
    double since_s, sound_s, last_s; /* since_s: when it began to sound; last_s: its last note's start */
    uint8_t on[KEYS];
};

static void begin(struct part *p, const struct sj_midi_event *e)
{
    p->notes++;
    p->keys += e->a;
    p->alone += p->sounding < 2 && (p->notes == 1 || e->time_s - p->last_s > TOGETHER_S);
    p->last_s = e->time_s;
    if (!p->sounding)
        p->since_s = e->time_s;
    p->sounding += !p->on[e->a];
    p->on[e->a] = 1;
}

static void end(struct part *p, const struct sj_midi_event *e)
{
    if (!p->on[e->a])
        return;
    p->on[e->a] = 0;
    if (!--p->sounding)
        p->sound_s += e->time_s - p->since_s;
}

static double score(const struct part *p, double seconds)
{
    if (p->notes < NOTES || p->alone < ALONE * p->notes || !(p->sound_s > SHARE * seconds))
        return -1;
    double key = (double)p->keys / p->notes, pace = p->notes / p->sound_s, share = p->sound_s / seconds;
    if (key < LOWEST || key > HIGHEST || pace < SLOWEST || pace > FASTEST)
        return -1;
    double high = key < 60 ? 0 : key > 72 ? 12 : key - 60;
    return (share < ENOUGH ? share : ENOUGH) + PER_SEMITONE * high;
}

int sj_tune_find(const struct sj_midi *m, int (*may)(void *arg, int track, int channel, int program), void *arg,
                 int *track, int *channel)
{
    int program[SJ_MIDI_CHANNELS] = {0};
    double best = 0;
    size_t parts = (size_t)m->tracks * SJ_MIDI_CHANNELS;
    struct part *part = calloc(parts, sizeof *part);
    *track = *channel = -1;
    if (!part)
        return sj_fail(SJ_SYSTEM, "no memory for %zu parts", parts);
    for (int64_t i = 0; i < m->n; i++) {
        const struct sj_midi_event *e = &m->event[i];
        struct part *p = &part[(size_t)e->track * SJ_MIDI_CHANNELS + e->channel];
        if (e->kind == SJ_MIDI_PROGRAM)
            program[e->channel] = e->a;
        if (e->kind == SJ_MIDI_ON && may(arg, e->track, e->channel, program[e->channel]))
            begin(p, e);
        if (e->kind == SJ_MIDI_OFF)
            end(p, e);
    }
    for (size_t i = 0; i < parts; i++) {
        double s = score(&part[i], m->last_s - m->first_s);
        if (s <= best)
            continue;
        best = s;
        *track = (int)(i / SJ_MIDI_CHANNELS);
        *channel = (int)(i % SJ_MIDI_CHANNELS);
    }
    free(part);
    return SJ_OK;
}
