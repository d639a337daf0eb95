/* search_cpu: the mel front end's own steps, and top-k. */
#include "cpu_ops.h"
#include "vec.h"

enum { mel_frames = 256 }; /* frames of one band at a time */

int cpu_frames(struct sjk *k, int64_t T, int64_t n, int64_t hop, const float *wave, const float *window, float *frame)
{
#pragma omp parallel for num_threads(sjk_team(k, T *n))
    for (int64_t t = 0; t < T; t++)
        for (int64_t i = 0; i < n; i += VW)
            vf_put(frame, SJK_F32, t * n + i, n - i,
                   vf_get(wave, SJK_F32, t * hop + i, n - i) * vf_get(window, SJK_F32, i, n - i));
    return 0;
}

/* Frames t .. t+n-1 of band m; n <= mel_frames. */
static void mel_band(int64_t T, const float *spectrum, const struct sjk_filterbank *f, int m, int64_t t, int64_t n,
                     float eps, float mean, float scale, float *out)
{
    float square[2 * mel_frames], power[mel_frames + VW];
    const float *weight = f->weight + f->offset[m];
    memset(square, 0, (size_t)n * 2 * sizeof *square);
    for (int32_t i = 0; i < f->count[m]; i++) {
        const float *x = spectrum + 2 * ((f->first[m] + i) * T + t);
        for (int64_t j = 0; j < 2 * n; j++)
            square[j] += weight[i] * x[j] * x[j];
    }
    for (int64_t j = 0; j < n; j++)
        power[j] = square[2 * j] + square[2 * j + 1];
    for (int64_t j = 0; j < n; j += VW)
        vf_put(out, SJK_F32, j, n - j, (vf_log(vf_get(power, SJK_F32, j, n - j) + eps) - mean) * scale);
}

int cpu_log_mel(struct sjk *k, int64_t T, const float *spectrum, const struct sjk_filterbank *f, float eps, float mean,
                float std, float *out, int64_t stride)
{
    if (stride < T)
        return sjk_fail(k, SJK_BAD, "mel rows of %lld frames with a stride of %lld", (long long)T, (long long)stride);
#pragma omp parallel for num_threads(sjk_team(k, T *f->bins)) collapse(2)
    for (int m = 0; m < f->bands; m++)
        for (int64_t t = 0; t < T; t += mel_frames)
            mel_band(T, spectrum, f, m, t, sjk_min(T - t, mel_frames), eps, mean, 1 / std, out + m * stride + t);
    return 0;
}

/* Puts (v, i) into the sorted best and index, when it ranks before the last of them. */
static void insert(float v, int64_t i, int64_t count, float *best, int64_t *index)
{
    int64_t at = count;
    while (at > 0 && (index[at - 1] < 0 || v > best[at - 1] || (v == best[at - 1] && i < index[at - 1])))
        at--;
    if (at == count)
        return;
    memmove(best + at + 1, best + at, (size_t)(count - at - 1) * sizeof *best);
    memmove(index + at + 1, index + at, (size_t)(count - at - 1) * sizeof *index);
    best[at] = v;
    index[at] = i;
}

static void top_row(int64_t n, const float *s, int64_t base, int64_t count, float *best, int64_t *index)
{
    for (int64_t j = 0; j < n; j += VW) {
        vf v = vf_get(s, SJK_F32, j, n - j);
        if (index[count - 1] >= 0 && !vm_any(vf_not_less(v, vf_all(best[count - 1]))))
            continue;
        for (int64_t i = j; i < sjk_min(j + VW, n); i++)
            if (s[i] == s[i])
                insert(s[i], base + i, count, best, index);
    }
}

int cpu_top_k(struct sjk *k, int64_t rows, int64_t n, const float *s, int64_t ld, int64_t base, int64_t count,
              float *best, int64_t *index)
{
    if (ld < n)
        return sjk_fail(k, SJK_BAD, "%lld scores in a row of %lld", (long long)n, (long long)ld);
    if (count <= 0)
        return 0;
#pragma omp parallel for num_threads(sjk_team(k, rows *n))
    for (int64_t r = 0; r < rows; r++)
        top_row(n, s + r * ld, base, count, best + r * count, index + r * count);
    return 0;
}
