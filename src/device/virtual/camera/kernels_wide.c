/* Developing and noise for processors with AVX-512 (with VBMI: those that keep their clock at it):
 * the same bytes as kernels.c and kernels_noise.c. */
#include <immintrin.h>

#include "device/virtual/camera/kernels_inside.h"
#include "device/virtual/kernels_inside.h"

/* The first n of sixteen numbers. */
INLINE __m256i load_first(const uint16_t *from, int n)
{
    return n == CELL ? load16(from) : _mm256_maskz_loadu_epi16((__mmask16)((1u << n) - 1), from);
}
INLINE void store_first(uint16_t *to, int n, __m256i v)
{
    if (n == CELL)
        _mm256_storeu_si256((__m256i *)(void *)to, v);
    else
        _mm256_mask_storeu_epi16(to, (__mmask16)((1u << n) - 1), v);
}
INLINE void store_half(uint16_t *to, int n, __m128i v)
{
    if (n == CELL)
        _mm_storeu_si128((__m128i *)(void *)to, v);
    else
        _mm_mask_storeu_epi16(to, (__mmask8)((1u << (n / 2)) - 1), v);
}

/* ---- light becomes signal ---- */

struct lines {
    __m512i at[3][2], more[3][2];
    __m512i most;
    __m512 scale, least;
};

/* A float of 2^23 and so many whole ones more: its lowest bits are their number. */
#define MANY 0x1p23f
#define MANY_BITS 0x4b000000

INLINE struct lines lines_of(const struct sensor_curve *c)
{
    struct lines ret;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 2; i++) {
            ret.at[k][i] = _mm512_loadu_si512(c->at[k] + 32 * i);
            ret.more[k][i] = _mm512_loadu_si512(c->more[k] + 32 * i);
        }
    ret.most = _mm512_set1_epi16((short)c->most);
    ret.scale = _mm512_set1_ps(c->scale);
    ret.least = _mm512_set1_ps(CURVE_LEAST - MANY * c->scale);
    return ret;
}

/* Samples become floats, exactly; of these sixteen bits are taken: below the point's, of which the
 * lowest six count, on top its way's and one too many. */
INLINE __m512i signal32(const struct lines *l, int k, __m512i v)
{
    const __m512i many = _mm512_set1_epi32(MANY_BITS), low = _mm512_set1_epi32(0xffff);
    const __m512i bits = _mm512_set1_epi64(0x2c342c340c140c14);
    v = _mm512_min_epu16(v, l->most);
    __m512 even = _mm512_castsi512_ps(_mm512_ternarylogic_epi32(v, low, many, 0xea));
    __m512 odd = _mm512_castsi512_ps(_mm512_shrdi_epi32(v, _mm512_set1_epi32(MANY_BITS >> 16), 16));
    even = _mm512_fmadd_ps(even, l->scale, l->least);
    odd = _mm512_fmadd_ps(odd, l->scale, l->least);
    v = _mm512_multishift_epi64_epi8(bits, _mm512_castps_si512(even));
    v = _mm512_mask_multishift_epi64_epi8(v, 0xcccccccccccccccc, bits, _mm512_castps_si512(odd));
    __m512i way = _mm512_and_si512(v, _mm512_set1_epi16((short)(0xffff << (16 - WAY_BITS))));
    __m512i at = _mm512_permutex2var_epi16(l->at[k][0], v, l->at[k][1]);
    __m512i more = _mm512_permutex2var_epi16(l->more[k][0], v, l->more[k][1]);
    return _mm512_adds_epi16(at, _mm512_mulhi_epu16(more, way));
}

/* ---- signal becomes luma and chroma ---- */

INLINE __m512i colour32(const __m512i s[3], __m512i kr, __m512i kg, __m512i kb, int zero)
{
    __m512i rg = _mm512_add_epi16(_mm512_mulhrs_epi16(s[0], kr), _mm512_mulhrs_epi16(s[1], kg));
    __m512i b = _mm512_add_epi16(_mm512_mulhrs_epi16(s[2], kb), _mm512_set1_epi16((short)zero));
    return _mm512_add_epi16(rg, b);
}

