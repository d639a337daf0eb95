/* Reference: the mel front end's own steps, and top-k. */
#include "ref.h"

int ref_frames(struct sjk *k, int64_t T, int64_t n, int64_t hop, const float *wave, const float *window, float *frame)
{
    (void)k;
    for (int64_t t = 0; t < T; t++)
        for (int64_t i = 0; i < n; i++)
            frame[t * n + i] = wave[t * hop + i] * window[i];
    return 0;
}

int ref_log_mel(struct sjk *k, int64_t T, const float *spectrum, const struct sjk_filterbank *f, float eps, float mean,
                float std, float *out, int64_t stride)
{
    if (stride < T)
        return sjk_fail(k, SJK_BAD, "mel rows of %lld frames with a stride of %lld", (long long)T, (long long)stride);
    for (int m = 0; m < f->bands; m++)
        for (int64_t t = 0; t < T; t++) {
            double sum = 0;
            for (int i = 0; i < f->count[m]; i++) {
                const float *x = spectrum + 2 * ((f->first[m] + i) * T + t);
                sum += f->weight[f->offset[m] + i] * ((double)x[0] * x[0] + (double)x[1] * x[1]);
            }
            out[m * stride + t] = (float)((log(sum + eps) - mean) / std);
        }
    return 0;
}

/* Whether (a, i) ranks before (b, j); an unused place (j < 0) ranks last. */
static int before(float a, int64_t i, float b, int64_t j)
{
    return j < 0 || a > b || (a == b && i < j);
}

int ref_top_k(struct sjk *k, int64_t rows, int64_t n, const float *s, int64_t ld, int64_t base, int64_t count,
              float *best, int64_t *index)
{
    if (ld < n)
        return sjk_fail(k, SJK_BAD, "%lld scores in a row of %lld", (long long)n, (long long)ld);
    for (int64_t r = 0; r < rows && count > 0; r++, best += count, index += count)
        for (int64_t j = 0; j < n; j++) {
            float v = s[r * ld + j];
            int64_t at = count;
            if (v != v)
                continue;
            while (at > 0 && before(v, base + j, best[at - 1], index[at - 1]))
                at--;
            if (at == count)
                continue;
            memmove(best + at + 1, best + at, (size_t)(count - at - 1) * sizeof *best);
            memmove(index + at + 1, index + at, (size_t)(count - at - 1) * sizeof *index);
            best[at] = v;
            index[at] = base + j;
        }
    return 0;
}
