/* Developing: linear light becomes luma and chroma, without noise; then its noise. Compiled
 * like kernels.c. */
#include <math.h>

#include "device/virtual/kernels_inside.h"

/* One row: 0…1 after the transfer curve. Above KNEE lights grow ever more slowly, so that
 * highlights do not end in a hard edge. */
#define KNEE 0.7f

#ifdef __AVX2__
static __attribute__((noinline)) __m256 shoulder8(__m256 lin)
{
    const __m256 one = _mm256_set1_ps(1), knee = _mm256_set1_ps(KNEE);
    __m256 over = _mm256_max_ps(_mm256_sub_ps(lin, knee), _mm256_setzero_ps());
    __m256 left = _mm256_sub_ps(one, _mm256_mul_ps(over, _mm256_set1_ps(0.25f / (1 - KNEE))));
    left = _mm256_max_ps(left, _mm256_setzero_ps());
    left = _mm256_mul_ps(left, left);
    left = _mm256_mul_ps(left, left);
    return _mm256_add_ps(_mm256_min_ps(lin, knee),
                         _mm256_mul_ps(_mm256_sub_ps(one, left), _mm256_set1_ps(1 - KNEE)));
}
#endif

INLINE void curve_row(const struct sensor_curve *c, const uint16_t *in, int n, float *out)
{
    int i = 0;
    const float k0 = c->slope[0], k1 = c->slope[1], k2 = c->slope[2], k3 = c->slope[3];
    const float k4 = c->slope[4], gain = c->gain;
#ifdef __AVX2__
    /* The same operations in the same order as below: left alone, the compiler takes 32
     * samples at a time and runs out of registers. */
    const __m256 one = _mm256_set1_ps(1), toe = _mm256_set1_ps(0.018f);
    const __m256 knee = _mm256_set1_ps(KNEE);
    for (; i + 8 <= n; i += 8) {
        __m256 lin =
            _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(in + i))));
        lin = _mm256_mul_ps(lin, _mm256_set1_ps(gain));
        /* Below the knee, where nearly all is, the light stays as it is. */
        if (_mm256_movemask_ps(_mm256_cmp_ps(lin, knee, _CMP_GT_OQ)))
            lin = shoulder8(lin);
        __m256 s = _mm256_sqrt_ps(lin), v = _mm256_mul_ps(_mm256_set1_ps(k4), s);
        v = _mm256_mul_ps(_mm256_add_ps(v, _mm256_set1_ps(k3)), s);
        v = _mm256_mul_ps(_mm256_add_ps(v, _mm256_set1_ps(k2)), s);
        v = _mm256_mul_ps(_mm256_add_ps(v, _mm256_set1_ps(k1)), s);
        v = _mm256_add_ps(v, _mm256_set1_ps(k0));
        v = _mm256_blendv_ps(v, _mm256_mul_ps(_mm256_set1_ps(4.5f), lin),
                             _mm256_cmp_ps(lin, toe, _CMP_LT_OQ));
        v = _mm256_min_ps(_mm256_max_ps(v, _mm256_setzero_ps()), one);
        _mm256_storeu_ps(out + i, v);
    }
#endif
    for (; i < n; i++) {
        float lin = (float)in[i] * gain;
        float over = lin - KNEE > 0 ? lin - KNEE : 0;
        float left = 1 - over * (0.25f / (1 - KNEE));
        left = left > 0 ? left : 0;
        left *= left;
        left *= left;
        lin = (lin < KNEE ? lin : KNEE) + (1 - left) * (1 - KNEE);
        float s = sqrtf(lin);
        float v = (((k4 * s + k3) * s + k2) * s + k1) * s + k0;
        v = lin < 0.018f ? 4.5f * lin : v;
        v = v < 0 ? 0 : v;
        out[i] = v > 1 ? 1 : v;
    }
}

/* BT.709, limited range: luma 16…235, chroma 16…240; in steps, 64 to a sample of the picture. */
#define KR 0.2126f
#define KG 0.7152f
#define KB 0.0722f
#define STEPS DEVELOPED_STEPS

