/* device BACKEND [BATCH [SIZE [NAME...]]]: NDJSON of what a back end does as a whole: the rate of its matrix products,
 * training steps with and without the way in, embeddings from spectrograms and from int16 waveforms. */
#include <string.h>

#include "clock.h"
#include "net_train.h"
#include "rng.h"
#include "spectra.h"

enum { FRAMES = 800, SAMPLES = 128000, TURNS = 50 };

static const char *const *only; /* names wanted, NULL-terminated; none: all */

static int wanted(const char *name)
{
    for (int i = 0; only[i]; i++)
        if (!strcmp(only[i], name))
            return 1;
    return !only[0];
}

static int complain(const char *what, struct sjk *k, int status)
{
    if (status)
        fprintf(stderr, "device: %s: %s\n", what, k && *sjk_reason(k) ? sjk_reason(k) : sj_reason());
    return status;
}

static void noise(uint64_t stream, size_t n, float *x)
{
    struct sj_rng r = sj_rng(1, stream);
    sj_rng_normal(&r, x, n);
}

/* -- matrix products ----------------------------------------------------------------------------------------------- */

struct product {
    struct sjk *k;
    struct sjk_linear *l;
    int64_t M;
    void *x, *y;
};

static int multiply(void *arg)
{
    struct product *p = arg;
    return p->k->ops->linear_forward(p->k, p->l, p->M, p->x, NULL, NULL, p->y, SJK_BF16, SJK_STORE);
}

/* The rate at which bf16 products run on random data; *rate in FLOP/s. */
static int products(struct sjk *k, int64_t M, int64_t N, int64_t K, double *rate)
{
    struct product p = {.k = k, .M = M};
    const struct sjk_ops *o = k->ops;
    const size_t most = (size_t)(M > N ? M : N) * (size_t)K;
    float *host = malloc(most * sizeof *host);
    void *f32 = NULL;
    int status = host ? 0 : 4;
    if (host)
        noise(0, most, host);
    (void)(status || (status = o->alloc(k, most * sizeof *host, &f32)) ||
           (status = o->alloc(k, (size_t)(M * K) * 2, &p.x)) || (status = o->alloc(k, (size_t)(M * N) * 2, &p.y)) ||
           (status = o->put(k, f32, host, most * sizeof *host)) ||
           (status = o->cast(k, (size_t)(M * K), f32, SJK_F32, p.x, SJK_BF16)) ||
           (status = o->linear_new(k, N, K, SJK_BF16, &p.l)) || (status = o->linear_pack(k, p.l, f32, SJK_PACK_FORWARD)));
    double s = status ? -1 : clock_run(k, multiply, &p, 9, 20);
    *rate = s > 0 ? 2.0 * (double)M * (double)N * (double)K / s : 0;
    if (s > 0)
        printf("{\"name\":\"product\",\"type\":\"bf16\",\"shape\":[%lld,%lld,%lld],\"s\":%.6g,\"tflop_per_s\":%.1f}\n",
               (long long)M, (long long)N, (long long)K, s, *rate * 1e-12);
    if (p.l)
        o->linear_free(k, p.l);
    o->free(k, f32);
    o->free(k, p.x);
    o->free(k, p.y);
    free(host);
    return complain("product", k, status ? status : s < 0);
}

/* -- training ------------------------------------------------------------------------------------------------------ */

/* FLOP of a training step by product shapes: context forward and backward (3), target forward (1), predictor (3). */
static double step_flop(const struct sj_config *c, int64_t B)
{
    const double K = (double)(c->frequencies * c->times), D = (double)c->dim, H = (double)c->hidden;
    const double block = 2 * K * D * D * (4 + 2 * (double)c->mlp_ratio) + 4 * K * K * D;
    const double encoder = (double)c->depth * block + 2 * K * (double)(c->patch * c->patch) * D;
    const double mlp = 2 * K * (2 * D * H + (double)(c->layers - 2) * H * H + H * D);
    return (double)B * (4 * encoder + 3 * mlp);
}

static int train(struct sjk *k, const struct sj_model *m, int64_t B, double peak)
{
    struct sj_learner *l = NULL;
    struct sj_learner_options o = {SJ_PRECISION_BF16, B, B, FRAMES, SJ_RECOMPUTE_AUTO, 0, 1, 0};
    const struct sj_objective objective = {.cosine = 1};
    struct sj_learned r;
    const size_t n = (size_t)(B * m->config.mel.bands * FRAMES);
    double pass[TURNS], whole[TURNS];
    float *host = malloc(n * sizeof *host), *mel, *target;
    int32_t *class = calloc((size_t)B, sizeof *class);
    int status = host && class ? sj_learner_new(k, m, &o, &l) : SJ_SYSTEM;
    if (!status) {
        sj_learner_input(l, &mel, &target);
        noise(1, n, host);
        status = k->ops->put(k, mel, host, n * sizeof *host);
        noise(2, n, host);
        status = status ? status : k->ops->put(k, target, host, n * sizeof *host);
    }
    for (int i = -5; i < 2 * TURNS && !status; i++) { /* first whole steps as they follow each other, then by phases */
        const struct sj_update u = {.rate = 1e-5, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .decay = 0.05, .clip = 3,
                                    .ema = 0.99995, .step = i + 5};
        double from = clock_now_s();
        status = sj_learner_pass(l, &objective, NULL, NULL, class, NULL);
        if (!status && i >= TURNS) {
            status = k->ops->sync(k);
            pass[i - TURNS] = clock_now_s() - from;
        }
        status = status ? status : sj_learner_update(l, &u, &r);
        if (i >= 0 && i < TURNS)
            whole[i] = clock_now_s() - from;
    }
    if (!status) {
        double s = clock_median(whole, TURNS), p = clock_median(pass, TURNS), flop = step_flop(&m->config, B);
        printf("{\"name\":\"train-resident\",\"batch\":%lld,\"s\":%.6g,\"samples_per_s\":%.1f,\"pass_s\":%.6g,"
               "\"update_s\":%.6g,\"tflop\":%.2f,\"tflop_per_s\":%.1f,\"mfu_of_measured\":%.3f}\n",
               (long long)B, s, (double)B / s, p, s - p, flop * 1e-12, flop / s * 1e-12, peak > 0 ? flop / s / peak : 0);
    }
    sj_learner_free(l);
    free(host);
    free(class);
    return complain("train", k, status);
}

