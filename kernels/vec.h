/* vec: one vector of floats, as wide as the instruction set has them, and the functions that the kernels need of it.
 * Only for sources compiled per instruction set. Polynomials are minimax fits; relative errors are stated. */
#ifndef SJK_VEC_H
#define SJK_VEC_H

#include "isa.h"

#include <math.h>

#include <immintrin.h>

#if defined(__AVX512F__)
enum { vec_bytes = 64 };
#elif defined(__AVX2__)
enum { vec_bytes = 32 };
#else
enum { vec_bytes = 16 };
#endif
enum { VW = vec_bytes / 4 }; /* floats in a vector */

typedef float vf __attribute__((vector_size(vec_bytes)));
typedef int32_t vi __attribute__((vector_size(vec_bytes)));
typedef uint32_t vu __attribute__((vector_size(vec_bytes)));
typedef uint16_t vh __attribute__((vector_size(vec_bytes / 2)));

#define SJK_INLINE static inline __attribute__((always_inline, unused))

SJK_INLINE vf vf_all(float x)
{
    return x - (vf){0};
}

SJK_INLINE vf vf_load(const float *p)
{
    vf x;
    memcpy(&x, p, sizeof x);
    return x;
}

SJK_INLINE void vf_store(float *p, vf x)
{
    memcpy(p, &x, sizeof x);
}

/* Lanes chosen by a comparison, which is false for NaN. */
#if defined(__AVX512F__)
typedef __mmask16 vm;

SJK_INLINE vm vf_less(vf a, vf b)
{
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LT_OQ);
}

SJK_INLINE vm vf_not_less(vf a, vf b)
{
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GE_OQ);
}

/* The lanes below n. */
SJK_INLINE vm vf_below(int64_t n)
{
    return n >= VW ? 0xffff : (vm)((1u << n) - 1);
}

/* Where the mask is set a, else b. */
SJK_INLINE vf vf_choose(vm mask, vf a, vf b)
{
    return (vf)_mm512_mask_blend_ps(mask, (__m512)b, (__m512)a);
}

SJK_INLINE int vm_any(vm mask)
{
    return mask != 0;
}
#else
typedef vi vm;

SJK_INLINE vm vf_less(vf a, vf b)
{
    return a < b;
}

SJK_INLINE vm vf_not_less(vf a, vf b)
{
    return a >= b;
}

SJK_INLINE vm vf_below(int64_t n)
{
    vi lane = {0};
    for (int i = 0; i < VW; i++)
        lane[i] = i;
    return lane < (int32_t)n;
}

SJK_INLINE vf vf_choose(vm mask, vf a, vf b)
{
    return (vf)((mask & (vi)a) | (~mask & (vi)b));
}

SJK_INLINE int vm_any(vm mask)
{
    int32_t any = 0;
    for (int i = 0; i < VW; i++)
        any |= mask[i];
    return any != 0;
}
#endif

SJK_INLINE vf vf_from_bf16(vh h)
{
#if defined(__AVX512F__)
    return (vf)_mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)h), 16);
#elif defined(__AVX2__)
    return (vf)_mm256_slli_epi32(_mm256_cvtepu16_epi32((__m128i)h), 16);
#else
    return (vf)(__builtin_convertvector(h, vu) << 16);
#endif
}

/* Round to nearest even; a NaN stays one. */
SJK_INLINE vh vf_to_bf16(vf x)
{
#if defined(__AVX512BF16__)
    return (vh)_mm512_cvtneps_pbh((__m512)x);
#else
    vu u = (vu)x, rounded = (u + 0x7fffu + (u >> 16 & 1u)) >> 16;
    vu number = (vu)(x == x);
    return __builtin_convertvector((number & rounded) | (~number & (u >> 16 | 0x40u)), vh);
#endif
}

/* n values of type t from element i; when n < VW the rest is zero. */
SJK_INLINE vf vf_get(const void *p, enum sjk_type t, int64_t i, int64_t n)
{
    const float *f = (const float *)p + i;
    const uint16_t *u = (const uint16_t *)p + i;
    vf x = {0};
    vh h = {0};
    if (t == SJK_F32) {
        if (n >= VW)
            return vf_load(f);
#if defined(__AVX512F__)
        return (vf)_mm512_maskz_loadu_ps(vf_below(n), f);
#endif
        memcpy(&x, f, (size_t)n * 4);
        return x;
    }
    if (n >= VW)
        memcpy(&h, u, sizeof h);
    else
#if defined(__AVX512BW__)
        h = (vh)_mm256_maskz_loadu_epi16(vf_below(n), u);
#else
        memcpy(&h, u, (size_t)n * 2);
#endif
    return vf_from_bf16(h);
}

