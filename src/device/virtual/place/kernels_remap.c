/* Cells of a picture out of mixed texels. Compiled several times, see kernels_place.h. */
#include <string.h>

#include "device/virtual/kernels_inside.h"
#include "device/virtual/place/kernels_mix.h"

#define FINE 128 /* steps between two texels */

#ifdef __AVX2__

/* Texels at two places, each with its right neighbour. */
INLINE __m256i two(const uint16_t *from, int32_t a, int32_t b)
{
    return _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(from + 4 * (ptrdiff_t)a))),
        _mm_loadu_si128((const __m128i *)(from + 4 * (ptrdiff_t)b)), 1);
}

/* A pixel and the fourth to its right, with their weights everywhere in their halves. */
INLINE __m256i blend2(const uint16_t *top, const uint16_t *low, const int32_t *at, __m256i left,
                      __m256i right)
{
    __m256i a = two(top, at[0], at[4]), b = two(low, at[0], at[4]);
    __m256i sum = _mm256_add_epi32(_mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), left),
                                   _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), right));
    return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(1 << 13)), 14);
}

/* Where eight pixels are taken from: the left upper texel, and the weights of the upper and the
 * lower one, side by side in 32 bits. */
struct taken {
    __m256i at, left, right;
};

INLINE struct taken take8(int stride, __m256i u, __m256i v)
{
    const __m256i fine = _mm256_set1_epi32(FINE - 1), whole = _mm256_set1_epi32(FINE);
    __m256i fu = _mm256_and_si256(_mm256_srli_epi32(u, 9), fine);
    __m256i fv = _mm256_and_si256(_mm256_srli_epi32(v, 9), fine);
    __m256i gu = _mm256_sub_epi32(whole, fu), gv = _mm256_sub_epi32(whole, fv);
    /* Whole texels: rows in the lower half of a lane, columns in the upper. */
    __m256i texel = _mm256_blend_epi16(_mm256_srli_epi32(v, 16), u, 0xaa);
    __m256i rows = _mm256_or_si256(gv, _mm256_slli_epi32(fv, 16));
    struct taken t;
    t.at = _mm256_madd_epi16(texel, _mm256_set1_epi32(stride | 1 << 16));
    t.left = _mm256_mullo_epi16(rows, _mm256_or_si256(gu, _mm256_slli_epi32(gu, 16)));
    t.right = _mm256_sub_epi16(_mm256_slli_epi16(rows, 7), t.left);
    return t;
}

INLINE void remap8(const struct remap *r, const struct taken *t, uint16_t *to)
{
    const uint16_t *low = r->from + 4 * (ptrdiff_t)r->stride;
    const int32_t *at = (const int32_t *)(const void *)&t->at;
    __m256i left = t->left, right = t->right;
    __m256i p0 = blend2(r->from, low, at, _mm256_shuffle_epi32(left, 0x00),
                        _mm256_shuffle_epi32(right, 0x00));
    __m256i p1 = blend2(r->from, low, at + 1, _mm256_shuffle_epi32(left, 0x55),
                        _mm256_shuffle_epi32(right, 0x55));
    __m256i p2 = blend2(r->from, low, at + 2, _mm256_shuffle_epi32(left, 0xaa),
                        _mm256_shuffle_epi32(right, 0xaa));
    __m256i p3 = blend2(r->from, low, at + 3, _mm256_shuffle_epi32(left, 0xff),
                        _mm256_shuffle_epi32(right, 0xff));
    __m256i a = _mm256_packs_epi32(p0, p1), b = _mm256_packs_epi32(p2, p3);
    _mm256_storeu_si256((__m256i *)to, _mm256_permute2x128_si256(a, b, 0x20));
    _mm256_storeu_si256((__m256i *)(to + 16), _mm256_permute2x128_si256(a, b, 0x31));
}

