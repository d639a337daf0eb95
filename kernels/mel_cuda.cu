/* mel_cuda: log-mel spectra. Transforms of 400 samples are done in shared memory in two steps of 20 (mel_frames); of
 * other sizes by their definition. */
#include "device.h"

enum { threads = 256 };
enum { size = 400, root = 20, columns = root / 2 + 1, bins = size / 2 + 1, frames_a_block = 16, mel_threads = 320 };

static __global__ void frame_values(int64_t total, int64_t n, int64_t hop, const float *__restrict__ wave,
                                    const float *__restrict__ window, float *__restrict__ frame)
{
    int64_t at = (int64_t)blockIdx.x * threads + threadIdx.x, t = quotient(at, n), i = at - t * n;
    if (at < total)
        frame[at] = wave[t * hop + i] * window[i];
}

int cuda_frames(struct sjk *k, int64_t T, int64_t n, int64_t hop, const float *wave, const float *window, float *frame)
{
    int64_t total = T * n;
    if (total <= 0)
        return 0;
    return CUDA_LAUNCH(k, cuda_blocks(total, threads), threads, 0, frame_values, total, n, hop, wave, window, frame);
}

static __device__ __forceinline__ float log_band(float power, float eps, float mean, float std)
{
    return (logf(power + eps) - mean) / std;
}

/* A thread a band and frame. spectrum: (bins, T) pairs; or, as powers, (bins, T) single values. */
template <int POWERS>
static __global__ void log_bands(int64_t T, const float *__restrict__ spectrum, struct sjk_filterbank f, float eps,
                                 float mean, float std, float *__restrict__ out, int64_t stride)
{
    int64_t at = (int64_t)blockIdx.x * threads + threadIdx.x, m = quotient(at, T), t = at - m * T;
    float sum = 0;
    if (m >= f.bands)
        return;
    const float *weight = f.weight + f.offset[m];
    for (int i = 0; i < f.count[m]; i++) {
        int64_t cell = (f.first[m] + i) * T + t;
        float re = spectrum[POWERS ? cell : 2 * cell], im = POWERS ? 0 : spectrum[2 * cell + 1];
        sum += weight[i] * (POWERS ? re : re * re + im * im);
    }
    out[m * stride + t] = log_band(sum, eps, mean, std);
}

int cuda_log_mel(struct sjk *k, int64_t T, const float *spectrum, const struct sjk_filterbank *f, float eps, float mean,
                 float std, float *out, int64_t stride)
{
    if (stride < T)
        return sjk_fail(k, SJK_BAD, "mel rows of %lld frames with a stride of %lld", (long long)T, (long long)stride);
    if (T <= 0 || f->bands <= 0)
        return 0;
    return CUDA_LAUNCH(k, cuda_blocks(T * f->bands, threads), threads, 0, log_bands<0>, T, spectrum, *f, eps, mean, std,
                       out, stride);
}

/* -- whole crops --------------------------------------------------------------------------------------------------- */
/* Waves as the device reads them: sample i of crop b, mirrored about its first and last. */
struct crops {
    int64_t n;
    const void *wave;
    int i16;
};

static __device__ __forceinline__ float sample(crops c, int64_t b, int64_t i)
{
    i = i < 0 ? -i : i < c.n ? i : 2 * (c.n - 1) - i;
    if (c.i16)
        return (float)((const int16_t *)c.wave)[b * c.n + i] * (1.0f / 32768);
    return ((const float *)c.wave)[b * c.n + i];
}

