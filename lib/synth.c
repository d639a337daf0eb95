#include "synth.h"

#include "err.h"
#include "synth_parts.h"

#include <stdlib.h>

const char *const sj_synth_classes[SJ_SYNTH_STEMS] = {"bass", "drums", "other", "vocals"};

static int render(const struct sj_synth_traits *t, int stem, const struct sj_synth_part *part, float *out, int64_t n)
{
    int status;
    if (stem == SJ_SYNTH_DRUMS)
        status = sj_synth_render_drums(t, part, out, n);
    else if (stem == SJ_SYNTH_VOCALS)
        status = sj_synth_render_voice(t, part, out, n);
    else
        status = sj_synth_render_tones(t, stem, part, out, n);
    return status ? status : sj_synth_master(t, stem, out, n);
}

static void describe(const struct sj_synth_traits *t, struct sj_synth_piece *piece)
{
    piece->tonic = t->tonic;
    piece->mode = sj_synth_modes[t->mode];
    piece->style = sj_synth_styles[t->style].name;
    piece->tempo_bpm = t->tempo;
    piece->swing = t->swing;
    piece->tuning_cents = 100 * t->tuning;
}

int sj_synth_make(uint64_t seed, uint64_t number, double seconds, struct sj_synth_piece *out)
{
    *out = (struct sj_synth_piece){.seed = seed, .number = number};
    if (!(seconds >= 0.1 && seconds <= 3600))
        return sj_fail(SJ_USAGE, "a piece lasts 0.1 to 3600 s, not %g", seconds);
    struct sj_synth_traits t;
    struct sj_synth_score score = {0};
    sj_synth_draw_traits(seed, number, &t);
    describe(&t, out);
    out->samples = (int64_t)(seconds * SJ_SYNTH_RATE + 0.5);
    int status = sj_synth_write_chords(&t, seconds, out);
    if (!status)
        status = sj_synth_write_score(&t, out, &score);
    for (int s = 0; s < SJ_SYNTH_STEMS && !status; s++) {
        out->stems[s] = calloc((size_t)out->samples, sizeof(float));
        status = out->stems[s] ? render(&t, s, &score.parts[s], out->stems[s], out->samples)
                               : sj_fail(SJ_SYSTEM, "no memory for a piece of %g s", seconds);
    }
    sj_synth_score_free(&score);
    if (status)
        sj_synth_free(out);
    return status;
}

void sj_synth_free(struct sj_synth_piece *piece)
{
    if (!piece)
        return;
    for (int s = 0; s < SJ_SYNTH_STEMS; s++)
        free(piece->stems[s]);
    free(piece->chords);
    free(piece->beats);
    *piece = (struct sj_synth_piece){0};
}