/* Positions first, all of them: then no texel waits for the sums that say where it is. */
static void remap(const struct remap *r, uint16_t *cell)
{
    _Static_assert(CELL == 16, "a row is twice eight pixels");
    const __m256i odd = _mm256_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15);
    const __m256i half = _mm256_set1_epi32(0x8000);
    struct taken t[2 * CELL];
    for (int y = 0; y < CELL; y++) {
        struct along s = along_row(r->u, r->v, y);
        __m256i u = _mm256_sub_epi32(_mm256_set1_epi32(s.u), half);
        __m256i v = _mm256_sub_epi32(_mm256_set1_epi32(s.v), half);
        __m256i du = _mm256_mullo_epi32(_mm256_set1_epi32(s.du), odd);
        __m256i dv = _mm256_mullo_epi32(_mm256_set1_epi32(s.dv), odd);
        t[2 * y] = take8(r->stride, _mm256_add_epi32(u, _mm256_srai_epi32(du, 5)),
                         _mm256_add_epi32(v, _mm256_srai_epi32(dv, 5)));
        du = _mm256_add_epi32(du, _mm256_set1_epi32(16 * s.du));
        dv = _mm256_add_epi32(dv, _mm256_set1_epi32(16 * s.dv));
        t[2 * y + 1] = take8(r->stride, _mm256_add_epi32(u, _mm256_srai_epi32(du, 5)),
                             _mm256_add_epi32(v, _mm256_srai_epi32(dv, 5)));
    }
    for (int i = 0; i < 2 * CELL; i++)
        remap8(r, &t[i], cell + 32 * i);
}

#else

static void remap(const struct remap *r, uint16_t *cell)
{
    for (int y = 0; y < CELL; y++) {
        struct along s = along_row(r->u, r->v, y);
        for (int x = 0; x < CELL; x++, cell += 4) {
            int32_t u = s.u - 0x8000 + ((s.du * (2 * x + 1)) >> 5);
            int32_t v = s.v - 0x8000 + ((s.dv * (2 * x + 1)) >> 5);
            int32_t fu = u >> 9 & (FINE - 1), fv = v >> 9 & (FINE - 1);
            const int16_t *t = (const int16_t *)(const void *)r->from +
                               4 * ((ptrdiff_t)(v >> 16) * r->stride + (u >> 16));
            const int16_t *low = t + 4 * (ptrdiff_t)r->stride;
            for (int k = 0; k < 4; k++) {
                int32_t sum = t[k] * (FINE - fu) * (FINE - fv) + t[k + 4] * fu * (FINE - fv) +
                              low[k] * (FINE - fu) * fv + low[k + 4] * fu * fv;
                cell[k] = (uint16_t)((sum + (1 << 13)) >> 14);
            }
        }
    }
}

#endif

/* Weights of the pixels of a row, 0…8192, of those at the corners, 0…256. */
INLINE void weights_row(const int weight[4], int y, int16_t *w)
{
    int32_t w0 = weight[0] * 32 + (weight[2] - weight[0]) * (2 * y + 1);
    int32_t w1 = weight[1] * 32 + (weight[3] - weight[1]) * (2 * y + 1);
    for (int x = 0; x < CELL; x++)
        w[x] = (int16_t)(w0 + (((w1 - w0) * (2 * x + 1)) >> 5));
}

#ifdef __AVX2__
/* Four pixels of two cells; `pair`: weights of the other and of this one, of eight pixels. */
INLINE void over4(uint16_t *to, const uint16_t *from, __m256i pair, __m256i even, __m256i odd)
{
    __m256i a = _mm256_loadu_si256((const __m256i *)from);
    __m256i b = _mm256_loadu_si256((const __m256i *)to);
    const __m256i half = _mm256_set1_epi32(4096);
    __m256i low =
        _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), _mm256_permutevar8x32_epi32(pair, even));
    __m256i high =
        _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), _mm256_permutevar8x32_epi32(pair, odd));
    low = _mm256_srai_epi32(_mm256_add_epi32(low, half), 13);
    high = _mm256_srai_epi32(_mm256_add_epi32(high, half), 13);
    _mm256_storeu_si256((__m256i *)to, _mm256_packs_epi32(low, high));
}

