/* sjk: the operations that a back end provides, one table per back end and instruction set.
 *
 * Contract
 *   - A `struct sjk` is one open back end: a table, a number of threads, scratch memory. It is used by one thread at a
 *     time. Buffers belong to the back end that allocated them; only put/get cross. On the CPU they are plain memory.
 *   - Every operation returns 0, or a status (values as the programs' exit statuses: 2 bad argument, 4 memory,
 *     5 device) with the reason in sjk_reason(). Nothing here prints, exits or aborts.
 *   - Results do not depend on the number of threads (fixed partition of every reduction).
 *   - Sizes of 0 are valid and do nothing. Inputs and outputs do not overlap unless said ("in place").
 *   - NaN and infinity propagate as in the formula.
 *   - kernels/ref*.c, scalar with double accumulation, is the definition; others agree within the bounds stated below,
 *     relative to the largest absolute value of the output, before or after (f32: 2e-6, bf16 outputs: 2^-8), unless
 *     said.
 * Dims: B batch, K token, D width, H head, E head width (D/H), M rows (B*K), N outputs, T frame, P time patch,
 * F frequency patch. All arrays are row-major and dense unless a stride is given. */
#ifndef SJK_H
#define SJK_H

#include <stddef.h>
#include <stdint.h>

enum sjk_type { SJK_F32 = 0, SJK_BF16 = 1 }; /* of activations; parameters and sums are f32 */
/* What a linear layer does with v = x W^T + b: y = v | gelu(v) (erf) | max(v, 0) | added + v (y f32). */
enum sjk_epilogue { SJK_STORE, SJK_GELU, SJK_RELU, SJK_ADD };
enum sjk_pack { SJK_PACK_FORWARD = 1, SJK_PACK_BACKWARD = 2 };

struct sjk;
struct sjk_linear; /* one linear layer's packed weights and plans */
struct sjk_inbox;  /* host data on its way to the back end */

/* AdamW with decoupled decay (Loshchilov & Hutter 2019), as SPEC 6. */
struct sjk_adamw {
    float rate, beta1, beta2, eps, decay;
    float correction1, correction2; /* 1 - beta^t */
    float gradient_scale;           /* multiplies the gradient first: clipping, averaging */
    float ema_rate;
};

/* A linear layer whose weights (N, K) lie among parameters, from element `at`. */
struct sjk_layer {
    size_t at;
    struct sjk_linear *linear;  /* takes the new weights over, for both directions */
    struct sjk_linear *average; /* those of the moving average, forward; NULL: none does */
};

/* Parameters in training: n values each, back-end memory. */
struct sjk_parameters {
    size_t n;
    float *p, *g, *m, *v; /* weights, their gradient, and what AdamW keeps of it */
    float *ema;           /* moving average of the weights; NULL: none */
    const struct sjk_layer *layer; /* `layers` of them in the order of `at`, host memory */
    int layers;
};

/* Which rows of a batch are each other's negatives in the contrastive term, and how it counts. */
struct sjk_contrast {
    const int32_t *group;    /* (B), back-end memory: rows of one group are not each other's negatives */
    const int32_t *class_of; /* (B), back-end memory, or NULL: all of one class */
    float other;             /* weight of negatives of another class: 0 leaves them out, 1 */
    float temperature, scale;
    int both; /* 1: also each t against all p, half of the term each way; 0: p against t */
};

/* A bank of filters over spectrum bins, stored sparse: band m uses bins first[m] .. first[m]+count[m]-1 with
 * weight[offset[m] ...]. */
struct sjk_filterbank {
    int bands, bins;
    const int32_t *first, *count, *offset;
    const float *weight;
};

/* Log-mel spectra; the bank's arrays and the window are of the back end's memory. */
struct sjk_spectra {
    int size, hop;
    int64_t start;       /* of frame 0 in the wave: -size / 2 centres frame t on sample hop t */
    const float *window; /* (size) */
    struct sjk_filterbank bank; /* over size / 2 + 1 bins */
    float eps, mean, std;
};

