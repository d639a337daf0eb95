/* casting, tune, title, playing, apart: what decides about a rendering. */
#include "casting.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apart.h"
#include "playing.h"
#include "tests/tap.h"
#include "title.h"

enum { EVENTS = 2000 };

/* A piece that a test writes down. */
struct sheet {
    struct sj_midi m;
    char name[4][SJ_MIDI_NAME];
    struct sj_midi_event event[EVENTS];
};

static void note(struct sheet *s, int track, int channel, int key, double from_s, double to_s)
{
    struct sj_midi_event e = {from_s, (uint16_t)track, SJ_MIDI_ON, (uint8_t)channel, (uint8_t)key, 90};
    s->event[s->m.n++] = e;
    e.time_s = to_s;
    e.kind = SJ_MIDI_OFF;
    s->event[s->m.n++] = e;
}

/* Track 1 is chords, track 2 a line on channel 3, track 3 another, lower, that rests half of the time. */
static void write_down(struct sheet *s)
{
    memset(s, 0, sizeof *s);
    s->m = (struct sj_midi){.tracks = 4, .name = s->name, .event = s->event, .last_s = 100};
    for (int i = 0; i < 100; i++) {
        note(s, 1, 1, 60, i, i + 0.9);
        note(s, 1, 1, 64, i, i + 0.9);
        note(s, 2, 3, 67 + i % 5, i, i + 0.9);
        if (i % 2)
            note(s, 3, 4, 57 + i % 4, i, i + 0.9);
    }
}

static const char *class_of(const struct sj_casting *c, const struct sj_midi *m, int track, int channel, int program)
{
    struct sj_cast *cast;
    int n;
    if (sj_cast_new(c, m, &cast))
        return "?";
    int class = sj_cast_class(cast, track, channel, program);
    sj_cast_free(cast);
    return class < 0 ? "none" : sj_casting_names(c, &n)[class];
}

static void check_rules(struct sheet *s)
{
    struct sj_casting *c;
    int n, play;
    if (!ok(!sj_casting_open("schemas/render/gm.tsv", &c), "the rules of General MIDI"))
        return;
    const char *const *names = sj_casting_names(c, &n);
    ok(n == 4 && !strcmp(names[0], "bass") && !strcmp(names[1], "drums") && !strcmp(names[2], "other") &&
           !strcmp(names[3], "vocals"), "have the four classes in their order");
    is_text(class_of(c, &s->m, 1, 0, 33), "bass", "program 34");
    is_text(class_of(c, &s->m, 1, 9, 33), "drums", "channel 10, whatever its program");
    is_text(class_of(c, &s->m, 1, 1, 0), "other", "chords");
    is_text(class_of(c, &s->m, 1, 1, 53), "vocals", "voices");
    is_text(class_of(c, &s->m, 2, 3, 73), "vocals", "the tune, where nothing else is sung");
    is_text(class_of(c, &s->m, 3, 4, 73), "other", "another line");
    snprintf(s->name[3], SJ_MIDI_NAME, "LEAD_Vocal");
    is_text(class_of(c, &s->m, 3, 4, 73), "vocals", "a track by its name");
    is_text(class_of(c, &s->m, 2, 3, 73), "other", "then the tune is none");
    snprintf(s->name[3], SJ_MIDI_NAME, "Lead Guitar");
    is_text(class_of(c, &s->m, 3, 4, 30), "other", "not every lead is a voice");
    snprintf(s->name[3], SJ_MIDI_NAME, "Bass 2");
    is_text(class_of(c, &s->m, 3, 4, 81), "bass", "a synthesizer that is called a bass");
    const int *programs = sj_casting_play(c, 0, &play);
    ok(play == 8 && programs[0] == 32 && programs[7] == 39, "what basses are played with");
    sj_casting_close(c);
}

