/* What lies on the dome, and a lens out of focus. Compiled like kernels.c. */
#include <math.h>

#include "device/virtual/kernels_inside.h"

void KERNELS_OWN(cover)(uint16_t *row, const uint8_t *alpha, const uint8_t *shade, uint32_t colour,
                        int n)
{
    for (int x = 0; x < n; x++) {
        uint32_t a = alpha[x] + (uint32_t)(alpha[x] >> 7); /* 0…256 */
        uint32_t c = colour * shade[x] / UNIT_SHADE;
        c = c > 65535 ? 65535 : c;
        row[x] = (uint16_t)((row[x] * (256 - a) + c * a) >> 8);
    }
}

void KERNELS_OWN(disc)(float *acc, const uint32_t *a, const uint32_t *b, float rest, int n)
{
    for (int x = 0; x < n; x++) {
        uint32_t whole = b[x] - a[x], wider = b[x + 1] - a[x - 1];
        acc[x] += (float)(int32_t)whole + rest * (float)(int32_t)(wider - whole);
    }
}

INLINE void spread_by(uint16_t *to, const uint16_t *a, const uint16_t *b, int n, int step, int bits,
                      uint32_t fy, uint32_t veil)
{
    const uint32_t whole = (uint32_t)(2 * step);
    for (int i = 0; i < n; i++, to += step) {
        uint32_t left = a[i] * (whole - fy) + b[i] * fy;
        uint32_t right = a[i + 1] * (whole - fy) + b[i + 1] * fy;
        for (int k = 0; k < step; k++) {
            uint32_t f = (uint32_t)(2 * k + 1), v = left * (whole - f) + right * f;
            to[k] = (uint16_t)(((v >> bits) * 15 + veil) >> 4);
        }
    }
}

void KERNELS_OWN(spread)(uint16_t *to, const uint16_t *a, const uint16_t *b, int n, int step,
                         uint32_t fy, uint32_t veil)
{
    switch (step) { /* loops of known length */
    case 2:
        spread_by(to, a, b, n, 2, 4, fy, veil);
        break;
    case 4:
        spread_by(to, a, b, n, 4, 6, fy, veil);
        break;
    case 8:
        spread_by(to, a, b, n, 8, 8, fy, veil);
        break;
    case 16:
        spread_by(to, a, b, n, 16, 10, fy, veil);
        break;
    default:
        spread_by(to, a, b, n, 32, 12, fy, veil);
        break;
    }
}

uint32_t KERNELS_OWN(sum8)(const uint16_t *from, size_t stride)
{
    uint32_t column[8] = {0}, sum = 0;
    for (int y = 0; y < 8; y += 2, from += 2 * stride)
        for (int x = 0; x < 8; x++)
            column[x] += from[x];
    for (int x = 0; x < 8; x++)
        sum += column[x];
    return sum * 2;
}

/* ---- drops ---- */

#define LANES 8
#define LINE_MOST 128 /* points of the small picture that a row of a drop looks at */

/* What a row of a drop looks at lies on one line of the small picture: its points, and how much
 * more the next ones are. */
struct line {
    float at[LINE_MOST][4], more[LINE_MOST][4];
};

INLINE void line_of(const struct drop *d, float y, int first, int n, struct line *l)
{
    float most = (float)d->height - 1.001f;
    y = y < 0 ? 0 : y > most ? most : y;
    int iy = (int)y;
    float fy = y - (float)iy;
    const uint16_t *at = d->small + 4 * ((size_t)iy * (size_t)d->width + (size_t)first);
    const uint16_t *low = at + 4 * (size_t)d->width;
#ifdef __AVX2__
    __m128 was, share = _mm_set1_ps(fy);
    for (int i = 0; i <= n; i++, at += 4, low += 4) {
        __m128 a = _mm_cvtepi32_ps(_mm_cvtepu16_epi32(_mm_loadl_epi64((const __m128i *)at)));
        __m128 b = _mm_cvtepi32_ps(_mm_cvtepu16_epi32(_mm_loadl_epi64((const __m128i *)low)));
        __m128 now = _mm_add_ps(a, _mm_mul_ps(_mm_sub_ps(b, a), share));
        if (i > 0)
            _mm_storeu_ps(l->more[i - 1], _mm_sub_ps(now, was));
        if (i < n)
            _mm_storeu_ps(l->at[i], now);
        was = now;
    }
#else
    float was[4];
    for (int i = 0; i <= n; i++, at += 4, low += 4)
        for (int k = 0; k < 4; k++) {
            float a = (float)at[k], now = a + ((float)low[k] - a) * fy;
            if (i > 0)
                l->more[i - 1][k] = now - was[k];
            if (i < n)
                l->at[i][k] = now;
            was[k] = now;
        }
#endif
}

/* How much of a pixel the drop is, 0…1, and how bright. */
INLINE float drop_share(const struct drop *d, float d2)
{
    float a = (1 - sqrtf(d2)) * (1 / 0.35f);
    a = a > 0 ? a : 0;
    a = a < 1 ? a : 1;
    return d->strength * (a * a * (3 - 2 * a));
}

INLINE void drop_pixel(const struct drop *d, const struct line *l, int first, int x, float dy,
                       uint16_t *const plane[3])
{
    float dx = ((float)x - d->x) * d->inv_radius, d2 = dx * dx + dy * dy;
    float a = drop_share(d, d2), light = (1.06f + 0.3f * dy) - 0.12f * d2;
    float most = (float)d->width - 1.001f, at = d->small_x - dx * d->reach;
    at = at > 0 ? at : 0;
    at = at < most ? at : most;
    int i = (int)at;
    float f = at - (float)i;
    i = i > first ? i - first : 0;
    i = i < LINE_MOST - 1 ? i : LINE_MOST - 1;
    for (int k = 0; k < 3; k++) {
        float v = (l->at[i][k] + l->more[i][k] * f) * light, was = (float)plane[k][x];
        float now = was + (v - was) * a;
        plane[k][x] = (uint16_t)(int32_t)(now < 65535 ? now : 65535);
    }
}