struct sjk_ops {
    const char *name; /* "reference", "portable", "avx2", "avx512", "avx512bf16", "cuda" */
    int on_device;    /* 1: computes beside the host, in memory that is not the host's */
    int pass_samples; /* the most of a pass of training when nobody says; 0: what memory holds */

    /* -- memory -- */
    int (*alloc)(struct sjk *, size_t bytes, void **p); /* 64-byte aligned, zeroed; bytes 0 gives NULL */
    void (*free)(struct sjk *, void *p);
    int (*put)(struct sjk *, void *dst, const void *host, size_t bytes);
    int (*get)(struct sjk *, void *host, const void *src, size_t bytes); /* waits for what computes src */
    int (*copy)(struct sjk *, void *dst, const void *src, size_t bytes);
    int (*zero)(struct sjk *, void *dst, size_t bytes);
    int (*sync)(struct sjk *);

    /* -- repeated work -- */
    /* What happens between begin and end is repeated: whenever the key is the same, so are the calls and arguments in
     * the same order, but for what put copies and the numbers of adamw. A back end may keep it from the first time and
     * run it as a whole at end. No get, alloc, free, sync or inbox between. A failure ends it; any free drops all
     * that was kept. */
    int (*begin)(struct sjk *, uint64_t key);
    int (*end)(struct sjk *);

    /* -- host data that arrives while the back end computes -- */
    /* Fill `bytes` at inbox_host, then inbox_send; inbox_take gives the oldest data sent, in memory of the back end
     * that is valid until the next take. At most two sendings may wait to be taken. inbox_host waits until its buffer
     * may be filled; NULL on failure, also when two wait. */
    int (*inbox_new)(struct sjk *, size_t bytes, struct sjk_inbox **);
    void (*inbox_free)(struct sjk *, struct sjk_inbox *);
    void *(*inbox_host)(struct sjk *, struct sjk_inbox *);
    int (*inbox_send)(struct sjk *, struct sjk_inbox *);
    int (*inbox_take)(struct sjk *, struct sjk_inbox *, const void **data);

    /* -- elementwise and layout -- */
    /* y[i] = x[i] with conversion (bf16: round to nearest even). */
    int (*cast)(struct sjk *, size_t n, const void *x, enum sjk_type xt, void *y, enum sjk_type yt);
    /* dst (B, rows, D) = src (rows, D) for every b. f32. Positions before a SJK_ADD. */
    int (*repeat)(struct sjk *, int64_t B, int64_t rows, int64_t D, const float *src, float *dst);
    /* mel f32 (B, 16 F, W T) -> x (B, W, F*P, 256): each spectrogram in W pieces of T frames, P = T/16 (leftover frames
     * dropped); token f*P + p of a piece holds the patch row-major (mel band, frame): the im2col of the patch convolution
     * (SPEC 4). */
    int (*patches)(struct sjk *, int64_t B, int64_t W, int64_t F, int64_t T, const float *mel, void *x, enum sjk_type xt);
    /* y (B, K, 2D) = [z (B, K, D), table[index[b]] (D)]. z and y of type t; table f32 (classes, D). MLP predictor,
     * SPEC 5. */
    int (*concat)(struct sjk *, int64_t B, int64_t K, int64_t D, enum sjk_type t, const void *z, const float *table,
                  const int32_t *index, void *y);
    /* dz (B, K, D) = dy[.., :D]; dtable[index[b]] += sum over k of dy[b, k, D:]. */
    int (*concat_backward)(struct sjk *, int64_t B, int64_t K, int64_t D, enum sjk_type t, const void *dy,
                           const int32_t *index, void *dz, float *dtable);
    /* y f32 (B, K+1, D) = [table[index[b]]; x f32 (B, K, D)]: the class token in front. Transformer predictor,
     * SPEC 5. K 0: the classes' rows alone. */
    int (*prepend)(struct sjk *, int64_t B, int64_t K, int64_t D, const float *x, const float *table,
                   const int32_t *index, float *y);
    /* dx (B, K, D) = dy[:, 1:], as f32 and (dx_copy, when not NULL) as type t; dtable[index[b]] += dy[b, 0];
     * dsum (D) += column sums of dx when not NULL. */
    int (*prepend_backward)(struct sjk *, int64_t B, int64_t K, int64_t D, const float *dy, const int32_t *index,
                            float *dx, enum sjk_type t, void *dx_copy, float *dtable, float *dsum);
    /* y (W, N, D) = mean over p of x f32 (N, W, P, D): averages over each of W windows, those of one window together. */
    int (*pool)(struct sjk *, int64_t N, int64_t W, int64_t P, int64_t D, const float *x, float *y);
    /* dx (N, W, P, D) += dy (W, N, D) / P. */
    int (*pool_backward)(struct sjk *, int64_t N, int64_t W, int64_t P, int64_t D, const float *dy, float *dx);

