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
    for (int y = 0; y < 8; y++, from += stride)
        for (int x = 0; x < 8; x++)
            column[x] += from[x];
    for (int x = 0; x < 8; x++)
        sum += column[x];
    return sum;
}

/* The small picture where a pixel of the drop looks: between four of its points. */
INLINE void small_between(const struct drop *d, float x, float y, float light, float ret[4])
{
    float most_x = (float)d->width - 1.001f, most_y = (float)d->height - 1.001f;
    x = x < 0 ? 0 : x > most_x ? most_x : x;
    y = y < 0 ? 0 : y > most_y ? most_y : y;
    int ix = (int)x, iy = (int)y;
    float fx = x - (float)ix, fy = y - (float)iy;
    const uint16_t *at = d->small + 4 * ((size_t)iy * (size_t)d->width + (size_t)ix);
    const uint16_t *low = at + 4 * (size_t)d->width;
#ifdef __AVX2__
    __m128 p[4];
    const uint16_t *const from[4] = {at, at + 4, low, low + 4};
    for (int k = 0; k < 4; k++)
        p[k] = _mm_cvtepi32_ps(_mm_cvtepu16_epi32(_mm_loadl_epi64((const __m128i *)from[k])));
    __m128 wide = _mm_set1_ps(fx);
    __m128 top = _mm_add_ps(p[0], _mm_mul_ps(_mm_sub_ps(p[1], p[0]), wide));
    __m128 below = _mm_add_ps(p[2], _mm_mul_ps(_mm_sub_ps(p[3], p[2]), wide));
    top = _mm_add_ps(top, _mm_mul_ps(_mm_sub_ps(below, top), _mm_set1_ps(fy)));
    _mm_storeu_ps(ret, _mm_mul_ps(top, _mm_set1_ps(light)));
#else
    for (int k = 0; k < 4; k++) {
        float a = (float)at[k], b = (float)at[k + 4], c = (float)low[k], e = (float)low[k + 4];
        float top = a + (b - a) * fx, below = c + (e - c) * fx;
        ret[k] = (top + (below - top) * fy) * light;
    }
#endif
}

void KERNELS_OWN(drop)(const struct drop *d, int y, int x0, int x1, uint16_t *const plane[3])
{
    float dy = ((float)y - d->y) * d->inv_radius;
    for (int x = x0; x < x1; x++) {
        float dx = ((float)x - d->x) * d->inv_radius, d2 = dx * dx + dy * dy;
        if (d2 >= 1)
            continue;
        float far = sqrtf(d2), a = (1 - far) * (1 / 0.35f);
        a = a > 1 ? 1 : a;
        a = d->strength * (a * a * (3 - 2 * a));
        float light = 1.06f + 0.3f * dy - 0.12f * d2; /* the sky shines from below */
        float v[4];
        small_between(d, d->small_x - dx * d->reach, d->small_y - dy * d->reach, light, v);
        for (int k = 0; k < 3; k++) {
            float was = (float)plane[k][x], now = was + (v[k] - was) * a;
            plane[k][x] = (uint16_t)(int32_t)(now > 65535 ? 65535 : now);
        }
    }
}
