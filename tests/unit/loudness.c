/* Loudness of sounds whose loudness BS.1770 and EBU Tech 3341 state. */
#include "loudness.h"

#include <stdlib.h>

#include "tests/tap.h"

#define TAU 6.28318530717958647692

/* A sine of `seconds` at the end of x, level in dBFS; the frames in all. */
static int64_t tone(float *x, int64_t at, double seconds, int channels, int rate, double hz, double dbfs)
{
    const int64_t n = (int64_t)(seconds * rate);
    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < channels; c++)
            x[(at + i) * channels + c] = (float)(pow(10, dbfs / 20) * sin(TAU * hz * (double)i / rate));
    return at + n;
}

int main(void)
{
    static const int rates[] = {16000, 44100, 48000, 96000};
    float *x = calloc(96000 * 30 * 2, sizeof *x);
    char name[80];
    for (int i = 0; x && i < 4; i++) {
        const int rate = rates[i];
        snprintf(name, sizeof name, "a full sine of 997 Hz in one channel is -3.01 LUFS at %d Hz", rate);
        is_near(sj_loudness(x, tone(x, 0, 5, 1, rate, 997, 0), 1, rate), -3.01, 0.05, name);
        snprintf(name, sizeof name, "1 kHz of -23 dBFS in two channels is -23 LUFS at %d Hz", rate);
        is_near(sj_loudness(x, tone(x, 0, 5, 2, rate, 1000, -23), 2, rate), -23, 0.05, name);
    }
    int64_t n = tone(x, 0, 4, 2, 48000, 1000, -36);
    n = tone(x, n, 20, 2, 48000, 1000, -23);
    n = tone(x, n, 4, 2, 48000, 1000, -36);
    is_near(sj_loudness(x, n, 2, 48000), -23, 0.1, "what is 10 LU below the rest does not count");
    n = tone(x, 0, 4, 2, 48000, 1000, -23);
    n = tone(x, n, 4, 2, 48000, 1000, -120);
    is_near(sj_loudness(x, n, 2, 48000), -23, 0.3, "nor does silence");
    is_near(sj_loudness(x, tone(x, 0, 0.2, 2, 48000, 1000, -23), 2, 48000), -23, 0.2, "a sound shorter than a block");
    const double low = sj_loudness(x, tone(x, 0, 4, 1, 48000, 40, -10), 1, 48000),
                 high = sj_loudness(x, tone(x, 0, 4, 1, 48000, 4000, -10), 1, 48000);
    ok(low < -16 && high > -10.4, "the ear hears 40 Hz less than 4 kHz: %.2f and %.2f LUFS", low, high);
    n = tone(x, 0, 2, 1, 48000, 1000, -100);
    ok(isinf(sj_loudness(x, n, 1, 48000)) && sj_loudness(x, n, 1, 48000) < 0, "what is below the gate has none");
    ok(isinf(sj_loudness(x, 0, 1, 48000)), "nor has nothing");
    free(x);
    return done();
}
