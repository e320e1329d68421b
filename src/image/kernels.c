/* Compiled several times with different IMAGE_KERNELS and -march; see kernels.h. */
#include "image/kernels.h"

#include <stdlib.h>
#include <string.h>

#define STRIP 64 /* samples at a time: loops of known length become vectors */
#define INLINE static inline __attribute__((always_inline))

INLINE int clamp(int v)
{
    return v < 0 ? 0 : v > 255 ? 255 : v;
}

static void lookup(uint8_t *row, size_t n, const uint8_t table[256])
{
    for (size_t i = 0; i < n; i++)
        row[i] = table[row[i]];
}

static void saturate(uint8_t *row, size_t n, int k_x64)
{
    for (size_t i = 0; i < n; i++)
        row[i] = (uint8_t)clamp(128 + (((row[i] - 128) * k_x64 + 32) >> 6));
}

INLINE void affine_run(uint8_t *row, int n, int step, const int32_t gain[2],
                       const int32_t offset[2], int zero)
{
    int step_log2 = step == 32 ? 6 : step == 16 ? 5 : __builtin_ctz((unsigned)step) + 1;
    /* In the middle of each sample: twice the steps. */
    int32_t dg = gain[1] - gain[0], d_o = (offset[1] - offset[0]) >> step_log2;
    int32_t base = offset[0] + (zero << 12) + 2048;
    for (int i = 0; i < n; i++) {
        int32_t at = 2 * i + 1, g = gain[0] + ((dg * at) >> step_log2);
        int32_t o = base + d_o * at;
        row[i] = (uint8_t)clamp(((row[i] - zero) * g + o) >> 12);
    }
}

static void affine(uint8_t *row, size_t n, int step, const int32_t *gain, const int32_t *offset,
                   int zero)
{
    size_t i = 0;
    for (; i + (size_t)step <= n; i += (size_t)step, gain++, offset++) {
        if (step == 32) /* the usual ones, unrolled */
            affine_run(row + i, 32, 32, gain, offset, zero);
        else if (step == 16)
            affine_run(row + i, 16, 16, gain, offset, zero);
        else
            affine_run(row + i, step, step, gain, offset, zero);
    }
    if (i < n)
        affine_run(row + i, (int)(n - i), step, gain, offset, zero);
}

INLINE void sharpen_run(uint8_t *to, const uint8_t *a, const uint8_t *m, const uint8_t *b, int n,
                        int k_x64, int noise)
{
    for (int i = 0; i < n; i++) {
        int sum = a[i - 1] + 2 * a[i] + a[i + 1] + 2 * m[i - 1] + 4 * m[i] + 2 * m[i + 1] +
                  b[i - 1] + 2 * b[i] + b[i + 1];
        int d = 16 * m[i] - sum, size = abs(d) - 16 * noise;
        size = size < 0 ? 0 : size > 640 ? 640 : size; /* 40 grey levels: no halos */
        size = (size * k_x64 + 512) >> 10;
        to[i] = (uint8_t)clamp(d < 0 ? m[i] - size : m[i] + size);
    }
}

static void sharpen(uint8_t *to, const uint8_t *above, const uint8_t *middle, const uint8_t *below,
                    size_t n, int k_x64, int noise)
{
    size_t i = 0;
    for (; i + STRIP <= n; i += STRIP)
        sharpen_run(to + i, above + i, middle + i, below + i, STRIP, k_x64, noise);
    sharpen_run(to + i, above + i, middle + i, below + i, (int)(n - i), k_x64, noise);
}

INLINE void smooth_run(uint8_t *to, const uint8_t *a, const uint8_t *m, const uint8_t *b, int n,
                       int like)
{
    for (int i = 0; i < n; i++) {
        const int near[8] = {a[i - 1], a[i],     a[i + 1], m[i - 1],
                             m[i + 1], b[i - 1], b[i],     b[i + 1]};
        int sum = 0, middle = m[i];
        for (int k = 0; k < 8; k++) { /* who is unlike counts as the middle itself */
            int d = near[k] - middle;
            sum += abs(d) < like ? d : 0;
        }
        to[i] = (uint8_t)(middle + ((sum * 455 + 2048) >> 12)); /* a ninth of it */
    }
}