INLINE void luma_row(const float *r, const float *g, const float *b, int n, uint16_t *to)
{
    int i = 0;
    const float kr = KR * 219 * STEPS, kg = KG * 219 * STEPS, kb = KB * 219 * STEPS;
    const float zero = 16 * STEPS + 0.5f;
#ifdef __AVX2__
    for (; i + 16 <= n; i += 16) {
        __m256i y[2];
        for (int k = 0; k < 2; k++) {
            __m256 v =
                _mm256_add_ps(_mm256_mul_ps(_mm256_loadu_ps(r + i + 8 * k), _mm256_set1_ps(kr)),
                              _mm256_mul_ps(_mm256_loadu_ps(g + i + 8 * k), _mm256_set1_ps(kg)));
            v = _mm256_add_ps(v, _mm256_mul_ps(_mm256_loadu_ps(b + i + 8 * k), _mm256_set1_ps(kb)));
            y[k] = _mm256_cvttps_epi32(_mm256_add_ps(v, _mm256_set1_ps(zero)));
        }
        _mm256_storeu_si256((__m256i *)(to + i),
                            _mm256_permute4x64_epi64(_mm256_packus_epi32(y[0], y[1]), 0xd8));
    }
#endif
    for (; i < n; i++)
        to[i] = (uint16_t)(int32_t)(r[i] * kr + g[i] * kg + b[i] * kb + zero);
}

/* Colour differences of two rows, summed down; pairs are put together by chroma_pairs(). */
INLINE void differences(const float *top, const float *below, int n, float *blue, float *red)
{
    /* r, g, b of a row follow each other, STRIP apart. */
    for (int i = 0; i < n; i++) {
        float r = top[i] + below[i], g = top[STRIP + i] + below[STRIP + i];
        float b = top[2 * STRIP + i] + below[2 * STRIP + i];
        float luminance = r * KR + g * KG + b * KB;
        blue[i] = b - luminance;
        red[i] = r - luminance;
    }
}

INLINE void chroma_pairs(const float *difference, int n, float scale, uint16_t *to)
{
    int i = 0;
    const float zero = 128 * STEPS + 0.5f;
#ifdef __AVX2__
    for (; i + 8 <= n / 2; i += 8) {
        __m256 a = _mm256_loadu_ps(difference + 2 * i), b = _mm256_loadu_ps(difference + 2 * i + 8);
        __m256 sum =
            _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(_mm256_hadd_ps(a, b)), 0xd8));
        __m256i v = _mm256_cvttps_epi32(
            _mm256_add_ps(_mm256_mul_ps(sum, _mm256_set1_ps(scale)), _mm256_set1_ps(zero)));
        _mm_storeu_si128((__m128i *)(to + i), _mm_packus_epi32(_mm256_castsi256_si128(v),
                                                               _mm256_extracti128_si256(v, 1)));
    }
#endif
    for (; i < n / 2; i++)
        to[i] = (uint16_t)(int32_t)((difference[2 * i] + difference[2 * i + 1]) * scale + zero);
}

INLINE void develop_strip(const struct sensor_curve *c, const uint16_t *const in[6], int x, int n,
                          uint16_t *y0, uint16_t *y1, uint16_t *cb, uint16_t *cr)
{
    float v[6][STRIP], blue[STRIP], red[STRIP];
    for (int k = 0; k < 6; k++)
        curve_row(c, in[k] + x, n, v[k]);
    luma_row(v[0], v[1], v[2], n, y0 + x);
    luma_row(v[3], v[4], v[5], n, y1 + x);
    differences(v[0], v[3], n, blue, red);
    chroma_pairs(blue, n, STEPS * 224 / (4 * 1.8556f), cb + x / 2);
    chroma_pairs(red, n, STEPS * 224 / (4 * 1.5748f), cr + x / 2);
}

