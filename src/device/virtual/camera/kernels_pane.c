/* What lies on the dome, and a lens out of focus. Compiled like kernels.c. */
#include <math.h>

#include "device/virtual/kernels_inside.h"
#include "device/virtual/radiance.h"

void KERNELS_OWN(cover)(uint16_t *row, const uint8_t *alpha, const uint8_t *shade, uint32_t colour,
                        int n)
{
    for (int x = 0; x < n; x++) {
        uint32_t a = alpha[x] + (uint32_t)(alpha[x] >> 7); /* 0…256 */
        uint32_t c = colour * shade[x] / UNIT_SHADE;
        c = c > 65535 ? 65535 : c;
        row[x] = (uint16_t)((row[x] * (256 - a) + c * a) >> 8);
    }
}

void KERNELS_OWN(disc)(float *acc, const uint32_t *a, const uint32_t *b, float rest, int n)
{
    for (int x = 0; x < n; x++) {
        uint32_t whole = b[x] - a[x], wider = b[x + 1] - a[x - 1];
        acc[x] += (float)(int32_t)whole + rest * (float)(int32_t)(wider - whole);
    }
}

INLINE void spread_by(uint16_t *to, const uint16_t *a, const uint16_t *b, int n, int step, int bits,
                      uint32_t fy, uint32_t veil)
{
    const uint32_t whole = (uint32_t)(2 * step);
    for (int i = 0; i < n; i++, to += step) {
        uint32_t left = a[i] * (whole - fy) + b[i] * fy;
        uint32_t right = a[i + 1] * (whole - fy) + b[i + 1] * fy;
        for (int k = 0; k < step; k++) {
            uint32_t f = (uint32_t)(2 * k + 1), v = left * (whole - f) + right * f;
            to[k] = (uint16_t)(((v >> bits) * 15 + veil) >> 4);
        }
    }
}

void KERNELS_OWN(spread)(uint16_t *to, const uint16_t *a, const uint16_t *b, int n, int step,
                         uint32_t fy, uint32_t veil)
{
    switch (step) { /* loops of known length */
    case 2:
        spread_by(to, a, b, n, 2, 4, fy, veil);
        break;
    case 4:
        spread_by(to, a, b, n, 4, 6, fy, veil);
        break;
    case 8:
        spread_by(to, a, b, n, 8, 8, fy, veil);
        break;
    case 16:
        spread_by(to, a, b, n, 16, 10, fy, veil);
        break;
    default:
        spread_by(to, a, b, n, 32, 12, fy, veil);
        break;
    }
}

uint32_t KERNELS_OWN(sum8)(const uint16_t *from, size_t stride)
{
    uint32_t column[8] = {0}, sum = 0;
    for (int y = 0; y < 8; y += 2, from += 2 * stride)
        for (int x = 0; x < 8; x++)
            column[x] += from[x];
    for (int x = 0; x < 8; x++)
        sum += column[x];
    return sum * 2;
}

/* ---- drops ---- */

#define LANES 8
#define WIDEST 512 /* pixels of a row of a drop, and LANES more */

/* All rows of a drop look at the same columns of the small picture: each column by itself, then
 * the lines of it that rows lie between, of which few are wanted at a time. */
struct looks {
    int32_t at[WIDEST]; /* of the point to the left */
    float part[WIDEST]; /* … and how far from there to the next one */
    float off2[WIDEST]; /* square of how far it is from the middle, in radii */
    float line[2][3][WIDEST];
    int known[2]; /* which lines those are */
};

static void find_columns(const struct drop *d, int x0, int n, struct looks *l)
{
    const float most = (float)d->width - 1.001f;
    for (int i = 0; i < n; i++) {
        float dx = ((float)(x0 + i) - d->x) * d->inv_radius, at = d->small_x - dx * d->reach;
        at = at > 0 ? at : 0;
        at = at < most ? at : most;
        l->at[i] = (int32_t)at;
        l->part[i] = at - (float)l->at[i];
        l->off2[i] = dx * dx;
    }
    l->known[0] = l->known[1] = -1;
}

