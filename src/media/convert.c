#include "media/convert.h"

#include <math.h>
#include <string.h>

#include "base/cpu.h"

/* Between two YCbCr systems with the same primaries and transfer the map is linear
 * and keeps greys grey: luma gets a share of both chromas, the chromas mix among
 * themselves. So chroma is converted at its own resolution and luma needs one
 * correction per 2×2 pixels. All factors are near 1 or near 0; what they differ by,
 * times a sample, fits into 16 bits, so that the compiler can do 8 or 16 samples at
 * a time. The error stays below one step. */

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define LUMA_BITS 8
#define CHROMA_BITS 9

struct system {
    double kr, kb, y_scale, y_zero, c_scale;
};

static struct system system_of(enum colour_matrix matrix, enum colour_range range)
{
    struct system s = {.kr = 0.2126, .kb = 0.0722};
    if (matrix == COLOUR_BT601) {
        s.kr = 0.299;
        s.kb = 0.114;
    }
    bool full = range == RANGE_FULL;
    s.y_scale = full ? 255 : 219;
    s.y_zero = full ? 0 : 16;
    s.c_scale = full ? 255 : 224;
    return s;
}

static int16_t fixed(double v, int bits)
{
    return (int16_t)lrint(v * (1 << bits));
}

struct colour_map colour_map(enum colour_matrix from, enum colour_range from_range,
                             enum colour_matrix to, enum colour_range to_range)
{
    struct system a = system_of(from, from_range), b = system_of(to, to_range);
    /* R'G'B' of (Y=0, Cb, Cr) in system a, per unit of normalised chroma */
    double akg = 1 - a.kr - a.kb, bkg = 1 - b.kr - b.kb;
    double r_cr = 2 * (1 - a.kr), b_cb = 2 * (1 - a.kb);
    double g_cb = -a.kb * b_cb / akg, g_cr = -a.kr * r_cr / akg;
    double y_cb = bkg * g_cb + b.kb * b_cb, y_cr = b.kr * r_cr + bkg * g_cr;
    double ys = b.y_scale / a.y_scale, cs = b.c_scale / a.c_scale;
    double cb = cs / (2 * (1 - b.kb)), cr = cs / (2 * (1 - b.kr));
    return (struct colour_map){
        .same = from == to && from_range == to_range,
        .yy = fixed(ys - 1, LUMA_BITS),
        .ycb = fixed(y_cb * b.y_scale / a.c_scale, CHROMA_BITS),
        .ycr = fixed(y_cr * b.y_scale / a.c_scale, CHROMA_BITS),
        .cbcb = fixed((b_cb - y_cb) * cb - 1, CHROMA_BITS),
        .cbcr = fixed(-y_cr * cb, CHROMA_BITS),
        .crcb = fixed(-y_cb * cr, CHROMA_BITS),
        .crcr = fixed((r_cr - y_cr) * cr - 1, CHROMA_BITS),
        .y_offset = fixed(b.y_zero - a.y_zero * ys + 0.5, LUMA_BITS),
    };
}

#define CHUNK 1024 /* chroma samples; keeps the corrections in the first cache */

