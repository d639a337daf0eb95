/* sdpa_graph: attention in bf16 as cuDNN operation graphs, and their execution plans. Only sources that may include
 * cudnn.h include this.
 *
 * qkv (B, K, 3, H, E), out and dout (B, K, H, E), dqkv as qkv, all bf16 and packed; stat (B, H, K) f32: the natural
 * logarithm of the sum of e^score, which is cuDNN's statistic too. Backward goes by the graph of single operations that
 * cuDNN's engines know as attention: the operation made for it is refused by cuDNN 9.19. */
#ifndef SJK_SDPA_GRAPH_CUDA_H
#define SJK_SDPA_GRAPH_CUDA_H

#include <cudnn.h>

/* Backward of the second kind has the same bits every time: the gradients of the queries are not added up by several
 * blocks in any order; it takes more workspace. */
enum sdpa_kind { SDPA_FORWARD, SDPA_FORWARD_STAT, SDPA_BACKWARD, SDPA_BACKWARD_FIXED };

/* What a plan wants at execution. Scale and one are f32 of the host (1 / sqrt E, and 1); dot f32 (B, H, K) and sum f32
 * (B, H, K, E) are device scratch of backward, sum not of SDPA_BACKWARD_FIXED. */
enum sdpa_tensor {
    SDPA_Q = 1, SDPA_K, SDPA_V, SDPA_OUT, SDPA_STAT, SDPA_SCALE,
    SDPA_DOUT, SDPA_DQ, SDPA_DK, SDPA_DV, SDPA_ONE, SDPA_DOT, SDPA_SUM,
    SDPA_TENSORS
};

struct sdpa_shape {
    int64_t B, K, H, E;
};

enum { sdpa_descriptors = 192 };

struct sdpa_plan {
    cudnnBackendDescriptor_t plan, all[sdpa_descriptors]; /* plan is one of all */
    int n;
    int64_t workspace; /* bytes of device memory */
};

/* Plans for the device of `handle`, or when that is NULL for the one that `device` (a finalised DEVICEPROP descriptor)
 * describes. Returns 0; or -1 with the reason in why and nothing to free. */
int sdpa_plan_make(struct sdpa_plan *, cudnnHandle_t handle, cudnnBackendDescriptor_t device, struct sdpa_shape,
                   enum sdpa_kind, char *why, size_t size);
void sdpa_plan_free(struct sdpa_plan *);

/* Reason "cuDNN 9.19.0: WHAT: the status, the library's words". */
void sdpa_reason(char *why, size_t size, const char *what, cudnnStatus_t);

#endif
