/* Developing: linear light becomes luma and chroma, without noise. Compiled like kernels.c. */
#include <string.h>

#include "device/virtual/camera/kernels_inside.h"
#include "device/virtual/kernels_inside.h"

/* ---- light becomes signal ---- */

INLINE int table_index(const struct sensor_curve *c, int sample)
{
    float v = (float)(sample < c->most ? sample : c->most) * c->scale + CURVE_LEAST;
    uint32_t bits;
    memcpy(&bits, &v, sizeof(bits));
    return (int)(bits >> INDEX_SHIFT & (CURVE_TABLE - 1));
}

void KERNELS_OWN(tabulate)(const struct sensor_curve *c, struct sensor_table *to)
{
    for (int k = 0; k < 3; k++)
        for (int point = 0; point < CURVE_POINTS; point++) {
            int at = c->at[k][point], more = c->more[k][point];
            uint16_t *out = to->at[k] + (point << WAY_BITS);
            for (int way = 0; way < 1 << WAY_BITS; way++) {
                int v = at + (more * way >> WAY_BITS);
                out[way] = (uint16_t)(v < CURVE_FULL ? v : CURVE_FULL);
            }
        }
}

/* ---- the same with a local gain ---- */

/* A sample and GAINED_SPLIT as a float: its exponent and five more bits are the point of the
 * curve before it, the ten bits behind them how far it is to the next. */
#define POINT_BITS 18
#define FIRST_POINT ((127 + 5) << 5)
#define MOST 16777215.0f

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

INLINE void gained_row(const struct sensor_curve *c, int colour, const uint16_t *in,
                       const float *gain, int n, uint16_t *out)
{
    const uint32_t *curve = c->gained[colour];
    int i = 0;
#ifdef __AVX2__
    for (; i + 8 <= n; i += 8) {
        __m256 v =
            _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(in + i))));
        v = _mm256_mul_ps(_mm256_min_ps(v, _mm256_set1_ps(c->clip)), _mm256_loadu_ps(gain + i));
        v = _mm256_min_ps(_mm256_add_ps(v, _mm256_set1_ps(GAINED_SPLIT)), _mm256_set1_ps(MOST));
        __m256i s = signal8(curve, v);
        _mm_storeu_si128((__m128i *)(out + i), _mm_packus_epi32(_mm256_castsi256_si128(s),
                                                                _mm256_extracti128_si256(s, 1)));
    }
#endif
    for (; i < n; i++) {
        float v = (float)in[i];
        v = (v < c->clip ? v : c->clip) * gain[i] + GAINED_SPLIT;
        out[i] = (uint16_t)signal_of(curve, v < MOST ? v : MOST);
    }
}

/* ---- signal becomes luma and chroma ---- */

/* Of a row of at most STRIP pixels. */
struct signals {
    uint16_t of[3][STRIP];
};

INLINE uint16_t colour_of(int r, int g, int b, int kr, int kg, int kb, int zero)
{
    return (uint16_t)(share_of(r, kr) + share_of(g, kg) + share_of(b, kb) + zero);
}
/* Of 16 bits, rounded up. */
INLINE int mean_of(int a, int b)
{
    return (a + b + 1) >> 1;
}

#ifdef __AVX2__
INLINE __m256i colour16(__m256i r, __m256i g, __m256i b, int kr, int kg, int kb, int zero)
{
    __m256i rg = _mm256_add_epi16(_mm256_mulhrs_epi16(r, _mm256_set1_epi16((short)kr)),
                                  _mm256_mulhrs_epi16(g, _mm256_set1_epi16((short)kg)));
    __m256i b0 = _mm256_add_epi16(_mm256_mulhrs_epi16(b, _mm256_set1_epi16((short)kb)),
                                  _mm256_set1_epi16((short)zero));
    return _mm256_add_epi16(rg, b0);
}

/* Means of four, of sixteen pixels of two rows: each twice. */
INLINE __m256i mean16(__m256i top, __m256i below)
{
    __m256i v = _mm256_avg_epu16(top, below);
    return _mm256_avg_epu16(v, _mm256_or_si256(_mm256_slli_epi32(v, 16), _mm256_srli_epi32(v, 16)));
}