static inline uint8_t clamp8(int16_t v)
{
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

#if defined(__x86_64__)
/* (b * kb + r * kr + add) >> shift */
#define MIX(kb, kr, add, shift)                                                                    \
    _mm_srai_epi16(_mm_add_epi16(_mm_add_epi16(_mm_mullo_epi16(b, _mm_set1_epi16(kb)),             \
                                               _mm_mullo_epi16(r, _mm_set1_epi16(kr))),            \
                                 _mm_set1_epi16(add)),                                             \
                   shift)
#endif

static void convert_chroma(const struct colour_map *m, const uint8_t *cb, const uint8_t *cr,
                           uint8_t *to_cb, uint8_t *to_cr, int16_t *correction, int n)
{
    const int16_t half = 1 << (CHROMA_BITS - 1);
    int i = 0;
#if defined(__x86_64__)
    const __m128i zero = _mm_setzero_si128(), centre = _mm_set1_epi16(128);
    for (; i + 8 <= n; i += 8) { /* the same as below */
        __m128i b = _mm_unpacklo_epi8(_mm_loadl_epi64((const void *)(cb + i)), zero);
        __m128i r = _mm_unpacklo_epi8(_mm_loadl_epi64((const void *)(cr + i)), zero);
        b = _mm_sub_epi16(b, centre);
        r = _mm_sub_epi16(r, centre);
        __m128i y = MIX(m->ycb, m->ycr, 0, CHROMA_BITS - LUMA_BITS);
        y = _mm_add_epi16(y, _mm_set1_epi16(m->y_offset));
        _mm_storeu_si128((void *)(correction + 2 * i), _mm_unpacklo_epi16(y, y));
        _mm_storeu_si128((void *)(correction + 2 * i + 8), _mm_unpackhi_epi16(y, y));
        __m128i u = MIX(m->cbcb, m->cbcr, half, CHROMA_BITS);
        __m128i v = MIX(m->crcb, m->crcr, half, CHROMA_BITS);
        u = _mm_add_epi16(_mm_add_epi16(b, u), centre);
        v = _mm_add_epi16(_mm_add_epi16(r, v), centre);
        _mm_storel_epi64((void *)(to_cb + i), _mm_packus_epi16(u, zero));
        _mm_storel_epi64((void *)(to_cr + i), _mm_packus_epi16(v, zero));
    }
#endif
    for (; i < n; i++) {
        int16_t b = (int16_t)(cb[i] - 128), r = (int16_t)(cr[i] - 128);
        int16_t y = (int16_t)((int16_t)(b * m->ycb + r * m->ycr) >> (CHROMA_BITS - LUMA_BITS));
        int16_t u = (int16_t)((int16_t)(b * m->cbcb + r * m->cbcr + half) >> CHROMA_BITS);
        int16_t v = (int16_t)((int16_t)(b * m->crcb + r * m->crcr + half) >> CHROMA_BITS);
        correction[2 * i] = correction[2 * i + 1] = (int16_t)(y + m->y_offset);
        to_cb[i] = clamp8((int16_t)(b + u + 128));
        to_cr[i] = clamp8((int16_t)(r + v + 128));
    }
}

static void convert_luma(int16_t scale, const uint8_t *y, uint8_t *to, const int16_t *correction,
                         int n)
{
    int i = 0;
#if defined(__x86_64__)
    const __m128i zero = _mm_setzero_si128(), factor = _mm_set1_epi16(scale);
    for (; i + 16 <= n; i += 16) { /* the same as below */
        __m128i v = _mm_loadu_si128((const void *)(y + i));
        __m128i a = _mm_unpacklo_epi8(v, zero), b = _mm_unpackhi_epi8(v, zero);
        __m128i ca = _mm_loadu_si128((const void *)(correction + i));
        __m128i cb = _mm_loadu_si128((const void *)(correction + i + 8));
        ca = _mm_srai_epi16(_mm_add_epi16(_mm_mullo_epi16(a, factor), ca), LUMA_BITS);
        cb = _mm_srai_epi16(_mm_add_epi16(_mm_mullo_epi16(b, factor), cb), LUMA_BITS);
        v = _mm_packus_epi16(_mm_add_epi16(a, ca), _mm_add_epi16(b, cb));
        _mm_storeu_si128((void *)(to + i), v);
    }
#endif
    for (; i < n; i++) {
        int16_t more = (int16_t)((int16_t)(y[i] * scale + correction[i]) >> LUMA_BITS);
        to[i] = clamp8((int16_t)(y[i] + more));
    }
}

#if defined(__x86_64__)
#define WIDE __attribute__((target("avx2")))
#define MIX_WIDE(kb, kr, add, shift)                                                               \
    _mm256_srai_epi16(                                                                             \
        _mm256_add_epi16(_mm256_add_epi16(_mm256_mullo_epi16(b, kb), _mm256_mullo_epi16(r, kr)),   \
                         _mm256_set1_epi16(add)),                                                  \
        shift)

WIDE static inline __m256i load_wide(const uint8_t *from)
{
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)from));
}

WIDE static inline __m256i luma_wide(const uint8_t *y, __m256i factor, __m256i correction)
{
    __m256i v = load_wide(y);
    correction = _mm256_add_epi16(_mm256_mullo_epi16(v, factor), correction);
    return _mm256_add_epi16(v, _mm256_srai_epi16(correction, LUMA_BITS));
}

WIDE static inline void store_chroma(uint8_t *to, __m256i v)
{
    v = _mm256_permute4x64_epi64(_mm256_packus_epi16(v, v), 0x08);
    _mm_storeu_si128((void *)to, _mm256_castsi256_si128(v));
}

/* Sixteen samples of chroma and their 64 of luma at a time, from the left on, as they are below;
 * how many of chroma are done. */
