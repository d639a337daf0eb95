/* Resampling against the tones that must pass, and those that must not. */
#include "resample.h"

#include <stdlib.h>

#include "tests/tap.h"

enum { OUT_HZ = 16000, ROOM = 40000 };

static float in[200000], out[ROOM], again[ROOM];

/* Everything in pieces of `step`; the number of samples that came out. */
static size_t resample(int from_hz, size_t n, size_t step, float *to)
{
    struct sj_resample *r;
    size_t at = 0, got = 0, used, made;
    if (sj_resample_open(from_hz, OUT_HZ, &r))
        return 0;
    for (int flush = 0, end = 0; !end; flush = at == n) {
        size_t k = n - at < step ? n - at : step, room = ROOM - got < step ? ROOM - got : step;
        if (sj_resample_process(r, flush ? NULL : in + at, k, to + got, room, &used, &made))
            return 0;
        at += used;
        got += made;
        end = flush && !made;
    }
    sj_resample_close(r);
    return got;
}

static double gain_db(int from_hz, double hz)
{
    for (int i = 0; i < from_hz; i++)
        in[i] = (float)sin(2 * M_PI * hz * i / from_hz);
    size_t n = resample(from_hz, (size_t)from_hz, 4096, out);
    double power = 0, difference = 0;
    for (size_t i = 2000; i < n - 2000; i++) {
        double want = sin(2 * M_PI * hz * (double)i / OUT_HZ);
        power += 2 * out[i] * out[i] / (double)(n - 4000);
        difference += 2 * (out[i] - want) * (out[i] - want) / (double)(n - 4000);
    }
    return hz < OUT_HZ / 2 ? 10 * log10(difference + 1e-30) : 10 * log10(power + 1e-30);
}

int main(void)
{
    int bad = 0;
    static const int rates[] = {8000, 11025, 16000, 22050, 44100, 44101, 48000, 96000, 192000};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        for (size_t n = 1; n < 20000; n = n * 7 + 1) {
            for (size_t k = 0; k < n; k++)
                in[k] = (float)((k * 2654435761u >> 8 & 0xffff) / 65536.0 - 0.5);
            size_t want = (size_t)floor((double)n * OUT_HZ / rates[i] + 0.5), got = resample(rates[i], n, 8192, out);
            size_t pieces = resample(rates[i], n, 113, again);
            if (got + 1 < want || got > want + 1 || pieces != got || memcmp(out, again, got * sizeof *out))
                bad++, printf("# %zu samples at %d Hz give %zu, in pieces %zu, want %zu, the same\n", n, rates[i], got,
                              pieces, want);
        }
    ok(!bad, "lengths follow the rates, and pieces do not matter");
    for (int hz = 100; hz < 7300; hz += 700) {
        double e = gain_db(44100, hz);
        ok(e < (hz < 4500 ? -95 : -55), "44.1 kHz: %d Hz passes, error %.0f dB", hz, e);
    }
    ok(gain_db(48000, 7200) < -95, "48 kHz: 7200 Hz passes");
    ok(gain_db(8000, 3300) < -95, "8 kHz: 3300 Hz passes");
    for (int hz = 9000; hz < 20000; hz += 2500) {
        double g = gain_db(44100, hz);
        ok(g < -95, "44.1 kHz: %d Hz does not pass, gain %.0f dB", hz, g);
    }
    ok(gain_db(16000, 7900) < -150, "equal rates pass unchanged");
    return done();
}