/* y = 5-point transform of x, complex. */
static __device__ __forceinline__ void transform5(const float2 x[5], float2 y[5])
{
    const float c1 = 0.30901699437494745f, c2 = -0.80901699437494745f, s1 = 0.95105651629515357f,
                s2 = 0.58778525229247312f;
    float2 a1 = {x[1].x + x[4].x, x[1].y + x[4].y}, b1 = {x[1].x - x[4].x, x[1].y - x[4].y};
    float2 a2 = {x[2].x + x[3].x, x[2].y + x[3].y}, b2 = {x[2].x - x[3].x, x[2].y - x[3].y};
    float2 p = {x[0].x + c1 * a1.x + c2 * a2.x, x[0].y + c1 * a1.y + c2 * a2.y};
    float2 q = {x[0].x + c2 * a1.x + c1 * a2.x, x[0].y + c2 * a1.y + c1 * a2.y};
    float2 u = {s1 * b1.x + s2 * b2.x, s1 * b1.y + s2 * b2.y}, v = {s2 * b1.x - s1 * b2.x, s2 * b1.y - s1 * b2.y};
    y[0] = make_float2(x[0].x + a1.x + a2.x, x[0].y + a1.y + a2.y);
    y[1] = make_float2(p.x + u.y, p.y - u.x);
    y[4] = make_float2(p.x - u.y, p.y + u.x);
    y[2] = make_float2(q.x + v.y, q.y - v.x);
    y[3] = make_float2(q.x - v.y, q.y + v.x);
}

/* In place 20-point transform, complex. 4 and 5 have no common divisor, so that with the input taken in the order
 * 5 a + 4 b and the output in 5 a + 16 b (mod 20) no factors are needed between transforms over a and b. */
static __device__ __forceinline__ void transform20(float2 x[root])
{
    float2 y[4][5];
#pragma unroll
    for (int b = 0; b < 5; b++) {
        float2 p = x[4 * b % 20], q = x[(5 + 4 * b) % 20], r = x[(10 + 4 * b) % 20], s = x[(15 + 4 * b) % 20];
        float2 even = {p.x + r.x, p.y + r.y}, odd = {q.x + s.x, q.y + s.y};
        float2 d = {p.x - r.x, p.y - r.y}, e = {q.x - s.x, q.y - s.y};
        y[0][b] = make_float2(even.x + odd.x, even.y + odd.y);
        y[2][b] = make_float2(even.x - odd.x, even.y - odd.y);
        y[1][b] = make_float2(d.x + e.y, d.y - e.x);
        y[3][b] = make_float2(d.x - e.y, d.y + e.x);
    }
#pragma unroll
    for (int a = 0; a < 4; a++) {
        float2 z[5];
        transform5(y[a], z);
#pragma unroll
        for (int b = 0; b < 5; b++)
            x[(5 * a + 16 * b) % 20] = z[b];
    }
}

/* Frames of one crop in shared memory: first[frame][k1][n2] after step 1, where n = 20 n1 + n2 and k = k1 + 20 k2, then
 * power[frame][k]. Rows are a little longer so that the threads of a warp use different banks. */
struct transform {
    float2 first[frames_a_block][columns][root + 1];
    float power[frames_a_block][bins + 2];
};

/* Step 1, a thread an n2 of a frame: over n1, for k1 = 0 .. 10 (the input is real), times exp(-2 pi i n2 k1 / 400). */
static __device__ __forceinline__ void transform_first(float2 (*first)[root + 1], crops c, int64_t b, int64_t from,
                                                       int n2, const float *window)
{
    float2 x[root];
#pragma unroll
    for (int n1 = 0; n1 < root; n1++)
        x[n1] = make_float2(sample(c, b, from + root * n1 + n2) * window[root * n1 + n2], 0);
    transform20(x);
#pragma unroll
    for (int k1 = 0; k1 < columns; k1++) {
        float s, w;
        sincospif(-(float)(n2 * k1) / (size / 2), &s, &w);
        first[k1][n2] = make_float2(x[k1].x * w - x[k1].y * s, x[k1].x * s + x[k1].y * w);
    }
}

/* Step 2, a thread a k1 of a frame: over n2. Output k above 200 is the conjugate of 400 - k. */
static __device__ __forceinline__ void transform_second(const float2 row[root + 1], float *power, int k1)
{
    float2 x[root];
#pragma unroll
    for (int n2 = 0; n2 < root; n2++)
        x[n2] = row[n2];
    transform20(x);
#pragma unroll
    for (int k2 = 0; k2 < root; k2++) {
        int k = k1 + root * k2;
        power[k < bins ? k : size - k] = x[k2].x * x[k2].x + x[k2].y * x[k2].y;
    }
}