INLINE __m512i both(int blue, int red)
{
    return _mm512_set1_epi32((int)((uint32_t)red << 16 | ((uint32_t)blue & 0xffff)));
}

/* Means of four, each twice. */
INLINE __m512i mean32(__m512i top, __m512i below)
{
    __m512i v = _mm512_avg_epu16(top, below);
    return _mm512_avg_epu16(v, _mm512_rol_epi32(v, 16));
}

/* Of two rows sixteen samples at most. */
INLINE __m512i load_rows(const uint16_t *a, const uint16_t *b, int n)
{
    return _mm512_inserti64x4(_mm512_castsi256_si512(load_first(a, n)), load_first(b, n), 1);
}

/* Sixteen pixels at most of four rows: the first and third in one register, the others in one. Of
 * two rows, with further = 0, both are made twice. */
INLINE void develop_rows(const struct lines *l, const uint16_t *const in[3], size_t stride,
                         size_t further, int n, uint16_t *luma, uint16_t *cb, uint16_t *cr,
                         size_t wide)
{
    __m512i s[2][3];
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 2; i++) {
            const uint16_t *row = in[k] + (size_t)i * stride;
            s[i][k] = signal32(l, k, load_rows(row, row + further * stride, n));
        }
    for (int i = 0; i < 2; i++) {
        __m512i y = colour32(s[i], _mm512_set1_epi16(YR), _mm512_set1_epi16(YG),
                             _mm512_set1_epi16(YB), BLACK);
        uint16_t *row = luma + (size_t)i * wide;
        store_first(row, n, _mm512_castsi512_si256(y));
        store_first(row + further * wide, n, _mm512_extracti64x4_epi64(y, 1));
    }
    if (!cb)
        return;
    const __m512i mean[3] = {mean32(s[0][0], s[1][0]), mean32(s[0][1], s[1][1]),
                             mean32(s[0][2], s[1][2])};
    __m512i c = colour32(mean, both(BR, RR), both(BG, RG), both(BB, RB), GREY);
    __m256i blue = _mm512_cvtepi32_epi16(c);
    __m256i red = _mm512_cvtepi32_epi16(_mm512_srli_epi32(c, 16));
    further *= wide / 4;
    store_half(cb, n, _mm256_castsi256_si128(blue));
    store_half(cb + further, n, _mm256_extracti128_si256(blue, 1));
    store_half(cr, n, _mm256_castsi256_si128(red));
    store_half(cr + further, n, _mm256_extracti128_si256(red, 1));
}

INLINE void develop_column(const struct lines *l, const uint16_t *const in[3], size_t stride, int x,
                           int n, int h, const struct developed_at *to)
{
    const uint16_t *row[3] = {in[0] + x, in[1] + x, in[2] + x};
    const size_t wide = to->stride, half = wide / 2 * 2;
    uint16_t *luma = to->luma + x, *cb = NULL, *cr = NULL;
    if (to->chroma[0]) {
        cb = to->chroma[0] + x / 2;
        cr = to->chroma[1] + x / 2;
    }
    for (int y = 0; y < h; y += 4) {
        develop_rows(l, row, stride, h - y < 4 ? 0 : 2, n, luma, cb, cr, wide);
        for (int k = 0; k < 3; k++)
            row[k] += 4 * stride;
        luma += 4 * wide;
        if (cb) {
            cb += half;
            cr += half;
        }
    }
}

void KERNELS_OWN(develop)(const struct sensor_curve *c, const struct sensor_table *t,
                          const uint16_t *const in[3], size_t stride, int w, int h,
                          const struct developed_at *to)
{
    const struct lines l = lines_of(c);
    (void)t;
    int x = 0;
    for (; x + CELL <= w; x += CELL)
        develop_column(&l, in, stride, x, CELL, h, to);
    if (x < w)
        develop_column(&l, in, stride, x, w - x, h, to);
}

