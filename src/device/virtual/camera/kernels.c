/* Developing: linear light becomes luma and chroma, without noise; then its noise. Compiled
 * like kernels.c. */
#include <string.h>

#include "device/virtual/kernels_inside.h"

/* ---- light becomes signal ---- */

/* A sample and CURVE_SPLIT as a float: its exponent and five more bits are the point of the
 * curve before it, the ten bits behind them how far it is to the next. */
#define POINT_BITS 18
#define FIRST_POINT ((127 + 5) << 5)
#define MOST 16777215.0f
#define CELL 16 /* pixels: what is developed alone is a few of these */

INLINE int32_t signal_of(const uint32_t *curve, float sample)
{
    uint32_t bits;
    memcpy(&bits, &sample, sizeof(bits));
    uint32_t at = curve[(bits >> POINT_BITS) - FIRST_POINT];
    int32_t way = (int32_t)(bits >> (POINT_BITS - 10) & 1023);
    return ((int16_t)(at >> 16) * 1024 + (int16_t)(at & 0xffff) * way) >> 10;
}

#ifdef __AVX2__
INLINE __m256i signal8(const uint32_t *curve, __m256 sample)
{
    __m256i bits = _mm256_castps_si256(sample);
    __m256i point =
        _mm256_sub_epi32(_mm256_srli_epi32(bits, POINT_BITS), _mm256_set1_epi32(FIRST_POINT));
    __m256i at = _mm256_i32gather_epi32((const int *)(const void *)curve, point, 4);
    __m256i way =
        _mm256_and_si256(_mm256_srli_epi32(bits, POINT_BITS - 10), _mm256_set1_epi32(1023));
    way = _mm256_or_si256(way, _mm256_set1_epi32(1024 << 16));
    return _mm256_srai_epi32(_mm256_madd_epi16(at, way), 10);
}
#endif

INLINE void curve_row(const struct sensor_curve *c, int colour, const uint16_t *in,
                      const float *gain, int n, int32_t *out)
{
    const uint32_t *curve = c->at[colour];
    int i = 0;
#ifdef __AVX2__
    for (; i + 8 <= n; i += 8) {
        __m256 v =
            _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(in + i))));
        if (gain) {
            v = _mm256_min_ps(v, _mm256_set1_ps(c->clip));
            v = _mm256_mul_ps(v, _mm256_loadu_ps(gain + i));
        }
        v = _mm256_add_ps(v, _mm256_set1_ps(CURVE_SPLIT));
        if (gain)
            v = _mm256_min_ps(v, _mm256_set1_ps(MOST));
        _mm256_storeu_si256((__m256i *)(out + i), signal8(curve, v));
    }
#endif
    for (; i < n; i++) {
        float v = (float)in[i];
        if (gain) {
            v = v < c->clip ? v : c->clip;
            v *= gain[i];
        }
        v += CURVE_SPLIT;
        if (gain)
            v = v < MOST ? v : MOST;
        out[i] = signal_of(curve, v);
    }
}

/* ---- a table of it ---- */

INLINE int table_index(int sample)
{
    int b = (sample >> 2) + CURVE_FINE - CURVE_FINE / 4;
    int c = (sample >> 4) + CURVE_FINE * 9 / 4;
    sample = sample < b ? sample : b;
    return sample < c ? sample : c;
}

/* A sample that has that index. */
INLINE int table_sample(int index)
{
    if (index < CURVE_FINE)
        return index;
    index -= CURVE_FINE - CURVE_FINE / 4;
    if (index < 2 * CURVE_FINE)
        return index * 4 + 2;
    return (index - CURVE_FINE * 3 / 2) * 16 + 8;
}

_Static_assert(CURVE_TABLE % STRIP == 0, "tables are made in strips");

void KERNELS_OWN(tabulate)(const struct sensor_curve *c, struct sensor_table *to)
{
    for (int at = 0; at < CURVE_TABLE; at += STRIP) {
        uint16_t in[STRIP];
        int32_t out[STRIP];
        for (int i = 0; i < STRIP; i++)
            in[i] = (uint16_t)table_sample(at + i);
        for (int k = 0; k < 3; k++) {
            curve_row(c, k, in, NULL, STRIP, out);
            for (int i = 0; i < STRIP; i++)
                to->at[k][at + i] = (uint16_t)out[i];
        }
    }
}