/* Blue's of each two numbers of chroma, and red's. */
INLINE void chroma16(__m256i r, __m256i g, __m256i b, uint16_t *cb, uint16_t *cr)
{
#define BOTH(blue, red) _mm256_set1_epi32((int)((uint32_t)(red) << 16 | ((uint32_t)(blue)&0xffff)))
    __m256i v = _mm256_add_epi16(_mm256_mulhrs_epi16(r, BOTH(BR, RR)),
                                 _mm256_mulhrs_epi16(g, BOTH(BG, RG)));
    v = _mm256_add_epi16(
        v, _mm256_add_epi16(_mm256_mulhrs_epi16(b, BOTH(BB, RB)), _mm256_set1_epi16(GREY)));
#undef BOTH
    __m256i blue = _mm256_and_si256(v, _mm256_set1_epi32(0xffff)), red = _mm256_srli_epi32(v, 16);
    v = _mm256_permute4x64_epi64(_mm256_packus_epi32(blue, red), 0xd8);
    _mm_storeu_si128((__m128i *)cb, _mm256_castsi256_si128(v));
    _mm_storeu_si128((__m128i *)cr, _mm256_extracti128_si256(v, 1));
}
#endif

INLINE void luma_row(const struct signals *s, int n, uint16_t *to)
{
    int i = 0;
#ifdef __AVX2__
    for (; i + 16 <= n; i += 16)
        _mm256_storeu_si256((__m256i *)(void *)(to + i),
                            colour16(load16(s->of[0] + i), load16(s->of[1] + i),
                                     load16(s->of[2] + i), YR, YG, YB, BLACK));
#endif
    for (; i < n; i++)
        to[i] = colour_of(s->of[0][i], s->of[1][i], s->of[2][i], YR, YG, YB, BLACK);
}

INLINE void chroma_row(const struct signals *top, const struct signals *below, int n, uint16_t *cb,
                       uint16_t *cr)
{
    int i = 0;
#ifdef __AVX2__
    for (; i + 16 <= n; i += 16)
        chroma16(mean16(load16(top->of[0] + i), load16(below->of[0] + i)),
                 mean16(load16(top->of[1] + i), load16(below->of[1] + i)),
                 mean16(load16(top->of[2] + i), load16(below->of[2] + i)), cb + i / 2, cr + i / 2);
#endif
    for (; i < n; i += 2) {
        int m[3];
        for (int k = 0; k < 3; k++)
            m[k] = mean_of(mean_of(top->of[k][i], below->of[k][i]),
                           mean_of(top->of[k][i + 1], below->of[k][i + 1]));
        cb[i / 2] = colour_of(m[0], m[1], m[2], BR, BG, BB, GREY);
        cr[i / 2] = colour_of(m[0], m[1], m[2], RR, RG, RB, GREY);
    }
}

void KERNELS_OWN(develop2)(const struct sensor_curve *c, const uint16_t *const in[6],
                           const float *const gain[2], int width, uint16_t *y0, uint16_t *y1,
                           uint16_t *cb, uint16_t *cr)
{
    for (int x = 0; x < width; x += STRIP) {
        struct signals row[2];
        int n = width - x < STRIP ? width - x : STRIP;
        for (int i = 0; i < 6; i++)
            gained_row(c, i % 3, in[i] + x, gain[i / 3] + x, n, row[i / 3].of[i % 3]);
        luma_row(&row[0], n, y0 + x);
        luma_row(&row[1], n, y1 + x);
        if (cb)
            chroma_row(&row[0], &row[1], n, cb + x / 2, cr + x / 2);
    }
}

/* ---- boxes without local gains ---- */

/* Sixteen pixels at most of two rows. */
INLINE void develop_few(const struct sensor_curve *c, const struct sensor_table *t,
                        const uint16_t *const in[3], size_t stride, int n,
                        const struct developed_at *to)
{
    struct signals row[2];
    for (int y = 0; y < 2; y++) {
        for (int k = 0; k < 3; k++)
            for (int i = 0; i < n; i++)
                row[y].of[k][i] = t->at[k][table_index(c, in[k][(size_t)y * stride + (size_t)i])];
        luma_row(&row[y], n, to->luma + (size_t)y * to->stride);
    }
    if (to->chroma[0])
        chroma_row(&row[0], &row[1], n, to->chroma[0], to->chroma[1]);
}

