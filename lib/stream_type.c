/* The element types and roles of streams. */
#include "stream.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {[SJ_F32] = {"f32", 4}, [SJ_F16] = {"f16", 2}, [SJ_BF16] = {"bf16", 2}, [SJ_I16] = {"i16", 2}};

static const char *const roles[] = {
    [SJ_ROLE_MIX] = "mix", [SJ_ROLE_STEM] = "stem", [SJ_ROLE_REST] = "rest", [SJ_ROLE_PREDICTION] = "prediction"};

enum { DTYPES = sizeof dtypes / sizeof *dtypes, ROLES = sizeof roles / sizeof *roles };

size_t sj_dtype_size(enum sj_dtype t)
{
    return (unsigned)t < DTYPES ? dtypes[t].size : 0;
}

const char *sj_dtype_name(enum sj_dtype t)
{
    return (unsigned)t < DTYPES ? dtypes[t].name : NULL;
}

int sj_dtype_parse(const char *name, enum sj_dtype *t)
{
    for (int i = SJ_F32; i < DTYPES; i++) {
        if (!strcmp(dtypes[i].name, name)) {
            *t = (enum sj_dtype)i;
            return SJ_OK;
        }
    }
    return sj_fail(SJ_USAGE, "'%s' is no element type: f32, f16, bf16 or i16", name);
}

const char *sj_role_name(enum sj_role r)
{
    return (unsigned)r < ROLES ? roles[r] : NULL;
}

int sj_role_parse(const char *name, enum sj_role *r)
{
    for (int i = 0; i < ROLES; i++) {
        if (!strcmp(roles[i], name)) {
            *r = (enum sj_role)i;
            return SJ_OK;
        }
    }
    return sj_fail(SJ_USAGE, "'%s' is no role: mix, stem, rest or prediction", name);
}

static float float_of(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static uint32_t bits_of(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static float from_f16(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 0x3ff;
    if (exponent == 31)
        return float_of(sign | 0x7f800000 | fraction << 13);
    if (!exponent) /* zero or subnormal: fraction * 2^-24 */
        return float_of(sign | bits_of((float)fraction * 0x1p-24f));
    return float_of(sign | (exponent + 112) << 23 | fraction << 13);
}

/* Drops `shift` bits of v, to nearest, ties to even. */
static uint32_t rounded(uint32_t v, int shift)
{
    return (v + (((uint32_t)1 << (shift - 1)) - 1) + (v >> shift & 1)) >> shift;
}

static uint16_t to_f16(float f)
{
    uint32_t bits = bits_of(f), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000)
        return (uint16_t)(sign | 0x7e00);
    if (magnitude >= 0x477ff000) /* 65520 and more round to infinity */
        return (uint16_t)(sign | 0x7c00);
    if (magnitude < 0x38800000) /* below 2^-14: a multiple of 2^-24; adding 0.5 leaves it in the low bits, rounded */
        return (uint16_t)(sign | (bits_of(float_of(magnitude) + 0.5f) - bits_of(0.5f)));
    return (uint16_t)(sign | rounded(magnitude - (112u << 23), 13));
}

static uint16_t to_bf16(float f)
{
    uint32_t bits = bits_of(f);
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)rounded(bits, 16);
}

static int16_t to_i16(float f)
{
    float v = f * 32768;
    if (!(v > -32768))
        return isnan(v) ? 0 : INT16_MIN;
    return v < 32767 ? (int16_t)lrintf(v) : INT16_MAX;
}

void sj_dtype_to_f32(enum sj_dtype t, size_t n, const void *data, float *out)
{
    const uint16_t *half = data;
    const int16_t *audio = data;
    switch (t) {
    case SJ_F32:
        memcpy(out, data, n * sizeof *out);
        break;
    case SJ_F16:
        for (size_t i = 0; i < n; i++)
            out[i] = from_f16(half[i]);
        break;
    case SJ_BF16:
        for (size_t i = 0; i < n; i++)
            out[i] = float_of((uint32_t)half[i] << 16);
        break;
    case SJ_I16:
        for (size_t i = 0; i < n; i++)
            out[i] = (float)audio[i] * (1 / 32768.0f);
        break;
    }
}

void sj_dtype_from_f32(enum sj_dtype t, size_t n, const float *in, void *data)
{
    uint16_t *half = data;
    int16_t *audio = data;
    switch (t) {
    case SJ_F32:
        memcpy(data, in, n * sizeof *in);
        break;
    case SJ_F16:
        for (size_t i = 0; i < n; i++)
            half[i] = to_f16(in[i]);
        break;
    case SJ_BF16:
        for (size_t i = 0; i < n; i++)
            half[i] = to_bf16(in[i]);
        break;
    case SJ_I16:
        for (size_t i = 0; i < n; i++)
            audio[i] = to_i16(in[i]);
        break;
    }
}