/* ---- noise ---- */

#define PIECE (4 * CELL) /* samples of luma that become bytes at once */

/* The points of sizes, each twice, and how much more the next ones are. Between an odd point and
 * the next the way is counted from there back, below 0: then no bit of it has to be cut off. */
struct sizes {
    __m512i at, more;
    int16_t white;
};

INLINE struct sizes sizes_of(const struct sensor_noise *s)
{
    __m256i at = _mm256_loadu_si256((const __m256i *)(const void *)s->at);
    __m256i next = _mm256_maskz_loadu_epi16(0x7fff, s->at + 1);
    __m256i more = _mm256_maskz_sub_epi16(0x7fff, next, at);
    at = _mm256_mask_add_epi16(at, 0xaaaa, at, more);
    return (struct sizes){_mm512_broadcast_i64x4(at), _mm512_broadcast_i64x4(more), s->white};
}

INLINE __m512i size32(const struct sizes *s, __m512i luma)
{
    __m512i point = _mm512_srli_epi16(luma, 10), way = _mm512_slli_epi16(luma, 5);
    __m512i more = _mm512_mulhrs_epi16(_mm512_permutexvar_epi16(point, s->more), way);
    __mmask32 seen = _mm512_cmplt_epi16_mask(luma, _mm512_set1_epi16(s->white));
    return _mm512_maskz_add_epi16(seen, _mm512_permutexvar_epi16(point, s->at), more);
}

/* What is above lo; sums that are beyond hi or below lo are stopped by the ends of the numbers. */
INLINE __m512i noisy32(__m512i clean, __m256i noise, __m512i size, int lo, int hi)
{
    const int most = (hi + 1) * DEVELOPED_STEPS - 1, up = INT16_MAX - most;
    __m512i n = _mm512_slli_epi16(_mm512_cvtepi8_epi16(noise), 7);
    clean = _mm512_add_epi16(clean, _mm512_set1_epi16((short)(up + DEVELOPED_STEPS / 2)));
    n = _mm512_adds_epi16(clean, _mm512_mulhrs_epi16(n, size));
    n = _mm512_subs_epu16(n, _mm512_set1_epi16((short)(up + lo * DEVELOPED_STEPS)));
    return _mm512_srli_epi16(n, 6);
}

/* The even ones of twice 32 numbers, none of them below 0. */
INLINE __m512i evens(__m512i a, __m512i b)
{
    const __m512i even = _mm512_set1_epi32(0xffff);
    a = _mm512_packus_epi32(_mm512_and_si512(a, even), _mm512_and_si512(b, even));
    return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), a);
}

INLINE __m256i grain32(const int8_t *from)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

/* Four cells of a row of luma from a sample on, each of its own picture. */
INLINE void luma64(const struct sizes *sizes, const struct developed_at *const of[4], size_t at,
                   const int8_t *grain, uint8_t *to, __m512i ret_size[2])
{
    __m512i v[2];
    for (int i = 0; i < 2; i++, at += 2 * CELL) {
        __m512i y = _mm512_castsi256_si512(load16(of[2 * i]->luma + at));
        y = _mm512_inserti64x4(y, load16(of[2 * i + 1]->luma + at + CELL), 1);
        ret_size[i] = size32(sizes, y);
        v[i] = noisy32(y, grain32(grain + 32 * i), ret_size[i], 16, 235);
    }
    v[0] = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7),
                                    _mm512_packus_epi16(v[0], v[1]));
    _mm512_storeu_si512(to, _mm512_add_epi8(v[0], _mm512_set1_epi8(16)));
}

