/* Vectors of eight floats for the raster's kernels*.c. They are the compiler's own: the plain
 * build makes two halves of them. */
#ifndef DEVICE_VIRTUAL_RASTER_KERNELS_VEC_H
#define DEVICE_VIRTUAL_RASTER_KERNELS_VEC_H

#include <math.h>
#include <string.h>

#include "device/virtual/kernels_inside.h"
#include "device/virtual/raster/kernels.h"

#pragma GCC diagnostic ignored "-Wpsabi" /* all are inlined */

#define BLOCK MODEL_BLOCK

typedef float f8 __attribute__((vector_size(32)));
typedef int32_t i8 __attribute__((vector_size(32)));
typedef uint32_t u8 __attribute__((vector_size(32)));
typedef float f8u __attribute__((vector_size(32), aligned(4)));
typedef int32_t i8u __attribute__((vector_size(32), aligned(4)));
typedef int16_t h8u __attribute__((vector_size(16), aligned(2)));
typedef uint16_t w8u __attribute__((vector_size(16), aligned(2)));
typedef int8_t b8u __attribute__((vector_size(8), aligned(1)));
typedef uint8_t c8u __attribute__((vector_size(8), aligned(1)));

#define LOAD(p) ((f8) * (const f8u *)(p))
#define STORE(p, v) (*(f8u *)(p) = (v))
#define LOAD_I(p) ((i8) * (const i8u *)(p))
#define STORE_I(p, v) (*(i8u *)(p) = (v))
#define ALL(x) ((f8){x, x, x, x, x, x, x, x})
#define ALL_I(x) ((i8){x, x, x, x, x, x, x, x})
#define TO_F8(v) __builtin_convertvector(v, f8)

INLINE f8 pick(i8 mask, f8 a, f8 b)
{
#ifdef __AVX2__
    return (f8)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)mask);
#else
    return (f8)(((i8)a & mask) | ((i8)b & ~mask));
#endif
}
/* Where `sign` is negative a, else b. */
INLINE f8 by_sign(i8 sign, f8 a, f8 b)
{
#ifdef __AVX2__
    return (f8)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)sign);
#else
    return pick(sign < 0, a, b);
#endif
}
/* a > b ? a : b, also of what is no number */
INLINE f8 most(f8 a, f8 b)
{
#ifdef __AVX2__
    return (f8)_mm256_max_ps((__m256)a, (__m256)b);
#else
    return pick(a > b, a, b);
#endif
}
INLINE f8 least(f8 a, f8 b)
{
#ifdef __AVX2__
    return (f8)_mm256_min_ps((__m256)a, (__m256)b);
#else
    return pick(a < b, a, b);
#endif
}
INLINE f8 clamp01(f8 a)
{
    return least(most(a, ALL(0.0f)), ALL(1.0f));
}
INLINE bool any(i8 m)
{
#ifdef __AVX2__
    return _mm256_movemask_ps((__m256)m) != 0;
#else
    typedef int64_t q4 __attribute__((vector_size(32)));
    q4 q = (q4)m;
    return (q[0] | q[1] | q[2] | q[3]) != 0;
#endif
}
INLINE float root(float x)
{
    return __builtin_sqrtf(x);
}
INLINE f8 root8(f8 a)
{
    f8 r;
    for (int i = 0; i < BLOCK; i++)
        r[i] = root(a[i]);
    return r;
}

INLINE uint32_t bits(i8 m)
{
#ifdef __AVX2__
    return (uint32_t)_mm256_movemask_ps((__m256)m);
#else
    uint32_t r = 0;
    for (int i = 0; i < BLOCK; i++)
        r |= ((uint32_t)m[i] >> 31) << i;
    return r;
#endif
}

/* Eight small numbers. The compiler's own conversions of these are done one by one. */
INLINE f8 from_bytes(const uint8_t *p)
{
#ifdef __AVX2__
    return (f8)_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
#else
    return TO_F8(*(const c8u *)p);
#endif
}
INLINE f8 from_signed_bytes(const int8_t *p)
{
#ifdef __AVX2__
    return (f8)_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
#else
    return TO_F8(*(const b8u *)p);
#endif
}
INLINE f8 from_words(const uint16_t *p)
{
#ifdef __AVX2__
    return (f8)_mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)));
#else
    return TO_F8(*(const w8u *)p);
#endif
}
INLINE f8 from_signed_words(const int16_t *p)
{
#ifdef __AVX2__
    return (f8)_mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)p)));