/* Sixteen at most. */
INLINE void index_row(const uint16_t *in, int n, uint16_t *to)
{
#ifdef __AVX2__
    if (n == CELL) {
        __m256i v = _mm256_loadu_si256((const __m256i *)in);
        __m256i b = _mm256_add_epi16(_mm256_srli_epi16(v, 2),
                                     _mm256_set1_epi16(CURVE_FINE - CURVE_FINE / 4));
        __m256i c =
            _mm256_add_epi16(_mm256_srli_epi16(v, 4), _mm256_set1_epi16(CURVE_FINE * 9 / 4));
        v = _mm256_min_epu16(_mm256_min_epu16(v, b), c);
        _mm256_storeu_si256((__m256i *)to, v);
        return;
    }
#endif
    for (int i = 0; i < n; i++)
        to[i] = (uint16_t)table_index(in[i]);
}

/* ---- signal becomes luma and chroma ---- */

/* BT.709, limited range: luma 16…235, chroma 16…240; in steps. What a signal of 1 gives, in
 * 32768ths of CURVE_FULL. */
#define STEPS DEVELOPED_STEPS
#define SHARE(x) ((int)((x)*STEPS * 32768 / CURVE_FULL + ((x) < 0 ? -0.5 : 0.5)))
#define YR SHARE(219 * 0.2126)
#define YB SHARE(219 * 0.0722)
#define YG (SHARE(219.0) - YR - YB)
#define BR SHARE(-112 * 0.2126 / 0.9278)
#define BB SHARE(112.0)
#define BG (-BR - BB)
#define RB SHARE(-112 * 0.0722 / 0.7874)
#define RR SHARE(112.0)
#define RG (-RB - RR)
#define ROUND (1 << 14)

/* Signals of a row of at most STRIP pixels: red in the lower and green in the upper half of a
 * number, then blue, as the machine multiplies them. */
struct signals {
    uint32_t rg[STRIP];
    int32_t b[STRIP];
};

INLINE int32_t colour_of(uint32_t rg, int32_t b, int kr, int kg, int kb, int zero)
{
    return ((int32_t)(rg & 0xffff) * kr + (int32_t)(rg >> 16) * kg + b * kb + ROUND +
            (zero << 15)) >>
           15;
}
/* Of 16 bits, rounded up. */
INLINE uint32_t mean_of(uint32_t a, uint32_t b)
{
    return (a + b + 1) >> 1;
}
INLINE uint32_t mean_rg(uint32_t a, uint32_t b)
{
    return mean_of(a & 0xffff, b & 0xffff) | mean_of(a >> 16, b >> 16) << 16;
}

#ifdef __AVX2__
INLINE __m256i colour8(__m256i rg, __m256i b, int kr, int kg, int kb, int zero)
{
    __m256i sum = _mm256_add_epi32(
        _mm256_madd_epi16(rg, _mm256_set1_epi32((kg & 0xffff) << 16 | (kr & 0xffff))),
        _mm256_madd_epi16(b, _mm256_set1_epi32(kb & 0xffff)));
    return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(ROUND + (zero << 15))), 15);
}

