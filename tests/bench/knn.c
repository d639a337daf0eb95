/* knn REFERENCES QUERIES K: exact search of vectors of 3840 values in memory, as sj-knn does it, a turn. */
#include "knn.h"

#include <omp.h>

#include "rng.h"
#include "scores.h"
#include "sjk.h"
#include "idle.h"
#include "turns.h"

enum { WIDTH = 3840, BLOCK = 1024 };

struct job {
    struct sj_scores *scores;
    int64_t references, queries, k;
    float *reference, *query;
};

static int search_blocks(struct job *j, struct sj_knn *n)
{
    int64_t index[BLOCK], bad;
    for (int64_t first = 0; first < j->references; first += BLOCK) {
        int64_t rows = j->references - first < BLOCK ? j->references - first : BLOCK;
        for (int64_t i = 0; i < rows; i++)
            index[i] = first + i;
        if (sj_scores_rows(j->scores, rows, j->reference + first * WIDTH, &bad))
            return 1;
        sj_knn_add(n, j->scores, index, NULL, NULL);
    }
    return 0;
}

static int run(void *arg)
{
    struct job *j = arg;
    struct sj_knn *n = NULL;
    int64_t bad;
    int failed = sj_knn_new(j->queries, j->k, &n) || sj_scores_queries(j->scores, j->queries, j->query, &bad)
                 || search_blocks(j, n);
    if (failed)
        fprintf(stderr, "knn: %s\n", sj_reason());
    sj_knn_free(n);
    return failed;
}

static float *normals(uint64_t stream, int64_t rows)
{
    float *x = malloc((size_t)(rows * WIDTH) * sizeof *x);
    struct sj_rng r = sj_rng(1, stream);
    for (int64_t i = 0; x && i < rows; i++)
        sj_rng_normal(&r, x + i * WIDTH, WIDTH);
    return x;
}

int main(int argc, char **argv)
{
    sj_idle_sleeps(argv);
    if (argc != 4) {
        fprintf(stderr, "usage: knn REFERENCES QUERIES K\n");
        return 2;
    }
    struct job j = {
        .references = strtol(argv[1], NULL, 10), .queries = strtol(argv[2], NULL, 10), .k = strtol(argv[3], NULL, 10)};
    struct sjk *k = NULL;
    char why[256];
    j.reference = normals(0, j.references);
    j.query = normals(1, j.queries);
    if (sjk_open("cpu", omp_get_max_threads(), &k, why, sizeof why)
        || sj_scores_new(k, j.queries, BLOCK, WIDTH, &j.scores) || !j.reference || !j.query) {
        fprintf(stderr, "knn: %s\n", k ? sj_reason() : why);
        return 1;
    }
    int status = take_turns(run, &j);
    sj_scores_free(j.scores);
    sjk_close(k);
    free(j.reference);
    free(j.query);
    return status;
}
