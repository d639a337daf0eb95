/* Gradients of the reference operations against finite differences of their own forward passes (fourth-order central
 * differences; the values are stored as f32, which limits agreement to about 1e-5 of the largest gradient), and the
 * optimiser against its formula in double. The other tables follow the reference by tests/kernels/ops. */
#include "sjk.h"
#include "../tap.h"

#include <stdlib.h>

enum { most = 4, room = 4096 };

/* What a check works on: inputs, the weights of the outputs in the loss, and the gradients found. */
struct data {
    struct sjk *k;
    float in[most][room], weight[room], grad[most][room], scratch[room];
};

struct check {
    const char *name;
    int inputs;
    size_t size[most];
    double (*loss)(struct data *);   /* sum of weight * output */
    int (*gradient)(struct data *);  /* fills grad[i], which start at 0; returns a status */
};

static double normal(uint64_t *state)
{
    double s = 0;
    for (int i = 0; i < 6; i++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        s += (double)(*state >> 40) / 16777216.0 - 0.5;
    }
    return s * M_SQRT2;
}

static double weighted(const struct data *d, const float *y, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++)
        s += (double)d->weight[i] * y[i];
    return s;
}

/* LayerNorm of (5, 13). */
static double layernorm_loss(struct data *d)
{
    d->k->ops->layernorm(d->k, 5, 13, d->in[0], d->in[1], d->in[2], d->scratch, SJK_F32, NULL);
    return weighted(d, d->scratch, 65);
}

/* Accumulating onto ones, which are taken off again; the column sums must be those of the result. */
static int layernorm_gradient(struct data *d)
{
    float stat[10], sum[13] = {0}, copy[65];
    for (int i = 0; i < 65; i++)
        d->grad[0][i] = 1;
    int s = d->k->ops->layernorm(d->k, 5, 13, d->in[0], d->in[1], d->in[2], d->scratch, SJK_F32, stat);
    if (!s)
        s = d->k->ops->layernorm_backward(d->k, 5, 13, d->in[0], d->in[1], stat, d->weight, SJK_F32, d->grad[0], 1,
                                          SJK_F32, copy, d->grad[1], d->grad[2], sum);
    for (int i = 0; i < 65; i++) {
        s |= copy[i] != d->grad[0][i];
        sum[i % 13] -= d->grad[0][i];
        d->grad[0][i] -= 1;
    }
    for (int i = 0; i < 13; i++)
        s |= !(fabsf(sum[i]) < 1e-5f);
    return s;
}

static double gelu_loss(struct data *d)
{
    d->k->ops->gelu(d->k, 7, 9, SJK_F32, d->in[0], d->scratch);
    return weighted(d, d->scratch, 63);
}

static int gelu_gradient(struct data *d)
{
    float sum[9] = {0};
    memcpy(d->grad[0], d->weight, 63 * sizeof(float));
    int s = d->k->ops->gelu_backward(d->k, 7, 9, SJK_F32, d->in[0], d->grad[0], sum);
    for (int i = 0; i < 63; i++)
        sum[i % 9] -= d->grad[0][i];
    for (int i = 0; i < 9; i++)
        s |= !(fabsf(sum[i]) < 1e-5f);
    return s;
}

/* A linear layer of 4 rows, 7 inputs and 5 outputs: inputs x, W, bias. */
static int linear(struct data *d, enum sjk_epilogue e, float *y)
{
    const struct sjk_ops *o = d->k->ops;
    struct sjk_linear *l;
    int s = o->linear_new(d->k, 5, 7, SJK_F32, &l);
    if (!s)
        s = o->linear_pack(d->k, l, d->in[1], SJK_PACK_FORWARD);
    if (!s)
        s = o->linear_forward(d->k, l, 4, d->in[0], d->in[2], e == SJK_ADD ? y : NULL, y, SJK_F32, e);
    o->linear_free(d->k, l);
    return s;
}

/* Gradients of x and W from that of the layer's output before the activation. */
static int linear_backward(struct data *d, const float *dy)
{
    const struct sjk_ops *o = d->k->ops;
    struct sjk_linear *l;
    int s = o->linear_new(d->k, 5, 7, SJK_F32, &l);
    if (!s)
        s = o->linear_pack(d->k, l, d->in[1], SJK_PACK_BACKWARD);
    if (!s)
        s = o->linear_backward_x(d->k, l, 4, dy, d->grad[0], SJK_F32);
    if (!s)
        s = o->linear_backward_w(d->k, l, 4, dy, d->in[0], d->grad[1], 0);
    o->linear_free(d->k, l);
    return s;
}