INLINE __m256i load8(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

/* Means of four: of two rows, then of pairs along them; in the order 0 1 4 5 2 3 6 7. */
INLINE __m256i mean8(const void *top, const void *below)
{
    const __m256i *a = top, *b = below;
    __m256 left = _mm256_castsi256_ps(_mm256_avg_epu16(load8(a), load8(b)));
    __m256 right = _mm256_castsi256_ps(_mm256_avg_epu16(load8(a + 1), load8(b + 1)));
    return _mm256_avg_epu16(_mm256_castps_si256(_mm256_shuffle_ps(left, right, 0x88)),
                            _mm256_castps_si256(_mm256_shuffle_ps(left, right, 0xdd)));
}

INLINE void store8(uint16_t *to, __m256i v)
{
    _mm_storeu_si128((__m128i *)to,
                     _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
}
#endif

INLINE void luma_row(const struct signals *s, int n, uint16_t *to)
{
    int i = 0;
#ifdef __AVX2__
    for (; i + 8 <= n; i += 8)
        store8(to + i, colour8(load8(s->rg + i), load8(s->b + i), YR, YG, YB, 16 * STEPS));
#endif
    for (; i < n; i++)
        to[i] = (uint16_t)colour_of(s->rg[i], s->b[i], YR, YG, YB, 16 * STEPS);
}

INLINE void chroma_row(const struct signals *top, const struct signals *below, int n, uint16_t *cb,
                       uint16_t *cr)
{
    int i = 0;
#ifdef __AVX2__
    for (; i + 8 <= n / 2; i += 8) {
        __m256i rg = _mm256_permute4x64_epi64(mean8(top->rg + 2 * i, below->rg + 2 * i), 0xd8);
        __m256i b = _mm256_permute4x64_epi64(mean8(top->b + 2 * i, below->b + 2 * i), 0xd8);
        store8(cb + i, colour8(rg, b, BR, BG, BB, 128 * STEPS));
        store8(cr + i, colour8(rg, b, RR, RG, RB, 128 * STEPS));
    }
#endif
    for (; i < n / 2; i++) {
        uint32_t m[2], mb[2];
        for (int k = 0; k < 2; k++) {
            m[k] = mean_rg(top->rg[2 * i + k], below->rg[2 * i + k]);
            mb[k] = mean_of((uint32_t)top->b[2 * i + k], (uint32_t)below->b[2 * i + k]);
        }
        uint32_t rg = mean_rg(m[0], m[1]);
        int32_t b = (int32_t)mean_of(mb[0], mb[1]);
        cb[i] = (uint16_t)colour_of(rg, b, BR, BG, BB, 128 * STEPS);
        cr[i] = (uint16_t)colour_of(rg, b, RR, RG, RB, 128 * STEPS);
    }
}

/* Signals of n pixels. */
INLINE void signals_of(const struct sensor_curve *c, const struct sensor_table *t,
                       const uint16_t *const in[3], const float *gain, int x, int n,
                       struct signals *to)
{
    if (gain) {
        int32_t v[2][STRIP];
        for (int k = 0; k < 2; k++)
            curve_row(c, k, in[k] + x, gain + x, n, v[k]);
        curve_row(c, 2, in[2] + x, gain + x, n, to->b);
        for (int i = 0; i < n; i++)
            to->rg[i] = (uint32_t)v[0][i] | (uint32_t)v[1][i] << 16;
        return;
    }
    uint16_t at[3][STRIP];
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < n; i += CELL)
            index_row(in[k] + x + i, n - i < CELL ? n - i : CELL, at[k] + i);
#pragma GCC unroll 4
    for (int i = 0; i < n; i++) {
        to->rg[i] = t->at[0][at[0][i]] | (uint32_t)t->at[1][at[1][i]] << 16;
        to->b[i] = t->at[2][at[2][i]];
    }
}

INLINE void develop_strip(const struct sensor_curve *c, const struct sensor_table *t,
                          const uint16_t *const in[6], const float *const gain[2], int x, int n,
                          uint16_t *y0, uint16_t *y1, uint16_t *cb, uint16_t *cr)
{
    struct signals top, below;
    signals_of(c, t, in, gain ? gain[0] : NULL, x, n, &top);
    signals_of(c, t, in + 3, gain ? gain[1] : NULL, x, n, &below);
    luma_row(&top, n, y0 + x);
    luma_row(&below, n, y1 + x);
    if (cb)
        chroma_row(&top, &below, n, cb + x / 2, cr + x / 2);
}

#ifdef __AVX2__
/* Eight numbers of a table. Put together in a register: what is written in pieces and read whole
 * would have to wait until it has reached the cache. */
INLINE __m256i look_up8(const uint16_t *table, const uint16_t *at)
{
    __m128i v = _mm_cvtsi32_si128(table[at[0]]);
    v = _mm_insert_epi16(v, table[at[1]], 1);
    v = _mm_insert_epi16(v, table[at[2]], 2);
    v = _mm_insert_epi16(v, table[at[3]], 3);
    v = _mm_insert_epi16(v, table[at[4]], 4);
    v = _mm_insert_epi16(v, table[at[5]], 5);
    v = _mm_insert_epi16(v, table[at[6]], 6);
    v = _mm_insert_epi16(v, table[at[7]], 7);
    return _mm256_cvtepu16_epi32(v);
}

/* Sixteen numbers of 32 bits that fit into 16, in their order. */
INLINE void store16(uint16_t *to, __m256i a, __m256i b)
{
    __m256i v = _mm256_permute4x64_epi64(_mm256_packus_epi32(a, b), 0xd8);
    _mm256_storeu_si256((__m256i *)(void *)to, v);
}

/* As mean8(). */
INLINE __m256i mean_regs(const __m256i top[2], const __m256i below[2])
{
    __m256 left = _mm256_castsi256_ps(_mm256_avg_epu16(top[0], below[0]));
    __m256 right = _mm256_castsi256_ps(_mm256_avg_epu16(top[1], below[1]));
    return _mm256_avg_epu16(_mm256_castps_si256(_mm256_shuffle_ps(left, right, 0x88)),
                            _mm256_castps_si256(_mm256_shuffle_ps(left, right, 0xdd)));
}

/* A cell's two rows by the table: the same as a strip of CELL. */
INLINE void develop_cell(const struct sensor_table *t, const uint16_t *const in[6], int x,
                         uint16_t *y0, uint16_t *y1, uint16_t *cb, uint16_t *cr)
{
    uint16_t at[6][CELL];
    __m256i rg[2][2], b[2][2];
    for (int k = 0; k < 6; k++)
        index_row(in[k] + x, CELL, at[k]);
    for (int row = 0; row < 2; row++) {
        const uint16_t(*from)[CELL] = at + 3 * row;
        for (int i = 0; i < 2; i++) {
            __m256i green = look_up8(t->at[1], from[1] + 8 * i);
            rg[row][i] =
                _mm256_or_si256(look_up8(t->at[0], from[0] + 8 * i), _mm256_slli_epi32(green, 16));
            b[row][i] = look_up8(t->at[2], from[2] + 8 * i);
        }
        store16((row ? y1 : y0) + x, colour8(rg[row][0], b[row][0], YR, YG, YB, 16 * STEPS),
                colour8(rg[row][1], b[row][1], YR, YG, YB, 16 * STEPS));
    }
    if (!cb)
        return;
    __m256i m = _mm256_permute4x64_epi64(mean_regs(rg[0], rg[1]), 0xd8);
    __m256i mb = _mm256_permute4x64_epi64(mean_regs(b[0], b[1]), 0xd8);
    store8(cb + x / 2, colour8(m, mb, BR, BG, BB, 128 * STEPS));
    store8(cr + x / 2, colour8(m, mb, RR, RG, RB, 128 * STEPS));
}
#endif

INLINE void develop_row(const struct sensor_curve *c, const struct sensor_table *t,
                        const uint16_t *const in[6], const float *const gain[2], int width,
                        uint16_t *y0, uint16_t *y1, uint16_t *cb, uint16_t *cr)
{
    int x = 0;
#ifdef __AVX2__
    for (; t && x + CELL <= width; x += CELL)
        develop_cell(t, in, x, y0, y1, cb, cr);
#endif
    for (; x + STRIP <= width; x += STRIP)
        develop_strip(c, t, in, gain, x, STRIP, y0, y1, cb, cr);
    for (; x + CELL <= width; x += CELL)
        develop_strip(c, t, in, gain, x, CELL, y0, y1, cb, cr);
    if (x < width)
        develop_strip(c, t, in, gain, x, width - x, y0, y1, cb, cr);
}

void KERNELS_OWN(develop2)(const struct sensor_curve *c, const struct sensor_table *t,
                           const uint16_t *const in[6], const float *const gain[2], int width,
                           uint16_t *y0, uint16_t *y1, uint16_t *cb, uint16_t *cr)
{
    if (gain)
        develop_row(c, NULL, in, gain, width, y0, y1, cb, cr);
    else
        develop_row(NULL, t, in, NULL, width, y0, y1, cb, cr);
}

/* ---- noise ---- */

/* A product of two numbers of which one is in 32768ths, rounded, as one instruction of the
 * machine does it. */
INLINE int share_of(int a, int b)
{
    return (a * b + 0x4000) >> 15;
}

#ifdef __AVX2__
/* Sixteen samples with their noise; `size`: that of each, in 256ths of a step. */
INLINE __m128i noisy16(__m256i clean, const int8_t *noise, __m256i size, int lo, int hi)
{
    __m256i n = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)noise));
    n = _mm256_mulhrs_epi16(_mm256_slli_epi16(n, 7), size);
    n = _mm256_add_epi16(_mm256_add_epi16(clean, n), _mm256_set1_epi16(STEPS / 2));
    n = _mm256_srai_epi16(n, 6);
    n = _mm256_min_epi16(_mm256_max_epi16(n, _mm256_set1_epi16((short)lo)),
                         _mm256_set1_epi16((short)hi));
    return _mm_packus_epi16(_mm256_castsi256_si128(n), _mm256_extracti128_si256(n, 1));
}