#else
    return TO_F8(*(const h8u *)p);
#endif
}
/* Of 0…65535, and of 0…255, cut off. */
INLINE w8u to_words(f8 v)
{
#ifdef __AVX2__
    __m256i i = _mm256_cvttps_epi32((__m256)v);
    return (w8u)_mm_packus_epi32(_mm256_castsi256_si128(i), _mm256_extracti128_si256(i, 1));
#else
    return __builtin_convertvector(__builtin_convertvector(v, i8), w8u);
#endif
}
INLINE c8u to_bytes(f8 v)
{
#ifdef __AVX2__
    __m128i w = (__m128i)to_words(v);
    int64_t all = _mm_cvtsi128_si64(_mm_packus_epi16(w, w));
    c8u b;
    memcpy(&b, &all, sizeof(b));
    return b;
#else
    return __builtin_convertvector(__builtin_convertvector(v, i8), c8u);
#endif
}
/* At most eight of n that are there; the others are 0, or stay. */
INLINE f8 get_bytes(const uint8_t *from, int n)
{
    uint8_t some[BLOCK] = {0};
    if (n >= BLOCK)
        return from_bytes(from);
    for (int i = 0; i < n; i++)
        some[i] = from[i];
    return from_bytes(some);
}
INLINE void put_bytes(uint8_t *to, f8 v, int n)
{
    c8u b = to_bytes(v);
    if (n >= BLOCK)
        memcpy(to, &b, BLOCK);
    for (int i = 0; i < n && n < BLOCK; i++)
        to[i] = b[i];
}
INLINE f8 get_words(const uint16_t *from, int n)
{
    uint16_t some[BLOCK] = {0};
    if (n >= BLOCK)
        return from_words(from);
    for (int i = 0; i < n; i++)
        some[i] = from[i];
    return from_words(some);
}
INLINE void put_words(uint16_t *to, f8 v, int n)
{
    w8u w = to_words(v);
    if (n >= BLOCK)
        memcpy(to, &w, sizeof(w));
    for (int i = 0; i < n && n < BLOCK; i++)
        to[i] = w[i];
}
/* To the nearest of 0…65535. */
INLINE f8 sample_of(f8 v)
{
    return least(most(v + ALL(0.5f), ALL(0.0f)), ALL(65535.0f));
}

/* Neighbours of two vectors together, by halves: 0 1, 2 3 of a, then of b; then 4 5 … */
#define PAIRS(a, b, even, odd)                                                                     \
    even = __builtin_shufflevector(a, b, 0, 2, 8, 10, 4, 6, 12, 14),                               \
    odd = __builtin_shufflevector(a, b, 1, 3, 9, 11, 5, 7, 13, 15)
INLINE i8 sums(i8 a, i8 b)
{
    i8 PAIRS(a, b, even, odd);
    return even + odd;
}
INLINE f8 mosts(f8 a, f8 b)
{
    f8 PAIRS(a, b, even, odd);
    return most(even, odd);
}
/* From samples of a tile's four blocks to its pixels: left ones of the blocks, then right ones.
 * Their middles: */
INLINE f8 lane_x(int tx)
{
    return (f8){0.5f, 2.5f, 0.5f, 2.5f, 1.5f, 3.5f, 1.5f, 3.5f} + ALL((float)(tx * RASTER_TILE_W));
}
INLINE f8 lane_y(int ty)
{
    return (f8){0.5f, 0.5f, 1.5f, 1.5f, 0.5f, 0.5f, 1.5f, 1.5f} + ALL((float)(ty * RASTER_TILE_H));
}
INLINE f8 reading_order(f8 v)
{
    return __builtin_shufflevector(v, v, 0, 4, 1, 5, 2, 6, 3, 7);
}

INLINE u8 gather(const uint32_t *texel, i8 at)
{
#ifdef __AVX2__
    return (u8)_mm256_i32gather_epi32((const int *)texel, (__m256i)at, 4);
#else
    u8 r;
    for (int i = 0; i < BLOCK; i++)
        r[i] = texel[at[i]];
    return r;
#endif
}