#ifdef __AVX2__
/* Points of two pixels, one in each half, between which they look. */
INLINE __m256 points2(const struct line *l, int a, int b, __m256 f)
{
    __m256 at = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(l->at[a])),
                                     _mm_loadu_ps(l->at[b]), 1);
    __m256 more = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(l->more[a])),
                                       _mm_loadu_ps(l->more[b]), 1);
    return _mm256_add_ps(at, _mm256_mul_ps(more, f));
}

INLINE void drop8(const struct drop *d, const struct line *l, int first, int x, float dy,
                  uint16_t *const plane[3])
{
    const __m256 one = _mm256_set1_ps(1), zero = _mm256_setzero_ps();
    __m256 dx = _mm256_cvtepi32_ps(
        _mm256_add_epi32(_mm256_set1_epi32(x), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)));
    dx = _mm256_mul_ps(_mm256_sub_ps(dx, _mm256_set1_ps(d->x)), _mm256_set1_ps(d->inv_radius));
    __m256 d2 = _mm256_add_ps(_mm256_mul_ps(dx, dx), _mm256_set1_ps(dy * dy));
    __m256 a = _mm256_mul_ps(_mm256_sub_ps(one, _mm256_sqrt_ps(d2)), _mm256_set1_ps(1 / 0.35f));
    a = _mm256_min_ps(_mm256_max_ps(a, zero), one);
    a = _mm256_mul_ps(_mm256_mul_ps(a, a),
                      _mm256_sub_ps(_mm256_set1_ps(3), _mm256_mul_ps(_mm256_set1_ps(2), a)));
    a = _mm256_mul_ps(_mm256_set1_ps(d->strength), a);
    __m256 light =
        _mm256_sub_ps(_mm256_set1_ps(1.06f + 0.3f * dy), _mm256_mul_ps(_mm256_set1_ps(0.12f), d2));
    __m256 at =
        _mm256_sub_ps(_mm256_set1_ps(d->small_x), _mm256_mul_ps(dx, _mm256_set1_ps(d->reach)));
    at = _mm256_min_ps(_mm256_max_ps(at, zero), _mm256_set1_ps((float)d->width - 1.001f));
    __m256i i = _mm256_cvttps_epi32(at);
    __m256 f = _mm256_sub_ps(at, _mm256_cvtepi32_ps(i));
    i = _mm256_max_epi32(_mm256_sub_epi32(i, _mm256_set1_epi32(first)), _mm256_setzero_si256());
    i = _mm256_min_epi32(i, _mm256_set1_epi32(LINE_MOST - 1));
    int32_t p[LANES];
    _mm256_storeu_si256((__m256i *)p, i);
    __m256 q0 = points2(l, p[0], p[4], _mm256_shuffle_ps(f, f, 0x00));
    __m256 q1 = points2(l, p[1], p[5], _mm256_shuffle_ps(f, f, 0x55));
    __m256 q2 = points2(l, p[2], p[6], _mm256_shuffle_ps(f, f, 0xaa));
    __m256 q3 = points2(l, p[3], p[7], _mm256_shuffle_ps(f, f, 0xff));
    __m256 r0 = _mm256_unpacklo_ps(q0, q1), r1 = _mm256_unpacklo_ps(q2, q3);
    __m256 b0 = _mm256_unpackhi_ps(q0, q1), b1 = _mm256_unpackhi_ps(q2, q3);
    const __m256 colour[3] = {_mm256_shuffle_ps(r0, r1, 0x44), _mm256_shuffle_ps(r0, r1, 0xee),
                              _mm256_shuffle_ps(b0, b1, 0x44)};
    for (int k = 0; k < 3; k++) {
        __m128i *to = (__m128i *)(void *)(plane[k] + x);
        __m256 was = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128(to)));
        __m256 v = _mm256_mul_ps(colour[k], light);
        v = _mm256_add_ps(was, _mm256_mul_ps(_mm256_sub_ps(v, was), a));
        __m256i now = _mm256_cvttps_epi32(_mm256_min_ps(v, _mm256_set1_ps(65535)));
        _mm_storeu_si128(
            to, _mm_packus_epi32(_mm256_castsi256_si128(now), _mm256_extracti128_si256(now, 1)));
    }
}
#endif

void KERNELS_OWN(drop)(const struct drop *d, int y, int x0, int x1, uint16_t *const plane[3])
{
    float dy = ((float)y - d->y) * d->inv_radius, most = (float)d->width - 1.001f;
    /* Further to the right one looks further to the left. */
    float left = d->small_x - ((float)(x1 - 1) - d->x) * d->inv_radius * d->reach;
    float right = d->small_x - ((float)x0 - d->x) * d->inv_radius * d->reach;
    left = left < 0 ? 0 : left > most ? most : left;
    right = right < 0 ? 0 : right > most ? most : right;
    int first = (int)left, n = (int)right + 1 - first;
    struct line l;
    line_of(d, d->small_y - dy * d->reach, first, n < LINE_MOST ? n : LINE_MOST, &l);
    int x = x0;
#ifdef __AVX2__
    for (; x + LANES <= x1; x += LANES)
        drop8(d, &l, first, x, dy, plane);
#endif
    for (; x < x1; x++)
        drop_pixel(d, &l, first, x, dy, plane);
}
