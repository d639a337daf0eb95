/* adamw_cpu: AdamW and the moving average in one pass; layers that say where their packed weights lie are packed in it
 * too, while the new weights are in the core's own cache. */
#include "cpu_ops.h"
#include "vec.h"

enum { chunk = 1 << 14, block_rows = SJK_PACK_ROWS, block_columns = 1024 };

/* The values from..to of some parameters, on this thread; of a layer or not. */
SJK_INLINE void values(const struct sjk_parameters *s, const struct sjk_adamw *a, int layer, int64_t from, int64_t to)
{
    float step = a->rate / a->correction1, keep = 1 - a->rate * a->decay, root = 1 / sqrtf(a->correction2);
    for (int64_t i = from; i < to; i += VW) {
        int64_t w = to - i;
        vf grad = vf_get(s->g, SJK_F32, i, w) * a->gradient_scale;
        vf first = vf_get(s->m, SJK_F32, i, w) * a->beta1 + grad * (1 - a->beta1);
        vf second = vf_get(s->v, SJK_F32, i, w) * a->beta2 + grad * grad * (1 - a->beta2);
        vf x = vf_get(s->p, SJK_F32, i, w) * keep - first * step / (vf_sqrt(second) * root + a->eps);
        vf_put(s->m, SJK_F32, i, w, first);
        vf_put(s->v, SJK_F32, i, w, second);
        vf_put(s->p, SJK_F32, i, w, x);
        if (!layer)
            vf_put(s->g, SJK_F32, i, w, vf_all(0));
        if (s->ema)
            vf_put(s->ema, SJK_F32, i, w, vf_get(s->ema, SJK_F32, i, w) * a->ema_rate + x * (1 - a->ema_rate));
    }
}

static void plain(struct sjk *k, const struct sjk_parameters *s, const struct sjk_adamw *a, int layer, size_t from,
                  size_t to)
{
    int64_t first = (int64_t)from, end = (int64_t)to;
#pragma omp parallel for num_threads(sjk_team(k, end - first))
    for (int64_t i = first; i < end; i += chunk)
        values(s, a, layer, i, sjk_min(i + chunk, end));
}

#if defined(__AVX512BF16__)
/* Where the layers of a place are packed to; 0: only they know. */
static int packings(struct sjk *k, const struct sjk_layer *l, struct sjk_packing *own, struct sjk_packing *average,
                    int *status)
{
    if (!l->linear->kind->packing || (l->average && !l->average->kind->packing))
        return 0;
    *status = l->linear->kind->packing(k, l->linear, SJK_PACK_FORWARD | SJK_PACK_BACKWARD, own);
    if (!*status && l->average)
        *status = l->average->kind->packing(k, l->average, SJK_PACK_FORWARD, average);
    return 1;
}

/* The weights of one layer, and what is packed of them. */
static void packed(struct sjk *k, const struct sjk_parameters *s, const struct sjk_adamw *a, const struct sjk_layer *l,
                   const struct sjk_packing *own, const struct sjk_packing *average)
{
    int64_t N = l->linear->N, K = l->linear->K, at = (int64_t)l->at;
#pragma omp parallel num_threads(sjk_team(k, N *K))
    {
#pragma omp for schedule(static) nowait
        for (int64_t n = 0; n < N; n += block_rows)
            for (int64_t c = 0; c < K; c += block_columns) {
                int64_t end = sjk_min(c + block_columns, K);
                for (int64_t i = n; i < n + block_rows; i++)
                    values(s, a, 1, at + i * K + c, at + i * K + end);
                cpu_pack_block(own, n, c, end);
                if (l->average)
                    cpu_pack_block(average, n, c, end);
            }
        cpu_pack_end();
    }
    l->linear->packed |= SJK_PACK_FORWARD | SJK_PACK_BACKWARD;
    if (l->average)
        l->average->packed |= SJK_PACK_FORWARD;
}
#endif

static int layer(struct sjk *k, const struct sjk_parameters *s, const struct sjk_adamw *a, const struct sjk_layer *l)
{
#if defined(__AVX512BF16__)
    struct sjk_packing own = {.W = s->p + l->at}, average = {.W = s->ema + l->at};
    int status = 0;
    if (packings(k, l, &own, &average, &status)) {
        if (!status)
            packed(k, s, a, l, &own, &average);
        return status;
    }
#endif
    plain(k, s, a, 1, l->at, l->at + (size_t)(l->linear->N * l->linear->K));
    return sjk_layer_pack(k, s, l);
}

int cpu_adamw(struct sjk *k, const struct sjk_parameters *s, const struct sjk_adamw *a)
{
    size_t done = 0;
    int status = 0;
    for (int i = 0; i < s->layers && !status; i++) {
        const struct sjk_layer *l = &s->layer[i];
        plain(k, s, a, 0, done, l->at);
        status = layer(k, s, a, l);
        done = l->at + (size_t)(l->linear->N * l->linear->K);
    }
    if (!status)
        plain(k, s, a, 0, done, s->n);
    return status;
}
