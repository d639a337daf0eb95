/* product: matrix products by cuBLASLt, with a plan for each shape: descriptors and the algorithm.
 *
 * cuBLASLt counts by columns: a row-major D (m, n) is its D' (n, m), so D' = B' A', with our B as its first operand. */
#include "product_cuda.h"
#include "choices_cuda.h"

#include <cublasLt.h>
#include <stdlib.h>
#include <string.h>

enum { most_tried = 10 };

static const size_t workspace_size = (size_t)64 << 20; /* twice what NVIDIA advises for Hopper */

struct plan {
    struct plan *next;
    struct cuda_choice_key key;
    int exists; /* cuBLASLt has an algorithm */
    cublasLtMatmulDesc_t op;
    cublasLtMatrixLayout_t a, b, d; /* C is laid out as D */
    cublasLtMatmulAlgo_t algorithm;
};

struct state {
    cublasLtHandle_t handle;
    void *workspace;
    struct plan *plans;
    struct cuda_choices choices;
};

static int check(struct sjk *k, cublasStatus_t status, const char *what)
{
    if (status == CUBLAS_STATUS_SUCCESS)
        return 0;
    size_t v = cublasLtGetVersion();
    return sjk_fail(k, SJK_DEVICE, "%s: %s (cuBLASLt %zu.%zu.%zu)", what, cublasLtGetStatusString(status), v / 10000,
                    v / 100 % 100, v % 100);
}

static void plan_free(struct plan *p)
{
    if (p->a)
        cublasLtMatrixLayoutDestroy(p->a);
    if (p->b)
        cublasLtMatrixLayoutDestroy(p->b);
    if (p->d)
        cublasLtMatrixLayoutDestroy(p->d);
    if (p->op)
        cublasLtMatmulDescDestroy(p->op);
    free(p);
}

static void state_free(void *own)
{
    struct state *s = (struct state *)own;
    for (struct plan *p = s->plans, *next; p; p = next) {
        next = p->next;
        plan_free(p);
    }
    cuda_choices_close(&s->choices);
    if (s->handle)
        cublasLtDestroy(s->handle);
    cudaFree(s->workspace);
    free(s);
}

/* Made at the first product, which is never one that is being recorded. */
static struct state *opened(struct sjk *k)
{
    struct sjk_cuda *own = cuda_own(k);
    if (own->lt)
        return (struct state *)own->lt;
    struct state *s = (struct state *)calloc(1, sizeof *s);
    if (!s) {
        sjk_fail(k, SJK_MEMORY, "no memory for matrix products");
        return NULL;
    }
    int status = check(k, cublasLtCreate(&s->handle), "matrix products");
    if (!status)
        status = cuda_memory(k, workspace_size, &s->workspace);
    if (status) {
        state_free(s);
        return NULL;
    }
    if (!cuda_deterministic())
        cuda_choices_open(&s->choices, own->name, cublasLtGetVersion());
    own->lt = s;
    own->lt_free = state_free;
    return s;
}

int cuda_deterministic(void)
{
    const char *v = getenv("SJ_DETERMINISTIC");
    return v && *v && strcmp(v, "0") != 0;
}

/* The largest power of two up to 256 that the address is a multiple of. */
static uint32_t alignment(const void *p)
{
    uint32_t low = (uint32_t)((uintptr_t)p & 255);
    return low ? low & (0u - low) : 256;
}

static cudaDataType_t type(enum sjk_type t)
{
    return t == SJK_BF16 ? CUDA_R_16BF : CUDA_R_32F;
}

static struct cuda_choice_key key_of(const struct cuda_product *p, const void *bias)
{
    struct cuda_choice_key key = {{p->m, p->n, p->k, p->t, p->dt, p->a_turned, p->b_turned, p->lda, p->ldb, p->ldd,
                                   alignment(p->A), alignment(p->B), alignment(p->C), alignment(p->D),
                                   bias ? alignment(bias) : 0, p->C ? 1 + (p->C == p->D) : 0}};
    return key;
}

static cublasStatus_t set_bias(const struct plan *plan, const void *bias)
{
    return cublasLtMatmulDescSetAttribute(plan->op, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias);
}