#ifdef __AVX2__
/* Eight numbers of a table. Put together in a register: what is written in pieces and read whole
 * would have to wait until it has reached the cache. */
INLINE __m128i look_up8(const uint16_t *table, const uint16_t *at)
{
    __m128i v = _mm_cvtsi32_si128(table[at[0]]);
    v = _mm_insert_epi16(v, table[at[1]], 1);
    v = _mm_insert_epi16(v, table[at[2]], 2);
    v = _mm_insert_epi16(v, table[at[3]], 3);
    v = _mm_insert_epi16(v, table[at[4]], 4);
    v = _mm_insert_epi16(v, table[at[5]], 5);
    v = _mm_insert_epi16(v, table[at[6]], 6);
    return _mm_insert_epi16(v, table[at[7]], 7);
}

INLINE void index16(const struct sensor_curve *c, const uint16_t *in, uint16_t *to)
{
    const __m256 scale = _mm256_set1_ps(c->scale), least = _mm256_set1_ps(CURVE_LEAST);
    __m256i v = _mm256_min_epu16(load16(in), _mm256_set1_epi16((short)c->most));
    __m256 even = _mm256_cvtepi32_ps(_mm256_and_si256(v, _mm256_set1_epi32(0xffff)));
    __m256 odd = _mm256_cvtepi32_ps(_mm256_srli_epi32(v, 16));
    even = _mm256_add_ps(_mm256_mul_ps(even, scale), least);
    odd = _mm256_add_ps(_mm256_mul_ps(odd, scale), least);
    v = _mm256_blend_epi16(_mm256_srli_epi32(_mm256_castps_si256(even), INDEX_SHIFT),
                           _mm256_slli_epi32(_mm256_castps_si256(odd), 16 - INDEX_SHIFT), 0xaa);
    v = _mm256_and_si256(v, _mm256_set1_epi16(CURVE_TABLE - 1));
    _mm256_storeu_si256((__m256i *)(void *)to, v);
}

INLINE void develop_cell(const struct sensor_curve *c, const struct sensor_table *t,
                         const uint16_t *const in[3], size_t stride, const struct developed_at *to)
{
    uint16_t at[6][CELL];
    __m256i s[6];
    for (int k = 0; k < 6; k++)
        index16(c, in[k % 3] + (size_t)(k / 3) * stride, at[k]);
    for (int k = 0; k < 6; k++)
        s[k] = _mm256_inserti128_si256(_mm256_castsi128_si256(look_up8(t->at[k % 3], at[k])),
                                       look_up8(t->at[k % 3], at[k] + 8), 1);
    for (int k = 0; k < 2; k++)
        _mm256_storeu_si256((__m256i *)(void *)(to->luma + (size_t)k * to->stride),
                            colour16(s[3 * k], s[3 * k + 1], s[3 * k + 2], YR, YG, YB, BLACK));
    if (to->chroma[0])
        chroma16(mean16(s[0], s[3]), mean16(s[1], s[4]), mean16(s[2], s[5]), to->chroma[0],
                 to->chroma[1]);
}
#endif

INLINE struct developed_at further(const struct developed_at *to, int x, int y)
{
    struct developed_at ret = *to;
    size_t half = (size_t)y / 2 * (to->stride / 2) + (size_t)x / 2;
    ret.luma += (size_t)y * to->stride + (size_t)x;
    for (int k = 0; k < 2 && to->chroma[0]; k++)
        ret.chroma[k] += half;
    return ret;
}

void KERNELS_OWN(develop)(const struct sensor_curve *c, const struct sensor_table *t,
                          const uint16_t *const in[3], size_t stride, int w, int h,
                          const struct developed_at *to)
{
    for (int y = 0; y < h; y += 2)
        for (int x = 0; x < w; x += CELL) {
            const size_t at = (size_t)y * stride + (size_t)x;
            const uint16_t *const from[3] = {in[0] + at, in[1] + at, in[2] + at};
            const struct developed_at out = further(to, x, y);
#ifdef __AVX2__
            if (x + CELL <= w) {
                develop_cell(c, t, from, stride, &out);
                continue;
            }
#endif
            develop_few(c, t, from, stride, w - x < CELL ? w - x : CELL, &out);
        }
}
