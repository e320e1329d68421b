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

/* Samples become floats, exactly; of these sixteen bits are taken: on top the point's, then its
 * way's. */
INLINE __m512i signal32(const struct lines *l, int k, __m512i v)
{
    const __m512i many = _mm512_set1_epi32(MANY_BITS), low = _mm512_set1_epi32(0xffff);
    const __m512i bits = _mm512_set1_epi64(0x352d352d150d150d);
    v = _mm512_min_epu16(v, l->most);
    __m512 even = _mm512_castsi512_ps(_mm512_ternarylogic_epi32(v, low, many, 0xea));
    __m512 odd = _mm512_castsi512_ps(_mm512_shrdi_epi32(v, _mm512_set1_epi32(MANY_BITS >> 16), 16));
    even = _mm512_fmadd_ps(even, l->scale, l->least);
    odd = _mm512_fmadd_ps(odd, l->scale, l->least);
    v = _mm512_multishift_epi64_epi8(bits, _mm512_castps_si512(even));
    v = _mm512_mask_multishift_epi64_epi8(v, 0xcccccccccccccccc, bits, _mm512_castps_si512(odd));
    __m512i point = _mm512_srli_epi16(v, WAY_BITS), way = _mm512_slli_epi16(v, 16 - WAY_BITS);
    __m512i at = _mm512_permutex2var_epi16(l->at[k][0], point, l->at[k][1]);
    __m512i more = _mm512_permutex2var_epi16(l->more[k][0], point, l->more[k][1]);
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

/* The points of sizes, each twice, and how much more the next ones are. */
struct sizes {
    __m512i at, more;
    int16_t white;
};

INLINE struct sizes sizes_of(const struct sensor_noise *s)
{
    __m256i at = _mm256_loadu_si256((const __m256i *)(const void *)s->at);
    __m256i next = _mm256_maskz_loadu_epi16(0x7fff, s->at + 1);
    __m256i more = _mm256_maskz_sub_epi16(0x7fff, next, at);
    return (struct sizes){_mm512_broadcast_i64x4(at), _mm512_broadcast_i64x4(more), s->white};
}

INLINE __m512i size32(const struct sizes *s, __m512i luma)
{
    __m512i point = _mm512_srli_epi16(luma, 10);
    __m512i way = _mm512_slli_epi16(_mm512_and_si512(luma, _mm512_set1_epi16(NOISE_SPLIT - 1)), 5);
    __m512i more = _mm512_mulhrs_epi16(_mm512_permutexvar_epi16(point, s->more), way);
    __mmask32 seen = _mm512_cmplt_epi16_mask(luma, _mm512_set1_epi16(s->white));
    return _mm512_maskz_add_epi16(seen, _mm512_permutexvar_epi16(point, s->at), more);
}

INLINE __m256i noisy32(__m512i clean, __m256i noise, __m512i size, int lo, int hi)
{
    __m512i n = _mm512_slli_epi16(_mm512_cvtepi8_epi16(noise), 7);
    clean = _mm512_add_epi16(clean, _mm512_set1_epi16(DEVELOPED_STEPS / 2));
    n = _mm512_srai_epi16(_mm512_add_epi16(clean, _mm512_mulhrs_epi16(n, size)), 6);
    n = _mm512_min_epi16(_mm512_max_epi16(n, _mm512_set1_epi16((short)lo)),
                         _mm512_set1_epi16((short)hi));
    return _mm512_cvtepi16_epi8(n);
}

INLINE int row_of(const uint8_t *which, int x)
{
    return which && which[x / CELL];
}

INLINE __mmask32 first_of(int n)
{
    return n < 32 ? (__mmask32)((1u << n) - 1) : (__mmask32)-1;
}

/* Numbers of two cells. */
INLINE __m512i load_two(const uint16_t *left, const uint16_t *right)
{
    return _mm512_inserti64x4(_mm512_castsi256_si512(load16(left)), load16(right), 1);
}

void KERNELS_OWN(noise_luma)(const struct sensor_noise *s, const uint16_t *const luma[2],
                             const uint8_t *which, const int8_t *noise, int n, uint8_t *to)
{
    const struct sizes sizes = sizes_of(s);
    int i = 0;
    for (; i + 2 * CELL <= n; i += 2 * CELL) {
        __m512i y = load_two(luma[row_of(which, i)] + i, luma[row_of(which, i + CELL)] + i + CELL);
        __m256i grain = _mm256_loadu_si256((const __m256i *)(const void *)(noise + i));
        EXPECT_READ(luma[0] + i, n);
        EXPECT_WRITE(to + i, n);
        _mm256_storeu_si256((__m256i *)(void *)(to + i),
                            noisy32(y, grain, size32(&sizes, y), 16, 235));
    }
    for (; i < n; i += CELL) {
        __mmask32 some = first_of(n - i < CELL ? n - i : CELL);
        __m512i y = _mm512_maskz_loadu_epi16(some, luma[row_of(which, i)] + i);
        __m256i grain = _mm256_maskz_loadu_epi8(some, noise + i);
        _mm256_mask_storeu_epi8(to + i, some, noisy32(y, grain, size32(&sizes, y), 16, 235));
    }
}

INLINE void noise_some(const struct sizes *sizes, const __m512i share[2], __m512i luma,
                       const __m512i chroma[2], const int8_t *const noise[2], int i, __mmask32 some,
                       uint8_t *const to[2])
{
    const __m512i size = size32(sizes, luma);
    for (int k = 0; k < 2; k++) {
        __m256i grain = _mm256_maskz_loadu_epi8(some, noise[k] + i);
        __m256i v = noisy32(chroma[k], grain, _mm512_mulhrs_epi16(size, share[k]), 16, 240);
        _mm256_mask_storeu_epi8(to[k] + i, some, v);
    }
}

void KERNELS_OWN(noise_chroma)(const struct sensor_noise *s, const uint16_t *const luma[2],
                               const uint16_t *const chroma[2][2], const uint8_t *which,
                               const int8_t *const noise[2], int n, uint8_t *const to[2])
{
    const struct sizes sizes = sizes_of(s);
    const __m512i share[2] = {_mm512_set1_epi16(s->chroma[0]), _mm512_set1_epi16(s->chroma[1])};
    int i = 0;
    for (; i + 32 <= n; i += 32) {
        int row[4];
        for (int q = 0; q < 4; q++)
            row[q] = row_of(which, 2 * i + q * CELL);
        const uint16_t *const y[4] = {luma[row[0]] + 2 * i, luma[row[1]] + 2 * i + CELL,
                                      luma[row[2]] + 2 * i + 2 * CELL,
                                      luma[row[3]] + 2 * i + 3 * CELL};
        __m256i left = _mm512_cvtepi32_epi16(load_two(y[0], y[1]));
        __m256i right = _mm512_cvtepi32_epi16(load_two(y[2], y[3]));
        __m512i c[2];
        for (int k = 0; k < 2; k++) {
            EXPECT_READ(chroma[0][k] + i, n / 2);
            __m256i a = _mm256_loadu2_m128i((const __m128i *)(chroma[row[1]][k] + i + 8),
                                            (const __m128i *)(chroma[row[0]][k] + i));
            __m256i b = _mm256_loadu2_m128i((const __m128i *)(chroma[row[3]][k] + i + 24),
                                            (const __m128i *)(chroma[row[2]][k] + i + 16));
            c[k] = _mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1);
        }
        noise_some(&sizes, share, _mm512_inserti64x4(_mm512_castsi256_si512(left), right, 1), c,
                   noise, i, (__mmask32)-1, to);
    }
    for (; i < n; i += CELL / 2) {
        const int row = row_of(which, 2 * i), m = n - i < CELL / 2 ? n - i : CELL / 2;
        const __mmask32 some = first_of(m), twice = first_of(2 * m);
        __m512i y = _mm512_maskz_loadu_epi16(twice, luma[row] + 2 * i);
        const __m512i c[2] = {_mm512_maskz_loadu_epi16(some, chroma[row][0] + i),
                              _mm512_maskz_loadu_epi16(some, chroma[row][1] + i)};
        noise_some(&sizes, share, _mm512_castsi256_si512(_mm512_cvtepi32_epi16(y)), c, noise, i,
                   some, to);
    }
}
