/* Small discs, and what lies between two blurred pictures. Compiled like kernels.c; plain loops,
 * which the compiler widens: every machine adds in the same order. */
#include "device/virtual/kernels_inside.h"

/* Twenty-one samples about each: five in three rows, three in the rows above and below. */
INLINE void sum21(const uint16_t *p, size_t stride, int n, uint32_t *sum)
{
    const uint16_t *a = p - 2 * stride, *b = p - stride, *d = p + stride, *e = p + 2 * stride;
    for (int x = 0; x < n; x++) {
        uint32_t s = 0;
        for (int i = -1; i <= 1; i++)
            s += (uint32_t)a[x + i] + e[x + i];
        for (int i = -2; i <= 2; i++)
            s += (uint32_t)b[x + i] + p[x + i] + d[x + i];
        sum[x] = s;
    }
}

INLINE void disc21_n(const uint16_t *const from[4], size_t stride, uint16_t *const to[3], int x,
                     int n)
{
    uint32_t weight[STRIP], sum[STRIP];
    sum21(from[3] + x, stride, n, weight);
    for (int k = 0; k < 3; k++) {
        uint16_t *out = to[k] + x;
        sum21(from[k] + x, stride, n, sum);
        for (int i = 0; i < n; i++) {
            float w = (float)(int32_t)weight[i];
            float v = (float)(int32_t)sum[i] * (BOKEH_WEIGHT / w) + 0.5f;
            out[i] = (uint16_t)(int32_t)(v > 65535 ? 65535 : v);
        }
    }
}

void KERNELS_OWN(disc21)(const uint16_t *const from[4], size_t stride, uint16_t *const to[3], int n)
{
    int x = 0;
    for (; x + STRIP <= n; x += STRIP)
        disc21_n(from, stride, to, x, STRIP);
    for (; x + 8 <= n; x += 8)
        disc21_n(from, stride, to, x, 8);
    if (x < n)
        disc21_n(from, stride, to, x, n - x);
}

INLINE void disc21_plain_n(const uint16_t *from, size_t stride, uint16_t *to, int n)
{
    uint32_t sum[STRIP];
    sum21(from, stride, n, sum);
    for (int i = 0; i < n; i++)
        to[i] = (uint16_t)(int32_t)((float)(int32_t)sum[i] * (1 / 21.0f) + 0.5f);
}

void KERNELS_OWN(disc21_plain)(const uint16_t *from, size_t stride, uint16_t *to, int n)
{
    int x = 0;
    for (; x + 16 <= n; x += 16)
        disc21_plain_n(from + x, stride, to + x, 16);
    if (x < n)
        disc21_plain_n(from + x, stride, to + x, n - x);
}

void KERNELS_OWN(between)(uint16_t *lower, const uint16_t *upper, const uint16_t *part, int base)
{
    for (int i = 0; i < 256; i++) {
        int f = part[i] - base;
        f = f < 0 ? 0 : f > BOKEH_PARTS ? BOKEH_PARTS : f;
        lower[i] = (uint16_t)((lower[i] * (uint32_t)(BOKEH_PARTS - f) + upper[i] * (uint32_t)f +
                               BOKEH_PARTS / 2) /
                              BOKEH_PARTS);
    }
}

INLINE void stretch_by(uint16_t *to, const uint16_t *a, const uint16_t *b, int n, int step,
                       int bits, uint32_t fy)
{
    const uint32_t whole = (uint32_t)(2 * step);
    for (int i = 0; i < n; i++, to += step) {
        uint32_t left = a[i] * (whole - fy) + b[i] * fy;
        uint32_t right = a[i + 1] * (whole - fy) + b[i + 1] * fy;
        for (int k = 0; k < step; k++) {
            uint32_t f = (uint32_t)(2 * k + 1);
            to[k] = (uint16_t)((left * (whole - f) + right * f) >> bits);
        }
    }
}

void KERNELS_OWN(stretch)(uint16_t *to, const uint16_t *a, const uint16_t *b, int n, int step,
                          uint32_t fy)
{
    switch (step) { /* loops of known length */
    case 2:
        stretch_by(to, a, b, n, 2, 4, fy);
        break;
    case 4:
        stretch_by(to, a, b, n, 4, 6, fy);
        break;
    case 8:
        stretch_by(to, a, b, n, 8, 8, fy);
        break;
    case 16:
        stretch_by(to, a, b, n, 16, 10, fy);
        break;
    case 32:
        stretch_by(to, a, b, n, 32, 12, fy);
        break;
    default:
        stretch_by(to, a, b, n, 64, 14, fy);
        break;
    }
}

/* The weights 1, 3, 3, 1 are those with which two pixels lie between small ones: nothing moves. */
void KERNELS_OWN(shrink)(uint16_t *to, const uint16_t *const row[4], int n)
{
    uint32_t sum[2 * STRIP + 2];
    for (int x = 0; x < n; x += STRIP) {
        int m = n - x < STRIP ? n - x : STRIP;
        const uint16_t *a = row[0] + 2 * x - 1, *b = row[1] + 2 * x - 1;
        const uint16_t *c = row[2] + 2 * x - 1, *d = row[3] + 2 * x - 1;
        for (int i = 0; i < 2 * m + 2; i++)
            sum[i] = (uint32_t)a[i] + d[i] + 3 * ((uint32_t)b[i] + c[i]);
        for (int i = 0; i < m; i++)
            to[x + i] = (uint16_t)((sum[2 * i] + sum[2 * i + 3] +
                                    3 * (sum[2 * i + 1] + sum[2 * i + 2]) + 32) >>
                                   6);
    }
}