/* -- embedding ----------------------------------------------------------------------------------------------------- */

struct embed {
    struct sjk *k;
    struct sj_net *net;
    struct sjk_inbox *inbox;
    struct sj_spectra *spectra; /* NULL: spectrograms come in */
    int64_t B;
    size_t bytes;
    const void *source; /* what every batch holds */
    float *pooled;
};

static int send(struct embed *e)
{
    void *to = e->k->ops->inbox_host(e->k, e->inbox);
    if (!to)
        return 1;
    memcpy(to, e->source, e->bytes);
    return e->k->ops->inbox_send(e->k, e->inbox);
}

/* A batch is taken and computed; meanwhile the next one comes in; its means go out. */
static int embed_batch(void *arg)
{
    struct embed *e = arg;
    struct sjk *k = e->k;
    const void *data;
    float *mel = sj_net_input(e->net);
    int status = k->ops->inbox_take(k, e->inbox, &data);
    if (!status && e->spectra)
        status = sj_spectra_run(e->spectra, e->B, SAMPLES, data, 1, -200, FRAMES, mel);
    else if (!status)
        status = k->ops->copy(k, mel, data, e->bytes);
    status = status ? status : sj_net_encode(e->net, e->B, FRAMES, NULL, 0, NULL);
    status = status ? status : send(e);
    return status ? status : sj_net_pooled(e->net, e->B, FRAMES, e->pooled);
}

static int embed(struct sjk *k, const struct sj_model *m, int64_t B, int waves)
{
    const struct sj_config *c = &m->config;
    struct embed e = {.k = k, .B = B};
    const struct sj_net_options o = {.encoder = 1, .precision = SJ_PRECISION_BF16, .batch = B};
    size_t n = (size_t)(B * (waves ? SAMPLES : c->mel.bands * FRAMES));
    e.bytes = n * (waves ? sizeof(int16_t) : sizeof(float));
    float *source = malloc(n * sizeof *source);
    int16_t *wave = malloc(n * sizeof *wave);
    e.pooled = malloc((size_t)(B * c->frequencies * c->dim) * sizeof *e.pooled);
    int status = source && wave && e.pooled ? sj_net_new(k, m, &o, &e.net) : SJ_SYSTEM;
    if (source)
        noise(3, n, source);
    for (size_t i = 0; source && wave && i < n; i++)
        wave[i] = (int16_t)(3000 * source[i]);
    e.source = waves ? (const void *)wave : source;
    if (!status && waves)
        status = sj_spectra_new(k, &c->mel, &e.spectra);
    if (!status)
        status = k->ops->inbox_new(k, e.bytes, &e.inbox);
    status = status ? status : send(&e);
    double s = status ? -1 : clock_run(k, embed_batch, &e, TURNS, 1);
    if (s > 0)
        printf("{\"name\":\"embed-%s\",\"batch\":%lld,\"s\":%.6g,\"chunks_per_s\":%.1f}\n", waves ? "int16" : "mel",
               (long long)B, s, (double)B / s);
    if (e.inbox)
        k->ops->inbox_free(k, e.inbox);
    sj_spectra_free(e.spectra);
    sj_net_free(e.net);
    free(source);
    free(wave);
    free(e.pooled);
    return complain("embed", k, status ? status : s < 0);
}

int main(int argc, char **argv)
{
    struct sj_config c = sj_config_defaults();
    struct sj_model *m = NULL;
    struct sjk *k = NULL;
    char why[512];
    double rate, peak = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: device BACKEND [BATCH [SIZE [NAME...]]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* what is measured stays, whatever comes after */
    const int64_t B = argc > 2 ? strtol(argv[2], NULL, 10) : 256;
    for (int i = 0; argc > 3 && sj_size_names[i]; i++)
        if (!strcmp(sj_size_names[i], argv[3]))
            sj_config_size(&c, i);
    static const char *const all[] = {NULL};
    only = argc > 4 ? (const char *const *)argv + 4 : all;
    int status = sjk_open(argv[1], 0, &k, why, sizeof why), bad = 0;
    if (status) {
        fprintf(stderr, "device: %s\n", why);
        return status;
    }
    if (sj_model_new(&c, 1, &m))
        return complain("model", NULL, SJ_SYSTEM);
    const int64_t M = B * c.frequencies * c.times, D = c.dim;
    if (wanted("product") || wanted("train"))
        for (int i = 0; i < 3; i++) { /* a large square, and the largest of the model */
            const int64_t shape[3][3] = {{32 * B, 32 * B, 32 * B}, {M, 4 * D, D}, {M, D, 4 * D}};
            bad |= products(k, shape[i][0], shape[i][1], shape[i][2], &rate);
            peak = rate > peak ? rate : peak;
        }
    if (wanted("train"))
        bad |= train(k, m, B, peak);
    if (wanted("embed"))
        bad |= embed(k, m, B, 0);
    if (wanted("embed") && k->ops->mel)
        bad |= embed(k, m, B, 1);
    sj_model_free(m);
    sjk_close(k);
    return bad != 0;
}