void KERNELS_OWN(develop2)(const struct sensor_curve *c, const uint16_t *const in[6], int width,
                           uint16_t *y0, uint16_t *y1, uint16_t *cb, uint16_t *cr)
{
    int x = 0;
    for (; x + STRIP <= width; x += STRIP)
        develop_strip(c, in, x, STRIP, y0, y1, cb, cr);
    if (x < width)
        develop_strip(c, in, x, width - x, y0, y1, cb, cr);
}

/* ---- noise ---- */

/* A product of two numbers of which one is in 32768ths, rounded, as one instruction of the
 * machine does it. */
INLINE int share_of(int a, int b)
{
    return (a * b + 0x4000) >> 15;
}

#ifdef __AVX2__
/* Sixteen samples with their noise; `size`: that of each, in 256ths of a step. */
INLINE __m128i noisy16(__m256i clean, const int8_t *noise, __m256i size, int lo, int hi)
{
    __m256i n = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)noise));
    n = _mm256_mulhrs_epi16(_mm256_slli_epi16(n, 7), size);
    n = _mm256_add_epi16(_mm256_add_epi16(clean, n), _mm256_set1_epi16(STEPS / 2));
    n = _mm256_srai_epi16(n, 6);
    n = _mm256_min_epi16(_mm256_max_epi16(n, _mm256_set1_epi16((short)lo)),
                         _mm256_set1_epi16((short)hi));
    return _mm_packus_epi16(_mm256_castsi256_si128(n), _mm256_extracti128_si256(n, 1));
}

INLINE __m256i size16(const struct sensor_noise *s, __m256i luma)
{
    return _mm256_sub_epi16(_mm256_set1_epi16(s->most),
                            _mm256_mulhrs_epi16(luma, _mm256_set1_epi16(s->slope)));
}
#endif

INLINE uint8_t noisy(int clean, int noise, int size, int lo, int hi)
{
    int v = (clean + share_of(noise * 128, size) + STEPS / 2) >> 6;
    return (uint8_t)(v < lo ? lo : v > hi ? hi : v);
}

void KERNELS_OWN(noise_luma)(const struct sensor_noise *s, const uint16_t *luma,
                             const int8_t *noise, int n, uint8_t *to)
{
    int i = 0;
#ifdef __AVX2__
    for (; i + 16 <= n; i += 16) {
        __m256i y = _mm256_loadu_si256((const __m256i *)(luma + i));
        _mm_storeu_si128((__m128i *)(to + i), noisy16(y, noise + i, size16(s, y), 16, 235));
    }
#endif
    for (; i < n; i++)
        to[i] = noisy(luma[i], noise[i], s->most - share_of(luma[i], s->slope), 16, 235);
}

void KERNELS_OWN(noise_chroma)(const struct sensor_noise *s, const uint16_t *luma,
                               const uint16_t *const chroma[2], const int8_t *const noise[2], int n,
                               uint8_t *const to[2])
{
    int i = 0;
#ifdef __AVX2__
    const __m256i even = _mm256_set1_epi32(0xffff);
    for (; i + 16 <= n; i += 16) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(luma + 2 * i));
        __m256i b = _mm256_loadu_si256((const __m256i *)(luma + 2 * i + 16));
        a = _mm256_packus_epi32(_mm256_and_si256(a, even), _mm256_and_si256(b, even));
        __m256i size = size16(s, _mm256_permute4x64_epi64(a, 0xd8));
        for (int k = 0; k < 2; k++) {
            __m256i own = _mm256_mulhrs_epi16(size, _mm256_set1_epi16(s->chroma[k]));
            __m256i c = _mm256_loadu_si256((const __m256i *)(chroma[k] + i));
            _mm_storeu_si128((__m128i *)(to[k] + i), noisy16(c, noise[k] + i, own, 16, 240));
        }
    }
#endif
    for (; i < n; i++) {
        int size = s->most - share_of(luma[2 * i], s->slope);
        for (int k = 0; k < 2; k++)
            to[k][i] = noisy(chroma[k][i], noise[k][i], share_of(size, s->chroma[k]), 16, 240);
    }
}
