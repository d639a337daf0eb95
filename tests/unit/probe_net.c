/* The network of a probe against the same in double precision: forward, dropout, steps of Adam; and its losses. */
#include "probe_net.h"

#include <stdlib.h>

#include "probe_score.h"
#include "rng.h"
#include "sjk.h"
#include "tests/tap.h"

enum { D = 7, H = 4, C = 6, N = 5, MASKS = 1 << H };

struct weights {
    float W1[H * D], b1[H], W2[C * H], b2[C];
};

static int get(const struct sj_probe_net *net, struct weights *w)
{
    return sj_probe_net_weights(net, w->W1, w->b1, w->W2, w->b2);
}

/* y (C) of an input with the hidden units of a mask, scaled; h (H): the units. */
static void forward(const struct weights *w, const float *x, int mask, double scale, double *h, double *y)
{
    for (int i = 0; i < H; i++) {
        double v = w->b1[i];
        for (int j = 0; j < D; j++)
            v += (double)w->W1[i * D + j] * (double)x[j];
        h[i] = v > 0 && mask >> i & 1 ? scale * v : 0;
    }
    for (int c = 0; c < C; c++) {
        y[c] = w->b2[c];
        for (int i = 0; i < H; i++)
            y[c] += (double)w->W2[c * H + i] * h[i];
    }
}

static double furthest(const double *want, const float *got)
{
    double most = 0;
    for (int c = 0; c < C; c++)
        most = fmax(most, fabs(want[c] - (double)got[c]));
    return most;
}

/* The mask that explains what the net gave for an input; -1: none does. */
static int explain(const struct weights *w, const float *x, const float *got, double scale)
{
    double h[H], y[C];
    for (int mask = MASKS - 1; mask >= 0; mask--) {
        forward(w, x, mask, scale, h, y);
        if (furthest(y, got) < 1e-5)
            return mask;
    }
    return -1;
}

/* The gradient of sum dy y, in the order of struct weights. */
static void gradient(const struct weights *w, const float *x, const float *dy, const int *mask, double scale, double *g)
{
    double *W1 = g, *b1 = W1 + H * D, *W2 = b1 + H, *b2 = W2 + C * H;
    memset(g, 0, sizeof *w / sizeof(float) * sizeof *g);
    for (int n = 0; n < N; n++) {
        double h[H], y[C];
        forward(w, x + n * D, mask[n], scale, h, y);
        for (int c = 0; c < C; c++) {
            b2[c] += (double)dy[n * C + c];
            for (int i = 0; i < H; i++)
                W2[c * H + i] += (double)dy[n * C + c] * h[i];
        }
        for (int i = 0; i < H; i++) {
            double dh = 0;
            for (int c = 0; c < C; c++)
                dh += (double)dy[n * C + c] * (double)w->W2[c * H + i];
            dh = h[i] > 0 ? scale * dh : 0;
            b1[i] += dh;
            for (int j = 0; j < D; j++)
                W1[i * D + j] += dh * (double)x[n * D + j];
        }
    }
}

/* Three steps of net and of Adam in double precision, the same gradients of y: the weights stay together. */
static void steps(struct sj_probe_net *net, double dropout, const char *what)
{
    enum { SIZE = sizeof(struct weights) / sizeof(float), STEPS = 3 };
    const double rate = 0.02, scale = 1 / (1 - dropout);
    double m[SIZE] = {0}, v[SIZE] = {0}, g[SIZE], p[SIZE], most = 0;
    int status = sj_probe_net_reset(net, 7), explained = 1, dropped = 0;
    struct sj_rng r = sj_rng(5, 0);
    struct weights w;
    for (int step = 1; step <= STEPS && !status; step++) {
        float x[N * D], dy[N * C], y[N * C], *own = (float *)&w;
        int mask[N];
        sj_rng_normal(&r, x, N * D);
        sj_rng_normal(&r, dy, N * C);
        status = get(net, &w);
        memcpy(sj_probe_net_input(net), x, sizeof x);
        status = status ? status : sj_probe_net_forward(net, N, dropout, y);
        for (int n = 0; n < N; n++) {
            mask[n] = dropout > 0 ? explain(&w, x + n * D, y + n * C, scale) : MASKS - 1;
            double h[H], want[C];
            forward(&w, x + n * D, mask[n], scale, h, want);
            explained &= mask[n] >= 0 && furthest(want, y + n * C) < 1e-5;
            dropped += mask[n] != MASKS - 1;
        }
        gradient(&w, x, dy, mask, scale, g);
        status = status ? status : sj_probe_net_step(net, N, dy, rate);
        for (int i = 0; i < SIZE; i++) {
            m[i] = 0.9 * m[i] + 0.1 * g[i];
            v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
            p[i] = (double)own[i]
                   - rate * m[i] / (1 - pow(0.9, step)) / (sqrt(v[i] / (1 - pow(0.999, step))) + 1e-8);
        }
        status = status ? status : get(net, &w);
        for (int i = 0; i < SIZE; i++)
            most = fmax(most, fabs(p[i] - (double)own[i]));
    }
    ok(!status && explained, "%s: forward is W2 drop(relu(W1 x + b1)) + b2", what);
    ok(dropout > 0 ? dropped > 0 : !dropped, "%s: %d of %d rows lack a unit", what, dropped, N * STEPS);
    is_near(most, 0, 1e-5, "three steps are Adam's");
}