INLINE f8 gather_f(const float *from, i8 at)
{
#ifdef __AVX2__
    return (f8)_mm256_i32gather_ps(from, (__m256i)at, 4);
#else
    f8 r;
    for (int i = 0; i < BLOCK; i++)
        r[i] = from[at[i]];
    return r;
#endif
}
/* Eight rows of eight become columns. */
INLINE void turn8(f8 v[BLOCK])
{
    f8 a[BLOCK];
    for (int step = 0; step < 3; step++) {
        for (int i = 0; i < BLOCK / 2; i++) {
            a[2 * i] = __builtin_shufflevector(v[i], v[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
            a[2 * i + 1] = __builtin_shufflevector(v[i], v[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
        }
        memcpy(v, a, sizeof(a));
    }
}

/* Texels of a tile's pixels: bilinear, coverage in the fourth. */
INLINE void texels(const struct raster_batch *b, int level, f8 u, f8 v, f8 ret[4])
{
    const uint32_t *texel = b->level[level];
    const int lw = b->log2_w - level, w = 1 << lw, h = 1 << (b->log2_h - level);
    const i8 zero = {0}, wmask = zero + (w - 1), hmask = zero + (h - 1);
    const u8 none = {0}, m = none + 0xff00ff;
    /* The offset is a multiple of every side: what is left of 0 becomes positive. */
    i8 iu = __builtin_convertvector(u * ALL((float)w * 256) + ALL(4194304.0f - 128), i8);
    i8 iv = __builtin_convertvector(v * ALL((float)h * 256) + ALL(4194304.0f - 128), i8);
    i8 x = iu >> 8 & wmask, y = iv >> 8 & hmask, x1 = (x + 1) & wmask, y1 = ((y + 1) & hmask) << lw;
    u8 fu = (u8)(iu & 255), fv = (u8)(iv & 255);
    y <<= lw;
    u8 t00 = gather(texel, y + x), t01 = gather(texel, y + x1);
    u8 t10 = gather(texel, y1 + x), t11 = gather(texel, y1 + x1);
    u8 w11 = fu * fv >> 8, w10 = fv - w11, w01 = fu - w11, w00 = 256 - fu - w10;
    u8 rb = (t00 & m) * w00 + (t01 & m) * w01 + (t10 & m) * w10 + (t11 & m) * w11;
    u8 ga =
        (t00 >> 8 & m) * w00 + (t01 >> 8 & m) * w01 + (t10 >> 8 & m) * w10 + (t11 >> 8 & m) * w11;
    ret[0] = TO_F8((i8)(rb & 0xffff));
    ret[1] = TO_F8((i8)(ga & 0xffff));
    ret[2] = TO_F8((i8)(rb >> 16));
    ret[3] = TO_F8((i8)(ga >> 16));
}

/* What a shiny face mirrors, over its own colour. */
INLINE void mirror(const struct raster_batch *b, f8 facing, f8 up, f8 glint, f8 rgb[3])
{
    f8 miss = clamp01(ALL(1.0f) - facing);
    f8 m2 = miss * miss, fresnel = ALL(b->f0) + ALL(1 - b->f0) * m2 * m2 * miss;
    f8 h = clamp01((up + ALL(0.03f)) * ALL(1 / 0.28f));
    h = h * h * (ALL(3.0f) - ALL(2.0f) * h);
    f8 high = clamp01(up);
    high = high * (ALL(2.0f) - high);
    f8 spot = clamp01((glint - ALL(0.965f)) * ALL(1 / 0.035f));
    spot *= spot;
    spot *= spot;
    for (int k = 0; k < 3; k++) {
        f8 sky = ALL(b->horizon[k]) + high * ALL(b->zenith[k] - b->horizon[k]);
        f8 env = ALL(b->ground[k]) + h * (sky - ALL(b->ground[k])) + spot * ALL(b->sun[k]);
        rgb[k] = rgb[k] * ALL(b->diffuse) + fresnel * env * ALL(b->mirror_tint[k]);
    }
}

/* What the tiles of a row show: colours by face. */
bool KERNELS_OWN(raster_resolve)(struct raster_patch *p, const struct raster_batch *batch,
                                 int tile_row, float *const rgb[2][3], float *const cover[2],
                                 float *const depth[2], int ret_x[2]);
void KERNELS_OWN(raster_triangles)(const struct raster_vertices *v, const struct raster_batch *b,
                                   int number, struct raster_patch *p);
void KERNELS_OWN(raster_outline)(const struct raster_vertices *v, const struct raster_batch *b,
                                 int number, struct raster_patch *p);
void KERNELS_OWN(raster_mask)(const struct raster_vertices *v, const struct raster_batch *b,
                              int number, struct raster_patch *p);
void KERNELS_OWN(raster_resolve_mask)(const struct raster_patch *p, int tile_row,
                                      float *const cover[2]);

#endif