INLINE __m128i load8(const uint16_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* … and of one of chroma. */
INLINE void chroma32(__m512i size, const struct developed_at *const of[4], int k, size_t at,
                     const int8_t *grain, uint8_t *to)
{
    __m512i c = _mm512_castsi128_si512(load8(of[0]->chroma[k] + at));
    c = _mm512_inserti32x4(c, load8(of[1]->chroma[k] + at + CELL / 2), 1);
    c = _mm512_inserti32x4(c, load8(of[2]->chroma[k] + at + CELL), 2);
    c = _mm512_inserti32x4(c, load8(of[3]->chroma[k] + at + 3 * CELL / 2), 3);
    __m256i v = _mm512_cvtepi16_epi8(noisy32(c, grain32(grain), size, 16, 240));
    _mm256_storeu_si256((void *)to, _mm256_add_epi8(v, _mm256_set1_epi8(16)));
}

/* One cell, or less. */
INLINE void noise_rest(const struct sizes *sizes, const __m512i share[2],
                       const struct developed_at *of, const int8_t *const grain[4], int x, int n,
                       uint8_t *const to[4])
{
    const __mmask32 some = (__mmask32)((1u << n) - 1), half = (__mmask32)((1u << n / 2) - 1);
    __m512i size = _mm512_setzero_si512();
    for (int i = 2; i-- > 0;) { /* the upper row's size is the chroma's */
        __m512i y = _mm512_maskz_loadu_epi16(some, of->luma + (size_t)i * of->stride + x);
        size = size32(sizes, y);
        y = noisy32(y, _mm256_maskz_loadu_epi8(some, grain[i] + x), size, 16, 235);
        _mm256_mask_storeu_epi8(to[i] + x, some,
                                _mm256_add_epi8(_mm512_cvtepi16_epi8(y), _mm256_set1_epi8(16)));
    }
    size = evens(size, size);
    for (int k = 0; k < 2 && of->chroma[0]; k++) {
        __m512i c = _mm512_maskz_loadu_epi16(half, of->chroma[k] + x / 2);
        c = noisy32(c, _mm256_maskz_loadu_epi8(half, grain[2 + k] + x / 2),
                    _mm512_mulhrs_epi16(size, share[k]), 16, 240);
        _mm256_mask_storeu_epi8(to[2 + k] + x / 2, half,
                                _mm256_add_epi8(_mm512_cvtepi16_epi8(c), _mm256_set1_epi8(16)));
    }
}

void KERNELS_OWN(noise)(const struct sensor_noise *s, const struct developed_at of[2],
                        const uint8_t *which, const int8_t *const grain[4], int n,
                        uint8_t *const to[4])
{
    const struct sizes sizes = sizes_of(s);
    const __m512i share[2] = {_mm512_set1_epi16(s->chroma[0]), _mm512_set1_epi16(s->chroma[1])};
    static const uint8_t first[4] = {0};
    const uint8_t *cell = which ? which : first; /* no branches: what is drawn is anybody's guess */
    const bool grey = !of[0].chroma[0];
    int x = 0;
    for (; x + PIECE <= n; x += PIECE, cell += which ? 4 : 0) {
        const struct developed_at *const o[4] = {&of[cell[0]], &of[cell[1]], &of[cell[2]],
                                                 &of[cell[3]]};
        __m512i size[2], below[2];
        for (int i = 0; i < 2; i++) {
            EXPECT_READ(of[0].luma + (size_t)i * of[0].stride + x, n);
            EXPECT_READ(of[0].luma + (size_t)i * of[0].stride + x + 2 * CELL, n);
            EXPECT_WRITE(to[i] + x, n);
        }
        luma64(&sizes, o, (size_t)x, grain[0] + x, to[0] + x, size);
        luma64(&sizes, o, of[0].stride + (size_t)x, grain[1] + x, to[1] + x, below);
        if (grey)
            continue;
        size[0] = evens(size[0], size[1]);
        for (int k = 0; k < 2; k++) {
            EXPECT_READ(of[0].chroma[k] + x / 2, n / 4);
            chroma32(_mm512_mulhrs_epi16(size[0], share[k]), o, k, (size_t)x / 2,
                     grain[2 + k] + x / 2, to[2 + k] + x / 2);
        }
    }
    for (; x < n; x += CELL, cell += which ? 1 : 0)
        noise_rest(&sizes, share, &of[*cell], grain, x, n - x < CELL ? n - x : CELL, to);
}
