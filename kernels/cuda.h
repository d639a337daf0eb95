/* cuda: what the sources of the CUDA back end share (libsj-cuda.so). Not for callers.
 *
 * Everything is launched on one stream, so that operations run in the order of the calls and none waits for the device
 * but get, sync, and what allocates. Work between begin and end runs as it is called the first time a key is seen, is
 * recorded the second time and replayed from the third on: then the operations are called but launch nothing. So every
 * operation either launches by CUDA_LAUNCH or asks cuda_replays() first, and never calls the runtime otherwise.
 *
 * Compiled with -DSJ_EMULATED for the host, emulation.h stands for the CUDA runtime, CUDA_LAUNCH and the functions
 * of dev_cuda.cu. */
#ifndef SJK_CUDA_H
#define SJK_CUDA_H

#ifdef __cplusplus
extern "C" {
#endif
#include "cpu.h"
#ifdef __cplusplus
}
#endif

#ifdef SJ_EMULATED
#include "emulation.h"
#else
#include <cuda_bf16.h>
#include <cuda_runtime.h>

/* Launches kernel<<<grid, block, shared_bytes>>>(...) on the back end's stream; 0, or the status with the reason. A
 * template with commas goes in brackets. */
#define CUDA_LAUNCH(k, grid, block, shared_bytes, kernel, ...)                                        \
    (cuda_replays(k) ? 0                                                                             \
                     : (kernel<<<(grid), (block), (shared_bytes), cuda_own(k)->stream>>>(__VA_ARGS__), \
                        cuda_check((k), cudaGetLastError(), #kernel)))
#endif

#ifndef SJ_EMULATED
enum { cuda_event_flags = cudaEventDisableTiming | cudaEventBlockingSync }; /* waiting leaves the processor alone */
#endif
enum cuda_mode { CUDA_RUN, CUDA_FIRST, CUDA_RECORD, CUDA_REPLAY }; /* CUDA_FIRST runs too, and counts what is staged */

struct cuda_work; /* recorded work: repeat_cuda.cu's */

/* The CUDA part of an open back end. */
struct sjk_cuda {
    struct sjk_own own; /* first, as in every back end */
    int device, capability, multiprocessors; /* capability: 10 * major + minor */
    char name[256];
    cudaStream_t stream, arrival; /* of the operations; of the inboxes */
    enum cuda_mode mode;
    struct cuda_work *work, *current; /* all that is known, latest first; what was begun */
    void *scratch;
    size_t scratch_size;
    void *slot; /* what cuda_stage fills outside recorded work */
    size_t slot_size;
    void *lt, *sdpa; /* made at first use by linear_cuda.cu and attention_cuda.cu, NULL before */
    void (*lt_free)(void *), (*sdpa_free)(void *);
};

static inline struct sjk_cuda *cuda_own(const struct sjk *k)
{
    return (struct sjk_cuda *)k->own;
}

/* Whether what is called now is replayed at end: then an operation does nothing (CUDA_LAUNCH asks itself). */
static inline int cuda_replays(const struct sjk *k)
{
    return cuda_own(k)->mode == CUDA_REPLAY;
}

#ifdef __cplusplus
extern "C" {
#endif

/* 0 for cudaSuccess, else the status SJK_DEVICE with the reason "what: the runtime's words". */
int cuda_check(struct sjk *, cudaError_t, const char *what);

/* `bytes` of device memory for cudaFree, not cleared, NULL for 0; a status when there is none, its reason says how much
 * is needed and free. Allowed where alloc is, and in a first run. */
int cuda_memory(struct sjk *, size_t bytes, void **p);

/* `bytes` of device memory, 256-byte aligned, not cleared; the next call gives the same memory again. NULL: no memory,
 * reason recorded. Growing it waits for the device and forgets recorded work, whose pointers are stale; the first run
 * of a key makes it grow, so that it never has to while the key is recorded. */
void *cuda_scratch(struct sjk *, size_t bytes);

/* A copy of `bytes` (> 0) of host memory in device memory, 16-byte aligned, for what is launched before the next call:
 * small numbers that change from step to step although their kernel is recorded. In replay it copies the new numbers
 * and gives the recorded address. NULL: reason recorded. */
const void *cuda_stage(struct sjk *, const void *host, size_t bytes);

/* Ends what was begun and never ended, because it failed; for the operations that do not belong between begin and end.
 * Makes the device current for this thread. */
void cuda_settle(struct sjk *);
/* Waits and discards all recorded graphs: work is recorded again when it is next met. */
void cuda_forget(struct sjk *);
/* Releases all that repeated work keeps, with the keys. */
void cuda_repeat_close(struct sjk *);

/* As sjk_open. dev_cuda.cu */
int cuda_open(int device, int threads, struct sjk **, char *why, size_t size);
extern const struct sjk_ops sjk_ops_cuda; /* table_cuda.cu */

/* dev_cuda.cu, repeat_cuda.cu (put, begin, end), inbox_cuda.cu. cuda_inbox_take always gives the same address, so that
 * recorded work may read it; take, as get, does not belong between begin and end. cuda_zero and cuda_copy are for
 * operations too: they take part in recording. */
int cuda_alloc(struct sjk *, size_t bytes, void **p);
void cuda_free(struct sjk *, void *p);
int cuda_put(struct sjk *, void *dst, const void *host, size_t bytes);
int cuda_get(struct sjk *, void *host, const void *src, size_t bytes);
int cuda_copy(struct sjk *, void *dst, const void *src, size_t bytes);
int cuda_zero(struct sjk *, void *dst, size_t bytes);
int cuda_sync(struct sjk *);
int cuda_begin(struct sjk *, uint64_t key);
int cuda_end(struct sjk *);
int cuda_inbox_new(struct sjk *, size_t bytes, struct sjk_inbox **);
void cuda_inbox_free(struct sjk *, struct sjk_inbox *);
void *cuda_inbox_host(struct sjk *, struct sjk_inbox *);
int cuda_inbox_send(struct sjk *, struct sjk_inbox *);
int cuda_inbox_take(struct sjk *, struct sjk_inbox *, const void **data);

/* layout_cuda.cu */
int cuda_cast(struct sjk *, size_t n, const void *x, enum sjk_type xt, void *y, enum sjk_type yt);
int cuda_repeat(struct sjk *, int64_t B, int64_t rows, int64_t D, const float *src, float *dst);
int cuda_patches(struct sjk *, int64_t B, int64_t W, int64_t F, int64_t T, const float *mel, void *x,
                 enum sjk_type xt);
int cuda_concat(struct sjk *, int64_t B, int64_t K, int64_t D, enum sjk_type t, const void *z, const float *table,
                const int32_t *index, void *y);
int cuda_concat_backward(struct sjk *, int64_t B, int64_t K, int64_t D, enum sjk_type t, const void *dy,
                         const int32_t *index, void *dz, float *dtable);
int cuda_prepend(struct sjk *, int64_t B, int64_t K, int64_t D, const float *x, const float *table,
                 const int32_t *index, float *y);
int cuda_prepend_backward(struct sjk *, int64_t B, int64_t K, int64_t D, const float *dy, const int32_t *index,
                          float *dx, enum sjk_type t, void *dx_copy, float *dtable, float *dsum);
int cuda_pool(struct sjk *, int64_t N, int64_t W, int64_t P, int64_t D, const float *x, float *y);
int cuda_pool_backward(struct sjk *, int64_t N, int64_t W, int64_t P, int64_t D, const float *dy, float *dx);

/* norm_cuda.cu, activation_cuda.cu */
int cuda_layernorm(struct sjk *, int64_t M, int64_t D, const float *x, const float *gamma, const float *beta, void *y,
                   enum sjk_type yt, float *stat);
int cuda_layernorm_backward(struct sjk *, int64_t M, int64_t D, const float *x, const float *gamma, const float *stat,
                            const void *dy, enum sjk_type dyt, float *dx, int accumulate, enum sjk_type ct,
                            void *dx_copy, float *dgamma, float *dbeta, float *dsum);
int cuda_gelu(struct sjk *, int64_t M, int64_t N, enum sjk_type t, const void *x, void *y);
int cuda_gelu_backward(struct sjk *, int64_t M, int64_t N, enum sjk_type t, const void *x, void *dy, float *dbias);
int cuda_relu_backward(struct sjk *, int64_t M, int64_t N, enum sjk_type t, const void *y, void *dy, float *dbias);
int cuda_column_sum(struct sjk *, int64_t M, int64_t N, enum sjk_type t, const void *x, float *sum);

/* film_cuda.cu */
int cuda_film(struct sjk *, int64_t B, int64_t K, int64_t N, enum sjk_type t, const void *x, const float *film,
              int64_t ld, void *y);
int cuda_film_backward(struct sjk *, int64_t B, int64_t K, int64_t N, enum sjk_type t, const void *x, const void *y,
                       const float *film, int64_t ld, void *dy, float *dfilm, float *dbias);

/* linear_cuda.cu */
int cuda_linear_new(struct sjk *, int64_t N, int64_t K, enum sjk_type t, struct sjk_linear **);
void cuda_linear_free(struct sjk *, struct sjk_linear *);
int cuda_linear_pack(struct sjk *, struct sjk_linear *, const float *W, int which);
int cuda_linear_forward(struct sjk *, struct sjk_linear *, int64_t M, const void *x, const float *bias,
                        const float *added, void *y, enum sjk_type yt, enum sjk_epilogue);
int cuda_linear_forward_gelu(struct sjk *, struct sjk_linear *, int64_t M, const void *x, const float *bias,
                             void *before, void *y);
int cuda_linear_backward_x(struct sjk *, struct sjk_linear *, int64_t M, const void *dy, void *dx, enum sjk_type dxt);
int cuda_linear_backward_gelu(struct sjk *, struct sjk_linear *, int64_t M, const void *dy, const void *before,
                              void *dx, float *dbias);
int cuda_linear_backward_w(struct sjk *, struct sjk_linear *, int64_t M, const void *dy, const void *x, float *dW,
                           int add);
int cuda_matmul_nt(struct sjk *, int64_t M, int64_t N, int64_t K, enum sjk_type t, const void *A, int64_t lda,
                   const void *B, int64_t ldb, float *C, int64_t ldc);

/* attention_cuda.cu (bf16; hands f32 on), attention_f32_cuda.cu */
int cuda_attention(struct sjk *, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const void *qkv,
                   void *out, float *stat);
int cuda_attention_backward(struct sjk *, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const void *qkv,
                            const void *out, const float *stat, const void *dout, void *dqkv);
int cuda_attention_f32(struct sjk *, int64_t B, int64_t K, int64_t H, int64_t E, const float *qkv, float *out,
                       float *stat);
int cuda_attention_f32_backward(struct sjk *, int64_t B, int64_t K, int64_t H, int64_t E, const float *qkv,
                                const float *out, const float *stat, const float *dout, float *dqkv);

/* rotate_cuda.cu */
int cuda_rotate(struct sjk *, int64_t B, int64_t K, int64_t H, int64_t E, enum sjk_type t, const float *turns,
                int back, void *qkv);

/* objective_cuda.cu, adamw_cuda.cu */
int cuda_cosine_loss(struct sjk *, int64_t M, int64_t D, const float *p, const float *t, float scale, double *loss,
                     float *dp);
int cuda_infonce(struct sjk *, int64_t B, int64_t E, const float *p, const float *t, const struct sjk_contrast *,
                 double *sums, float *dp, float *dt);
int cuda_sum_squares(struct sjk *, size_t n, const float *x, double *sum);
int cuda_adamw(struct sjk *, const struct sjk_parameters *, const struct sjk_adamw *);

/* mel_cuda.cu, search_cuda.cu */
int cuda_frames(struct sjk *, int64_t T, int64_t n, int64_t hop, const float *wave, const float *window, float *frame);
int cuda_log_mel(struct sjk *, int64_t T, const float *spectrum, const struct sjk_filterbank *, float eps, float mean,
                 float std, float *out, int64_t stride);
int cuda_mel(struct sjk *, int64_t B, int64_t n, const void *wave, int i16, const struct sjk_spectra *, int64_t T,
             float *out);
int cuda_top_k(struct sjk *, int64_t rows, int64_t n, const float *s, int64_t ld, int64_t base, int64_t count,
               float *best, int64_t *index);

#ifdef __cplusplus
}
#endif
#endif