/* The first n lanes of x to elements i.. of type t; all of them when n >= VW. */
SJK_INLINE void vf_put(void *p, enum sjk_type t, int64_t i, int64_t n, vf x)
{
    if (t == SJK_F32) {
        if (n >= VW)
            vf_store((float *)p + i, x);
        else
#if defined(__AVX512F__)
            _mm512_mask_storeu_ps((float *)p + i, vf_below(n), (__m512)x);
#else
            memcpy((float *)p + i, &x, (size_t)n * 4);
#endif
        return;
    }
    vh h = vf_to_bf16(x);
    if (n >= VW)
        memcpy((uint16_t *)p + i, &h, sizeof h);
    else
#if defined(__AVX512BW__)
        _mm256_mask_storeu_epi16((uint16_t *)p + i, vf_below(n), (__m256i)h);
#else
        memcpy((uint16_t *)p + i, &h, (size_t)n * 2);
#endif
}

SJK_INLINE float vf_sum(vf x)
{
#if defined(__AVX512F__)
    return _mm512_reduce_add_ps((__m512)x);
#endif
    float lane[VW];
    memcpy(lane, &x, sizeof x);
    for (int half = VW / 2; half; half /= 2)
        for (int i = 0; i < half; i++)
            lane[i] += lane[i + half];
    return lane[0];
}

/* The larger and the smaller; b where either is NaN. */
SJK_INLINE vf vf_max(vf a, vf b)
{
#if defined(__AVX512F__)
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
    return (vf)_mm256_max_ps((__m256)a, (__m256)b);
#else
    return (vf)_mm_max_ps((__m128)a, (__m128)b);
#endif
}

SJK_INLINE vf vf_min(vf a, vf b)
{
#if defined(__AVX512F__)
    return (vf)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
    return (vf)_mm256_min_ps((__m256)a, (__m256)b);
#else
    return (vf)_mm_min_ps((__m128)a, (__m128)b);
#endif
}

SJK_INLINE float vf_top(vf x)
{
#if defined(__AVX512F__)
    return _mm512_reduce_max_ps((__m512)x);
#endif
    float lane[VW];
    memcpy(lane, &x, sizeof x);
    for (int half = VW / 2; half; half /= 2)
        for (int i = 0; i < half; i++)
            lane[i] = lane[i] > lane[i + half] ? lane[i] : lane[i + half];
    return lane[0];
}

SJK_INLINE vf vf_sqrt(vf x)
{
#if defined(__AVX512F__)
    return (vf)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
    return (vf)_mm256_sqrt_ps((__m256)x);
#else
    return (vf)_mm_sqrt_ps((__m128)x);
#endif
}

/* e^x: relative error 2e-7; 0 below -87.3, infinity above 88.8. */
SJK_INLINE vf vf_exp(vf x)
{
    const float round = 12582912; /* 1.5 * 2^23: adding it leaves the nearest integer in the low bits */
    vf y = vf_min(vf_all(89), vf_max(vf_all(-110), x));
    vf shifted = y * 1.44269504f + round, n = shifted - round;
    vf r = y - n * 0.693145752f;
    r = r - n * 1.42860677e-6f; /* ln 2 in two parts */
    vf p = r * 0.00831252491f + 0.0418901132f;
    p = p * r + 0.166671145f;
    p = p * r + 0.499992318f;
    p = p * r + 1;
    p = p * r + 1;
#if defined(__AVX512F__)
    return (vf)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
    vi k = (vi)shifted - 0x4b400000, half = k >> 1;
    p = p * (vf)((half + 127) << 23) * (vf)((k - half + 127) << 23);
    return vf_choose(vf_less(x, vf_all(-87.3f)), vf_all(0), p);
#endif
}

