/* Laying soft capsules over a picture: streaks of rain, flakes, anything thin and bright.
 * Compiled like kernels.c. */
#include <math.h>
#include <string.h>

#include "device/virtual/kernels_inside.h"
#include "device/virtual/radiance.h"
#include "device/virtual/weather/fall.h"

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

/* ---- places of a lattice ---- */

#ifdef __AVX2__
INLINE __m256i times(__m256i a, uint64_t b)
{
    const __m256i low = _mm256_set1_epi64x((int64_t)(b & 0xffffffff));
    const __m256i high = _mm256_set1_epi64x((int64_t)(b >> 32));
    __m256i cross = _mm256_add_epi64(_mm256_mul_epu32(_mm256_srli_epi64(a, 32), low),
                                     _mm256_mul_epu32(a, high));
    return _mm256_add_epi64(_mm256_mul_epu32(a, low), _mm256_slli_epi64(cross, 32));
}

/* fall_mix() and fall_unit() of four. */
INLINE __m256i mix4(__m256i x)
{
    x = _mm256_add_epi64(x, _mm256_set1_epi64x((int64_t)UINT64_C(0x9e3779b97f4a7c15)));
    x = times(_mm256_xor_si256(x, _mm256_srli_epi64(x, 30)), UINT64_C(0xbf58476d1ce4e5b9));
    x = times(_mm256_xor_si256(x, _mm256_srli_epi64(x, 27)), UINT64_C(0x94d049bb133111eb));
    return _mm256_xor_si256(x, _mm256_srli_epi64(x, 31));
}

INLINE __m256d unit4(__m256i x)
{
    const __m256d whole = _mm256_set1_pd(0x1p52);
    x = _mm256_and_si256(x, _mm256_set1_epi64x(0xffff));
    x = _mm256_or_si256(x, _mm256_castpd_si256(whole));
    __m256d n = _mm256_sub_pd(_mm256_castsi256_pd(x), whole);
    return _mm256_mul_pd(_mm256_add_pd(n, _mm256_set1_pd(0.5)), _mm256_set1_pd(1.0 / 65536));
}

INLINE __m256d dot4(const __m256d a[3], const double b[3])
{
    __m256d sum = _mm256_add_pd(_mm256_mul_pd(a[0], _mm256_set1_pd(b[0])),
                                _mm256_mul_pd(a[1], _mm256_set1_pd(b[1])));
    return _mm256_add_pd(sum, _mm256_mul_pd(a[2], _mm256_set1_pd(b[2])));
}

unsigned KERNELS_OWN(places)(const struct fall_window *w, uint64_t key, const double corner[3],
                             struct fall_found *ret)
{
    const __m256d sign = _mm256_set1_pd(-0.0);
    __m256i h =
        mix4(_mm256_add_epi64(_mm256_set1_epi64x((int64_t)key), _mm256_setr_epi64x(0, 1, 2, 3)));
    __m256i share = _mm256_set1_epi64x(w->share);
    __m256d there = _mm256_castsi256_pd(_mm256_cmpgt_epi64(share, _mm256_srli_epi64(h, 48)));
    const __m256d part[3] = {unit4(h), unit4(_mm256_srli_epi64(h, 16)),
                             unit4(_mm256_srli_epi64(h, 32))};
    __m256d at[3], away[3], seen[3];
    for (int k = 0; k < 3; k++) {
        at[k] = _mm256_add_pd(_mm256_set1_pd(corner[k]),
                              _mm256_mul_pd(part[k], _mm256_set1_pd(w->cell_m)));
        away[k] = _mm256_sub_pd(at[k], _mm256_set1_pd(w->middle[k]));
        _mm256_storeu_pd(ret->at[k], at[k]);
    }
    __m256d away2 = _mm256_add_pd(_mm256_mul_pd(away[0], away[0]), _mm256_mul_pd(away[1], away[1]));
    away2 = _mm256_add_pd(away2, _mm256_mul_pd(away[2], away[2]));
    there = _mm256_and_pd(there, _mm256_cmp_pd(away2, _mm256_set1_pd(w->ball2), _CMP_LE_OQ));
    for (int k = 0; k < 3; k++) {
        seen[k] = dot4(at, w->axis[k]);
        _mm256_storeu_pd(ret->seen[k], seen[k]);
    }
    there = _mm256_and_pd(there, _mm256_cmp_pd(seen[2], _mm256_set1_pd(w->near_m), _CMP_GE_OQ));
    there = _mm256_and_pd(there, _mm256_cmp_pd(seen[2], _mm256_set1_pd(w->far_m), _CMP_LT_OQ));
    for (int k = 0; k < 2; k++) {
        __m256d most = _mm256_add_pd(_mm256_mul_pd(_mm256_set1_pd(w->slope[k]), seen[2]),
                                     _mm256_set1_pd(w->margin_m));
        there =
            _mm256_and_pd(there, _mm256_cmp_pd(_mm256_andnot_pd(sign, seen[k]), most, _CMP_LE_OQ));
    }
    _mm256_storeu_pd(ret->away2, away2);
    _mm256_storeu_si256((__m256i *)(void *)ret->hash, h);
    return (unsigned)_mm256_movemask_pd(there);
}
#else
unsigned KERNELS_OWN(places)(const struct fall_window *w, uint64_t key, const double corner[3],
                             struct fall_found *ret)
{
    unsigned found = 0;
    for (int i = 0; i < FALL_PLACES; i++) {
        uint64_t h = ret->hash[i] = fall_mix(key + (uint64_t)i);
        double at[3], away[3], seen[3];
        for (int k = 0; k < 3; k++) {
            at[k] = ret->at[k][i] = corner[k] + fall_unit(h, 16 * k) * w->cell_m;
            away[k] = at[k] - w->middle[k];
        }
        for (int k = 0; k < 3; k++)
            seen[k] = ret->seen[k][i] =
                at[0] * w->axis[k][0] + at[1] * w->axis[k][1] + at[2] * w->axis[k][2];
        double away2 = away[0] * away[0] + away[1] * away[1] + away[2] * away[2];
        ret->away2[i] = away2;
        /* Each by itself is anybody's guess, and would cost more as a branch than all of it. */
        unsigned there = ((h >> 48) < w->share) & (away2 <= w->ball2) & (seen[2] >= w->near_m) &
                         (seen[2] < w->far_m) &
                         (fabs(seen[0]) <= w->slope[0] * seen[2] + w->margin_m) &
                         (fabs(seen[1]) <= w->slope[1] * seen[2] + w->margin_m);
        found |= there << i;
    }
    return found;
}
#endif