    /* -- normalisation, activations -- */
    /* y = (x - mean) / sqrt(var + 1e-5) * gamma + beta per row (biased variance). x f32 (M, D); y type yt;
     * stat f32 (M, 2) = mean, 1/sqrt(var + 1e-5), or NULL. */
    int (*layernorm)(struct sjk *, int64_t M, int64_t D, const float *x, const float *gamma, const float *beta, void *y,
                     enum sjk_type yt, float *stat);
    /* g = gradient of layernorm for dy (type dyt). dx f32 (M, D) = (accumulate ? dx : 0) + g; dx_copy: the resulting
     * dx as type ct, or NULL; dgamma +=, dbeta += (D); dsum (D) += column sums of the resulting dx, or NULL. */
    int (*layernorm_backward)(struct sjk *, int64_t M, int64_t D, const float *x, const float *gamma, const float *stat,
                              const void *dy, enum sjk_type dyt, float *dx, int accumulate, enum sjk_type ct,
                              void *dx_copy, float *dgamma, float *dbeta, float *dsum);
    /* y = x/2 (1 + erf(x/sqrt 2)), x and y (M, N) of type t; may be in place. */
    int (*gelu)(struct sjk *, int64_t M, int64_t N, enum sjk_type t, const void *x, void *y);
    /* in place dy <- dy * gelu'(x); dbias (N) += column sums of the new dy (of the f32 values before rounding). */
    int (*gelu_backward)(struct sjk *, int64_t M, int64_t N, enum sjk_type t, const void *x, void *dy, float *dbias);
    /* in place dy <- y > 0 ? dy : 0 where y = relu(x); dbias (N) += column sums of the new dy. */
    int (*relu_backward)(struct sjk *, int64_t M, int64_t N, enum sjk_type t, const void *y, void *dy, float *dbias);
    /* Feature-wise modulation (FiLM, Perez et al. 2018) and ReLU: y = max(0, x (1 + s_b) + a_b), x and y (B, K, N) of
     * type t; s_b = film[b, :N], a_b = film[b, N:2N], film f32 with rows `ld` apart. */
    int (*film)(struct sjk *, int64_t B, int64_t K, int64_t N, enum sjk_type t, const void *x, const float *film,
                int64_t ld, void *y);
    /* With g = y > 0 ? dy : 0: in place dy <- g (1 + s_b); dfilm (rows ld apart) = sums over k of g x and of g;
     * dbias (N) += sum over b of (1 + s_b) (sum over k of g). */
    int (*film_backward)(struct sjk *, int64_t B, int64_t K, int64_t N, enum sjk_type t, const void *x, const void *y,
                         const float *film, int64_t ld, void *dy, float *dfilm, float *dbias);
    /* sum (N) += column sums of x (M, N) of type t. */
    int (*column_sum)(struct sjk *, int64_t M, int64_t N, enum sjk_type t, const void *x, float *sum);

