/* midi: Standard MIDI files (formats 0 and 1, also inside RIFF RMID), read into one list of events in order of time. */
#ifndef SJ_MIDI_H
#define SJ_MIDI_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum {
    SJ_MIDI_TRACKS = 1024,    /* most of a file */
    SJ_MIDI_EVENTS = 4000000, /* most of a file: what a transcription of hours has, ten times over */
    SJ_MIDI_NAME = 64,        /* bytes of a track's name that are kept, with the 0 */
    SJ_MIDI_CHANNELS = 16
};

/* What a channel is told. The values are those of the format (status byte without the channel). */
enum sj_midi_kind {
    SJ_MIDI_OFF = 0x80,
    SJ_MIDI_ON = 0x90, /* velocity 1..127; a velocity of 0 in the file comes as OFF */
    SJ_MIDI_KEY_PRESSURE = 0xa0,
    SJ_MIDI_CONTROL = 0xb0,
    SJ_MIDI_PROGRAM = 0xc0,
    SJ_MIDI_PRESSURE = 0xd0,
    SJ_MIDI_BEND = 0xe0 /* 14 bits: a | b << 7 */
};

struct sj_midi_event {
    double time_s;
    uint16_t track;
    uint8_t kind, channel; /* channel 0..15 */
    uint8_t a, b;          /* 0..127; b is 0 where the format has one value */
};

struct sj_midi {
    int tracks;
    char (*name)[SJ_MIDI_NAME]; /* (tracks) of each track, "" where it has none; any bytes but control characters */
    int64_t n;
    struct sj_midi_event *event; /* (n) times ascending; at one time in the order of tracks, then of the file */
    int64_t notes;
    double first_s, last_s; /* the first note's start; the last event of any note. 0 without notes */
};

/* Whether `size` bytes look like a Standard MIDI file. */
int sj_midi_is(const void *data, size_t size);

/* SJ_INPUT says what is wrong (not the name of the file): cut short, no notes, more than the limits above. */
int sj_midi_parse(const void *data, size_t size, struct sj_midi *m);
void sj_midi_free(struct sj_midi *m); /* zeros are allowed */

#endif