static void check_playing(void)
{
    struct sj_casting *c;
    struct sj_playing p;
    int fine = 1, rooms = 0, changed = 0;
    if (sj_casting_open("schemas/render/gm.tsv", &c))
        return;
    for (int i = 0; i < 1000; i++) {
        struct sj_rng r = sj_rng(1, (uint64_t)i);
        sj_playing_draw(&r, c, &p);
        fine &= p.tempo > 0.84 && p.tempo < 1.19 && p.shift >= -6 && p.shift <= 5 && p.peak >= 0.5f && p.peak < 0.99f;
        rooms += p.reverb_level > 0;
        for (int k = 0; k < 16 * 128; k++) {
            int q = sj_playing_program(&p, 2, k % 16, k / 16), bass = sj_playing_program(&p, 0, 2, 33);
            fine &= q >= 0 && q < 128 && bass >= 32 && bass < 40;
        }
        changed += sj_playing_program(&p, 3, 0, 0) != 0;
    }
    ok(fine, "what is drawn is in its ranges");
    ok(rooms > 600 && rooms < 800, "rooms in 7 of 10 (%d of 1000)", rooms);
    ok(changed > 500 && changed < 700, "other programs in 6 of 10 (%d of 1000)", changed);
    sj_playing_plain(&p);
    ok(p.tempo == 1 && !p.shift && p.gain[3] == 1 && sj_playing_program(&p, 1, 2, 77) == 77, "as it is written");
    sj_casting_close(c);
}

static void check_titles(void)
{
    static const char *const want[][2] = {
        {"a/b/The Band - My Song (live).mid", "my song"}, {"MY_SONG v2.MID", "my song"},
        {"My Song [x] remix 3.kar", "my song"}, {"07. my song.mid", "my song"},
        {"55 Days.mid", "55 days"}, {"Don't.mid", "dont"},
        {"1999.mid", "1999"},
        {"(intro).mid", "intro"}, {"...", "..."}, {"A - B.mid", "a b"}, {"Versión.mid", "versión"},
        {"remix.xm", "remix"}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        char title[SJ_TITLE];
        sj_title(want[i][0], title);
        is_text(title, want[i][1], want[i][0]);
    }
    int part[SJ_SPLITS] = {0};
    for (int i = 0; i < 10000; i++) {
        char title[SJ_TITLE];
        snprintf(title, sizeof title, "song %d", i);
        part[sj_title_split(title, 0.1)]++;
        if (sj_title_split(title, 0) != SJ_SPLIT_TRAIN)
            part[SJ_SPLIT_TRAIN] = -100000;
    }
    int valid = part[SJ_SPLIT_VALID], test = part[SJ_SPLIT_TEST];
    ok(valid > 850 && valid < 1150 && test > 850 && test < 1150 && part[SJ_SPLIT_TRAIN] > 0,
       "a tenth each is held out (%d, %d)", valid, test);
}

static int work(void *arg, void *result)
{
    switch (*(const char *)arg) {
    case 'f': *(int *)result = 42; return SJ_OK;
    case 'r': return sj_fail(SJ_INPUT, "this is why");
    case 'c': raise(SIGSEGV); return SJ_OK;
    case 'e': _exit(0);
    case 'l':
        for (volatile int forever = 1; forever;)
            ;
        return SJ_OK;
    default:
        for (;;) {
            char *p = malloc(1 << 20);
            if (!p)
                return sj_fail(SJ_INPUT, "no memory");
            memset(p, 1, 1 << 20);
        }
    }
}

static int apart(const char *what, int *value)
{
    void *result;
    int status = sj_apart(work, (void *)(uintptr_t)what, sizeof(int), 1, 64 << 20, &result);
    *value = status ? 0 : *(int *)result;
    sj_apart_free(result, sizeof(int));
    return status;
}

static void check_apart(void)
{
    int x;
    ok(!apart("fine", &x) && x == 42, "a result comes back");
    ok(apart("reason", &x) == SJ_INPUT && !strcmp(sj_reason(), "this is why"), "a reason comes back");
    ok(apart("crash", &x) == SJ_INPUT && strstr(sj_reason(), "crashed"), "a crash is bad input");
    ok(apart("exit", &x) == SJ_INPUT, "so is an exit without a word");
    ok(apart("loop", &x) == SJ_INPUT && strstr(sj_reason(), "1 s"), "and a loop");
#ifndef __SANITIZE_ADDRESS__
    ok(apart("memory", &x) == SJ_INPUT, "and want of memory");
#endif
}

int main(void)
{
    struct sheet *s = calloc(1, sizeof *s);
    if (!s)
        return 1;
    write_down(s);
    check_rules(s);
    check_playing();
    check_titles();
    check_apart();
    free(s);
    return done();
}