INLINE void over_row(uint16_t *to, const uint16_t *from, const int16_t *w)
{
    const __m256i first = _mm256_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2);
    const __m256i one = _mm256_set1_epi32(1), four = _mm256_set1_epi32(4);
    const __m256i second = _mm256_add_epi32(first, one);
    for (int x = 0; x < CELL; x += 8, to += 32, from += 32) {
        __m256i mine = _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(w + x)));
        __m256i rest = _mm256_sub_epi32(_mm256_set1_epi32(8192), mine);
        __m256i pair = _mm256_or_si256(mine, _mm256_slli_epi32(rest, 16));
        over4(to, from, pair, first, second);
        over4(to + 16, from + 16, pair, _mm256_add_epi32(first, four),
              _mm256_add_epi32(second, four));
    }
}
#else
INLINE void over_row(uint16_t *cell, const uint16_t *other, const int16_t *w)
{
    int16_t *to = (int16_t *)(void *)cell;
    const int16_t *from = (const int16_t *)(const void *)other;
    for (int i = 0; i < CELL * 4; i++)
        to[i] = (int16_t)(to[i] + (((from[i] - to[i]) * w[i / 4] + 4096) >> 13));
}
#endif

static void over(uint16_t *cell, const uint16_t *other, const int weight[4])
{
    for (int y = 0; y < CELL; y++) {
        int16_t w[CELL];
        weights_row(weight, y, w);
        over_row(cell + y * CELL * 4, other + y * CELL * 4, w);
    }
}

/* A row, each pixel with its weight. */
INLINE void dim_row(uint16_t *to, const int16_t *w)
{
#ifdef __AVX2__
    /* Each weight in the three colours of its pixel; 8192, which changes nothing, in the fourth. */
    const __m256i spread = _mm256_setr_epi8(0, 1, 0, 1, 0, 1, -1, -1, 2, 3, 2, 3, 2, 3, -1, -1, 4,
                                            5, 4, 5, 4, 5, -1, -1, 6, 7, 6, 7, 6, 7, -1, -1);
    const __m256i bias = _mm256_set1_epi16((short)0x8000);
    const __m256i whole = _mm256_set1_epi64x((long long)0x2000000000000000);
    for (int x = 0; x < CELL; x += 4, to += 16) {
        __m256i k = _mm256_broadcastsi128_si256(_mm_loadl_epi64((const __m128i *)(w + x)));
        k = _mm256_or_si256(_mm256_shuffle_epi8(k, spread), whole);
        __m256i v = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)to), bias);
        /* The product's bits 13 to 28. */
        v = _mm256_or_si256(_mm256_slli_epi16(_mm256_mulhi_epu16(v, k), 3),
                            _mm256_srli_epi16(_mm256_mullo_epi16(v, k), 13));
        _mm256_storeu_si256((__m256i *)to, _mm256_xor_si256(v, bias));
    }
#else
    for (int x = 0; x < CELL; x++)
        for (int k = 0; k < 3; k++) {
            uint32_t v = (uint32_t)(to[4 * x + k] ^ 0x8000) * (uint32_t)w[x] >> 13;
            to[4 * x + k] = (uint16_t)(v ^ 0x8000);
        }
#endif
}

static void dim(uint16_t *cell, const int weight[4])
{
    for (int y = 0; y < CELL; y++) {
        int16_t w[CELL];
        weights_row(weight, y, w);
        dim_row(cell + y * CELL * 4, w);
    }
}

#ifdef __AVX2__
/* Eight pixels of a cell, as they are in a picture: r, g and b, coverage. */
struct planes8 {
    __m256i rg, ba;
};

INLINE struct planes8 planes8(const uint16_t *cell)
{
    const __m256i sort = _mm256_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15, 0,
                                          1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256i bias = _mm256_set1_epi16((short)0x8000);
    __m256i p = _mm256_loadu_si256((const __m256i *)cell);
    __m256i q = _mm256_loadu_si256((const __m256i *)(cell + 16));
    p = _mm256_xor_si256(_mm256_shuffle_epi8(p, sort), bias);
    q = _mm256_xor_si256(_mm256_shuffle_epi8(q, sort), bias);
    return (struct planes8){_mm256_permutevar8x32_epi32(_mm256_unpacklo_epi32(p, q), order),
                            _mm256_permutevar8x32_epi32(_mm256_unpackhi_epi32(p, q), order)};
}
#endif