static double linear_loss(struct data *d)
{
    linear(d, SJK_STORE, d->scratch);
    return weighted(d, d->scratch, 20);
}

static int linear_gradient(struct data *d)
{
    int s = linear_backward(d, d->weight);
    return s ? s : d->k->ops->column_sum(d->k, 4, 5, SJK_F32, d->weight, d->grad[2]);
}

static double linear_gelu_loss(struct data *d)
{
    linear(d, SJK_GELU, d->scratch);
    return weighted(d, d->scratch, 20);
}

static int linear_gelu_gradient(struct data *d)
{
    float v[20], dy[20];
    memcpy(dy, d->weight, sizeof dy);
    int s = linear(d, SJK_STORE, v);
    if (!s)
        s = d->k->ops->gelu_backward(d->k, 4, 5, SJK_F32, v, dy, d->grad[2]);
    return s ? s : linear_backward(d, dy);
}

/* x is nudged until no value before the ReLU is near its corner. */
static double linear_relu_loss(struct data *d)
{
    linear(d, SJK_RELU, d->scratch);
    return weighted(d, d->scratch, 20);
}

static int linear_relu_gradient(struct data *d)
{
    float y[20], dy[20];
    memcpy(dy, d->weight, sizeof dy);
    int s = linear(d, SJK_RELU, y);
    if (!s)
        s = d->k->ops->relu_backward(d->k, 4, 5, SJK_F32, y, dy, d->grad[2]);
    return s ? s : linear_backward(d, dy);
}

/* Added to what is there: the gradient is that of the plain layer. */
static double linear_add_loss(struct data *d)
{
    for (int i = 0; i < 20; i++)
        d->scratch[i] = (float)i / 8;
    linear(d, SJK_ADD, d->scratch);
    return weighted(d, d->scratch, 20);
}

/* 2 chunks, 5 tokens, 3 heads of 4. */
static double attention_loss(struct data *d)
{
    d->k->ops->attention(d->k, 2, 5, 3, 4, SJK_F32, d->in[0], d->scratch, NULL);
    return weighted(d, d->scratch, 120);
}

static int attention_gradient(struct data *d)
{
    float stat[30];
    int s = d->k->ops->attention(d->k, 2, 5, 3, 4, SJK_F32, d->in[0], d->scratch, stat);
    return s ? s
             : d->k->ops->attention_backward(d->k, 2, 5, 3, 4, SJK_F32, d->in[0], d->scratch, stat, d->weight,
                                             d->grad[0]);
}

/* 2 chunks, 3 tokens, 2 heads of 4; any numbers will do for turns. */
static double rotate_loss(struct data *d)
{
    float qkv[144];
    memcpy(qkv, d->in[0], sizeof qkv);
    d->k->ops->rotate(d->k, 2, 3, 2, 4, SJK_F32, d->weight + 200, 0, qkv);
    return weighted(d, qkv, 144);
}

static int rotate_gradient(struct data *d)
{
    memcpy(d->grad[0], d->weight, 144 * sizeof(float));
    return d->k->ops->rotate(d->k, 2, 3, 2, 4, SJK_F32, d->weight + 200, 1, d->grad[0]);
}

static const int32_t classes[] = {2, 0, 2};

/* 3 chunks, 4 tokens, width 5, 3 classes. */
static double concat_loss(struct data *d)
{
    d->k->ops->concat(d->k, 3, 4, 5, SJK_F32, d->in[0], d->in[1], classes, d->scratch);
    return weighted(d, d->scratch, 120);
}

static int concat_gradient(struct data *d)
{
    return d->k->ops->concat_backward(d->k, 3, 4, 5, SJK_F32, d->weight, classes, d->grad[0], d->grad[1]);
}

static double prepend_loss(struct data *d)
{
    d->k->ops->prepend(d->k, 3, 4, 5, d->in[0], d->in[1], classes, d->scratch);
    return weighted(d, d->scratch, 75);
}

static int prepend_gradient(struct data *d)
{
    return d->k->ops->prepend_backward(d->k, 3, 4, 5, d->weight, classes, d->grad[0], SJK_F32, NULL, d->grad[1], NULL);
}

