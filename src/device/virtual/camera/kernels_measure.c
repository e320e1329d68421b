/* What a sensor measures, as it was exposed. Compiled like kernels.c; plain loops, which the
 * compiler widens. */
#include <math.h>
#include <string.h>

#include "device/virtual/kernels_inside.h"

#define LEAST_LOG2 (-16)

/* Quarter of a stop that a light is in. */
INLINE uint8_t bin_of(float light)
{
    uint32_t bits;
    memcpy(&bits, &light, sizeof(bits));
    int rest = (int)(bits & 0x7fffff);
    int bin = ((int)(bits >> 23) - 127 - LEAST_LOG2) * 4;
    bin += (rest >= 0x183800) + (rest >= 0x3504f3) + (rest >= 0x5744fd); /* 2^¼, 2^½, 2^¾ */
    return (uint8_t)(bin < 0 ? 0 : bin >= EXPOSED_BINS ? EXPOSED_BINS - 1 : bin);
}

INLINE void expose_n(const struct exposing *s, const uint16_t *const of[3], const float *gain,
                     const int8_t *const noise[3], int n, float *const to[3], uint8_t *bin,
                     uint8_t *clipped)
{
    const float inv[2] = {1 / (32 * s->well), 1 / (32 * s->shorter)};
    float sigma[STRIP], c[3][STRIP];
    for (int x = 0; x < n; x++) {
        /* The noise of green is near enough for all. */
        float green = (float)of[1][x] * gain[x];
        float w = green < 1 ? s->well : s->shorter;
        sigma[x] = sqrtf(green * w + s->read * s->read) * (green < 1 ? inv[0] : inv[1]);
    }
    for (int k = 0; k < 3; k++)
        for (int x = 0; x < n; x++) {
            float v = (float)of[k][x] * gain[x] + sigma[x] * (float)noise[k][x];
            v = v < 0 ? 0 : v;
            c[k][x] = v > s->range ? s->range : v;
        }
    for (int x = 0; x < n; x++)
        bin[x] = bin_of(c[1][x]);
    for (int x = 0; x < n; x++)
        clipped[x] = (c[0][x] >= s->white) | (c[1][x] >= s->white) | (c[2][x] >= s->white);
    for (int k = 0; k < 3; k++)
        memcpy(to[k], c[k], (size_t)n * sizeof(*c[k]));
}

void KERNELS_OWN(expose)(const struct exposing *s, const uint16_t *const of[3], const float *gain,
                         const int8_t *const noise[3], int n, float *const to[3], uint8_t *bin,
                         uint8_t *clipped)
{
    for (int x = 0; x < n; x += STRIP) {
        const uint16_t *const from[3] = {of[0] + x, of[1] + x, of[2] + x};
        const int8_t *const grain[3] = {noise[0] + x, noise[1] + x, noise[2] + x};
        float *const out[3] = {to[0] + x, to[1] + x, to[2] + x};
        if (n - x >= STRIP)
            expose_n(s, from, gain + x, grain, STRIP, out, bin + x, clipped + x);
        else
            expose_n(s, from, gain + x, grain, n - x, out, bin + x, clipped + x);
    }
}
