/* adamw_cuda: AdamW and the moving average in one pass. The step's numbers are read from device memory, so that a
 * recorded step takes new ones. */
#include "device.h"

enum { threads = 256 };

template <int V>
static __global__ void adamw_values(int64_t n, float *__restrict__ p, float *__restrict__ g, float *__restrict__ m,
                                    float *__restrict__ v, float *__restrict__ ema,
                                    const struct sjk_adamw *__restrict__ numbers)
{
    int64_t i = ((int64_t)blockIdx.x * threads + threadIdx.x) * V;
    const float zero[V] = {0};
    float x[V], grad[V], first[V], second[V], average[V];
    if (i >= n)
        return;
    const struct sjk_adamw a = *numbers;
    const float step = a.rate / a.correction1, keep = 1 - a.rate * a.decay, root = 1 / sqrtf(a.correction2);
    load<V>((const float *)p + i, x);
    load<V>((const float *)g + i, grad);
    load<V>((const float *)m + i, first);
    load<V>((const float *)v + i, second);
    if (ema)
        load<V>((const float *)ema + i, average);
    for (int j = 0; j < V; j++) {
        float d = grad[j] * a.gradient_scale;
        first[j] = first[j] * a.beta1 + d * (1 - a.beta1);
        second[j] = second[j] * a.beta2 + d * d * (1 - a.beta2);
        x[j] = x[j] * keep - first[j] * step / (sqrtf(second[j]) * root + a.eps);
        if (ema)
            average[j] = average[j] * a.ema_rate + x[j] * (1 - a.ema_rate);
    }
    store<V>(p + i, x);
    store<V>(g + i, zero);
    store<V>(m + i, first);
    store<V>(v + i, second);
    if (ema)
        store<V>(ema + i, average);
}

int cuda_adamw(struct sjk *k, size_t n, float *p, float *g, float *m, float *v, float *ema, const struct sjk_adamw *a)
{
    int64_t count = (int64_t)n;
    if (!n)
        return 0;
    const struct sjk_adamw *at = (const struct sjk_adamw *)cuda_stage(k, a, sizeof *a);
    if (!at)
        return SJK_DEVICE;
    int64_t packed = 0;
    if (cuda_packs<4>(p) && cuda_packs<4>(g) && cuda_packs<4>(m) && cuda_packs<4>(v) && cuda_packs<4>(ema))
        packed = count / 4 * 4;
    int status = !packed ? 0
                         : CUDA_LAUNCH(k, cuda_blocks(packed, threads * 4), threads, 0, adamw_values<4>, packed, p, g,
                                       m, v, ema, at);
    if (status || packed == count)
        return status;
    return CUDA_LAUNCH(k, cuda_blocks(count - packed, threads), threads, 0, adamw_values<1>, count - packed,
                       p + packed, g + packed, m + packed, v + packed, ema ? ema + packed : NULL, at);
}
