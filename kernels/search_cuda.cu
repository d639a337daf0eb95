/* search_cuda: top-k. A block goes through a row's scores once; the few that beat the worst of the best so far are
 * collected and merged into the row's list, which stays in the first-level cache. */
#include "device.h"

enum { threads = 256, warps = threads / 32, V = 4 };

/* Whether (a, i) ranks before (b, j); an unused place (j < 0) ranks last. */
static __device__ __forceinline__ int before(float a, int64_t i, float b, int64_t j)
{
    return j < 0 || a > b || (a == b && i < j);
}

/* Candidates of a round: at most one a thread. */
struct candidates {
    float score[threads];
    int64_t index[threads];
    int count[warps];
};

/* Merges the n candidates into the list. An entry moves down by the number of candidates before it: from the end of the
 * list in steps of a block, so that nothing is overwritten that has yet to move. */
static __device__ void merge(const candidates *c, int n, int64_t count, float *best, int64_t *index)
{
    int64_t rank = count;
    float score = 0;
    int64_t own = -1;
    if ((int)threadIdx.x < n) {
        int64_t low = 0, high = count; /* entries before the candidate */
        score = c->score[threadIdx.x];
        own = c->index[threadIdx.x];
        while (low < high) {
            int64_t middle = (low + high) / 2;
            if (before(score, own, best[middle], index[middle]))
                high = middle;
            else
                low = middle + 1;
        }
        rank = low;
        for (int i = 0; i < n; i++)
            rank += i != (int)threadIdx.x && before(c->score[i], c->index[i], score, own);
    }
    for (int64_t from = (count - 1) / threads * threads; from >= 0; from -= threads) {
        int64_t at = from + threadIdx.x, to = count, j = -1;
        float s = 0;
        if (at < count) {
            s = best[at];
            j = index[at];
            to = at;
            for (int i = 0; i < n; i++)
                to += before(c->score[i], c->index[i], s, j);
        }
        __syncthreads();
        if (to < count && to > at) {
            best[to] = s;
            index[to] = j;
        }
    }
    if (rank < count) {
        best[rank] = score;
        index[rank] = own;
    }
    __syncthreads();
}

/* One score a thread: those that belong in the list go there. */
static __device__ void offer(candidates *c, float s, int64_t j, int take, int64_t count, float *best, int64_t *index)
{
    take = take && before(s, j, best[count - 1], index[count - 1]);
    unsigned set = __ballot_sync(0xffffffffu, take);
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, at = 0, n = 0;
    if (lane == 0)
        c->count[warp] = __popc(set);
    __syncthreads();
    for (int i = 0; i < warps; i++) {
        at += i < warp ? c->count[i] : 0;
        n += c->count[i];
    }
    at += __popc(set & ((1u << lane) - 1));
    if (take) {
        c->score[at] = s;
        c->index[at] = j;
    }
    __syncthreads();
    if (n)
        merge(c, n, count, best, index);
}

/* Scores `at` and on, as many of W as there are. */
template <int W> static __device__ __forceinline__ void load_some(const float *s, int64_t at, int64_t n, float v[W])
{
    if (at + W <= n)
        load<W>(s + at, v);
    else
        for (int i = 0; i < W; i++)
            v[i] = at + i < n ? s[at + i] : NAN;
}

template <int W>
static __global__ void __launch_bounds__(threads)
    top_rows(int64_t n, const float *__restrict__ s, int64_t ld, int64_t base, int64_t count, float *best,
             int64_t *index)
{
    __shared__ candidates c;
    const int64_t step = threads * W;
    float next[W], v[W];
    s += blockIdx.x * ld;
    best += blockIdx.x * count;
    index += blockIdx.x * count;
    load_some<W>(s, threadIdx.x * W, n, next);
    for (int64_t from = 0; from < n; from += step) {
        const int64_t at = from + threadIdx.x * W, worst_index = index[count - 1];
        const float worst = best[count - 1];
        int any = 0;
        for (int i = 0; i < W; i++)
            v[i] = next[i];
        load_some<W>(s, at + step, n, next);
        for (int i = 0; i < W; i++)
            any |= v[i] == v[i] && before(v[i], base + at + i, worst, worst_index);
        if (!__syncthreads_or(any))
            continue;
        for (int i = 0; i < W; i++)
            offer(&c, v[i], base + at + i, v[i] == v[i], count, best, index);
    }
}

int cuda_top_k(struct sjk *k, int64_t rows, int64_t n, const float *s, int64_t ld, int64_t base, int64_t count,
               float *best, int64_t *index)
{
    if (ld < n)
        return sjk_fail(k, SJK_BAD, "%lld scores in a row of %lld", (long long)n, (long long)ld);
    if (rows <= 0 || n <= 0 || count <= 0)
        return 0;
    if (ld % V || !cuda_packs<V>(s))
        return CUDA_LAUNCH(k, (unsigned)rows, threads, 0, top_rows<1>, n, s, ld, base, count, best, index);
    return CUDA_LAUNCH(k, (unsigned)rows, threads, 0, top_rows<V>, n, s, ld, base, count, best, index);
}