/* 2 chunks, 3 tokens, width 4, rows of 9 for scales and shifts. x is the sum of in[0]
 * and the bias in[2]. */
static int film(struct data *d, float *x, float *y)
{
    for (int i = 0; i < 24; i++)
        x[i] = d->in[0][i] + d->in[2][i % 4];
    return d->k->ops->film(d->k, 2, 3, 4, SJK_F32, x, d->in[1], 9, y);
}

static double film_loss(struct data *d)
{
    float x[24];
    film(d, x, d->scratch);
    return weighted(d, d->scratch, 24);
}

static int film_gradient(struct data *d)
{
    float x[24], y[24];
    int s = film(d, x, y);
    memcpy(d->grad[0], d->weight, sizeof y);
    return s ? s
             : d->k->ops->film_backward(d->k, 2, 3, 4, SJK_F32, x, y, d->in[1], 9, d->grad[0], d->grad[1], d->grad[2]);
}

static double pool_loss(struct data *d)
{
    d->k->ops->pool(d->k, 2, 3, 4, 5, d->in[0], d->scratch);
    return weighted(d, d->scratch, 30);
}

static int pool_gradient(struct data *d)
{
    return d->k->ops->pool_backward(d->k, 2, 3, 4, 5, d->weight, d->grad[0]);
}

/* Prediction in[0]; the target takes the weights' place. */
static double cosine_value(struct data *d)
{
    double loss = 0;
    d->k->ops->cosine_loss(d->k, 6, 9, d->in[0], d->weight, 0, &loss, NULL);
    return 0.5 * loss;
}

static int cosine_gradient(struct data *d)
{
    double loss = 0;
    return d->k->ops->cosine_loss(d->k, 6, 9, d->in[0], d->weight, 0.5f, &loss, d->grad[0]);
}

static const int32_t groups[] = {0, 1, 0, 2, 3, 1}, kinds[] = {0, 1, 1, 0, 0, 1};

/* p is in[0], t is in[1]. */
static int contrast(struct data *d, int both, float *dp, float *dt, double *loss)
{
    const struct sjk_contrast c = {groups, kinds, 0.4f, 0.3f, 0.5f, both};
    double sums[2] = {0};
    int s = d->k->ops->infonce(d->k, 6, 9, d->in[0], d->in[1], &c, sums, dp, dt);
    *loss = 0.5 * sums[0];
    return s;
}

static double infonce_value(struct data *d)
{
    double loss;
    contrast(d, 0, NULL, NULL, &loss);
    return loss;
}

static int infonce_gradient(struct data *d)
{
    double loss;
    return contrast(d, 0, d->grad[0], d->grad[1], &loss);
}

static double infonce_both_value(struct data *d)
{
    double loss;
    contrast(d, 1, NULL, NULL, &loss);
    return loss;
}

static int infonce_both_gradient(struct data *d)
{
    double loss;
    return contrast(d, 1, d->grad[0], d->grad[1], &loss);
}

static const struct check checks[] = {
    {"layernorm", 3, {65, 13, 13}, layernorm_loss, layernorm_gradient},
    {"gelu", 1, {63}, gelu_loss, gelu_gradient},
    {"linear", 3, {28, 35, 5}, linear_loss, linear_gradient},
    {"linear, gelu", 3, {28, 35, 5}, linear_gelu_loss, linear_gelu_gradient},
    {"linear, relu", 3, {28, 35, 5}, linear_relu_loss, linear_relu_gradient},
    {"linear, add", 3, {28, 35, 5}, linear_add_loss, linear_gradient},
    {"attention", 1, {360}, attention_loss, attention_gradient},
    {"rotate", 1, {144}, rotate_loss, rotate_gradient},
    {"concat", 2, {60, 15}, concat_loss, concat_gradient},
    {"prepend", 2, {60, 15}, prepend_loss, prepend_gradient},
    {"film", 3, {24, 17, 4}, film_loss, film_gradient},
    {"pool", 1, {120}, pool_loss, pool_gradient},
    {"cosine_loss", 1, {54}, cosine_value, cosine_gradient},
    {"infonce", 2, {54, 54}, infonce_value, infonce_gradient},
    {"infonce, both ways", 2, {54, 54}, infonce_both_value, infonce_both_gradient},
};

