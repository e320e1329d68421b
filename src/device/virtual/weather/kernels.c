/* Laying soft capsules over a picture: streaks of rain, flakes, anything thin and bright.
 * Compiled like kernels.c. */
#include <math.h>
#include <string.h>

#include "device/virtual/kernels_inside.h"
#include "device/virtual/radiance.h"

#define LANES CAPSULE_BLOCK
#define AHEAD 8 /* rows: each is far from the last one in memory */

/* How much of each of eight pixels the capsule covers, as weights of 65536: (1 - q²)²
 * across, round ends. `skip`: of the first so many, nothing. */
#ifdef __AVX2__
/* The same operations as below: left alone, the compiler takes one pixel at a time. */
typedef __m128i weights;

INLINE weights weigh(const struct capsule *c, float across, float along, float step_across,
                     float step_along, int skip)
{
    const __m256 lane = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7);
    __m256 d =
        _mm256_add_ps(_mm256_set1_ps(across), _mm256_mul_ps(_mm256_set1_ps(step_across), lane));
    __m256 s =
        _mm256_add_ps(_mm256_set1_ps(along), _mm256_mul_ps(_mm256_set1_ps(step_along), lane));
    __m256 over = _mm256_sub_ps(s, _mm256_set1_ps(c->length));
    over = _mm256_max_ps(over, _mm256_sub_ps(_mm256_setzero_ps(), s));
    over = _mm256_max_ps(over, _mm256_setzero_ps());
    __m256 left = _mm256_add_ps(_mm256_mul_ps(d, d), _mm256_mul_ps(over, over));
    left = _mm256_max_ps(_mm256_sub_ps(_mm256_set1_ps(1), left), _mm256_setzero_ps());
    left = _mm256_mul_ps(left, left);
    __m256i w = _mm256_cvttps_epi32(_mm256_mul_ps(left, _mm256_set1_ps(c->opacity)));
    if (skip)
        w = _mm256_and_si256(w, _mm256_cmpgt_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
                                                   _mm256_set1_epi32(skip - 1)));
    return _mm_packus_epi32(_mm256_castsi256_si128(w), _mm256_extracti128_si256(w, 1));
}

INLINE void lay(uint16_t *at, uint16_t colour, weights w)
{
    __m128i p = _mm_loadu_si128((const __m128i *)at);
    __m128i come = _mm_mulhi_epu16(_mm_set1_epi16((short)colour), w);
    p = _mm_add_epi16(_mm_sub_epi16(p, _mm_mulhi_epu16(p, w)), come);
    _mm_storeu_si128((__m128i *)at, p);
}
#else
typedef struct {
    uint16_t of[LANES];
} weights;

INLINE weights weigh(const struct capsule *c, float across, float along, float step_across,
                     float step_along, int skip)
{
    weights w;
    for (int i = 0; i < LANES; i++) {
        float d = across + step_across * (float)i, s = along + step_along * (float)i;
        float over = s - c->length, under = 0 - s;
        over = over > under ? over : under;
        over = over > 0 ? over : 0;
        float left = 1 - (d * d + over * over);
        left = left > 0 ? left : 0;
        left = left * left;
        w.of[i] = i < skip ? 0 : (uint16_t)(int32_t)(left * c->opacity);
    }
    return w;
}

INLINE void lay(uint16_t *at, uint16_t colour, weights w)
{
    for (int i = 0; i < LANES; i++) {
        uint32_t gone = (uint32_t)at[i] * w.of[i] >> 16, come = (uint32_t)colour * w.of[i] >> 16;
        at[i] = (uint16_t)(at[i] - gone + come);
    }
}
#endif

size_t KERNELS_OWN(capsules)(const struct capsule *c, size_t n, struct radiance *into,
                             struct capsule_aside *aside)
{
    size_t blocks = 0;
    const int width = into->width, across = radiance_across(into);
    const size_t stride = into->stride;
    uint16_t *const plane[3] = {into->r, into->g, into->b};
    for (; n; n--, c++) {
        const float inv = c->inv_radius;
        const float step_across = c->uy * inv, step_along = c->ux * inv;
        for (int y = c->y0; y < c->y1; y++) {
            float dy = (float)y - c->y;
            /* Columns of this row within the capsule's strip and box. */
            float x0 = c->x0, x1 = c->x1;
            if (c->uy > 0.01f) {
                float middle = c->x + dy * c->lean;
                x0 = middle - c->half > x0 ? middle - c->half : x0;
                x1 = middle + c->half < x1 ? middle + c->half : x1;
            }
            int from = (int)x0, to = (int)x1; /* both ≥ 0 or close to it */
            from = from < 0 ? 0 : from;
            const int row = y - into->top;
            const size_t ahead = (size_t)(row + AHEAD) * stride + (size_t)from;
            if (y + AHEAD < c->y1)
                for (int k = 0; k < 3; k++)
                    __builtin_prefetch(plane[k] + ahead, 1);
            to = to > width - 1 ? width - 1 : to;
            for (int x = from; x <= to; x += LANES) {
                int b = x < width - LANES ? x : width - LANES;
                /* The last block is moved back into the picture: what it shares with the one
                 * before must not be covered twice. */
                int skip = x - b;
                float dx = (float)b - c->x;
                weights w =
                    weigh(c, (dx * c->uy - dy * c->ux) * inv, (dx * c->ux + dy * c->uy) * inv,
                          step_across, step_along, x > from ? skip : 0);
                size_t at = (size_t)row * stride + (size_t)b;
                int cell = row / RADIANCE_CELL * across;
                int cells[2] = {cell + b / RADIANCE_CELL, cell + (b + LANES - 1) / RADIANCE_CELL};
                if (into->touched)
                    into->touched[cells[0]] = into->touched[cells[1]] = 1;
                if (aside) {
                    struct capsule_aside *keep = aside + blocks;
                    keep->at = (uint32_t)at;
                    keep->cell[0] = (uint16_t)cells[0];
                    keep->cell[1] = (uint16_t)cells[1];
                    for (int k = 0; k < 3; k++)
                        memcpy(keep->was[k], plane[k] + at, sizeof(keep->was[k]));
                }
                blocks++;
                for (int k = 0; k < 3; k++)
                    lay(plane[k] + at, c->colour[k], w);
            }
        }
    }
    return blocks;
}
