/* sj-facts: length, peak, tempo and key of recordings.   audio files -> sj-facts -> TSV or NDJSON */
#include <math.h>
#include <stdlib.h>

#include "decode.h"
#include "facts.h"
#include "json.h"
#include "listen.h"
#include "music_key.h"
#include "table.h"
#include "tool.h"

static int keyless;

static const struct sj_option options[] = {
    {SJ_FLAG, 0, "no-key", &keyless, 0, NULL, "do not look for keys", 0, 0, NULL, NULL, 0, NULL},
    {.type = SJ_OPTION_NONE},
};

static void put(FILE *f, double value, int decimals)
{
    if (isnan(value))
        fputs("\t-", f);
    else
        fprintf(f, "\t%.*f", decimals, value);
}

static int write_json(FILE *f, const char *path, const struct sj_facts *x)
{
    sj_json *o = sj_json_object();
    sj_json_set(o, "path", sj_json_string(path));
    sj_json_set(o, "seconds", sj_json_real(x->seconds));
    sj_json_set(o, "peak", sj_json_real(x->peak));
    if (!isnan(x->tempo_bpm))
        sj_json_set(o, "tempo_bpm", sj_json_real(x->tempo_bpm));
    if (x->key >= 0)
        sj_json_set(o, "key", sj_json_string(sj_music_key_names[x->key]));
    if (!isnan(x->confidence))
        sj_json_set(o, "key_confidence", sj_json_real(x->confidence));
    int status = sj_json_line(f, o);
    sj_json_free(o);
    return status;
}

static int write_line(const struct sj_run *run, FILE *f, const char *path, const struct sj_facts *x)
{
    if (run->json)
        return write_json(f, path, x);
    sj_table_put(f, path);
    put(f, x->seconds, 3);
    put(f, x->peak, 4);
    put(f, x->tempo_bpm, 2);
    fprintf(f, "\t%s", x->key < 0 ? "-" : sj_music_key_names[x->key]);
    put(f, x->confidence, 3);
    fputc('\n', f);
    return SJ_OK;
}

static int tell(const struct sj_run *run, FILE *f, const char *path)
{
    float *wave;
    int64_t n;
    struct sj_facts x;
    int status = sj_listen_decode(path, &wave, &n);
    if (!status)
        status = sj_facts(n, wave, SJ_DECODE_HZ, !keyless, &x);
    free(wave);
    return status ? status : write_line(run, f, path, &x);
}

static int run(struct sj_run *r)
{
    struct sj_report *report;
    int status = sj_report_open(r, &report);
    if (status)
        return status;
    FILE *f = sj_report_file(report);
    if (!r->json)
        fputs("path\tseconds\tpeak\ttempo_bpm\tkey\tkey_confidence\n", f);
    for (int i = 0; i < r->n && !status; i++)
        status = tell(r, f, r->operand[i]);
    return sj_report_close(report, status);
}

static const struct sj_tool tool = {
    .name = "sj-facts",
    .summary = "length, peak, tempo and key of recordings",
    .operands = "FILE...",
    .details = "Tempo in beats a minute, 80 to 160; key by the chroma against the profiles of Krumhansl and Kessler.\n"
               "What is not heard clearly is '-'. FILE:CLASS is one stem of a file that holds several.",
    .options = options,
    .common = SJ_TAKES_OUTPUT | SJ_TAKES_JSON,
    .min_operands = 1,
    .max_operands = -1,
    .run = run,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
