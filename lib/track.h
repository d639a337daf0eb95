/* track: the signals of a track: its mix, its stems, and for every stem the sum of the others. */
#ifndef SJ_TRACK_H
#define SJ_TRACK_H

#include <stdint.h>

#include "err.h"
#include "layout.h"
#include "stream.h"

struct sj_track_how {
    int classes;         /* in all */
    int stems, rests;    /* what is wanted; neither: the mix */
    double pad_s;        /* stems shorter than the longest by up to this are padded with zeros at their end */
};

/* All stems at 16 kHz, of one length. */
struct sj_wave {
    int stems;
    int32_t class[SJ_CLASSES];  /* (stems) ascending */
    float *stem[SJ_CLASSES];    /* (stems) each (samples) */
    int64_t samples;
};

/* Decodes all stems into memory. SJ_INPUT: a sound without stems, stems of different lengths, anything wrong with a
 * file. */
int sj_track_load(const struct sj_track *t, const struct sj_track_how *how, struct sj_wave *w);
void sj_wave_free(struct sj_wave *w);

/* Where signals go: begin, any number of pushes, end, for each in turn; what they return beside SJ_OK ends it.
 * single: the track is one sound, and this is all of it. */
struct sj_signal_sink {
    int (*begin)(void *arg, enum sj_role role, int class, int single);
    int (*push)(void *arg, const float *sample, int64_t n);
    int (*end)(void *arg);
    void *arg;
};

/* Sends what is wanted: the mix (its own file where there is one, else the sum of the stems); or all stems, then all
 * rests, by ascending class. A single sound is a mix, or where stems are wanted one stem, and passes in constant
 * memory; it has no rests. */
int sj_track_signals(const struct sj_track *t, const struct sj_track_how *how, const struct sj_signal_sink *sink);

/* The same of a track whose stems are in memory, the mix being their sum. path: for messages. */
int sj_wave_signals(const struct sj_wave *w, const char *path, const struct sj_track_how *how,
                    const struct sj_signal_sink *sink);

/* What the track is made of, as text: a hash over, for each file, its class, its size and blocks of 64 KiB. Version 2,
 * "2-" and 16 hexadecimal digits: 32 blocks evenly spread from the first byte to the last, so all of a file of up to
 * 2 MiB; of a longer one a change may fall between them. Version 1, the digits alone, as the first data sets have it:
 * the first and the last block. */
enum { SJ_SOURCE = 19, SJ_SOURCE_VERSION = 2 };
int sj_track_source(const struct sj_track *t, int version, char hash[SJ_SOURCE]);

#endif