/* The points of sizes, and how much more the next ones are, in bytes that can be looked up. */
struct sizes16 {
    __m256i at_low, at_high, more_low, more_high, white;
};

INLINE __m256i bytes_of(const int16_t *v, int shift)
{
    uint8_t b[16];
    for (int i = 0; i < NOISE_POINTS; i++)
        b[i] = (uint8_t)((uint16_t)v[i] >> shift);
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)b));
}

INLINE struct sizes16 sizes_of(const struct sensor_noise *s)
{
    int16_t more[NOISE_POINTS] = {0};
    for (int i = 0; i + 1 < NOISE_POINTS; i++)
        more[i] = (int16_t)(s->at[i + 1] - s->at[i]);
    return (struct sizes16){bytes_of(s->at, 0), bytes_of(s->at, 8), bytes_of(more, 0),
                            bytes_of(more, 8), _mm256_set1_epi16(s->white)};
}

INLINE __m256i look_up16(__m256i low, __m256i high, __m256i point)
{
    __m256i first = _mm256_or_si256(point, _mm256_set1_epi16((short)0x8000));
    __m256i second = _mm256_or_si256(_mm256_slli_epi16(point, 8), _mm256_set1_epi16(0x80));
    return _mm256_or_si256(_mm256_shuffle_epi8(low, first), _mm256_shuffle_epi8(high, second));
}