static void smooth(uint8_t *to, const uint8_t *above, const uint8_t *middle, const uint8_t *below,
                   size_t n, int like)
{
    size_t i = 0;
    for (; i + STRIP <= n; i += STRIP)
        smooth_run(to + i, above + i, middle + i, below + i, STRIP, like);
    smooth_run(to + i, above + i, middle + i, below + i, (int)(n - i), like);
}

INLINE uint32_t collect_run(uint8_t *row, uint16_t *kept, int n, const struct blend *b)
{
    uint32_t small = 0;
    for (int i = 0; i < n; i++) {
        int d = 16 * row[i] - kept[i], size = abs(d), beyond = size - b->floor_x16;
        int share = b->least + ((beyond < 0 ? 0 : beyond) * b->slope >> 8);
        share = share > 256 ? 256 : share;
        int v = kept[i] + ((d * share + 128) >> 8);
        small += size < 32 * 16 ? (uint32_t)size : 0;
        kept[i] = (uint16_t)v;
        row[i] = (uint8_t)clamp((v + 8) >> 4);
    }
    return small;
}

static uint32_t collect(uint8_t *row, uint16_t *kept, size_t n, const struct blend *b)
{
    size_t i = 0;
    uint32_t sum = 0;
    for (; i + STRIP <= n; i += STRIP)
        sum += collect_run(row + i, kept + i, STRIP, b);
    return sum + collect_run(row + i, kept + i, (int)(n - i), b);
}

static void resample(uint8_t *to, const uint8_t *top, const uint8_t *below, int weight, size_t n,
                     int32_t x, int32_t step)
{
    for (size_t at = 0; at < n; at += STRIP) {
        int m = n - at < STRIP ? (int)(n - at) : STRIP;
        /* What the strip needs, mixed from the two rows; then taken apart by position. */
        int first = x >> 16, last = (x + (m - 1) * step) >> 16;
        uint16_t mixed[2 * STRIP + 2];
        int wide = last - first + 2;
        if (wide > 2 * STRIP)
            return; /* steps of two and more are not for this */
        for (int i = 0; i < wide; i++)
            mixed[i] =
                (uint16_t)((top[first + i] * (256 - weight) + below[first + i] * weight) >> 2);
        for (int i = 0; i < m; i++, x += step) {
            int k = (x >> 16) - first, f = x >> 10 & 63;
            to[at + (size_t)i] = (uint8_t)((mixed[k] * (64 - f) + mixed[k + 1] * f + 2048) >> 12);
        }
    }
}

INLINE void over_run(uint8_t *restrict to, const uint8_t *restrict add,
                     const uint8_t *restrict keep, int n)
{
    for (int i = 0; i < n; i++) {
        uint16_t v = (uint16_t)(to[i] * keep[i] + 128);
        to[i] = (uint8_t)(add[i] + (uint8_t)((uint16_t)(v + (v >> 8)) >> 8));
    }
}

static void over(uint8_t *to, const uint8_t *add, const uint8_t *keep, size_t n)
{
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        over_run(to + i, add + i, keep + i, 16);
    over_run(to + i, add + i, keep + i, (int)(n - i));
}

extern const struct image_kernels IMAGE_KERNELS;
const struct image_kernels IMAGE_KERNELS = {.name = IMAGE_KERNELS_NAME,
                                            .lookup = lookup,
                                            .saturate = saturate,
                                            .affine = affine,
                                            .sharpen = sharpen,
                                            .smooth = smooth,
                                            .collect = collect,
                                            .resample = resample,
                                            .over = over};
