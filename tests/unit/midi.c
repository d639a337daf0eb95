/* midi: what is read from a file, and that no file does harm: every cut, and bytes changed at random. */
#include "midi.h"

#include <stdlib.h>
#include <string.h>

#include "rng.h"
#include "tests/tap.h"

/* Two tracks: 120 beats a minute, from tick 96 (1 s) 60; notes of 48 ticks, running status, system exclusive. */
static const unsigned char song[] =
    "MThd\0\0\0\6\0\1\0\2\0\60"
    "MTrk\0\0\0\32"
    "\0\xff\x51\3\7\xa1\x20"
    "\0\xff\3\4Tune"
    "\x60\xff\x51\3\x0f\x42\x40"
    "\0\xff\x2f\0"
    "MTrk\0\0\0\45"
    "\0\xf0\3\1\2\xf7"
    "\0\xff\3\5a\nbcd"
    "\0\xc1\5"
    "\60\x91\74\100"
    "\60\74\0"
    "\0\x95\76\100"
    "\60\x85\76\0"
    "\0\xff\x2f\0";

static void check_song(void)
{
    struct sj_midi m;
    int status = sj_midi_parse(song, sizeof song - 1, &m);
    if (!ok(!status, "a file is read%s%s", status ? ": " : "", status ? sj_reason() : ""))
        return;
    is_int(m.tracks, 2, "tracks");
    is_text(m.name[0], "Tune", "the name of one");
    is_text(m.name[1], "abcd", "a name without its line break");
    is_int(m.n, 5, "events of channels");
    is_int(m.notes, 2, "notes");
    is_near(m.first_s, 0.5, 1e-9, "the first note");
    is_near(m.last_s, 2, 1e-9, "the last, after a change of tempo");
    is_int(m.event[0].kind, SJ_MIDI_PROGRAM, "a program");
    is_int(m.event[0].a, 5, "its number");
    is_int(m.event[2].kind, SJ_MIDI_OFF, "a note of no velocity ends one");
    is_near(m.event[2].time_s, 1, 1e-9, "at its time");
    is_int(m.event[3].channel, 5, "another channel");
    sj_midi_free(&m);
}

/* A RIFF around it reads alike. */
static void check_riff(void)
{
    unsigned char riff[20 + sizeof song] = "RIFF\0\0\0\0RMIDdata";
    struct sj_midi m;
    riff[16] = sizeof song - 1;
    memcpy(riff + 20, song, sizeof song);
    ok(sj_midi_is(riff, sizeof riff) && !sj_midi_parse(riff, sizeof riff, &m) && m.notes == 2, "inside RIFF RMID");
    sj_midi_free(&m);
}

static void check_cuts(void)
{
    int accepted = 0;
    for (size_t n = 0; n < sizeof song - 1; n++) {
        unsigned char *cut = malloc(n + 1); /* of its own, so that a sanitizer sees what is read beyond */
        struct sj_midi m;
        memcpy(cut, song, n);
        unsigned char *fit = realloc(cut, n ? n : 1);
        accepted += !sj_midi_parse(fit, n, &m);
        sj_midi_free(&m);
        free(fit);
    }
    is_int(accepted, 0, "cut anywhere it is refused");
}

static void check_damage(void)
{
    struct sj_rng r = sj_rng(1, 2);
    int read = 0, fine = 1;
    for (int i = 0; i < 20000; i++) {
        unsigned char bad[sizeof song];
        struct sj_midi m;
        memcpy(bad, song, sizeof song);
        for (int k = 0; k < 3; k++)
            bad[sj_rng_below(&r, sizeof song - 1)] = (unsigned char)sj_rng_u32(&r);
        if (sj_midi_parse(bad, sizeof song - 1, &m))
            continue;
        read++;
        for (int64_t k = 0; k < m.n; k++)
            fine &= m.event[k].track < m.tracks && m.event[k].channel < 16 && m.event[k].a < 128 &&
                    m.event[k].b < 128 && (!k || m.event[k].time_s >= m.event[k - 1].time_s);
        fine &= m.first_s <= m.last_s;
        sj_midi_free(&m);
    }
    ok(fine && read > 1000, "what damaged files give is in its ranges (%d read)", read);
}

static void check_refusals(void)
{
    unsigned char bad[sizeof song];
    struct sj_midi m;
    memcpy(bad, song, sizeof song);
    bad[9] = 2;
    ok(sj_midi_parse(bad, sizeof song - 1, &m) == SJ_INPUT && strstr(sj_reason(), "format 2"), "format 2");
    memcpy(bad, song, sizeof song);
    bad[13] = 0;
    ok(sj_midi_parse(bad, sizeof song - 1, &m) == SJ_INPUT && strstr(sj_reason(), "ticks"), "no ticks");
    memcpy(bad, song, sizeof song);
    bad[10] = 0x10;
    ok(sj_midi_parse(bad, sizeof song - 1, &m) == SJ_INPUT && strstr(sj_reason(), "tracks"), "too many tracks");
    ok(sj_midi_parse("hello, world, it is me", 22, &m) == SJ_INPUT, "text");
}

int main(void)
{
    check_song();
    check_riff();
    check_cuts();
    check_damage();
    check_refusals();
    return done();
}