INLINE __m256i size16(const struct sizes16 *s, __m256i luma)
{
    __m256i point = _mm256_srli_epi16(luma, 10);
    __m256i way = _mm256_slli_epi16(_mm256_and_si256(luma, _mm256_set1_epi16(NOISE_SPLIT - 1)), 5);
    __m256i size =
        _mm256_add_epi16(look_up16(s->at_low, s->at_high, point),
                         _mm256_mulhrs_epi16(look_up16(s->more_low, s->more_high, point), way));
    return _mm256_and_si256(size, _mm256_cmpgt_epi16(s->white, luma));
}
#endif

INLINE int size_of(const struct sensor_noise *s, int luma)
{
    if (luma >= s->white)
        return 0;
    int i = luma >> 10, more = i + 1 < NOISE_POINTS ? (int16_t)(s->at[i + 1] - s->at[i]) : 0;
    return s->at[i] + share_of(more, (luma & (NOISE_SPLIT - 1)) << 5);
}

INLINE uint8_t noisy(int clean, int noise, int size, int lo, int hi)
{
    int v = (clean + share_of(noise * 128, size) + STEPS / 2) >> 6;
    return (uint8_t)(v < lo ? lo : v > hi ? hi : v);
}

/* Which of two rows is meant at a pixel. */
INLINE int row_of(const uint8_t *which, int x)
{
    return which && which[x / CELL];
}

void KERNELS_OWN(noise_luma)(const struct sensor_noise *s, const uint16_t *const luma[2],
                             const uint8_t *which, const int8_t *noise, int n, uint8_t *to)
{
    int i = 0;
#ifdef __AVX2__
    const struct sizes16 sizes = sizes_of(s);
    for (; i + CELL <= n; i += CELL) {
        __m256i y = load8(luma[row_of(which, i)] + i);
        __builtin_prefetch(luma[0] + n + i); /* the next row */
        _mm_storeu_si128((__m128i *)(to + i), noisy16(y, noise + i, size16(&sizes, y), 16, 235));
    }
#endif
    for (; i < n; i++) {
        int y = luma[row_of(which, i)][i];
        to[i] = noisy(y, noise[i], size_of(s, y), 16, 235);
    }
}

void KERNELS_OWN(noise_chroma)(const struct sensor_noise *s, const uint16_t *const luma[2],
                               const uint16_t *const chroma[2][2], const uint8_t *which,
                               const int8_t *const noise[2], int n, uint8_t *const to[2])
{
    int i = 0;
#ifdef __AVX2__
    const struct sizes16 sizes = sizes_of(s);
    const __m256i even = _mm256_set1_epi32(0xffff);
    for (; i + 16 <= n; i += 16) {
        int left = row_of(which, 2 * i), right = row_of(which, 2 * i + CELL);
        __m256i a = load8(luma[left] + 2 * i), b = load8(luma[right] + 2 * i + CELL);
        a = _mm256_packus_epi32(_mm256_and_si256(a, even), _mm256_and_si256(b, even));
        __m256i size = size16(&sizes, _mm256_permute4x64_epi64(a, 0xd8));
        for (int k = 0; k < 2; k++) {
            __m256i own = _mm256_mulhrs_epi16(size, _mm256_set1_epi16(s->chroma[k]));
            __m256i c = _mm256_loadu2_m128i((const __m128i *)(chroma[right][k] + i + 8),
                                            (const __m128i *)(chroma[left][k] + i));
            _mm_storeu_si128((__m128i *)(to[k] + i), noisy16(c, noise[k] + i, own, 16, 240));
        }
    }
#endif
    for (; i < n; i++) {
        int row = row_of(which, 2 * i), size = size_of(s, luma[row][2 * i]);
        for (int k = 0; k < 2; k++)
            to[k][i] = noisy(chroma[row][k][i], noise[k][i], share_of(size, s->chroma[k]), 16, 240);
    }
}
