/* Reference: attention of one (batch, head) at a time, its matrices as doubles in scratch. */
#include "ref.h"

/* One head's operands: Q, K, V, the output and their gradients are (K, E); S and G (K, K). */
struct head {
    int64_t K, E;
    double *q, *k, *v, *o, *dq, *dk, *dv, *p, *g;
};

static int head_open(struct sjk *k, int64_t K, int64_t E, struct head *h)
{
    double *at = sjk_scratch(k, (size_t)(7 * K * E + 2 * K * K) * sizeof *at);
    if (!at)
        return SJK_MEMORY;
    double **part[] = {&h->q, &h->k, &h->v, &h->o, &h->dq, &h->dk, &h->dv};
    for (int i = 0; i < 7; i++, at += K * E)
        *part[i] = at;
    h->p = at;
    h->g = at + K * K;
    h->K = K;
    h->E = E;
    return 0;
}

/* Rows of E values, `stride` apart, from element `at` of a tensor of type t. */
static void rows_in(const struct head *h, const void *x, enum sjk_type t, int64_t at, int64_t stride, double *y)
{
    for (int64_t i = 0; i < h->K; i++)
        for (int64_t e = 0; e < h->E; e++)
            y[i * h->E + e] = sjk_load(x, t, at + i * stride + e);
}

static void rows_out(const struct head *h, const double *y, void *x, enum sjk_type t, int64_t at, int64_t stride)
{
    for (int64_t i = 0; i < h->K; i++)
        for (int64_t e = 0; e < h->E; e++)
            sjk_store(x, t, at + i * stride + e, (float)y[i * h->E + e]);
}

/* p = softmax(q k^T / sqrt E) row by row; stat (when not NULL): ln of the rows' sums. */
static void probabilities(const struct head *h, float *stat)
{
    int64_t K = h->K, E = h->E;
    for (int64_t i = 0; i < K; i++) {
        double *p = h->p + i * K, top = -INFINITY, sum = 0;
        for (int64_t j = 0; j < K; j++) {
            p[j] = 0;
            for (int64_t e = 0; e < E; e++)
                p[j] += h->q[i * E + e] * h->k[j * E + e];
            p[j] /= sqrt((double)E);
            top = p[j] > top ? p[j] : top;
        }
        for (int64_t j = 0; j < K; j++)
            sum += p[j] = exp(p[j] - top);
        for (int64_t j = 0; j < K; j++)
            p[j] /= sum;
        if (stat)
            stat[i] = (float)(top + log(sum));
    }
}

/* y (K, E) = a x, or a^T x, where a is (K, K). */
static void times(const struct head *h, const double *a, int transposed, const double *x, double *y)
{
    int64_t K = h->K, E = h->E;
    memset(y, 0, (size_t)(K * E) * sizeof *y);
    for (int64_t i = 0; i < K; i++)
        for (int64_t j = 0; j < K; j++) {
            double v = transposed ? a[j * K + i] : a[i * K + j];
            for (int64_t e = 0; e < E; e++)
                y[i * E + e] += v * x[j * E + e];
        }
}

int ref_attention(struct sjk *k, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const void *qkv,
                  void *out, float *stat)
{
    struct head h;
    if (head_open(k, K, E, &h))
        return SJK_MEMORY;
    int64_t D = H * E;
    for (int64_t b = 0; E && b < B; b++)
        for (int64_t i = 0; i < H; i++) {
            int64_t at = b * K * 3 * D + i * E;
            rows_in(&h, qkv, t, at, 3 * D, h.q);
            rows_in(&h, qkv, t, at + D, 3 * D, h.k);
            rows_in(&h, qkv, t, at + 2 * D, 3 * D, h.v);
            probabilities(&h, stat ? stat + (b * H + i) * K : NULL);
            times(&h, h.p, 0, h.v, h.o);
            rows_out(&h, h.o, out, t, b * K * D + i * E, D);
        }
    return 0;
}

/* g = gradient of the scores (before the scale) from the gradient `o` of the output. */
static void score_gradient(const struct head *h)
{
    int64_t K = h->K, E = h->E;
    for (int64_t i = 0; i < K; i++) {
        double *p = h->p + i * K, *g = h->g + i * K, dot = 0;
        for (int64_t j = 0; j < K; j++) {
            g[j] = 0;
            for (int64_t e = 0; e < E; e++)
                g[j] += h->o[i * E + e] * h->v[j * E + e];
            dot += g[j] * p[j];
        }
        for (int64_t j = 0; j < K; j++)
            g[j] = p[j] * (g[j] - dot) / sqrt((double)E);
    }
}

/* From qkv and dout alone: this is the definition. */
int ref_attention_backward(struct sjk *k, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const void *qkv,
                           const void *out, const float *stat, const void *dout, void *dqkv)
{
    struct head h;
    (void)out;
    (void)stat;
    if (head_open(k, K, E, &h))
        return SJK_MEMORY;
    int64_t D = H * E;
    for (int64_t b = 0; E && b < B; b++)
        for (int64_t i = 0; i < H; i++) {
            int64_t at = b * K * 3 * D + i * E;
            rows_in(&h, qkv, t, at, 3 * D, h.q);
            rows_in(&h, qkv, t, at + D, 3 * D, h.k);
            rows_in(&h, qkv, t, at + 2 * D, 3 * D, h.v);
            rows_in(&h, dout, t, b * K * D + i * E, D, h.o);
            probabilities(&h, NULL);
            times(&h, h.p, 1, h.o, h.dv);
            score_gradient(&h);
            times(&h, h.g, 0, h.k, h.dq);
            times(&h, h.g, 1, h.q, h.dk);
            rows_out(&h, h.dq, dqkv, t, at, 3 * D);
            rows_out(&h, h.dk, dqkv, t, at + D, 3 * D);
            rows_out(&h, h.dv, dqkv, t, at + 2 * D, 3 * D);
        }
    return 0;
}