    /* -- linear layers: y = x W^T + b, W f32 (N, K) -- */
    /* A layer that computes in type t (operands x, dy of type t; sums f32). Owned by the caller, freed with
     * linear_free. */
    int (*linear_new)(struct sjk *, int64_t N, int64_t K, enum sjk_type t, struct sjk_linear **);
    void (*linear_free)(struct sjk *, struct sjk_linear *);
    /* Takes over the current values of W for forward and/or backward_x (which: enum sjk_pack bits). */
    int (*linear_pack)(struct sjk *, struct sjk_linear *, const float *W, int which);
    /* y (M, N) of type yt = epilogue(x (M, K) W^T + bias), bias f32 (N) or NULL; SJK_ADD wants yt f32 and `added` f32
     * (M, N), which may be y; else added is NULL. Bound of SJK_GELU in bf16 on a device: 2^-7,
     * the sum may be rounded before. */
    int (*linear_forward)(struct sjk *, struct sjk_linear *, int64_t M, const void *x, const float *bias,
                          const float *added, void *y, enum sjk_type yt, enum sjk_epilogue);
    /* before (M, N) = x W^T + bias and y (M, N) = gelu(before), both of the layer's type; y from the sum or from its
     * rounded value. */
    int (*linear_forward_gelu)(struct sjk *, struct sjk_linear *, int64_t M, const void *x, const float *bias,
                               void *before, void *y);
    /* dx (M, K) of type dxt = dy (M, N) W. */
    int (*linear_backward_x)(struct sjk *, struct sjk_linear *, int64_t M, const void *dy, void *dx, enum sjk_type dxt);
    /* dx (M, K) = (dy (M, N) W) * gelu'(before (M, K)), all of the layer's type; dbias f32 (K) += column sums of dx. */
    int (*linear_backward_gelu)(struct sjk *, struct sjk_linear *, int64_t M, const void *dy, const void *before,
                                void *dx, float *dbias);
    /* dW f32 (N, K) = dy^T x, with add: += that. */
    int (*linear_backward_w)(struct sjk *, struct sjk_linear *, int64_t M, const void *dy, const void *x, float *dW,
                             int add);
    /* C f32 (M, N; row stride ldc) = A (M, K; lda) B^T (N, K; ldb), A and B of type t. Search and k-means. */
    int (*matmul_nt)(struct sjk *, int64_t M, int64_t N, int64_t K, enum sjk_type t, const void *A, int64_t lda,
                     const void *B, int64_t ldb, float *C, int64_t ldc);

    /* -- attention -- */
    /* qkv (B, K, 3, H, E) -> out (B, K, H, E), both of type t: softmax(q k^T / sqrt E) v per (b, h); stat f32 (B, H,
     * K): ln sum over keys of e^score, or NULL. Bounds in bf16: of both directions 2^-7, because probabilities are
     * rounded to bf16 too, of stat 1e-4. */
    int (*attention)(struct sjk *, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const void *qkv,
                     void *out, float *stat);
    /* dqkv from qkv, dout and what attention made of qkv: out and stat. Infinity may become NaN. */
    int (*attention_backward)(struct sjk *, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t,
                              const void *qkv, const void *out, const float *stat, const void *dout, void *dqkv);

    /* Rotary positions (Su et al. 2021), in place in qkv (B, K, 3, H, E) of type t, E even: in every head of the queries
     * and keys of token k the pair x_i, x_{i + E/2}, i < E/2, becomes c x_i - s x_{i + E/2}, c x_{i + E/2} + s x_i with
     * c = turns[k, i], s = turns[k, E/2 + i]; turns f32 (K, E). back: with -s, which takes the gradient back. */
    int (*rotate)(struct sjk *, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const float *turns, int back,
                  void *qkv);

