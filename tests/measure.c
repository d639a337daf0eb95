/* measure: what the probes' measures make of numbers on standard input, for tests/probe.t.
 *   measure key         lines "REFERENCE<tab>ESTIMATE": the weighted score of each
 *   measure tags|value  N C, N C scores, N C truths: for each of C a line, "nan" where there is none */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "music_key.h"
#include "probe_metrics.h"

static int keys(void)
{
    char line[256];
    while (fgets(line, sizeof line, stdin)) {
        int reference, estimate;
        char *tab = strchr(line, '\t');
        line[strcspn(line, "\n")] = 0;
        if (!tab)
            return 1;
        *tab = 0;
        if (sj_music_key_parse(line, &reference) || sj_music_key_parse(tab + 1, &estimate))
            return 1;
        printf("%.17g\n", sj_music_key_score(reference, estimate));
    }
    return 0;
}

static int columns(int tags)
{
    long long N, C;
    if (scanf("%lld %lld", &N, &C) != 2 || N < 0 || C < 1 || N * C > 1 << 24)
        return 1;
    float *score = calloc((size_t)(2 * N * C) + 1, sizeof *score), *truth = score + N * C;
    int bad = !score;
    for (long long i = 0; i < 2 * N * C && !bad; i++)
        bad = scanf("%f", &score[i]) != 1;
    for (long long c = 0; c < C && !bad; c++) {
        double first = sj_r2(N, score + c, truth + c, C), second = sj_rms_error(N, score + c, truth + c, C);
        bad = tags && sj_tag_measures(N, score + c, truth + c, C, &first, &second);
        printf("%.17g %.17g\n", first, second);
    }
    free(score);
    return bad;
}

int main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";
    return !strcmp(what, "key") ? keys() : columns(!strcmp(what, "tags"));
}
