#include "device/virtual/texture.h"

#include <math.h>
#include <stdlib.h>

struct texture *texture_new(int log2_w, int log2_h, bool alpha)
{
    struct texture *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->log2_w = log2_w;
    t->log2_h = log2_h;
    t->alpha = alpha;
    int smaller = log2_w < log2_h ? log2_w : log2_h;
    t->levels = smaller + 1 < TEXTURE_LEVELS ? smaller + 1 : TEXTURE_LEVELS;
    for (int n = 0; n < t->levels; n++) {
        size_t texels = (size_t)((1 << (log2_w - n)) + 1) * ((1 << (log2_h - n)) + 1);
        t->level[n] = calloc(texels, sizeof(uint32_t));
        if (!t->level[n])
            return texture_free(t);
    }
    return t;
}

struct texture *texture_free(struct texture *t)
{
    if (!t)
        return NULL;
    for (int n = 0; n < t->levels; n++)
        free(t->level[n]);
    free(t);
    return NULL;
}

/* Averages four texels in linear light, colours weighted by coverage. */
static uint32_t average(uint32_t a, uint32_t b, uint32_t c, uint32_t d, bool alpha)
{
    const uint32_t in[4] = {a, b, c, d};
    float sum[3] = {0}, weight = 0;
    for (int i = 0; i < 4; i++) {
        float w = alpha ? (float)(in[i] >> 24) + 0.01f : 1;
        for (int k = 0; k < 3; k++) {
            float v = (float)(in[i] >> (8 * k) & 255);
            sum[k] += v * v * w;
        }
        weight += w;
    }
    uint32_t out = 0;
    for (int k = 0; k < 3; k++)
        out |= (uint32_t)(sqrtf(sum[k] / weight) + 0.5f) << (8 * k);
    uint32_t cover = alpha ? ((a >> 24) + (b >> 24) + (c >> 24) + (d >> 24) + 2) / 4 : 255;
    return out | cover << 24;
}

static void wrap_edges(uint32_t *texels, int w, int h)
{
    for (int y = 0; y < h; y++)
        texels[(long)y * (w + 1) + w] = texels[(long)y * (w + 1)];
    for (int x = 0; x <= w; x++)
        texels[(long)h * (w + 1) + x] = texels[x];
}

void texture_finish(struct texture *t)
{
    int w = texture_w(t), h = texture_h(t);
    wrap_edges(t->level[0], w, h);
    for (int n = 1; n < t->levels; n++, w /= 2, h /= 2) {
        const uint32_t *from = t->level[n - 1];
        uint32_t *to = t->level[n];
        for (int y = 0; y < h / 2; y++)
            for (int x = 0; x < w / 2; x++) {
                const uint32_t *p = from + (long)2 * y * (w + 1) + 2 * x;
                to[(long)y * (w / 2 + 1) + x] = average(p[0], p[1], p[w + 1], p[w + 2], t->alpha);
            }
        wrap_edges(to, w / 2, h / 2);
    }
}

uint32_t noise_hash(uint32_t seed, uint32_t x, uint32_t y)
{
    uint32_t h = seed * 0x9e3779b1u ^ x * 0x85ebca77u ^ y * 0xc2b2ae3du;
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return h ^ h >> 15;
}

float noise_cell(uint32_t seed, int x, int y)
{
    return (float)(noise_hash(seed, (uint32_t)x, (uint32_t)y) >> 8) / 16777216.0f;
}

float noise_value(uint32_t seed, float x, float y, int period)
{
    float fx = floorf(x), fy = floorf(y);
    int ix = (int)fx % period, iy = (int)fy % period;
    ix += ix < 0 ? period : 0;
    iy += iy < 0 ? period : 0;
    int jx = ix + 1 == period ? 0 : ix + 1, jy = iy + 1 == period ? 0 : iy + 1;
    float u = x - fx, v = y - fy;
    u = u * u * (3 - 2 * u);
    v = v * v * (3 - 2 * v);
    float a = noise_cell(seed, ix, iy), b = noise_cell(seed, jx, iy);
    float c = noise_cell(seed, ix, jy), d = noise_cell(seed, jx, jy);
    return (a + (b - a) * u) * (1 - v) + (c + (d - c) * u) * v;
}

float noise_fractal(uint32_t seed, float x, float y, int period, int octaves)
{
    float sum = 0, size = 0.5f, all = 0;
    for (int i = 0; i < octaves; i++) {
        sum += size * noise_value(seed + (uint32_t)i * 101, x, y, period);
        all += size;
        size *= 0.5f;
        x *= 2;
        y *= 2;
        period *= 2;
    }
    return sum / all;
}