static cublasStatus_t describe(struct plan *plan, const struct cuda_product *p, const void *bias)
{
    const cublasOperation_t first = p->b_turned ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasOperation_t second = p->a_turned ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasLtEpilogue_t epilogue = bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
    const cudaDataType_t bias_type = type(p->dt);
    uint64_t rows = (uint64_t)p->m, columns = (uint64_t)p->n, depth = (uint64_t)p->k;
    cublasStatus_t s = cublasLtMatmulDescCreate(&plan->op, CUBLAS_COMPUTE_32F, CUDA_R_32F);
    if (!s)
        s = cublasLtMatmulDescSetAttribute(plan->op, CUBLASLT_MATMUL_DESC_TRANSA, &first, sizeof first);
    if (!s)
        s = cublasLtMatmulDescSetAttribute(plan->op, CUBLASLT_MATMUL_DESC_TRANSB, &second, sizeof second);
    if (!s)
        s = cublasLtMatmulDescSetAttribute(plan->op, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue);
    if (!s && bias)
        s = cublasLtMatmulDescSetAttribute(plan->op, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, &bias_type, sizeof bias_type);
    if (!s && bias)
        s = set_bias(plan, bias);
    if (!s)
        s = cublasLtMatrixLayoutCreate(&plan->a, type(p->t), p->b_turned ? depth : columns,
                                       p->b_turned ? columns : depth, p->ldb);
    if (!s)
        s = cublasLtMatrixLayoutCreate(&plan->b, type(p->t), p->a_turned ? rows : depth, p->a_turned ? depth : rows,
                                       p->lda);
    return s ? s : cublasLtMatrixLayoutCreate(&plan->d, type(p->dt), columns, rows, p->ldd);
}

/* What cuBLASLt proposes, best first by its own estimate. Partial sums are kept in f32; with several parts of the depth
 * at once they are added in a fixed order. */
static cublasStatus_t propose(const struct state *s, const struct plan *plan, const struct cuda_product *p,
                              cublasLtMatmulHeuristicResult_t *found, int *n)
{
    const uint32_t schemes = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
    const uint32_t align[] = {alignment(p->B), alignment(p->A), p->C ? alignment(p->C) : alignment(p->D),
                              alignment(p->D)};
    const cublasLtMatmulPreferenceAttributes_t which[] = {
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES};
    cublasLtMatmulPreference_t want;
    cublasStatus_t status = cublasLtMatmulPreferenceCreate(&want);
    if (status)
        return status;
    status = cublasLtMatmulPreferenceSetAttribute(want, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace_size,
                                                  sizeof workspace_size);
    if (!status)
        status = cublasLtMatmulPreferenceSetAttribute(want, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &schemes,
                                                      sizeof schemes);
    for (int i = 0; i < 4 && !status; i++)
        status = cublasLtMatmulPreferenceSetAttribute(want, which[i], &align[i], sizeof align[i]);
    *n = 0;
    if (!status)
        status = cublasLtMatmulAlgoGetHeuristic(s->handle, plan->op, plan->a, plan->b, plan->d, plan->d, want,
                                                most_tried, found, n);
    cublasLtMatmulPreferenceDestroy(want);
    if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE) {
        *n = 0; /* nothing for this shape: not a failure */
        status = CUBLAS_STATUS_SUCCESS;
    }
    return status;
}

static cublasStatus_t launch(struct sjk *k, const struct state *s, const struct plan *plan,
                             const struct cuda_product *p, const cublasLtMatmulAlgo_t *algorithm, void *D)
{
    const float one = 1, beta = p->C ? 1 : 0;
    const void *C = p->C && p->C != p->D ? p->C : D;
    return cublasLtMatmul(s->handle, plan->op, &one, p->B, plan->a, p->A, plan->b, &beta, C, plan->d, D, plan->d,
                          algorithm, s->workspace, workspace_size, cuda_own(k)->stream);
}

/* Milliseconds of `runs` runs of one algorithm after one that is not counted; negative when it does not run. */
static float measure(struct sjk *k, const struct state *s, const struct plan *plan, const struct cuda_product *p,
                     const cublasLtMatmulAlgo_t *algorithm, void *D, const cudaEvent_t *event, int runs)
{
    float ms = -1;
    cublasStatus_t status = launch(k, s, plan, p, algorithm, D);
    cudaError_t error = cudaEventRecord(event[0], cuda_own(k)->stream);
    for (int i = 0; i < runs && !status && !error; i++)
        status = launch(k, s, plan, p, algorithm, D);
    if (!error)
        error = cudaEventRecord(event[1], cuda_own(k)->stream);
    if (!error)
        error = cudaEventSynchronize(event[1]);
    if (!error)
        error = cudaEventElapsedTime(&ms, event[0], event[1]);
    return status || error ? -1 : ms;
}

/* The fastest of the algorithms proposed; the first where nothing can be measured. What accumulates into its own
 * operand is measured on other memory. */