static __global__ void __launch_bounds__(mel_threads)
    mel_frames(crops c, struct sjk_spectra s, int64_t T, float *__restrict__ out)
{
    __shared__ transform w;
    const int64_t groups = (T + frames_a_block - 1) / frames_a_block, b = blockIdx.x / groups;
    const int64_t t = blockIdx.x % groups * frames_a_block;
    const int frames = T - t < frames_a_block ? (int)(T - t) : frames_a_block;
    for (int i = threadIdx.x; i < frames * root; i += mel_threads)
        transform_first(w.first[i / root], c, b, s.start + (t + i / root) * s.hop, i % root, s.window);
    __syncthreads();
    for (int i = threadIdx.x; i < frames * columns; i += mel_threads)
        transform_second(w.first[i / columns][i % columns], w.power[i / columns], i % columns);
    __syncthreads();
    for (int i = threadIdx.x; i < s.bank.bands * frames_a_block; i += mel_threads) {
        const int m = i / frames_a_block, frame = i % frames_a_block;
        if (frame >= frames)
            continue;
        const float *weight = s.bank.weight + s.bank.offset[m], *power = w.power[frame] + s.bank.first[m];
        float sum = 0;
        for (int j = 0; j < s.bank.count[m]; j++)
            sum += weight[j] * power[j];
        out[(b * s.bank.bands + m) * T + t + frame] = log_band(sum, s.eps, s.mean, s.std);
    }
}

/* Any size: table (2 n) = cos and sin of 2 pi i / n. */
static __global__ void turn_table(int n, float2 *__restrict__ table)
{
    int i = (int)(blockIdx.x * threads + threadIdx.x);
    if (i < n)
        sincospif(2 * (float)i / (float)n, &table[i].y, &table[i].x);
}

/* A thread a bin and frame of crop b: power (n / 2 + 1, T). */
static __global__ void mel_powers(crops c, int64_t b, struct sjk_spectra s, int64_t T,
                                  const float2 *__restrict__ table, float *__restrict__ power)
{
    int64_t at = (int64_t)blockIdx.x * threads + threadIdx.x, k = quotient(at, T), t = at - k * T;
    float re = 0, im = 0;
    if (k > s.size / 2)
        return;
    for (int64_t i = 0; i < s.size; i++) {
        float x = sample(c, b, s.start + t * s.hop + i) * s.window[i];
        float2 w = table[i * k % s.size];
        re += x * w.x;
        im += x * w.y;
    }
    power[at] = re * re + im * im;
}

static int mel_any(struct sjk *k, int64_t B, const crops c, const struct sjk_spectra *s, int64_t T, float *out)
{
    int64_t cells = (s->size / 2 + 1) * T;
    float2 *table = (float2 *)cuda_scratch(k, (size_t)s->size * sizeof *table + (size_t)cells * sizeof(float));
    if (!table)
        return SJK_MEMORY;
    float *power = (float *)(table + s->size);
    int status = CUDA_LAUNCH(k, cuda_blocks(s->size, threads), threads, 0, turn_table, s->size, table);
    for (int64_t b = 0; b < B && !status; b++) {
        status = CUDA_LAUNCH(k, cuda_blocks(cells, threads), threads, 0, mel_powers, c, b, *s, T,
                             (const float2 *)table, power);
        if (!status)
            status = CUDA_LAUNCH(k, cuda_blocks(T * s->bank.bands, threads), threads, 0, log_bands<1>, T,
                                 (const float *)power, s->bank, s->eps, s->mean, s->std,
                                 out + b * s->bank.bands * T, T);
    }
    return status;
}

int cuda_mel(struct sjk *k, int64_t B, int64_t n, const void *wave, int i16, const struct sjk_spectra *s, int64_t T,
             float *out)
{
    const crops c = {n, wave, i16};
    if (B <= 0 || T <= 0 || s->bank.bands <= 0)
        return 0;
    if (s->start <= -n || s->start + (T - 1) * s->hop + s->size > 2 * n - 1)
        return sjk_fail(k, SJK_BAD, "%lld mel frames of %lld samples", (long long)T, (long long)n);
    if (s->size != size)
        return mel_any(k, B, c, s, T, out);
    return CUDA_LAUNCH(k, (unsigned)(B * cuda_blocks(T, frames_a_block)), mel_threads, 0, mel_frames, c, *s, T, out);
}