WIDE static int convert_wide(const struct colour_map *m, struct picture *to,
                             const struct picture *from, int row)
{
    const int16_t half = 1 << (CHROMA_BITS - 1);
    const __m256i centre = _mm256_set1_epi16(128), factor = _mm256_set1_epi16(m->yy);
    const __m256i ycb = _mm256_set1_epi16(m->ycb), ycr = _mm256_set1_epi16(m->ycr),
                  cbcb = _mm256_set1_epi16(m->cbcb), cbcr = _mm256_set1_epi16(m->cbcr),
                  crcb = _mm256_set1_epi16(m->crcb), crcr = _mm256_set1_epi16(m->crcr);
    const uint8_t *cb = from->plane[1] + (ptrdiff_t)row * from->stride[1],
                  *cr = from->plane[2] + (ptrdiff_t)row * from->stride[2],
                  *luma = from->plane[0] + 2 * (ptrdiff_t)row * from->stride[0];
    uint8_t *to_cb = to->plane[1] + (ptrdiff_t)row * to->stride[1],
            *to_cr = to->plane[2] + (ptrdiff_t)row * to->stride[2],
            *to_luma = to->plane[0] + 2 * (ptrdiff_t)row * to->stride[0];
    int n = to->width / 2 & ~15;
    for (int i = 0; i < n; i += 16) {
        __m256i b = _mm256_sub_epi16(load_wide(cb + i), centre);
        __m256i r = _mm256_sub_epi16(load_wide(cr + i), centre);
        __m256i y = MIX_WIDE(ycb, ycr, 0, CHROMA_BITS - LUMA_BITS);
        __m256i u = MIX_WIDE(cbcb, cbcr, half, CHROMA_BITS);
        __m256i v = MIX_WIDE(crcb, crcr, half, CHROMA_BITS);
        store_chroma(to_cb + i, _mm256_add_epi16(_mm256_add_epi16(b, u), centre));
        store_chroma(to_cr + i, _mm256_add_epi16(_mm256_add_epi16(r, v), centre));
        y = _mm256_add_epi16(y, _mm256_set1_epi16(m->y_offset));
        __m256i low = _mm256_unpacklo_epi16(y, y), high = _mm256_unpackhi_epi16(y, y);
        __m256i left = _mm256_permute2x128_si256(low, high, 0x20);
        __m256i right = _mm256_permute2x128_si256(low, high, 0x31);
        for (int k = 0; k < 2; k++) {
            const uint8_t *line = luma + (ptrdiff_t)k * from->stride[0] + 2 * i;
            __m256i two = _mm256_packus_epi16(luma_wide(line, factor, left),
                                              luma_wide(line + 16, factor, right));
            _mm256_storeu_si256((void *)(to_luma + (ptrdiff_t)k * to->stride[0] + 2 * i),
                                _mm256_permute4x64_epi64(two, 0xd8));
        }
    }
    return n;
}
#endif

void colour_map_rows(const struct colour_map *m, struct picture *to, const struct picture *from)
{
    if (m->same) {
        if (to->plane[0] != from->plane[0])
            picture_copy_rows(to, from, 0, to->height);
        return;
    }
    int16_t correction[2 * CHUNK];
    for (int row = 0; row < to->height / 2; row++) {
        int begin = 0;
#if defined(__x86_64__)
        if (cpu_avx2())
            begin = convert_wide(m, to, from, row);
#endif
        for (int x = begin; x < to->width / 2; x += CHUNK) {
            int n = to->width / 2 - x < CHUNK ? to->width / 2 - x : CHUNK;
            ptrdiff_t cf = (ptrdiff_t)row * from->stride[1] + x;
            ptrdiff_t ct = (ptrdiff_t)row * to->stride[1] + x;
            convert_chroma(m, from->plane[1] + cf, from->plane[2] + cf, to->plane[1] + ct,
                           to->plane[2] + ct, correction, n);
            for (int i = 0; i < 2; i++) {
                ptrdiff_t line = 2 * (ptrdiff_t)row + i;
                convert_luma(m->yy, from->plane[0] + line * from->stride[0] + 2 * x,
                             to->plane[0] + line * to->stride[0] + 2 * x, correction, 2 * n);
            }
        }
    }
}

void picture_convert(struct picture *to, const struct picture *from)
{
    struct colour_map m = colour_map(from->matrix, from->range, to->matrix, to->range);
    colour_map_rows(&m, to, from);
}