static int fastest(struct sjk *k, const struct state *s, const struct plan *plan, const struct cuda_product *p,
                   const cublasLtMatmulHeuristicResult_t *found, int n)
{
    const double work = 2.0 * (double)p->m * (double)p->n * (double)p->k;
    const size_t bytes = (size_t)(p->m * p->ldd) * sjk_type_size(p->dt);
    cudaEvent_t event[2] = {NULL, NULL};
    void *D = p->D, *other = NULL;
    int best = 0, runs = work > 1e13 ? 1 : work > 1e10 ? 4 : 16;
    float least = -1;
    if (p->C == p->D && cudaMalloc(&other, bytes) == cudaSuccess &&
        cudaMemsetAsync(other, 0, bytes, cuda_own(k)->stream) == cudaSuccess)
        D = other;
    int ready = (D != p->C) && cudaEventCreate(&event[0]) == cudaSuccess && cudaEventCreate(&event[1]) == cudaSuccess;
    for (int i = 0; i < n && ready; i++) {
        float ms = -1;
        if (found[i].state == CUBLAS_STATUS_SUCCESS)
            ms = measure(k, s, plan, p, &found[i].algo, D, event, runs);
        if (ms >= 0 && (least < 0 || ms < least)) {
            least = ms;
            best = i;
        }
    }
    for (int i = 0; i < 2; i++)
        if (event[i])
            cudaEventDestroy(event[i]);
    cudaFree(other);
    cudaGetLastError(); /* an algorithm that did not run is not chosen: not a failure */
    return best;
}

/* The algorithm: remembered, else measured, else the first proposed. */
static int choose(struct sjk *k, struct state *s, struct plan *plan, const struct cuda_product *p)
{
    cublasLtMatmulHeuristicResult_t found[most_tried];
    const enum cuda_mode mode = cuda_own(k)->mode;
    int n, best = 0, measured = !cuda_deterministic() && (mode == CUDA_RUN || mode == CUDA_FIRST);
    static_assert(sizeof plan->algorithm == sizeof(struct cuda_choice), "an algorithm is 64 bytes");
    const struct cuda_choice *known = cuda_choices_find(&s->choices, &plan->key);
    if (known) {
        memcpy(&plan->algorithm, known, sizeof plan->algorithm);
        if (!cublasLtMatmulAlgoCheck(s->handle, plan->op, plan->a, plan->b, plan->d, plan->d, &plan->algorithm,
                                     &found[0]) && found[0].workspaceSize <= workspace_size) {
            plan->exists = 1;
            return 0;
        }
    }
    int status = check(k, propose(s, plan, p, found, &n), "choosing a matrix product");
    if (status || !n)
        return status;
    if (measured && n > 1)
        best = fastest(k, s, plan, p, found, n);
    plan->algorithm = found[best].algo;
    plan->exists = 1;
    if (measured) {
        struct cuda_choice choice;
        memcpy(&choice, &plan->algorithm, sizeof choice);
        cuda_choices_add(&s->choices, &plan->key, &choice);
    }
    return 0;
}

static struct plan *plan_of(struct sjk *k, struct state *s, const struct cuda_product *p, const void *bias)
{
    struct cuda_choice_key key = key_of(p, bias);
    struct plan *plan = s->plans;
    while (plan && memcmp(&plan->key, &key, sizeof key) != 0)
        plan = plan->next;
    if (plan)
        return plan;
    plan = (struct plan *)calloc(1, sizeof *plan);
    if (!plan) {
        sjk_fail(k, SJK_MEMORY, "no memory for a matrix product");
        return NULL;
    }
    plan->key = key;
    if (check(k, describe(plan, p, bias), "describing a matrix product") || choose(k, s, plan, p)) {
        plan_free(plan);
        return NULL;
    }
    plan->next = s->plans;
    s->plans = plan;
    return plan;
}

/* Whether the epilogues' kernels can take it: rows of the operands and of the output begin at multiples of 16 bytes. */
static int rows_aligned(const struct cuda_product *p)
{
    size_t in = sjk_type_size(p->t), out = sjk_type_size(p->dt);
    return (p->lda * in | p->ldb * in | p->ldd * out) % 16 == 0 &&
           ((uintptr_t)p->A | (uintptr_t)p->B | (uintptr_t)p->D | (uintptr_t)p->C | (uintptr_t)p->bias) % 16 == 0;
}

int cuda_product_lt(struct sjk *k, const struct cuda_product *p)
{
    const void *bias = p->bias;
    if ((p->t == SJK_F32 && p->dt == SJK_BF16) || (bias && !rows_aligned(p)))
        return CUDA_PRODUCT_NONE;
    if (p->m <= 0 || p->n <= 0 || cuda_replays(k))
        return 0;
    struct state *s = opened(k);
    if (!s)
        return SJK_DEVICE;
    if (bias && p->dt == SJK_BF16) {
        void *rounded = cuda_scratch(k, (size_t)p->n * 2);
        if (!rounded || cuda_cast(k, (size_t)p->n, p->bias, SJK_F32, rounded, SJK_BF16))
            return SJK_DEVICE;
        bias = rounded;
    }
    struct plan *plan = plan_of(k, s, p, bias);
    if (!plan)
        return SJK_DEVICE;
    if (!plan->exists)
        return CUDA_PRODUCT_NONE;
    int status = bias ? check(k, set_bias(plan, bias), "a bias") : 0;
    return status ? status : check(k, launch(k, s, plan, p, &plan->algorithm, p->D), "a matrix product");
}