    /* -- objective and optimiser -- */
    /* SPEC 6 per row of p (prediction) and t (target), f32 (M, D): s = (t - mean) / sqrt(unbiased var + 1e-6),
     * l = 2 - 2 cos(p, s), norms clamped at 1e-12. *loss (one double, back-end memory) += sum of l over rows;
     * dp (when not NULL) = scale * dl/dp. Bound: 2e-6 relative. */
    int (*cosine_loss)(struct sjk *, int64_t M, int64_t D, const float *p, const float *t, float scale, double *loss,
                       float *dp);
    /* Contrastive term (InfoNCE; van den Oord et al. 2018). Rows of p, t f32 (B, E) have their mean taken off and are
     * scaled to length 1 (lengths clamped at 1e-12), as SPEC 8.1 compares them: u, v. q_ij = u_i v_j / temperature +
     * ln weight_ij; weight: 1 for j = i, else 0 in one group, `other` between classes, 1. sums (two doubles, back-end
     * memory) += sum_i -log softmax_i(q_i.) (both: half of it and half of the same over columns); the number of i
     * where q_ii > q_ij for all j. dp, dt (each may be NULL) = scale * gradient of the first. */
    int (*infonce)(struct sjk *, int64_t B, int64_t E, const float *p, const float *t, const struct sjk_contrast *,
                   double *sums, float *dp, float *dt);
    /* *sum (double, back-end memory) += sum of x[i]^2. */
    int (*sum_squares)(struct sjk *, size_t n, const float *x, double *sum);
    /* One AdamW step: g' = scale g; m = b1 m + (1-b1) g'; v = b2 v + (1-b2) g'^2;
     * p = p (1 - rate decay) - rate/correction1 * m / (sqrt(v / correction2) + eps);
     * ema (when not NULL) = ema_rate ema + (1 - ema_rate) p. Then the layers are packed; g stays theirs, and is 0
     * elsewhere. */
    int (*adamw)(struct sjk *, const struct sjk_parameters *, const struct sjk_adamw *);

    /* -- mel and search -- */
    /* frame (T, n) = wave[t hop + i] * window[i]. */
    int (*frames)(struct sjk *, int64_t T, int64_t n, int64_t hop, const float *wave, const float *window,
                  float *frame);
    /* spectrum: complex f32 (bins, T), frame fastest, interleaved re, im. out[m * stride + t] =
     * (ln(sum_k weight * |X|^2 + eps) - mean) / std. Bound: 2e-6 absolute on ln. */
    int (*log_mel)(struct sjk *, int64_t T, const float *spectrum, const struct sjk_filterbank *, float eps, float mean,
                   float std, float *out, int64_t stride);
    /* Log-mel spectra (SPEC 2): wave (B, n) int16 / 32768 when i16, else f32. Frame t is of the `size` samples from
     * start + hop t on, where the wave is mirrored about its first and last sample, beyond its ends by less than its
     * length (else SJK_BAD). Windowed, |X|^2 through the bank, ln(. + eps), normalised: out (B, bands, T). NULL in
     * tables whose host transforms as fast (lib/mel). Bound: 1e-4 absolute on noise; in nearly empty bands beside
     * full-scale ones the rounding of any f32 transform shows, up to 5.1e-4 measured. */
    int (*mel)(struct sjk *, int64_t B, int64_t n, const void *wave, int i16, const struct sjk_spectra *, int64_t T,
               float *out);
    /* For each row r: merges scores s[r * ld + 0..n-1], whose indices are base + column, into best (rows,
     * count) (descending score; equal scores: lower index first) and index (rows, count); unused places hold -inf and
     * -1 and rank last. NaN scores are never taken. */
    int (*top_k)(struct sjk *, int64_t rows, int64_t n, const float *s, int64_t ld, int64_t base, int64_t count,
                 float *best, int64_t *index);
};

/* An open back end. Public so that callers write k->ops->layernorm(k, ...); the rest is the back end's own. */
struct sjk {
    const struct sjk_ops *ops;
    int threads;
    char reason[512];
    void *own;
};

/* Opens `backend`: "auto", "cpu", "cpu:portable", "cpu:avx2", "cpu:avx512", "cpu:avx512bf16", "cpu:reference", or
 * "cuda[:N]"; threads 0: all processors this process may use. The matrix library of the process takes the instruction
 * set of the first CPU back end opened. On failure returns the status with the reason in why (size bytes). */
int sjk_open(const char *backend, int threads, struct sjk **, char *why, size_t size);
void sjk_close(struct sjk *);
const char *sjk_reason(const struct sjk *);

/* The CPU tables that this machine can run, reference first; *n says how many. For tests and benchmarks. */
const struct sjk_ops *const *sjk_cpu_tables(int *n);

/* Whether bf16 matrix products run natively here (AVX512-BF16 or better): the default precision follows it. */
int sjk_has_bf16(const struct sjk *);

static inline size_t sjk_type_size(enum sjk_type t) { return t == SJK_BF16 ? 2 : 4; }

#endif
