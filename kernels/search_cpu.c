/* search_cpu: the mel front end's own steps, and top-k. */
#include "cpu_ops.h"
#include "vec.h"

static void frames_between(int64_t from, int64_t to, int64_t n, int64_t hop, const float *wave, const float *window,
                           float *frame)
{
    for (int64_t t = from; t < to; t++)
        for (int64_t i = 0; i < n; i += VW)
            vf_put(frame, SJK_F32, t * n + i, n - i,
                   vf_get(wave, SJK_F32, t * hop + i, n - i) * vf_get(window, SJK_F32, i, n - i));
}

/* Callers with a thread for each wave make many small calls: they do without the forming of a team of one. */
int cpu_frames(struct sjk *k, int64_t T, int64_t n, int64_t hop, const float *wave, const float *window, float *frame)
{
    int team = sjk_team(k, T * n);
    if (team == 1)
        frames_between(0, T, n, hop, wave, window, frame);
    else
#pragma omp parallel for num_threads(team)
        for (int64_t t = 0; t < T; t++)
            frames_between(t, t + 1, n, hop, wave, window, frame);
    return 0;
}

/* a0 + a1, a2 + a3 .. b0 + b1, b2 + b3 .. */
SJK_INLINE vf pair_sums(vf a, vf b)
{
    vi even = {0};
    for (int i = 0; i < VW; i++)
        even[i] = 2 * i;
    return __builtin_shuffle(a, b, even) + __builtin_shuffle(a, b, even + 1);
}

/* Frames t .. t+n-1 of band m; n <= VW: sums stay in registers. */
static void mel_strip(int64_t T, const float *spectrum, const struct sjk_filterbank *f, int m, int64_t t, int64_t n,
                      float eps, float mean, float scale, float *out)
{
    const float *weight = f->weight + f->offset[m], *x = spectrum + 2 * (f->first[m] * T + t);
    vf low = vf_all(0), high = vf_all(0);
    for (int32_t i = 0; i < f->count[m]; i++, x += 2 * T) {
        vf a = vf_get(x, SJK_F32, 0, 2 * n), b = 2 * n > VW ? vf_get(x, SJK_F32, VW, 2 * n - VW) : vf_all(0);
        low += weight[i] * a * a;
        high += weight[i] * b * b;
    }
    vf_put(out, SJK_F32, 0, n, (vf_log(pair_sums(low, high) + eps) - mean) * scale); /* of real and imaginary part */
}

static void mel_band(int64_t T, const float *spectrum, const struct sjk_filterbank *f, int m, float eps, float mean,
                     float std, float *out, int64_t stride)
{
    for (int64_t t = 0; t < T; t += VW)
        mel_strip(T, spectrum, f, m, t, sjk_min(T - t, VW), eps, mean, 1 / std, out + m * stride + t);
}

int cpu_log_mel(struct sjk *k, int64_t T, const float *spectrum, const struct sjk_filterbank *f, float eps, float mean,
                float std, float *out, int64_t stride)
{
    if (stride < T)
        return sjk_fail(k, SJK_BAD, "mel rows of %lld frames with a stride of %lld", (long long)T, (long long)stride);
    int team = sjk_team(k, T * f->bins);
    if (team == 1)
        for (int m = 0; m < f->bands; m++)
            mel_band(T, spectrum, f, m, eps, mean, std, out, stride);
    else
#pragma omp parallel for num_threads(team)
        for (int m = 0; m < f->bands; m++)
            mel_band(T, spectrum, f, m, eps, mean, std, out, stride);
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