/* n is a multiple of LANES. */
INLINE void find_line(const struct drop *d, int y, int n, struct looks *l)
{
    float(*to)[WIDEST] = l->line[y & 1];
    const uint16_t *from = d->small + 4 * (size_t)y * (size_t)d->width;
    if (l->known[y & 1] == y)
        return;
    l->known[y & 1] = y;
#ifdef __AVX2__
    for (int i = 0; i < n; i += LANES) {
        __m128 q[LANES];
        for (int k = 0; k < LANES; k++) {
            __m256 both = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(
                _mm_loadu_si128((const __m128i *)(const void *)(from + 4 * l->at[i + k]))));
            __m128 a = _mm256_castps256_ps128(both), b = _mm256_extractf128_ps(both, 1);
            q[k] = _mm_add_ps(a, _mm_mul_ps(_mm_sub_ps(b, a), _mm_set1_ps(l->part[i + k])));
        }
        for (int k = 0; k < LANES; k += 4) {
            __m128 r0 = _mm_unpacklo_ps(q[k], q[k + 1]), r1 = _mm_unpacklo_ps(q[k + 2], q[k + 3]);
            __m128 b0 = _mm_unpackhi_ps(q[k], q[k + 1]), b1 = _mm_unpackhi_ps(q[k + 2], q[k + 3]);
            _mm_storeu_ps(to[0] + i + k, _mm_movelh_ps(r0, r1));
            _mm_storeu_ps(to[1] + i + k, _mm_movehl_ps(r1, r0));
            _mm_storeu_ps(to[2] + i + k, _mm_movelh_ps(b0, b1));
        }
    }
#else
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 3; k++) {
            const uint16_t *at = from + 4 * l->at[i] + k;
            to[k][i] = (float)at[0] + ((float)at[4] - (float)at[0]) * l->part[i];
        }
#endif
}

/* Where in the small picture a row of a drop looks; dy in radii. */
INLINE float line_at(const struct drop *d, float dy)
{
    const float most = (float)d->height - 1.001f, at = d->small_y - dy * d->reach;
    return at <= 0 ? 0 : at < most ? at : most;
}

/* All lines between two rows are on their way to the processor from now on. */
INLINE void expect_lines(const struct drop *d, int y0, int y1, int n, const struct looks *l)
{
    int first = (int)line_at(d, ((float)(y1 - 1) - d->y) * d->inv_radius);
    int last = (int)line_at(d, ((float)y0 - d->y) * d->inv_radius) + 1;
    for (int y = first; y <= last; y++)
        for (int x = l->at[n - 1]; x <= l->at[0] + 1 + 7; x += 8) /* of eight bytes each */
            __builtin_prefetch(d->small + 4 * ((size_t)y * (size_t)d->width + (size_t)x));
}

/* A row of a drop. */
struct drop_row {
    float dy, dy2, bright, low; /* low: how far between the upper and the lower of two lines */
    const float (*upper)[WIDEST], (*lower)[WIDEST];
};

INLINE void drop_pixel(const struct drop *d, const struct looks *l, const struct drop_row *r, int i,
                       uint16_t *const plane[3], int x)
{
    float d2 = l->off2[i] + r->dy2, a = (1 - sqrtf(d2)) * (1 / 0.35f);
    a = a > 0 ? a : 0;
    a = a < 1 ? a : 1;
    a = d->strength * (a * a * (3 - 2 * a)); /* how much of the pixel it is */
    float light = r->bright - 0.12f * d2;
    for (int k = 0; k < 3; k++) {
        float v = (r->upper[k][i] + (r->lower[k][i] - r->upper[k][i]) * r->low) * light;
        float was = (float)plane[k][x], now = was + (v - was) * a;
        plane[k][x] = (uint16_t)(int32_t)(now < 65535 ? now : 65535);
    }
}

