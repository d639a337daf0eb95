/* device_search BACKEND REFERENCES QUERIES K: the candidates of a search whose references lie in the back end's memory:
 * bf16 products with every query and the K best of each, in blocks. One NDJSON line. */
#include <string.h>

#include "clock.h"
#include "rng.h"

enum { WIDTH = 3840, BLOCK = 16384, TURNS = 5 };

struct search {
    struct sjk *k;
    int64_t references, queries, count, block;
    char *reference; /* bf16 (references, WIDTH) */
    void *query;     /* bf16 (queries, WIDTH) */
    float *score;    /* (queries, block) */
    float *best, *none;
    int64_t *index, *nobody; /* (queries, count) */
};

static int run(void *arg)
{
    struct search *s = arg;
    const struct sjk_ops *o = s->k->ops;
    const size_t places = (size_t)(s->queries * s->count);
    int status = o->copy(s->k, s->best, s->none, places * sizeof *s->best);
    status = status ? status : o->copy(s->k, s->index, s->nobody, places * sizeof *s->index);
    for (int64_t at = 0; at < s->references && !status; at += s->block) {
        int64_t n = s->references - at < s->block ? s->references - at : s->block;
        status = o->matmul_nt(s->k, s->queries, n, WIDTH, SJK_BF16, s->query, WIDTH, s->reference + at * WIDTH * 2,
                              WIDTH, s->score, n);
        if (!status)
            status = o->top_k(s->k, s->queries, n, s->score, n, at, s->count, s->best, s->index);
    }
    return status;
}

/* rows of normal values as bf16 into `to`, by way of `value` f32 (BLOCK, WIDTH) of the back end. */
static int fill(struct sjk *k, uint64_t stream, int64_t rows, float *host, void *value, char *to)
{
    struct sj_rng r = sj_rng(1, stream);
    int status = 0;
    sj_rng_normal(&r, host, (size_t)BLOCK * WIDTH);
    for (int64_t at = 0; at < rows && !status; at += BLOCK) {
        int64_t n = rows - at < BLOCK ? rows - at : BLOCK;
        for (int64_t i = 0; i < n; i++) /* another row for each block, without drawing all anew */
            host[i * WIDTH + (at / BLOCK + i) % WIDTH] += 3;
        status = k->ops->put(k, value, host, (size_t)(n * WIDTH) * sizeof *host);
        status = status ? status : k->ops->cast(k, (size_t)(n * WIDTH), value, SJK_F32, to + at * WIDTH * 2, SJK_BF16);
    }
    return status;
}

static int ready(struct search *s, float *host)
{
    const struct sjk_ops *o = s->k->ops;
    const size_t places = (size_t)(s->queries * s->count);
    void *p[8] = {0}, *value = NULL;
    const size_t bytes[8] = {(size_t)(s->references * WIDTH) * 2, (size_t)(s->queries * WIDTH) * 2,
                             (size_t)(s->queries * s->block) * sizeof(float), places * sizeof(float),
                             places * sizeof(float), places * sizeof(int64_t), places * sizeof(int64_t),
                             (size_t)BLOCK * WIDTH * sizeof(float)};
    int status = 0;
    for (int i = 0; i < 8 && !status; i++)
        status = o->alloc(s->k, bytes[i], &p[i]);
    s->reference = p[0];
    s->query = p[1];
    s->score = p[2];
    s->best = p[3];
    s->none = p[4];
    s->index = p[5];
    s->nobody = p[6];
    value = p[7];
    if (status || (status = fill(s->k, 0, s->references, host, value, s->reference)) ||
        (status = fill(s->k, 1, s->queries, host, value, s->query)))
        return status;
    for (size_t i = 0; i < places; i++)
        host[i] = -1e30f;
    if ((status = o->put(s->k, s->none, host, places * sizeof *host)))
        return status;
    memset(host, 0xff, places * sizeof(int64_t)); /* -1 */
    return o->put(s->k, s->nobody, host, places * sizeof(int64_t));
}

int main(int argc, char **argv)
{
    char why[512];
    struct search s = {0};
    if (argc != 5) {
        fprintf(stderr, "usage: device_search BACKEND REFERENCES QUERIES K\n");
        return 2;
    }
    s.references = strtol(argv[2], NULL, 10);
    s.queries = strtol(argv[3], NULL, 10);
    s.count = strtol(argv[4], NULL, 10);
    s.block = s.references < BLOCK ? s.references : BLOCK;
    int status = sjk_open(argv[1], 0, &s.k, why, sizeof why);
    float *host = malloc((size_t)BLOCK * WIDTH * sizeof *host);
    if (status || !host || s.queries * s.count > BLOCK * WIDTH / 2) {
        fprintf(stderr, "device_search: %s\n", status ? why : "no memory, or too many results");
        return status ? status : 4;
    }
    status = ready(&s, host);
    double t = status ? -1 : clock_run(s.k, run, &s, TURNS, 1);
    if (status)
        fprintf(stderr, "device_search: %s\n", sjk_reason(s.k));
    else if (t > 0)
        printf("{\"name\":\"search-candidates\",\"references\":%lld,\"queries\":%lld,\"k\":%lld,\"s\":%.6g,\"tflop_per_s\":%.1f,"
               "\"queries_per_s\":%.1f}\n", (long long)s.references, (long long)s.queries, (long long)s.count, t,
               2e-12 * (double)s.references * (double)s.queries * WIDTH / t, (double)s.queries / t);
    free(host);
    sjk_close(s.k); /* and with the process its memory */
    return status ? status : t < 0;
}