/* 2^x for values that are rounded to bf16 next: relative error 8e-5 (2^-13). */
SJK_INLINE vf vf_exp2_bf16(vf x)
{
#if defined(__AVX512DQ__)
    vf f = (vf)_mm512_reduce_ps((__m512)x, _MM_FROUND_TO_NEG_INF); /* x - floor x */
    vf p = f * 0.0780245225f + 0.226066722f;
    p = p * f + 0.695833526f;
    p = p * f + 0.999925218f;
    return (vf)_mm512_scalef_ps((__m512)p, (__m512)x);
#else
    return vf_exp(x * 0.693147181f);
#endif
}

/* ln x for positive normal x: absolute error 1e-7 + half a unit in the last place. NaN and infinity stay. */
SJK_INLINE vf vf_log(vf x)
{
    vi u = (vi)x, e = ((u - 0x3f3504f3) >> 23); /* so that the rest is in sqrt(1/2) .. sqrt 2 */
    vf f = (vf)(u - (e << 23)) - 1, n = __builtin_convertvector(e, vf);
    vf p = f * 0.0870043595f - 0.142674869f;
    p = p * f + 0.149147678f;
    p = p * f - 0.165775847f;
    p = p * f + 0.199630638f;
    p = p * f - 0.25001337f;
    p = p * f + 0.333339107f;
    vf y = p * f * f * f + (n * 1.42860677e-6f - 0.5f * f * f) + f + n * 0.693145752f;
    return vf_choose(vf_less(x, vf_all(INFINITY)), y, x + x);
}

/* 1 / x for 1 <= x < 2^100: relative error 1e-7. */
SJK_INLINE vf vf_reciprocal(vf x)
{
#if defined(__AVX512F__)
    vf r = (vf)_mm512_rcp14_ps((__m512)x);
    return r * (2 - x * r);
#else
    return 1 / x;
#endif
}

/* exp(-x^2/2), and its product with erfcx(|x|/sqrt 2) / 2, the normal distribution's tail: relative errors 1e-6. */
struct vf_tail {
    vf density, tail;
};

SJK_INLINE struct vf_tail vf_normal_tail(vf x)
{
    vf z = vf_min(vf_all(100), (vf)((vi)x & 0x7fffffff)); /* the density is 0 from there on */
    vf t = vf_reciprocal(z * 0.282842712f + 1);           /* 0.4 / sqrt 2 */
    vf p = t * 0.0402674933f - 0.135471074f;
    p = p * t + 0.0738421136f;
    p = p * t + 0.0997296083f;
    p = p * t + 0.0715082973f;
    p = p * t + 0.196963027f;
    p = p * t + 0.200958585f;
    p = p * t + 0.226575709f;
    p = p * t + 0.225626298f;
    struct vf_tail r;
    r.density = vf_exp(x * x * -0.5f);
    r.tail = r.density * p * t * 0.5f;
    return r;
}

/* x times the probability that a normal variable is below x. */
SJK_INLINE vf vf_gelu(vf x)
{
    vf tail = vf_normal_tail(x).tail;
    return x * vf_choose(vf_less(x, vf_all(0)), tail, 1 - tail);
}

/* The same for values that are rounded to bf16 next, by the logistic form x / (1 + e^-u), u the logit of that
 * probability: relative error 3e-4 (2^-11.5) down to x = -6, absolute error 1e-9 below. */
SJK_INLINE vf vf_gelu_bf16(vf x)
{
#if defined(__AVX512DQ__)
    vf s = vf_min(x * x, vf_all(36));
    vf q = s * 2.23077485e-11f - 3.39492383e-9f; /* -u / (x ln 2) */
    q = q * s + 2.10922211e-7f;
    q = q * s - 6.70231527e-6f;
    q = q * s + 1.0055879e-4f;
    q = q * s + 4.4377047e-4f;
    q = q * s - 0.105716232f;
    q = q * s - 2.30157709f;
    return x * (vf)_mm512_rcp14_ps((__m512)(vf_exp2_bf16(x * q) + 1));
#else
    return vf_gelu(x);
#endif
}

SJK_INLINE vf vf_gelu_as(enum sjk_type t, vf x)
{
    return t == SJK_BF16 ? vf_gelu_bf16(x) : vf_gelu(x);
}

SJK_INLINE vf vf_gelu_slope(vf x)
{
    struct vf_tail r = vf_normal_tail(x);
    return vf_choose(vf_less(x, vf_all(0)), r.tail, 1 - r.tail) + x * 0.398942280f * r.density;
}

#endif