/* The sky of a row of pixels. */
INLINE void sky_row(const float sample[3][SKY_SIDE * SKY_SIDE], int y, float ret[3][CELL])
{
    float fy = ((float)(y % SKY_STEP) + 0.5f) / SKY_STEP;
    for (int k = 0; k < 3; k++) {
        const float *a = sample[k] + y / SKY_STEP * SKY_SIDE, *b = a + SKY_SIDE;
        for (int i = 0; i < CELL / SKY_STEP; i++) {
            float left = a[i] + (b[i] - a[i]) * fy;
            float step = a[i + 1] + (b[i + 1] - a[i + 1]) * fy - left;
            for (int x = 0; x < SKY_STEP; x++)
                ret[k][i * SKY_STEP + x] = left + step * (((float)x + 0.5f) / SKY_STEP);
        }
    }
}

#ifdef __AVX2__

/* One channel of eight pixels, in 32 bits each, with what shows through. */
INLINE __m256i behind(__m128i channel, const float *sky, __m256 open)
{
    __m256 v = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(channel));
    v = _mm256_add_ps(v, _mm256_mul_ps(_mm256_loadu_ps(sky), open));
    v = _mm256_add_ps(v, _mm256_set1_ps(0.5f));
    return _mm256_cvttps_epi32(_mm256_min_ps(v, _mm256_set1_ps(65535)));
}

INLINE void sky_behind(uint16_t *to, const float colour[3][CELL], int x)
{
    const __m256i low = _mm256_set1_epi32(0xffff), bias = _mm256_set1_epi16((short)0x8000);
    struct planes8 p = planes8(to);
    __m256i a = _mm256_cvtepu16_epi32(_mm256_extracti128_si256(p.ba, 1));
    __m256 open =
        _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(low, a)), _mm256_set1_ps(1 / 65535.0f));
    __m256i r = behind(_mm256_castsi256_si128(p.rg), colour[0] + x, open);
    __m256i g = behind(_mm256_extracti128_si256(p.rg, 1), colour[1] + x, open);
    __m256i b = behind(_mm256_castsi256_si128(p.ba), colour[2] + x, open);
    __m256i rg = _mm256_or_si256(_mm256_and_si256(r, low), _mm256_slli_epi32(g, 16));
    __m256i ba = _mm256_or_si256(_mm256_and_si256(b, low), _mm256_slli_epi32(a, 16));
    rg = _mm256_xor_si256(rg, bias);
    ba = _mm256_xor_si256(ba, bias);
    __m256i c = _mm256_unpacklo_epi32(rg, ba), d = _mm256_unpackhi_epi32(rg, ba);
    _mm256_storeu_si256((__m256i *)to, _mm256_permute2x128_si256(c, d, 0x20));
    _mm256_storeu_si256((__m256i *)(to + 16), _mm256_permute2x128_si256(c, d, 0x31));
}

#else

INLINE void sky_behind(uint16_t *to, const float colour[3][CELL], int x)
{
    for (int i = 0; i < 8; i++, to += 4) {
        float open = (float)(65535 - (to[3] ^ 0x8000)) * (1 / 65535.0f);
        for (int k = 0; k < 3; k++) {
            float v = (float)(to[k] ^ 0x8000) + colour[k][x + i] * open + 0.5f;
            v = v > 65535 ? 65535 : v;
            to[k] = (uint16_t)((uint32_t)(int32_t)v ^ 0x8000);
        }
    }
}

#endif

static void sky(uint16_t *cell, const float sample[3][SKY_SIDE * SKY_SIDE])
{
    for (int y = 0; y < CELL; y++, cell += CELL * 4) {
        float colour[3][CELL];
        sky_row(sample, y, colour);
        for (int x = 0; x < CELL; x += 8)
            sky_behind(cell + 4 * x, colour, x);
    }
}

/* Values of the table along a row: its samples are finer than pixels, none need be mixed. */
INLINE void grain_row(const struct grain *g, struct along s, int32_t *ret)
{
#ifdef __AVX2__
    const __m256i odd = _mm256_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15);
    const __m256i mask = _mm256_set1_epi32(GRAIN - 1);
    for (int x = 0; x < CELL; x += 8) {
        __m256i k = _mm256_add_epi32(odd, _mm256_set1_epi32(2 * x));
        __m256i u = _mm256_srai_epi32(_mm256_mullo_epi32(_mm256_set1_epi32(s.du), k), 5);
        __m256i v = _mm256_srai_epi32(_mm256_mullo_epi32(_mm256_set1_epi32(s.dv), k), 5);
        u = _mm256_srai_epi32(_mm256_add_epi32(u, _mm256_set1_epi32(s.u)), 16);
        v = _mm256_srai_epi32(_mm256_add_epi32(v, _mm256_set1_epi32(s.v)), 16);
        __m256i at = _mm256_add_epi32(
            _mm256_mullo_epi32(_mm256_and_si256(v, mask), _mm256_set1_epi32(GRAIN)),
            _mm256_and_si256(u, mask));
        __m256i four = _mm256_i32gather_epi32((const int *)(const void *)g->table, at, 1);
        _mm256_storeu_si256((__m256i *)(ret + x),
                            _mm256_srai_epi32(_mm256_slli_epi32(four, 24), 24));
    }