/* d loss / d *x by fourth-order central differences. */
static double slope(struct data *d, const struct check *c, float *x)
{
    const float start = *x, h = 1.0f / 64;
    double value[4];
    for (int i = 0; i < 4; i++) {
        *x = start + h * (float)(i < 2 ? i - 2 : i - 1); /* -2h, -h, h, 2h */
        value[i] = c->loss(d);
    }
    *x = start;
    return (8 * (value[2] - value[1]) - (value[3] - value[0])) / (12 * (double)h);
}

/* Whether an output of a layer with ReLU is near the corner. */
static int near_corner(struct data *d, const struct check *c)
{
    float v[24], x[24];
    int n = 0, near = 0;
    if (c->loss == linear_relu_loss && !linear(d, SJK_STORE, v))
        n = 20;
    for (int b = 0; c->loss == film_loss && !film(d, x, v) && b < 24; b++) {
        const float *row = d->in[1] + b / 12 * 9 + b % 4;
        v[b] = x[b] * (1 + row[0]) + row[4];
        n = 24;
    }
    for (int i = 0; i < n; i++)
        near |= fabsf(v[i]) < 0.12f;
    return near;
}

/* Draws inputs; again, until no output of a layer with ReLU is near the corner. */
static void draw(struct data *d, const struct check *c, uint64_t *seed)
{
    int near = 1;
    while (near) {
        for (int i = 0; i < c->inputs; i++)
            for (size_t j = 0; j < c->size[i]; j++)
                d->in[i][j] = (float)normal(seed);
        for (size_t j = 0; j < room; j++)
            d->weight[j] = (float)normal(seed);
        near = near_corner(d, c);
    }
}

static void run(struct data *d, const struct check *c, uint64_t *seed)
{
    double worst = 0, scale = 0;
    draw(d, c, seed);
    memset(d->grad, 0, sizeof d->grad);
    int s = c->gradient(d);
    for (int i = 0; i < c->inputs; i++)
        for (size_t j = 0; j < c->size[i]; j++) {
            double want = slope(d, c, &d->in[i][j]), off = fabs(want - d->grad[i][j]);
            scale = fmax(scale, fabs(want));
            worst = off <= worst ? worst : off;
        }
    ok(!s && worst <= 2e-5 * scale, "%s: gradient within %.1e of the largest, %.3g", c->name, worst / scale, scale);
}

/* Two steps of AdamW on a few values, against the formula. */
static void adamw(struct sjk *k)
{
    float p[3] = {1, -2, 0.5f}, m[3] = {0}, v[3] = {0}, ema[3] = {1, -2, 0.5f};
    double dp[3] = {1, -2, 0.5}, dm[3] = {0}, dv[3] = {0}, de[3] = {1, -2, 0.5}, worst = 0;
    int status = 0;
    for (int t = 1; t <= 2; t++) {
        float g[3] = {0.3f, -4, 0};
        const float c1 = (float)(1 - pow(0.9, t)), c2 = (float)(1 - pow(0.95, t));
        const struct sjk_adamw a = {0.01f, 0.9f, 0.95f, 1e-8f, 0.05f, c1, c2, 0.5f, 0.75f};
        for (int i = 0; i < 3; i++) {
            double x = 0.5 * g[i];
            dm[i] = 0.9 * dm[i] + 0.1 * x;
            dv[i] = 0.95 * dv[i] + 0.05 * x * x;
            dp[i] -= 0.01 * 0.05 * dp[i];
            dp[i] -= 0.01 * (dm[i] / (1 - pow(0.9, t))) / (sqrt(dv[i] / (1 - pow(0.95, t))) + 1e-8);
            de[i] = 0.75 * de[i] + 0.25 * dp[i];
        }
        const struct sjk_parameters s = {.n = 3, .p = p, .g = g, .m = m, .v = v, .ema = ema};
        status |= k->ops->adamw(k, &s, &a) || g[0] != 0 || g[1] != 0;
    }
    for (int i = 0; i < 3; i++)
        worst = fmax(worst, fmax(fabs(p[i] - dp[i]), fmax(fabs(ema[i] - de[i]), fabs(v[i] - dv[i]))));
    ok(!status && worst < 1e-6, "adamw: two steps as the formula, within %.1e", worst);
}

int main(void)
{
    static struct data d;
    char why[256];
    uint64_t seed = 7;
    if (sjk_open("cpu:reference", 1, &d.k, why, sizeof why)) {
        ok(0, "reference back end: %s", why);
        return done();
    }
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        run(&d, &checks[i], &seed);
    adamw(d.k);
    sjk_close(d.k);
    return done();
}
