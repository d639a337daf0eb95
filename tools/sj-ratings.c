/* sj-ratings: statistics of a listening test.   CSV of listeners -> sj-ratings -> TSV or NDJSON */
#include "ratings.h"
#include "tool.h"

static int boxes, tests, resample;
static int64_t bootstrap; /* 0: not given */
enum { DRAWS = 10000 };

static const struct sj_option options[] = {
    {SJ_FLAG, 0, "boxes", &boxes, 0, NULL, "print what box plots are drawn of", 0, 0, NULL, NULL, 0, NULL},
    {SJ_FLAG, 0, "tests", &tests, 0, NULL, "print paired tests between the conditions", 0, 0, NULL, NULL, 0, NULL},
    {SJ_INT, 0, "bootstrap", &bootstrap, 0, "N", "draws for the intervals of means", 100, 1e7, NULL, "10000", 0, NULL},
    {SJ_CHOICE, 0, "resample", &resample, 0, "WHAT", "what the draws are of", 0, 0, sj_resample_names, NULL, 0, NULL},
    {.type = SJ_OPTION_NONE},
};

static int check(struct sj_run *run)
{
    if (boxes && tests)
        return sj_fail(SJ_USAGE, "--boxes and --tests exclude each other");
    if (boxes && (bootstrap || resample || run->seed_given))
        return sj_fail(SJ_USAGE, "%s does nothing with --boxes",
                       bootstrap ? "--bootstrap" : resample ? "--resample" : "--seed");
    bootstrap = bootstrap ? bootstrap : DRAWS;
    return SJ_OK;
}

static int run(struct sj_run *run)
{
    static const char *const standard[] = {"-"};
    const struct sj_bootstrap how = {(enum sj_resample)resample, bootstrap, (uint64_t)run->seed};
    struct sj_ratings r;
    struct sj_report *report;
    int status = run->n ? sj_ratings_read(run->n, run->operand, &r) : sj_ratings_read(1, standard, &r);
    if (status)
        return status;
    if (!(status = sj_report_open(run, &report))) {
        FILE *f = sj_report_file(report);
        status = boxes   ? sj_ratings_boxes(&r, f, run->json)
                 : tests ? sj_ratings_tests(&r, &how, f, run->json)
                         : sj_ratings_summary(&r, &how, f, run->json);
        status = sj_report_close(report, status);
    }
    sj_ratings_free(&r);
    return status;
}

static const struct sj_tool tool = {
    .name = "sj-ratings",
    .summary = "statistics of a listening test",
    .operands = "[FILE...]",
    .details = "Reads the CSV files that listeners got from the page of sj-trials (or webMUSHRA's) and prints for\n"
               "each class and condition the number, mean, quartiles and median of the ratings.",
    .options = options,
    .common = SJ_TAKES_OUTPUT | SJ_TAKES_SEED | SJ_TAKES_JSON,
    .max_operands = -1,
    .check = check,
    .run = run,
};

int main(int argc, char **argv)
{
    return sj_tool_main(&tool, argc, argv);
}