#else
    for (int x = 0; x < CELL; x++) {
        int32_t u = (s.u + ((s.du * (2 * x + 1)) >> 5)) >> 16;
        int32_t v = (s.v + ((s.dv * (2 * x + 1)) >> 5)) >> 16;
        ret[x] = g->table[(v & (GRAIN - 1)) * GRAIN + (u & (GRAIN - 1))];
    }
#endif
}

static void grain(uint16_t *cell, const struct grain *g)
{
    for (int y = 0; y < CELL; y++, cell += CELL * 4) {
        int32_t n[CELL], k[CELL * 4];
        grain_row(g, along_row(g->u, g->v, y), n);
        for (int x = 0; x < CELL; x++) {
            int32_t part = (n[x] * g->amount) >> 4; /* ±127·16 of 4096: ±50 % */
            k[4 * x] = k[4 * x + 1] = k[4 * x + 2] = part;
            k[4 * x + 3] = 0;
        }
        for (int i = 0; i < CELL * 4; i++) {
            int32_t p = cell[i] ^ 0x8000;
            p += (p * k[i]) >> 12;
            p = p > 65535 ? 65535 : p;
            cell[i] = (uint16_t)(p ^ 0x8000);
        }
    }
}

static bool covered(const uint16_t *cell)
{
    const uint64_t *p = (const uint64_t *)(const void *)cell;
    uint64_t all = ~UINT64_C(0);
    for (int i = 0; i < CELL * CELL; i++)
        all &= p[i] ^ UINT64_C(0x8000800080008000);
    return all >> 57 == 127;
}

INLINE void store_row(const uint16_t *cell, uint16_t *r, uint16_t *g, uint16_t *b)
{
#ifdef __AVX2__
    for (int x = 0; x < CELL; x += 8) {
        struct planes8 p = planes8(cell + 4 * x);
        _mm_storeu_si128((__m128i *)(r + x), _mm256_castsi256_si128(p.rg));
        _mm_storeu_si128((__m128i *)(g + x), _mm256_extracti128_si256(p.rg, 1));
        _mm_storeu_si128((__m128i *)(b + x), _mm256_castsi256_si128(p.ba));
    }
#else
    for (int x = 0; x < CELL; x++) {
        r[x] = cell[4 * x] ^ 0x8000;
        g[x] = cell[4 * x + 1] ^ 0x8000;
        b[x] = cell[4 * x + 2] ^ 0x8000;
    }
#endif
}

static void store(const uint16_t *cell, int w, int h, uint16_t *r, uint16_t *g, uint16_t *b,
                  size_t stride)
{
    for (int y = 0; y < h; y++, cell += CELL * 4, r += stride, g += stride, b += stride) {
        if (w == CELL) {
            store_row(cell, r, g, b);
            continue;
        }
        uint16_t row[3][CELL];
        store_row(cell, row[0], row[1], row[2]);
        memcpy(r, row[0], (size_t)w * sizeof(*r));
        memcpy(g, row[1], (size_t)w * sizeof(*g));
        memcpy(b, row[2], (size_t)w * sizeof(*b));
    }
}

extern const struct place_kernels KERNELS_OWN(place);
const struct place_kernels KERNELS_OWN(place) = {.mix = KERNELS_OWN(mix),
                                                 .glow = KERNELS_OWN(glow),
                                                 .remap = remap,
                                                 .magnify = KERNELS_OWN(magnify),
                                                 .over = over,
                                                 .dim = dim,
                                                 .sky = sky,
                                                 .grain = grain,
                                                 .covered = covered,
                                                 .store = store};