static void start(struct sj_probe_net *net)
{
    struct weights a, b;
    double most[2] = {0}, bound[2] = {1 / sqrt(D), 1 / sqrt(H)};
    int status = sj_probe_net_reset(net, 1) | get(net, &a);
    for (int i = 0; i < H * D; i++)
        most[0] = fmax(most[0], fabs((double)a.W1[i]));
    for (int i = 0; i < C * H; i++)
        most[1] = fmax(most[1], fabs((double)a.W2[i]));
    for (int i = 0; i < 2; i++)
        ok(most[i] <= bound[i] && most[i] > 0.8 * bound[i], "weights of layer %d start within 1/sqrt(fan in)", i + 1);
    status |= sj_probe_net_reset(net, 2) | get(net, &b);
    ok(!status && memcmp(&a, &b, sizeof a), "another seed, other weights");
    status = sj_probe_net_keep(net) | sj_probe_net_reset(net, 1) | get(net, &b);
    ok(!status && !memcmp(&a, &b, sizeof a), "the same seed, the same");
    status = sj_probe_net_restore(net) | get(net, &a) | sj_probe_net_reset(net, 2) | get(net, &b);
    ok(!status && !memcmp(&a, &b, sizeof a), "what was kept comes back");
}

/* Gradients of the losses by differences. */
static void losses(enum sj_probe_task task)
{
    int32_t class[N] = {0, 5, 2, 2, 1};
    float target[N * C], y[N * C], dy[N * C];
    const double mean[C] = {1, 2, 3, 4, 5, 6}, deviation[C] = {1, 2, 3, 4, 5, 6};
    const struct sj_probe_units units = {mean, deviation};
    const int64_t example[N] = {4, 3, 2, 1, 0};
    const int classes = task == SJ_PROBE_CLASS;
    struct sj_probe_labels l = {.task = task, .n = N, .C = C, .class = classes ? class : NULL,
                                .target = classes ? NULL : target};
    struct sj_rng r = sj_rng(9, (uint64_t)task);
    double most = 0;
    sj_rng_normal(&r, y, N * C);
    for (int i = 0; i < N * C; i++)
        target[i] = task == SJ_PROBE_TAGS ? (float)sj_rng_below(&r, 2) : sj_rng_range(&r, 0, 9);
    sj_probe_loss(&l, N, example, y, &units, dy);
    for (int i = 0; i < N * C; i++) {
        const float at = y[i];
        y[i] = at + 0x1p-7f;
        double high = sj_probe_loss(&l, N, example, y, &units, NULL);
        y[i] = at - 0x1p-7f;
        double low = sj_probe_loss(&l, N, example, y, &units, NULL);
        y[i] = at;
        most = fmax(most, fabs((high - low) * 0x1p6 - (double)dy[i]));
    }
    is_near(most, 0, 1e-6, sj_probe_task_names[task]);
    for (int i = 0; i < N * C; i++)
        y[i] = 1000 * y[i];
    ok(isfinite(sj_probe_loss(&l, N, example, y, &units, dy)), "and stays finite where scores are large");
}

int main(void)
{
    char why[256];
    struct sjk *k = NULL;
    struct sj_probe_net *net = NULL;
    if (!ok(!sjk_open("cpu", 2, &k, why, sizeof why) && !sj_probe_net_new(k, D, H, C, N, &net), "a net"))
        return done();
    start(net);
    steps(net, 0, "without dropout");
    steps(net, 0.5, "half dropped");
    losses(SJ_PROBE_CLASS);
    losses(SJ_PROBE_TAGS);
    losses(SJ_PROBE_VALUE);
    sj_probe_net_free(net);
    sjk_close(k);
    return done();
}