#ifdef __AVX2__
INLINE void drop8(const struct drop *d, const struct looks *l, const struct drop_row *r, int i,
                  uint16_t *const plane[3], int x)
{
    const __m256 one = _mm256_set1_ps(1), zero = _mm256_setzero_ps();
    __m256 d2 = _mm256_add_ps(_mm256_loadu_ps(l->off2 + i), _mm256_set1_ps(r->dy2));
    __m256 a = _mm256_mul_ps(_mm256_sub_ps(one, _mm256_sqrt_ps(d2)), _mm256_set1_ps(1 / 0.35f));
    a = _mm256_min_ps(_mm256_max_ps(a, zero), one);
    a = _mm256_mul_ps(_mm256_mul_ps(a, a),
                      _mm256_sub_ps(_mm256_set1_ps(3), _mm256_mul_ps(_mm256_set1_ps(2), a)));
    a = _mm256_mul_ps(_mm256_set1_ps(d->strength), a);
    __m256 light =
        _mm256_sub_ps(_mm256_set1_ps(r->bright), _mm256_mul_ps(_mm256_set1_ps(0.12f), d2));
    for (int k = 0; k < 3; k++) {
        __m128i *to = (__m128i *)(void *)(plane[k] + x);
        __m256 was = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128(to)));
        __m256 v = _mm256_loadu_ps(r->upper[k] + i);
        v = _mm256_add_ps(v, _mm256_mul_ps(_mm256_sub_ps(_mm256_loadu_ps(r->lower[k] + i), v),
                                           _mm256_set1_ps(r->low)));
        v = _mm256_mul_ps(v, light);
        v = _mm256_add_ps(was, _mm256_mul_ps(_mm256_sub_ps(v, was), a));
        __m256i now = _mm256_cvttps_epi32(_mm256_min_ps(v, _mm256_set1_ps(65535)));
        _mm_storeu_si128(
            to, _mm_packus_epi32(_mm256_castsi256_si128(now), _mm256_extracti128_si256(now, 1)));
    }
}
#endif

void KERNELS_OWN(drop)(const struct drop *d, int y0, int y1, int x0, int x1, struct radiance *to)
{
    struct looks l;
    const float radius = 1 / d->inv_radius;
    x0 = (float)x0 > d->x - radius ? x0 : (int)(d->x - radius);
    int last = (float)x1 < d->x + radius + 2 ? x1 : (int)(d->x + radius + 2);
    int n = (last - x0 + LANES) / LANES * LANES; /* and a few behind it, to be whole */
    if (last <= x0)
        return;
    n = n < WIDEST ? n : WIDEST;
    find_columns(d, x0, n, &l);
    expect_lines(d, y0, y1, n, &l);
    for (int y = y0; y < y1; y++) {
        struct drop_row r = {.dy = ((float)y - d->y) * d->inv_radius};
        r.dy2 = r.dy * r.dy;
        if (r.dy2 >= 1)
            continue;
        r.bright = 1.06f + 0.3f * r.dy;
        float half = sqrtf(1 - r.dy2) * radius, at = line_at(d, r.dy);
        const int line = (int)at;
        r.low = at - (float)line;
        find_line(d, line, n, &l);
        find_line(d, line + 1, n, &l);
        r.upper = (const float(*)[WIDEST])l.line[line & 1];
        r.lower = (const float(*)[WIDEST])l.line[(line + 1) & 1];
        int x = (int)(d->x - half), end = (int)(d->x + half + 1);
        x = x > x0 ? x : x0;
        end = end < last ? end : last;
        end = end < x0 + n ? end : x0 + n;
        const size_t row = (size_t)(y - to->top) * to->stride;
        uint16_t *const plane[3] = {to->r + row, to->g + row, to->b + row};
#ifdef __AVX2__
        /* What lies behind the rim stays as it is. */
        for (; x < end && x + LANES <= x1 && x + LANES <= x0 + n; x += LANES)
            drop8(d, &l, &r, x - x0, plane, x);
#endif
        for (; x < end; x++)
            drop_pixel(d, &l, &r, x - x0, plane, x);
    }
}
